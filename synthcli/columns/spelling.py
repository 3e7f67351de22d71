"""Text cells (csv, strings): infer the kind of their values, parse them, and find the format that restores them.

All functions work on the distinct strings of a column. A spelling is a `format`. Datetimes use the directives of
strptime, plus %:z for an offset with a colon, %-d and %-m for days and months without leading zeros, and %3f for
fractions of a second with three digits; booleans use 'yes|no'; floats use %.2f for a fixed number of decimals, or %g if
whole numbers have no point.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli.columns import frame as frames
from synthcli.contracts.schema import Traits
from synthcli.errors import DataError

NULLS = frozenset(
    {"", "NA", "N/A", "NaN", "nan", "NAN", "null", "NULL", "Null", "<NA>", "None", "#N/A"}
)  # among numbers, dates, booleans
TEXT_NULLS = frozenset(
    {"NaN", "nan", "null", "NULL", "<NA>"}
)  # among strings, where NA, None or the empty string may be a value
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
)
_TIMES = ("", " %H:%M:%S", " %H:%M", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_ISO = tuple(
    f"%Y-%m-%d{sep}%H:%M{seconds}{zone}"
    for sep in "T "
    for seconds in (":%S", ":%S.%f", "")
    for zone in ("", "Z", "%z")
)
DATE_FORMATS = tuple(dict.fromkeys((*(day + time for day in _DAYS for time in _TIMES), *_ISO)))
_DATE_START = re.compile(r"\d{1,4}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{2,4}|[A-Za-z]{3,9} \d{1,2}, \d{4}")
_DATE_LIKE = (  # also matches invalid days and months in other languages
    r"(?:(?:19|20)\d\d[-/.](?:0?\d|1[0-2])[-/.](?:[0-2]?\d|3[01])"
    r"|(?:[0-2]?\d|3[01])[-/. ](?:[0-2]?\d|3[01]|[^\W\d_]{3,9}\.?)[-/. ](?:19|20)?\d\d)(?:\D.*)?"
)
_PADDED = re.compile(r"\d\d\.\d\d\.\d\d\b")  # the version 1.2.10 is not a date
_PADDED_FIELDS = frozenset({"%d", "%m", "%H", "%I"})
_ONE_DIGIT = re.compile(r"(?<!\d)\d(?!\d)")
_OFFSET = re.compile(r"([+-]\d\d)(:?)(\d\d)$")
_INTEGER = re.compile(r"0|-?[1-9]\d{0,18}")
_FLOAT = re.compile(
    r"-?((0|[1-9]\d{0,17})|(0|[1-9]\d*)\.\d*|\.\d+)([eE][+-]?\d+)?"
)  # not codes: a plus, leading zeros, too many digits
_DECLARED = {"integer": re.compile(r"[+-]?\d+"), "float": re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")}
_SPECIAL = re.compile(r"[+-]?(inf|infinity|nan)", re.IGNORECASE)
_KEY = re.compile(r"(0|-?[1-9]\d{0,18})(\.0*)?")
FLOAT_FORMAT = re.compile(r"%\.\d{1,2}f|%g")
_TIME_OF_DAY = re.compile(r"%-?(:z|\d?f|[HIMSpzTXcRr])")
_FRACTION = re.compile(r"\.(\d+)(?:Z|[+-]\d\d:?\d\d)?$")
_DIGITS = re.compile(r"%(\d)f")

Parsed = tuple[str, pd.Series, dict[str, Any]]
Found = tuple[Any, dict[str, Any]]  # values of the non-null strings, and traits


def parse(words: np.ndarray, said: Traits) -> Parsed:
    """Infer the kind of distinct strings; return it with their values (same order, NA for null) and traits.

    Raises DataError, to be prefixed with `column x`, if a declared type or format does not parse them.
    """
    null = np.array([w.strip() in NULLS for w in words], dtype=bool)
    real = [w.strip() for w in words[~null]]
    typed = typed_by(said)
    for kind in _candidates(said, typed) if real else ():
        if (found := _READERS[kind](real, said, typed == kind)) is not None:
            return kind, _spread(null, found[0]), found[1]
    if typed in frames.NUMBERS | {"boolean"} and real:
        raise _unread(real, said, str(typed))
    if typed in frames.NUMBERS | {"boolean"}:
        empty = {
            "integer": "Int64",
            "float": "float64",
            "boolean": "boolean",
            "datetime": "datetime64[us]",
            "timedelta": "timedelta64[us]",
        }[typed]
        return typed, pd.Series([None] * len(words), dtype=empty), {}
    return _text(words)


def parse_keys(words: np.ndarray) -> Parsed:
    """Identifiers: integers if all are whole, even if written as 116.0 (a number column that once had nulls); else
    strings.
    """
    null = np.array([w.strip() in NULLS for w in words], dtype=bool)
    real = [w.strip().partition(".")[0] for w in words[~null] if _KEY.fullmatch(w.strip())]
    if not real or len(real) < np.sum(~null) or not all(-(2**63) <= int(w) < 2**63 for w in real):
        return _text(words)
    return "integer", _spread(null, pd.array([int(w) for w in real], dtype="Int64")), {}


def typed_by(said: Traits) -> str | None:
    """The declared type, or the type that a declared format implies. Raises DataError for a format of another type."""
    form, typed = said.format, said.type
    if form is None:
        return typed
    if typed is None:
        typed = "float" if FLOAT_FORMAT.fullmatch(form) else "datetime" if "%" in form else "boolean"
    if typed == "float" and not FLOAT_FORMAT.fullmatch(form):
        raise DataError(f"has the format {form!r}; expected %.2f (fixed decimals) or %g for a float")
    if typed == "boolean" and not all(form.partition("|")):
        raise DataError(
            f"has the format {form!r}; expected a date's, such as '%d.%m.%Y', or the two words of a boolean, such as"
            " 'yes|no'"
        )
    if typed == "datetime":
        try:
            pd.to_datetime(pd.Series(["-"], dtype=object), format=readable(form), errors="coerce")
        except ValueError as error:
            raise DataError(
                f"has the format {form!r}, which no date can have ({error}); remedy: directives of strptime, such as"
                " '%d.%m.%Y'"
            ) from None
    return typed


def is_date(form: str) -> bool:
    """Whether a datetime's format has no time of day."""
    return not _TIME_OF_DAY.search(form)


def date_like(known: pd.Series) -> bool:
    """Whether nearly all strings look like dates, even if no single format parses them."""
    return bool(len(known)) and float(known.str.fullmatch(_DATE_LIKE).mean()) > 0.9


def _candidates(said: Traits, typed: str | None) -> tuple[str, ...]:
    """The kinds to try, in order."""
    if (
        typed in (None, "category")
        and said.categories is not None
        and not any(isinstance(c, str) for c in said.categories)
    ):
        return ("boolean",) if all(isinstance(c, bool) for c in said.categories) else ("integer", "float")
    if typed is None:
        return ("integer", "float", "boolean", "datetime")
    if typed == "date_of_birth":  # made up, but expressions of other columns may read it as a date
        return ("datetime",)
    return (typed,) if typed in _READERS else ()


def _text(words: np.ndarray) -> Parsed:
    blank = np.array([w.strip() in TEXT_NULLS for w in words], dtype=bool)
    return (
        "category",
        pd.Series(pd.array(np.where(blank, np.array(None, dtype=object), words), dtype=frames.STRING)),
        {},
    )


def _spread(null: np.ndarray, values: Any) -> pd.Series:
    """Put values back at the non-null positions."""
    positions = np.where(null, -1, np.cumsum(~null) - 1)
    return pd.Series(
        pd.api.extensions.take(
            pd.array(values) if not isinstance(values, np.ndarray) else values, positions, allow_fill=True
        )
    )


def _read_integers(real: list[str], said: Traits, declared: bool) -> Found | None:
    shape = _DECLARED["integer"] if declared else _INTEGER
    if not all(shape.fullmatch(w) and -(2**63) <= int(w) < 2**63 for w in real):
        return None
    return pd.array([int(w) for w in real], dtype="Int64"), {}


def _read_floats(real: list[str], said: Traits, declared: bool) -> Found | None:
    shape = _DECLARED["float"] if declared else _FLOAT
    plain = [w for w in real if not _SPECIAL.fullmatch(w)]
    if (
        not (plain or declared)
        or not all(shape.fullmatch(w) for w in plain)
        or not np.isfinite([float(w) for w in plain]).all()
    ):
        return None  # digits beyond the largest float are not a number
    return np.array([float(w) for w in real]), _float_traits(plain)


def _float_traits(plain: list[str]) -> dict[str, Any]:
    """precision: decimals of the values, without trailing zeros; format: the common spelling of the cells, if any."""
    if any("e" in w.lower() for w in plain):
        return {}
    fractions = [w.partition(".")[2] for w in plain]
    decimals = max((len(f.rstrip("0")) for f in fractions), default=0)
    traits: dict[str, Any] = {"precision": decimals} if decimals <= 12 else {}
    lengths = {len(f) for f in fractions}
    if len(lengths) == 1 and 0 < (length := lengths.pop()) <= 15 and any(f.endswith("0") for f in fractions):
        return traits | {"format": f"%.{length}f"}
    return traits | ({"format": "%g"} if any("." not in w for w in plain) else {})


def _read_booleans(real: list[str], said: Traits, declared: bool) -> Found | None:
    pairs = [("true", "false")]
    if declared:
        yes, _, no = (said.format or "").partition("|")
        pairs += [(yes, no)] if no else [("yes", "no"), ("y", "n"), ("t", "f"), ("1", "0")]
    spelled = {w.lower(): w for w in real}
    for true, false in pairs:
        if set(spelled) <= {true.lower(), false.lower()}:
            spelling = f"{spelled.get(true.lower(), true)}|{spelled.get(false.lower(), false)}"
            return pd.array([w.lower() == true.lower() for w in real], dtype="boolean"), {"format": spelling}
    return None


def _read_dates(real: list[str], said: Traits, declared: bool) -> Found | None:
    if said.format is None and not _DATE_START.match(real[0]):
        return None
    some = real[:: max(1, len(real) // 50)]
    for form in [said.format] if said.format else DATE_FORMATS:
        if form.startswith("%d.%m.%y") and not declared and not all(_PADDED.match(w) for w in real):
            continue
        if moments(some[:1], form) is None or moments(some, form) is None:
            continue
        if (parsed := moments(real, form)) is not None:
            return _zoned(parsed, real, form if said.format else _shortened(real, _unpadded(real, form)))
    return None


def moments(words: list[str], form: str) -> pd.Series | None:
    """Parse datetimes in one format; None if it does not parse all of them. Datetimes with an offset become UTC."""
    form = readable(form)
    parsed = pd.to_datetime(
        pd.Series(words, dtype=object), format=form, errors="coerce", utc="%z" in form or None
    ).dt.as_unit("us")
    bad = parsed.isna().to_numpy()
    if not bad.any():
        return parsed
    if "%z" in form:
        return None
    try:  # years such as 9999 are beyond nanoseconds
        far = [dt.datetime.strptime(w, form) for w, lost in zip(words, bad) if lost]
    except ValueError:
        return None
    moments = parsed.to_numpy(copy=True)
    moments[bad] = np.array(far, dtype="datetime64[us]")
    return pd.Series(moments)


def _unpadded(words: list[str], form: str) -> str:
    """Replace %d by %-d, and likewise for months and hours, if some strings have one digit there and none a leading
    zero.
    """
    if not any(_ONE_DIGIT.search(w) for w in words):
        return form
    pieces = re.split(r"(%[A-Za-z])", form)
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


def _shortened(words: list[str], form: str) -> str:
    """Replace %f by %3f if every fraction of a second has three digits, and likewise for other numbers of digits except
    six.
    """
    if "%f" not in form:
        return form
    lengths = {len(m[1]) if (m := _FRACTION.search(w)) else 6 for w in words}
    return form.replace("%f", f"%{lengths.pop()}f") if len(lengths) == 1 and max(lengths) < 6 else form


def _zoned(parsed: pd.Series, words: list[str], form: str) -> Found:
    """Datetimes in their common offset, else in UTC; also return the format that writes them."""
    if form.endswith("Z"):
        return parsed.dt.tz_localize("UTC").array, {"format": form}
    if "%z" not in readable(form):
        return parsed.array, {"format": form}
    found = [_OFFSET.search(w) for w in words]
    if all(m and m[2] for m in found):
        form = form.replace("%:z", "%z").replace("%z", "%:z")
    offsets = {f"{m[1]}:{m[3]}" if m else "Z" for m in found}
    if (
        len(offsets) == 1 and "Z" not in offsets
    ):  # through Arrow, so that the zone is the same object as in frames read from a file
        parsed = pa.Array.from_pandas(parsed).cast(pa.timestamp("us", offsets.pop())).to_pandas()
    return parsed.array, {"format": form}


def _read_durations(real: list[str], said: Traits, declared: bool) -> Found | None:
    parsed = pd.to_timedelta(pd.Series(real, dtype=object), errors="coerce")
    return (parsed.dt.as_unit("us").array, {}) if parsed.notna().all() else None


def readable(form: str) -> str:
    """Convert the format for strptime, which parses numbers with and without leading zeros."""
    return _DIGITS.sub("%f", form).replace("%:z", "%z").replace("%-", "%")


def written(moments: pd.Series, form: str) -> pd.Series:
    """Write non-null datetimes in a format; a fraction with fewer digits is truncated."""
    cut = _DIGITS.search(form)
    words = moments.dt.strftime(_DIGITS.sub("%f\x01", form).replace("%:z", "%z"))
    if cut is not None:
        words = words.str.replace(f"\\d{{{6 - int(cut[1])}}}\x01", "", regex=True)
    return words.str.replace(r"([+-]\d\d)(\d\d)$", r"\1:\2", regex=True) if "%:z" in form else words


def _unread(real: list[str], said: Traits, typed: str) -> DataError:
    """Build the error about cells that a declared type cannot parse: try the first few one by one."""
    broken = next(
        (
            w
            for w in real[: 200 if said.format or typed != "datetime" else 20]
            if _READERS[typed]([w], said, True) is None
        ),
        real[0],
    )
    if typed == "boolean":
        return DataError(
            f"is declared boolean and holds {sorted(set(real))[:3]}; remedy: give its spelling, such as format: 'J|N'"
        )
    if typed == "datetime":
        how = f" of format {said.format!r}" if said.format else ""
        return DataError(
            f"is declared datetime{how} and holds {broken!r}; remedy: give its format, such as format: '%d.%m.%Y', or"
            " fix the source"
        )
    return DataError(f"is declared {typed} and holds {broken!r}; remedy: type: category, or fix the source")


_READERS: dict[str, Callable[[list[str], Traits, bool], Found | None]] = {
    "integer": _read_integers,
    "float": _read_floats,
    "boolean": _read_booleans,
    "datetime": _read_dates,
    "timedelta": _read_durations,
}
