"""Find the relationships between tables: the foreign keys that a catalogue declares, else columns whose values are
keys of another table and whose names, or values that cannot coincide by chance, say so.

Whole numbers from 1 are among the keys of every table that counts its rows, so they need the evidence of a name. The
approach of Rostin et al. 2009 (inclusion dependencies, judged by names, coverage and ranges).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synthcli.init.related import keys, names
from synthcli.init.related.keys import Values
from synthcli.relational.relationships import NULL, ORPHAN, Relationship, positions

FITTING = 0.95  # share of a column's rows that must be keys, if names say that they are
NEAR = 0.5  # from this share on, a column that names a table is reported as left out
MANY = 10  # minimum distinct values that are evidence by themselves
CHANCE = 1e-6  # maximum probability that so many values are keys by chance
COVERED = 0.8  # share of the keys that must be referred to, if the keys count rows and no name says more
_TRIED = 50  # values tried before all are compared


@dataclass(frozen=True)
class Link:
    """A relationship that was found. why: the evidence in words, without values; orphans: rows that refer to no row;
    strength: of the evidence of the names.
    """

    relationship: Relationship
    why: str
    orphans: int = 0
    strength: int = names.EXACT


@dataclass(frozen=True)
class Structure:
    """The keys of tables and the relationships between them. left_out: what was not taken for a relationship, in
    words.
    """

    keys: Mapping[str, tuple[str, ...]]
    links: tuple[Link, ...]
    left_out: tuple[str, ...] = ()

    @property
    def relationships(self) -> tuple[Relationship, ...]:
        return tuple(link.relationship for link in self.links)


def find(
    tables: Mapping[str, pd.DataFrame],
    declared: Sequence[Relationship] = (),
    known_keys: Mapping[str, Sequence[str]] | None = None,
    *,
    source: str = "the catalogue",
) -> Structure:
    """Find the keys of tables and the relationships between them. tables: name -> frame, as pandas reads them.

    declared: relationships that a catalogue or metadata (`source`) names; with one of them, only these are taken, and
    what else the values suggest is reported. known_keys: table -> the columns of its primary key.
    """
    columns = {
        table: {str(c): v for c in frame.columns if (v := keys.values_of(frame[c])) is not None}
        for table, frame in tables.items()
    }
    tables = {name: keys.comparable(frame) for name, frame in tables.items()}
    found_keys = {t: tuple(k) for t, k in (known_keys or {}).items() if k}
    for table, each in columns.items():
        if table not in found_keys and (key := keys.primary(table, each)) is not None:
            found_keys[table] = (key,)
    suggested, left_out = _without_repeats(tables, *_suggested(columns, found_keys))
    if not declared:
        return Structure(found_keys, tuple(suggested), tuple(left_out))
    links, notes = _declared(tables, declared, source)
    known = {(link.relationship.child, link.relationship.columns) for link in links}
    more = [link for link in suggested if (link.relationship.child, link.relationship.columns) not in known]
    notes += [f"{link.relationship.name}: not declared in {source}, but {link.why}" for link in more]
    return Structure(found_keys, tuple(links), tuple(notes))


# --- declared


def _declared(
    tables: Mapping[str, pd.DataFrame], declared: Sequence[Relationship], source: str
) -> tuple[list[Link], list[str]]:
    """The declared relationships that the values allow, and why others are left out."""
    links, notes = [], []
    for r in dict.fromkeys(declared):
        if r.parent not in tables or r.child not in tables:
            notes.append(f"{r.name}: one of the two tables is not here")
            continue
        parent = tables[r.parent][list(r.keys)]
        if parent.isna().any(axis=None) or parent.duplicated().any():
            notes.append(f"{r.name}: the keys of {r.parent} repeat or are null")
            continue
        at = positions(tables[r.parent], r.keys, tables[r.child], r.columns)
        if (at == NULL).all():
            notes.append(f"{r.name}: declared in {source}, but all its values are null")
            continue
        links.append(Link(r, f"a foreign key of {source}", int((at == ORPHAN).sum())))
    return _acyclic(tables, links, notes)


# --- by names and values


def _suggested(
    columns: Mapping[str, Mapping[str, Values]], found_keys: Mapping[str, tuple[str, ...]]
) -> tuple[list[Link], list[str]]:
    """The best parent of each column that has one, and columns that come near."""
    links, left_out = [], []
    for child, each in columns.items():
        for column, values in each.items():
            fits = sorted(
                _parents(child, column, values, columns, found_keys),
                key=lambda f: (-f[0].strength, f[0].orphans, -f[1]),
            )
            if not fits:
                continue
            best, share = fits[0]
            if share < FITTING:
                left_out.append(f"{best.relationship.name}: {best.why}, but {1 - share:.0%} of its rows are no key")
            elif len(fits) > 1 and best.strength == fits[1][0].strength == names.NOTHING:
                rivals = " and ".join(f"{f.relationship.parent}.{f.relationship.keys[0]}" for f, _ in fits[:2])
                left_out.append(f"{child}.{column}: its values are keys of {rivals}, and no name says of which")
            else:
                links.append(best)
    return links, left_out


def _parents(
    child: str,
    column: str,
    values: Values,
    columns: Mapping[str, Mapping[str, Values]],
    found_keys: Mapping[str, tuple[str, ...]],
) -> Iterator[tuple[Link, float]]:
    """The keys that a column may refer to, each with the share of rows that are keys."""
    for parent, each in columns.items():
        for key, its in each.items():
            if not its.is_key or (parent, key) == (child, column):
                continue
            chosen, main = found_keys.get(parent) == (key,), found_keys.get(child) == (column,)
            evidence = names.refers(column, parent, key, own=parent == child)
            if not _possible(evidence, chosen, main, parent == child, names.names_own(column, child)):
                continue
            share, used = _included(values, its)
            if share == 0 or (why := _reason(evidence, column, values, its, share, used)) is None:
                continue
            orphans = round((1 - share) * len(values.known))
            relationship = Relationship(
                child, (column,), parent, (key,), "drop" if orphans and share >= FITTING else "error"
            )
            yield Link(relationship, why, orphans, evidence.strength), share


def _possible(evidence: names.NameEvidence, chosen: bool, main: bool, own: bool, named_here: bool) -> bool:
    """Whether names allow a reference. chosen: the key is its table's primary key; main: so is the column of its own;
    own: both are in one table; named_here: the column is named as the key of its own table.
    """
    if main and (evidence.strength < names.EXACT or named_here):
        return False
    if own:
        return evidence.strength >= names.ROLE
    return chosen or evidence.strength >= names.ROLE


def _included(values: Values, its: Values) -> tuple[float, float]:
    """The share of a column's rows that are keys, and the share of the keys that they use."""
    if values.whole != its.whole:
        values, its = values.spelled(), its.spelled()
    few = values.distinct[:: max(1, len(values.distinct) // _TRIED)]
    if few.isin(its.distinct).mean() < NEAR:
        return 0.0, 0.0
    among = values.distinct.isin(its.distinct)
    share = 1.0 if among.all() else float(values.known.isin(its.distinct).mean())
    return share, float(among.sum()) / len(its.distinct)


def _reason(
    evidence: names.NameEvidence, column: str, values: Values, its: Values, share: float, used: float
) -> str | None:
    """Why a column refers to a key; None if the evidence does not suffice."""
    covers = f"{'all' if share == 1 else f'{share:.1%}'} of its values are keys, {used:.0%} of the keys occur"
    alone = share == 1 and _cannot_coincide(column, values, its, used)
    if evidence.strength >= names.ROLE:
        return f"{evidence.why}; {covers}" if share >= NEAR else None
    if evidence.strength == names.SHORT and share == 1 and (alone or used >= 0.3):
        return f"{evidence.why}; {covers}"
    return f"{covers}, which is no coincidence" if alone else None


def _cannot_coincide(column: str, values: Values, its: Values, used: float) -> bool:
    """Whether so many different values would not all be keys by chance."""
    if len(values.distinct) < MANY:
        return False
    if not (values.whole and its.whole):
        return True
    low, high = int(values.distinct.min()), int(values.distinct.max())
    inside = int(((its.distinct >= low) & (its.distinct <= high)).sum())
    density = min(1.0, inside / (high - low + 1))
    if len(values.distinct) * np.log(max(density, 1e-12)) < np.log(CHANCE):
        return True
    return names.is_key(column) and used >= COVERED and len(values.distinct) >= 2 * MANY


def _without_repeats(
    tables: Mapping[str, pd.DataFrame], links: list[Link], left_out: list[str]
) -> tuple[list[Link], list[str]]:
    """Drop relationships that say the same as another: two columns that name the same parent row, and both directions
    between two tables with the same keys.
    """
    kept: list[Link] = []
    for link in sorted(links, key=lambda link: -link.strength):
        r = link.relationship
        back = Relationship(r.parent, r.keys, r.child, r.columns)
        if any((k.child, k.columns, k.parent, k.keys) == (back.child, back.columns, back.parent, back.keys)
               for k in (other.relationship for other in kept)):  # fmt: skip
            continue
        twin = next((k for k in kept if _agree(tables, k.relationship, r)), None)
        if twin is not None:
            left_out.append(f"{r.name}: names the same rows as {twin.relationship.name}")
            continue
        kept.append(link)
    place = {id(link): i for i, link in enumerate(links)}
    return _acyclic(tables, sorted(kept, key=lambda link: place[id(link)]), left_out)


def _agree(tables: Mapping[str, pd.DataFrame], one: Relationship, other: Relationship) -> bool:
    """Whether two relationships between the same tables lead each row to the same parent."""
    if one.own or (one.child, one.parent) != (other.child, other.parent) or one.keys == other.keys:
        return False
    first, second = (positions(tables[r.parent], r.keys, tables[r.child], r.columns) for r in (one, other))
    both = (first >= 0) & (second >= 0)
    return bool(both.any()) and bool((first[both] == second[both]).mean() > 0.99)


def _acyclic(
    tables: Mapping[str, pd.DataFrame], links: list[Link], left_out: list[str]
) -> tuple[list[Link], list[str]]:
    """Drop references within a table that lead from a row back to itself."""
    kept = []
    for link in links:
        r = link.relationship
        if r.own and _circles(positions(tables[r.parent], r.keys, tables[r.child], r.columns)):
            left_out.append(f"{r.name}: {link.why}, but some rows lead back to themselves")
        else:
            kept.append(replace(link, relationship=replace(r, on_orphans="drop" if link.orphans else r.on_orphans)))
    return kept, left_out


def _circles(above: np.ndarray) -> bool:
    """Whether rows lead back to themselves. above: (rows,) int64, negative without a parent"""
    here = np.where(above == np.arange(len(above)), NULL, above)  # a row that refers to itself is at the top
    for _ in range(int(np.ceil(np.log2(max(2, len(above))))) + 1):  # 2^k steps upwards
        here = np.where(here >= 0, here[here], NULL)
    return bool((here >= 0).any())
