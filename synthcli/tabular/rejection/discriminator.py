"""What tells the rows of a model from real ones, and rows kept by it: discriminator rejection sampling (Azadi et al.
2019, arXiv 1810.06758).

A model draws each column well given the others and still leaves traces in their joint distribution. Boosted trees learn
the log ratio of the real density to that of the model from real rows and a pool of drawn ones, as the classifier of a
two-sample test would; rows are then kept with a chance in proportion to that ratio. People whom the boosting has not
seen refute trees that overfit, and where they confirm nothing there is no discriminator; what the trees do to the
margins is undone by raking. Cuts between numbers are quantiles of drawn rows, not of real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synthcli.columns.codec.parts import Part, Values
from synthcli.tabular.rejection.boosting import LAST, Boosting, looked_up

FEWEST = 2000  # privacy units below which there is none: too few to confirm what a density ratio says
ROWS = 50_000  # real rows that are looked at, at most
PER_TREE = 40  # privacy units that there must be for each tree
POOL = 3  # drawn rows for each of them
RAKED = 4  # drawn rows for each of them that the margins are made up on
CLASSES = 64  # classes of a number, at most
HELD_OUT = 0.2  # of the privacy units, at most, decide how many trees there are
JUDGES = 2500  # of them are enough for that, and a tenth is needed
SURE = 1.5  # standard errors that the gain on held-out people must be worth
ALWAYS = 0.9  # share of drawn rows below whose ratio a row may be refused: all above it are kept
SWEEPS = 5  # over the margins, until they are met
STEP = 0.5  # of a log ratio, at most: a class that is hardly drawn is not made up for at once

Draw = Callable[..., Values]


@dataclass(frozen=True)
class Discriminator:
    """Oblivious trees over parts. part, at: (trees, DEPTH), which part of `names` and the class above which a row's
    answer is yes; leaves: (trees, 2**DEPTH) log density ratio; margins: (names, LAST + 1) what each class adds, so that
    the rows that are kept have the margins of real ones; cuts: number part -> ends of its classes; ranks: part of codes
    -> class of each code; cap: log ratio from which on every row is kept; share: of drawn rows that are kept."""

    names: tuple[str, ...]
    cuts: Mapping[str, np.ndarray]
    ranks: Mapping[str, np.ndarray]
    part: np.ndarray
    at: np.ndarray
    leaves: np.ndarray
    margins: np.ndarray
    cap: float
    share: float

    def sifted(self, rows: int, draw: Draw, axes: Callable[[Values], Values], *, rng: np.random.Generator) -> Values:
        """`rows` rows of those that `draw(rows, rng=)` gives. axes: `Codec.axes`."""
        pieces: list[Values] = []
        short = rows
        while short > 0:
            stream, chance = rng.spawn(2)
            values = draw(int((short + 4 * np.sqrt(short)) / self.share) + 1, rng=stream)
            kept = np.flatnonzero(self.accepts(axes(values), rng=chance))[:short]
            pieces.append({name: part[kept] for name, part in values.items()})
            short -= len(kept)
        if not pieces:
            return draw(0, rng=rng)
        return (
            pieces[0]
            if len(pieces) == 1
            else {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
        )

    def accepts(self, values: Values, *, rng: np.random.Generator) -> np.ndarray:
        """Which rows are kept. (rows,) bool"""
        ratio = self.log_ratio(values)
        return rng.random(len(ratio), dtype=np.float32) < np.exp(ratio - np.float32(self.cap))

    def log_ratio(self, values: Values) -> np.ndarray:
        """Log of the real density over the model's, up to a constant. (rows,) float32"""
        codes = [_classed(values[name], self.cuts.get(name), self.ranks.get(name)) for name in self.names]
        return looked_up(codes, self.part, self.at, self.leaves, self.margins)

    def save(self, folder: Path) -> None:
        """Arrays that `load` reads back."""
        own = {f"cuts.{self.names.index(name)}": cuts for name, cuts in self.cuts.items()}
        own |= {f"ranks.{self.names.index(name)}": ranks for name, ranks in self.ranks.items()}
        plain = {
            "names": np.array(self.names),
            "part": self.part,
            "at": self.at,
            "leaves": self.leaves,
            "margins": self.margins,
            "ends": np.array([self.cap, self.share]),
        }
        np.savez(folder / "discriminator.npz", **plain, **own)  # type: ignore[arg-type]

    @classmethod
    def load(cls, folder: Path) -> Discriminator | None:
        """What `save` wrote; None where there was none."""
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


def _classed(values: np.ndarray, cuts: np.ndarray | None, ranks: np.ndarray | None) -> np.ndarray:
    """Classes of a part: of a code its rank by frequency; of a number its place between the cuts, 0 where there is
    none. (rows,) uint8
    """
    if ranks is not None:
        return ranks.take(values, mode="clip")
    assert cuts is not None  # a part is one or the other
    place = np.searchsorted(cuts, values, side="right") + 1
    place[np.isnan(values)] = 0
    return place.astype(np.uint8)


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
    """A discriminator of `trees` trees at most; None where there is too little to learn from, or nothing to tell.

    real: parts of the rows that the model has learned from; units: (rows,) whose they are; smoothing: what counts
    against a leaf, in rows / 4; `draw(rows, rng=)` gives rows of the model. Both are on the axes of `Codec.axes`.
    """
    if not parts or len(np.unique(units)) < FEWEST:
        return None
    rows = np.sort(rng.permutation(len(units))[:ROWS])
    pool = draw(POOL * len(rows), rng=rng.spawn(1)[0])
    names = tuple(part.name for part in parts)
    cuts = {part.name: _cuts(pool[part.name]) for part in parts if not part.is_code}
    ranks = {part.name: _ranks(pool[part.name], part.size) for part in parts if part.is_code}
    both = {name: np.concatenate([real[name][rows], pool[name]]) for name in names}
    codes = [_classed(both[name], cuts.get(name), ranks.get(name)) for name in names]
    is_real = np.arange(len(codes[0])) < len(rows)
    people = np.unique(units[rows], return_inverse=True)[1]
    share = float(np.clip(JUDGES / (people.max() + 1), 0.1, HELD_OUT))
    apart = np.concatenate(
        [(rng.random(people.max() + 1) < share)[people], rng.random(len(is_real) - len(rows)) < share]
    )
    boosting = Boosting(codes, is_real, apart, smoothing, rng)
    if not (best := boosting.run(min(trees, (people.max() + 1) // PER_TREE), SURE)):
        return None
    part, at, leaves = (np.array([tree[i] for tree in boosting.trees[:best]]) for i in range(3))
    leaves = leaves.astype(np.float32)
    fresh = draw(RAKED * len(rows), rng=rng.spawn(1)[0])  # the trees have not seen them
    drawn = [_classed(fresh[name], cuts.get(name), ranks.get(name)) for name in names]
    ratio = looked_up(drawn, part, at, leaves)
    cap = float(np.quantile(ratio, ALWAYS))
    margins, share = _raked(ratio - cap, drawn, [code[is_real] for code in codes])
    return Discriminator(names, cuts, ranks, part, at, leaves, margins, cap, share)


def _raked(ratio: np.ndarray, drawn: Sequence[np.ndarray], real: Sequence[np.ndarray]) -> tuple[np.ndarray, float]:
    """What each class must add for the rows that are kept to have the margins of the real ones, and the share that is
    kept.

    Iterative proportional fitting (Deming & Stephan 1940) of the chances to be kept. ratio: of the drawn rows, over the
    cap.
    """
    margins = np.zeros((len(drawn), LAST + 1), dtype=np.float32)
    wanted = [np.bincount(code, minlength=LAST + 1) / len(code) for code in real]
    ratio = ratio.astype(np.float64)
    chance = np.minimum(1, np.exp(ratio))
    for _ in range(SWEEPS):
        for j, code in enumerate(drawn):
            kept = np.bincount(code, chance, LAST + 1) / chance.sum()
            both = (kept > 0) & (wanted[j] > 0)
            step = np.log(np.where(both, wanted[j], 1) / np.where(both, kept, 1)).clip(-STEP, STEP)
            margins[j] += step.astype(np.float32)
            ratio += step[code]
            chance = np.minimum(1, np.exp(ratio))
    return margins, float(chance.mean())


def _ranks(codes: np.ndarray, size: int) -> np.ndarray:
    """The most frequent code first. (size,) uint8"""
    ranks = np.empty(size, dtype=np.intp)
    ranks[np.argsort(-np.bincount(codes, minlength=size), kind="stable")] = np.arange(size)
    return ranks.clip(max=LAST).astype(np.uint8)


def _cuts(values: np.ndarray) -> np.ndarray:
    """Ends of the classes of a number, each between two values that are there. (at most CLASSES - 1,)"""
    known = np.unique(values[~np.isnan(values)], return_counts=True)
    if len(known[0]) <= CLASSES:
        return (known[0][1:] + known[0][:-1]) / 2
    place = np.searchsorted(np.cumsum(known[1]), np.linspace(0, known[1].sum(), CLASSES + 1)[1:-1])
    place = np.unique(place.clip(max=len(known[0]) - 2))
    return (known[0][place] + known[0][place + 1]) / 2
