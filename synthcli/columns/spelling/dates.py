"""Dates and times as text: the formats that are tried, reading and writing them.

Formats use the directives of strptime, plus %:z for an offset with a colon, %-d and %-m for days and months without
leading zeros, and %3f for fractions of a second with three digits. A literal offset, such as +02:00 at the end, is a
format of its own: it writes each time in that offset.
"""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import pandas as pd

from synthcli.columns.spelling import composing

_DAYS = (  # if both orders parse every cell, the month comes first
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%Y.%m.%d",
    "%d/%b/%Y",
    "%d%b%Y",
    "%d. %b %Y",
    "%d. %B %Y",
    "%d %b, %Y",
    "%d %B, %Y",
    "%b %d %Y",
    "%B %d %Y",
    "%b. %d, %Y",
    "%Y %b %d",
    "%Y-%b-%d",
    "%a, %d %b %Y",
    "%a %d %b %Y",
    "%A, %d %B %Y",
    "%A, %B %d, %Y",
    "%a, %b %d, %Y",
    "%a %d/%m/%Y",
    "%a %d.%m.%Y",
    "%Y年%m月%d日",
    "%d-%m-%y",
    "%Y_%m_%d",
)
_TIMES = (
    "",
    " %H:%M:%S",
    " %H:%M",
    " %H:%M:%S.%f",
    " %I:%M %p",
    " %I:%M:%S %p",
    ", %H:%M",
    ", %H:%M:%S",
    ", %I:%M %p",
    ", %I:%M:%S %p",
    " %I:%M%p",
    " %H.%M",
    " %Hh%M",
    " - %H:%M",
    " %H:%M Uhr",
)
_ISO = tuple(
    f"%Y-%m-%d{sep}%H:%M{seconds}{zone}"
    for sep in "T "
    for seconds in (":%S", ":%S.%f", ":%S,%f", "")
    for zone in ("", "Z", "%z", " %z", " UTC")
)
_OTHERS = (
    "%Y-%m-%dT%H",
    "%Y-%m-%d %H",
    "%Y-%m",
    "%Y/%m",
    "%m/%Y",
    "%m.%Y",
    "%b %Y",
    "%B %Y",
    "%b-%Y",
    "%b-%y",
    "%Y %b",
    "%Y-%b",
    "%Y-%j",
    "%Y%m%dT%H%M%S",
    "%Y%m%dT%H%M%SZ",
    "%Y%m%dT%H%M%S%z",
    "%Y%m%d %H%M%S",
    "%Y%m%d %H:%M",
    "%Y%m%d %H:%M:%S",
    "%d%b%Y:%H:%M:%S",
    "%d/%b/%Y:%H:%M:%S",
    "%d/%b/%Y:%H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S GMT",
    "%a %b %d %H:%M:%S %Y",
    "%Y/%m/%d %H:%M:%S%z",
    "%d.%m.%Y %H:%M:%S%z",
    "%d/%m/%Y %H:%M:%S%z",
    "%m/%d/%Y %H:%M:%S%z",
    "%d.%m.%Y um %H:%M",
    "%Y-%m-%d-%H.%M.%S",
    "%Y-%m-%d %H.%M.%S",
    "%H:%M %d.%m.%Y",
    "%H:%M %d/%m/%Y",
    "%H:%M:%S %d/%m/%Y",
)
NUMBERS = {  # formats of digits alone, with the distinct words that they need
    "%Y%m%d": 5,
    "%Y%m%d%H%M%S": 5,
    "%Y%m%d%H%M": 5,
    "%Y%m%d%H": 8,
    "%d%m%Y": 8,
    "%m%d%Y": 8,
    "%Y%m": 8,
    "%y%m%d": 30,
    "%d%m%y": 30,
    "%m%d%y": 30,
}
DATE_FORMATS = tuple(dict.fromkeys((*(day + time for day in _DAYS for time in _TIMES), *_ISO, *_OTHERS)))
_DATE_LIKE = (  # also matches invalid days and months in other languages
    r"(?:(?:19|20)\d\d[-/.](?:0?\d|1[0-2])[-/.](?:[0-2]?\d|3[01])"
    r"|(?:[0-2]?\d|3[01])[-/. ](?:[0-2]?\d|3[01]|[^\W\d_]{3,9}\.?)[-/. ](?:19|20)?\d\d)(?:\D.*)?"
)
_TIME_OF_DAY = re.compile(r"%-?(:z|\d?f|[HIMSpzTXcRr])")
_LITERAL_OFFSET = re.compile(r"(?<=%[MSf])(?P<space> ?)(?P<sign>[+-])(?P<hours>\d\d)(?P<colon>:?)(?P<minutes>\d\d)$")
_DIGITS = re.compile(r"%(\d)f")
_PADDED_FIELDS = frozenset({"%d", "%m", "%H", "%I"})
_ONE_DIGIT = re.compile(r"(?<!\d)\d(?!\d)")
_FRACTION = re.compile(r"[.,](\d+)(?: ?(?:Z|UTC)| ?[+-]\d\d:?\d\d)?$")
_RUN = re.compile(r"\d+|[^\W\d_]+")
_WIDTHS = {"Y": "9999", "j": "999", "y": "9", "z": "+9", **dict.fromkeys("dmHIMS", "9")}
MOST = 8  # shapes of the dates of a column
FIRST, LAST = 1900, 2100  # years of dates that are written as integers


def is_date(form: str) -> bool:
    """Whether no format of a datetime, of several separated by |, has a time of day."""
    return not _TIME_OF_DAY.search(form)


def date_like(known: pd.Series) -> bool:
    """Whether nearly all strings look like dates, even if no single format parses them."""
    return bool(len(known)) and float(known.str.fullmatch(_DATE_LIKE).mean()) > 0.9


def moments(words: list[str], form: str) -> pd.Series | None:
    """Parse datetimes in one format; None if it does not parse all of them. Datetimes with an offset become UTC."""
    parsed, bad = some_moments(words, form)
    return None if bad.any() else parsed


def some_moments(words: list[str], form: str) -> tuple[pd.Series, np.ndarray]:
    """Parse datetimes in one format; also return which words it does not parse. Those with an offset become UTC."""
    words = composing.to_english(words, form)
    form = readable(form)
    parsed = pd.to_datetime(
        pd.Series(words, dtype=object), format=form, errors="coerce", utc="%z" in form or None
    ).dt.as_unit("us")
    bad = parsed.isna().to_numpy()
    if not bad.any() or "%z" in form:
        return parsed, bad
    far = [_far(w, form) if lost else None for w, lost in zip(words, bad)]  # years such as 9999 are beyond nanoseconds
    moments = parsed.to_numpy(copy=True)
    found = np.array([f is not None for f in far])
    moments[found] = np.array([f for f in far if f is not None], dtype="datetime64[us]")
    return pd.Series(moments), bad & ~found


def _far(word: str, form: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(word, form)
    except ValueError:
        return None


def readable(form: str) -> str:
    """Convert the format for strptime, which parses numbers with and without leading zeros."""
    plain = composing.plain(_LITERAL_OFFSET.sub(lambda m: m["space"] + "%z", form))
    return _DIGITS.sub("%f", plain).replace("%:z", "%z").replace("%-", "%")


def written(moments: pd.Series, form: str) -> pd.Series:
    """Write non-null datetimes in a format; a fraction with fewer digits is truncated."""
    if (offset := _LITERAL_OFFSET.search(form)) is not None:
        zone = dt.timezone(_offset(offset))
        moments = moments.dt.tz_convert(zone) if moments.dt.tz is not None else moments
    cut = _DIGITS.search(form)
    directives = composing.plain(form.replace("%o", "\x02"))
    words = moments.dt.strftime(_DIGITS.sub("%f\x01", directives).replace("%:z", "%z"))
    if "%o" in form:
        ends = moments.dt.day.map(composing.ordinal)
        words = pd.Series([w.replace("\x02", end) for w, end in zip(words, ends)], index=words.index, dtype=object)
    if directives != form:
        words = words.map(lambda word: composing.from_english(word, form))
    if cut is not None:
        words = words.str.replace(f"\\d{{{6 - int(cut[1])}}}\x01", "", regex=True)
    return words.str.replace(r"([+-]\d\d)(\d\d)$", r"\1:\2", regex=True) if "%:z" in form else words


def _offset(found: re.Match[str]) -> dt.timedelta:
    size = dt.timedelta(hours=int(found["hours"]), minutes=int(found["minutes"]))
    return -size if found["sign"] == "-" else size


def unpadded(words: list[str], form: str) -> str:
    """Replace %d by %-d, and likewise for months and hours, if some strings have one digit there and none a leading
    zero.
    """
    if not any(_ONE_DIGIT.search(w) for w in words):
        return form
    pieces = re.split(r"(%\^?[A-Za-z](?:@\w\w)?)", form)
    shape = re.compile(
        "".join(r"(\d+)" if p in _PADDED_FIELDS else ".+?" if p.startswith("%") else re.escape(p) for p in pieces)
    )
    found = [m.groups() for w in words if (m := shape.fullmatch(w))]
    fields = [p for p in pieces if p in _PADDED_FIELDS]
    for i, field in enumerate(fields):
        seen = {groups[i] for groups in found}
        if any(len(s) == 1 for s in seen) and not any(len(s) > 1 and s[0] == "0" for s in seen):
            form = form.replace(field, f"%-{field[1]}")
    return form


def shortened(words: list[str], form: str) -> str:
    """Replace %f by %3f if every fraction of a second has three digits, and likewise for other numbers of digits except
    six.
    """
    if "%f" not in form:
        return form
    lengths = {len(m[1]) if (m := _FRACTION.search(w)) else 6 for w in words}
    return form.replace("%f", f"%{lengths.pop()}f") if len(lengths) == 1 and max(lengths) < 6 else form


def family(word: str) -> str:
    """The shape of a date: 9 for one or two digits, as many nines as there are digits, a for letters; words of one
    shape are written in one format.
    """
    word = re.sub(r"([.,])\d+(?=$|Z| ?[+-]\d\d:?\d\d$| UTC)", r"\1f", word) if ":" in word else word
    word = re.sub(r" ?[+-]\d\d:?\d\d$", lambda m: ("_" if m[0][0] == " " else "") + "z", word) if ":" in word else word
    return _RUN.sub(
        lambda m: ("9" if len(m[0]) <= 2 else "9" * len(m[0])) if m[0][0].isdigit() else _letters(m[0]), word
    )


def _letters(run: str) -> str:
    return run if run in ("T", "Z", "f", "z", "h", "UTC", "GMT", "Uhr", "um") or len(run) < 2 else "a"


def _families() -> dict[str, list[str]]:
    """The formats by the shape of what they write."""
    day = pd.Series([pd.Timestamp("2024-11-23 10:11:12.123456", tz="+01:00")])
    out: dict[str, list[str]] = {}
    for form in DATE_FORMATS:
        out.setdefault(family(str(written(day, form).iloc[0])), []).append(form)
    return out


FAMILIES = _families()


def width(form: str) -> int:
    """The number of digits that a format of digits alone writes."""
    return sum(4 if directive == "%Y" else 2 for directive in re.findall("%.", form))


def in_span(parsed: pd.Series) -> bool:
    """Whether all moments are of plausible years for dates that are written as integers."""
    years = parsed.dt.year
    return bool(years.between(FIRST, LAST).all())
