"""Gates pass and fail at the unfavourable end; what was not measured fails; rounds are ordered by them."""

from __future__ import annotations

import pytest

from synthcli.contracts.evaluation import Gate, Measurement, Outcome
from synthcli.pipeline import gates
from synthcli.spec.models import GateKeys

M = Measurement("m", 0.90, low=0.85, high=0.95, floor=0.99)


@pytest.mark.parametrize(
    ("gate", "passed", "margin"),
    [
        (Gate("m", min=0.86), False, -0.01),
        (Gate("m", min=0.85), True, 0.0),
        (Gate("m", min=0.88, bound="value"), True, 0.02),
        (Gate("m", max=0.94), False, -0.01),
        (Gate("m", max=0.94, bound="value"), True, 0.04),
        (Gate("m", min=0.80, max=0.99), True, 0.04),
        (Gate("m", min=0.90, bound="value", of="floor"), True, 0.9 - 0.891),
        (Gate("m", min=0.95, bound="value", of="floor"), False, 0.9 - 0.9405),
    ],
)
def test_bounds(gate: Gate, passed: bool, margin: float) -> None:
    outcome = gates.outcome(gate, M)
    assert outcome.passed is passed
    assert outcome.margin == pytest.approx(margin)
    assert bool(outcome.why) is not passed


@pytest.mark.parametrize("measured", [None, Measurement("m", None, note="one class only")])
def test_what_is_not_measured_fails(measured: Measurement | None) -> None:
    outcome = gates.outcome(Gate("m", min=0.1), measured)
    assert not outcome.passed
    assert "not measured" in outcome.why


def test_what_is_not_measurable_neither_passes_nor_fails_unless_the_spec_insists() -> None:
    blind = Measurement("m", None, note="chance", measurable=False)
    lenient, strict = (gates.outcome(Gate("m", min=0.1, strict=s), blind) for s in (False, True))
    assert lenient.passed is None and "not measurable: chance" in lenient.why and gates.failed([lenient]) == []
    assert strict.passed is False and gates.failed([strict]) == [strict]
    assert gates.rank([lenient]) == gates.rank([])
    written = GateKeys.model_validate({"metric": "m", "min": 0.1, "severity": "error"}).build()
    assert written.strict and not GateKeys.model_validate({"metric": "m", "min": 0.1}).build().strict


def test_a_floor_that_is_unknown_fails() -> None:
    assert not gates.outcome(Gate("m", min=0.1, of="floor"), Measurement("m", 0.9)).passed


def test_only_overall_measurements_are_judged() -> None:
    some = [Measurement("m", 0.1, scope="column", of="a"), Measurement("m", 0.9)]
    assert gates.judge([Gate("m", min=0.5)], some)[0].passed


def test_warnings_do_not_fail() -> None:
    assert gates.failed([Outcome(Gate("m", min=1, severity="warn"), False, M, -0.1, "")]) == []


def test_rank_prefers_fewer_failures_then_the_larger_margin() -> None:
    near, far = (
        gates.outcome(Gate("m", min=0.91, bound="value"), M),
        gates.outcome(Gate("m", min=0.99, bound="value"), M),
    )
    good = gates.outcome(Gate("m", min=0.5), M)
    ordered = sorted([[far], [good, near], [good], [far, far]], key=gates.rank)
    assert ordered == [[good], [good, near], [far], [far, far]]


def test_a_favourable_gate_fails_only_where_the_whole_interval_misses_it() -> None:
    near = gates.outcome(Gate("m", min=M.high - 0.001, bound="favourable"), M)  # type: ignore[operator]
    far = gates.outcome(Gate("m", min=M.high + 0.001, bound="favourable"), M)  # type: ignore[operator]
    assert near.passed and not far.passed and far.why.startswith(f"{M.high:.4g} (favourable end")
    assert gates.unclear([near, far, gates.outcome(Gate("m", min=0.1, bound="favourable"), M)]) == [
        f"m: {M.value:.4g} is below {M.high - 0.001:.4g} (95 % interval {M.low:.3g} – {M.high:.3g})"
    ]
    most = gates.outcome(Gate("m", max=M.low + 0.001, bound="favourable"), M)  # type: ignore[operator]
    assert most.passed and gates.outcome(Gate("m", max=M.low - 0.001, bound="favourable"), M).passed is False  # type: ignore[operator]
    without = Measurement("m", 0.5)
    assert gates.outcome(Gate("m", min=0.6, bound="favourable"), without).passed is False
