"""What `generate` asks for, settled against a model before any row is made: how many rows of which kind, and how they
are found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import gcd
from typing import TYPE_CHECKING, Any

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
from synthcli.contracts.modelling import BLOCK, Allowed, Given, Model, Request
from synthcli.contracts.schema import Schema
from synthcli.errors import FitError, SpecError, did_you_mean, listed
from synthcli.tabular.sampling.raking import codes_of, parity_gap
from synthcli.tabular.sampling.strata import Cell, cells_of, text_of

if TYPE_CHECKING:
    from synthcli.spec.models import Generate  # which a worker has no use for

PILOT = 2 * BLOCK  # rows that tell how often a model makes by itself what is asked
OFTEN = (
    0.1  # share of rows that obey `where` by themselves, from which on they are drawn freely and the others left out
)


@dataclass(frozen=True)
class Wanted:
    """rows, in all; rules that every row obeys; where: what else is true of each; cells: how many rows of which kind,
    () for any.

    guided: the model is told what is asked, rather than drawing freely. allowed: what `where` says of single columns.
    report: for people.
    """

    rows: int
    seed: int
    rules: tuple[Rule, ...] = ()
    where: Expression | None = None
    cells: tuple[Cell, ...] = ()
    guided: bool = False
    allowed: Mapping[str, Allowed] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)

    @property
    def request(self) -> Request:
        return Request(self.rows)

    @property
    def plain(self) -> bool:
        """Whether the rows of a model are taken as they come."""
        return not self.rules and self.where is None and not self.cells

    @property
    def looked_at(self) -> frozenset[str]:
        """Columns that decide whether a row is taken."""
        named = [rule.columns for rule in self.rules] + ([] if self.where is None else [self.where.columns])
        return frozenset().union(*named, *(cell.values for cell in self.cells[:1]))

    def counts(self, block: int) -> np.ndarray:
        """Rows of each cell in a block; over all blocks as many as asked. (cells,), one for any row where there are no
        cells

        Row r of the output stands at r * stride (mod rows) among the rows sorted by cell, so that each block has about
        its share of each cell and none has to know of the others.
        """
        size = self.request.size(block)
        if not self.cells:
            return np.array([size])
        stride = max(1, round(self.rows * 0.6180339887498949))
        while gcd(stride, self.rows) > 1:
            stride += 1
        first = block * BLOCK * stride % self.rows
        place = (first + np.arange(size, dtype=np.int64) * stride) % self.rows
        edges = np.cumsum([cell.rows for cell in self.cells])
        return np.bincount(np.searchsorted(edges, place, side="right"), minlength=len(self.cells))

    def cell_of(self, frame: pd.DataFrame) -> np.ndarray:
        """The number of the cell that each row belongs to, -1 for none; 0 where there are no cells. (rows,) int64"""
        if not self.cells:
            return np.zeros(len(frame), dtype=np.int64)
        levels, table = self._table
        codes = [codes_of(frame[name], values) for name, values in levels.items()]
        return table[tuple(codes)]  # code -1, another value, looks up the last place

    @cached_property
    def _table(self) -> tuple[dict[str, list[Any]], np.ndarray]:
        """Levels of the columns of the cells, and the cell of each combination of their codes; one more place per
        column for other values.
        """
        levels = {name: list(dict.fromkeys(cell.values[name] for cell in self.cells)) for name in self.cells[0].values}
        table = np.full([len(values) + 1 for values in levels.values()], -1, dtype=np.int64)
        for number, cell in enumerate(self.cells):
            table[tuple(levels[name].index(value) for name, value in cell.values.items())] = number
        return levels, table

    def accepts(self, frame: pd.DataFrame) -> np.ndarray:
        """Which rows `where` is true of. (rows,) bool"""
        if self.where is None:
            return np.ones(len(frame), dtype=bool)
        return self.where.evaluate(frame).fillna(False).to_numpy(dtype=bool)

    def to_json(self) -> dict[str, Any]:
        """For another process; what steers a model is worked out again there."""
        return {
            "rows": self.rows,
            "seed": self.seed,
            "rules": [rule.to_json() for rule in self.rules],
            "where": None if self.where is None else self.where.text,
            "cells": [{"values": dict(cell.values), "rows": cell.rows} for cell in self.cells],
            "guided": self.guided,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], schema: Schema) -> Wanted:
        where = None if data["where"] is None else parse(data["where"])
        allowed = {} if where is None else bounds.allowed(where, kinds_of(schema)) or {}
        cells = tuple(Cell(c["values"], c["rows"]) for c in data["cells"])
        return cls(
            data["rows"],
            data["seed"],
            tuple(parse_rule(r) for r in data["rules"]),
            where,
            cells,
            data["guided"],
            allowed,
        )


def settle(asked: Generate, rows: int, model: Model, schema: Schema, rules: Sequence[Rule], seed: int) -> Wanted:
    """Raises SpecError for a request that names what is not there, FitError for one that no row can meet."""
    where = None if asked.where is None else _where(asked.where, schema)
    plain = Wanted(rows, seed, tuple(rules), where)
    if where is None and not asked.balance and asked.fairness is None:
        return plain
    allowed = {} if where is None else bounds.allowed(where, kinds_of(schema))
    if allowed is None:
        raise SpecError(f"generate.where: no row can meet {asked.where}: it contradicts itself")
    if where is not None and (why := impossible(where.text, where, rules, schema)) is not None:
        raise SpecError(f"generate.where: {why}")
    pilot = _pilot(model, rows, {}, seed)
    share = float(plain.accepts(pilot).mean())
    _check_found(asked.where, share, len(pilot), where, allowed, model, schema)
    report: dict[str, Any] = {} if where is None else {"where": asked.where, "share_by_itself": share}
    cells: tuple[Cell, ...] = ()
    if asked.balance or asked.fairness is not None:
        if share < OFTEN and model.COMPLETES and allowed:
            pilot = _pilot(model, rows, allowed, seed)
        cells = cells_of(asked, rows, pilot[plain.accepts(pilot)], model, schema, report)
        _check_cells(cells, allowed, asked)
    guided = model.COMPLETES and (bool(cells) or share < OFTEN)
    found_by = {"found_by": "steering the model" if guided else "choosing among rows"}
    return Wanted(rows, seed, tuple(rules), where, cells, guided, allowed, report | found_by)


def _where(text: str, schema: Schema) -> Expression:
    """Raises SpecError for what cannot be read, for columns that are not there and for kinds that do not compare."""
    try:
        where = parse(text)
        empty = {
            c.name: frames.series(pa.chunked_array([], type=frames.arrow_type(c.storage)), c.kind)
            for c in schema.columns
        }
        if where.columns <= empty.keys():
            parse_constraint(text).check({column.name: column.kind for column in schema.columns})
            where.evaluate(pd.DataFrame(empty))
    except SpecError as error:
        raise SpecError(f"generate.where: {error}") from None
    if unknown := sorted(where.columns - set(schema.names)):
        raise SpecError(
            f"generate.where: there is no column {unknown[0]!r}.{did_you_mean(unknown[0], schema.names)} Columns:"
            f" {listed(schema.names)}"
        )
    return where


def _check_cells(cells: Sequence[Cell], allowed: Mapping[str, Allowed], asked: Generate) -> None:
    """Raises SpecError for a value that is balanced and that `where` rules out."""
    for cell in cells:
        for name, value in cell.values.items():
            if name in allowed and not fits(value, allowed[name]):
                raise SpecError(
                    f"generate.balance.{name}: asks for {text_of(value)}, which generate.where rules out:"
                    f" {asked.where}; remedy: keep one of them"
                )


def _check_found(
    text: str | None,
    share: float,
    rows: int,
    where: Expression | None,
    allowed: Mapping[str, Allowed],
    model: Model,
    schema: Schema,
) -> None:
    """Raises FitError where no row of the pilot is as asked and the model cannot be told, or knows no such value."""
    if share or where is None:
        return
    if made := sorted(name for name in where.columns if schema[name].kind not in frames.MODELLED):
        raise FitError(
            f"generate.where: none of {rows:,} rows meets {text}: {made[0]} is of type {schema[made[0]].kind}, whose"
            " values are made up and never learned; remedy: a condition on other columns"
        )
    if not model.COMPLETES:
        raise FitError(
            f"generate.where: none of {rows:,} rows that the model draws by itself meets {text}; "
            "remedy: a weaker condition, or trees or arnet, which can be told"
        )
    try:
        model.complete(Given(1, allowed=allowed), 0, rng=np.random.default_rng(0))
    except FitError as error:
        raise FitError(f"generate.where: {error}") from None


def drawable(model: Model, rows: int) -> int:
    """Rows that a model can be asked for at once: a block, or fewer where it has fewer unique keys than that."""
    try:
        model.check(Request(BLOCK))
    except SpecError:
        return min(rows, BLOCK)
    return BLOCK


def _pilot(model: Model, rows: int, allowed: Mapping[str, Allowed], seed: int) -> pd.DataFrame:
    """Rows as the model makes them: by itself, or where it is told what columns may hold."""
    size = drawable(model, rows)
    drawn: list[Any] = []
    for i in range(-(-PILOT // max(size, PILOT // 64))):
        rng = seeds.stream(seed, "pilot", bool(allowed), i)
        drawn.append(
            model.complete(Given(size, allowed=allowed), 0, rng=rng)
            if allowed
            else model.sample(Request(size), 0, rng=rng)
        )
    return pd.concat([table.frame for table in drawn], ignore_index=True)


def achieved(wanted: Wanted, counts: Mapping[int, int]) -> list[dict[str, Any]]:
    """Requested against achieved, per balanced column and value. counts: number of a cell -> rows of the output"""
    rows: dict[tuple[str, str], list[int]] = {}
    for number, cell in enumerate(wanted.cells):
        for name, value in cell.values.items():
            both = rows.setdefault((name, text_of(value)), [0, 0])
            both[0] += cell.rows
            both[1] += counts.get(number, 0)
    return [
        {"column": name, "value": value, "requested": both[0], "achieved": both[1]}
        for (name, value), both in rows.items()
    ]


def gap_of(wanted: Wanted, counts: Mapping[int, int], target: str) -> float:
    """The demographic parity gap of the output. counts: number of a cell -> its rows"""
    levels, table = wanted._table
    rows = np.array(
        [*(counts.get(number, 0) for number in range(len(wanted.cells))), 0], dtype=float
    )  # the last place: no cell
    return parity_gap(rows[table], list(levels).index(target))
