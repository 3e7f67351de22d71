"""Suggest rules that all rows of a table obey, beyond chance: orders, sums, one-hot groups, fixed combinations,
composite keys, a target.

A rule holds in every row in which its columns are known. Trivial rules (disjoint ranges, nearly constant columns) are
not suggested.
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
from synthcli.columns.codec import dependencies, top_coding
from synthcli.columns.codec.codec import Codec
from synthcli.columns.discovery.relation import quoted
from synthcli.contracts.schema import Schema

SAMPLE = 10_000  # rows used to find candidates, which are then verified on all rows
SIGNATURE = 24  # rows in which a sum must hold before it is verified
ADDENDS = 40  # maximum numeric columns among which to search for sums
LEAST_ROWS = 50
MOST_ORDERS = 12
ROWS_PER_WORD = 5  # on average, for a word to determine a number
COMMON = 0.95  # largest share of one value in a column that a rule can say something about
MOST_VALUES = 20  # of a category whose values rules may name
MOST_IMPLICATIONS = 12
HELD = 30  # privacy units that hold a value which a rule names
BEYOND_CHANCE = 20.0  # -log of the probability by chance
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
    """A suggested rule. form: expr, or the key of a constraint; columns: its columns (for sum, the total first); text:
    the expression, for expr and sum.

    evidence: a phrase for messages; tolerance: for sums of decimal numbers.
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
    """Find all rules. frame: canonical; units: (rows,) privacy unit of each row; skip: generated columns, which have no
    rules.
    """
    kept = tuple(c for c in schema.columns if c.kind in frames.MODELLED and c.name not in skip)
    if len(frame) < LEAST_ROWS or not kept:
        return keys(frame, schema, units)
    modelled = Schema(kept)
    tables = one_hot(frame, modelled)
    hot = {name for group in tables for name in group.columns}
    ties = _ties(frame, modelled, units, hot)
    pairs = {frozenset(tie.columns) for tie in ties if tie.form == "one_of"}
    coded = [each for each in codes(frame, modelled, units) if frozenset(each.columns) not in pairs]
    added = sums(frame, modelled, skip=hot)
    return [*ties, *coded, *added, *implications(frame, modelled, units), *tables, *keys(frame, schema, units)]


def without(suggestions: Sequence[Suggestion], computed: Sequence[str]) -> list[Suggestion]:
    """The suggestions that say something once these columns are computed: orders and combinations of them follow."""
    gone = set(computed)
    kept = {"unique": (), "sum": (0,)}  # a sum may add computed columns
    return [s for s in suggestions if not gone & {s.columns[i] for i in kept.get(s.form, range(len(s.columns)))}]


def codes(frame: pd.DataFrame, schema: Schema, units: np.ndarray | None = None) -> list[Suggestion]:
    """Find numbers that are a code of a word, one for one, and numbers that a word determines, such as a price."""
    kinds = {c.name: c.kind for c in schema.columns}
    words = [n for n, kind in kinds.items() if kind == "category" and frame[n].dtype == frames.STRING]
    keyed = {n: pd.factorize(frame[n])[0] for n in words}
    keyed = {n: k for n, k in keyed.items() if 2 <= k.max() + 1 <= len(frame) / ROWS_PER_WORD and (k >= 0).all()}
    found: list[Suggestion] = []
    for name, kind in kinds.items():
        if kind not in ("integer", "float") or frame[name].isna().any():
            continue
        own = frame[name].to_numpy(dtype=float)
        counts = np.unique(own, return_counts=True)[1]
        if len(counts) < 2 or counts.max() > COMMON * len(own):
            continue
        for word, key in sorted(keyed.items(), key=lambda item: int(item[1].max())):
            if len(counts) > key.max() + 1:
                continue
            first = np.zeros(key.max() + 1)
            first[key[::-1]] = own[::-1]
            if (first[key] == own).all():
                say = f"each {word} has one {name} in all {len(frame):,} rows"
                found.append(Suggestion("one_of", (word, name), say))
                break
    return found


def implications(frame: pd.DataFrame, schema: Schema, units: np.ndarray | None = None) -> list[Suggestion]:
    """Find values of a category for which a number is always 0, beyond chance."""
    found: list[Suggestion] = []
    groups = [c.name for c in schema.columns if c.kind in frames.CODES and 2 <= frame[c.name].nunique() <= MOST_VALUES]
    for column in schema.columns:
        if column.kind not in ("integer", "float") or len(found) >= MOST_IMPLICATIONS:
            continue
        own = frame[column.name].to_numpy(dtype=float, na_value=np.nan)
        known = np.isfinite(own)
        share = float((own[known] == 0).mean()) if known.any() else 0.0
        if not 0.02 < share < 0.98:
            continue
        for group in groups:
            if (text := _zeros(frame[group], own, known, share, group, column.name, units)) is not None:
                rows = int(known.sum())
                say = f"holds in all {rows:,} rows where both are known; by chance it would not"
                found.append(Suggestion("expr", (group, column.name), say, text))
                break
    return found


def _zeros(
    group: pd.Series, own: np.ndarray, known: np.ndarray, share: float, name: str, number: str, units: np.ndarray | None
) -> str | None:
    """The implication that some values of a group have only zeros; None if none has, or if chance explains it."""
    codes, values = pd.factorize(group)
    rows = np.bincount(codes[known & (codes >= 0)], minlength=len(values))
    zero = np.bincount(codes[known & (codes >= 0) & (own == 0)], minlength=len(values))
    held = top_coding.held_by(codes, units, len(values))
    only = (rows == zero) & (held >= HELD) & (rows * -np.log(share) > BEYOND_CHANCE)
    rest = (own == 0)[known & (codes >= 0) & ~np.isin(codes, np.flatnonzero(only))]
    if not only.any() or not len(rest) or rest.mean() > 0.8:
        return None
    said = sorted(_literal(v) for v in values[only])
    test = f"{quoted(name)} == {said[0]}" if len(said) == 1 else f"{quoted(name)} in [{', '.join(said)}]"
    return f"{test} implies {quoted(number)} == 0"


def _literal(value: Any) -> str:
    """A value of a category as an expression writes it."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if not isinstance(value, str):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def _ties(frame: pd.DataFrame, schema: Schema, units: np.ndarray | None, hot: set[str]) -> list[Suggestion]:
    """Find orders of numbers and fixed combinations with columns/codec/dependencies.py."""
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
    """Remove orders that others imply: a <= c, if a <= b and b <= c."""
    above = defaultdict(set)
    for low, high in pairs:
        above[low].add(high)
    return [
        (low, high) for low, high in pairs if not any(high in above[middle] for middle in above[low] if middle != high)
    ]


def sums(frame: pd.DataFrame, schema: Schema, *, skip: set[str] | None = None) -> list[Suggestion]:
    """Find totals of two or three other columns, or of a run of neighbours, up to the last decimal."""
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
    """Find candidate sums on a few rows. some: (few rows, columns)"""
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
    """Half a unit of the last significant decimal; 0 for whole numbers."""
    known = total[np.isfinite(total)]
    if (known % 1 == 0).all():
        return 0.0
    decimals = next((d for d in range(1, 9) if np.allclose(np.round(known, d), known, rtol=0, atol=1e-9)), None)
    return 1e-6 if decimals is None else 0.5 * 10.0**-decimals


def _adds_up(parts: list[np.ndarray], total: np.ndarray) -> bool:
    """Whether a sum holds in every row and is not one column plus zeros."""
    added = np.sum(parts, axis=0)
    known = np.isfinite(added) & np.isfinite(total)
    at_work = [int(((p != 0) & known).sum()) >= max(20, 0.01 * known.sum()) for p in parts]
    slack = _slack(total)
    return bool(known.sum() >= LEAST_ROWS and all(at_work) and (np.abs(added - total)[known] <= max(slack, 1e-9)).all())


def one_hot(frame: pd.DataFrame, schema: Schema) -> list[Suggestion]:
    """Find groups of three or more 0/1 columns of which exactly one is 1 in each row: first among columns with a common
    prefix, then among all.
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
    """A column of 0 and 1 (or false and true) as booleans, if it has no nulls and both values are frequent enough."""
    if values.isna().any() or not (pd.api.types.is_numeric_dtype(values.dtype) or values.dtype == "boolean"):
        return None
    numbers = values.to_numpy(dtype=float)
    ones = int((numbers == 1).sum())
    return numbers == 1 if np.isin(numbers, (0, 1)).all() and 5 <= ones < len(numbers) else None


def _exclusive(names: Sequence[str], values: Mapping[str, np.ndarray]) -> list[str]:
    """Greedily choose columns of which exactly one is true in each row; empty if there is no such group."""
    rows = len(next(iter(values.values()))) if values else 0
    chosen: list[str] = []
    covered = np.zeros(rows, dtype=bool)
    for name in sorted(names, key=lambda n: -int(values[n].sum())):
        if not (covered & values[name]).any():
            chosen.append(name)
            covered = covered | values[name]
    return [n for n in names if n in chosen] if rows and covered.all() else []


def keys(frame: pd.DataFrame, schema: Schema, units: np.ndarray | None = None) -> list[Suggestion]:
    """Find composite keys: pairs of columns, one of them a repeated id, that are unique together but not alone."""
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
    """The most likely target column for a predictive model, and the reason; None without evidence.

    Chosen by name; else the last column, if it is a boolean or has few classes that are all frequent enough.
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
