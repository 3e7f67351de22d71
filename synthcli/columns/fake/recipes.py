"""Generate columns from the spec alone: a distribution, weights or a sequence, without data or other columns.

Dates are drawn as whole ticks since 1970 in the resolution of their format, durations as seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli.columns import frame as frames
from synthcli.columns import spelling
from synthcli.columns.fake import distributions as fake_distributions
from synthcli.contracts.schema import Column
from synthcli.errors import SpecError, did_you_mean


def make(recipe: str, column: Column, start: int, rows: int, *, rng: np.random.Generator) -> pd.Series:
    """Generate the rows from position `start`, with the column's canonical dtype. recipe: distribution, weights or
    sequence. Raises SpecError.
    """
    return _MAKERS[recipe](column, start, rows, rng)


def _distribution(column: Column, start: int, rows: int, rng: np.random.Generator) -> pd.Series:
    drawn, (low, high) = law(column), _bounds(column)
    whole = column.kind in ("integer", "datetime")
    if column.kind not in frames.NUMBERS:
        if column.kind != "boolean" or drawn.name != "bernoulli":
            raise SpecError(
                f"columns.{column.name}.distribution: {drawn.name} does not make {column.kind} values; remedy: weights,"
                " or type: float"
            )
        return pd.Series(drawn.draw(rows, None, None, rng=rng) > 0, dtype="boolean")
    if whole and not drawn.whole:  # the lowest and highest number are as likely as the others
        low, high = (None if low is None else low - 0.5), (None if high is None else high + 0.5)
    try:
        values = drawn.draw(rows, low, high, rng=rng)
    except SpecError as error:
        raise SpecError(f"columns.{column.name}.distribution: {error}") from None
    if whole:
        values = _clip(np.rint(values), column)
    return _from_numbers(values, column)


def _from_numbers(values: np.ndarray, column: Column) -> pd.Series:
    """Convert numbers (ticks for dates, seconds for durations) to the column's canonical dtype."""
    most = {"integer": 2.0**63, "datetime": 2.0**62, "timedelta": 9.2e12}.get(column.kind, np.inf)
    if not np.all(np.abs(values) < most):
        raise SpecError(
            f"columns.{column.name}.distribution: generates numbers that {column.storage} cannot hold; remedy: min, max"
        )
    if column.kind == "integer":
        return pd.Series(values.astype(np.int64), dtype="Int64")
    if column.kind == "timedelta":
        return pd.Series(np.rint(values * 1e6).astype("timedelta64[us]"))
    if column.kind == "datetime":
        return _moments(values.astype(np.int64), resolution(column), column)
    if column.declared.precision is not None:
        values = _clip(np.round(values, column.declared.precision), column)
    return pd.Series(values)


def _clip(values: np.ndarray, column: Column) -> np.ndarray:
    """Clip values that rounding moved out of the bounds."""
    low, high = _bounds(column)
    return np.clip(values, -np.inf if low is None else low, np.inf if high is None else high)


def _moments(ticks: np.ndarray, unit: str, column: Column) -> pd.Series:
    """Dates from ticks since 1970."""
    end = np.array(["0001-01-01", "9999-12-31"], dtype="datetime64[D]").astype(f"datetime64[{unit}]").astype(np.int64)
    if len(ticks) and not (end[0] <= ticks.min() and ticks.max() <= end[1]):
        raise SpecError(
            f"columns.{column.name}: generates dates beyond the years 1 to 9999; remedy: min and max, or a smaller step"
        )
    type_ = frames.arrow_type(column.storage)
    stored = type_.unit if pa.types.is_timestamp(type_) else "s"
    moments = pd.Series(ticks.astype(f"datetime64[{unit}]").astype(f"datetime64[{stored}]"))
    return moments.dt.tz_localize(type_.tz) if pa.types.is_timestamp(type_) and type_.tz else moments


def _weights(column: Column, start: int, rows: int, rng: np.random.Generator) -> pd.Series:
    where, said = f"columns.{column.name}", column.declared
    choices = said.categories or ((True, False) if column.kind == "boolean" else ())
    weights = said.weights or dict.fromkeys((_spelled(c) for c in choices), 1.0)
    by_spelling = {_spelled(c): c for c in said.categories or ()}
    for label, weight in weights.items():
        if by_spelling and label not in by_spelling:
            raise SpecError(
                f"{where}.weights: {label!r} is not among its categories.{did_you_mean(label, by_spelling)}"
            )
        if not (weight >= 0 and np.isfinite(weight)):
            raise SpecError(f"{where}.weights.{label} is {weight}; expected a number from 0")
    shares = np.array(list(weights.values()), dtype=float)
    if not shares.sum() > 0:
        raise SpecError(f"{where}.weights: are all 0; expected at least one above 0")
    labels = _labels(list(weights), column)
    return labels.take(rng.choice(len(shares), size=rows, p=shares / shares.sum())).reset_index(drop=True)


def _spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _labels(labels: list[str], column: Column) -> pd.Series:
    """Parse the keys of `weights` to values with the column's canonical dtype."""
    type_ = frames.arrow_type(column.storage)
    try:
        if pa.types.is_boolean(type_):
            yes, _, no = (column.get("format") or "true|false").partition("|")
            known = {yes.lower(): True, no.lower(): False, "true": True, "false": False}
            return pd.Series([known[label.lower()] for label in labels], dtype="boolean")
        if pa.types.is_integer(type_):
            return pd.Series([int(label) for label in labels], dtype="Int64")
        if pa.types.is_floating(type_):
            return pd.Series([float(label) for label in labels], dtype="float64")
    except (ValueError, KeyError):
        raise SpecError(
            f"columns.{column.name}.weights: {', '.join(labels)} are not all of type {column.kind}"
        ) from None
    if column.kind == "datetime":
        return _moments(
            np.array([_date(column, "weights", w) for w in labels], dtype=np.int64), resolution(column), column
        )
    if column.kind == "timedelta":
        return pd.Series(np.array([_seconds(column, "weights", w) * 1e6 for w in labels]).astype("timedelta64[us]"))
    return pd.Series(pd.array(labels, dtype=frames.STRING))


def _sequence(column: Column, start: int, rows: int, rng: np.random.Generator) -> pd.Series:
    said = column.declared.sequence
    assert said is not None
    positions, where = np.arange(start, start + rows), "sequence"
    type_ = frames.arrow_type(column.storage)
    if column.kind in ("datetime", "timedelta"):
        if not isinstance(said.start, str) or not isinstance(said.step, str):
            example = "{start: 2024-01-01, step: 1h}" if column.kind == "datetime" else "{start: 0s, step: 15min}"
            raise SpecError(
                f"columns.{column.name}.sequence: start is {said.start} and step is {said.step}; expected such as"
                f" {example}"
            )
        step = round(_seconds(column, f"{where}.step", said.step) * 1e6)
        if column.kind == "timedelta":
            first = round(_seconds(column, f"{where}.start", said.start) * 1e6)
            return pd.Series((_steps(column, first, step, positions)).astype("timedelta64[us]"))
        first = _date(column, f"{where}.start", said.start, "us")
        return _moments(_steps(column, first, step, positions), "us", column)
    if isinstance(said.start, str) or isinstance(said.step, str):
        raise SpecError(
            f"columns.{column.name}.sequence: start {said.start!r} and step {said.step!r} of type {column.kind};"
            " expected two numbers"
        )
    if pa.types.is_floating(type_):
        values = said.start + said.step * positions
        return pd.Series(values if column.declared.precision is None else np.round(values, column.declared.precision))
    if not pa.types.is_integer(type_) or not (float(said.start).is_integer() and float(said.step).is_integer()):
        raise SpecError(
            f"columns.{column.name}.sequence: {said.start} and {said.step} do not count a {column.kind}; remedy: type:"
            " integer or float"
        )
    return pd.Series(_steps(column, int(said.start), int(said.step), positions), dtype="Int64")


def _steps(column: Column, first: int, step: int, positions: np.ndarray) -> np.ndarray:
    last = first + step * (int(positions[-1]) if len(positions) else 0)
    if not (-(2**63) <= first < 2**63 and -(2**63) <= last < 2**63):
        raise SpecError(f"columns.{column.name}.sequence: runs beyond 2^63; remedy: a smaller step")
    return first + step * positions


_MAKERS: dict[str, Callable[[Column, int, int, np.random.Generator], pd.Series]] = {
    "distribution": _distribution, "weights": _weights, "sequence": _sequence,
}  # fmt: skip


# --- values of the spec as numbers


def law(column: Column) -> fake_distributions.Law:
    """The distribution of a column, or uniform between its min and max. Raises SpecError."""
    said = column.declared
    number = {"datetime": _date_number, "timedelta": _duration_number}.get(column.kind, _plain_number)
    read = lambda param, value: number(column, param, value)  # noqa: E731
    bounds = _bounds(column)
    try:
        if column.kind == "datetime" and isinstance(said.distribution, dict):
            _anchored(column, said.distribution)
        whole = column.kind in ("integer", "datetime")
        found = fake_distributions.parse(said.distribution or "uniform", said.min, said.max, whole=whole, number=read)
        if not found.reaches(*bounds):
            raise SpecError(f"{found.name} has no probability between min {said.min} and max {said.max}")
    except SpecError as error:
        text = str(error)
        raise (
            error if text.startswith("columns.") else SpecError(f"columns.{column.name}.distribution: {text}")
        ) from None
    return found


def _anchored(column: Column, said: Mapping[str, Mapping[str, Any]]) -> None:
    for name, given in said.items():
        if not fake_distributions.LOCATIONS & set(given or {}) or name in ("exponential", "lognormal", "poisson"):
            raise SpecError(
                f"{name} says not around which date; remedy: uniform (low, high), normal (mean, std) or triangular"
                " (low, mode, high)"
            )


def _bounds(column: Column) -> tuple[float | None, float | None]:
    number = {"datetime": _date, "timedelta": _seconds}.get(column.kind, _bound_number)
    low, high = (None if value is None else float(number(column, trait, value)) for trait, value in _min_max(column))
    if low is not None and high is not None and low > high:
        raise SpecError(f"columns.{column.name}: min {column.declared.min} is above max {column.declared.max}")
    if column.kind == "integer":
        low, high = (None if low is None else float(np.ceil(low))), (None if high is None else float(np.floor(high)))
    return low, high


def _min_max(column: Column) -> list[tuple[str, Any]]:
    return [("min", column.declared.min), ("max", column.declared.max)]


def _plain_number(column: Column, param: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise SpecError(f"{param} is {value!r}; expected a number")
    return float(value)


def _bound_number(column: Column, trait: str, value: Any) -> float:
    if isinstance(value, str):
        raise SpecError(f"columns.{column.name}.{trait} is {value!r}; expected a number")
    return float(value)


def _date_number(column: Column, param: str, value: Any) -> float:
    if param in fake_distributions.LOCATIONS:
        return float(_date(column, f"distribution.{param}", value))
    if param in fake_distributions.WIDTHS and isinstance(value, str):
        ticks = {"us": 1e-6, "s": 1.0, "m": 60.0, "h": 3600.0, "D": 86_400.0}[resolution(column)]
        return _seconds(column, f"distribution.{param}", value) / ticks
    if param in fake_distributions.WIDTHS and value != 1.0:
        raise SpecError(f"{param} is {value!r}; expected a duration such as 30d or 12h")
    return _plain_number(column, param, value)


def _duration_number(column: Column, param: str, value: Any) -> float:
    return (
        _seconds(column, f"distribution.{param}", value)
        if isinstance(value, str)
        else _plain_number(column, param, value)
    )


def resolution(column: Column) -> str:
    """The resolution of a datetime: us, s, m, h or D."""
    form = column.get("format")
    if form is None:
        return "s"
    for directives, unit in (
        (("%f",), "us"),
        (("%S", "%s", "%T", "%X", "%c"), "s"),
        (("%M",), "m"),
        (("%H", "%I"), "h"),
    ):
        if any(d in spelling.readable(form) for d in directives):
            return unit
    return "D"


def _date(column: Column, where: str, value: Any, unit: str | None = None) -> int:
    """Ticks since 1970 of a date as the spec writes it: in the column's format, or ISO 8601."""
    moment: Any = pd.NaT
    if not isinstance(value, int | float):
        form = column.get("format")
        moment = pd.to_datetime(str(value), format=spelling.readable(form), errors="coerce") if form else pd.NaT
        moment = pd.to_datetime(str(value), format="ISO8601", errors="coerce") if moment is pd.NaT else moment
    if moment is pd.NaT:
        raise SpecError(f"columns.{column.name}.{where} is {value!r}; expected a date such as 2024-12-31")
    moment = moment.tz_convert("UTC").tz_localize(None) if moment.tzinfo else moment
    return int(moment.to_datetime64().astype(f"datetime64[{unit or resolution(column)}]").astype(np.int64))


def _seconds(column: Column, where: str, value: Any) -> float:
    """Seconds of a duration as the spec writes it: 1h, 15min, 1d, or a number of seconds."""
    span: Any = pd.NaT
    with suppress(ValueError, OverflowError):
        span = pd.Timedelta(seconds=value) if isinstance(value, int | float) else pd.Timedelta(str(value))
    if span is pd.NaT:
        raise SpecError(f"columns.{column.name}.{where} is {value!r}; expected a duration such as 1h, 15min or 1d")
    return span.total_seconds()
