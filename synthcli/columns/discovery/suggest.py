"""Rules that a table's rows all obey and that chance does not explain: orders, sums, one-hot groups, fixed
combinations, joint keys, a target.

Each finding holds in every row where it can be looked at. What holds trivially (ranges that do not meet, columns that
hardly vary) is none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns import words
from synthcli.columns.codec import dependencies
from synthcli.columns.codec.codec import Codec
from synthcli.contracts.schema import Schema

SAMPLE = 10_000  # rows that candidates are looked for in; findings are verified on all
SIGNATURE = 24  # rows that a sum must meet before it is verified
ADDENDS = 40  # numbers among which sums are looked for
LEAST_ROWS = 50
MOST_ORDERS = 12
_TARGETS = words.listed("""
    target label class outcome y response churn churned default defaulted fraud is_fraud approved survived readmitted
    readmission
    converted attrition diagnosis result success won passed risk score rating price sale_price amount_due cost
    progression ziel
    zielgroesse kuendigung betrug cible etiquette resultat objetivo etiqueta resultado baja obiettivo esito doel klasse
    uitkomst cel klasa
    wynik alvo rotulo fraude
    """)


@dataclass(frozen=True)
class Suggestion:
    """A rule. form: expr, or the key of a constraint; columns: those it is about (of sum: the total first); text: the
    expression of expr, also of sum.

    evidence: in words; tolerance: of a sum of numbers that are not whole.
    """

    form: Literal["expr", "sum", "one_hot", "one_of", "unique"]
    columns: tuple[str, ...]
    evidence: str
    text: str = ""
    tolerance: float = 0.0

    @property
    def constraint(self) -> dict[str, Any]:
        """The constraint as the spec writes it."""
        if self.form == "expr":
            return {"expr": self.text}
        if self.form == "sum":
            body: dict[str, Any] = {"total": self.columns[0], "of": list(self.columns[1:])}
            return {"sum": body | ({"tolerance": self.tolerance} if self.tolerance else {})}
        return {self.form: list(self.columns)}


def suggest(
    frame: pd.DataFrame, schema: Schema, units: np.ndarray | None = None, *, skip: Sequence[str] = ()
) -> list[Suggestion]:
    """All rules found. frame: canonical; units: (rows,) privacy unit of each row; skip: columns that are made up, about
    which no rule can hold.
    """
    kept = tuple(c for c in schema.columns if c.kind in frames.MODELLED and c.name not in skip)
    if len(frame) < LEAST_ROWS or not kept:
        return keys(frame, schema, units)
    modelled = Schema(kept)
    tables = one_hot(frame, modelled)
    hot = {name for group in tables for name in group.columns}
    return [*_ties(frame, modelled, units, hot), *sums(frame, modelled, skip=hot), *tables, *keys(frame, schema, units)]


def _ties(frame: pd.DataFrame, schema: Schema, units: np.ndarray | None, hot: set[str]) -> list[Suggestion]:
    """Orders of numbers and fixed combinations, as columns/codec/dependencies.py finds them."""
    few = frame.iloc[:: max(1, -(-len(frame) // SAMPLE))].reset_index(drop=True)
    seen = None if units is None else units[:: max(1, -(-len(frame) // SAMPLE))]
    codec = Codec.fit(few, schema, key=0, units=seen)
    values = codec.encode(few)
    column = {part.name: part.column for part in codec.parts}
    orders = [
        (column[t.a], column[t.b]) for t in dependencies.ties(values, codec.parts, codec.scales) if t.kind == "order"
    ]
    orders = [pair for pair in dict.fromkeys(orders) if _ordered(frame, *pair) and not hot & set(pair)]
    out = [_order(frame, low, high) for low, high in _reduced(orders)[:MOST_ORDERS]]
    determined = dependencies.determined(values, codec.parts, seen, codec.merged)
    pairs = dict.fromkeys(
        (column[source], column[target]) for target, source in determined.items() if not target.endswith("#state")
    )
    kinds = {c.name: c.kind for c in schema.columns}
    for source, target in pairs:
        coded = kinds[source] in frames.CODES and kinds[target] in frames.CODES and not hot & {source, target}
        if coded and frame[[source, target]].drop_duplicates()[source].is_unique:
            out.append(
                Suggestion("one_of", (source, target), f"each {source} has one {target} in all {len(frame):,} rows")
            )
    return out


def _ordered(frame: pd.DataFrame, low: str, high: str) -> bool:
    both = frame[[low, high]].dropna()
    return len(both) >= LEAST_ROWS and bool((both[low] <= both[high]).all())


def _order(frame: pd.DataFrame, low: str, high: str) -> Suggestion:
    rows = int((frame[low].notna() & frame[high].notna()).sum())
    return Suggestion(
        "expr",
        (low, high),
        f"holds in all {rows:,} rows where both are known; independent columns would break it",
        f"{quoted(low)} <= {quoted(high)}",
    )


def _reduced(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without what follows from others: a <= c where a <= b and b <= c."""
    above = defaultdict(set)
    for low, high in pairs:
        above[low].add(high)
    return [
        (low, high) for low, high in pairs if not any(high in above[middle] for middle in above[low] if middle != high)
    ]


def quoted(name: str) -> str:
    """A column's name as an expression writes it."""
    from synthcli.columns.expressions.syntax import KEYWORDS

    plain = name.isidentifier() and name.isascii() and name not in KEYWORDS
    return name if plain else "`" + name.replace("`", "``") + "`"


def sums(frame: pd.DataFrame, schema: Schema, *, skip: set[str] | None = None) -> list[Suggestion]:
    """Totals of two or three other columns, or of a run of neighbours, to within the last decimal."""
    names = [c.name for c in schema.columns if c.kind in ("integer", "float") and c.name not in (skip or ())][:ADDENDS]
    numbers = {n: frame[n].to_numpy(dtype=float, na_value=np.nan) for n in names}
    numbers = {n: v for n, v in numbers.items() if len(np.unique(v[np.isfinite(v)])) >= dependencies.LEAST_DISTINCT}
    if len(numbers) < 3:
        return []
    table = np.column_stack(list(numbers.values()))
    whole = np.flatnonzero(np.isfinite(table).all(1))
    if len(whole) < LEAST_ROWS:
        return []
    rows = whole[:: max(1, len(whole) // SIGNATURE)][:SIGNATURE]
    found = []
    taken: set[str] = set()
    for total, parts in _sum_candidates(table[rows], list(numbers)):
        if total not in taken and _adds_up([numbers[p] for p in parts], numbers[total]):
            taken.add(total)
            slack = _slack(numbers[total])
            text = f"abs({quoted(total)} - ({' + '.join(map(quoted, parts))})) <= {slack:g}"
            found.append(
                Suggestion("sum", (total, *parts), f"{total} is their sum in all {len(whole):,} rows", text, slack)
            )
    return found


def _sum_candidates(some: np.ndarray, names: list[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Which columns may be sums of others, on a few rows. some: (few rows, columns)"""
    sign = lambda v: np.round(v, 6).tobytes()  # noqa: E731
    some = some + 0.0
    place = {sign(some[:, i] + 0.0): i for i in range(len(names))}
    pairs: dict[bytes, tuple[int, int]] = {}
    out: list[tuple[int, tuple[int, ...]]] = []
    for i in range(len(names)):
        for j in range(i):
            both = some[:, i] + some[:, j] + 0.0
            pairs[sign(both)] = (j, i)
            if (t := place.get(sign(both))) is not None and t not in (i, j):
                out.append((t, (j, i)))
    for t in range(len(names)):
        for a in range(len(names)):
            if (
                a != t
                and (two := pairs.get(sign(some[:, t] - some[:, a] + 0.0))) is not None
                and len({t, a, *two}) == 4
            ):
                out.append((t, tuple(sorted((a, *two)))))
    running = np.cumsum(np.column_stack([np.zeros(len(some)), some]), axis=1)
    for start in range(len(names)):
        for end in range(start + 4, len(names) + 1):
            t = place.get(sign(running[:, end] - running[:, start] + 0.0))
            if t is not None and not start <= t < end:
                out.append((t, tuple(range(start, end))))
    longest = sorted(dict.fromkeys(out), key=lambda found: len(found[1]))
    return [(names[t], tuple(names[p] for p in parts)) for t, parts in longest]


def _slack(total: np.ndarray) -> float:
    """Half a unit of the last decimal that matters: 0 for whole numbers."""
    known = total[np.isfinite(total)]
    if (known % 1 == 0).all():
        return 0.0
    decimals = next((d for d in range(1, 9) if np.allclose(np.round(known, d), known, rtol=0, atol=1e-9)), None)
    return 1e-6 if decimals is None else 0.5 * 10.0**-decimals


def _adds_up(parts: list[np.ndarray], total: np.ndarray) -> bool:
    """Whether it holds everywhere, and is no sum of one column and zeros."""
    added = np.sum(parts, axis=0)
    known = np.isfinite(added) & np.isfinite(total)
    at_work = [int(((p != 0) & known).sum()) >= max(20, 0.01 * known.sum()) for p in parts]
    slack = _slack(total)
    return bool(known.sum() >= LEAST_ROWS and all(at_work) and (np.abs(added - total)[known] <= max(slack, 1e-9)).all())


def one_hot(frame: pd.DataFrame, schema: Schema) -> list[Suggestion]:
    """Groups of three or more 0/1 columns of which exactly one is 1 in each row: first those whose names begin alike,
    then any others.
    """
    binary = {c.name: v for c in schema.columns if (v := _binary(frame[c.name])) is not None}
    groups: dict[str, list[str]] = defaultdict(list)
    for name in binary:
        groups[" ".join(words.tokens(name)[:1])].append(name)
    found: list[Suggestion] = []
    free = dict(binary)
    for group in (*groups.values(), list(binary)):
        chosen = _exclusive([n for n in group if n in free], free)
        if len(chosen) >= 3:
            found.append(
                Suggestion(
                    "one_hot", tuple(chosen), f"exactly one of the {len(chosen)} is true in all {len(frame):,} rows"
                )
            )
            free = {n: v for n, v in free.items() if n not in chosen}
    return found


def _binary(values: pd.Series) -> np.ndarray | None:
    """A column of 0 and 1 (or false and true) without nulls as booleans, where both come often enough."""
    if values.isna().any() or not (pd.api.types.is_numeric_dtype(values.dtype) or values.dtype == "boolean"):
        return None
    numbers = values.to_numpy(dtype=float)
    ones = int((numbers == 1).sum())
    return numbers == 1 if np.isin(numbers, (0, 1)).all() and 5 <= ones < len(numbers) else None


def _exclusive(names: Sequence[str], values: Mapping[str, np.ndarray]) -> list[str]:
    """Columns that never hold together and together always hold, chosen greedily; none where there are no such."""
    rows = len(next(iter(values.values()))) if values else 0
    chosen: list[str] = []
    covered = np.zeros(rows, dtype=bool)
    for name in sorted(names, key=lambda n: -int(values[n].sum())):
        if not (covered & values[name]).any():
            chosen.append(name)
            covered = covered | values[name]
    return [n for n in names if n in chosen] if rows and covered.all() else []


def keys(frame: pd.DataFrame, schema: Schema, units: np.ndarray | None = None) -> list[Suggestion]:
    """Pairs of columns, one of them a repeated id, that name each row once where neither does alone."""
    rows = len(frame)
    if rows < LEAST_ROWS:
        return []
    ids = [c.name for c in schema.columns if c.kind == "id" or c.name == schema.unit]
    ids = [n for n in ids if frame[n].notna().all() and 1 < frame[n].nunique() < rows]
    found = []
    for name in ids:
        for other in schema.columns:
            if other.name == name or other.kind in ("float", "text") or frame[other.name].isna().any():
                continue
            repeats = frame[other.name].nunique() < 0.9 * rows and rows / frame[name].nunique() >= 1.5
            if repeats and not frame.duplicated([name, other.name]).any():
                found.append(
                    Suggestion("unique", (name, other.name), f"no pair of the two comes twice in {rows:,} rows")
                )
                break
    return found


def target(schema: Schema, frame: pd.DataFrame, skip: Sequence[str] = ()) -> tuple[str, str] | None:
    """The column that a model of this table would most likely predict, and why; None where nothing tells.

    By what it is called; else the last column, if it is a boolean or has few classes, each of them often enough.
    """
    able = [
        c for c in schema.columns if c.kind in frames.MODELLED and c.name not in skip and frame[c.name].nunique() > 1
    ]
    ranks = {name: i for i, name in enumerate(_TARGETS)}
    spelled = [(c.name, parts) for c in able if (parts := words.tokens(c.name))]
    called = [(ranks[word], name) for name, parts in spelled for word in ("_".join(parts), parts[-1]) if word in ranks]
    if called:
        return min(called)[1], "by its name"
    last = schema.columns[-1] if schema.columns else None
    if last is not None and last in able and last.kind in frames.CODES:
        counts = frame[last.name].value_counts()
        if len(counts) <= 20 and counts.min() >= 5 and counts.max() <= 0.98 * len(frame):
            return last.name, f"the last column, of {len(counts)} classes"
    return None
