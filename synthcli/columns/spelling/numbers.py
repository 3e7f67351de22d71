"""Numbers as text: currencies, percent, units, thousands separators, decimal commas, signs.

A format is that of printf, with the separators before the decimals: %.2f, %,.2f (1,234.50), %.,2f (1.234,50), %,2f
(1234,50), %,d (1,234), %g (as many decimals as needed). Text before and after it is written as it is; a percent sign
is doubled. A second section after a semicolon is for negative numbers: '%.2f;(%.2f)', '%.2f;%.2f-'.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import numpy as np

from synthcli.columns.words import listed

_SPACES = " \u00a0\u202f"
_GROUPS = ",.'’_" + _SPACES
_SYMBOLS = listed("$ Rs. Rs € £ ¥ ₹ ₽ ₩ ₺ ₪ ₫ ₴ ฿ zł Kč kr kr. Kr Fr. R$ US$ C$ A$ NZ$ HK$ S$")
_CODES = listed(
    "USD EUR GBP JPY CHF CAD AUD NZD CNY INR BRL MXN SEK NOK DKK PLN CZK HUF TRY RUB ZAR KRW SGD HKD ILS THB BTC ETH"
)
CURRENCIES = frozenset((*_SYMBOLS, *_CODES))
_SAME = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "zł": "PLN", "Fr.": "CHF"}
UNITS = frozenset(
    listed("""
    % ‰ pp bp bps kg g mg µg ug mcg ng t lb lbs oz st km m cm mm µm nm mi ft in yd l L ml mL dl cl µl h hr hrs min mins
    s sec secs ms µs d wk wks mo mos yr yrs y J K °C °F C F ° bpm mmHg kPa Pa hPa bar W kW MW kWh MWh Wh V A mA Hz kHz
    MHz GHz B kB KB MB GB TB KiB MiB GiB cal kcal kJ mph kmh km/h m/s kn mg/dl mg/dL mmol/l mmol/L g/l g/L g/dl g/dL
    k K M Mio Mio. Mrd Mrd. Tsd Tsd. bn mn U/l U/L IU/l IU/L IE ng/ml ng/mL mg/l mg/L kg/m2
    kg/m² m2 m² m3 m³ km2 km² sqft sqm ha ac ppm px pt dB
    """)
)
_ANY = "|".join(re.escape(each) for each in sorted(CURRENCIES, key=len, reverse=True))
_WORD = re.compile(
    rf"(?P<open>\()?(?P<sign>[-+−])?(?P<before>(?:{_ANY})[{_SPACES}]?)?(?P<inner>[-−])?"
    rf"(?P<body>[0-9][0-9{re.escape(_GROUPS)}]*[0-9]|[0-9]|[.,][0-9]+)"
    rf"(?P<after>[{_SPACES}]?[^\W\d_]*[%‰°€$£¥₹₽₩₺₪₫₴฿²³/.]*[^\W\d_]*[²³23]?)(?P<trail>-)?(?P<close>\))?"
)
_EXPONENTIAL = re.compile(r"\d\.?\d*[eE][+-]?\d+")
_DIRECTIVE = re.compile(
    rf"%(?:(?P<group>[{_GROUPS}])?(?P<decimal>[.,])(?P<places>\d{{1,2}})f|(?P<whole>[{_GROUPS}])?d"
    rf"|(?:(?P<some>[{_GROUPS}])?(?P<point>[.,]))?g|\.(?P<mantissa>\d{{1,2}})(?P<exponent>[eE]))"
)
_SYSTEMS = (*((g, d) for g, d in product(_GROUPS, ".,") if g != d), ("", ","), ("", "."))
MOST_PLACES = 12
SIGNED = 8  # letters of a number that may have a plus
SHARED = 0.02  # share of numbers that an affix needs, if another one is common


@dataclass(frozen=True)
class Form:
    """One way to write numbers. positive, negative: the text before and after the digits; group, decimal: separators;
    places: decimals, 0 for none, None for as many as needed; exponent: e or E for numbers such as 1.20e+03, empty for
    others.
    """

    positive: tuple[str, str] = ("", "")
    negative: tuple[str, str] = ("-", "")
    group: str = ""
    decimal: str = "."
    places: int | None = 0
    exponent: str = ""

    @property
    def text(self) -> str:
        """The format as the spec writes it."""
        digits = (
            f".{self.places}{self.exponent}"
            if self.exponent
            else f"{self.group}d"
            if self.places == 0
            else f"{self.group}{self.decimal if self.group or self.decimal != '.' else ''}g"
            if self.places is None
            else f"{self.group}{self.decimal}{self.places}f"
        )
        before, after = (part.replace("%", "%%") for part in self.positive)
        first = f"{before}%{digits}{after}"
        if self.negative == _minus(self.positive):
            return first
        before, after = (part.replace("%", "%%") for part in self.negative)
        return f"{first};{before}%{digits}{after}"

    def write(self, values: np.ndarray) -> list[str]:
        """Write finite numbers; zero has no plus."""
        return [self._write(value) for value in values.tolist()]

    def _write(self, value: float) -> str:
        size = abs(value)
        if not np.isfinite(size):
            return str(value)
        if self.exponent:
            digits = f"{size:.{self.places}{self.exponent}}"
        elif self.places is None:
            digits = _shortest(size)
        else:
            digits = f"{size:,.{self.places}f}" if isinstance(size, float) else f"{size:,}"
            if self.places and isinstance(size, int):
                digits += "." + "0" * self.places
        whole, _, fraction = digits.partition(".")
        whole = whole.replace(",", self.group)
        zero = not any(c in "123456789" for c in digits)
        before, after = self.positive if value >= 0 or zero else self.negative
        before = before.replace("+", "", 1) if zero else before
        return f"{before}{whole}{self.decimal + fraction if fraction else ''}{after}"

    def exact(self, values: np.ndarray) -> np.ndarray:
        """Whether writing keeps each number. (rows,) bool"""
        if self.places is None or self.exponent:
            return np.ones(len(values), dtype=bool)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(np.round(values, self.places) == values)


def _minus(positive: tuple[str, str]) -> tuple[str, str]:
    return ("-" + positive[0].removeprefix("+"), positive[1])


def _shortest(size: float) -> str:
    if isinstance(size, int):
        return f"{size:,}"
    text = np.format_float_positional(size, trim="-")
    whole, point, fraction = text.partition(".")
    return f"{int(whole):,}{point}{fraction}"


@lru_cache(maxsize=256)
def form_of(text: str) -> Form | None:
    """Parse a format; None if it is not a number's."""
    sections = [_section(part) for part in text.split(";", 1)]
    if None in sections:
        return None
    positive, found = sections[0]  # type: ignore[misc]
    group = found["group"] or found["whole"] or found["some"] or ""
    decimal = found["decimal"] or found["point"] or ("," if group == "." else ".")
    fixed = found["places"] or found["mantissa"]
    places = int(fixed) if fixed else None if found[0].endswith("g") else 0
    negative = sections[1][0] if len(sections) > 1 else _minus(positive)  # type: ignore[index]
    exponent = found["exponent"] or ""
    return None if group == decimal else Form(positive, negative, group, decimal, places, exponent)


def _section(text: str) -> tuple[tuple[str, str], re.Match[str]] | None:
    plain = text.replace("%%", "\0")
    found = _DIRECTIVE.search(plain)
    if found is None or "%" in plain[: found.start()] + plain[found.end() :]:
        return None
    before, after = (part.replace("\0", "%") for part in (plain[: found.start()], plain[found.end() :]))
    return (before, after), found


def forms_of(text: str) -> tuple[Form, ...] | None:
    """Parse formats separated by |; None if one is not a number's."""
    forms = [form_of(part) for part in text.split("|")]
    return None if None in forms else tuple(form for form in forms if form is not None)


def read(words: Sequence[str], forms: Sequence[Form]) -> list[float | int | None]:
    """Read words in the first of these formats that fits each; None for those that fit none."""
    readers = [_reader(form) for form in forms]
    return [next((value for reader in readers if (value := reader(word)) is not None), None) for word in words]


def _reader(form: Form):  # type: ignore[no-untyped-def]
    digits = _digits(form.group, form.decimal) if not form.exponent else _EXPONENTIAL
    signs = [(form.negative, -1), (form.positive, 1)]
    if form.positive[0].startswith("+"):
        signs.append(((form.positive[0][1:], form.positive[1]), 1))
    shapes = [
        (re.compile(re.escape(before) + f"({digits.pattern})" + re.escape(after)), sign)
        for (before, after), sign in signs
    ]

    def one(word: str) -> float | int | None:
        for shape, sign in shapes:
            if (found := shape.fullmatch(word)) is not None:
                return sign * _value(found[1], form.group, form.decimal)
        return None

    return one


@lru_cache(maxsize=64)
def _digits(group: str, decimal: str) -> re.Pattern[str]:
    g, d = re.escape(group), re.escape(decimal)
    whole = rf"(?:\d{{1,3}}(?:{g}\d{{3}})+|\d+)" if group else r"\d+"
    return re.compile(rf"(?:{whole}(?:{d}\d*)?|{d}\d+)")


def _value(body: str, group: str, decimal: str) -> float | int:
    plain = body.replace(group, "") if group else body
    whole = decimal not in plain and plain.isdigit()
    return int(plain) if whole else float(plain.replace(decimal, "."))


@dataclass(frozen=True)
class Found:
    """The numbers of words, the formats in which they are written, and which word has which. unsure: why two readings
    are possible, empty if they are not.
    """

    values: list[float | int]
    forms: tuple[Form, ...]
    of_word: list[int]
    unsure: str = ""

    @property
    def whole(self) -> bool:
        return all(form.places == 0 for form in self.forms)


def tell(words: Sequence[str], *, declared: bool = False) -> Found | None:
    """Read distinct words as numbers in the formats that they show; None if they are not all numbers of one quantity.

    declared: whether the spec says that they are numbers, so that leading zeros and unvaried groups are no codes.
    """
    some = words[:: max(1, len(words) // 200)]
    if not words or not all(_match(word) for word in some):
        return None
    matches = [_match(word) for word in words]
    if None in matches:
        return None
    parts = [m for m in matches if m is not None]
    if not _one_quantity(parts):
        return None
    bodies = [m["body"] for m in parts]
    chosen = _system(bodies, money=any((m["before"] or "").strip() in CURRENCIES for m in parts))
    if chosen is None:
        return None
    (group, decimal), unsure = chosen
    bare = all(not m["before"] and not m["after"] for m in parts)
    if not declared and _coded(parts, bodies, group, decimal, bare):
        return None
    return _found(parts, group, decimal, unsure)


def _match(word: str) -> re.Match[str] | None:
    found = _WORD.fullmatch(word) if len(word) <= 40 else None
    if found is None or bool(found["open"]) != bool(found["close"]):
        return None
    signs = sum(bool(found[part]) for part in ("open", "sign", "inner", "trail"))
    return found if signs <= 1 else None


def _one_quantity(parts: list[re.Match[str]]) -> bool:
    """Whether all numbers are of one unit: known ones, or one word that all share."""
    units = Counter((_unit(m["before"] or "") or _unit(m["after"])) for m in parts)
    both = any(m["before"] and _unit(m["after"]) for m in parts)
    named = [unit for unit in units if unit]
    if both or len(named) > 1:
        return False
    if not named:
        return True
    unit = named[0]
    known = unit in UNITS or unit in _CODES or unit in CURRENCIES
    if not known:  # a word that only numbers of this column bear, after a space
        spaced = all(m["after"][:1] in _SPACES for m in parts if m["after"])
        return spaced and len(units) == 1 and len(parts) >= 5
    return True


def _unit(affix: str) -> str:
    unit = affix.strip(_SPACES)
    return _SAME.get(unit, unit)


def _system(bodies: list[str], *, money: bool) -> tuple[tuple[str, str], str] | None:
    """The separators of thousands and decimals that read all numbers, and why they are unsure."""
    fits = [(g, d) for g, d in _SYSTEMS if _fits(bodies, g, d)]
    grouped = [(g, d) for g, d in fits if g and any(g in b for b in bodies)]
    plain = [(g, d) for g, d in fits if not g]
    if not grouped:
        return (plain[-1], "") if plain and all("," not in b for b in bodies) else (plain[0], "") if plain else None
    first = grouped[0]
    for group, decimal in grouped:  # the decimal separator that occurs
        if any(decimal in b for b in bodies):
            first = (group, decimal)
            break
    other = next(((g, d) for g, d in plain if d == first[0]), None)
    if other is None or any(first[1] in b for b in bodies):
        return first, ""
    if _leading_zero(bodies, other[1]) or any(b.isdigit() and len(b) > 3 for b in bodies):
        return other, ""
    fractions = [b.partition(other[1])[2] for b in bodies]
    if money or (any(f.endswith("0") for f in fractions) and "" in fractions) or other[1] == ",":
        sure = money or "" in fractions or len(bodies) < 5
        why = f"{first[0]!r} may separate thousands or decimals"
        return first, "" if sure else why
    return other, ""


def _leading_zero(bodies: list[str], decimal: str) -> bool:
    return any(b.startswith("0" + decimal) for b in bodies)


def _fits(bodies: list[str], group: str, decimal: str) -> bool:
    shape = _digits(group, decimal)
    return all(shape.fullmatch(b) for b in bodies)


def _coded(parts: list[re.Match[str]], bodies: list[str], group: str, decimal: str, bare: bool) -> bool:
    """Whether numbers are codes: with leading zeros, or always the same groups of digits, as telephones."""
    if any(len(b) > 1 and b[0] == "0" and b[1] != decimal for b in bodies):
        return True
    plus = any(m["sign"] == "+" for m in parts)
    if plus and not (any(m["sign"] == "-" for m in parts) and max(map(len, bodies)) <= SIGNED):
        return True  # telephones
    if not bare or group not in ("'", "’", "_", ".", *_SPACES) or not group or any(decimal in b for b in bodies):
        return False
    shapes = {tuple(map(len, b.split(group))) for b in bodies}
    return len(shapes) == 1 and len(bodies) > 1


def _found(parts: list[re.Match[str]], group: str, decimal: str, unsure: str) -> Found | None:
    values: list[float | int] = []
    lengths: list[int] = []
    for m in parts:
        size = _value(m["body"], group, decimal)
        values.append(-size if m["open"] or m["trail"] or (m["sign"] or m["inner"] or "+") != "+" else size)
        lengths.append(len(m["body"].partition(decimal)[2]) if decimal in m["body"] else 0)
    if max(lengths) > MOST_PLACES or any(isinstance(v, int) and abs(v) >= 2**63 for v in values):
        return None
    zeros = any(n and m["body"].endswith("0") for n, m in zip(lengths, parts))
    shortest = len(set(lengths)) > 1 and not zeros
    signed = _signs(parts)
    separated = [bool(group) and group in m["body"] for m in parts]
    common = sum(separated) * 2 >= sum(_long(m["body"], decimal, group) for m in parts) and any(separated)
    forms: dict[Form, int] = {}
    of_word = []
    for m, n, own in zip(parts, lengths, separated):
        separate = own or (common and not _long(m["body"], decimal, group))
        around = (m["before"] or "", m["after"])
        positive, negative = _around(around, m, signed)
        places = None if shortest else n
        form = Form(positive, negative, group if separate else "", decimal, places)
        if places == 0 and not form.group:
            form = replace(form, decimal=".")
        of_word.append(forms.setdefault(form, len(forms)))
    return Found(values, tuple(forms), of_word, unsure)


def _long(body: str, decimal: str, group: str) -> bool:
    """Whether a number has thousands, so that it shows whether they are separated."""
    return len(body.partition(decimal)[0].replace(group, "") if group else body.partition(decimal)[0]) > 3


def _sign(m: re.Match[str]) -> str:
    """How the sign is written: (), trailing -, inner - or −, leading -, + or −, or empty."""
    if m["trail"]:
        return "trail" if m["after"].strip(_SPACES) else "trail" + m["after"]
    return "()" if m["open"] else f"inner{m['inner']}" if m["inner"] else m["sign"] or ""


def _signs(parts: list[re.Match[str]]) -> tuple[str, str]:
    """The most common style of positive and of negative numbers."""
    found = Counter(_sign(m) for m in parts if any(c in "123456789" for c in m["body"]))
    positive = max(("", "+"), key=lambda style: found[style])
    negative = max((s for s in found if s not in ("", "+")), key=lambda style: found[style], default="-")
    return positive, negative


def _around(
    around: tuple[str, str], m: re.Match[str], common: tuple[str, str]
) -> tuple[tuple[str, str], tuple[str, str]]:
    """The text around the digits of positive and of negative numbers, in the style of a number and its column."""
    own = _sign(m)
    around = (around[0], around[1] if around[1].strip(_SPACES) else "")
    zero = not any(c in "123456789" for c in m["body"])
    positive = common[0] if zero or own not in ("", "+") else own
    negative = common[1] if own in ("", "+") else own
    before, after = around
    if negative.startswith("trail"):
        return (positive + before, after), (before, after + negative.removeprefix("trail") + "-")
    styles = {
        "()": ("(" + before, after + ")"),
        "inner-": (before + "-", after),
        "inner−": (before + "−", after),
    }
    return (positive + before, after), styles.get(negative, (negative + before, after))
