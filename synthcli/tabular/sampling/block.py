"""The rows of one block: drawn, looked at, and drawn again until there are as many as were asked, each as it was asked.

Block i depends on (model, what is wanted, i) alone, so that any process may make any block. What is left to whoever
puts the blocks together, in order, is what one block cannot know of another: rows that must not repeat (`finish`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import numpy as np
import pandas as pd

from synthcli import seeds
from synthcli.columns import frame as frames
from synthcli.columns.constraints.table_rules import Unique
from synthcli.columns.constraints.uniqueness import Watch
from synthcli.columns.fake import generate as fake
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Allowed, Model, Request
from synthcli.contracts.schema import Schema
from synthcli.errors import FitError
from synthcli.tabular.sampling.request import OFTEN, SettledRequest, Stratum, drawable

TRIES = 2000  # times that a block's missing rows are drawn
IN_VAIN = 20  # of them without a single row, after which there is no hope
SPARE = 1.2  # rows that a model is asked for, per row that is missing
RAREST = (
    1e-4  # share of rows of use that a model is taken to have, at least: of rarer ones, IN_VAIN whole blocks are drawn
)
LOSSY = ("float", "halffloat", "decimal", "time32", "time64")  # storage types that hold less than a frame does
ANY = Stratum({}, 0)


@dataclass
class Tally:
    """What became of the rows: how many were drawn and made, and how many each rule and `where` refused."""

    drawn: int = 0
    made: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    strata: dict[int, int] = field(default_factory=dict)  # number of a cell -> its rows, as counted in the output

    def add(self, other: Tally) -> None:
        self.drawn += other.drawn
        self.made += other.made
        _add(self.refused, other.refused)
        _add(self.repaired, other.repaired)
        _add(self.strata, other.strata)


def _add(mine: dict[Any, int], others: dict[Any, int]) -> None:
    for name, number in others.items():
        mine[name] = mine.get(name, 0) + number


class BlockGenerator:
    """Makes the blocks of what is wanted from a model. schema: of the rows that it makes."""

    def __init__(self, model: Model, request: SettledRequest, schema: Schema) -> None:
        self.model, self.request, self.schema = model, request, schema
        self.most = drawable(model, request)
        # columns that are made up by position get their values last, so that keys are unique and in a row whatever was
        # left out
        by_position = model.made_up(0, 0, rng=np.random.default_rng(0))
        self.numbered = by_position is not None and not (_deciding(request, schema) & by_position.keys())

    def make(self, block: int) -> tuple[Table, Tally]:
        """The rows of a block, which obey all but what looks at other blocks; with what became of those that were
        drawn.
        """
        request = self.request
        if request.plain:
            table: Any = self.model.sample(request, block, rng=seeds.stream(request.seed, "generate", block, 0))
            return table, Tally(len(table), len(table), repaired=self._repaired())
        tally = Tally()
        frame = self._rows(block, request.counts(block), count(), Watch(request.rules), tally)
        if request.strata:
            frame = frame.iloc[seeds.stream(request.seed, "mix", block).permutation(len(frame))]
        table = self._positioned(block, frame)
        tally.made = len(table)
        tally.repaired = self._repaired()
        tally.strata = (
            dict(enumerate(np.bincount(request.stratum_of(table.frame), minlength=len(request.strata)).tolist()))
            if request.strata
            else {}
        )
        return table, tally

    def finish(self, block: int, table: Table, watch: Watch, tally: Tally) -> Table:
        """The block with rows that break a rule beside those of earlier blocks drawn again. watch: has seen the earlier
        blocks.
        """
        frame = table.frame
        broken = watch.broken(frame)
        if (wrong := broken.any(axis=0)).any():
            _count(tally, watch, broken)
            mine = watch.fork()
            mine.accept(frame[~wrong])
            short = np.bincount(self.request.stratum_of(frame[wrong]), minlength=max(1, len(self.request.strata)))
            again = self._rows(block, short, count(TRIES * (len(short) + 1)), mine, tally)
            frame = pd.concat([frame[~wrong], again], ignore_index=True)
            frame = self._positioned(
                block, frame.iloc[seeds.stream(self.request.seed, "mix again", block).permutation(len(frame))]
            ).frame
        watch.accept(frame)
        return Table(frame, table.schema)

    def _rows(self, block: int, short: np.ndarray, attempts: Iterator[int], watch: Watch, tally: Tally) -> pd.DataFrame:
        """`short` rows of each cell: first of whatever cell the model draws, then of those that it seldom draws, where
        it can be told.

        Raises FitError where they cannot be had. watch: sees the rows.
        """
        short, pieces = short.copy(), []
        told = self.request.guided and bool(self.request.strata)
        pieces.append(self._filled(block, short, ANY, attempts, watch, tally, least=OFTEN if told else 0.0))
        for number in np.flatnonzero(short) if told else ():
            alone = np.where(np.arange(len(short)) == number, short, 0)
            pieces.append(self._filled(block, alone, self.request.strata[number], attempts, watch, tally))
        return pd.concat(pieces, ignore_index=True)

    def _filled(
        self,
        block: int,
        short: np.ndarray,
        kind: Stratum,
        attempts: Iterator[int],
        watch: Watch,
        tally: Tally,
        *,
        least: float = 0.0,
    ) -> pd.DataFrame:
        """Rows drawn as those of a cell until no cell is short of any; `short` is counted down. least: share of rows of
        use, to go on.
        """
        kept: list[pd.DataFrame] = []
        vain, share, lacks = 0, 1.0, dict[str, int]()
        total = int(short.sum())
        for attempt, _ in zip(attempts, range(TRIES)):
            frame = self._drawn(kind, block, min(self.most, int(short.sum() / share * SPARE) + 16), attempt)
            stratum, wrong = self.request.stratum_of(frame), self._wrong(frame, watch)
            for name, mask in wrong.items():
                lacks[name] = lacks.get(name, 0) + int((~mask).sum())
                if mask.any():
                    tally.refused[name] = tally.refused.get(name, 0) + int(mask.sum())
            if kind.values:
                lacks[kind.text] = lacks.get(kind.text, 0) + int((short[stratum] * (stratum >= 0) > 0).sum())
            tally.drawn += len(frame)
            good = ~np.any(list(wrong.values()), axis=0) if wrong else np.ones(len(frame), dtype=bool)
            fresh = frame[_first(np.where(good, stratum, -1), short)]
            short -= np.bincount(self.request.stratum_of(fresh), minlength=len(short))
            kept.append(fresh)
            watch.accept(fresh)
            share = max(RAREST, len(fresh) / len(frame))
            vain = 0 if len(fresh) else vain + 1
            if not short.any() or share < least:
                return pd.concat(kept, ignore_index=True)
            if vain == IN_VAIN:
                break
        raise FitError(_hopeless(self.request, kind, short, total, lacks))

    def _drawn(self, kind: Stratum, block: int, rows: int, attempt: int) -> pd.DataFrame:
        """Rows that may be of the cell."""
        request = self.request
        rng = seeds.stream(request.seed, "generate", block, attempt)
        place = 0 if self.numbered else block + attempt * request.blocks
        within = {name: _exactly(value) for name, value in kind.values.items()}
        within |= {name: bound for name, bound in request.allowed.items() if name not in within}
        made: Any
        if request.guided and within:
            made = self.model.complete(Request(rows, allowed=within), place * request.block_size, rng=rng)
        else:
            some = Request(place * request.block_size + rows, block_size=request.block_size)
            made = self.model.sample(some, place, rng=rng)
        return self._stored(made.frame)

    def _stored(self, frame: pd.DataFrame) -> pd.DataFrame:
        """As the rows are once they are written, so that what holds here holds of the file."""
        if not any(column.storage.startswith(LOSSY) for column in self.schema.columns):
            return frame
        return frames.to_frame(frames.to_arrow(frame, self.schema), self.schema)

    def _positioned(self, block: int, frame: pd.DataFrame) -> Table:
        """The rows of a block with what is made up by position."""
        frame = frame.reset_index(drop=True)
        if self.numbered:
            own = self.model.made_up(
                len(frame), block * self.request.block_size, rng=seeds.stream(self.request.seed, "made", block)
            )
            frame = frame.assign(**(own or {}))
        return Table(frame, self.schema)

    def _wrong(self, frame: pd.DataFrame, watch: Watch) -> dict[str, np.ndarray]:
        """What is asked of every row -> which rows do not have it; a unique rule looks only at rows that all else is
        true of.
        """
        out: dict[str, np.ndarray] = {}
        so_far = np.zeros(len(frame), dtype=bool)
        if self.request.where is not None:
            out[f"where: {self.request.where.text}"] = so_far = ~self.request.accepts(frame)
        if watch.rules:
            broken = np.zeros((len(watch.rules), len(frame)), dtype=bool)
            broken[:, ~so_far] = watch.broken(frame[~so_far].reset_index(drop=True))
            out |= {rule.text: broken[i] for i, rule in enumerate(watch.rules)}
        return out

    def _repaired(self) -> dict[str, int]:
        """What the model has repaired since it was last asked."""
        counts: dict[str, int] = getattr(self.model, "repaired", {})
        out = {name: number for name, number in counts.items() if number}
        counts.clear()
        return out


def _first(stratum: np.ndarray, short: np.ndarray) -> np.ndarray:
    """Which rows are taken: the first of each cell, as many as it is short of. cell: (rows,), -1 for none. (rows,)
    bool
    """
    rank = pd.Series(stratum).groupby(stratum).cumcount().to_numpy()
    return (stratum >= 0) & (rank < short[stratum])


def _deciding(request: SettledRequest, schema: Schema) -> frozenset[str]:
    """Columns that decide whether a row is taken; not those of rules that hold by themselves, as no row repeats a key
    that is unique.
    """

    def counted(name: str) -> bool:
        column = schema[name]
        if column.kind in frames.MODELLED or not fake.unique(column):
            return False
        return (room := fake.capacity(column)) is None or room >= request.rows

    rules = tuple(r for r in request.rules if not (isinstance(r, Unique) and any(counted(name) for name in r.of)))
    return replace(request, rules=rules).looked_at


def _exactly(value: Any) -> Allowed:
    return Allowed(values=frozenset(), null=True) if value is None else Allowed(values=frozenset({value}))


def _count(tally: Tally, watch: Watch, broken: np.ndarray) -> None:
    for rule, rows in zip(watch.rules, broken.sum(axis=1).tolist()):
        if rows:
            tally.refused[rule.text] = tally.refused.get(rule.text, 0) + rows


def _hopeless(request: SettledRequest, kind: Stratum, short: np.ndarray, total: int, lacks: dict[str, int]) -> str:
    """Why rows could not be made: what none of them had, else what few had."""
    short_of = [request.strata[i] for i in np.flatnonzero(short)] if request.strata else [kind]
    what = f" where {short_of[0].text}" if short_of[0].values else ""
    more = f" (and of {len(short_of) - 1} other kinds)" if len(short_of) > 1 else ""
    start = f"generate: {total - int(short.sum())} of {total} rows could be made, none more{what}{more}"
    if never := [name for name, rows in lacks.items() if rows == 0]:
        return f"{start}: no row that was drawn has {', nor '.join(never)}; remedy: ask for what the source has"
    rare = min(lacks, key=lambda name: lacks[name], default=short_of[0].text)
    all_of = (
        f" that have all of: {'; '.join(lacks)} (rarest: {rare})"
        if len(lacks) > 1
        else f": {rare} is too rare"
        if rare
        else ""
    )
    remedy = "" if request.guided else ", or a method that can be told what is asked (trees, arnet)"
    return f"{start}{all_of}; remedy: fewer rows, or a weaker constraint{remedy}"
