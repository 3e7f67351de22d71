"""What every metric and every attack owes: well-formed gauges, and figures or reasons on any evidence. A new judge gets
these tests for free.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import get_args

import hostile_tables as tables
import numpy as np
import pandas as pd
import pytest

from synthcli import plugins
from synthcli.columns.constraints.rule import parse_constraint
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Better, Downstream, Evidence, Fairness, Gauge, Measurement, Usage
from synthcli.contracts.schema import Schema

JUDGES = {m.__name__.rpartition(".")[2]: m for kind in ("metrics", "attacks") for m in plugins.judges(kind, "tabular")}
NEEDS = {"train", "control", "target", "constraints", "synthetic", "preserve", "fairness", "downstream"}
SCOPES = {"overall", "column", "pair", "rule", "subgroup", "property"}
USAGE = Usage(fit_seconds=1.0, sample_seconds=0.5, rows=100, peak_memory=10**8, model_bytes=10**6)

each_judge = pytest.mark.parametrize("judge", JUDGES)


def parts(table: Table, *, target: str | None = None) -> Evidence:
    """A table cut in four: train, control, synthetic, baseline; parts of small tables overlap."""
    n = len(table)
    size = max(1, n // 4)
    train, control, synthetic, baseline = (table.take(np.arange(i * size, (i + 1) * size) % n) for i in range(4))
    return Evidence(table.schema, synthetic, train, control, baseline, target=target, usage=USAGE)


def ordinary(rows: int = 400) -> Evidence:
    return parts(tables.mixed(rows), target="sick")


def same_row(rows: int = 40) -> Evidence:
    whole = tables.mixed()
    return parts(Table(whole.frame.iloc[np.zeros(4 * rows, dtype=int)], whole.schema), target="city")


def no_numbers() -> Evidence:
    whole = tables.mixed()
    names = ["sick", "city", "level", "account"]
    return parts(Table(whole.frame[names], Schema(tuple(whole.schema[n] for n in names))), target="city")


def unseen_categories() -> Evidence:
    seen = ordinary()
    frame = seen.synthetic.frame.copy()
    frame["city"] = pd.Series(["Atlantis"] * len(frame), dtype=frame["city"].dtype)
    return replace(seen, synthetic=Table(frame, seen.schema), target="city")


def nulls_in(part: str) -> Evidence:
    seen = ordinary()
    frame = getattr(seen, part).frame
    nulls = pd.DataFrame({c: pd.Series([None] * len(frame), dtype=frame[c].dtype) for c in frame})
    return replace(seen, **{part: Table(nulls, seen.schema)})


def asked(seen: Evidence, target: str, *sensitive: str) -> Evidence:
    """The same with fairness asked of it."""
    return replace(seen, fairness=Fairness(target, sensitive, seen.synthetic, seen.train, seen.control, seen.baseline))


def empty(part: str) -> Evidence:
    seen = ordinary()
    return replace(seen, **{part: getattr(seen, part).take(np.arange(0))})


HOSTILE: dict[str, Callable[[], Evidence]] = {
    "one_row": lambda: parts(tables.head(1), target="sick"),
    "two_rows": lambda: parts(tables.head(2), target="height"),
    "all_null": lambda: parts(tables.all_null(), target="bool"),
    "synthetic_null": lambda: nulls_in("synthetic"),
    "control_null": lambda: nulls_in("control"),
    "train_null": lambda: nulls_in("train"),
    "no_control": lambda: replace(ordinary(), control=None),
    "no_real_data": lambda: replace(ordinary(), train=None, control=None, baseline=None, target=None),
    "no_baseline": lambda: replace(ordinary(), baseline=None),
    "no_target": lambda: replace(ordinary(), target=None),
    "no_usage": lambda: replace(ordinary(), usage=None),
    "no_rows": lambda: empty("synthetic"),
    "no_control_rows": lambda: empty("control"),
    "constants": lambda: parts(tables.constants(160), target="int"),
    "same_row": same_row,
    "no_numbers": no_numbers,
    "one_column": lambda: parts(tables.one_column("height"), target="height"),
    "only_keys": lambda: parts(tables.never_modelled()),
    "unseen_categories": unseen_categories,
    "high_cardinality": lambda: parts(tables.high_cardinality(), target="code"),
    "infinities": lambda: parts(tables.infinities(), target="up"),
    "extremes": lambda: parts(tables.extremes(240), target="spread"),
    "odd_names": lambda: parts(tables.odd_names(160), target="x#state"),
    "zones": lambda: parts(tables.zones(), target="UTC"),
    "key_as_target": lambda: replace(ordinary(), target="account"),
    "steering": lambda: replace(ordinary(), full=False, baseline=None),
    "unfair_few": lambda: asked(parts(tables.head(2), target="height"), "height", "city"),
    "unfair_nulls": lambda: asked(parts(tables.all_null()), "bool", tables.all_null().schema.names[0]),
    "unfair_unseen": lambda: asked(unseen_categories(), "city", "sick"),
    "unfair_synthetic_null": lambda: asked(nulls_in("synthetic"), "sick", "city"),
    "unfair_no_rows": lambda: asked(empty("synthetic"), "sick", "city"),
    "unfair_number": lambda: asked(ordinary(), "height", "city", "level"),
    "unfair_no_real_data": lambda: asked(replace(ordinary(), train=None, control=None, baseline=None), "sick", "city"),
    "preserve_nulls": lambda: replace(nulls_in("synthetic"), preserve=("mean(height)", "corr(height, visits)")),
    "preserve_one_row": lambda: replace(parts(tables.head(1)), preserve=("std(height)",)),
    "preserve_nowhere": lambda: replace(
        ordinary(), preserve=("quantile(height, 0.5 where height > 1e9)", "mean(height where visits > 1)")
    ),
    "downstream_stopped": lambda: replace(ordinary(), downstream=Downstream("sleep 9", None, 60.0)),
}


@cache
def evidence(name: str) -> Evidence:
    return HOSTILE[name]()


@cache
def plenty() -> Evidence:
    """All that any gauge needs."""
    rules, named = (
        (parse_constraint("visits >= 0"), parse_constraint("height > 150")),
        ("mean(height)", "share(visits > 1)"),
    )
    return asked(
        replace(ordinary(1200), constraints=rules, preserve=named, downstream=Downstream("true", 0, 0.1)),
        "sick",
        "city",
    )


def measure(judge: str, seen: Evidence) -> list[Measurement]:
    return JUDGES[judge].measure(seen, rng=np.random.default_rng(11))


@cache
def measured(judge: str) -> list[Measurement]:
    return measure(judge, plenty())


def test_no_two_gauges_have_one_name() -> None:
    names = Counter(g.name for m in JUDGES.values() for g in m.GAUGES)
    assert [n for n, times in names.items() if times > 1] == []


@each_judge
def test_gauges_are_well_formed(judge: str) -> None:
    module: ModuleType = JUDGES[judge]
    assert module.GAUGES and module.__doc__ and module.measure.__doc__
    for gauge in module.GAUGES:
        assert isinstance(gauge, Gauge) and gauge.name.isidentifier() and gauge.name == gauge.name.lower()
        assert gauge.better in get_args(Better) and gauge.needs <= NEEDS and gauge.help


@each_judge
def test_every_gauge_has_one_overall_figure_when_all_it_needs_is_there(judge: str) -> None:
    overall = [m for m in measured(judge) if m.scope == "overall"]
    assert sorted(m.name for m in overall) == sorted(g.name for g in JUDGES[judge].GAUGES)
    assert [m for m in overall if m.value is None and not m.note] == []


@each_judge
def test_measurements_say_what_their_gauge_says(judge: str) -> None:
    gauges = {g.name: g for g in JUDGES[judge].GAUGES}
    for m in measured(judge):
        assert m.better == gauges[m.name].better and m.scope in SCOPES
        assert (m.of is None) == (m.scope == "overall")


@each_judge
def test_the_same_stream_gives_the_same_figures(judge: str) -> None:
    assert measure(judge, plenty()) == measured(judge)


@each_judge
def test_judging_changes_no_evidence(judge: str) -> None:
    sides = [plenty().train, plenty().control, plenty().synthetic, plenty().baseline]
    before = [tables.digest(t.frame) for t in sides]
    measure(judge, plenty())
    assert [tables.digest(t.frame) for t in sides] == before


@each_judge
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_evidence_gives_figures_or_reasons(judge: str, name: str) -> None:
    found = measure(judge, evidence(name))
    known = {g.name for g in JUDGES[judge].GAUGES}
    assert max(Counter((m.name, m.scope, m.of) for m in found).values(), default=1) == 1
    for m in found:
        assert m.name in known
        plausible(m)


@each_judge
def test_ordinary_evidence_gives_figures_within_their_intervals(judge: str) -> None:
    found = measured(judge)
    assert [m for m in found if m.value is not None]
    for m in found:
        plausible(m)


def plausible(m: Measurement) -> None:
    """Finite or absent with a reason; inside its interval; plain JSON."""
    figures = [m.value, m.low, m.high, m.floor, m.baseline, m.control]
    assert all(x is None or (isinstance(x, float) and math.isfinite(x)) for x in figures), m
    assert m.value is not None or m.note, m
    assert m.n is None or isinstance(m.n, int), m
    if m.value is not None and m.low is not None and m.high is not None:
        assert m.low - 1e-9 <= m.value <= m.high + 1e-9, m
    assert (m.low is None) == (m.high is None), m
    json.dumps(m.to_json(), allow_nan=False)
