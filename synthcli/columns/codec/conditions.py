"""Conditions on rows, translated to the parts of a codec: known cells as coded values, bounds as the values that each
part may take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.codec.categorical import Codes, Constant
from synthcli.columns.codec.codec import Codec
from synthcli.columns.codec.mixed import Mixed
from synthcli.columns.codec.numeric import Numbers
from synthcli.columns.codec.parts import Values, escaped
from synthcli.columns.codec.places import Place
from synthcli.contracts.modelling import Allowed, Request
from synthcli.errors import FitError, did_you_mean


@dataclass(frozen=True)
class Within:
    """The values that a part may take: codes that are true in `codes`, or numbers from low to high (scalars, or one per
    row).
    """

    codes: np.ndarray | None = None
    low: float | np.ndarray = -np.inf
    high: float | np.ndarray = np.inf

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Which values are allowed. (n,) bool"""
        return (values >= self.low) & (values <= self.high) if self.codes is None else self.codes[values]


@dataclass(frozen=True)
class Conditions:
    """Conditions on the coded columns of `rows` rows. known: part -> (rows,) values, -1 or NaN where unknown; within:
    part -> the values allowed in every row.

    State 0 with number NaN means that a cell is known to hold a number, but not which one.
    """

    rows: int
    known: Values = field(default_factory=dict)
    within: Mapping[str, Within] = field(default_factory=dict)

    @classmethod
    def of(cls, codec: Codec, given: Request) -> Conditions:
        """Translate a request. Raises FitError if the conditions leave a column no value that the codec knows."""
        known: Values = {}
        within: dict[str, Within] = {}
        for place, (column, coder) in enumerate(zip(codec.schema.columns, codec.columns)):
            if given.frame is not None and column.name in given.frame:
                seen = None if given.known is None else given.known[:, given.frame.columns.get_loc(column.name)]
                known |= _known(coder, given.frame[column.name], seen)
            if (allowed := given.allowed.get(column.name)) is not None:
                within |= _within(codec.columns[place], allowed)
        for at in codec.places:
            known |= _placed(at, given)
        return cls(given.rows, known, within)


def _known(coder: Any, values: pd.Series, seen: np.ndarray | None) -> Values:
    """Encode the known cells; -1 or NaN elsewhere."""
    if not coder.parts:
        return {}
    sure = np.ones(len(values), dtype=bool) if seen is None else seen
    if not sure.any():
        return {}
    some = coder.encode(values[sure].reset_index(drop=True))
    out: Values = {}
    for part in coder.parts:
        full = np.full(len(values), -1, dtype=np.int32) if part.is_code else np.full(len(values), np.nan)
        full[sure] = some[part.name]
        out[part.name] = full
    return out


def _placed(place: Place, given: Request) -> Values:
    """Encode the place of rows with both coordinates known; -1 elsewhere."""
    pair = [place.latitude, place.longitude]
    if given.frame is None or not {*pair} <= {*given.frame.columns}:
        return {}
    code = place.encode(*(given.frame[name] for name in pair))
    if given.known is not None:
        code[~given.known[:, given.frame.columns.get_indexer(pair)].all(1)] = -1
    return {place.part.name: code}


def _within(coder: Any, allowed: Allowed) -> dict[str, Within]:
    if isinstance(coder, Constant):
        if not fits(coder.value, allowed):
            only = "null" if coder.value is None else repr(coder.value)
            raise FitError(
                f"column {coder.name} holds only {only} in the source, but the conditions require {in_words(allowed)}"
            )
        return {}
    if isinstance(coder, Codes):
        codes = np.array([fits(v, allowed) for v in coder.categories] + [allowed.null] * coder.nullable)
        if not codes.any() and allowed.values and len(allowed.values) == 1:
            (value,) = allowed.values
            raise FitError(
                f"column {coder.name}: the model has learned no value"
                f" {value!r}.{did_you_mean(str(value), [str(v) for v in coder.categories])}"
            )
        return {escaped(coder.name): Within(_some(codes, coder.name, allowed))}
    if isinstance(coder, Numbers):
        return _number_within(coder, allowed)
    if isinstance(coder, Mixed):
        state = coder.parts[0]
        codes = np.ones(state.size, dtype=bool)
        codes[1] = allowed.null and coder.nullable
        if allowed.values is not None:
            codes[0] = any(number is not None for number in coder.spelling.read([str(v) for v in allowed.values]))
            codes[2 : 2 + len(coder.words)] = [word in allowed.values for word in coder.words]
        return {state.name: Within(_some(codes, coder.name, allowed))}
    return {}


def _number_within(coder: Numbers, allowed: Allowed) -> dict[str, Within]:
    """The interval of a number in the units of its part, and the states that agree with it."""
    name = escaped(coder.name)
    low, high = (None if v is None else _raw(coder, v) for v in _ends(allowed))
    start, step = (coder.base, coder.step) if coder.whole else (0, 1)
    least = -np.inf if low is None else (low - start) / step
    most = np.inf if high is None else (high - start) / step
    inside = most >= coder.low and least <= coder.high and allowed.values != frozenset()
    out = {} if low is None and high is None else {name: Within(None, least, most)}
    if coder.states > 1:
        spikes = [(low is None or s >= low) and (high is None or s <= high) for s in coder.spikes]
        out[f"{name}#state"] = Within(
            _some(np.array([inside, allowed.null and coder.nullable, *spikes]), coder.name, allowed)
        )
    elif not inside:
        raise _none(coder.name, allowed)
    return out


def _ends(allowed: Allowed) -> tuple[Any, Any]:
    """The bounds, or the range of the listed values, which is a superset of them."""
    if allowed.values:
        return min(allowed.values), max(allowed.values)
    return allowed.low, allowed.high


def _raw(coder: Numbers, value: Any) -> float:
    """A number, date or duration in the units of the codec; times in ticks of the column's unit."""
    if not coder.dtype.startswith(("timestamp", "duration")):
        return float(value)
    unit = coder.dtype.partition("[")[2].partition("]")[0].partition(",")[0]
    if coder.dtype.startswith("duration"):
        return float(pd.Timedelta(value) / pd.Timedelta(1, unit))
    zone = coder.dtype.partition("tz=")[2].rstrip("]") or None
    time = pd.Timestamp(value)
    if zone is not None:
        time = time.tz_localize(zone) if time.tz is None else time.tz_convert(zone)
        time = time.tz_localize(None) if coder.clock else time.tz_convert("UTC").tz_localize(None)
    elif time.tz is not None:
        time = time.tz_localize(None)
    return float((time - pd.Timestamp(0)) / pd.Timedelta(1, unit))


def fits(value: Any, allowed: Allowed) -> bool:
    """Whether a value is allowed."""
    if value is None or value != value:
        return allowed.null
    if allowed.values is not None and value not in allowed.values:
        return False
    if isinstance(value, str) and not isinstance(allowed.low if allowed.high is None else allowed.high, str):
        return True  # words cannot be compared with numbers: the caller checks the decoded rows
    return not (
        (allowed.low is not None and value < allowed.low) or (allowed.high is not None and value > allowed.high)
    )


def _some(codes: np.ndarray, column: str, allowed: Allowed) -> np.ndarray:
    if not codes.any():
        raise _none(column, allowed)
    return codes


def _none(column: str, allowed: Allowed) -> FitError:
    return FitError(
        f"column {column}: the conditions require {in_words(allowed)}, but the model has learned no such value;"
        " remedy: require values that occur in the source"
    )


def in_words(allowed: Allowed) -> str:
    """The allowed values as a phrase for messages."""
    if allowed.values is not None:
        return (
            " or ".join([*sorted(repr(v) for v in allowed.values), *(["null"] if allowed.null else [])])
            or "no value at all"
        )
    ends = [f"{word} {value}" for word, value in (("from", allowed.low), ("up to", allowed.high)) if value is not None]
    return " ".join(ends) or ("any value" if allowed.null else "a value that is not null")
