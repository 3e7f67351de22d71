"""Read a run's folder as plain data for its page, and look up and format its measurements."""

from __future__ import annotations

from typing import Any

from synthcli.artifacts import store
from synthcli.artifacts.store import (
    ANALYZE,
    DOWNSTREAM,
    DOWNSTREAM_LOG,
    DOWNSTREAM_RESULT,
    EVALUATE,
    FIT,
    GENERATE,
    MEASURED,
    PICTURES,
    PLAN,
    PRIVACY,
    PROFILE,
    ROUNDS,
    SAMPLE,
    TRAIN,
    Version,
)
from synthcli.report import charts, words

Body = dict[str, Any]
Drawn = dict[str, charts.Chart]


def read(version: Version) -> Body:
    """All data for a page; what a run lacks is empty."""
    from synthcli.report.reference import gauges

    measured, control = [], None
    for stage in (EVALUATE, PRIVACY):
        body = version.read(stage, MEASURED) or {"measurements": []}
        control = control or body.get("control")
        measured += [{**m, "stage": stage} for m in body["measurements"]]
    manifest = version.manifest()
    return {
        "manifest": manifest,
        "verdict": version.verdict(),
        "plan": version.read(PLAN) or {},
        "profile": version.read(ANALYZE, PROFILE) or {},
        "fit": version.read(TRAIN, FIT) or {},
        "sample": version.read(GENERATE, SAMPLE) or {},
        "pictures": version.read(EVALUATE, PICTURES) or {"columns": []},
        "measured": measured,
        "control": control,
        "tried": {name: _tried(version, name) for name in manifest.get("rounds", [])},
        "downstream": _downstream(version),
        "help": {g["name"]: g for g in gauges()},
        "spec": (
            (version.folder / store.SPEC).read_text(encoding="utf-8") if (version.folder / store.SPEC).exists() else ""
        ),
    }


def _tried(version: Version, tried: str) -> dict[str, Body]:
    """Overall measurements of a round by name."""
    return overall(
        [
            m
            for s in (EVALUATE, PRIVACY)
            for m in (version.read(ROUNDS, tried, s, MEASURED) or {"measurements": []})["measurements"]
        ]
    )


def _downstream(version: Version) -> Body | None:
    """The result of the user's application on the round that is shown, and the path of its log."""
    shown = (version.verdict() or {}).get("round")
    place = (ROUNDS, str(shown), DOWNSTREAM)
    found = version.read(*place, DOWNSTREAM_RESULT) if shown else None
    return None if found is None else {**found, "log": "/".join((*place, DOWNSTREAM_LOG))}


def tables(run: Body) -> list[str]:
    """The names of related tables, in the order of the spec; none where a run is of one table."""
    return list(run["profile"].get("tables", {}))


def sole_table(run: Body) -> Body:
    """The data of a run of one table: {mark, name, pictures, measured, clipped, help}."""
    return {
        "mark": "",
        "name": None,
        "pictures": run["pictures"],
        "measured": run["measured"],
        "clipped": _clipped(run),
        "help": run["help"],
    }


def _clipped(run: Body) -> dict[str, Body]:
    """What top coding changed, by column. Earlier versions recorded a mere count, which is left out."""
    return {name: found for name, found in run["fit"].get("clipped", {}).items() if isinstance(found, dict)}


def of_table(run: Body, name: str, mark: str) -> Body:
    """The data of one of several tables, with its figures as for a run of one table. mark: the prefix of its ids and
    charts.
    """
    start = f"{name}: "
    mine = [
        {**m, "scope": "overall", "of": None} for m in run["measured"] if m.get("scope") == "table" and m["of"] == name
    ]
    mine += [{**m, "of": m["of"].removeprefix(start)} for m in run["measured"] if (m.get("of") or "").startswith(start)]
    return {
        "mark": mark,
        "name": name,
        "pictures": run["pictures"].get("tables", {}).get(name, {"columns": []}),
        "measured": mine,
        "clipped": {
            column.removeprefix(f"{name}."): found
            for column, found in _clipped(run).items()
            if column.startswith(f"{name}.")
        },
        "help": run["help"],
    }


def overall(measured: list[Body]) -> dict[str, Body]:
    """Measurements of the whole data, by name."""
    return {m["name"]: m for m in measured if m.get("scope", "overall") == "overall"}


def known(measured: list[Body], name: str, scope: str) -> dict[str, Body]:
    """Measurements of one name by their scope; those without a value are left out."""
    return {
        m["of"]: m
        for m in measured
        if m["name"] == name and m.get("scope", "overall") == scope and m["value"] is not None
    }


def reference(m: Body) -> float | None:
    """The value that real data gets."""
    floor: float | None = m.get("floor")
    return floor if floor is not None else m.get("control")


def line(m: Body, help_: dict[str, Body], **more: Any) -> Body:
    """A measurement as a row of a table."""
    shown = {
        key: words.number(value)
        for key, value in (("value", m.get("value")), ("real", reference(m)), ("baseline", m.get("baseline")))
    }
    about = help_.get(m["name"], {})
    return {
        "name": m["name"],
        "of": m.get("of", ""),
        "help": about.get("help", ""),
        "unit": m.get("unit", ""),
        **shown,
        "interval": words.interval(m),
        "note": m.get("note", ""),
        "better": m.get("better", "higher"),
        **more,
    }


def bounds(gate: Body) -> tuple[float | None, float | None]:
    """The bounds of a gate on the scale of the measurement: multiplied by the floor, where they are relative to it."""
    floor = (gate.get("measured") or {}).get("floor") if gate.get("of") == "floor" else 1.0
    low, high = (None if gate.get(key) is None or floor is None else gate[key] * floor for key in ("min", "max"))
    return low, high


def judged(run: Body) -> list[Body]:
    """The gates in the verdict."""
    found: list[Body] = (run["verdict"] or {"gates": []})["gates"]
    return found


def state(gate: Body) -> str:
    """pass, warn, fail, or open: the metric is not measurable."""
    if gate["passed"] is None:
        return "open"
    return "pass" if gate["passed"] else "warn" if gate["severity"] == "warn" else "fail"


def put(drawn: Drawn, name: str, chart: charts.Chart | None) -> str | None:
    """Add a chart to the page; returns its name, None if there is no chart."""
    if chart is None:
        return None
    drawn[name] = chart
    return name
