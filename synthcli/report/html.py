"""report.html: one self-contained page of a run, built from its folder. It loads nothing and never reads data."""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

from synthcli.artifacts import files
from synthcli.artifacts.store import REPORT, Version
from synthcli.report import charts, conditions, limits, words
from synthcli.report.reading import Body, Drawn, line, overall, read
from synthcli.report.rounds import rounds
from synthcli.report.sections import attacks, distances, gates, lineage, personal, rules, tiles, todo, utility
from synthcli.spec.describe import modality_of_run

FOLDER = Path(__file__).parent / "page"
BEFORE = (
    ("verdict", "Verdict"),
    ("gates", "Gates"),
    ("requested", "Requested rows"),
    ("matters", "Requirements"),
    ("fairness", "Fairness"),
)
AFTER = (  # the sections of the modality come in between
    ("utility", "Utility"),
    ("privacy", "Privacy"),
    ("limits", "Not protected"),
    ("changed", "Changes and notes"),
    ("rounds", "Rounds"),
    ("constraints", "Constraints"),
    ("lineage", "Lineage"),
)


def write(version: Version, target: Path | None = None) -> Path:
    """Write a run's page, by default into its folder, and return its path."""
    place = target or version.folder / REPORT
    files.write_text(place, page(version))
    return place


def page(version: Version) -> str:
    """The page of a finished run, whatever its last stage. Raises ArtifactError for a damaged one."""
    run = read(version)
    drawn: Drawn = {}
    datasets: Body = {}
    own = _sections(run)
    found: Body = {
        "tables": [],
        "attacked": None,
        **own.view(run, drawn, datasets),
        "gates": gates(run, drawn),
        "requested": conditions.rows(run, drawn),
        "matters": conditions.matters(run, drawn),
        "fairness": conditions.fairness(run, drawn),
        "utility": utility(run, drawn),
        "privacy": attacks(run, drawn),
        "distances": distances(run, drawn),
        "limits": limits.unprotected(run),
        "changed": limits.notes(run),
        "rounds": rounds(run, drawn),
        "constraints": rules(run),
        "lineage": lineage(version, run),
    }
    held = personal(run)
    context: Body = {
        "run": run,
        "title": version.name,
        "tiles": tiles(run),
        "todo": todo(run),
        "figures": [line(m, run["help"]) for m in overall(run["measured"]).values()],
        "sections": [
            (name, title)
            for name, title in (*BEFORE, *own.SECTIONS, *AFTER)
            if name == "verdict" or found.get(name) or (name == "privacy" and held)
        ],
        "personal": held,
        "drawn": drawn,
        "own_sections": own.TEMPLATE,
        **found,
    }
    return render("run.html.j2", context, {"charts": drawn, "datasets": datasets, "config": charts.CONFIG})


class Sections(Protocol):
    """report/modalities/NAME.py: the sections of a modality. TEMPLATE: their template, in page/ or in the modality's
    own folder; SECTIONS: id and title of each.
    """

    TEMPLATE: str
    SECTIONS: tuple[tuple[str, str], ...]

    def view(self, run: Body, drawn: Drawn, datasets: Body) -> Body:
        """Return the values of the template; a section without a value is left out."""


def _sections(run: Body) -> Sections:
    name = modality_of_run(run["plan"])
    return cast(Sections, importlib.import_module(f"synthcli.report.modalities.{name}"))


def render(template: str, context: Body, data: Body) -> str:
    """Fill a template, with its styles, scripts and chart data inline, under a policy that lets nothing else run or
    load.
    """
    scripts = [_asset("watch.js"), _asset("vega.js"), _asset("page.js")]
    policy = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    return (
        _templates()
        .get_template(template)
        .render(**context, style=_asset("style.css"), scripts=scripts, policy=policy, data=_embedded(data), w=words)
    )


@cache
def _templates() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _asset(name: str) -> Any:
    from markupsafe import Markup

    return Markup((FOLDER / name).read_text(encoding="utf-8"))


def _embedded(data: Body) -> Any:
    """JSON that is safe in a script element: without characters that could end it."""
    from markupsafe import Markup

    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
