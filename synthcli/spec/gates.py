"""The gates of a spec: which metrics exist, what evidence there is for them, and which gates are contradictory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from synthcli import plugins
from synthcli.contracts.evaluation import Gauge
from synthcli.errors import did_you_mean
from synthcli.spec import describe
from synthcli.spec.load import Loaded, Problem
from synthcli.spec.models import GateKeys, Spec

PRIVACY = "attacks"


def gauges(room: str, judges: tuple[str, ...], modules: Collection[str] | None = None) -> dict[str, Gauge]:
    """Everything that the metrics or attacks of some modalities measure, by name. modules: only these."""
    return {
        gauge.name: gauge
        for modality in judges
        for name in plugins.names(room, modality)
        if modules is None or name in modules
        for gauge in plugins.judge(room, name, modality).GAUGES
    }


def attacks_of(judges: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the attacks of some modalities."""
    return tuple(name for modality in judges for name in plugins.names(PRIVACY, modality))


def resolved(spec: Spec, modality: str) -> tuple[describe.Gates, tuple[str, ...]]:
    """The gates that a spec sets, else the default gates that it can measure; and its attacks."""
    room, chosen = describe.keys(modality), spec.privacy_check.attacks
    attacks = attacks_of(room.JUDGES) if chosen == "default" else chosen
    quality, privacy = room.default_gates(available(spec))
    if spec.evaluate.gates is not None:
        quality = tuple(g.build() for g in spec.evaluate.gates)
    if spec.privacy_check.gates is not None:
        return (quality, tuple(g.build() for g in spec.privacy_check.gates)), attacks
    measured = gauges(PRIVACY, room.JUDGES, attacks)
    return (quality, tuple(g for g in privacy if g.metric in measured)), attacks


def problems(loaded: Loaded, judges: tuple[str, ...]) -> Iterator[Problem]:
    spec = loaded.spec
    quality, privacy = _domain_gauges(loaded) | gauges("metrics", judges), gauges(PRIVACY, judges)
    chosen, known = spec.privacy_check.attacks, attacks_of(judges)
    if chosen != "default":
        for i, attack in enumerate(chosen):
            if attack not in known:
                yield (
                    ("privacy_check", "attacks", i),
                    (f"unknown attack.{did_you_mean(attack, known)} Known: {', '.join(known)}"),
                )
        privacy = gauges(PRIVACY, judges, chosen)
    have = available(spec)
    yield from _bounds(
        "evaluate", spec.evaluate.gates or (), quality, "privacy_check.gates", gauges(PRIVACY, judges), have
    )
    yield from _bounds("privacy_check", spec.privacy_check.gates or (), privacy, "evaluate.gates", quality, have)


def _domain_gauges(loaded: Loaded) -> dict[str, Gauge]:
    """Gates whose metric name occurs in the user's metrics file; what the file measures is known only once it runs."""
    evaluate = loaded.spec.evaluate
    if evaluate.domain is None:
        return {}
    try:
        text = loaded.resolve(evaluate.domain.path, "evaluate", "domain").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    named = [gate.metric for gate in evaluate.gates or () if gate.metric in text]
    return {
        name: Gauge(name, "higher", frozenset({"synthetic"}), f"measured by {evaluate.domain.path}") for name in named
    }


def available(spec: Spec) -> frozenset[str]:
    """The evidence that a verdict on this spec has; see Gauge.needs."""
    have = {"synthetic"}
    if spec.source.type != "none":
        have.add("train")
        if spec.source.split.holdout > 0:
            have.add("control")
    if spec.source.tables is not None:
        have.add("relationships")
    if describe.unit_of(spec) is not None:
        have.add("units")
    if spec.evaluate.target is not None:
        have.add("target")
    if describe.has_rules(spec):
        have.add("constraints")
    optional = {
        "preserve": spec.evaluate.preserve,
        "fairness": spec.generate.fairness,
        "downstream": spec.evaluate.downstream,
    }
    have |= {name for name, given in optional.items() if given}
    return frozenset(have)


LACKS = {
    "control": "needs a holdout; remedy: source.split.holdout above 0",
    "train": "needs real data, and source.type is none",
    "target": "needs evaluate.target: COLUMN",
    "constraints": "needs constraints",
    "relationships": "needs source.tables and source.relationships",
    "units": "needs privacy_unit: the column that says which rows belong together",
    "preserve": "needs evaluate.preserve: properties, such as mean(age)",
    "fairness": "needs generate.fairness: {target: COLUMN, sensitive: [COLUMN]}",
    "downstream": "needs evaluate.downstream: {command: …}",
}


def _bounds(
    section: str,
    gates: tuple[GateKeys, ...],
    known: Mapping[str, Gauge],
    other: str,
    others: Mapping[str, Gauge],
    have: frozenset[str],
) -> Iterator[Problem]:
    for i, gate in enumerate(gates):
        path = (section, "gates", i)
        if gate.min is None and gate.max is None:
            yield path, f"the gate on {gate.metric} has neither min nor max"
        if gate.min is not None and gate.max is not None and gate.min > gate.max:
            yield (*path, "min"), f"is greater than max: {gate.max}"
        if gate.metric not in known:
            hint = f" It belongs to {other}." if gate.metric in others else did_you_mean(gate.metric, known)
            yield (*path, "metric"), f"this spec measures no such metric.{hint} Known: {', '.join(known)}"
            continue
        for lack in sorted(known[gate.metric].needs - have):
            yield (*path, "metric"), f"cannot be measured by this spec: it {LACKS[lack]}"
        if gate.of == "floor" and "control" not in have:
            yield (*path, "of"), "the floor is the value that unseen real data gets, and there is no holdout"
