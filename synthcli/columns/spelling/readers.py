"""Readers of the kinds that text can spell: each takes distinct stripped words, none of them null, and returns their
values with the formats in which they are written, or None if they are not all of its kind.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli.columns.spelling import booleans, composing, dates, durations, numbers, zones
from synthcli.contracts.schema import Traits

REPR = ""  # the format of floats that Python's repr writes: 2.0, 0.25
_INTEGER = re.compile(r"0|-?[1-9]\d{0,18}")
_FLOAT = re.compile(
    r"-?((0|[1-9]\d{0,17})|(0|[1-9]\d*)\.\d*|\.\d+)([eE][+-]?\d+)?"
)  # not codes: a plus, leading zeros, too many digits
_DECLARED = {"integer": re.compile(r"[+-]?\d+"), "float": re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")}
_SPECIAL = re.compile(r"[+-]?(inf|infinity|nan)", re.IGNORECASE)
_EXPONENTIAL = re.compile(r"-?\d\.(\d{1,15})([eE])[+-]\d\d+")
_BARE_EXPONENT = re.compile(r"\d+[eE]\d+")  # also a code, such as the room 10E0
FLOAT_FORMAT = re.compile(r"%\.\d{1,2}f|%g")
_PADDED = re.compile(r"\d\d\.\d\d\.\d\d\b")  # the version 1.2.10 is not a date
_OFFSET = re.compile(r"([+-]\d\d)(:?)(\d\d)$")
FEW_VERSIONS, ROWS_PER_VERSION = 60, 3  # distinct numbers of two spellings that repeat so often are names of versions


@dataclass(frozen=True)
class Found:
    """values: of the words, in their order; traits: to infer; forms: the formats, and of_word: the format of each word,
    both empty where the traits alone say how the values are written; unsure: why other readings are possible.
    """

    values: Any
    traits: dict[str, Any] = field(default_factory=dict)
    forms: tuple[str, ...] = ()
    of_word: tuple[int, ...] = ()
    unsure: str = ""


@dataclass(frozen=True)
class Words:
    """Distinct words to read. counts: rows of each; said: declared traits; declared: whether they give the type."""

    real: list[str]
    counts: np.ndarray
    said: Traits
    declared: bool = False


def integers(words: Words) -> Found | None:
    shape = _DECLARED["integer"] if words.declared else _INTEGER
    if not all(shape.fullmatch(w) and -(2**63) <= int(w) < 2**63 for w in words.real):
        return None if not words.declared else _numbers(words, whole=True)
    return Found(pd.array([int(w) for w in words.real], dtype="Int64"))


def floats(words: Words) -> Found | None:
    real, declared = words.real, words.declared
    shape = _DECLARED["float"] if declared else _FLOAT
    plain = [w for w in real if not _SPECIAL.fullmatch(w)]
    if (
        not (plain or declared)
        or not all(shape.fullmatch(w) for w in plain)
        or not np.isfinite([float(w) for w in plain]).all()
    ):
        return _numbers(words) if declared else None  # digits beyond the largest float are not a number
    if not declared and (_is_code(plain) or _is_version(plain, words) or _is_grouped(plain)):
        return None
    traits = _float_traits(plain)
    if len(plain) == len(real) and (form := _exponential(plain)) is not None:
        traits = {"format": form}
    values = np.array([float(w) for w in real])
    if traits.get("format", "").endswith(("e", "E")):
        return Found(values, traits, (str(traits["format"]),), (0,) * len(real))
    if "format" not in traits and len(plain) == len(real) and (several := _sloppy(real)) is not None:
        forms = tuple(f"%.{n}f" if n else "%d" for n in several)
        of_word = tuple(several.index(len(w.partition(".")[2])) for w in real)
        return Found(values, traits | {"format": "|".join(forms)}, forms, of_word)
    return Found(values, traits)


def _exponential(plain: list[str]) -> str | None:
    """The format of numbers that are all written as 1.20e+03; None if they are not."""
    shapes = {(len(m[1]), m[2]) if (m := _EXPONENTIAL.fullmatch(w)) else None for w in plain}
    only = shapes.pop() if len(shapes) == 1 else None
    return None if only is None else f"%.{only[0]}{only[1]}"


def _is_code(plain: list[str]) -> bool:
    """Whether words with an exponent are codes: digits, E, digits, and no number beside them has a point or a sign."""
    return any(_BARE_EXPONENT.fullmatch(w) for w in plain) and not any(c in w for w in plain for c in ".-+")


def _is_version(plain: list[str], words: Words) -> bool:
    """Whether a few numbers with differing decimals, of which some end in zero, are versions: 1.2, 1.10, 2.0."""
    return (
        len(plain) <= FEW_VERSIONS
        and words.counts.sum() >= ROWS_PER_VERSION * len(plain)
        and _sloppy(plain) is not None
        and not any(w.startswith("-") for w in plain)
    )


def _is_grouped(plain: list[str]) -> bool:
    """Whether points separate thousands: 987, 1.230, 12.500, where all decimals are three and some are zero."""
    fractions = [w.partition(".")[2] for w in plain if "." in w]
    whole = [w for w in plain if "." not in w]
    return (
        bool(fractions and whole)
        and all(len(f) == 3 for f in fractions)
        and any(f.endswith("0") for f in fractions)
        and not any(w.lstrip("-").startswith("0.") for w in plain)
        and all(len(w.lstrip("-")) <= 3 for w in whole)
    )


def _sloppy(plain: list[str]) -> list[int] | None:
    """The numbers of decimals, ascending, of numbers that neither one format nor the shortest text restores."""
    fractions = [w.partition(".")[2] for w in plain]
    if any("e" in w.lower() for w in plain) or not any(f.endswith("0") and f != "0" for f in fractions):
        return None
    lengths = sorted({len(f) for f in fractions})
    return lengths if len(lengths) > 1 and lengths[-1] <= numbers.MOST_PLACES else None


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
    if _sloppy(plain) is not None:
        return traits
    return traits | ({"format": "%g"} if any("." not in w for w in plain) else {})


def spelled_numbers(words: Words) -> Found | None:
    """Numbers with marks: currencies, percent, units, separators, signs."""
    if all(_FLOAT.fullmatch(w) for w in words.real) and (_is_code(words.real) or _is_version(words.real, words)):
        return None
    return _numbers(words)


def _numbers(words: Words, whole: bool = False) -> Found | None:
    if words.said.format is not None and words.declared:
        return _in_formats(words)
    found = numbers.tell(words.real, declared=words.declared)
    if found is None or (whole and not found.whole):
        return None
    forms = tuple(form.text for form in found.forms)
    return _of_numbers(found.values, forms, tuple(found.of_word), found.unsure)


def _of_numbers(values: Sequence[float | int], forms: tuple[str, ...], of_word: tuple[int, ...], unsure: str) -> Found:
    traits: dict[str, Any] = {"format": "|".join(forms)}
    if all(isinstance(v, int) for v in values):
        return Found(pd.array(values, dtype="Int64"), traits, forms, of_word, unsure)
    decimals = [len(np.format_float_positional(abs(v), trim="-").partition(".")[2]) for v in values]
    return Found(
        np.array(values, dtype=np.float64), traits | {"precision": min(max(decimals), 12)}, forms, of_word, unsure
    )


def _in_formats(words: Words) -> Found | None:
    """Numbers in declared formats."""
    forms = numbers.forms_of(words.said.format or "")
    if forms is None:
        return None
    columns = [numbers.read(words.real, [form]) for form in forms]
    of_word = [next((i for i, c in enumerate(columns) if c[w] is not None), -1) for w in range(len(words.real))]
    if -1 in of_word:
        return None
    values = [columns[i][w] for w, i in enumerate(of_word)]
    known = [v for v in values if v is not None]
    return _of_numbers(known, tuple(form.text for form in forms), tuple(of_word), "")


def plain_booleans(words: Words) -> Found | None:
    """true and false in one spelling; of a declared boolean also other pairs, or those of its format."""
    pairs = [("true", "false")]
    if words.declared:
        yes, _, no = (words.said.format or "").partition("|")
        pairs += [(yes, no)] if no else list(booleans.PAIRS[1:5])
    spelled = {w.lower(): w for w in words.real}
    for true, false in pairs:
        if len(spelled) == len(words.real) and set(spelled) <= {true.lower(), false.lower()}:
            spelling = f"{spelled.get(true.lower(), true)}|{spelled.get(false.lower(), false)}"
            return Found(pd.array([w.lower() == true.lower() for w in words.real], "boolean"), {"format": spelling})
    return _several_booleans(words, pairs)


def _several_booleans(words: Words, pairs: list[tuple[str, str]]) -> Found | None:
    """Booleans in several spellings; one of a declared format, else of known words."""
    own = pairs[1:] if words.declared and words.said.format else ()
    found = booleans.tell(words.real, declared=words.declared, own=tuple(own))
    if found is None:
        return None
    rows = Counter[int]()
    for place, count in zip(found.of_word, words.counts.tolist()):
        rows[place] += count
    forms = tuple(f"{w}|" if value else f"|{w}" for w, value in zip(words.real, found.values))  # each writes one value
    values = pd.array(found.values, dtype="boolean")
    return Found(values, {"format": found.forms[rows.most_common(1)[0][0]]}, forms, tuple(range(len(forms))))


def integer_dates(words: Words) -> Found | None:
    """Dates that are written as integers, such as 20240623: all valid, and of plausible years."""
    if words.said.format is not None:
        return None
    widths = {len(w) for w in words.real}
    if len(widths) > 1 or not all(w.isascii() and w.isdigit() for w in words.real):
        return None
    digits = widths.pop()
    for form, least in dates.NUMBERS.items():
        if digits != dates.width(form) or len(words.real) < least:
            continue
        some = dates.moments(words.real[:: max(1, len(words.real) // 50)], form)
        parsed = None if some is None or not dates.in_span(some) else dates.moments(words.real, form)
        if parsed is not None and dates.in_span(parsed):
            return Found(parsed.array, {"format": form})
    return None


def datetimes(words: Words) -> Found | None:
    """Dates and times, in one format or several."""
    if words.said.format is not None:
        return _in_date_formats(words)
    shapes: dict[str, list[int]] = {}
    for i, word in enumerate(words.real):
        shapes.setdefault(dates.family(word), []).append(i)
        if len(shapes) > dates.MOST:
            return None
    if all(w.isascii() and w.isdigit() for w in words.real):  # with leading zeros, which are no integers
        return integer_dates(words)
    forms: list[str] = []
    of_word = np.zeros(len(words.real), dtype=np.int64)
    parsed: list[tuple[list[int], pd.Series]] = []
    unsure = ""
    for shape, places in shapes.items():
        own = [words.real[i] for i in places]
        known = dates.FAMILIES.get(shape, ())
        read = _one_format(own, known, words.declared) if known else None
        if read is None and (composed := [f for f in composing.candidates(own[0]) if f not in known]):
            read = _one_format(own, composed, words.declared)
        if read is None:
            return None
        form, values, doubt = read
        unsure = unsure or doubt
        forms += [form] if form not in forms else []
        of_word[places] = forms.index(form)
        parsed.append((places, values))
    return _zoned(parsed, words.real, forms, of_word, unsure)


def _one_format(words: list[str], candidates: Sequence[str], declared: bool) -> tuple[str, pd.Series, str] | None:
    """The first format that reads all words of one shape, their values, and why another one may be meant."""
    some = words[:: max(1, len(words) // 50)]
    for place, form in enumerate(candidates):
        if form.startswith("%d.%m.%y") and not declared and not all(_PADDED.match(w) for w in words):
            continue
        if dates.moments(some[:1], form) is None or dates.moments(some, form) is None:
            continue
        if (values := dates.moments(words, form)) is not None:
            swapped = form.replace("%m", "\0").replace("%d", "%m").replace("\0", "%d")
            other = swapped != form and swapped in candidates[place + 1 :] and dates.moments(words, swapped) is not None
            doubt = f"{form} or {swapped}: no value shows whether the month or the day comes first" if other else ""
            return dates.shortened(words, dates.unpadded(words, _cased(words, form))), values, doubt
    return None


def _cased(words: list[str], form: str) -> str:
    """The format with the case of names of months and of AM and PM that words show."""
    if any(d in form for d in ("%b", "%B")) and all(w == w.upper() for w in words):
        form = form.replace("%b", "%^b").replace("%B", "%^B")
    return form.replace("%p", "%P") if "%p" in form and all(w.endswith(("am", "pm")) for w in words) else form


def _in_date_formats(words: Words) -> Found | None:
    forms = str(words.said.format).split("|")
    if len(forms) == 1:
        values = dates.moments(words.real, forms[0])
        if values is None:
            return None
        return _zoned([(list(range(len(words.real))), values)], words.real, forms, np.zeros(len(words.real), int), "")
    left = np.arange(len(words.real))
    of_word, parsed = np.zeros(len(words.real), dtype=np.int64), []
    for place, form in enumerate(forms):
        values, bad = dates.some_moments([words.real[i] for i in left], form)
        of_word[left[~bad]] = place
        parsed.append((left[~bad].tolist(), values[~bad]))
        left = left[bad]
        if not len(left):
            break
    return None if len(left) else _zoned([p for p in parsed if p[0]], words.real, forms, of_word, "")


def _zoned(
    parsed: list[tuple[list[int], pd.Series]], words: list[str], forms: list[str], of_word: np.ndarray, unsure: str
) -> Found | None:
    """Datetimes with the formats that write them: in their common offset or the zone that has their offsets, else in
    UTC with a format for each offset.
    """
    aware = [form.endswith(("Z", "UTC", "GMT")) or "%z" in dates.readable(form) for form in forms]
    if len(set(aware)) > 1:
        return None  # some have a zone, and some do not
    if len(parsed) == 1:
        values = parsed[0][1].reset_index(drop=True)
    else:
        local = [p.dt.tz_convert("UTC").dt.tz_localize(None) if p.dt.tz is not None else p for _, p in parsed]
        order = np.argsort(np.concatenate([places for places, _ in parsed]))
        values = pd.concat(local, ignore_index=True).iloc[order].reset_index(drop=True)
    if not aware[0]:
        return _dated(values, forms, of_word, unsure)
    values = values.dt.tz_localize("UTC") if values.dt.tz is None else values
    spelled = np.array(["%z" in dates.readable(form) for form in forms])
    if not spelled.any():
        return _dated(values, forms, of_word, unsure)
    return _with_offsets(values, words, forms, of_word, spelled, unsure)


def _with_offsets(
    values: pd.Series, words: list[str], forms: list[str], of_word: np.ndarray, spelled: np.ndarray, unsure: str
) -> Found:
    found = [_OFFSET.search(w) if spelled[of_word[i]] else None for i, w in enumerate(words)]
    if all(m is None or m[2] for m in found):
        forms = [form.replace("%:z", "%z").replace("%z", "%:z") for form in forms]
    offsets = [f"{m[1]}:{m[3]}" if m else "Z" for m in found]
    one = set(offsets)
    if len(one) == 1 and "Z" not in one:
        # through Arrow, so that the zone is the same object as in frames read from a file
        values = pa.Array.from_pandas(values).cast(pa.timestamp("us", one.pop())).to_pandas()
        return _dated(values, forms, of_word, unsure)
    if "Z" not in one and (zone := zones.of_offsets(values, offsets)) is not None:
        values = pa.Array.from_pandas(values).cast(pa.timestamp("us", zone)).to_pandas()
        return _dated(values, forms, of_word, unsure)
    own: dict[str, int] = {}
    each = []
    for i, offset in enumerate(offsets):
        form = forms[of_word[i]]
        literal = form if offset == "Z" else form.replace("%:z", offset).replace("%z", offset.replace(":", ""))
        each.append(own.setdefault(literal, len(own)))
    shown = "|".join(dict.fromkeys(forms))
    return Found(values.array, {"format": shown}, tuple(own), tuple(each), unsure)


def _dated(values: pd.Series, forms: list[str], of_word: np.ndarray, unsure: str) -> Found:
    if len(forms) == 1:
        return Found(values.array, {"format": forms[0]}, unsure=unsure)
    return Found(values.array, {"format": "|".join(forms)}, tuple(forms), tuple(of_word.tolist()), unsure)


def times(words: Words) -> Found | None:
    """Times of day and durations."""
    if (form := words.said.format) is not None:
        forms = form.split("|")
        columns = [durations.read(words.real, each) for each in forms]
        of_word = [next((i for i, c in enumerate(columns) if c[w] is not None), -1) for w in range(len(words.real))]
        if -1 in of_word:
            return None
        micros = [int(columns[i][w] or 0) for w, i in enumerate(of_word)]
        return Found(durations.series(micros).array, {"format": form}, tuple(forms), tuple(of_word))
    found = durations.tell(words.real)
    if found is None:
        return None
    traits = {"format": "|".join(found.forms)}
    return Found(durations.series(found.values).array, traits, found.forms, tuple(found.of_word))


def declared_times(words: Words) -> Found | None:
    """Durations of a declared timedelta: known formats, else whatever pandas reads."""
    found = times(words)
    if found is not None or words.said.format is not None:
        return found
    parsed = pd.to_timedelta(pd.Series(words.real, dtype=object), errors="coerce")
    return Found(parsed.dt.as_unit("us").array) if parsed.notna().all() else None


Reader = Callable[[Words], Found | None]
READERS: dict[str, Reader] = {
    "integer": integers,
    "float": floats,
    "boolean": plain_booleans,
    "datetime": datetimes,
    "timedelta": declared_times,
}
