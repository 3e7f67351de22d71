"""The key of each stage: a keyed hash of everything that can change its result. A new key means that the stage must
run again.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import synthcli
from synthcli import plugins
from synthcli.artifacts.secret import canonical, keyed
from synthcli.contracts.modality import Choice
from synthcli.packages import packages
from synthcli.pipeline.plan import Plan
from synthcli.spec import describe

BESIDE = ("cli", "report", "init", "release")  # packages that change no result


def run_key(plan: Plan) -> str:
    """Key of a run: everything that can change the result, but not the output path, name or description."""
    apart = ("source", "output", "retention", "description", "name", "version", "execution")
    body = {k: v for k, v in plan.to_json().items() if k not in apart}
    return keyed("run", canonical(body | _written_as(plan)), analyze_key(plan), canonical(packages(*plan.choices)))


def analyze_key(plan: Plan) -> str:
    """Key of the analysis: its inputs, but not the methods, so that it is kept when the candidates change."""
    body = plan.to_json()
    source = {k: v for k, v in body["source"].items() if k not in ("path", "url", "dataset")}
    needed = {"source": source, **{k: body[k] for k in ("modality", "columns", "constraints", "privacy_unit", "seed")}}
    # the choices of `auto` depend on the installed extras
    extras = {extra: plugins.installed(extra) for extra in plugins.EXTRAS}
    code = code_hash(plan.checked.modality)
    return keyed("analyze", canonical(needed), plan.data_key, code, canonical(packages()), canonical(extras))


def train_key(plan: Plan, choice: Choice) -> str:
    # which columns rules may rewrite depends on the conditions on the output
    generate = plan.spec.generate
    kept = {
        "where": generate.where,
        "balance": sorted(generate.balance or ()),
        "fairness": generate.model_dump(mode="json")["fairness"],
    }
    needed = {
        "limits": plan.to_json()["generator"]["limits"],
        "target": plan.spec.evaluate.target,
        "kept": kept if describe.has_rules(plan.spec) else None,
    }
    method = (choice.method, canonical(plugins.params(choice)))
    return keyed("train", analyze_key(plan), *method, canonical(needed), canonical(packages(choice)))


def generate_key(plan: Plan, choice: Choice, rows: int) -> str:
    fields = {"where", "balance", "fairness", "copies", "proper"}
    conditions = plan.spec.generate.model_dump(mode="json", include=fields)
    return keyed("generate", train_key(plan, choice), str(rows), canonical(conditions))


def evaluate_key(plan: Plan, choice: Choice, rows: int, control: str, downstream: str = "") -> str:
    """Key of the quality measurements. downstream: the exit code of the user's application."""
    own = {name: plan.to_json()["evaluate"][name] for name in ("preserve", "domain")} | _written_as(plan)
    return keyed("evaluate", generate_key(plan, choice, rows), control, canonical(own), downstream)


def _written_as(plan: Plan) -> dict[str, str]:
    """The format of the output, where rules are checked on it."""
    return {"written": plan.spec.output.format} if describe.has_rules(plan.spec) else {}


def privacy_key(plan: Plan, choice: Choice, rows: int, control: str) -> str:
    return keyed("privacy-check", generate_key(plan, choice, rows), canonical(list(plan.attacks)), control)


@cache
def code_hash(modality: str) -> str:
    """Hash of the code that can change a result of a modality: shared packages, its own package, and those of the
    modalities that it builds on. Code that only shows results is left out.
    """
    digest = hashlib.sha256()
    for top in map(Path, synthcli.__path__):
        for path in sorted(top.rglob("*.py")):
            name = path.relative_to(top)
            if _counts(name.parts, modality):
                digest.update(name.as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _counts(parts: tuple[str, ...], modality: str) -> bool:
    """Whether a file can change a result of a modality. parts: of its path below the package."""
    others = set(plugins.modalities()) - plugins.bases(modality)
    if parts[0] in BESIDE or parts[0] in others:
        return False
    return parts[:2] != ("spec", "modalities") or Path(parts[-1]).stem not in others
