"""The reference of methods with their parameters, metrics and attacks, read from the plugins."""

from __future__ import annotations

from typing import Any

from synthcli import plugins
from synthcli.report import spec_reference


def methods() -> list[dict[str, Any]]:
    """All methods, by modality and name; a method of several modalities once, as of the first."""
    found: dict[str, str] = {}
    for modality in plugins.modalities():
        for name in plugins.names("methods", modality):
            found.setdefault(name, modality)
    return [_method(name, modality) for name, modality in found.items()]


def method(name: str) -> dict[str, Any]:
    """The method of that name. Raises SpecError for an unknown one."""
    found = [one for one in methods() if one["name"] == name]
    return found[0] if found else _method(name, plugins.GROUND)


def _method(name: str, modality: str) -> dict[str, Any]:
    """{name, modality, guarantees, needs_data, extra, installed, summary, about, dial, params}."""
    module = plugins.method(name, modality)
    about = (module.__doc__ or "").strip()
    dial = module.DIAL
    return {
        "name": name,
        "modality": module.MODALITY,
        "guarantees": sorted(module.MODES),
        "needs_data": "without_data" not in module.CAN,
        "extra": module.EXTRA,
        "installed": module.EXTRA is None or plugins.installed(module.EXTRA),
        "summary": " ".join(about.partition("\n\n")[0].split()),
        "about": about,
        "dial": None if dial is None else {"param": dial.param, "fidelity": dial.fidelity, "privacy": dial.privacy},
        "params": _params(module.Params),
    }


def _params(model: Any) -> list[dict[str, Any]]:
    properties = model.model_json_schema().get("properties", {})
    out = []
    for name, field in model.model_fields.items():
        described = properties.get(name, {})
        bounds = spec_reference.bounds(described)
        default = field.get_default(call_default_factory=True)
        out.append(
            {
                "name": name,
                "default": list(default) if isinstance(default, tuple) else default,
                "bounds": ", ".join(bounds),
                "help": field.description or "",
            }
        )
    return out


def gauges() -> list[dict[str, Any]]:
    """All metrics and attacks that a gate can name: {name, section, better, needs, unit, help}."""
    out = []
    for kind, section in (("metrics", "evaluate"), ("attacks", "privacy_check")):
        for modality in plugins.modalities():
            for room in plugins.names(kind, modality):
                out += [
                    {
                        "name": g.name,
                        "section": section,
                        "module": room,
                        "better": g.better,
                        "needs": sorted(g.needs),
                        "unit": g.unit,
                        "help": g.help,
                    }
                    for g in plugins.judge(kind, room, modality).GAUGES
                ]
    return out


def markdown() -> str:
    """docs/reference.md: all methods, metrics and attacks, as tables."""
    lines = ["# Reference", "", "Written by `make docs` from the program itself.", "", "## Methods", ""]
    for m in methods():
        extra = f" Needs `synthcli[{m['extra']}]`." if m["extra"] else ""
        dial = m["dial"]
        turns = (
            f" Dial: `{dial['param']}`, {dial['fidelity']:g} (fidelity) to {dial['privacy']:g} (privacy)."
            if dial
            else ""
        )
        lines += [
            f"### `{m['name']}`",
            "",
            m["about"],
            "",
            f"{'Learns from data.' if m['needs_data'] else 'Needs no data.'}{turns}{extra}".strip(),
            "",
        ]
        if m["params"]:
            rows = [[f"`{p['name']}`", _shown(p["default"]), p["bounds"], p["help"]] for p in m["params"]]
            lines += [*_table(["parameter", "default", "bounds", "what it does"], rows), ""]
    rows = [
        [
            f"`{g['name']}`",
            g["section"],
            "0.5" if g["better"] == "half" else g["better"],
            ", ".join(g["needs"]),
            g["help"],
        ]
        for g in gauges()
    ]
    lines += ["## Metrics and attacks", "", *_table(["metric", "gates of", "better", "needs", "what it is"], rows), ""]
    return "\n".join([*lines, *_of_the_spec()])


def _of_the_spec() -> list[str]:
    """The keys of the spec, the made-up kinds and the functions of expressions, as tables."""
    keys = [[f"`{k['key']}`", k["type"], k["default"], k["help"]] for k in spec_reference.spec_keys()]
    kinds = [[f"`{k['kind']}`", k["example"]] for k in spec_reference.kinds()]
    functions = [[f"`{f['call']}`", f["gives"], f["help"], f"`{f['example']}`"] for f in spec_reference.functions()]
    return [
        "## Keys of the spec",
        "",
        "`NAME` stands for a name that you choose, and `[]` for each entry of a list.",
        "",
        *_table(["key", "type", "default", "what it is"], keys),
        "",
        "## Made-up kinds of columns",
        "",
        "`type:` of a column whose values are made up. The examples are of the locale `en_US`; `locale:` changes them.",
        "",
        *_table(["kind", "example"], kinds),
        "",
        "## Functions of expressions",
        "",
        "A result is null where an argument is, unless the text says otherwise.",
        "",
        *_table(["function", "result", "what it is", "example"], functions),
        "",
    ]


def _shown(default: Any) -> str:
    return "" if default is None else f"`{default}`"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    cells = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(str(c).replace("|", "\\|").replace("\n", " ") for c in row) + " |" for row in cells]
