"""Conditions on related tables: they apply to the table of the privacy unit, and the other tables are generated given
its rows.
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
from synthcli.tabular.sampling.marginals import keep_marginals, marginals_report
from synthcli.tabular.sampling.request import SettledRequest, settle
from synthcli.tabular.sampling.stream import RowStream


def generate(
    model: RelationalModel, request: Request, counts: RejectionCounts, progress: Progress
) -> tuple[Tables, dict[str, Any]]:
    """Generate tables with the requested rows in the table of the privacy unit; also returns what sample.json says of
    conditions (asked, wanted) and of marginals, {} for neither.

    Raises SpecError for a request that names missing columns, FitError for one that no row meets.
    """
    rng = seeds.stream(request.seed, "generate")
    name = model.unit[0]
    table_model = model.table_models[name]
    driver = model.order.driver.get(name)
    rules = () if table_model.rule_plan is None else table_model.rule_plan.by("drawn")
    if not request.conditional and (driver is not None or not rules):
        return model.sample(request.rows, rng=rng, counts=counts, batch=request.seed), {}
    if driver is not None:
        raise SpecError(
            f"conditions are on {name}, the table of the privacy unit, whose rows are generated given those of"
            f" {driver.parent}; remedy: a run with privacy_unit: {driver.parent}, and conditions on it"
        )
    top = RootTableModel(table_model)
    own = Schema(
        tuple(c for c in top.schema.columns if c.name not in top.counts)
    )  # conditions cannot name numbers of children
    settled = settle(request, top, own, rules)
    calibrated = keep_marginals(settled, top, top.schema)
    if not request.conditional and calibrated.calibration is None:
        return model.sample(request.rows, rng=rng, counts=counts, batch=request.seed), {}
    stream = RowStream(top, calibrated, top.schema)
    frame = pd.concat([table.frame for table in stream.tables(progress)], ignore_index=True)
    tables = model.sample(request.rows, rng=rng, root_rows=frame, counts=counts, batch=request.seed)
    for kind in ("refused", "repaired"):
        for rule, number in getattr(stream.tally, kind).items():
            counts.add(kind, name, rule, number)
    report = marginals_report(calibrated, stream.tally.thinned)
    if not request.conditional:
        return tables, report
    return tables, {"asked": {"table": name, **stream.report()}, "wanted": settled.to_json(), **report}


def matched(real: Tables, settled: SettledRequest, *, rng: np.random.Generator) -> Tables | None:
    """The real rows that meet the conditions: units that satisfy `where`, thinned to the requested shares, with their
    descendants; None if too few are left."""
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
    request: Request, real: Any, control: Tables | None, synthetic: Tables, unconditional: Tables
) -> Fairness | None:
    """The evidence on fairness: all real and all generated rows of the unit's table."""
    if request.fairness is None:
        return None
    name = synthetic.unit[0]
    table = lambda tables: Table(tables.frames[name], tables.schemas[name])  # noqa: E731
    holdout = None if control is None else table(control)
    return Fairness(
        request.fairness.target,
        request.fairness.sensitive,
        table(synthetic),
        table(real),
        holdout,
        table(unconditional),
    )
