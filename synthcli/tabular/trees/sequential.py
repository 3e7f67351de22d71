"""The chain of forests (methods/trees.py): each part drawn given those before it, also where something is asked of the
rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthcli.columns.codec.conditions import Asked, Within
from synthcli.columns.codec.parts import Values
from synthcli.errors import FitError
from synthcli.tabular.trees.features import as_feature
from synthcli.tabular.trees.forest import Forest
from synthcli.tabular.trees.importance_sampling import chosen, enough, resampled
from synthcli.tabular.trees.rank_smoothing import Blur
from synthcli.tabular.trees.reference_columns import Anchor, Anchors
from synthcli.tabular.trees.structural_zeros import Bars

REDRAWN = 4  # times that a row with an impossible pair is drawn again before it takes what is possible
PARTICLES = (32, 512)  # for each row of which something is known; more where it is rare
EFFECTIVE = 10  # particles that a row's weights are worth, below which it is given more of them
ROWS = 2**17  # rows that are followed at once
PRIOR = 0.5  # donors that the share of a value in all leaves is worth in one: no leaf rules out what is known
REACH = 0.01  # of the ranks on either side of a known number, in which donors speak for it
STEP_REACHES = (REACH, 4 * REACH, 16 * REACH)  # the same for a step: a few particles seldom come as near as it is sharp
NEVER = 1e-3  # what a pair that never occurs takes from the weight of a row that is known to hold it


@dataclass(frozen=True)
class Learned:
    """Forests by part, in the order in which parts are drawn. blurs: per number part; bars: pairs that never occur;
    anchors: what numbers are told from."""

    order: Sequence[str]
    forests: Mapping[str, Forest]
    blurs: Mapping[str, Blur]
    bars: Bars
    anchors: Anchors


class Chain:
    """Rows on their way. out: the parts that they have; weight: (rows,) how likely they make what is asked, so far."""

    def __init__(self, learned: Learned, asked: Asked) -> None:
        self.learned, self.asked, self.rows = learned, asked, asked.rows
        self.alike = (
            not asked.known
        )  # rows of whom something is known may stand in an order: siblings, say, side by side
        self.out: Values = {}
        self.weight = np.ones(asked.rows)
        self._features: dict[str, np.ndarray] = {}  # in drawing order

    def step(self, name: str, *, rng: np.random.Generator) -> None:
        """Draw the next part of every row; a number only where its state is that there is one, and nothing before it
        says which.
        """
        number, kind = self.learned.anchors.owner(name)
        anchor = self.learned.anchors.of.get(number)
        if anchor is None:
            self.put(name, self._part(name, number, rng=rng))
        elif kind == "same":
            code = self._part(name, number, rng=rng)
            self.put(name, code * self._may(number, *self.learned.anchors.copied(number, code, self.out)))
        elif kind == "step" or anchor.base is None:
            self.put(name, self._part(name, number, rng=rng))
        else:
            self.put(
                name,
                self.learned.anchors.number(
                    name, anchor.reached(self.out[f"{name}#step"], self.learned.anchors.amounts(anchor.base, self.out))
                ),
            )
        if anchor is not None and name == number:
            self._told(name, anchor)

    def _part(self, name: str, number: str, *, rng: np.random.Generator) -> np.ndarray:
        forest = self.learned.forests[name]
        free = [self.out[other] == 0 for other in (f"{number}#state", f"{number}#same") if other in self.out]
        here = np.flatnonzero(np.all(free, axis=0)) if free else np.arange(self.rows)
        if len(here) == self.rows:
            return self._drawn(name, forest, self._of(forest), here, rng=rng)
        drawn = np.zeros(self.rows, dtype=np.int32) if forest.donors.dtype.kind == "i" else np.full(self.rows, np.nan)
        drawn[here] = self._drawn(name, forest, [x[here] for x in self._of(forest)], here, rng=rng)
        return drawn

    def put(self, name: str, drawn: np.ndarray) -> None:
        """A part of every row, drawn or known."""
        self.out[name] = drawn
        self._features[name] = drawn.astype(np.intp) if drawn.dtype.kind == "i" else as_feature(drawn)

    def _may(self, number: str, own: Values, can: np.ndarray) -> np.ndarray:
        """Where a number may be what it is said to equal."""
        within = self.asked.within.get(number)
        return can if within is None else can & within(own[number])

    def _told(self, name: str, anchor: Anchor) -> None:
        """Take what a number equals from there, with what belongs to it; but what is known of it stays."""
        code = self.out[f"{name}#same"] if anchor.same else np.zeros(self.rows, dtype=np.int32)
        known = self.asked.known.get(name, np.full(self.rows, np.nan))
        sure = ~np.isnan(known)
        if code.any():
            own, _ = self.learned.anchors.copied(name, code, self.out)
            least, most = self.learned.blurs[name].around(np.where(sure, known, 0.0), REACH)
            far = sure & (code > 0) & ~((own[name] >= least) & (own[name] <= most))
            self.weight[far] *= NEVER
            for part, values in own.items():
                self.put(part, np.where((code > 0) & ~sure, values, self.out[part]))
        if sure.any():
            self.put(name, np.where(sure, known, self.out[name]))
            if anchor.same:
                self.put(
                    f"{name}#same",
                    np.where(
                        sure, self.learned.anchors.equal(name, self.learned.anchors.amount(name, known), self.out), code
                    ),
                )

    def _asked(self, name: str, rows: np.ndarray) -> tuple[Within | None, np.ndarray | None]:
        """What is asked of a part of `rows`; of a step, that it leads there."""
        number, kind = self.learned.anchors.owner(name)
        within, known = (
            self.asked.within.get(number if kind == "step" else name),
            self.asked.known.get(number if kind == "step" else name),
        )
        known = None if known is None else known[rows]
        if kind != "step" or (anchor := self.learned.anchors.of.get(number)) is None or anchor.base is None:
            return within, known
        base = self.learned.anchors.amounts(anchor.base, self.out)[rows]
        if within is not None:
            low, high = (
                anchor.step(self.learned.anchors.amount(number, end), base) for end in (within.low, within.high)
            )
            within = Within(None, low, high)
        return within, None if known is None else anchor.step(self.learned.anchors.amount(number, known), base)

    def _of(self, forest: Forest) -> list[np.ndarray]:
        features = list(self._features.values())
        return [features[j] for j in forest.used]

    def _drawn(
        self, name: str, forest: Forest, features: list[np.ndarray], rows: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        within, mine = self._asked(name, rows)
        if within is None and mine is None:
            return self._blurred(
                name,
                self._possible(
                    name, forest, forest.draw(features, len(rows), rng=rng, alike=self.alike), features, rows, rng=rng
                ),
                None,
                rng=rng,
            )
        leaf = forest.leaves(features, len(rows), rng=rng, alike=self.alike)
        if within is not None:
            drawn, share = _within(name, forest, leaf, within, rng=rng)
        else:
            drawn, share = forest.draw(features, len(rows), rng=rng, alike=self.alike), np.ones(len(rows))
        drawn = self._blurred(name, drawn, within, rng=rng)
        if mine is not None:
            sure = mine >= 0 if mine.dtype.kind == "i" else ~np.isnan(mine)
            drawn, share = (
                np.where(sure, mine, drawn),
                np.where(sure, self._likely(name, forest, leaf, mine, rows), share),
            )
        if drawn.dtype.kind == "i":
            share = share * np.where(self.learned.bars.meets(name, drawn, self.out, rows), NEVER, 1.0)
        self.weight[rows] *= share
        return drawn

    def _likely(self, name: str, forest: Forest, leaf: np.ndarray, value: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """How likely the leaves make known values, up to a factor: of numbers, those of about their rank."""
        value = np.where(np.isnan(value), forest.donors[0], value) if value.dtype.kind == "f" else np.maximum(value, 0)
        size, ordered = forest.sizes[leaf], forest.ordered
        out = np.zeros(len(rows))
        reaches = STEP_REACHES if self.learned.anchors.owner(name)[1] == "step" else (REACH,)
        for reach in reaches:
            least, most = self._around(name, value, rows, reach)
            overall = (
                np.searchsorted(ordered, most, side="right") - np.searchsorted(ordered, least, side="left") + PRIOR
            ) / (len(ordered) + PRIOR)
            out += (forest.share(leaf, least, most) * size + PRIOR * overall) / (size + PRIOR) * (REACH / reach)
        return out / len(reaches)

    def _around(self, name: str, value: np.ndarray, rows: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
        """From where to where values speak for a known one; steps, where they lead to such values."""
        number, kind = self.learned.anchors.owner(name)
        if kind != "step" or (anchor := self.learned.anchors.of[number]).base is None:
            return self.learned.blurs[name].around(value, reach) if name in self.learned.blurs else (value, value)
        ends = self.learned.blurs[number].around(self.asked.known[number][rows], reach)
        base = self.learned.anchors.amounts(anchor.base, self.out)[rows]
        least, most = (anchor.step(self.learned.anchors.amount(number, end), base) for end in ends)
        return least, most

    def _blurred(self, name: str, drawn: np.ndarray, within: Within | None, *, rng: np.random.Generator) -> np.ndarray:
        if name not in self.learned.blurs:
            return drawn
        moved = self.learned.blurs[name](drawn, rng=rng)
        return moved if within is None else np.where(within(moved), moved, drawn)

    def _possible(
        self,
        name: str,
        forest: Forest,
        drawn: np.ndarray,
        features: list[np.ndarray],
        rows: np.ndarray,
        *,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Rows whose value never occurs beside an earlier one, drawn again: from a leaf, then from all values that may
        be.
        """
        if not (size := self.learned.bars.size(name)):
            return drawn
        wrong = np.flatnonzero(self.learned.bars.meets(name, drawn, self.out, rows))
        for _ in range(REDRAWN):
            if not len(wrong):
                return drawn
            drawn[wrong] = forest.draw([x[wrong] for x in features], len(wrong), rng=rng)
            wrong = wrong[self.learned.bars.meets(name, drawn[wrong], self.out, rows[wrong])]
        chance = np.bincount(forest.donors, minlength=size) * self.learned.bars.possible(
            name, size, self.out, rows[wrong]
        )
        total = chance.sum(1)
        some = wrong[total > 0]  # where nothing may be, what was drawn stays
        reach = rng.random(len(some))[:, None] * total[total > 0, None]
        drawn[some] = (np.cumsum(chance[total > 0], axis=1) <= reach).sum(1)
        return drawn

    def take(self, rows: np.ndarray) -> None:
        """Go on with these rows alone, all of one weight."""
        self.out = {name: values[rows] for name, values in self.out.items()}
        self._features = {name: values[rows] for name, values in self._features.items()}
        self.asked, self.rows, self.weight = _some(self.asked, rows), len(rows), np.ones(len(rows))


def _within(
    name: str, forest: Forest, leaf: np.ndarray, within: Within, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(within.low, np.ndarray) and isinstance(within.high, np.ndarray):
        return forest.draw_between(leaf, within.low, within.high, rng=rng)
    may = within(forest.donors)
    if not may.any():
        column = name.split("#")[0] if "#" in name.replace("##", "") else name.replace("##", "#")
        raise FitError(
            f"column {column}: the model has learned no value like that asked of it; remedy: ask for what the"
            " source has"
        )
    return forest.draw_within(leaf, may, rng=rng)


def last_asked(learned: Learned, asked: Asked) -> int:
    """How many parts it takes until all of which something is asked are there."""
    told = [i for i, name in enumerate(learned.order) if name in asked.within or name in asked.known]
    return told[-1] + 1 if told else 0


def follow(learned: Learned, asked: Asked, *, rng: np.random.Generator) -> Values:
    """Every part of the rows that are asked for. Rows with known cells are followed by particles, all others chosen
    from a pool.
    """
    last = last_asked(learned, asked)
    if not asked.known:
        return _pooled(learned, asked, last, rng=rng)
    sure = {name for name, values in asked.known.items() if _sure(values).all()}
    free = [i for i, name in enumerate(learned.order) if not {name, learned.anchors.owner(name)[0]} & sure]
    if not free or last <= free[0]:  # all that is known comes first: what follows is drawn given it
        chain = Chain(learned, asked)
        for name, stream in zip(learned.order, rng.spawn(len(learned.order))):  # the same streams, whatever is known
            if name in asked.known and name not in learned.anchors.of:
                chain.put(name, asked.known[name])
            else:
                chain.step(name, rng=stream)
        return chain.out
    out = _particles(learned, asked, last, rng=rng)
    return {name: out[name] for name in learned.order}


def _sure(values: np.ndarray) -> np.ndarray:
    return values >= 0 if values.dtype.kind == "i" else ~np.isnan(values)


def _pooled(learned: Learned, asked: Asked, last: int, *, rng: np.random.Generator) -> Values:
    """Candidates until what is asked, then the rest of those that are chosen."""
    pools: list[Chain] = []
    weights = np.zeros(0)
    while not pools or not enough(weights, asked.rows):
        pool = Chain(
            learned, Asked(max(1024, asked.rows) if not pools else min(ROWS, 2 * len(weights)), {}, asked.within)
        )
        for name, stream in zip(learned.order[:last], rng.spawn(last)):
            pool.step(name, rng=stream)
        pools.append(pool)
        weights = np.concatenate([weights, pool.weight])
    chain = Chain(learned, Asked(len(weights), {}, asked.within))
    for name in learned.order[:last]:
        chain.out[name] = np.concatenate([pool.out[name] for pool in pools])
        chain._features[name] = np.concatenate([pool._features[name] for pool in pools])
    chain.take(chosen(weights, asked.rows, rng=rng))
    for name, stream in zip(learned.order[last:], rng.spawn(len(learned.order) - last)):
        chain.step(name, rng=stream)
    return chain.out


def _particles(learned: Learned, asked: Asked, last: int, *, rng: np.random.Generator) -> Values:
    """Rows followed by particles; those whose weights were worth too few of them once more, by more."""
    out: Values = {}
    rows = np.arange(asked.rows)
    for particles in PARTICLES:
        poor = []
        for some in np.array_split(rows, -(-len(rows) * particles // ROWS)):
            chain, worth = _followed(learned, _some(asked, some), last, particles, rng=rng)
            for name, values in chain.out.items():
                out.setdefault(name, np.empty(asked.rows, dtype=values.dtype))[some] = values
            poor.append(some[worth < EFFECTIVE])
        if not len(rows := np.concatenate(poor)):
            break
    return out


def _some(asked: Asked, rows: np.ndarray) -> Asked:
    return Asked(len(rows), {name: values[rows] for name, values in asked.known.items()}, asked.within)


def _followed(
    learned: Learned, asked: Asked, last: int, particles: int, *, rng: np.random.Generator
) -> tuple[Chain, np.ndarray]:
    """One particle of each row at its end; and the fewest that a row's weights were worth on the way, (sum w)^2 / sum
    w^2. (rows,)
    """
    rows = asked.rows
    chain = Chain(learned, _some(asked, np.repeat(np.arange(rows), particles)))
    worth = np.full(rows, float(particles))
    for name in learned.order[:last]:
        chain.step(name, rng=rng)
        weights = chain.weight.reshape(rows, particles)
        if (weights.max(1) > weights.min(1)).any():
            worth = np.minimum(worth, weights.sum(1) ** 2 / np.maximum((weights**2).sum(1), 1e-300))
            chain.take((resampled(weights, rng=rng) + np.arange(rows)[:, None] * particles).ravel())
    chain.take(np.arange(rows) * particles + rng.integers(particles, size=rows))
    for name in learned.order[last:]:
        chain.step(name, rng=rng)
    return chain, worth
