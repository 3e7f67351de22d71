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
from synthcli.contracts.modelling import Progress, Request
from synthcli.contracts.schema import Schema
from synthcli.errors import SpecError
from synthcli.relational.constraints import without
from synthcli.relational.data import Tables
from synthcli.relational.model.model import RelationalModel
from synthcli.relational.model.rejection_counts import RejectionCounts
from synthcli.relational.model.root_table import RootTableModel
from synthcli.tabular.sampling import matched as one_table
from synthcli.tabular.sampling.request import SettledRequest, settle
from synthcli.tabular.sampling.stream import RowStream


def generate(
    model: RelationalModel, request: Request, counts: RejectionCounts, progress: Progress
) -> tuple[Tables, dict[str, Any]]:
    """Tables with the requested rows in that of the privacy unit; with {asked, wanted} for sample.json, {} without
    conditions.

    Raises SpecError for a request that names columns that do not exist, FitError for one that no row meets.
    """
    rng = seeds.stream(request.seed, "generate")
    if not request.conditional:
        return model.sample(request.rows, rng=rng, counts=counts), {}
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
    settled = settle(request, top, own, rules)
    stream = RowStream(top, settled, top.schema)
    frame = pd.concat([table.frame for table in stream.tables(progress)], ignore_index=True)
    tables = model.sample(request.rows, rng=rng, root_rows=frame, counts=counts)
    for kind in ("refused", "repaired"):
        for rule, number in getattr(stream.tally, kind).items():
            counts.add(kind, name, rule, number)
    return tables, {"asked": {"table": name, **stream.report()}, "wanted": settled.to_json()}


def matched(real: Tables, settled: SettledRequest, *, rng: np.random.Generator) -> Tables | None:
    """The real tables as the synthetic ones were asked to be: units that `where` is true of, as many of each cell as
    its share allows, and what hangs from them; None where too few are left."""
    name = real.unit[0]
    place = "\x00row"
    frame = real.frames[name].assign(**{place: np.arange(len(real))})
    found = np.flatnonzero(settled.accepts(frame))
    if settled.strata and len(found):
        found = found[one_table.subsample(frame.iloc[found].reset_index(drop=True), settled, rng=rng)]
    if len(found) < one_table.LEAST:
        return None
    keep = {table: np.ones(rows, dtype=bool) for table, rows in real.rows.items()}
    keep[name] = np.isin(np.arange(len(real)), found)
    return without(real, keep)


def fairness(
    request: Request, real: Any, control: Tables | None, synthetic: Tables, unasked: Tables
) -> Fairness | None:
    """The real rows of the unit's table as they are, and all that was made."""
    if request.fairness is None:
        return None
    name = synthetic.unit[0]
    table = lambda tables: Table(tables.frames[name], tables.schemas[name])  # noqa: E731
    there = None if control is None else table(control)
    return Fairness(
        request.fairness.target, request.fairness.sensitive, table(synthetic), table(real), there, table(unasked)
    )
