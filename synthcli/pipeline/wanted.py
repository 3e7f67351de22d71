"""What `generate` asks for, settled against a model before any row is made: how many rows of which kind, and how they are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from synthcli import seeds
from synthcli.columns import implied
from synthcli.columns.atoms import kinds_of
from synthcli.columns.constraints import Rule
from synthcli.columns.expressions import Expression, parse
from synthcli.columns.rules import parse_rule
from synthcli.contracts import BLOCK, Allowed, Model, Request, Schema
from synthcli.errors import FitError, SpecError, did_you_mean
from synthcli.spec.models import Generate

PILOT = 2  # blocks that tell how often a model makes by itself what is asked
OFTEN = 0.1  # share of rows that obey `where` by themselves, from which on they are drawn freely and the others left out
CELLS = 2000  # combinations of balanced columns, at most
LABELS = 100  # distinct values of a balanced or sensitive column, at most
EVEN = 0.5  # rows of the pilot that a combination which it does not hold counts as


@dataclass(frozen=True)
class Cell:
    """Rows that share some values, None for null; how many of them are asked for."""

    values: Mapping[str, Any]
    rows: int

    def holds(self, frame: pd.DataFrame) -> np.ndarray:
        """Which rows belong to it. (rows,) bool"""
        out = np.ones(len(frame), dtype=bool)
        for name, value in self.values.items():
            out &= (frame[name].isna() if value is None else (frame[name] == value).fillna(False)).to_numpy(dtype=bool)
        return out

    @property
    def text(self) -> str:
        return " and ".join(f"{name} is {'null' if value is None else repr(value)}" for name, value in self.values.items())


@dataclass(frozen=True)
class Wanted:
    """rows, in all; rules that every row obeys; where: what else is true of each; cells: how many rows of which kind, () for any.

    guided: the model is told what is asked, rather than drawing freely. allowed: what `where` says of single columns. report: for people.
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

    def counts(self) -> np.ndarray:
        """Rows of each cell in each block; in all as many as asked. (blocks, cells)"""
        left = np.array([cell.rows for cell in self.cells], dtype=np.int64)
        out = np.zeros((self.request.blocks, len(left)), dtype=np.int64)
        for block in range(len(out)):
            size = self.request.size(block)
            out[block] = np.minimum(largest_remainder(left * (size / left.sum()), size), left)
            left -= out[block]
        return out

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
        allowed = {} if where is None else implied.allowed(where, kinds_of(schema)) or {}
        cells = tuple(Cell(c["values"], c["rows"]) for c in data["cells"])
        return cls(data["rows"], data["seed"], tuple(parse_rule(r) for r in data["rules"]), where, cells, data["guided"], allowed)


def settle(asked: Generate, rows: int, model: Model, schema: Schema, rules: Sequence[Rule], seed: int) -> Wanted:
    """Raises SpecError for a request that names what is not there, FitError for one that no row can meet."""
    where = None if asked.where is None else parse(asked.where)
    plain = Wanted(rows, seed, tuple(rules), where)
    if where is None and not asked.balance and asked.fairness is None:
        return plain
    kinds = kinds_of(schema)
    allowed = {} if where is None else implied.allowed(where, kinds)
    if allowed is None:
        raise SpecError(f"generate.where: no row can meet {asked.where}: it contradicts itself")
    pilot = _pilot(model, seed)
    share = float(plain.accepts(pilot).mean())
    report: dict[str, Any] = {} if where is None else {"where": asked.where, "share_by_itself": share}
    cells: tuple[Cell, ...] = ()
    if asked.balance or asked.fairness is not None:
        cells = _cells(asked, rows, pilot[plain.accepts(pilot)] if share >= 0.01 else pilot, schema, model.COMPLETES, report)
    guided = model.COMPLETES and (bool(cells) or share < OFTEN)
    if not model.COMPLETES and share == 0:
        raise FitError(
            f"generate.where: none of {len(pilot)} rows that the model draws by itself meets {asked.where}; remedy: trees or arnet, which can be told"
        )
    return Wanted(
        rows, seed, tuple(rules), where, cells, guided, allowed, report | {"found_by": "steering the model" if guided else "choosing among rows"}
    )


def _pilot(model: Model, seed: int) -> pd.DataFrame:
    """Rows as the model makes them by itself, on positions that no output has."""
    request = Request(PILOT * BLOCK)
    drawn: list[Any] = [model.sample(request, block, rng=seeds.stream(seed, "pilot", block)) for block in range(PILOT)]
    return pd.concat([table.frame for table in drawn], ignore_index=True)


def _cells(asked: Generate, rows: int, pilot: pd.DataFrame, schema: Schema, told: bool, report: dict[str, Any]) -> tuple[Cell, ...]:
    """Every combination of the balanced columns with its rows: the model's own joint distribution, fitted to the margins asked for."""
    margins = {name: _margin(name, shares, pilot, schema, told) for name, shares in (asked.balance or {}).items()}
    fair = asked.fairness
    names = list(dict.fromkeys([*margins, *((*fair.sensitive, fair.target) if fair is not None else ())]))
    levels = {name: list(margins[name]) if name in margins else _levels(name, pilot, schema) for name in names}
    if (size := int(np.prod([len(v) for v in levels.values()]))) > CELLS:
        raise SpecError(f"generate: {' × '.join(names)} have {size} combinations; at most {CELLS} can be balanced; remedy: fewer columns")
    joint = _joint(pilot, levels)
    if fair is not None:
        report["fairness"] = {"target": fair.target, "sensitive": list(fair.sensitive), "gap_before": parity_gap(joint, names.index(fair.target))}
        joint = _independent(joint, names.index(fair.target))
    joint = _fitted(joint, [np.array(list(margins[n].values())) if n in margins else None for n in names])
    counts = _whole(joint * rows, rows)
    if fair is not None:
        report["fairness"]["gap_asked"] = parity_gap(counts.astype(float), names.index(fair.target))
    found = []
    for place, values in zip(np.ndindex(*joint.shape), product(*levels.values())):
        if counts[place]:
            found.append(Cell(dict(zip(names, values)), int(counts[place])))
    return tuple(found)


def _levels(name: str, pilot: pd.DataFrame, schema: Schema) -> list[Any]:
    """The distinct values of a column, null as None."""
    if name not in schema.names:
        raise SpecError(f"generate: there is no column {name!r}.{did_you_mean(name, schema.names)}")
    values = pilot[name]
    known = sorted((v.item() if isinstance(v, np.generic) else v for v in values.dropna().unique()), key=str)
    if len(known) > LABELS:
        raise SpecError(
            f"generate: {name} has {len(known)} values, at most {LABELS} can be balanced; remedy: a column of bands, by `expr` at the source"
        )
    return [*known, *([None] if values.isna().any() else [])]


def _margin(name: str, shares: Mapping[Any, float], pilot: pd.DataFrame, schema: Schema, told: bool) -> dict[Any, float]:
    """Value -> share, summing to 1: what is left unsaid is shared out among the other values as they are."""
    levels = _levels(name, pilot, schema)
    by_text = {_text(level): level for level in levels}
    asked: dict[Any, float] = {}
    for value, share in shares.items():
        text = _text(value)
        if text not in by_text and told and pd.api.types.is_string_dtype(pilot[name].dtype):
            levels.append(text)  # too rare for the pilot, perhaps: the model knows whether it has learned it
            by_text[text] = text
        if text not in by_text:
            raise SpecError(f"generate.balance.{name}: there is no value {text!r}.{did_you_mean(text, by_text)} Known: {', '.join(by_text)}")
        asked[by_text[text]] = share
    rest = 1 - sum(asked.values())
    if rest < -1e-9:
        raise SpecError(f"generate.balance.{name}: the shares add up to {sum(asked.values()):g}; expected at most 1")
    others = [level for level in levels if level not in asked]
    if rest > 1e-9 and not others:
        raise SpecError(f"generate.balance.{name}: the shares of all values add up to {sum(asked.values()):g}; expected 1")
    if rest > 1e-9:
        own = np.array([max((pilot[name].isna() if v is None else pilot[name] == v).sum(), EVEN) for v in others], dtype=float)
        asked |= dict(zip(others, rest * own / own.sum()))
    return asked


def _text(value: Any) -> str:
    """How a value is written as a key of the spec."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _joint(pilot: pd.DataFrame, levels: Mapping[str, Sequence[Any]]) -> np.ndarray:
    """Shares of all combinations in the pilot, none of them 0."""
    places = []
    for name, values in levels.items():
        place = np.full(len(pilot), -1)
        for i, value in enumerate(values):
            place[(pilot[name].isna() if value is None else (pilot[name] == value).fillna(False)).to_numpy(dtype=bool)] = i
        places.append(place)
    shape = tuple(len(v) for v in levels.values())
    seen = np.all([p >= 0 for p in places], axis=0)
    counts = np.bincount(np.ravel_multi_index([p[seen] for p in places], shape), minlength=int(np.prod(shape))).reshape(shape).astype(float)
    if counts.ndim > 1:  # combinations that the pilot lacks stay impossible unless a margin needs them
        counts = np.where(counts > 0, counts, 1e-6)
    else:
        counts = np.maximum(counts, EVEN)
    return counts / counts.sum()


def _independent(joint: np.ndarray, target: int) -> np.ndarray:
    """The same distribution of the target in every group of the others."""
    others = tuple(i for i in range(joint.ndim) if i != target)
    return joint.sum(axis=target, keepdims=True) * joint.sum(axis=others, keepdims=True)


def _fitted(joint: np.ndarray, margins: Sequence[np.ndarray | None]) -> np.ndarray:
    """Iterative proportional fitting (Deming & Stephan 1940)."""
    for _ in range(500):
        before = joint
        for axis, margin in enumerate(margins):
            if margin is not None:
                others = tuple(i for i in range(joint.ndim) if i != axis)
                now = joint.sum(axis=others)
                shape = [-1 if i == axis else 1 for i in range(joint.ndim)]
                joint = joint * np.divide(margin, now, out=np.zeros_like(now), where=now > 0).reshape(shape)
        if np.abs(joint - before).max() < 1e-12:
            break
    return joint / joint.sum()


def _whole(target: np.ndarray, rows: int) -> np.ndarray:
    """Whole numbers that add up to `rows`, each within one of its target, and their margins as near to the targets' as they can be."""
    if target.ndim == 1:
        return largest_remainder(target, rows)
    from scipy import optimize, sparse

    floor = np.floor(target + 1e-9).astype(np.int64)
    places = np.arange(target.size).reshape(target.shape)
    wants, lines = [], []
    for axis in range(target.ndim):
        others = tuple(i for i in range(target.ndim) if i != axis)
        want = largest_remainder(target.sum(axis=others), rows)
        for i, total in enumerate(want):
            lines.append(np.isin(np.arange(target.size), np.take(places, i, axis=axis)))
            wants.append(total - np.take(floor, i, axis=axis).sum())
    # a cell is rounded up or not; each margin may miss its number by what it pays for, down or up
    cells = sparse.csr_matrix(np.array(lines, dtype=float))
    slack = sparse.identity(len(lines))
    whole = sparse.csr_matrix(np.ones((1, target.size)))
    matrix = sparse.bmat([[cells, slack, -slack], [whole, None, None]]).tocsr()
    bounds = np.array([*wants, rows - floor.sum()], dtype=float)
    near = floor.ravel() - target.ravel()  # rounding up what is nearly there costs least
    cost = np.concatenate([1e-3 * near, np.ones(2 * len(lines))])
    upper = np.concatenate([np.ones(target.size), np.full(2 * len(lines), np.inf)])
    solved = optimize.milp(
        cost,
        constraints=optimize.LinearConstraint(matrix, bounds, bounds),
        integrality=np.concatenate([np.ones(target.size), np.zeros(2 * len(lines))]),
        bounds=optimize.Bounds(0, upper),
    )
    if solved.x is None:
        return largest_remainder(target.ravel(), rows).reshape(target.shape)
    return floor + np.rint(solved.x[: target.size]).astype(np.int64).reshape(target.shape)


def largest_remainder(target: np.ndarray, total: int) -> np.ndarray:
    """Whole numbers near `target` that add up to `total` (Hamilton's method). (n,)"""
    floor = np.floor(target + 1e-9).astype(np.int64)
    short = total - int(floor.sum())
    out = floor.copy()
    out[np.argsort(floor - target, kind="stable")[: max(0, short)]] += 1
    return out


def achieved(wanted: Wanted, counts: Mapping[int, int]) -> list[dict[str, Any]]:
    """Requested against achieved, per balanced column and value. counts: number of a cell -> rows of the output"""
    rows: dict[tuple[str, str], list[int]] = {}
    for number, cell in enumerate(wanted.cells):
        for name, value in cell.values.items():
            both = rows.setdefault((name, _text(value)), [0, 0])
            both[0] += cell.rows
            both[1] += counts.get(number, 0)
    return [{"column": name, "value": value, "requested": both[0], "achieved": both[1]} for (name, value), both in rows.items()]


def parity_gap(joint: np.ndarray, target: int) -> float:
    """Demographic parity gap: the largest difference between groups in the share of any value of the target. joint: counts or shares

    Groups of less than one in a thousand rows are left out.
    """
    table = np.moveaxis(joint, target, -1).reshape(-1, joint.shape[target])
    size = table.sum(1)
    share = table[size >= 1e-3 * size.sum()] / size[size >= 1e-3 * size.sum(), None]
    return float((share.max(0) - share.min(0)).max()) if len(share) > 1 else 0.0
