"""The sequential model (methods/trees.py): each part is drawn by a forest on the parts before it, also under
conditions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthcli.columns.codec.conditions import Conditions, Within
from synthcli.columns.codec.parts import Values
from synthcli.errors import FitError
from synthcli.tabular.trees.features import as_feature
from synthcli.tabular.trees.forest import Forest
from synthcli.tabular.trees.importance_sampling import choose, is_sufficient, resample
from synthcli.tabular.trees.rank_smoothing import RankSmoothing
from synthcli.tabular.trees.reference_columns import Reference, ReferenceColumns
from synthcli.tabular.trees.structural_zeros import StructuralZeros

REDRAWS = 4  # times that a row with a structural zero is drawn again before it takes any possible value
PARTICLES = (32, 512)  # for each row with known cells; the larger number for rows whose known cells are rare
MIN_EFFECTIVE = 10  # effective sample size of a row's particles below which it gets more of them
ROWS = 2**17  # particles that are drawn at once
PRIOR = 0.5  # weight of the overall share of a value in a leaf, in donors: no leaf rules out a known value
WIDTH = 0.01  # of the ranks on either side of a known number: the donors there count as equal to it
STEP_WIDTHS = (WIDTH, 4 * WIDTH, 16 * WIDTH)  # the same for a step: few particles come as near as a step is accurate
ZERO_WEIGHT = 1e-3  # factor of the weight of a row whose known cells are a structural zero


@dataclass(frozen=True)
class SequentialModel:
    """Forests by part. order: the parts in drawing order; smoothing: rank smoothing by number part; zeros: structural
    zeros; references: reference columns.
    """

    order: Sequence[str]
    forests: Mapping[str, Forest]
    smoothing: Mapping[str, RankSmoothing]
    zeros: StructuralZeros
    references: ReferenceColumns


class SequentialSampler:
    """Rows that are drawn part by part. out: the parts drawn so far; weight: (rows,) likelihood of the conditions so
    far.
    """

    def __init__(self, model: SequentialModel, conditions: Conditions) -> None:
        self.model, self.conditions, self.rows = model, conditions, conditions.rows
        # rows with known cells may be in a meaningful order, with siblings side by side, say
        self.exchangeable = not conditions.known
        self.out: Values = {}
        self.weight = np.ones(conditions.rows)
        self._features: dict[str, np.ndarray] = {}  # in drawing order

    def draw_next(self, name: str, *, rng: np.random.Generator) -> None:
        """Draw the next part of every row."""
        references = self.model.references
        number, kind = references.owner(name)
        reference = references.by_part.get(number)
        if reference is None:
            self.add(name, self._draw_part(name, number, rng=rng))
            return
        if kind == "same":
            code = self._draw_part(name, number, rng=rng)
            self.add(name, code * self._may_equal(number, *references.equal_parts(number, code, self.out)))
        elif kind == "step" or reference.base is None:
            self.add(name, self._draw_part(name, number, rng=rng))
        else:
            amount = reference.amount(self.out[f"{name}#step"], references.amounts(reference.base, self.out))
            self.add(name, references.to_number(name, amount))
        if name == number:
            self._apply_reference(name, reference)

    def _draw_part(self, name: str, number: str, *, rng: np.random.Generator) -> np.ndarray:
        """Draw a part; a number only where its state says that there is one and it equals no reference."""
        forest = self.model.forests[name]
        is_free = [self.out[other] == 0 for other in (f"{number}#state", f"{number}#same") if other in self.out]
        rows = np.flatnonzero(np.all(is_free, axis=0)) if is_free else np.arange(self.rows)
        if len(rows) == self.rows:
            return self._draw_values(name, forest, self._features_of(forest), rows, rng=rng)
        drawn = np.zeros(self.rows, dtype=np.int32) if forest.donors.dtype.kind == "i" else np.full(self.rows, np.nan)
        drawn[rows] = self._draw_values(name, forest, [x[rows] for x in self._features_of(forest)], rows, rng=rng)
        return drawn

    def add(self, name: str, values: np.ndarray) -> None:
        """Add a part of every row, drawn or known."""
        self.out[name] = values
        self._features[name] = values.astype(np.intp) if values.dtype.kind == "i" else as_feature(values)

    def _may_equal(self, number: str, parts: Values, possible: np.ndarray) -> np.ndarray:
        """Where a number may equal its reference. (rows,) bool"""
        within = self.conditions.within.get(number)
        return possible if within is None else possible & within(parts[number])

    def _apply_reference(self, name: str, reference: Reference) -> None:
        """Replace a number that equals a reference by the amount there, with all parts of its column. Known numbers
        stay.
        """
        references = self.model.references
        code = self.out[f"{name}#same"] if reference.equal_to else np.zeros(self.rows, dtype=np.int32)
        known = self.conditions.known.get(name, np.full(self.rows, np.nan))
        is_known = ~np.isnan(known)
        if code.any():
            parts, _ = references.equal_parts(name, code, self.out)
            low, high = self.model.smoothing[name].interval(np.where(is_known, known, 0.0), WIDTH)
            differs = is_known & (code > 0) & ~((parts[name] >= low) & (parts[name] <= high))
            self.weight[differs] *= ZERO_WEIGHT
            for part, values in parts.items():
                self.add(part, np.where((code > 0) & ~is_known, values, self.out[part]))
        if is_known.any():
            self.add(name, np.where(is_known, known, self.out[name]))
            if reference.equal_to:
                known_code = references.equal_code(name, references.to_amount(name, known), self.out)
                self.add(f"{name}#same", np.where(is_known, known_code, code))

    def _conditions(self, name: str, rows: np.ndarray) -> tuple[Within | None, np.ndarray | None]:
        """The bounds and the known values of a part in `rows`. Those of a number are converted to its step."""
        references = self.model.references
        number, kind = references.owner(name)
        target = number if kind == "step" else name
        within, known = self.conditions.within.get(target), self.conditions.known.get(target)
        known = None if known is None else known[rows]
        if kind != "step" or (reference := references.by_part.get(number)) is None or reference.base is None:
            return within, known
        base = references.amounts(reference.base, self.out)[rows]
        if within is not None:
            ends = (within.low, within.high)
            low, high = (reference.step(references.to_amount(number, end), base) for end in ends)
            within = Within(None, low, high)
        return within, None if known is None else reference.step(references.to_amount(number, known), base)

    def _features_of(self, forest: Forest) -> list[np.ndarray]:
        features = list(self._features.values())
        return [features[j] for j in forest.used]

    def _draw_values(
        self, name: str, forest: Forest, features: list[np.ndarray], rows: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw a part of `rows`, and multiply their weights by the likelihood of its conditions."""
        within, known = self._conditions(name, rows)
        if within is None and known is None:
            drawn = forest.draw(features, len(rows), rng=rng, exchangeable=self.exchangeable)
            drawn = self._redraw_zeros(name, forest, drawn, features, rows, rng=rng)
            return self._smooth(name, drawn, None, rng=rng)
        leaf = forest.leaves(features, len(rows), rng=rng, exchangeable=self.exchangeable)
        if within is not None:
            drawn, share = _draw_within(name, forest, leaf, within, rng=rng)
        else:
            drawn = forest.draw(features, len(rows), rng=rng, exchangeable=self.exchangeable)
            share = np.ones(len(rows))
        drawn = self._smooth(name, drawn, within, rng=rng)
        if known is not None:
            is_known = _is_known(known)
            drawn = np.where(is_known, known, drawn)
            share = np.where(is_known, self._likelihood(name, forest, leaf, known, rows), share)
        if drawn.dtype.kind == "i":
            share = share * np.where(self.model.zeros.violations(name, drawn, self.out, rows), ZERO_WEIGHT, 1.0)
        self.weight[rows] *= share
        return drawn

    def _likelihood(
        self, name: str, forest: Forest, leaf: np.ndarray, value: np.ndarray, rows: np.ndarray
    ) -> np.ndarray:
        """Likelihood of known values in the leaves, up to a factor: the share of donors with about the same rank."""
        value = np.where(np.isnan(value), forest.donors[0], value) if value.dtype.kind == "f" else np.maximum(value, 0)
        size, ordered = forest.sizes[leaf], forest.sorted_donors
        out = np.zeros(len(rows))
        widths = STEP_WIDTHS if self.model.references.owner(name)[1] == "step" else (WIDTH,)
        for width in widths:
            low, high = self._interval(name, value, rows, width)
            count = np.searchsorted(ordered, high, side="right") - np.searchsorted(ordered, low, side="left")
            overall = (count + PRIOR) / (len(ordered) + PRIOR)
            in_leaf = forest.share_between(leaf, low, high)
            out += (in_leaf * size + PRIOR * overall) / (size + PRIOR) * (WIDTH / width)
        return out / len(widths)

    def _interval(self, name: str, value: np.ndarray, rows: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
        """The ends of the interval whose values count as equal to a known one; of steps, those that lead into it."""
        references = self.model.references
        number, kind = references.owner(name)
        if kind != "step" or (reference := references.by_part[number]).base is None:
            return self.model.smoothing[name].interval(value, width) if name in self.model.smoothing else (value, value)
        ends = self.model.smoothing[number].interval(self.conditions.known[number][rows], width)
        base = references.amounts(reference.base, self.out)[rows]
        low, high = (reference.step(references.to_amount(number, end), base) for end in ends)
        return low, high

    def _smooth(self, name: str, drawn: np.ndarray, within: Within | None, *, rng: np.random.Generator) -> np.ndarray:
        if name not in self.model.smoothing:
            return drawn
        return self.model.smoothing[name](drawn, within, rng=rng)

    def _redraw_zeros(
        self,
        name: str,
        forest: Forest,
        drawn: np.ndarray,
        features: list[np.ndarray],
        rows: np.ndarray,
        *,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Draw rows with a structural zero again: first from a leaf, then from all possible values."""
        zeros = self.model.zeros
        if not (size := zeros.size(name)):
            return drawn
        violated = np.flatnonzero(zeros.violations(name, drawn, self.out, rows))
        for _ in range(REDRAWS):
            if not len(violated):
                return drawn
            drawn[violated] = forest.draw([x[violated] for x in features], len(violated), rng=rng)
            violated = violated[zeros.violations(name, drawn[violated], self.out, rows[violated])]
        frequency = np.bincount(forest.donors, minlength=size) * zeros.possible(name, size, self.out, rows[violated])
        total = frequency.sum(1)
        solvable = violated[total > 0]  # if no value is possible, the drawn one stays
        u = rng.random(len(solvable))[:, None] * total[total > 0, None]
        drawn[solvable] = (np.cumsum(frequency[total > 0], axis=1) <= u).sum(1)
        return drawn

    def take(self, rows: np.ndarray) -> None:
        """Continue with these rows alone, all with weight 1."""
        self.out = {name: values[rows] for name, values in self.out.items()}
        self._features = {name: values[rows] for name, values in self._features.items()}
        self.conditions, self.rows, self.weight = _conditions_of(self.conditions, rows), len(rows), np.ones(len(rows))


def _draw_within(
    name: str, forest: Forest, leaf: np.ndarray, within: Within, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a donor within the bounds for each row, and return the share of such donors in its leaf."""
    if isinstance(within.low, np.ndarray) and isinstance(within.high, np.ndarray):
        return forest.draw_between(leaf, within.low, within.high, rng=rng)
    allowed = within(forest.donors)
    if not allowed.any():
        column = name.split("#")[0] if "#" in name.replace("##", "") else name.replace("##", "#")
        raise FitError(
            f"column {column}: the model has learned no value that meets the condition; remedy: a condition that rows"
            " of the source meet"
        )
    return forest.draw_allowed(leaf, allowed, rng=rng)


def last_condition(model: SequentialModel, conditions: Conditions) -> int:
    """Number of parts that must be drawn until all parts with a condition are there."""
    positions = [i for i, name in enumerate(model.order) if name in conditions.within or name in conditions.known]
    return positions[-1] + 1 if positions else 0


def draw_conditional(model: SequentialModel, conditions: Conditions, *, rng: np.random.Generator) -> Values:
    """Draw every part of rows that meet conditions: by particles if cells are known, else among common candidates."""
    last = last_condition(model, conditions)
    if not conditions.known:
        return _draw_candidates(model, conditions, last, rng=rng)
    complete = {name for name, values in conditions.known.items() if _is_known(values).all()}
    free = [i for i, name in enumerate(model.order) if not {name, model.references.owner(name)[0]} & complete]
    if not free or last <= free[0]:  # the known parts come first: the others are simply drawn given them
        sampler = SequentialSampler(model, conditions)
        for name, stream in zip(model.order, rng.spawn(len(model.order))):  # the same streams, whatever is known
            if name in conditions.known and name not in model.references.by_part:
                sampler.add(name, conditions.known[name])
            else:
                sampler.draw_next(name, rng=stream)
        return sampler.out
    out = _draw_particles(model, conditions, last, rng=rng)
    return {name: out[name] for name in model.order}


def _is_known(values: np.ndarray) -> np.ndarray:
    return values >= 0 if values.dtype.kind == "i" else ~np.isnan(values)


def _draw_candidates(model: SequentialModel, conditions: Conditions, last: int, *, rng: np.random.Generator) -> Values:
    """Draw candidates up to the last condition, choose among them, and draw the remaining parts of the chosen ones."""
    batches: list[SequentialSampler] = []
    weights = np.zeros(0)
    while not batches or not is_sufficient(weights, conditions.rows):
        size = max(1024, conditions.rows) if not batches else min(ROWS, 2 * len(weights))
        batch = SequentialSampler(model, Conditions(size, {}, conditions.within))
        for name, stream in zip(model.order[:last], rng.spawn(last)):
            batch.draw_next(name, rng=stream)
        batches.append(batch)
        weights = np.concatenate([weights, batch.weight])
    sampler = SequentialSampler(model, Conditions(len(weights), {}, conditions.within))
    for name in model.order[:last]:
        sampler.out[name] = np.concatenate([batch.out[name] for batch in batches])
        sampler._features[name] = np.concatenate([batch._features[name] for batch in batches])
    sampler.take(choose(weights, conditions.rows, rng=rng))
    for name, stream in zip(model.order[last:], rng.spawn(len(model.order) - last)):
        sampler.draw_next(name, rng=stream)
    return sampler.out


def _draw_particles(model: SequentialModel, conditions: Conditions, last: int, *, rng: np.random.Generator) -> Values:
    """Draw each row by particles. Rows with too small an effective sample size are drawn again with more of them."""
    out: Values = {}
    rows = np.arange(conditions.rows)
    for particles in PARTICLES:
        insufficient = []
        for some in np.array_split(rows, -(-len(rows) * particles // ROWS)):
            sampler, effective = _filter_particles(model, _conditions_of(conditions, some), last, particles, rng=rng)
            for name, values in sampler.out.items():
                out.setdefault(name, np.empty(conditions.rows, dtype=values.dtype))[some] = values
            insufficient.append(some[effective < MIN_EFFECTIVE])
        if not len(rows := np.concatenate(insufficient)):
            break
    return out


def _conditions_of(conditions: Conditions, rows: np.ndarray) -> Conditions:
    return Conditions(len(rows), {name: values[rows] for name, values in conditions.known.items()}, conditions.within)


def _filter_particles(
    model: SequentialModel, conditions: Conditions, last: int, particles: int, *, rng: np.random.Generator
) -> tuple[SequentialSampler, np.ndarray]:
    """One particle of each row, drawn to the end; and the smallest effective sample size of the row's particles on the
    way, (sum w)^2 / sum w^2. (rows,)
    """
    rows = conditions.rows
    sampler = SequentialSampler(model, _conditions_of(conditions, np.repeat(np.arange(rows), particles)))
    effective = np.full(rows, float(particles))
    for name in model.order[:last]:
        sampler.draw_next(name, rng=rng)
        weights = sampler.weight.reshape(rows, particles)
        if (weights.max(1) > weights.min(1)).any():
            effective = np.minimum(effective, weights.sum(1) ** 2 / np.maximum((weights**2).sum(1), 1e-300))
            sampler.take((resample(weights, rng=rng) + np.arange(rows)[:, None] * particles).ravel())
    sampler.take(np.arange(rows) * particles + rng.integers(particles, size=rows))
    for name in model.order[last:]:
        sampler.draw_next(name, rng=rng)
    return sampler, effective
