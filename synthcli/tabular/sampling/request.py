"""A request settled against a model before any row is generated: how many rows of which kind, and how to get them."""

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
from synthcli.tabular.sampling.raking import codes_of, parity_gap
from synthcli.tabular.sampling.strata import Stratum, strata_of, text_of

PILOT = 2 * BLOCK  # rows that tell how often a model makes by itself what is asked
OFTEN = (
    0.1  # share of rows that obey `where` by themselves, from which on they are drawn freely and the others left out
)


@dataclass(frozen=True)
class SettledRequest(Request):
    """A request that was settled against a model.

    rules: obeyed by every row; strata: how many rows of which kind, () for any; guided: whether the model is given the
    conditions, instead of drawing freely; report: for people.
    """

    rules: tuple[Rule, ...] = ()
    strata: tuple[Stratum, ...] = ()
    guided: bool = False
    report: Mapping[str, Any] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether the rows of a model are taken as they come."""
        return not self.rules and self.where is None and not self.strata

    @property
    def looked_at(self) -> frozenset[str]:
        """Columns that decide whether a row is taken."""
        named = [rule.columns for rule in self.rules] + ([] if self.where is None else [self.where.columns])
        return frozenset().union(*named, *(stratum.values for stratum in self.strata[:1]))

    def counts(self, block: int) -> np.ndarray:
        """The rows of each stratum in a block; over all blocks as many as requested. (strata,), one if there are none

        Row r of the output stands at r * stride (mod rows) among the rows sorted by stratum, so that each block has
        about its share of each stratum and no block has to know of the others.
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
        return table[tuple(codes)]  # code -1, another value, looks up the last place

    @cached_property
    def _table(self) -> tuple[dict[str, list[Any]], np.ndarray]:
        """The levels of the columns of the strata, and the stratum of each combination of their codes; one more
        place per column for other values.
        """
        levels = {
            name: list(dict.fromkeys(stratum.values[name] for stratum in self.strata)) for name in self.strata[0].values
        }
        table = np.full([len(values) + 1 for values in levels.values()], -1, dtype=np.int64)
        for number, stratum in enumerate(self.strata):
            table[tuple(levels[name].index(value) for name, value in stratum.values.items())] = number
        return levels, table

    def accepts(self, frame: pd.DataFrame) -> np.ndarray:
        """Which rows `where` is true of. (rows,) bool"""
        if self.where is None:
            return np.ones(len(frame), dtype=bool)
        return self.where.evaluate(frame).fillna(False).to_numpy(dtype=bool)

    def to_json(self) -> dict[str, Any]:
        """For another process, which derives `allowed` from `where` again."""
        own = {} if self.block_size == BLOCK else {"block_size": self.block_size}
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
        )


def settle(request: Request, model: Model, schema: Schema, rules: Sequence[Rule]) -> SettledRequest:
    """How a model meets a request: freely or guided, and how many rows of each stratum.

    Raises SpecError for a request that names columns or values that do not exist, FitError for one that no row meets.
    """
    where = request.where
    assert where is None or isinstance(where, Expression)  # parse_where made it
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
    report["found_by"] = "steering the model" if guided else "choosing among rows"
    return replace(plain, strata=strata, guided=guided, allowed=allowed, report=report)


def parse_where(text: str) -> Expression:
    """The expression of `generate.where`. Raises SpecError that names the key."""
    try:
        return parse(text)
    except SpecError as error:
        raise SpecError(f"generate.where: {error}") from None


def _check_where(where: Predicate, schema: Schema) -> None:
    """Raises SpecError for columns that do not exist and for kinds that do not compare."""
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
    """Raises SpecError for a value that is balanced and that `where` rules out."""
    for stratum in strata:
        for name, value in stratum.values.items():
            if name in allowed and not fits(value, allowed[name]):
                raise SpecError(
                    f"generate.balance.{name}: asks for {text_of(value)}, which generate.where rules out:"
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
    """Raises FitError if no row of the pilot meets `where` and the model takes no conditions or knows no such value."""
    if share or where is None:
        return
    text = where.text
    if made := sorted(name for name in where.columns if schema[name].kind not in frames.MODELLED):
        raise FitError(
            f"generate.where: none of {rows:,} rows meets {text}: {made[0]} is of type {schema[made[0]].kind}, whose"
            " values are made up and never learned; remedy: a condition on other columns"
        )
    if not model.completes:
        raise FitError(
            f"generate.where: none of {rows:,} rows that the model draws by itself meets {text}; "
            "remedy: a weaker condition, or trees or arnet, which can be told"
        )
    try:
        model.complete(Request(1, allowed=allowed), 0, rng=np.random.default_rng(0))
    except FitError as error:
        raise FitError(f"generate.where: {error}") from None


def drawable(model: Model, request: Request) -> int:
    """The rows that a model can draw at once: a block, or fewer if it has fewer unique keys than that."""
    try:
        model.check(Request(request.block_size))
    except SpecError:
        return min(request.rows, request.block_size)
    return request.block_size


def _pilot(model: Model, request: Request, allowed: Mapping[str, Allowed]) -> pd.DataFrame:
    """Rows that the model draws freely, or given what columns may hold."""
    size = drawable(model, request)
    drawn: list[Any] = []
    for i in range(-(-PILOT // max(size, PILOT // 64))):
        rng = seeds.stream(request.seed, "pilot", bool(allowed), i)
        some = Request(size, block_size=size, allowed=allowed)
        drawn.append(model.complete(some, 0, rng=rng) if allowed else model.sample(some, 0, rng=rng))
    return pd.concat([table.frame for table in drawn], ignore_index=True)


def achieved(request: SettledRequest, counts: Mapping[int, int]) -> list[dict[str, Any]]:
    """Requested against achieved, per balanced column and value. counts: number of a stratum -> its rows"""
    rows: dict[tuple[str, str], list[int]] = {}
    for number, stratum in enumerate(request.strata):
        for name, value in stratum.values.items():
            both = rows.setdefault((name, text_of(value)), [0, 0])
            both[0] += stratum.rows
            both[1] += counts.get(number, 0)
    return [
        {"column": name, "value": value, "requested": both[0], "achieved": both[1]}
        for (name, value), both in rows.items()
    ]


def gap_of(request: SettledRequest, counts: Mapping[int, int], target: str) -> float:
    """The demographic parity gap of the output. counts: number of a stratum -> its rows"""
    levels, table = request._table
    rows = np.array(
        [*(counts.get(number, 0) for number in range(len(request.strata))), 0], dtype=float
    )  # the last place: no stratum
    return parity_gap(rows[table], list(levels).index(target))
