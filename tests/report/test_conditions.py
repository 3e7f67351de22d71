"""The conditions of a run and whether it meets them: properties, own metrics, the application, fairness, balance, copies,
gates on their scales.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from synthcli.artifacts.store import Version
from synthcli.report import charts, conditions, html, words
from synthcli.report.reading import bounds

PROPERTIES = [
    {
        "name": "preserve",
        "value": 0.8,
        "low": 0.7,
        "high": 0.9,
        "scope": "property",
        "of": "mean(age)",
        "floor": 0.99,
        "note": "real 40, synthetic 44",
    },
    {
        "name": "preserve",
        "value": 0.97,
        "low": 0.95,
        "high": 1.0,
        "scope": "property",
        "of": "share(smoker)",
        "note": "real 0.3, synthetic 0.33",
    },
    {
        "name": "preserve",
        "value": None,
        "scope": "property",
        "of": "corr(age, weight)",
        "note": "is not defined over the 0 real records with a value",
    },
]
PICTURED = [
    {"text": "mean(age)", "real": 40.25, "synthetic": 44.0},
    {"text": "share(smoker)", "real": 0.3, "synthetic": 0.33},
]
SAMPLE: dict[str, Any] = {
    "where": "age >= 20",
    "share_by_itself": 0.25,
    "found_by": "conditional sampling",
    "made": 400,
    "drawn": 900,
    "rows": 400,
    "balance": [
        {"column": "smoker", "value": "true", "requested": 100, "achieved": 100},
        {"column": "smoker", "value": "false", "requested": 300, "achieved": 297},
    ],
    "fairness": {"target": "smoker", "sensitive": ["key"], "gap_before": 0.084, "gap_asked": 0.0, "gap_after": 0.001},
}
PARITY = {"name": "parity_gap", "value": 0.001, "floor": 0.07, "better": "lower"}
GATE = {
    "kind": "quality",
    "metric": "preserve",
    "min": 0.9,
    "severity": "error",
    "bound": "interval",
    "passed": False,
    "margin": -0.2,
    "why": "below",
}


@pytest.fixture
def wished(run: Version, mended: Any) -> Version:
    """The run as if its spec had named properties, a balance, fairness, copies, an own metric and an application."""
    measured, plan, verdict = run.read("4-evaluate", "measurements.json"), run.read("plan.json"), run.verdict()
    own = [
        {"name": "oldest", "value": 61.5, "note": "highest age"},
        {"name": "downstream_exit_code", "value": 3.0, "better": "lower"},
    ]
    measured["measurements"] += [*PROPERTIES, *own, PARITY]
    plan["generate"] |= {"balance": {"smoker": {"true": 0.25}}, "copies": 3}
    plan["evaluate"]["downstream"] = {"command": "fit <model>"}
    verdict["gates"].append({**GATE, "measured": {**PROPERTIES[0], "scope": "overall"}})
    said = {"command": "fit <model>", "code": 3, "seconds": 2.0}
    return mended(
        {
            "4-evaluate/measurements.json": measured,
            "4-evaluate/pictures.json": {**run.read("4-evaluate", "pictures.json"), "properties": PICTURED},
            "3-generate/sample.json": {**run.read("3-generate", "sample.json"), "asked": SAMPLE},
            "plan.json": plan,
            "verdict.json": verdict,
            f"rounds/{verdict['round']}/downstream/downstream.json": said,
        }
    )


def section(page: str, name: str) -> str:
    """The text of a section."""
    found = re.search(rf'<section id="{name}".*?</section>', page, re.DOTALL)
    assert found, name
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", found[0]))


def test_each_property_says_both_figures_how_they_agree_and_whether_that_passes(wished):
    text = section(html.page(wished), "matters")
    assert "corr(age, weight)" in text and "is not defined over the 0 real records" in text
    assert re.search(r"mean\(age\) ✕ fail 40.25 44 \+3.75 0.8 0.7 – 0.9 0.99", text)
    assert re.search(r"share\(smoker\) ✓ pass 0.3 0.33 \+0.03 0.97", text)
    assert "1 of 3 pass" in text and text.index("corr(") < text.index("mean(") < text.index("share(")


@pytest.mark.parametrize(
    ("bound", "low", "state"), [("interval", 0.7, "fail"), ("value", 0.7, "pass"), ("interval", 0.92, "pass")]
)
def test_a_property_passes_by_the_bound_of_the_gate(bound, low, state):
    assert conditions._passes({"value": 0.95, "low": low}, {**GATE, "bound": bound}, 0.9) == state


def test_own_metrics_and_the_application_are_told(wished):
    text = section(html.page(wished), "matters")
    assert "oldest highest age 61.5" in text
    assert "exit code 3 after 2.0 s" in text and "fit &lt;model&gt;" in text and "downstream/downstream.log" in text


def test_requested_and_generated_rows_are_compared(wished):
    page = html.page(wished)
    text = section(page, "requested")
    assert "age &gt;= 20" in text and "25.00%" in text and "3 independent copies" in text
    assert "6 rows" not in text and "the row counts differ from the request by 3 in all" in text
    data = json.loads(re.search(r'id="page-data">(.*?)</script>', page, re.DOTALL)[1])
    assert data["charts"]["balance-0"]["data"] == {
        "name": ["true", "false"],
        "requested": [100, 300],
        "generated": [100, 297],
    }


def test_fairness_shows_real_data_the_unconditional_model_and_the_generated_rows(wished):
    page = html.page(wished)
    data = json.loads(re.search(r'id="page-data">(.*?)</script>', page, re.DOTALL)[1])["charts"]["fairness"]["data"]
    assert dict(zip(data["side"], data["value"], strict=True)) == {
        "real": 0.07,
        "independent": 0.084,
        "synthetic": 0.001,
    }
    assert "groups of key differ in smoker" in section(page, "fairness")


def test_personal_data_of_the_source_is_told_and_what_became_of_it(run, mended):
    profile = run.read("1-analyze", "profile.json")
    more = {"confidence": 0.9, "why": "its name", "declared": False}
    profile["personal"] = [
        {"column": "age", "kind": "age", "sensitivity": "quasi-identifier", "made": False, **more},
        {"column": "email", "kind": "email", "sensitivity": "direct identifier", "made": True, **more},
    ]
    text = section(html.page(mended({"1-analyze/profile.json": profile})), "privacy")
    assert "2 columns, 1 of them made up" in text
    assert re.search(
        r"email email direct identifier made up, never learned its name age age quasi-identifier learned its name", text
    )


def test_a_run_without_conditions_has_no_such_section(run):
    page = html.page(run)
    assert not re.search(r'<section id="(requested|matters|fairness|tables|relationships)"', page)


def test_a_browser_draws_it(wished, browse, tmp_path):
    seen = browse(html.write(wished, tmp_path / "report.html"))
    assert seen.errors == [] and not seen.asked
    assert len(re.findall(r'<svg[^>]*class="marks"', seen.dom)) == seen.charts


def test_the_command_asks_for_the_trust_that_the_run_had(wished):
    assert " --trust" in re.search(r'<pre id="command"[^>]*>(.*?)</pre>', html.page(wished), re.DOTALL)[1]


def test_a_bound_relative_to_real_data_is_told_as_a_figure(run, mended):
    verdict = run.verdict()
    gate = {**verdict["gates"][0], "min": 0.95, "of": "floor", "passed": True, "why": "", "margin": 0.1}
    gate["measured"] = {**gate["measured"], "value": 0.9, "floor": 0.8}
    assert bounds(gate) == (pytest.approx(0.76), None)
    assert "≥ 0.95 × real = 0.76" in section(html.page(mended({"verdict.json": {**verdict, "gates": [gate]}})), "gates")


def test_two_bullets_can_have_one_scale():
    one, two = {"value": 0.9, "low": 0.8, "high": 0.95}, {"value": 0.2, "low": 0.1, "high": 0.3}
    ends = [charts.bullet(m, 0.5, None, "x", beside=[*other.values(), 0.5]) for m, other in ((one, two), (two, one))]
    scales = {json.dumps(c["spec"]["layer"][-1]["encoding"]["x"]["scale"]["domain"]) for c in ends if c is not None}
    assert len(scales) == 1


def test_no_bar_of_merged_bins_is_higher_than_all_there_is():
    bins = {
        "edges": [0.0, 1.0, 10.0, 20.0, 30.0],
        "scale": "linear",
        "whole": False,
        "real": [0.9, 0.1, 0.0, 0.0],
        "synthetic": [0.5, 0.5, 0.0, 0.0],
    }
    drawn = charts.histogram(bins, "float", "x")["data"]
    assert max(drawn["r"]) <= 1 and drawn["r"][0] / drawn["s"][0] == pytest.approx(0.9 / 0.5, rel=1e-3)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, ""),
        (0, "0"),
        (5.4e-20, "0"),
        (0.00058, "0.00058"),
        (0.93254, "0.9325"),
        (1234.5, "1,234"),
        (-0.0108, "-0.0108"),
    ],
)
def test_figures_have_as_many_digits_as_a_person_reads(value, said):
    assert words.number(value) == said
