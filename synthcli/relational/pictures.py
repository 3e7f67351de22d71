"""The charts' data of relationships: numbers of children, and associations between columns of parents and children.

As in tabular/pictures.py, nothing shows a single person: real parents appear only in groups of at least FEW privacy
units.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from synthcli import seeds
from synthcli.relational.data import Tables
from synthcli.relational.evidence import RelatedEvidence
from synthcli.relational.judging import join_parents
from synthcli.relational.relationships import Relationship
from synthcli.tabular.associations import associations
from synthcli.tabular.disclosure import rounded, too_few
from synthcli.tabular.pictures import bins
from synthcli.tabular.pictures import pictures as table_pictures

SHOWN = 24  # columns of a side of a heat map, those that differ most
COUNT = "number of children"


def pictures(seen: RelatedEvidence, *, seed: int) -> dict[str, Any]:
    """{tables, relationships}; tables: by name, those that have unseen rows."""
    # the evidence also has units, and columns of ancestors
    own = {name: set(schema.names) for name, schema in seen.synthetic.schemas.items()}
    tables = {
        name: table_pictures(one, rng=seeds.stream(seed, "pictures", name), of=own[name])
        for name, one in seen.tables.items()
    }
    between = relationships(seen.control, seen.synthetic, rng=seeds.stream(seed, "pictures", "relationships"))
    return {"tables": tables, "relationships": between}


def relationships(real: Tables | None, synthetic: Tables, *, rng: np.random.Generator) -> list[dict[str, Any]]:
    """The data of each relationship, in order: {name, child, parent, thinned, mean, children, without, trends}.

    mean: synthetic children of a parent; children: bins as of a column; without: the shares of parents that have none;
    thinned: whether both sides were thinned to the same mean; trends: {rows, columns, real, synthetic}, associations
    row by row. real: the holdout, None without one.
    """
    units = real.units() if real is not None else {}
    return [
        _one(r, real if real is not None and len(real) else None, synthetic, units, rng)
        for r in synthetic.relationships
    ]


def _one(
    r: Relationship,
    real: Tables | None,
    synthetic: Tables,
    units: dict[str, np.ndarray | None],
    rng: np.random.Generator,
) -> dict[str, Any]:
    counts, of = {"synthetic": synthetic.children(r)}, {"synthetic": np.arange(len(synthetic.frames[r.parent]))}
    mean = round(float(counts["synthetic"].mean()), 4) if len(counts["synthetic"]) else None
    thinned = False
    if real is not None:
        mine = units[r.parent]
        thinned = mine is None
        counts = {"real": real.children(r), **counts}
        of |= {"real": np.arange(len(counts["real"])) if mine is None else mine}
        if thinned:
            counts = _even(counts, rng)
    out: dict[str, Any] = {"name": r.name, "child": r.child, "parent": r.parent, "thinned": thinned, "mean": mean}
    out["children"] = (
        bins("integer", {side: n.astype(float) for side, n in counts.items()}, of)
        if all(map(len, counts.values()))
        else None
    )
    out["without"] = {
        side: None if side == "real" and too_few(n == 0, of[side]) else round(float((n == 0).mean()), 5)
        for side, n in counts.items()
        if len(n)
    }
    return out | {"trends": None if real is None else _trends(r, {"real": real, "synthetic": synthetic}, rng)}


def _even(counts: dict[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Thin the side with more children per parent at random to the other's mean: a parent that is in every part has
    fewer children in a small part.
    """
    if not all(map(len, counts.values())):
        return counts
    mean = min(n.mean() for n in counts.values())
    kept = {side: min(round(mean * len(n)), int(n.sum())) for side, n in counts.items()}
    return {side: rng.multivariate_hypergeometric(n, kept[side], method="marginals") for side, n in counts.items()}


def _trends(r: Relationship, sides: dict[str, Tables], rng: np.random.Generator) -> dict[str, Any] | None:
    """Associations between columns of parents (including the number of children) and of children, the largest
    differences first.
    """
    tables = {side: join_parents(each, r) for side, each in sides.items()}
    found = associations(tables, tables["real"].schema, rng=rng)
    if found is None:
        return None
    up, low = ([j for j, name in enumerate(found.names) if name.startswith(mark)] for mark in ("parent.", "child."))
    if not up or not low:
        return None
    apart = np.nan_to_num(np.abs(found.real - found.synthetic))[np.ix_(up, low)]
    rows, columns = (np.argsort(-apart.mean(axis=axis), kind="stable")[:SHOWN] for axis in (1, 0))
    place = np.ix_(np.array(up)[rows], np.array(low)[columns])
    shown = lambda j: COUNT if found.names[j] == "parent.#" else found.names[j].partition(".")[2]  # noqa: E731
    values = {side: rounded(m[place].ravel(), 3) for side, m in (("real", found.real), ("synthetic", found.synthetic))}
    return {"rows": [shown(up[i]) for i in rows], "columns": [shown(low[j]) for j in columns], **values}
