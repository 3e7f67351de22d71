"""Generation of one block of rows by rejection sampling: draw, check, and draw again until each stratum is full.

Block i depends only on (model, request, i), so any process can generate any block. Uniqueness across blocks is the
exception: the process that collects the blocks enforces it, in order (`finish`).
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
from synthcli.columns.as_written import as_written, lossy
from synthcli.columns.constraints.table_rules import Unique
from synthcli.columns.constraints.uniqueness import Watch
from synthcli.columns.fake import generate as fake
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Allowed, Model, Request
from synthcli.contracts.schema import Schema
from synthcli.errors import FitError
from synthcli.tabular.sampling.infeasible import infeasible
from synthcli.tabular.sampling.request import OFTEN, SettledRequest, Stratum, drawable

TRIES = 2000  # attempts to fill a block, at most
IN_VAIN = 20  # consecutive attempts without an accepted row, after which generation fails
DEAD_END = 6  # the same, if no row was accepted yet, or if the last rows are refused because they must be unique
SPARE = 1.2  # rows drawn per missing row, beyond what the acceptance rate requires
RAREST = 1e-4  # lower bound on the estimated acceptance rate, so that no attempt draws without limit
ANY = Stratum({}, 0)


@dataclass
class Tally:
    """Counts of rows drawn and generated, of rows that each rule and `where` refused or repaired, and of obeying rows
    left out so that columns keep their marginals (thinned).
    """

    drawn: int = 0
    generated: int = 0
    thinned: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    strata: dict[int, int] = field(default_factory=dict)  # number of a stratum -> its rows in the output

    def add(self, other: Tally) -> None:
        self.drawn += other.drawn
        self.generated += other.generated
        self.thinned += other.thinned
        _add(self.refused, other.refused)
        _add(self.repaired, other.repaired)
        _add(self.strata, other.strata)


def _add(counts: dict[Any, int], others: dict[Any, int]) -> None:
    for name, number in others.items():
        counts[name] = counts.get(name, 0) + number


class BlockGenerator:
    """Generates the blocks of a request from a model. schema: of the generated rows."""

    def __init__(self, model: Model, request: SettledRequest, schema: Schema) -> None:
        self.model, self.request, self.schema = model, request, schema
        self.batch = drawable(model, request)
        self.formatted = bool(lossy(schema, declared=True).columns)
        # assign values that depend on the position last, so that keys are unique and without gaps after rejection
        by_position = model.made_up(0, 0, rng=np.random.default_rng(0))
        self.numbered = by_position is not None and not (_deciding(request, schema) & by_position.keys())

    def generate(self, block: int) -> tuple[Table, Tally]:
        """Generate a block that meets every condition except uniqueness across blocks; also return its counts."""
        request = self.request
        if request.plain:
            table: Any = self.model.sample(request, block, rng=seeds.stream(request.seed, "generate", block, 0))
            if self.formatted:
                table = Table(as_written(table.frame, self.schema), self.schema)
            return table, Tally(len(table), len(table), repaired=self._repaired())
        tally = Tally()
        frame = self._rows(block, request.counts(block), count(), Watch(request.rules), tally)
        if request.strata:
            frame = self._mixed(frame, "mix", block)
        table = self._positioned(block, frame)
        tally.generated = len(table)
        tally.repaired = self._repaired()
        tally.strata = (
            dict(enumerate(np.bincount(request.stratum_of(table.frame), minlength=len(request.strata)).tolist()))
            if request.strata
            else {}
        )
        return table, tally

    def finish(self, block: int, table: Table, watch: Watch, tally: Tally) -> Table:
        """Redraw the rows of a block that break a rule given the earlier blocks. watch: holds the earlier blocks."""
        frame = table.frame
        broken = self._broken(frame, watch)
        if (wrong := broken.any(axis=0)).any():
            _count(tally, watch, broken)
            trial = watch.fork()
            trial.accept(frame[~wrong])
            missing = np.bincount(self.request.stratum_of(frame[wrong]), minlength=max(1, len(self.request.strata)))
            redrawn = self._rows(block, missing, count(TRIES * (len(missing) + 1)), trial, tally)
            frame = pd.concat([frame[~wrong], redrawn], ignore_index=True)
            frame = self._positioned(block, self._mixed(frame, "mix again", block)).frame
        watch.accept(frame)
        return Table(frame, table.schema)

    def _rows(
        self, block: int, missing: np.ndarray, attempts: Iterator[int], watch: Watch, tally: Tally
    ) -> pd.DataFrame:
        """Draw the missing rows of each stratum: freely at first, then by stratum if the model takes conditions.

        missing: (strata,) rows; watch: records the accepted rows. Raises FitError if the rows cannot be drawn.
        """
        missing, pieces = missing.copy(), []
        by_stratum = self.request.guided and bool(self.request.strata)
        min_rate = OFTEN if by_stratum else 0.0
        pieces.append(self._filled(block, missing, ANY, attempts, watch, tally, min_rate=min_rate))
        for number in np.flatnonzero(missing) if by_stratum else ():
            alone = np.where(np.arange(len(missing)) == number, missing, 0)
            pieces.append(self._filled(block, alone, self.request.strata[number], attempts, watch, tally))
        return pd.concat(pieces, ignore_index=True)

    def _filled(
        self,
        block: int,
        missing: np.ndarray,
        target: Stratum,
        attempts: Iterator[int],
        watch: Watch,
        tally: Tally,
        *,
        min_rate: float = 0.0,
    ) -> pd.DataFrame:
        """Draw rows of the target stratum until no stratum misses rows; counts `missing` down in place. min_rate:
        acceptance rate below which it returns early.
        """
        kept: list[pd.DataFrame] = []
        failures, rate, satisfied = 0, 1.0, dict[str, int]()  # satisfied: condition -> drawn rows that meet it
        total = int(missing.sum())
        for attempt, _ in zip(attempts, range(TRIES)):
            frame = self._drawn(target, block, min(self.batch, int(missing.sum() / rate * SPARE) + 16), attempt)
            stratum, wrong = self.request.stratum_of(frame), self._wrong(frame, watch)
            for name, mask in wrong.items():
                satisfied[name] = satisfied.get(name, 0) + int((~mask).sum())
                if mask.any():
                    tally.refused[name] = tally.refused.get(name, 0) + int(mask.sum())
            if target.values:
                useful = int((missing[stratum] * (stratum >= 0) > 0).sum())
                satisfied[target.text] = satisfied.get(target.text, 0) + useful
            tally.drawn += len(frame)
            valid = ~np.any(list(wrong.values()), axis=0) if wrong else np.ones(len(frame), dtype=bool)
            valid &= stratum >= 0
            chosen = self._calibrated(frame, valid, stratum, block, attempt)
            tally.thinned += int(valid.sum() - chosen.sum())
            accepted = frame[_first(np.where(chosen, stratum, -1), missing)]
            missing -= np.bincount(self.request.stratum_of(accepted), minlength=len(missing))
            kept.append(accepted)
            watch.accept(accepted)
            rate = max(RAREST, len(accepted) / len(frame))
            failures = 0 if len(accepted) else failures + 1
            if not missing.any() or rate < min_rate:
                return pd.concat(kept, ignore_index=True)
            exhausted = int(missing.sum()) == total or _repeats(wrong, watch)
            if failures == (DEAD_END if exhausted else IN_VAIN):
                break
        raise FitError(infeasible(self.request, target, missing, total, satisfied, completes=self.model.completes))

    def _calibrated(
        self, frame: pd.DataFrame, valid: np.ndarray, stratum: np.ndarray, block: int, attempt: int
    ) -> np.ndarray:
        """The valid rows that are accepted, so that columns keep their marginals. (rows,) bool"""
        calibration = self.request.calibration
        if calibration is None or not valid.any():
            return valid
        rng = seeds.stream(self.request.seed, "accept", block, attempt)
        out = valid.copy()
        out[valid] = calibration.accepts(frame[valid], stratum[valid], rng=rng)
        return out

    def _drawn(self, target: Stratum, block: int, rows: int, attempt: int) -> pd.DataFrame:
        """Draw candidate rows for a stratum."""
        request = self.request
        rng = seeds.stream(request.seed, "generate", block, attempt)
        place = 0 if self.numbered else block + attempt * request.blocks
        within = {name: _exactly(value) for name, value in target.values.items()}
        within |= {name: bound for name, bound in request.allowed.items() if name not in within}
        drawn: Any
        if request.guided and within:
            given = Request(rows, request.seed, allowed=within)
            drawn = self.model.complete(given, place * request.block_size, rng=rng)
        else:
            free = Request(place * request.block_size + rows, request.seed, request.block_size)
            drawn = self.model.sample(free, place, rng=rng)
        return as_written(drawn.frame, self.schema)

    def _positioned(self, block: int, frame: pd.DataFrame) -> Table:
        """Assign the values that depend on the position of a row, such as keys."""
        frame = frame.reset_index(drop=True)
        if self.numbered:
            seed, start = self.request.seed, block * self.request.block_size
            by_position = self.model.made_up(
                len(frame), start, rng=seeds.stream(seed, "made", block), batch=seed, drawn=frame
            )
            frame = frame.assign(**(by_position or {}))
        return Table(frame, self.schema)

    def _wrong(self, frame: pd.DataFrame, watch: Watch) -> dict[str, np.ndarray]:
        """Map each condition to a mask of the rows that violate it; rules are checked only where `where` holds."""
        out: dict[str, np.ndarray] = {}
        refused = np.zeros(len(frame), dtype=bool)
        if self.request.where is not None:
            out[f"where: {self.request.where.text}"] = refused = ~self.request.accepts(frame)
        if watch.rules:
            broken = np.zeros((len(watch.rules), len(frame)), dtype=bool)
            broken[:, ~refused] = self._broken(frame[~refused].reset_index(drop=True), watch)
            out |= {rule.text: broken[i] for i, rule in enumerate(watch.rules)}
        return out

    def _broken(self, frame: pd.DataFrame, watch: Watch) -> np.ndarray:
        """The rows that break each rule; all rows of a unit do if one of them does, where units are generated as a
        whole. (rules, rows) bool
        """
        broken = watch.broken(frame)
        if not self.model.whole_units or not broken.any():
            return broken
        units = Table(frame, self.schema).units()
        return np.stack([np.isin(units, units[rows]) for rows in broken])

    def _mixed(self, frame: pd.DataFrame, name: str, block: int) -> pd.DataFrame:
        """Rows of all strata in random order, as they are where the rows of a unit belong together. name: of the
        stream.
        """
        if self.model.whole_units:
            return frame
        return frame.iloc[seeds.stream(self.request.seed, name, block).permutation(len(frame))]

    def _repaired(self) -> dict[str, int]:
        """Return and reset the model's counts of repaired rows."""
        counts: dict[str, int] = getattr(self.model, "repaired", {})
        out = {name: number for name, number in counts.items() if number}
        counts.clear()
        return out


def _first(stratum: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Mask the first rows of each stratum, up to its number of missing rows. stratum: (rows,), -1 for none -> (rows,)
    bool
    """
    rank = pd.Series(stratum).groupby(stratum).cumcount().to_numpy()
    return (stratum >= 0) & (rank < missing[stratum])


def _repeats(wrong: dict[str, np.ndarray], watch: Watch) -> bool:
    """Whether every drawn row breaks a rule that rows are unique."""
    unique = [wrong[rule.text] for rule in watch.rules if isinstance(rule, Unique) and rule.text in wrong]
    return bool(unique) and bool(np.any(unique, axis=0).all())


def _deciding(request: SettledRequest, schema: Schema) -> frozenset[str]:
    """Columns that decide whether a row is accepted, except those of unique rules that a generated key always meets."""

    def always_unique(name: str) -> bool:
        column = schema[name]
        stands_in = column.declared.unique is None and column.inferred.unique is False and name != schema.unit
        if column.kind in frames.MODELLED or not fake.unique(column) or stands_in:
            return False
        return (room := fake.capacity(column)) is None or room >= request.rows

    rules = tuple(r for r in request.rules if not (isinstance(r, Unique) and any(always_unique(name) for name in r.of)))
    return replace(request, rules=rules).deciding_columns


def _exactly(value: Any) -> Allowed:
    return Allowed(values=frozenset(), null=True) if value is None else Allowed(values=frozenset({value}))


def _count(tally: Tally, watch: Watch, broken: np.ndarray) -> None:
    for rule, rows in zip(watch.rules, broken.sum(axis=1).tolist()):
        if rows:
            tally.refused[rule.text] = tally.refused.get(rule.text, 0) + rows
