"""Formats of dates that are put together from a word: the order of day, month and year, names of months and weekdays in
several languages, a time, a zone.

%B@de is the name of a month in German; %o the English ending of an ordinal, as in 23rd.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from synthcli.columns.words import listed

MONTHS = {  # language: names and abbreviations
    "de": (
        listed("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
        listed("Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez"),
    ),
    "fr": (
        listed("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
        listed("janv févr mars avr mai juin juil août sept oct nov déc"),
    ),
    "es": (
        listed("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
        listed("ene feb mar abr may jun jul ago sep oct nov dic"),
    ),
    "it": (
        listed("gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"),
        listed("gen feb mar apr mag giu lug ago set ott nov dic"),
    ),
    "nl": (
        listed("januari februari maart april mei juni juli augustus september oktober november december"),
        listed("jan feb mrt apr mei jun jul aug sep okt nov dec"),
    ),
    "pt": (
        listed("janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"),
        listed("jan fev mar abr mai jun jul ago set out nov dez"),
    ),
    "pl": (
        listed("stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia"),
        listed("sty lut mar kwi maj cze lip sie wrz paź lis gru"),
    ),
}
ENGLISH = (
    listed("January February March April May June July August September October November December"),
    listed("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"),
)
WEEKDAYS = (
    listed("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    listed("Mon Tue Wed Thu Fri Sat Sun"),
)
_TIME = re.compile(
    r"(?<!\d)(?P<h>\d{1,2})(?P<sep>[:.h])(?P<m>\d{2})(?:(?P<sep2>[:.])(?P<s>\d{2})(?:(?P<point>[.,])\d{1,6})?)?(?!\d)"
    r"(?P<half>\s?[AaPp]\.?[Mm]\b)?"
)
_ZONE = re.compile(r"( ?)[+-]\d\d:?\d\d$")
_TOKEN = re.compile(r"\d+|[^\W\d_]+|[\W_]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_LANGUAGE = re.compile(r"(%[bB])@(\w\w)")
_ORDINALS = ("st", "nd", "rd", "th")
_ORDERS = {  # directives of numbers, by whether a month is named and where a year of four digits is
    ("named", 1, "year"): (("d",),),
    ("named", 0, "year"): ((),),
    ("named", 2, "none"): (("d", "y"),),
    ("plain", 2, "first"): (("m", "d"),),
    ("plain", 2, "last"): (("m", "d"), ("d", "m")),
    ("plain", 1, "first"): (("m",),),
    ("plain", 1, "last"): (("m",),),
    ("plain", 3, "none"): (("m", "d", "y"), ("d", "m", "y"), ("y", "m", "d")),
}


def candidates(word: str) -> Iterator[str]:
    """The formats in which a word may be a date, the month before the day where both are possible."""
    for found in (*_TIME.finditer(word), None):
        if found is None:
            yield from _dates(word)
            continue
        before, after = word[: found.start()], word[found.end() :]
        zone = _ZONE.fullmatch(after)
        end = f"{zone[1]}%z" if zone else ""
        for form in _dates(f"{before}\0{'' if zone else after}"):
            yield form.replace("\0", _time(found)) + end


def _time(found: re.Match[str]) -> str:
    hour = "%I" if found["half"] else "%H"
    rest = f"{found['sep2']}%S" if found["s"] else ""
    fraction = f"{found['point']}%f" if found["point"] else ""
    half = found["half"] or ""
    mark = re.sub(r"[AaPp]\.?[Mm]", "%P" if half.islower() else "%p", half)
    return f"{hour}{found['sep']}%M{rest}{fraction}{mark}"


def _dates(text: str) -> Iterator[str]:
    tokens = _TOKEN.findall(text)
    years = [i for i, t in enumerate(tokens) if t.isdigit() and len(t) == 4]
    numbers = [i for i, t in enumerate(tokens) if t.isdigit() and len(t) <= 2]
    if len(years) > 1 or len(years) + len(numbers) != sum(t.isdigit() for t in tokens) or not numbers + years:
        return
    names = [i for i, t in enumerate(tokens) if _LETTERS.fullmatch(t) and _languages(t)]
    if len(names) > 1:
        names = names[-1:] if tokens[names[0]].lower() in ("mar", "mai", "may") else names[:1]
    if _glued(tokens) or (not names and len(numbers) == 1 and not _ruled(tokens)):
        return
    where = "none" if not years else "year" if names else "first" if years[0] < min(numbers, default=99) else "last"
    for order in _ORDERS.get(("named" if names else "plain", len(numbers), where), ()):
        if len(numbers) == 3 and any(tokens[i + 1 : i + 2] in (["."], [" "]) for i in numbers[:2]):
            continue  # a version, or groups of digits
        roles = {**dict(zip(numbers, order)), **dict.fromkeys(years, "Y")}
        for named in _languages(tokens[names[0]]) if names else ("",):
            yield "".join(_piece(i, token, tokens, roles, names, named) for i, token in enumerate(tokens))


def _glued(tokens: list[str]) -> bool:
    """Whether letters that name no month, weekday or ordinal adjoin digits, as in 2024Q2."""
    pairs = ((a, b) if a.isdigit() else (b, a) for a, b in itertools.pairwise(tokens) if a.isdigit() != b.isdigit())
    beside = {b for _, b in pairs if _LETTERS.fullmatch(b)}
    return any(not _languages(b) and b not in (*_ORDINALS, "T") for b in beside)


def _ruled(tokens: list[str]) -> bool:
    """Whether a year and a month are joined by a mark alone."""
    return len(tokens) == 3 and tokens[1] in ("-", "/", ".")


def _piece(i: int, token: str, tokens: list[str], roles: dict[int, str], names: list[int], named: str) -> str:
    if i in roles:
        return f"%{roles[i]}"
    if names and i == names[0]:
        return named
    if token in _ORDINALS and i and tokens[i - 1].isdigit():
        return "%o"
    if token.title() in WEEKDAYS[0]:
        return "%A"
    if token.title() in WEEKDAYS[1]:
        return "%a"
    return token.replace("%", "%%")


def _languages(token: str) -> tuple[str, ...]:
    """The directives that write the name of a month."""
    lower, upper = token.lower(), "^" if token.isupper() and len(token) > 1 else ""
    found = [f"%{upper}{d}" for d, names in zip("Bb", ENGLISH) if lower in map(str.lower, names)]
    for language, both in MONTHS.items():
        found += [f"%{upper}{d}@{language}" for d, names in zip("Bb", both) if lower in map(str.lower, names)]
    return tuple(reversed(found)) if found[:1] == ["%B"] and lower == "may" else tuple(found)


def language(form: str) -> str | None:
    """The language of the names in a format; None for English."""
    found = _LANGUAGE.search(form.replace("^", ""))
    return found[2] if found else None


def plain(form: str) -> str:
    """The format without marks of languages, cases and ordinals, as strptime knows it."""
    return _LANGUAGE.sub(r"\1", form.replace("%^", "%")).replace("%o", "").replace("%P", "%p")


def to_english(words: list[str], form: str) -> list[str]:
    """Words with English names of months, and without the endings of ordinals."""
    if "%o" in form:
        words = [re.sub(r"(?<=\d)(st|nd|rd|th)\b", "", word) for word in words]
    spoken = language(form)
    if spoken is None:
        return words
    place = _place(form)
    table = {w.lower(): e for w, e in zip(MONTHS[spoken][place], ENGLISH[place])}
    return [_LETTERS.sub(lambda m: table.get(m[0].lower(), _unless_english(m[0])), word) for word in words]


def _place(form: str) -> int:
    """Whether a format writes names of months (0) or their abbreviations (1)."""
    return 0 if "%B" in form.replace("^", "") else 1


def _unless_english(word: str) -> str:
    """A word that is no name of the language; an English name would else be read as one."""
    return f"?{word}" if word.title() in ENGLISH[0] + ENGLISH[1] else word


def from_english(text: str, form: str) -> str:
    """A written date with the names, the case and the ordinals of a format."""
    spoken = language(form)
    if spoken is not None:
        place = _place(form)
        table = dict(zip(ENGLISH[place], MONTHS[spoken][place]))
        text = _LETTERS.sub(lambda m: table.get(m[0], m[0]), text)
    if "%P" in form:
        text = re.sub(r"\b(AM|PM)\b|(?<=\d)(AM|PM)\b", lambda m: m[0].lower(), text)
    return text.upper() if "%^" in form else text


def ordinal(day: int) -> str:
    """The English ending of an ordinal."""
    return "th" if 10 < day % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
