"""Strata of `generate.balance` and `generate.fairness`, and the number of rows of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.contracts.modelling import Allowed, Model, Request
from synthcli.contracts.schema import Schema
from synthcli.errors import FitError, SpecError, did_you_mean, listed
from synthcli.tabular.sampling.raking import EVEN, codes_of, independent, joint_of, parity_gap, rake, whole_rows

STRATA = 2000  # maximum number of combinations of balanced columns
_RANGE = re.compile(
    r"\s*(-?\d+(\.\d+)?\s*(-|–|\.\.+|…|to|:)\s*-?\d+(\.\d+)?|[<>≤≥]=?\s*-?\d+(\.\d+)?|-?\d+(\.\d+)?\s*\+)\s*"
)
LABELS = 100  # maximum number of distinct values of a balanced or sensitive column


@dataclass(frozen=True)
class Stratum:
    """Rows that share the values of some columns (None: null), and the requested number of them."""

    values: Mapping[str, Any]
    rows: int

    @property
    def text(self) -> str:
        return " and ".join(
            f"{name} is {'null' if value is None else repr(value)}" for name, value in self.values.items()
        )


def strata_of(
    request: Request, pilot: pd.DataFrame, model: Model, schema: Schema, report: dict[str, Any]
) -> tuple[Stratum, ...]:
    """Every stratum with its number of rows: the joint distribution of the pilot, raked to the requested margins."""
    margins = {name: _margin(name, shares, pilot, model, schema) for name, shares in (request.balance or {}).items()}
    fair, rows = request.fairness, request.rows
    names = list(dict.fromkeys([*margins, *((*fair.sensitive, fair.target) if fair is not None else ())]))
    levels = {
        name: list(margins[name]) if name in margins else _levels("generate.fairness", name, pilot, schema)
        for name in names
    }
    if (size := int(np.prod([len(v) for v in levels.values()]))) > STRATA:
        raise SpecError(
            f"generate: {' × '.join(names)} have {size:,} combinations; at most {STRATA:,} can be balanced; remedy:"
            " fewer columns"
        )
    joint = joint_of(pilot, levels)
    if fair is not None:
        before = parity_gap(joint, names.index(fair.target))
        report["fairness"] = {"target": fair.target, "sensitive": list(fair.sensitive), "gap_before": before}
        joint = independent(joint, names.index(fair.target))
    joint = rake(joint, [np.array(list(margins[n].values())) if n in margins else None for n in names])
    counts = whole_rows(joint * rows, rows)
    if fair is not None:
        report["fairness"]["gap_asked"] = parity_gap(counts.astype(float), names.index(fair.target))
    found = []
    for place, values in zip(np.ndindex(*joint.shape), product(*levels.values())):
        if counts[place]:
            found.append(Stratum(dict(zip(names, values)), int(counts[place])))
    return tuple(found)


def _levels(key: str, name: str, pilot: pd.DataFrame, schema: Schema) -> list[Any]:
    """The distinct values of a column, null as None. key: of the spec, for errors."""
    if name not in schema.names:
        raise SpecError(
            f"{key}: there is no column {name!r}.{did_you_mean(name, schema.names)} Columns: {listed(schema.names)}"
        )
    if (kind := schema[name].kind) not in frames.MODELLED or kind in ("datetime", "timedelta"):
        why = "made up, not learned" if kind not in frames.MODELLED else "continuous"
        raise SpecError(
            f"{key}: {name} is of type {kind}, whose values are {why}; remedy: a category, a boolean, or a number"
            " with few values"
        )
    known = sorted((v.item() if isinstance(v, np.generic) else v for v in pilot[name].dropna().unique()), key=str)
    if len(known) > LABELS:
        raise SpecError(
            f"{key}: {name} has {len(known):,} values, at most {LABELS} can be balanced; remedy: bin the column at the"
            " source"
        )
    return [*known, *([None] if pilot[name].isna().any() else [])]


def _margin(
    name: str, shares: Mapping[Any, float], pilot: pd.DataFrame, model: Model, schema: Schema
) -> dict[Any, float]:
    """Value -> share, summing to 1; the remainder goes to the other values in proportion to their pilot counts."""
    key = f"generate.balance.{name}"
    if (
        name in schema.names
        and schema[name].kind in ("integer", "float")
        and (ranges := [word for word in shares if _RANGE.fullmatch(str(word))])
    ):
        raise SpecError(
            f"{key}: {ranges[0]!r} is a range, and single values are balanced; "
            f"remedy: generate.where: '{name} >= …' for rows of one range, or bin the column at the source"
        )
    levels = _levels(key, name, pilot, schema)
    requested: dict[Any, float] = {}
    for word, share in shares.items():
        value = _value(key, word, levels, pilot[name].dtype)
        if value in requested:
            raise SpecError(f"{key}: {text_of(value)} appears twice; remedy: keep one of the two")
        if value not in levels:
            _check_learned(key, name, value, levels, model)
            levels.append(value)
        requested[value] = share
    rest = 1 - sum(requested.values())
    if rest < -1e-9:
        raise SpecError(f"{key}: the shares add up to {sum(requested.values()):g}; expected at most 1")
    others = [level for level in levels if level not in requested]
    if rest > 1e-9 and not others:
        raise SpecError(f"{key}: the shares of all values add up to {sum(requested.values()):g}; expected 1")
    codes = codes_of(pilot[name], others)
    counts = np.bincount(codes[codes >= 0], minlength=len(others))
    weight = np.maximum(counts, EVEN)
    return requested | dict(zip(others, max(rest, 0.0) * weight / weight.sum() if others else ()))


def _value(key: str, word: Any, levels: Sequence[Any], dtype: Any) -> Any:
    """Convert a key of the spec to a value of the column. Raises SpecError if it is not of the column's type."""
    text = text_of(word)
    if text in (by_text := {text_of(level): level for level in levels}):
        return by_text[text]
    if text == "null":
        return None
    try:
        if pd.api.types.is_bool_dtype(dtype):
            return {"true": True, "false": False}[text.lower()]
        if pd.api.types.is_numeric_dtype(dtype):
            number = float(text)
            if pd.api.types.is_integer_dtype(dtype) and not number.is_integer():
                raise ValueError(text)
            value = int(number) if pd.api.types.is_integer_dtype(dtype) else number
            return next((level for level in levels if level == value), value)
    except (KeyError, ValueError):
        raise SpecError(
            f"{key}: there is no value {text!r}.{did_you_mean(text, by_text)} Known: {listed(list(by_text))}"
        ) from None
    return text


def _check_learned(key: str, name: str, value: Any, levels: Sequence[Any], model: Model) -> None:
    """Raise SpecError for a value that the pilot lacks, unless the model can generate it given the condition."""
    words = [text_of(level) for level in levels]
    hint = did_you_mean(text_of(value), words)
    if model.completes:
        only = Allowed(values=frozenset(), null=True) if value is None else Allowed(values=frozenset({value}))
        try:
            generated: Any = model.complete(Request(1, allowed={name: only}), 0, rng=np.random.default_rng(0))
        except FitError as error:
            hint = hint or "".join(str(error).partition(" Did you mean ")[1:])
        else:
            if codes_of(generated.frame[name], [value])[0] == 0:
                return
    raise SpecError(f"{key}: the model has learned no value {text_of(value)!r}.{hint} Known: {listed(words)}")


def text_of(value: Any) -> str:
    """Format a value as a key of the spec."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
