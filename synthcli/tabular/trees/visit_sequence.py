"""The order in which an autoregressive method makes the parts of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from synthcli.columns.codec.parts import Part, Values
from synthcli.tabular.trees.features import as_feature, cells

SAMPLE = 5_000  # rows that ties are measured on
TIED = 0.05  # of the strongest column's ties that a column needs to come first


def orders_of(
    parts: Sequence[Part],
    values: Values,
    rules: Mapping[str, str],
    first: Sequence[str] = (),
    *,
    many: int = 1,
    rng: np.random.Generator,
) -> list[list[str]]:
    """Parts in drawing order, those of a column together; `many` such orders, of which none comes twice. rules: part ->
    the part that determines it, after which it comes.

    Columns in `first` lead. The next is always the one with the strongest tie (mutual information) to any that is
    already there; the number of most ties begins, since what is hardest to predict is best taken from its own margin.
    Further orders begin with the category of fewest ties, then the next one, so that the same errors are not made in
    all.
    """
    columns = list(dict.fromkeys(part.column for part in parts))
    if not columns:
        return [[]]
    rows = len(next(iter(values.values())))
    some = np.sort(rng.permutation(rows)[:SAMPLE])
    coded = {
        column: [cells(as_feature(values[p.name][some])).astype(np.int64) for p in parts if p.column == column]
        for column in columns
    }
    led = _sources(parts, rules)
    ties = _ties(columns, coded, led)
    leading = [c for c in dict.fromkeys(first) if c in columns]
    free = [c for c in columns if c not in leading and c not in led]
    begin = _starts(free, dict(zip(columns, ties.sum(1))), {part.column for part in parts if not part.is_code})
    fewest = begin[1:]
    starts = [[] if leading else begin[:1], *([fewest[k % len(fewest)]] for k in range(many - 1) if fewest)]
    found = [_placed(columns, leading + start, ties, led) for start in starts]
    return [
        [part.name for column in placed for part in parts if part.column == column]
        for k, placed in enumerate(found)
        if placed not in found[:k]
    ]


def _starts(free: list[str], total: Mapping[str, float], numbers: set[str]) -> list[str]:
    """Columns that an order may begin with: the number of most ties, then categories, those of fewest ties first."""
    if not free:
        return []
    tied = [c for c in free if total[c] > TIED * max(total.values())]
    few = [c for c in tied or free if c not in numbers] or tied or free
    return [
        max([c for c in tied if c in numbers] or free, key=lambda c: total[c]),
        *sorted(few, key=lambda c: total[c]),
    ]


def _placed(columns: list[str], begun: Sequence[str], ties: np.ndarray, led: Mapping[str, set[str]]) -> list[str]:
    """All columns, after those that have begun."""
    placed, at = list(begun), {c: i for i, c in enumerate(columns)}
    free = [c for c in columns if c not in placed and c not in led]
    while free:
        near = ties[np.ix_([at[c] for c in free], [at[c] for c in placed])].max(1)
        placed.append(free.pop(int(np.argmax(near))))
    for column in _after(columns, led, placed):
        placed.insert(max(placed.index(source) for source in led[column]) + 1, column)
    return placed


def _sources(parts: Sequence[Part], rules: Mapping[str, str]) -> dict[str, set[str]]:
    """Column -> the columns that determine its parts. Rules run in no circle, but their columns may: what would close
    one is left out.
    """
    home = {part.name: part.column for part in parts}
    out: dict[str, set[str]] = {}
    for part, source in rules.items():
        above, more = {home[source]}, {home[source]}
        while more := set().union(*(out.get(column, set()) for column in more)) - above:
            above |= more
        if home[part] not in above:
            out.setdefault(home[part], set()).add(home[source])
    return out


def _after(columns: list[str], led: Mapping[str, set[str]], placed: list[str]) -> list[str]:
    """Determined columns that have no place yet, each after those that determine it."""
    out: list[str] = []
    left = [c for c in columns if c in led and c not in placed]
    while left:
        ready = [c for c in left if led[c] <= {*placed, *out}]
        out += ready
        left = [c for c in left if c not in ready]
    return out


def _ties(columns: list[str], coded: Mapping[str, list[np.ndarray]], led: Mapping[str, set[str]]) -> np.ndarray:
    """Mutual information between columns, in nats, the largest over their parts; 0 for those that another determines.
    (columns, columns)
    """
    out = np.zeros((len(columns), len(columns)))
    for i, a in enumerate(columns):
        for j, b in enumerate(columns[:i]):
            if a not in led and b not in led:
                out[i, j] = out[j, i] = max(_mutual_information(x, y) for x in coded[a] for y in coded[b])
    return out


def _mutual_information(a: np.ndarray, b: np.ndarray) -> float:
    """In nats, less what two independent columns of so many rows would show (Miller 1955)."""
    n = len(a)
    if n == 0:
        return 0.0
    ka, kb = int(a.max()) + 1, int(b.max()) + 1
    table = np.bincount(a * kb + b, minlength=ka * kb).reshape(ka, kb) / n
    expected = table.sum(1, keepdims=True) * table.sum(0)
    seen = table > 0
    return max(0.0, float((table[seen] * np.log(table[seen] / expected[seen])).sum()) - (ka - 1) * (kb - 1) / (2 * n))
