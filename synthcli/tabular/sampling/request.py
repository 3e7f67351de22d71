"""Settle a request against a model before generation: the rows of each stratum, and how to draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import gcd
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli import seeds
from synthcli.columns import frame as frames
from synthcli.columns.codec.conditions import fits
from synthcli.columns.constraints import bounds
from synthcli.columns.constraints.feasibility import impossible
from synthcli.columns.constraints.linear import kinds_of
from synthcli.columns.constraints.parse import parse_rule
from synthcli.columns.constraints.rule import Rule, parse_constraint
from synthcli.columns.expressions.compile import Expression, parse
from synthcli.contracts.modelling import BLOCK, Allowed, Model, Predicate, Request
from synthcli.contracts.schema import Schema
from synthcli.errors import FitError, SpecError, did_you_mean, listed
from synthcli.tabular.sampling.calibration import Calibration
from synthcli.tabular.sampling.raking import codes_of, parity_gap
from synthcli.tabular.sampling.strata import Stratum, strata_of, text_of

PILOT = 2 * BLOCK  # rows drawn to estimate how often the model meets the conditions unconditioned
OFTEN = 0.1  # acceptance rate from which plain rejection sampling is used


@dataclass(frozen=True)
class SettledRequest(Request):
    """A request that was settled against a model.

    rules: hold in every row; strata: the strata and their numbers of rows, () for none; guided: whether the model draws
    given the conditions instead of freely; calibration: keeps marginals where rules reject draws, None where they
    reject few; report: figures for the report.
    """

    rules: tuple[Rule, ...] = ()
    strata: tuple[Stratum, ...] = ()
    guided: bool = False
    calibration: Calibration | None = None
    report: Mapping[str, Any] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether every row of the model is accepted."""
        return not self.rules and self.where is None and not self.strata

    @property
    def deciding_columns(self) -> frozenset[str]:
        """Columns that decide whether a row is accepted."""
        named = [rule.columns for rule in self.rules] + ([] if self.where is None else [self.where.columns])
        return frozenset().union(*named, *(stratum.values for stratum in self.strata[:1]))

    def counts(self, block: int) -> np.ndarray:
        """Number of rows of each stratum in a block; the blocks sum to the requested numbers. (strata,); (1,) without
        strata

        Output row r is row r * stride (mod rows) of the rows sorted by stratum, so that each block gets about its share
        of each stratum independently of the other blocks.
        """
        size = self.size(block)
        if not self.strata:
            return np.array([size])
        stride = max(1, round(self.rows * 0.6180339887498949))
        while gcd(stride, self.rows) > 1:
            stride += 1
        first = block * self.block_size * stride % self.rows
        place = (first + np.arange(size, dtype=np.int64) * stride) % self.rows
        edges = np.cumsum([stratum.rows for stratum in self.strata])
        return np.bincount(np.searchsorted(edges, place, side="right"), minlength=len(self.strata))

    def stratum_of(self, frame: pd.DataFrame) -> np.ndarray:
        """The number of the stratum of each row, -1 for none; 0 if there are no strata. (rows,) int64"""
        if not self.strata:
            return np.zeros(len(frame), dtype=np.int64)
        levels, table = self._table
        codes = [codes_of(frame[name], values) for name, values in levels.items()]
        return table[tuple(codes)]  # code -1 (another value) indexes the last entry

    @cached_property
    def _table(self) -> tuple[dict[str, list[Any]], np.ndarray]:
        """The levels of each stratified column, and a lookup table from their codes to strata, with one more entry per
        axis for other values.
        """
        levels = {
            name: list(dict.fromkeys(stratum.values[name] for stratum in self.strata)) for name in self.strata[0].values
        }
        table = np.full([len(values) + 1 for values in levels.values()], -1, dtype=np.int64)
        for number, stratum in enumerate(self.strata):
            table[tuple(levels[name].index(value) for name, value in stratum.values.items())] = number
        return levels, table

    def accepts(self, frame: pd.DataFrame) -> np.ndarray:
        """Mask of the rows that meet `where`. (rows,) bool"""
        if self.where is None:
            return np.ones(len(frame), dtype=bool)
        return self.where.evaluate(frame).fillna(False).to_numpy(dtype=bool)

    def to_json(self) -> dict[str, Any]:
        """Serialise for another process, which derives `allowed` from `where` again."""
        own: dict[str, Any] = {} if self.block_size == BLOCK else {"block_size": self.block_size}
        own |= {} if self.calibration is None else {"calibration": self.calibration.to_json()}
        return own | {
            "rows": self.rows,
            "seed": self.seed,
            "rules": [rule.to_json() for rule in self.rules],
            "where": None if self.where is None else self.where.text,
            "cells": [{"values": dict(stratum.values), "rows": stratum.rows} for stratum in self.strata],
            "guided": self.guided,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], schema: Schema) -> SettledRequest:
        where = None if data["where"] is None else parse(data["where"])
        allowed = {} if where is None else bounds.allowed(where, kinds_of(schema)) or {}
        strata = tuple(Stratum(c["values"], c["rows"]) for c in data["cells"])
        rules = tuple(parse_rule(r) for r in data["rules"])
        return cls(
            data["rows"],
            data["seed"],
            data.get("block_size", BLOCK),
            where=where,
            allowed=allowed,
            rules=rules,
            strata=strata,
            guided=data["guided"],
            calibration=Calibration.from_json(data["calibration"]) if "calibration" in data else None,
        )


def settle(request: Request, model: Model, schema: Schema, rules: Sequence[Rule]) -> SettledRequest:
    """Decide how a model meets a request: freely or given the conditions, and how many rows of each stratum.

    Raises SpecError if the request names unknown columns or values, FitError if no row can meet it.
    """
    where = request.where
    assert where is None or isinstance(where, Expression)  # describe.request_of parsed it
    if where is not None:
        _check_where(where, schema)
    plain = SettledRequest(request.rows, request.seed, request.block_size, where=where, rules=tuple(rules))
    if not request.conditional:
        return plain
    allowed = {} if where is None else bounds.allowed(where, kinds_of(schema))
    if allowed is None:
        raise SpecError(f"generate.where: no row can meet {where and where.text}: it contradicts itself")
    if where is not None and (why := impossible(where.text, where, rules, schema)) is not None:
        raise SpecError(f"generate.where: {why}")
    pilot = _pilot(model, request, {})
    share = float(plain.accepts(pilot).mean())
    _check_found(where, share, len(pilot), allowed, model, schema)
    report: dict[str, Any] = {} if where is None else {"where": where.text, "share_by_itself": share}
    strata: tuple[Stratum, ...] = ()
    if request.balance or request.fairness is not None:
        if share < OFTEN and model.completes and allowed:
            pilot = _pilot(model, request, allowed)
        strata = strata_of(request, pilot[plain.accepts(pilot)], model, schema, report)
        _check_strata(strata, allowed, where)
    guided = model.completes and (bool(strata) or share < OFTEN)
    report["found_by"] = "conditional sampling" if guided else "rejection sampling"
    return replace(plain, strata=strata, guided=guided, allowed=allowed, report=report)


def _check_where(where: Predicate, schema: Schema) -> None:
    """Raise SpecError for unknown columns and for types that cannot be compared."""
    try:
        empty = {
            c.name: frames.series(pa.chunked_array([], type=frames.arrow_type(c.storage)), c.kind)
            for c in schema.columns
        }
        if where.columns <= empty.keys():
            parse_constraint(where.text).check({column.name: column.kind for column in schema.columns})
            where.evaluate(pd.DataFrame(empty))
    except SpecError as error:
        raise SpecError(f"generate.where: {error}") from None
    if unknown := sorted(where.columns - set(schema.names)):
        raise SpecError(
            f"generate.where: there is no column {unknown[0]!r}.{did_you_mean(unknown[0], schema.names)} Columns:"
            f" {listed(schema.names)}"
        )


def _check_strata(strata: Sequence[Stratum], allowed: Mapping[str, Allowed], where: Predicate | None) -> None:
    """Raise SpecError for a balanced value that `where` excludes."""
    for stratum in strata:
        for name, value in stratum.values.items():
            if name in allowed and not fits(value, allowed[name]):
                raise SpecError(
                    f"generate.balance.{name}: {text_of(value)} is excluded by generate.where:"
                    f" {where and where.text}; remedy: keep one of them"
                )


def _check_found(
    where: Predicate | None,
    share: float,
    rows: int,
    allowed: Mapping[str, Allowed],
    model: Model,
    schema: Schema,
) -> None:
    """Raise FitError if no pilot row meets `where` and the model cannot generate one given the condition."""
    if share or where is None:
        return
    text = where.text
    if synthetic := sorted(name for name in where.columns if schema[name].kind not in frames.MODELLED):
        raise FitError(
            f"generate.where: none of {rows:,} rows meets {text}: {synthetic[0]} is of type"
            f" {schema[synthetic[0]].kind}, whose values are made up, not learned; remedy: a condition on other columns"
        )
    if not model.completes:
        raise FitError(
            f"generate.where: none of {rows:,} unconditioned rows of the model meets {text}; "
            "remedy: a weaker condition, or a method that takes conditions: trees or arnet"
        )
    try:
        model.complete(Request(1, allowed=allowed), 0, rng=np.random.default_rng(0))
    except FitError as error:
        raise FitError(f"generate.where: {error}") from None


def drawable(model: Model, request: Request) -> int:
    """Number of rows that a model can draw at once: a block, or fewer if its unique keys do not suffice."""
    try:
        model.check(Request(request.block_size))
    except SpecError:
        return min(request.rows, request.block_size)
    return request.block_size


def _pilot(model: Model, request: Request, allowed: Mapping[str, Allowed]) -> pd.DataFrame:
    """Draw rows to estimate shares: freely, or given the allowed values of columns."""
    size = drawable(model, request)
    drawn: list[Any] = []
    for i in range(-(-PILOT // max(size, PILOT // 64))):
        rng = seeds.stream(request.seed, "pilot", bool(allowed), i)
        some = Request(size, block_size=size, allowed=allowed)
        drawn.append(model.complete(some, 0, rng=rng) if allowed else model.sample(some, 0, rng=rng))
    return pd.concat([table.frame for table in drawn], ignore_index=True)


def achieved(request: SettledRequest, counts: Mapping[int, int]) -> list[dict[str, Any]]:
    """Requested and achieved rows of each balanced value. counts: number of a stratum -> its rows"""
    rows: dict[tuple[str, str], list[int]] = {}
    for number, stratum in enumerate(request.strata):
        for name, value in stratum.values.items():
            pair = rows.setdefault((name, text_of(value)), [0, 0])
            pair[0] += stratum.rows
            pair[1] += counts.get(number, 0)
    return [
        {"column": name, "value": value, "requested": requested, "achieved": found}
        for (name, value), (requested, found) in rows.items()
    ]


def gap_of(request: SettledRequest, counts: Mapping[int, int], target: str) -> float:
    """Demographic parity gap of the output. counts: number of a stratum -> its rows"""
    levels, table = request._table
    rows = np.array(
        [*(counts.get(number, 0) for number in range(len(request.strata))), 0], dtype=float
    )  # last entry: no stratum
    return parity_gap(rows[table], list(levels).index(target))
