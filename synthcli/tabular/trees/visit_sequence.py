"""The visit sequence: the order in which a sequential model draws the columns of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from synthcli.columns.codec.parts import Part, Values
from synthcli.tabular.trees.features import as_feature, feature_classes

SAMPLE = 5_000  # rows on which associations are measured
MIN_ASSOCIATION = 0.05  # total association of a first column, as a share of the largest total


def visit_sequences(
    parts: Sequence[Part],
    values: Values,
    determinants: Mapping[str, str],
    first: Sequence[str] = (),
    *,
    count: int = 1,
    rng: np.random.Generator,
) -> list[list[str]]:
    """Up to `count` different orders of the parts; the parts of a column stay together.

    The columns in `first` come first. Each next column has the strongest association (mutual information) with any
    earlier one. The first sequence begins with the number that has the largest total association, since the column that
    is hardest to predict is best drawn from its margin; further sequences begin with the categories of smallest total
    association, so that their errors differ. determinants: part -> the part that determines it and must come earlier.
    """
    columns = list(dict.fromkeys(part.column for part in parts))
    if not columns:
        return [[]]
    rows = len(next(iter(values.values())))
    sample = np.sort(rng.permutation(rows)[:SAMPLE])
    classes = {
        column: [
            feature_classes(as_feature(values[p.name][sample])).astype(np.int64) for p in parts if p.column == column
        ]
        for column in columns
    }
    sources = _column_determinants(parts, determinants)
    association = _associations(columns, classes, sources)
    requested = [c for c in dict.fromkeys(first) if c in columns]
    free = [c for c in columns if c not in requested and c not in sources]
    numbers = {part.column for part in parts if not part.is_code}
    candidates = _first_columns(free, dict(zip(columns, association.sum(1))), numbers)
    weakest = candidates[1:]
    further = ([weakest[k % len(weakest)]] for k in range(count - 1) if weakest)
    starts = [[] if requested else candidates[:1], *further]
    sequences = [_sequence(columns, requested + start, association, sources) for start in starts]
    return [
        [part.name for column in sequence for part in parts if part.column == column]
        for k, sequence in enumerate(sequences)
        if sequence not in sequences[:k]
    ]


def _first_columns(free: list[str], total: Mapping[str, float], numbers: set[str]) -> list[str]:
    """Columns that a sequence may begin with: the number with the largest total association, then categories from the
    smallest total upwards.
    """
    if not free:
        return []
    associated = [c for c in free if total[c] > MIN_ASSOCIATION * max(total.values())]
    categories = [c for c in associated or free if c not in numbers] or associated or free
    return [
        max([c for c in associated if c in numbers] or free, key=lambda c: total[c]),
        *sorted(categories, key=lambda c: total[c]),
    ]


def _sequence(
    columns: list[str], start: Sequence[str], association: np.ndarray, sources: Mapping[str, set[str]]
) -> list[str]:
    """All columns, beginning with `start`, each next one by Prim's algorithm."""
    sequence, index = list(start), {c: i for i, c in enumerate(columns)}
    free = [c for c in columns if c not in sequence and c not in sources]
    while free:
        strongest = association[np.ix_([index[c] for c in free], [index[c] for c in sequence])].max(1)
        sequence.append(free.pop(int(np.argmax(strongest))))
    for column in _dependents(columns, sources, sequence):
        sequence.insert(max(sequence.index(source) for source in sources[column]) + 1, column)
    return sequence


def _column_determinants(parts: Sequence[Part], determinants: Mapping[str, str]) -> dict[str, set[str]]:
    """Column -> the columns that determine its parts. Dependencies among parts have no cycle, but those among their
    columns may: a dependency that would close a cycle is dropped.
    """
    column_of = {part.name: part.column for part in parts}
    out: dict[str, set[str]] = {}
    for part, source in determinants.items():
        above, more = {column_of[source]}, {column_of[source]}
        while more := set().union(*(out.get(column, set()) for column in more)) - above:
            above |= more
        if column_of[part] not in above:
            out.setdefault(column_of[part], set()).add(column_of[source])
    return out


def _dependents(columns: list[str], sources: Mapping[str, set[str]], sequence: list[str]) -> list[str]:
    """Dependent columns that are not in the sequence yet, each after all columns that determine it."""
    out: list[str] = []
    left = [c for c in columns if c in sources and c not in sequence]
    while left:
        ready = [c for c in left if sources[c] <= {*sequence, *out}]
        out += ready
        left = [c for c in left if c not in ready]
    return out


def _associations(
    columns: list[str], classes: Mapping[str, list[np.ndarray]], sources: Mapping[str, set[str]]
) -> np.ndarray:
    """Mutual information between columns in nats, the largest over their parts; 0 for dependent columns.
    (columns, columns)
    """
    out = np.zeros((len(columns), len(columns)))
    for i, a in enumerate(columns):
        for j, b in enumerate(columns[:i]):
            if a not in sources and b not in sources:
                out[i, j] = out[j, i] = max(_mutual_information(x, y) for x in classes[a] for y in classes[b])
    return out


def _mutual_information(a: np.ndarray, b: np.ndarray) -> float:
    """Mutual information in nats, less its expectation for two independent columns (Miller 1955)."""
    n = len(a)
    if n == 0:
        return 0.0
    ka, kb = int(a.max()) + 1, int(b.max()) + 1
    table = np.bincount(a * kb + b, minlength=ka * kb).reshape(ka, kb) / n
    expected = table.sum(1, keepdims=True) * table.sum(0)
    occurs = table > 0
    information = float((table[occurs] * np.log(table[occurs] / expected[occurs])).sum())
    return max(0.0, information - (ka - 1) * (kb - 1) / (2 * n))
