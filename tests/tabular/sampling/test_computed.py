"""Computed columns under conditions: where, known cells, and a source that disagrees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli import execute
from synthcli.columns.constraints.computed import Computed
from synthcli.columns.discovery.infer import infer
from synthcli.columns.expressions.compile import parse
from synthcli.columns.table import Table
from synthcli.columns.transforms.transformer import Transformer
from synthcli.contracts.modelling import Job, Request
from synthcli.errors import SynthError
from synthcli.tabular.methods import trees
from synthcli.tabular.sampling.request import settle
from synthcli.tabular.sampling.stream import RowStream
from synthcli.tabular.sampling.transformed import TransformedModel

RULES = tuple(
    Computed(c, parse(text)) for c, text in (("stay", "days_between(start, end)"), ("cost", "round(rate * stay, 2)"))
)
WHERE = "cost >= 900 and end < date('2021-06-01')"


def stays(rows: int = 250) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 300, rows), unit="D")
    stay, rate = rng.geometric(0.3, rows) - 1, rng.choice([99.5, 310.25], rows)
    frame = pd.DataFrame({"start": start, "end": start + pd.to_timedelta(stay, unit="D"), "stay": stay, "rate": rate})
    return frame.assign(cost=np.round(rate * stay, 2))


@pytest.fixture(scope="module")
def table() -> Table:
    schema, frame = infer(pa.Table.from_pandas(stays(), preserve_index=False), {})
    return Table(frame, schema)


def fitted(table: Table, keep: frozenset[str] = frozenset()) -> TransformedModel:
    plan = Transformer.plan(RULES, table.frame, table.schema, keep=keep)
    learned = Table(plan.forward(table.frame), plan.schema)
    return TransformedModel(trees.fit(learned, trees.Params(trees=1), job=Job(1)), plan)


def test_rows_meet_a_condition_on_computed_columns(table: Table) -> None:
    where = parse(WHERE)
    model = fitted(table, where.columns)
    request = settle(Request(30, where=where), model, table.schema, RULES)
    out: Any = pd.concat([t.frame for t in RowStream(model, request, table.schema).tables(lambda *a, **k: None)])
    assert len(out) == 30 and request.accepts(out).all()
    assert not any(rule.violations(out.reset_index(drop=True)).any() for rule in RULES)


def test_known_cells_come_back_and_the_rest_is_computed(table: Table) -> None:
    model = fitted(table)
    some = table.frame[["start", "end", "stay"]].head(4)
    known = np.array([[True, True, False], [True, False, True], [True, True, False], [False, False, True]])
    out: Any = model.complete(Request(4, frame=some, known=known), 0, rng=np.random.default_rng(0))
    assert (out.frame[["start", "end", "stay"]].to_numpy() == some.to_numpy())[known].all()
    assert not any(rule.violations(out.frame).any() for rule in RULES)
    assert (out.frame["stay"][:3] == some["stay"][:3]).all()


def test_a_source_that_disagrees_is_refused_or_counted(tmp_path: Path) -> None:
    frame = stays(120)
    frame.loc[:5, "stay"] += 3
    frame.to_csv(tmp_path / "stays.csv", index=False)
    spec = tmp_path / "stays.yaml"
    columns = "stay: {expr: 'days_between(start, end)'%s}, cost: {expr: 'end - start', on_violation: warn}"
    text = "version: 1\nsource: {type: csv, path: stays.csv}\ngenerator: {method: independent}\n"
    gates = "evaluate: {gates: [{metric: constraint_violations, max: 0, bound: value}]}\nprivacy_check: {attacks: []}\n"
    spec.write_text(text + gates + "columns: {" + columns.partition(", cost")[0] % "" + "}\n")
    with pytest.raises(SynthError, match=r"expr: stay = days_between\(start, end\) is violated by 6 rows") as error:
        execute(spec, root=tmp_path / "runs")
    assert "on_violation: warn" in str(error.value)
    spec.write_text(text + gates + "columns: {" + columns % ", on_violation: warn" + "}\n")
    with pytest.raises(SynthError, match=r"columns\.cost\.expr"):  # a duration is no number
        execute(spec, root=tmp_path / "runs")
    spec.write_text(text + gates + "columns: {" + columns.partition(", cost")[0] % ", on_violation: warn" + "}\n")
    done = execute(spec, root=tmp_path / "runs")
    assert done.verdict is not None and done.verdict["passed"]
