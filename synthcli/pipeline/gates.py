"""Judge measurements by gates: pass or fail, and the margin.

A missing measurement fails. A metric that is not measurable, because the real data do not show what it compares with,
neither passes nor fails, unless the spec writes `severity: error` for its gate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from synthcli.contracts.evaluation import Gate, Measurement, Outcome


def judge(gates: Iterable[Gate], measurements: Sequence[Measurement]) -> list[Outcome]:
    """Each gate's outcome, in order."""
    overall = {m.name: m for m in measurements if m.scope == "overall"}
    return [outcome(gate, overall.get(gate.metric)) for gate in gates]


def outcome(gate: Gate, measured: Measurement | None) -> Outcome:
    """Judge one measurement: its interval, its value, or the favourable end of the interval must lie within the
    bounds.
    """
    if measured is not None and not measured.measurable:
        return Outcome(gate, False if gate.strict else None, measured, None, f"not measurable: {measured.note}")
    if measured is None or measured.value is None:
        return Outcome(
            gate,
            False,
            measured,
            None,
            f"not measured: {measured.note if measured is not None and measured.note else 'no metric measures it'}",
        )
    scale = 1.0
    if gate.of == "floor":
        if measured.floor is None:
            return Outcome(gate, False, measured, None, "not measured: the floor of real data is not known")
        scale = measured.floor
    low, high = _judged(gate, measured, measured.value)
    margins = []
    if gate.min is not None:
        margins.append(low - gate.min * scale)
    if gate.max is not None:
        margins.append(gate.max * scale - high)
    margin = min(margins)
    return Outcome(
        gate, margin >= 0, measured, margin, "" if margin >= 0 else _explained(gate, low, high, scale, measured.cause)
    )


def _judged(gate: Gate, measured: Measurement, value: float) -> tuple[float, float]:
    """What the lower and the upper bound of a gate apply to."""
    ends = [value if end is None else end for end in (measured.low, measured.high)]
    if gate.bound == "interval":
        return ends[0], ends[1]
    return (ends[1], ends[0]) if gate.bound == "favourable" else (value, value)


def unclear(outcomes: Iterable[Outcome]) -> list[str]:
    """The gates that are met only by the favourable end of the interval, each in words."""
    out = []
    for o in outcomes:
        if o.passed and o.gate.bound == "favourable" and o.measurement is not None:
            by_value = outcome(replace(o.gate, bound="value"), o.measurement)
            if not by_value.passed:
                m = o.measurement
                interval = "" if m.low is None or m.high is None else f" (95 % interval {m.low:.3g} – {m.high:.3g})"
                out.append(f"{o.gate.metric}: {by_value.why}{interval}")
    return out


def _explained(gate: Gate, low: float, high: float, scale: float, cause: str) -> str:
    return _why(gate, low, high, scale) + (f": {cause}" if cause else "")


def _why(gate: Gate, low: float, high: float, scale: float) -> str:
    end = "" if low == high else f" ({'' if gate.bound == 'favourable' else 'un'}favourable end of the interval)"
    of = " of what real data gets" if gate.of == "floor" else ""
    if gate.min is not None and low < gate.min * scale:
        return f"{low:.4g}{end} is below {gate.min * scale:.4g}" + (f" = {gate.min:g}{of}" if of else "")
    return f"{high:.4g}{end} is above {(gate.max or 0) * scale:.4g}" + (f" = {gate.max:g}{of}" if of else "")


def hopeless(outcomes: Iterable[Outcome]) -> str | None:
    """The metric that fails a run for a cause that no generator can remove, with the cause; None without one."""
    causes = ((o.gate.metric, o.measurement.cause) for o in failed(outcomes) if o.measurement is not None)
    return next((f"{metric}: {cause}" for metric, cause in causes if cause), None)


def failed(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Outcomes that fail a run: not passed, and of severity error."""
    return [o for o in outcomes if o.passed is False and o.gate.severity == "error"]


def warned(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Outcomes that warn: not passed, and of severity warn."""
    return [o for o in outcomes if o.passed is False and o.gate.severity == "warn"]


def rank(outcomes: Sequence[Outcome]) -> tuple[int, int, float]:
    """Sort key of rounds, best first: failed gates, failed warnings, then the smallest margin relative to its bound."""
    judged = [o for o in outcomes if o.passed is not None]
    return len(failed(judged)), len(warned(judged)), -min((_relative(o) for o in judged), default=0.0)


def _relative(outcome: Outcome) -> float:
    """The margin relative to the distance between the bound and the ideal value."""
    if outcome.margin is None:
        return -1e9
    gate = outcome.gate
    bound = gate.max if gate.max is not None else gate.min
    room = max(abs(1.0 - (bound or 0)) if gate.max is None else abs(bound or 0), 0.01)
    return outcome.margin / room
