"""What tells the rows of a model from real ones, and rows kept by it: discriminator rejection sampling (Azadi et al. 2019, arXiv 1810.06758).

A model draws each column well given the others and still leaves traces in their joint distribution. Boosted trees learn the log ratio
of the real density to that of the model from real rows and a pool of drawn ones, as the classifier of a two-sample test would; rows are
then kept with a chance in proportion to that ratio. People whom the boosting has not seen refute trees that overfit, and where they
confirm nothing there is no discriminator; what the trees do to the margins is undone by raking. The trees are oblivious (one split for a
whole level, as in Prokhorenkova et al. 2018), so that a row is looked up by the bits of its answers: some nanoseconds a tree. Cuts
between numbers are quantiles of drawn rows, not of real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synthcli.columns.parts import Part, Values

FEWEST = 2000  # privacy units below which there is none: too few to confirm what a density ratio says
ROWS = 50_000  # real rows that are looked at, at most
PER_TREE = 150  # privacy units that there must be for each tree
POOL = 2  # drawn rows for each of them
CLASSES = 64  # classes of a number, at most
LAST = 255  # the class that all rarer categories share
HELD_OUT = 0.2  # of the privacy units decide how many trees there are
DEPTH = 6
RATE = 0.2  # of a tree's answer that is taken
SAMPLED = 0.4  # of the rows, for each tree
LOOKED_AT = 0.7  # of the parts, for each tree
WIDEST = 40  # parts that a tree looks at, at most
SURE = 1.5  # standard errors that the gain on held-out people must be worth
ALWAYS = 0.75  # share of drawn rows below whose ratio a row may be refused: all above it are kept
SWEEPS = 5  # over the margins, until they are met
STEP = 0.5  # of a log ratio, at most: a class that is hardly drawn is not made up for at once
CHUNK = 2**15  # rows that are looked up at once: they stay in the processor's cache

Draw = Callable[..., Values]


@dataclass(frozen=True)
class Discriminator:
    """Oblivious trees over parts. part, at: (trees, DEPTH), which part of `names` and the class above which a row's answer is yes; leaves:
    (trees, 2**DEPTH) log density ratio; margins: (names, LAST + 1) what each class adds, so that the rows that are kept have the margins of
    real ones; cuts: number part -> ends of its classes; ranks: part of codes -> class of each code; cap: log ratio from which on every row
    is kept; share: of drawn rows that are kept."""

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
        return pieces[0] if len(pieces) == 1 else {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}

    def accepts(self, values: Values, *, rng: np.random.Generator) -> np.ndarray:
        """Which rows are kept. (rows,) bool"""
        ratio = self.log_ratio(values)
        return rng.random(len(ratio), dtype=np.float32) < np.exp(ratio - np.float32(self.cap))

    def log_ratio(self, values: Values) -> np.ndarray:
        """Log of the real density over the model's, up to a constant. (rows,) float32"""
        codes = [_classed(values[name], self.cuts.get(name), self.ranks.get(name)) for name in self.names]
        return _looked_up(codes, self.part, self.at, self.leaves, self.margins)

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
            of = {word: {names[int(key.partition(".")[2])]: arrays[key] for key in arrays if key.startswith(word)} for word in ("cuts.", "ranks.")}
            return cls(names, of["cuts."], of["ranks."], arrays["part"], arrays["at"], arrays["leaves"], arrays["margins"], *arrays["ends"].tolist())


def _classed(values: np.ndarray, cuts: np.ndarray | None, ranks: np.ndarray | None) -> np.ndarray:
    """Classes of a part: of a code its rank by frequency; of a number its place between the cuts, 0 where there is none. (rows,) uint8"""
    if ranks is not None:
        return ranks.take(values, mode="clip")
    assert cuts is not None  # a part is one or the other
    place = np.searchsorted(cuts, values, side="right") + 1
    place[np.isnan(values)] = 0
    return place.astype(np.uint8)


def _looked_up(
    codes: Sequence[np.ndarray], part: np.ndarray, at: np.ndarray, leaves: np.ndarray, margins: Sequence[np.ndarray] | np.ndarray = ()
) -> np.ndarray:
    """What trees, and margins, say of rows. codes: (rows,) uint8 classes of each part; -> (rows,) float32"""
    out = np.zeros(len(codes[0]), dtype=np.float32)
    for start in range(0, len(out), CHUNK):
        piece = [code[start : start + CHUNK] for code in codes]
        leaf, answer = np.empty(len(piece[0]), dtype=np.uint8), np.empty(len(piece[0]), dtype=bool)
        for parts, ends, said in zip(part, at, leaves):
            leaf.fill(0)
            for j, end in zip(parts, ends):
                np.greater(piece[j], end, out=answer)
                leaf <<= 1
                leaf |= answer.view(np.uint8)
            out[start : start + CHUNK] += said.take(leaf)
        for code, added in zip(piece, margins):
            out[start : start + CHUNK] += added.take(code)
    return out


def learn(
    draw: Draw, real: Values, parts: Sequence[Part], units: np.ndarray, *, trees: int, smoothing: float, rng: np.random.Generator
) -> Discriminator | None:
    """A discriminator of `trees` trees at most; None where there is too little to learn from, or nothing to tell.

    real: parts of the rows that the model has learned from; units: (rows,) whose they are; smoothing: what counts against a leaf, in
    rows / 4; `draw(rows, rng=)` gives rows of the model. Both are on the axes of `Codec.axes`.
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
    apart = np.concatenate([(rng.random(people.max() + 1) < HELD_OUT)[people], rng.random(len(is_real) - len(rows)) < HELD_OUT])
    boosting = _Boosting(codes, is_real, apart, smoothing, rng)
    if not (best := boosting.run(min(trees, (people.max() + 1) // PER_TREE))):
        return None
    part, at, leaves = (np.array([tree[i] for tree in boosting.trees[:best]]) for i in range(3))
    leaves = leaves.astype(np.float32)
    drawn = [code[~is_real] for code in codes]
    ratio = _looked_up(drawn, part, at, leaves)
    cap = float(np.quantile(ratio, ALWAYS))
    margins, share = _raked(ratio - cap, drawn, [code[is_real] for code in codes])
    return Discriminator(names, cuts, ranks, part, at, leaves, margins, cap, share)


def _raked(ratio: np.ndarray, drawn: Sequence[np.ndarray], real: Sequence[np.ndarray]) -> tuple[np.ndarray, float]:
    """What each class must add for the rows that are kept to have the margins of the real ones, and the share that is kept.

    Iterative proportional fitting (Deming & Stephan 1940) of the chances to be kept. ratio: of the drawn rows, over the cap.
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


class _Boosting:
    """Gradient boosting of the log loss (Friedman 2001), both sides weighing the same. apart: rows that are only judged by."""

    def __init__(self, codes: Sequence[np.ndarray], is_real: np.ndarray, apart: np.ndarray, smoothing: float, rng: np.random.Generator) -> None:
        self.codes, self.sign, self.smoothing, self.rng = codes, np.where(is_real, 1.0, -1.0), smoothing, rng
        self.sizes = [int(code.max()) + 1 for code in codes]
        self.learned, self.judged = np.flatnonzero(~apart), np.flatnonzero(apart)
        self.score = np.zeros(len(is_real))
        self.weight = np.zeros(len(is_real))
        for some in (apart, ~apart):
            for side in (is_real, ~is_real):
                self.weight[some & side] = some.sum() / 2 / max(1, (some & side).sum())
        self.trees: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def run(self, trees: int) -> int:
        """How many of the trees to keep: as many as the rows that are only judged by do not refute; 0 where they do not confirm any."""
        losses, errors = [], []
        for _ in range(trees):
            self._grow()
            gain = np.log(2.0) - np.logaddexp(0, -self.sign[self.judged] * self.score[self.judged])
            losses.append(-float(np.average(gain, weights=self.weight[self.judged])))
            errors.append(float(np.std(gain * self.weight[self.judged])) / np.sqrt(len(gain)))
        best = int(np.argmin(losses))
        if -losses[best] < SURE * errors[best]:
            return 0
        return int(np.flatnonzero(np.array(losses) <= losses[best] + errors[best])[-1]) + 1

    def _grow(self) -> None:
        rows = np.sort(self.rng.choice(self.learned, int(SAMPLED * len(self.learned)), replace=False))
        many = min(max(2, round(LOOKED_AT * len(self.codes))), WIDEST, len(self.codes))
        some = np.sort(self.rng.choice(len(self.codes), many, replace=False))
        chance = 1 / (1 + np.exp(self.sign[rows] * self.score[rows]))  # of the wrong side
        slope = self.sign[rows] * chance * self.weight[rows]
        curve = chance * (1 - chance) * self.weight[rows]
        codes = {int(j): self.codes[j][rows] for j in some}
        leaf = np.zeros(len(rows), dtype=np.intp)
        part, at = np.zeros(DEPTH, dtype=np.int16), np.full(DEPTH, LAST, dtype=np.uint8)
        for level in range(DEPTH):
            part[level], at[level] = self._split(codes, leaf, 1 << level, slope, curve)
            leaf = 2 * leaf + (codes[int(part[level])] > at[level])
        leaves = RATE * np.bincount(leaf, slope, 1 << DEPTH) / (np.bincount(leaf, curve, 1 << DEPTH) + self.smoothing)
        self.trees.append((part, at, leaves))
        self.score += _looked_up(self.codes, part[None], at[None], leaves.astype(np.float32)[None])

    def _split(self, codes: Mapping[int, np.ndarray], leaf: np.ndarray, leaves: int, slope: np.ndarray, curve: np.ndarray) -> tuple[int, int]:
        """The part and the code that part the leaves best, all by the same question."""
        most, found = 0.0, (next(iter(codes)), LAST)
        for j, code in codes.items():
            size = self.sizes[j]
            if size < 2:
                continue
            key = leaf * size + code
            down = np.bincount(key, slope, leaves * size).reshape(leaves, size).cumsum(1)
            held = np.bincount(key, curve, leaves * size).reshape(leaves, size).cumsum(1)
            up, rest = down[:, -1:] - down, held[:, -1:] - held
            worth = (down**2 / (held + self.smoothing) + up**2 / (rest + self.smoothing)).sum(0)[:-1]
            if worth.max() > most:
                most, found = float(worth.max()), (j, int(worth.argmax()))
        return found
