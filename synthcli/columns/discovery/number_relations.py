"""Numbers that are a multiple, a product, a ratio, a linear combination or a coarser form of other numbers.

A factor k is sought as an interval: each row, rounded to the decimals of its column, allows some values of k, and the
simplest number that all rows allow is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from synthcli.columns.discovery.relation import Found, fits, half_unit, number, quoted, simplest, varies

MOST = 60  # columns of numbers that are compared
FEW_RATES = 6  # columns of shares or percentages that may scale a product
FEW_VALUES = 40  # different values of such a column in the sample
STEPS = (5, 10, 20, 50, 100, 1000)
ROWS = 2_000  # rows on which a linear combination is fitted
DIGITS = 7  # significant digits of a factor
TERMS = 8  # of a linear combination
AT_WORK = 20  # rows in which a term of it is not zero
DISTINCT = 5  # different values that a computed number needs

Candidate = tuple[str, tuple[str, ...]]  # an expression, and the columns that it reads


@dataclass(frozen=True)
class _Sample:
    """Sampled numbers. few: (rows, names); pairs: of positions; products: (rows, pairs); half: half a unit of
    the last decimal of each name; rates: position of a share, its factor as text and as numbers.
    """

    names: list[str]
    few: np.ndarray
    pairs: np.ndarray
    products: np.ndarray
    half: dict[str, float]
    rates: list[tuple[int, str, np.ndarray]]

    def text(self, *places: int) -> str:
        return " * ".join(quoted(self.names[i]) for i in places)

    def inputs(self, *places: int) -> tuple[str, ...]:
        return tuple(self.names[i] for i in places)


def search(found: Found, numbers: dict[str, np.ndarray], some: np.ndarray, sums: list[set[str]]) -> None:
    """Add the relations of numbers. numbers: name -> floats of all rows; some: positions of the sample; sums: columns
    of which one is known to be the sum of the others.
    """
    able = {n: v for n, v in list(numbers.items()) if varies(v, 2)}
    names = list(able)[:MOST]
    if len(names) < 2:
        return
    few = np.column_stack([able[n][some] for n in names])
    pairs = np.column_stack(np.triu_indices(len(names), 1))
    half = {n: half_unit(able[n], found.frame[n].dtype == "Int64") for n in names}
    rates = list(_rates(names, few, able))
    sample = _Sample(names, few, pairs, few[:, pairs[:, 0]] * few[:, pairs[:, 1]], half, rates)
    targets = [i for i in range(len(names))[::-1] if _wide(able[names[i]], half[names[i]])]
    for target in targets:
        _multiple(found, target, sample)
        _coarser(found, target, sample)
    for target in targets:
        _product(found, target, sample)
    _linear(found, {n: able[n] for n in names}, half, sums)
    for target in targets:
        _ratio(found, target, sample)


def _wide(values: np.ndarray, half: float) -> bool:
    """Whether a column has many values, and rounding is not most of its variation."""
    return varies(values, DISTINCT) and float(np.nanstd(values)) > 4 * half


def _multiple(found: Found, target: int, sample: _Sample) -> None:
    """target = k * a"""
    name, half = sample.names[target], sample.half[sample.names[target]]
    others = np.array([i for i in range(len(sample.names)) if i != target])
    for place, k in _factors(sample.few[:, target], sample.few[:, others], half):
        other = int(others[place])
        if (target > other or half > 0) and _scaled(found, name, k, sample.text(other), sample.inputs(other)):
            return


def _scaled(found: Found, target: str, interval: tuple[float, float], text: str, inputs: tuple[str, ...]) -> bool:
    """Add target = k * text for a simple k, or target = text / n for a simple n."""
    low, high = interval
    if low <= 1 <= high:
        return found.add(target, text, inputs)
    if (k := simplest(low, high, DIGITS)) and found.add(target, f"{number(k)} * {text}", inputs):
        return True
    n = simplest(1 / high, 1 / low, DIGITS) if low * high > 0 else None
    return bool(n) and found.add(target, f"{text} / {number(n or 1)}", inputs)


def _factors(own: np.ndarray, rest: np.ndarray, half: float) -> Iterator[tuple[int, tuple[float, float]]]:
    """The columns of `rest` that a factor takes to `own`, with the interval of the factor."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.sort(np.stack([(own - half)[:, None] / rest, (own + half)[:, None] / rest]), axis=0)
    known = np.isfinite(own)[:, None] & np.isfinite(rest)
    zero = known & (rest == 0)
    used = known & ~zero
    low = np.where(used, ends[0], -np.inf).max(axis=0)
    high = np.where(used, ends[1], np.inf).min(axis=0)
    wrong = (zero & (np.abs(own) > half)[:, None]).any(axis=0)
    slack = 1e-9 * np.maximum(np.abs(low), np.abs(high))
    good = (low <= high + slack) & ~wrong & (used.sum(axis=0) >= min(20, len(own)))
    for place in np.flatnonzero(good):
        yield int(place), (float(min(low[place], high[place])), float(max(low[place], high[place])))


def _coarser(found: Found, target: int, sample: _Sample) -> None:
    """target = floor(a), floor(a / w) or floor(a / w) * w"""
    name, own = sample.names[target], sample.few[:, target]
    if name in found.by_column or not (own[np.isfinite(own)] % 1 == 0).all():
        return
    for place, other in enumerate(sample.names):
        values, text = sample.few[:, place], quoted(other)
        forms = [(f"floor({text})", np.floor(values)), (f"ceil({text})", np.ceil(values))]
        for w in STEPS:
            down = np.floor(values / w)
            forms += [(f"floor({text} / {w}) * {w}", down * w), (f"floor({text} / {w})", down)]
        good = fits(np.column_stack([v for _, v in forms]), own, 0.0) if place != target else np.array([])
        if any(found.add(name, forms[i][0], (other,)) for i in np.flatnonzero(good)):
            return


def _product(found: Found, target: int, sample: _Sample) -> None:
    """target = k * a * b, a * (1 ± d), a * b * (1 ± d), with d a share or a percentage"""
    name = sample.names[target]
    if name in found.by_column:
        return
    half, own = sample.half[name], sample.few[:, target]
    free = np.flatnonzero((sample.pairs != target).all(axis=1))
    for place, interval in _factors(own, sample.products[:, free], half):
        pair = sample.pairs[free[place]].tolist()
        if not found.related({name, *sample.inputs(*pair)}) and _scaled(
            found, name, interval, sample.text(*pair), sample.inputs(*pair)
        ):
            return
    single = np.array([i for i in range(len(sample.names)) if i != target])
    for rate, text, values in sample.rates:
        if rate == target:
            continue
        one, two = single[single != rate], free[(sample.pairs[free] != rate).all(axis=1)]
        bases = np.column_stack([sample.few[:, one], sample.products[:, two]])
        for at in np.flatnonzero(fits(bases * values[:, None], own, half)):
            base = [int(one[at])] if at < len(one) else sample.pairs[two[at - len(one)]].tolist()
            if found.add(name, f"{sample.text(*base)} * {text}", sample.inputs(*base, rate)):
                return


def _rates(names: list[str], few: np.ndarray, able: dict[str, np.ndarray]) -> Iterator[tuple[int, str, np.ndarray]]:
    """(1 ± d) for the columns d that may be shares, (1 ± d / 100) for those that may be percentages."""
    spans = [(i, float(np.nanmin(able[n])), float(np.nanmax(able[n]))) for i, n in enumerate(names)]
    fitting = [
        (i, high) for i, low, high in spans if low >= 0 and high <= 100 and len(np.unique(few[:, i])) <= FEW_VALUES
    ]
    for place, high in sorted(fitting, key=lambda one: one[1])[:FEW_RATES]:
        scale, text = (1.0, quoted(names[place])) if high <= 1 else (100.0, f"{quoted(names[place])} / 100")
        for sign, symbol in ((1, "+"), (-1, "-")):
            yield place, f"(1 {symbol} {text})", 1 + sign * few[:, place] / scale


def _ratio(found: Found, target: int, sample: _Sample) -> None:
    """target = k * a / b, or k * a / b ** 2"""
    name, half = sample.names[target], sample.half[sample.names[target]]
    if name in found.by_column or not half:
        return
    pairs = sample.pairs[(sample.pairs != target).all(axis=1)]
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    if not len(pairs):
        return
    above, below = sample.few[:, pairs[:, 0]], sample.few[:, pairs[:, 1]]
    for power, suffix in ((1, ""), (2, " ** 2")):
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = above / below**power
        for place, interval in _factors(sample.few[:, target], ratios, half):
            inputs = sample.inputs(*pairs[place].tolist())
            text = f"{quoted(inputs[0])} / {quoted(inputs[1])}{suffix}"
            if not found.related({name, *inputs}) and _scaled(found, name, interval, text, inputs):
                return


# --- linear combinations


def _linear(found: Found, numbers: dict[str, np.ndarray], half: dict[str, float], sums: list[set[str]]) -> None:
    """target = a + b - c, up to TERMS columns, or k * a + c: columns that the columns before them determine."""
    numbers = {n: v for n, v in numbers.items() if n not in found.by_column}
    names, rows = _complete(numbers)
    if len(names) < 2:
        return
    table = np.column_stack([numbers[n][rows] for n in names])
    scale = np.maximum(np.abs(table).max(axis=0), 1e-300)
    basis = [np.ones(len(rows))]
    kept: list[int] = []
    for j, name in enumerate(names):
        own = table[:, j] / scale[j]
        design = np.column_stack(basis)
        if kept:
            weights, *_ = np.linalg.lstsq(design, own, rcond=1e-10)
            off = np.abs(own - design @ weights).max() * scale[j]
            if off <= 1.5 * half[name] + 1e-7 * scale[j]:
                heavy = (
                    np.abs(weights[1:]) * table[:, kept].std(axis=0) / scale[kept] * scale[j]
                    > half[name] / 2 + 1e-6 * scale[j]
                )
                terms = [i for i, heavy_enough in zip(kept, heavy) if heavy_enough]
                weights, *_ = np.linalg.lstsq(
                    np.column_stack([np.ones(len(rows)), table[:, terms]]), table[:, j], rcond=None
                )
                factors = [(names[i], _simple(f)) for i, f in zip(terms, weights[1:])]
                if _combined(found, name, factors, _simple(weights[0], half[name]), numbers, sums):
                    continue
        basis.append(own)
        kept.append(j)


def _complete(numbers: dict[str, np.ndarray]) -> tuple[list[str], np.ndarray]:
    """Columns and rows of which all cells are known; columns with many nulls are left out until enough rows are."""
    names = list(numbers)
    while len(names) > 1:
        table = np.column_stack([numbers[n] for n in names])
        known = np.isfinite(table)
        rows = np.flatnonzero(known.all(axis=1))
        if len(rows) >= max(100, 4 * len(names)):
            return names, rows[:: max(1, len(rows) // ROWS)][:ROWS]
        names.pop(int(known.sum(axis=0).argmin()))
    return [], np.array([], dtype=int)


def _simple(value: float, slack: float = 0.0) -> float | None:
    """A simple number close to a fitted one."""
    error = max(1e-4 * max(abs(value), 1e-3), slack)
    return simplest(value - error, value + error)


def _combined(
    found: Found,
    name: str,
    terms: list[tuple[str, float | None]],
    constant: float | None,
    numbers: dict[str, np.ndarray],
    sums: list[set[str]],
) -> bool:
    """Add a linear combination, solved for the column that is a plain sum of the others if there is one."""
    known = [(n, f) for n, f in terms if f]
    if (
        constant is None
        or len(known) < len(terms)
        or not 1 <= len(terms) <= TERMS
        or {name, *(n for n, _ in known)} in sums
    ):
        return False
    if any((numbers[n][np.isfinite(numbers[n])] != 0).sum() < AT_WORK for n, _ in known):
        return False
    equation = {name: -1.0, **dict(known)}
    order = sorted(equation, key=lambda n: (_negative(equation, n, constant), -list(numbers).index(n)))
    for target in [n for n in order if abs(equation[n]) == 1 or n == name]:
        text, inputs = _written(equation, target, constant)
        if found.add(target, text, inputs):
            return True
    return False


def _negative(equation: dict[str, float], target: str, constant: float) -> int:
    """How many terms are subtracted if an equation is solved for a column."""
    sign = -np.sign(equation[target])
    return sum(sign * f < 0 for n, f in equation.items() if n != target) + (sign * constant < 0)


def _written(equation: dict[str, float], target: str, constant: float) -> Candidate:
    """An equation solved for a column, as an expression: positive terms first."""
    scale = -1 / equation[target]
    terms = [(f * scale, n) for n, f in equation.items() if n != target]
    terms.sort(key=lambda term: term[0] < 0)
    text = ""
    for factor, name in terms:
        sign = (" - " if text else "-") if factor < 0 else (" + " if text else "")
        text += sign + (quoted(name) if abs(factor) == 1 else f"{number(abs(factor))} * {quoted(name)}")
    if constant:
        text += (" + " if constant * scale > 0 else " - ") + number(abs(constant * scale))
    return text, tuple(name for _, name in terms)
