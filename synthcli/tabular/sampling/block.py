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
from synthcli.contracts.modelling import BLOCK, Allowed, Given, Model, Request
from synthcli.contracts.schema import Schema
from synthcli.errors import FitError
from synthcli.tabular.sampling.request import OFTEN, Cell, Wanted, drawable

TRIES = 2000  # times that a block's missing rows are drawn
IN_VAIN = 20  # of them without a single row, after which there is no hope
SPARE = 1.2  # rows that a model is asked for, per row that is missing
RAREST = (
    1e-4  # share of rows of use that a model is taken to have, at least: of rarer ones, IN_VAIN whole blocks are drawn
)
LOSSY = ("float", "halffloat", "decimal", "time32", "time64")  # storage types that hold less than a frame does
ANY = Cell({}, 0)


@dataclass
class Tally:
    """What became of the rows: how many were drawn and made, and how many each rule and `where` refused."""

    drawn: int = 0
    made: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    cells: dict[int, int] = field(default_factory=dict)  # number of a cell -> its rows, as counted in the output

    def add(self, other: Tally) -> None:
        self.drawn += other.drawn
        self.made += other.made
        _add(self.refused, other.refused)
        _add(self.repaired, other.repaired)
        _add(self.cells, other.cells)


def _add(mine: dict[Any, int], others: dict[Any, int]) -> None:
    for name, number in others.items():
        mine[name] = mine.get(name, 0) + number


class Maker:
    """Makes the blocks of what is wanted from a model. schema: of the rows that it makes."""

    def __init__(self, model: Model, wanted: Wanted, schema: Schema) -> None:
        self.model, self.wanted, self.schema = model, wanted, schema
        self.most = drawable(model, wanted.rows)
        # columns that are made up by position get their values last, so that keys are unique and in a row whatever was
        # left out
        by_position = model.made_up(0, 0, rng=np.random.default_rng(0))
        self.numbered = by_position is not None and not (_deciding(wanted, schema) & by_position.keys())

    def make(self, block: int) -> tuple[Table, Tally]:
        """The rows of a block, which obey all but what looks at other blocks; with what became of those that were
        drawn.
        """
        wanted = self.wanted
        if wanted.plain:
            table: Any = self.model.sample(wanted.request, block, rng=seeds.stream(wanted.seed, "generate", block, 0))
            return table, Tally(len(table), len(table), repaired=self._repaired())
        tally = Tally()
        frame = self._rows(block, wanted.counts(block), count(), Watch(wanted.rules), tally)
        if wanted.cells:
            frame = frame.iloc[seeds.stream(wanted.seed, "mix", block).permutation(len(frame))]
        table = self._positioned(block, frame)
        tally.made = len(table)
        tally.repaired = self._repaired()
        tally.cells = (
            dict(enumerate(np.bincount(wanted.cell_of(table.frame), minlength=len(wanted.cells)).tolist()))
            if wanted.cells
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
            short = np.bincount(self.wanted.cell_of(frame[wrong]), minlength=max(1, len(self.wanted.cells)))
            again = self._rows(block, short, count(TRIES * (len(short) + 1)), mine, tally)
            frame = pd.concat([frame[~wrong], again], ignore_index=True)
            frame = self._positioned(
                block, frame.iloc[seeds.stream(self.wanted.seed, "mix again", block).permutation(len(frame))]
            ).frame
        watch.accept(frame)
        return Table(frame, table.schema)

    def _rows(self, block: int, short: np.ndarray, attempts: Iterator[int], watch: Watch, tally: Tally) -> pd.DataFrame:
        """`short` rows of each cell: first of whatever cell the model draws, then of those that it seldom draws, where
        it can be told.

        Raises FitError where they cannot be had. watch: sees the rows.
        """
        short, pieces = short.copy(), []
        told = self.wanted.guided and bool(self.wanted.cells)
        pieces.append(self._filled(block, short, ANY, attempts, watch, tally, least=OFTEN if told else 0.0))
        for number in np.flatnonzero(short) if told else ():
            alone = np.where(np.arange(len(short)) == number, short, 0)
            pieces.append(self._filled(block, alone, self.wanted.cells[number], attempts, watch, tally))
        return pd.concat(pieces, ignore_index=True)

    def _filled(
        self,
        block: int,
        short: np.ndarray,
        asked: Cell,
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
            frame = self._drawn(asked, block, min(self.most, int(short.sum() / share * SPARE) + 16), attempt)
            cell, wrong = self.wanted.cell_of(frame), self._wrong(frame, watch)
            for name, mask in wrong.items():
                lacks[name] = lacks.get(name, 0) + int((~mask).sum())
                if mask.any():
                    tally.refused[name] = tally.refused.get(name, 0) + int(mask.sum())
            if asked.values:
                lacks[asked.text] = lacks.get(asked.text, 0) + int((short[cell] * (cell >= 0) > 0).sum())
            tally.drawn += len(frame)
            good = ~np.any(list(wrong.values()), axis=0) if wrong else np.ones(len(frame), dtype=bool)
            fresh = frame[_first(np.where(good, cell, -1), short)]
            short -= np.bincount(self.wanted.cell_of(fresh), minlength=len(short))
            kept.append(fresh)
            watch.accept(fresh)
            share = max(RAREST, len(fresh) / len(frame))
            vain = 0 if len(fresh) else vain + 1
            if not short.any() or share < least:
                return pd.concat(kept, ignore_index=True)
            if vain == IN_VAIN:
                break
        raise FitError(_hopeless(self.wanted, asked, short, total, lacks))

    def _drawn(self, asked: Cell, block: int, rows: int, attempt: int) -> pd.DataFrame:
        """Rows that may be of the cell."""
        wanted = self.wanted
        rng = seeds.stream(wanted.seed, "generate", block, attempt)
        place = 0 if self.numbered else block + attempt * wanted.request.blocks
        within = {name: _exactly(value) for name, value in asked.values.items()}
        within |= {name: bound for name, bound in wanted.allowed.items() if name not in within}
        made: Any
        if wanted.guided and within:
            made = self.model.complete(Given(rows, allowed=within), place * BLOCK, rng=rng)
        else:
            made = self.model.sample(Request(place * BLOCK + rows), place, rng=rng)
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
            own = self.model.made_up(len(frame), block * BLOCK, rng=seeds.stream(self.wanted.seed, "made", block))
            frame = frame.assign(**(own or {}))
        return Table(frame, self.schema)

    def _wrong(self, frame: pd.DataFrame, watch: Watch) -> dict[str, np.ndarray]:
        """What is asked of every row -> which rows do not have it; a unique rule looks only at rows that all else is
        true of.
        """
        out: dict[str, np.ndarray] = {}
        so_far = np.zeros(len(frame), dtype=bool)
        if self.wanted.where is not None:
            out[f"where: {self.wanted.where.text}"] = so_far = ~self.wanted.accepts(frame)
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


def _first(cell: np.ndarray, short: np.ndarray) -> np.ndarray:
    """Which rows are taken: the first of each cell, as many as it is short of. cell: (rows,), -1 for none. (rows,)
    bool
    """
    rank = pd.Series(cell).groupby(cell).cumcount().to_numpy()
    return (cell >= 0) & (rank < short[cell])


def _deciding(wanted: Wanted, schema: Schema) -> frozenset[str]:
    """Columns that decide whether a row is taken; not those of rules that hold by themselves, as no row repeats a key
    that is unique.
    """

    def counted(name: str) -> bool:
        column = schema[name]
        if column.kind in frames.MODELLED or not fake.unique(column):
            return False
        return (room := fake.capacity(column)) is None or room >= wanted.rows

    rules = tuple(r for r in wanted.rules if not (isinstance(r, Unique) and any(counted(name) for name in r.of)))
    return replace(wanted, rules=rules).looked_at


def _exactly(value: Any) -> Allowed:
    return Allowed(values=frozenset(), null=True) if value is None else Allowed(values=frozenset({value}))


def _count(tally: Tally, watch: Watch, broken: np.ndarray) -> None:
    for rule, rows in zip(watch.rules, broken.sum(axis=1).tolist()):
        if rows:
            tally.refused[rule.text] = tally.refused.get(rule.text, 0) + rows


def _hopeless(wanted: Wanted, asked: Cell, short: np.ndarray, total: int, lacks: dict[str, int]) -> str:
    """Why rows could not be made: what none of them had, else what few had."""
    short_of = [wanted.cells[i] for i in np.flatnonzero(short)] if wanted.cells else [asked]
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
    remedy = "" if wanted.guided else ", or a method that can be told what is asked (trees, arnet)"
    return f"{start}{all_of}; remedy: fewer rows, or a weaker constraint{remedy}"
