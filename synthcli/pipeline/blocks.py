"""The rows of one block: drawn, looked at, and drawn again until there are as many as were asked, each as it was asked.

Block i depends on (model, what is wanted, i) alone, so that any process may make any block. What is left to whoever puts the blocks
together, in order, is what one block cannot know of another: rows that must not repeat (`finish`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from synthcli import seeds
from synthcli.columns.rules import Watch
from synthcli.contracts import BLOCK, Allowed, Given, Model, Request
from synthcli.errors import FitError
from synthcli.pipeline.wanted import Cell, Wanted
from synthcli.tabular.data import Table

TRIES = 200  # times that a block's missing rows are drawn
IN_VAIN = 20  # of them without a single row, after which there is no hope
SPARE = 1.2  # rows that a model is asked for, per row that is missing
ANY = Cell({}, 0)


@dataclass
class Tally:
    """What became of the rows: how many were drawn and made, and how many each rule, `where` and the balance refused."""

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
    for name, count in others.items():
        mine[name] = mine.get(name, 0) + count


class Maker:
    """Makes the blocks of what is wanted from a model."""

    def __init__(self, model: Model, wanted: Wanted) -> None:
        self.model, self.wanted = model, wanted
        self.counts = wanted.counts() if wanted.cells else None
        self.spare = Request(wanted.request.blocks * BLOCK * (len(wanted.cells) + 1) * (TRIES + 1))

    def make(self, block: int) -> tuple[Table, Tally]:
        """The rows of a block, which obey all but what looks at other blocks; with what became of those that were drawn."""
        wanted = self.wanted
        if wanted.plain:
            table: Any = self.model.sample(wanted.request, block, rng=seeds.stream(wanted.seed, "generate", block, 0))
            return table, Tally(len(table), len(table), repaired=self._repaired())
        tally, places = Tally(), self._places(block)
        pieces = []
        for number, cell in enumerate(self.wanted.cells or (ANY,)):
            count = wanted.request.size(block) if self.counts is None else int(self.counts[block, number])
            if count:
                pieces.append(self._rows(cell, block, count, places, Watch(wanted.rules), tally))
        frame = pd.concat([p.frame for p in pieces], ignore_index=True)
        if len(pieces) > 1:
            frame = frame.iloc[seeds.stream(wanted.seed, "mix", block).permutation(len(frame))].reset_index(drop=True)
        tally.repaired = self._repaired()
        tally.cells = {number: int(cell.holds(frame).sum()) for number, cell in enumerate(wanted.cells)}
        return Table(frame, pieces[0].schema), tally

    def _repaired(self) -> dict[str, int]:
        """What the model has repaired since it was last asked."""
        counts: dict[str, int] = getattr(self.model, "repaired", {})
        out = {name: count for name, count in counts.items() if count}
        counts.clear()
        return out

    def finish(self, block: int, table: Table, watch: Watch, tally: Tally) -> Table:
        """The block with rows that break a rule beside those of earlier blocks drawn again. watch: has seen the earlier blocks."""
        frame, places = table.frame, self._places(block, len(self.wanted.cells or (ANY,)) * TRIES)
        broken = watch.broken(frame)
        if (wrong := broken.any(axis=0)).any():
            _count(tally, watch, broken)
            keep = frame[~wrong]
            mine = watch.fork()
            mine.accept(keep)
            pieces = [keep]
            for cell in self.wanted.cells or (ANY,):
                if count := int((cell.holds(frame) & wrong).sum()):
                    piece = self._rows(cell, block, count, places, mine, tally)
                    mine.accept(piece.frame)
                    pieces.append(piece.frame)
            frame = pd.concat(pieces, ignore_index=True)
        watch.accept(frame)
        return Table(frame, table.schema)

    def _places(self, block: int, first: int = 0) -> Iterator[int]:
        """Positions of the draws of a block, none of which another draw has, so that made-up keys stay unique."""
        blocks = self.wanted.request.blocks
        return (block + attempt * blocks for attempt in range(first, 10**9))

    def _rows(self, cell: Cell, block: int, count: int, places: Iterator[int], watch: Watch, tally: Tally) -> Table:
        """`count` rows of a cell."""
        kept: list[pd.DataFrame] = []
        have, vain, share, schema = 0, 0, 1.0, None
        lacks: dict[str, int] = {}
        for _ in range(TRIES):
            table = self._drawn(cell, block, min(BLOCK, int((count - have) / share * SPARE) + 16), next(places))
            schema, frame = table.schema, table.frame
            wrong = self._wrong(cell, frame, watch)
            good = ~np.any(list(wrong.values()), axis=0)
            for name, mask in wrong.items():
                lacks[name] = lacks.get(name, 0) + int((~mask).sum())
                if mask.any():
                    tally.refused[name] = tally.refused.get(name, 0) + int(mask.sum())
            tally.drawn += len(frame)
            fresh = frame[good].iloc[: count - have]
            kept.append(fresh)
            have += len(fresh)
            share = max(0.01, good.mean())
            if have >= count:
                tally.made += have
                return Table(pd.concat(kept, ignore_index=True), schema)
            vain = 0 if len(fresh) else vain + 1
            if vain == IN_VAIN:
                break
            if any(rule.TABLE for rule in watch.rules):
                watch = _after(watch, fresh)
        raise FitError(_hopeless(cell, have, count, lacks))

    def _drawn(self, cell: Cell, block: int, rows: int, place: int) -> Table:
        """Rows that may be of the cell."""
        wanted = self.wanted
        rng = seeds.stream(wanted.seed, "generate", block, place // wanted.request.blocks)
        made: Any
        if not wanted.guided:
            first = place < wanted.request.blocks and wanted.where is None and not wanted.cells
            made = self.model.sample(wanted.request if first else self.spare, place, rng=rng)
            return made
        asked = {name: _exactly(value) for name, value in cell.values.items()}
        asked |= {name: bound for name, bound in wanted.allowed.items() if name not in asked}
        made = self.model.complete(Given(rows, allowed=asked), place * BLOCK, rng=rng)
        return made

    def _wrong(self, cell: Cell, frame: pd.DataFrame, watch: Watch) -> dict[str, np.ndarray]:
        """What is asked -> which rows do not have it; a unique rule looks only at rows that all else is true of."""
        out: dict[str, np.ndarray] = {}
        if self.wanted.where is not None:
            out[f"where: {self.wanted.where.text}"] = ~self.wanted.accepts(frame)
        if cell.values:
            out[cell.text] = ~cell.holds(frame)
        if not watch.rules:
            return out or {"": np.zeros(len(frame), dtype=bool)}
        so_far = np.any(list(out.values()), axis=0) if out else np.zeros(len(frame), dtype=bool)
        broken = np.zeros((len(watch.rules), len(frame)), dtype=bool)
        broken[:, ~so_far] = watch.broken(frame[~so_far].reset_index(drop=True))
        return out | {rule.text: broken[i] for i, rule in enumerate(watch.rules)}


def _after(watch: Watch, rows: pd.DataFrame) -> Watch:
    """A watch that has also seen these rows."""
    out = watch.fork()
    out.accept(rows)
    return out


def _exactly(value: Any) -> Allowed:
    return Allowed(values=frozenset(), null=True) if value is None else Allowed(values=frozenset({value}))


def _count(tally: Tally, watch: Watch, broken: np.ndarray) -> None:
    for rule, rows in zip(watch.rules, broken.sum(axis=1).tolist()):
        if rows:
            tally.refused[rule.text] = tally.refused.get(rule.text, 0) + rows


def _hopeless(cell: Cell, have: int, count: int, lacks: dict[str, int]) -> str:
    """Why rows could not be made: what none of them had, else what few had."""
    never = [name for name, rows in lacks.items() if rows == 0]
    what = f" where {cell.text}" if cell.values else ""
    if never:
        lack = ", nor ".join(never)
        return f"generate: only {have} of {count} rows{what} could be made: no row that was drawn has {lack}; remedy: ask for what the source has"
    rare = min(lacks, key=lambda name: lacks[name])
    return (
        f"generate: only {have} of {count} rows{what} could be made that have all of: {'; '.join(lacks)} (rarest: {rare}); "
        "remedy: fewer rows, a weaker constraint, or a method that can be told (trees, arnet)"
    )
