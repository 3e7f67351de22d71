"""Figures as sentences, and what to do where a gate fails."""

from __future__ import annotations

import pytest

from synthcli.report.reference import gauges
from synthcli.report.sentences import remedy, sentence
from synthcli.report.words import age, public
from synthcli.spec.describe import keys


def test_a_similarity_is_relative_to_real_data() -> None:
    m = {"name": "column_pair_trends", "value": 0.9462, "floor": 0.95}
    assert sentence(m) == "Relations between columns are kept to 99.6% of what a second real sample would show."
    assert "100.0%" in sentence({**m, "value": 0.99})
    assert sentence({**m, "floor": None}) == "Relations between columns agree with the real data to 94.6%."


def test_a_figure_that_was_not_measured_has_none() -> None:
    assert sentence({"name": "column_shapes", "value": None}) == ""
    assert sentence({"name": "mine", "value": 0.5}) == ""


def test_chance_is_named_beside_a_rate() -> None:
    assert sentence({"name": "detection_auc", "value": 0.514}).endswith("in 51% of cases; guessing is right in 50%.")
    assert "no more often" in sentence({"name": "excess_copies", "value": -0.01})
    assert sentence({"name": "excess_copies", "value": 0.02}).startswith("2.00% of synthetic rows repeat")


def test_the_target_is_named() -> None:
    assert "of readmitted trained" in sentence({"name": "utility_ratio", "value": 0.876}, "readmitted")


@pytest.mark.parametrize("metric", sorted({g["name"] for g in gauges() if g["section"] == "privacy_check"}))
def test_every_attack_has_a_remedy(metric: str) -> None:
    assert remedy({"metric": metric, "measured": None, "max": 0.1})


EVIDENCE = frozenset({"control", "target", "constraints", "relationships"})
GATED = {
    gate.metric
    for name in ("tabular", "relational", "panel")
    for have in (EVIDENCE, EVIDENCE - {"relationships"})
    for gates_ in keys(name).default_gates(have)
    for gate in gates_
}


@pytest.mark.parametrize("metric", sorted({*GATED, "constant_columns", "row_order"}))
def test_every_metric_with_a_default_gate_has_a_sentence_and_a_remedy(metric: str) -> None:
    assert sentence({"name": metric, "value": 0.5}) and remedy({"metric": metric, "measured": None, "max": 0.1})


def test_a_bound_that_real_data_does_not_meet_is_named() -> None:
    gate = {"metric": "column_shapes", "min": 0.999, "measured": {"value": 0.94, "floor": 0.95}}
    assert remedy(gate).startswith("A second real sample gets 0.95 and would fail too.")
    assert "Raise fidelity" in remedy({**gate, "min": 0.9})
    assert "Raise fidelity" in remedy({**gate, "of": "floor"})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("path: /srv/hospital/stays.csv", "path: …/stays.csv"),
        ("path: stays.csv", "path: stays.csv"),
        ("--root /home/anna", "--root …"),
        ("~/data/stays.csv", "…/stays.csv"),
        ("url: postgresql://anna@db.clinic.example/ward", "url: postgresql://…/ward"),
        ("s3://bucket/a/b.parquet", "s3://…/b.parquet"),
        (r"C:\Users\anna\stays.csv", "…/stays.csv"),
        ("a / b and 1/2, 3 km/h", "a / b and 1/2, 3 km/h"),
        ("data/stays.csv", "data/stays.csv"),
    ],
)
def test_folders_hosts_and_users_are_left_out(text: str, shown: str) -> None:
    assert public(text) == shown


def test_ages() -> None:
    assert [age(s) for s in (5, 90, 7300, 86_400, 250_000)] == ["just now", "1 minute", "2 hours", "1 day", "2 days"]
