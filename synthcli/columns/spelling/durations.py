"""Times of day and durations as text.

A format uses %D for days, %H, %M and %S, %-H and the like without leading zeros, %f and %3f for fractions of a second,
%I and %p (%P: am, pm) for a clock of twelve hours; the first of them is not limited, so that %H:%M writes 26:30.
ISO8601 stands for PT1H30M, and ISO8601 PT for one that counts days as hours. A negative duration has a minus before it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

ISO, ISO_HOURS = "ISO8601", "ISO8601 PT"  # the second counts days as hours: PT36H
FORMATS = (
    "%H:%M:%S",
    "%H:%M:%S.%f",
    "%H:%M:%S,%f",
    "%H:%M",
    "%I:%M %p",
    "%I:%M:%S %p",
    "%I:%M%p",
    "%I %p",
    "%I%p",
    "%H:%M Uhr",
    "%H.%M Uhr",
    "%Hh%M",
    "%H h %M",
    "PT%MM",
    "PT%HH",
    "PT%SS",
    "%Hh",
    "%Mm",
    "%H hours %M minutes",
    "%H hours, %M minutes",
    "%H hrs %M mins",
    "%Hh %Mmin",
    "%Hh%Mmin",
    "%H Std. %M Min.",
    "%H Std %M Min",
    "%Mmin %Ss",
    "%M min %S sec",
    "%D days %H hours",
    "%D d %H h",
    "%Hh %Mm",
    "%Hh %Mm %Ss",
    "%Hh%Mm",
    "%Hh%Mm%Ss",
    "%Mm %Ss",
    "%Mm%Ss",
    "%Dd %Hh",
    "%Dd %Hh %Mm",
    "%H h %M min",
    "%H hr %M min",
    "%M min %S s",
    "%M:%S.%f",
    "%D days %H:%M:%S",
    "%D days %H:%M:%S.%f",
    "%D days, %H:%M:%S",
    "%D day, %H:%M:%S",
    "%D %H:%M:%S",
    "%D.%H:%M:%S",
    "%H:%M:%SZ",
    "T%H:%M:%S",
)
DAY = 86_400_000_000  # microseconds
_UNITS = {"D": DAY, "H": 3_600_000_000, "M": 60_000_000, "S": 1_000_000, "I": 3_600_000_000}
_PIECE = re.compile(r"%(-?)(D|H|M|S|I|p|P|\d?f)")
_ISO = re.compile(r"(-)?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,6}))?S)?)?")
_HOURS = re.compile(r"T(\d+)H")


@lru_cache(maxsize=256)
def _shape(form: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """A regular expression for words of a format, and the directives of its groups."""
    pieces, end, out = [], 0, ""
    for i, found in enumerate(_PIECE.finditer(form)):
        out += re.escape(form[end : found.start()])
        kind, first = found[2], i == 0
        pieces.append(kind)
        if kind in "pP":
            out += "([AaPp]\\.?[Mm]\\.?)"
        elif kind.endswith("f"):
            out += r"(\d{1,6})" if len(kind) == 1 else rf"(\d{{{kind[0]}}})"
        else:
            limit = {"I": r"(1[0-2]|0?[1-9])", "D": r"(\d{1,6})"}.get(kind)
            clock = out.endswith((":", r"\."))
            limit = r"([01]?\d|2[0-3])" if kind == "H" and not first else limit
            out += limit or (r"(\d{1,4})" if first else r"([0-5]\d)" if clock else r"([0-5]?\d)")
        end = found.end()
    return re.compile("(-)?" + out + re.escape(form[end:])), tuple(pieces)


def is_format(form: str) -> bool:
    """Whether a text is a format of a time of day or a duration."""
    return form in (ISO, ISO_HOURS) or (bool(_PIECE.search(form)) and "%" not in _PIECE.sub("", form))


def read(words: Sequence[str], form: str) -> list[int | None]:
    """Microseconds of words in a format; None for those that it does not fit."""
    if form in (ISO, ISO_HOURS):
        return [_iso(word) for word in words]
    shape, pieces = _shape(form)
    return [_read(shape.fullmatch(word), pieces) for word in words]


def _read(found: re.Match[str] | None, pieces: tuple[str, ...]) -> int | None:
    if found is None:
        return None
    parts = dict(zip(pieces, found.groups()[1:]))
    total = sum(_UNITS[kind] * int(text) for kind, text in parts.items() if kind in _UNITS)
    if "I" in parts:
        total -= 12 * _UNITS["H"] * (int(parts["I"]) == 12)
        total += 12 * _UNITS["H"] * (parts.get("p", parts.get("P", "a"))[0] in "pP")
    total += sum(int(text.ljust(6, "0")) for kind, text in parts.items() if kind.endswith("f"))
    if len(pieces) > 1 and pieces[0] == "D" and "H" in parts and int(parts["H"]) > 23:
        return None
    return -total if found[1] else total


def _iso(word: str) -> int | None:
    found = _ISO.fullmatch(word)
    if found is None or word.rstrip("-").endswith(("P", "T")):
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:6])
    total = (weeks * 7 + days) * DAY + hours * _UNITS["H"] + minutes * _UNITS["M"] + seconds * _UNITS["S"]
    total += int((found[7] or "0").ljust(6, "0"))
    return -total if found[1] else total


def write(micros: np.ndarray, form: str) -> list[str]:
    """Write durations in microseconds; what is finer than the format is cut off."""
    if form in (ISO, ISO_HOURS):
        return [_write_iso(m, days=form == ISO) for m in micros.tolist()]
    pieces = [(found.start(), found.end(), found[1], found[2]) for found in _PIECE.finditer(form)]
    return [_write(m, form, pieces) for m in micros.tolist()]


def _write(micros: int, form: str, pieces: list[tuple[int, int, str, str]]) -> str:
    out, end, rest = "-" if micros < 0 else "", 0, abs(micros)
    whole = rest
    for start, stop, dash, kind in pieces:
        out += form[end:start]
        end = stop
        if kind in "pP":
            half = "PM" if whole // _UNITS["H"] % 24 >= 12 else "AM"
            out += half if kind == "p" else half.lower()
        elif kind == "I":
            hour, rest = rest // _UNITS["H"] % 12 or 12, rest % _UNITS["H"]
            out += str(hour) if dash else f"{hour:02d}"
        elif kind.endswith("f"):
            out += f"{rest % 1_000_000:06d}"[: int(kind[0]) if len(kind) > 1 else 6]
        else:
            count, rest = divmod(rest, _UNITS[kind])
            out += str(count) if dash or kind == "D" else f"{count:02d}"
    return out + form[end:]


def _write_iso(micros: int, *, days: bool) -> str:
    whole, rest = divmod(abs(micros), DAY) if days else (0, abs(micros))
    hours, rest = divmod(rest, _UNITS["H"])
    minutes, rest = divmod(rest, _UNITS["M"])
    seconds, fraction = divmod(rest, _UNITS["S"])
    second = f"{seconds}.{fraction:06d}".rstrip("0") if fraction else str(seconds)
    clock = (
        (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + (f"{second}S" if second != "0" else "")
    )
    text = (f"{whole}D" if whole else "") + ("T" + clock if clock else "")
    return ("-" if micros < 0 else "") + "P" + (text or "T0S")


@dataclass(frozen=True)
class Found:
    """Durations in microseconds, the formats in which they are written, and which word has which."""

    values: list[int]
    forms: tuple[str, ...]
    of_word: list[int]


MOST = 4  # formats of a column


def tell(words: Sequence[str]) -> Found | None:
    """Read distinct words as times of day or durations; None if they are not all."""
    values: list[int | None] = [None] * len(words)
    of_word = [-1] * len(words)
    forms: list[str] = []
    some = words[:: max(1, len(words) // 100)]
    fitting = [form for form in (ISO, *FORMATS) if any(value is not None for value in read(some, form))]
    if not fitting:
        return None
    coverage = {form: _restored(words, form) for form in fitting}
    for form in sorted(fitting, key=lambda f: (-coverage[f], fitting.index(f)))[: 2 * MOST]:
        left = [i for i, value in enumerate(values) if value is None]
        if not left or len(forms) == MOST:
            break
        own = [words[i] for i in left]
        found = [(i, v) for i, v in zip(left, read(own, form)) if v is not None]
        if not found or not coverage[form]:
            continue
        as_is = _styled([words[i] for i, _ in found], form)
        for i, v in found:
            values[i], of_word[i] = v, len(forms)
        forms.append(as_is)
    if any(value is None for value in values):
        return None
    known = [value for value in values if value is not None]
    if not _written_back(words, known, forms, of_word):
        return None
    return Found(known, tuple(forms), of_word)


def _restored(words: Sequence[str], form: str) -> int:
    """How many words a format reads, and writes as they are."""
    found = [(w, v) for w, v in zip(words, read(words, form)) if v is not None]
    if not found:
        return 0
    back = write(np.array([v for _, v in found], dtype=np.int64), _styled([w for w, _ in found], form))
    return sum(w.upper() == text.upper() for (w, _), text in zip(found, back))


def _styled(words: list[str], form: str) -> str:
    """The format with the padding and the digits of fractions that words show."""
    if form == ISO:
        days = any("D" in w or "W" in w for w in words)
        return ISO if days or not any(int(m[1]) >= 24 for w in words if (m := _HOURS.search(w))) else ISO_HOURS
    shape, pieces = _shape(form)
    groups = [m.groups()[1:] for w in words if (m := shape.fullmatch(w))]
    for i, kind in enumerate(pieces):
        seen = {g[i] for g in groups}
        if kind.endswith("f") and len(lengths := {len(s) for s in seen}) == 1 and max(lengths) < 6:
            form = form.replace("%f", f"%{lengths.pop()}f")
        elif kind == "p" and all(s.islower() for s in seen):
            form = form.replace("%p", "%P")
        elif kind in "HMSI" and any(len(s) == 1 for s in seen):
            form = form.replace(f"%{kind}", f"%-{kind}", 1)
    return form


def _written_back(words: Sequence[str], values: list[int], forms: list[str], of_word: list[int]) -> bool:
    """Whether writing restores nearly all words, up to the case of AM and PM."""
    same = 0
    for place, form in enumerate(forms):
        own = [i for i, p in enumerate(of_word) if p == place]
        back = write(np.array([values[i] for i in own], dtype=np.int64), form)
        same += sum(words[i].upper() == text.upper() for i, text in zip(own, back))
    return same >= 0.98 * len(words)


def series(micros: Sequence[int]) -> pd.Series:
    """Durations as a canonical series."""
    return pd.Series(np.array(micros, dtype=np.int64).view("timedelta64[us]"))
