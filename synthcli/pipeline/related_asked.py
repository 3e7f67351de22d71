"""What `generate` asks of related tables: conditions on the table of the privacy unit, and all else made given its
rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from synthcli import seeds
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Fairness
from synthcli.contracts.schema import Schema
from synthcli.errors import SpecError
from synthcli.pipeline import likened as one_table
from synthcli.pipeline.events import Events
from synthcli.pipeline.making import Making
from synthcli.pipeline.related_rules import without
from synthcli.pipeline.wanted import Wanted, settle
from synthcli.relational.data import Tables
from synthcli.relational.model.model import RelationalModel
from synthcli.relational.model.rejection_counts import RejectionCounts
from synthcli.relational.model.root_table import RootTableModel
from synthcli.spec.models import Generate


def made(
    model: RelationalModel, asked: Generate, rows: int, seed: int, tally: RejectionCounts, events: Events
) -> tuple[Tables, dict[str, Any]]:
    """Tables with so many rows in that of the privacy unit, each as it was asked; with {asked, wanted} for sample.json,
    {} without conditions.

    Raises SpecError for a request that names what is not there, FitError for one that no row can meet.
    """
    rng = seeds.stream(seed, "generate")
    if asked.where is None and asked.balance is None and asked.fairness is None:
        return model.sample(rows, rng=rng, counts=tally), {}
    name = model.unit[0]
    table_model = model.table_models[name]
    if (driver := model.order.driver.get(name)) is not None:
        raise SpecError(
            f"conditions are on {name}, the table of the privacy unit, whose rows are made given those of"
            f" {driver.parent}; remedy: a run with privacy_unit: {driver.parent}, and conditions on it"
        )
    top = RootTableModel(table_model)
    rules = () if table_model.rule_plan is None else table_model.rule_plan.by("drawn")
    own = Schema(
        tuple(c for c in top.schema.columns if c.name not in top.counts)
    )  # numbers of children are no columns to ask of
    wanted = settle(asked, rows, top, own, rules, seed)
    making = Making(top, wanted, top.schema)
    frame = pd.concat([table.frame for table in making.tables(events)], ignore_index=True)
    tables = model.sample(rows, rng=rng, root_rows=frame, counts=tally)
    for kind in ("refused", "repaired"):
        for rule, number in getattr(making.tally, kind).items():
            tally.add(kind, name, rule, number)
    return tables, {"asked": {"table": name, **making.report()}, "wanted": wanted.to_json()}


def likened(real: Tables, wanted: Wanted, *, rng: np.random.Generator) -> Tables | None:
    """The real tables as the synthetic ones were asked to be: units that `where` is true of, as many of each cell as
    its share allows, and what hangs from them; None where too few are left."""
    name = real.unit[0]
    place = "\x00row"
    frame = real.frames[name].assign(**{place: np.arange(len(real))})
    found = np.flatnonzero(wanted.accepts(frame))
    if wanted.cells and len(found):
        found = found[one_table._thinned(frame.iloc[found].reset_index(drop=True), wanted, rng=rng)]
    if len(found) < one_table.LEAST:
        return None
    keep = {table: np.ones(rows, dtype=bool) for table, rows in real.rows.items()}
    keep[name] = np.isin(np.arange(len(real)), found)
    return without(real, keep)


def fairness(asked: Generate, real: Any, control: Tables | None, synthetic: Tables, unasked: Tables) -> Fairness | None:
    """The real rows of the unit's table as they are, and all that was made."""
    if asked.fairness is None:
        return None
    name = synthetic.unit[0]
    table = lambda tables: Table(tables.frames[name], tables.schemas[name])  # noqa: E731
    there = None if control is None else table(control)
    return Fairness(
        asked.fairness.target, asked.fairness.sensitive, table(synthetic), table(real), there, table(unasked)
    )
