"""Density-ratio rejection sampling (discriminator rejection sampling, Azadi et al. 2019, arXiv 1810.06758).

A model may draw each column well given the others, and still differ from the data in their joint distribution. Boosted
trees learn the log ratio of the real density to that of the model, as the classifier of a two-sample test would. A
generated row is then accepted with a probability proportional to that ratio. Held-out people decide how many trees are
kept; if the trees gain nothing on them, there is no discriminator. Raking corrects the effect of the trees on the
margins. Numbers are cut at quantiles of generated rows, not of real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synthcli.columns.codec.parts import Part, Values
from synthcli.tabular.rejection.boosting import LAST, Boosting, predict
from synthcli.tabular.sampling.calibration import log_step
from synthcli.tabular.sampling.classes import cuts_between

MIN_UNITS = 2000  # privacy units below which there is no discriminator: too few to confirm a density ratio
ROWS = 50_000  # real rows to learn from, at most
UNITS_PER_TREE = 40  # privacy units needed for each tree
GENERATED = 3  # generated rows to learn from, for each real one
RAKING = 4  # generated rows for raking, for each real one
CLASSES = 64  # classes of a number, at most
HELD_OUT = 0.2  # share of the privacy units that are held out, at most; at least a tenth is
HELD_OUT_UNITS = 2500  # held-out units that are enough
MIN_GAIN = 1.5  # gain on held-out people, in standard errors, below which there is no discriminator
CAP = 0.9  # quantile of the ratio from which on every row is accepted
SWEEPS = 5  # of raking over all margins
MAX_STEP = 0.5  # of a log ratio in one sweep: a class that is hardly drawn is not compensated at once

Draw = Callable[..., Values]


@dataclass(frozen=True)
class Discriminator:
    """A density ratio over parts. part, at: (trees, DEPTH), the part of `names` that a level splits on and the class
    above which a row goes right; leaves: (trees, 2**DEPTH) log density ratio; margins: (names, LAST + 1) what each
    class adds, so that accepted rows have the margins of real ones; cuts: number part -> cuts between its classes;
    ranks: code part -> class of each code; cap: log ratio from which on every row is accepted; share: acceptance rate.
    """

    names: tuple[str, ...]
    cuts: Mapping[str, np.ndarray]
    ranks: Mapping[str, np.ndarray]
    part: np.ndarray
    at: np.ndarray
    leaves: np.ndarray
    margins: np.ndarray
    cap: float
    share: float

    def sample(self, rows: int, draw: Draw, axes: Callable[[Values], Values], *, rng: np.random.Generator) -> Values:
        """Draw `rows` accepted rows from `draw(rows, rng=)`. axes: `Codec.axes`."""
        pieces: list[Values] = []
        missing = rows
        while missing > 0:
            drawing, acceptance = rng.spawn(2)
            values = draw(int((missing + 4 * np.sqrt(missing)) / self.share) + 1, rng=drawing)
            accepted = np.flatnonzero(self.accepts(axes(values), rng=acceptance))[:missing]
            pieces.append({name: part[accepted] for name, part in values.items()})
            missing -= len(accepted)
        if not pieces:
            return draw(0, rng=rng)
        if len(pieces) == 1:
            return pieces[0]
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}

    def accepts(self, values: Values, *, rng: np.random.Generator) -> np.ndarray:
        """Which rows are accepted. (rows,) bool"""
        ratio = self.log_ratio(values)
        return rng.random(len(ratio), dtype=np.float32) < np.exp(ratio - np.float32(self.cap))

    def log_ratio(self, values: Values) -> np.ndarray:
        """Log of the ratio of the real density to that of the model, up to a constant. (rows,) float32"""
        codes = [_classes(values[name], self.cuts.get(name), self.ranks.get(name)) for name in self.names]
        return predict(codes, self.part, self.at, self.leaves, self.margins)

    def save(self, folder: Path) -> None:
        """Write the arrays that `load` reads."""
        classes = {f"cuts.{self.names.index(name)}": cuts for name, cuts in self.cuts.items()}
        classes |= {f"ranks.{self.names.index(name)}": ranks for name, ranks in self.ranks.items()}
        plain = {
            "names": np.array(self.names),
            "part": self.part,
            "at": self.at,
            "leaves": self.leaves,
            "margins": self.margins,
            "ends": np.array([self.cap, self.share]),
        }
        np.savez(folder / "discriminator.npz", **plain, **classes)  # type: ignore[arg-type]

    @classmethod
    def load(cls, folder: Path) -> Discriminator | None:
        """Load the discriminator that `save` wrote; None if there is none."""
        if not (file := folder / "discriminator.npz").exists():
            return None
        with np.load(file, allow_pickle=False) as arrays:
            names = tuple(str(name) for name in arrays["names"])
            of = {
                word: {names[int(key.partition(".")[2])]: arrays[key] for key in arrays if key.startswith(word)}
                for word in ("cuts.", "ranks.")
            }
            return cls(
                names,
                of["cuts."],
                of["ranks."],
                arrays["part"],
                arrays["at"],
                arrays["leaves"],
                arrays["margins"],
                *arrays["ends"].tolist(),
            )


def _classes(values: np.ndarray, cuts: np.ndarray | None, ranks: np.ndarray | None) -> np.ndarray:
    """Classes of a part: the frequency rank of a code; the position of a number between the cuts, 0 if it is missing.
    (rows,) uint8
    """
    if ranks is not None:
        return ranks.take(values, mode="clip")
    assert cuts is not None  # a part is one or the other
    position = np.searchsorted(cuts, values, side="right") + 1
    position[np.isnan(values)] = 0
    return position.astype(np.uint8)


def learn(
    draw: Draw,
    real: Values,
    parts: Sequence[Part],
    units: np.ndarray,
    *,
    trees: int,
    smoothing: float,
    rng: np.random.Generator,
) -> Discriminator | None:
    """Learn a discriminator of at most `trees` trees; None if there are too few privacy units, or nothing to gain.

    real: parts of the rows that the model was fitted to; units: (rows,) their privacy units; smoothing: regularisation
    of a leaf, in quarters of a row; `draw(rows, rng=)` draws rows from the model. Both are on the axes of `Codec.axes`.
    """
    if not parts or len(np.unique(units)) < MIN_UNITS:
        return None
    rows = np.sort(rng.permutation(len(units))[:ROWS])
    generated = draw(GENERATED * len(rows), rng=rng.spawn(1)[0])
    names = tuple(part.name for part in parts)
    cuts = {part.name: cuts_between(generated[part.name], CLASSES) for part in parts if not part.is_code}
    ranks = {part.name: _ranks(generated[part.name], part.size) for part in parts if part.is_code}
    both = {name: np.concatenate([real[name][rows], generated[name]]) for name in names}
    codes = [_classes(both[name], cuts.get(name), ranks.get(name)) for name in names]
    is_real = np.arange(len(codes[0])) < len(rows)
    people = np.unique(units[rows], return_inverse=True)[1]
    held_out_share = float(np.clip(HELD_OUT_UNITS / (people.max() + 1), 0.1, HELD_OUT))
    held_out_people = rng.random(people.max() + 1) < held_out_share
    held_out_generated = rng.random(len(is_real) - len(rows)) < held_out_share
    held_out = np.concatenate([held_out_people[people], held_out_generated])
    boosting = Boosting(codes, is_real, held_out, smoothing, rng)
    if not (best := boosting.run(min(trees, (people.max() + 1) // UNITS_PER_TREE), MIN_GAIN)):
        return None
    part, at, leaves = (np.array([tree[i] for tree in boosting.trees[:best]]) for i in range(3))
    leaves = leaves.astype(np.float32)
    fresh = draw(RAKING * len(rows), rng=rng.spawn(1)[0])  # rows that no tree was grown on
    drawn = [_classes(fresh[name], cuts.get(name), ranks.get(name)) for name in names]
    ratio = predict(drawn, part, at, leaves)
    cap = float(np.quantile(ratio, CAP))
    margins, share = _rake(ratio - cap, drawn, [code[is_real] for code in codes])
    return Discriminator(names, cuts, ranks, part, at, leaves, margins, cap, share)


def _rake(ratio: np.ndarray, drawn: Sequence[np.ndarray], real: Sequence[np.ndarray]) -> tuple[np.ndarray, float]:
    """Rake the acceptance probabilities to the real margins (Deming & Stephan 1940): what each class adds to the log
    ratio, and the acceptance rate. drawn, real: classes of each part; ratio: log ratio of the drawn rows, minus the cap
    """
    margins = np.zeros((len(drawn), LAST + 1), dtype=np.float32)
    target = [np.bincount(code, minlength=LAST + 1) / len(code) for code in real]
    ratio = ratio.astype(np.float64)
    acceptance = np.minimum(1, np.exp(ratio))
    for _ in range(SWEEPS):
        for j, code in enumerate(drawn):
            accepted = np.bincount(code, acceptance, LAST + 1) / acceptance.sum()
            step = log_step(accepted, target[j], MAX_STEP)
            margins[j] += step.astype(np.float32)
            ratio += step[code]
            acceptance = np.minimum(1, np.exp(ratio))
    return margins, float(acceptance.mean())


def _ranks(codes: np.ndarray, size: int) -> np.ndarray:
    """The rank of each code by frequency, 0 for the most frequent. (size,) uint8"""
    ranks = np.empty(size, dtype=np.intp)
    ranks[np.argsort(-np.bincount(codes, minlength=size), kind="stable")] = np.arange(size)
    return ranks.clip(max=LAST).astype(np.uint8)
