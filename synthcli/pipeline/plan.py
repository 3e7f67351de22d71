"""A spec resolved: every default filled in, every file found, and a key per stage that says when it must run again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from synthcli import plugins, sources
from synthcli.artifacts.secret import canonical, keyed
from synthcli.contracts.evaluation import Gate
from synthcli.errors import SpecError
from synthcli.packages import packages
from synthcli.pipeline import gates
from synthcli.sources import builtin
from synthcli.spec import check, places
from synthcli.spec.load import Loaded
from synthcli.spec.models import Spec

ROUNDS = 3  # default of refine.max_rounds


@dataclass(frozen=True)
class Choice:
    """A method with its parameters as given. why: where it was chosen rather than named."""

    method: str
    params: dict[str, Any]
    why: str = ""

    def full(self) -> dict[str, Any]:
        """All parameters, defaults filled in."""
        return dict(plugins.method(self.method).Params.model_validate(self.params).model_dump(mode="json"))


@dataclass(frozen=True)
class Plan:
    """All that a run needs to know. choices: empty while `auto` has not looked at the profile."""

    loaded: Loaded
    source: sources.Source
    unit: str | None
    choices: tuple[Choice, ...]
    quality: tuple[Gate, ...]
    privacy: tuple[Gate, ...]
    attacks: tuple[str, ...]
    max_rounds: int
    data_key: str

    @property
    def spec(self) -> Spec:
        return self.loaded.spec

    @property
    def related(self) -> bool:
        """Whether it is about several tables."""
        return self.spec.source.tables is not None

    @property
    def has_data(self) -> bool:
        return self.spec.source.type != "none"

    @property
    def auto(self) -> bool:
        return not self.choices

    def to_json(self) -> dict[str, Any]:
        """The resolved spec; what plan.json holds."""
        body = self.spec.model_dump(mode="json", by_alias=True)
        body["name"] = self.loaded.name
        body["privacy_unit"] = self.unit
        body["generator"] = {
            "candidates": [{"method": c.method, "params": c.full()} for c in self.choices] or "auto",
            "limits": body["generator"]["limits"],
        }
        body["evaluate"]["gates"] = [_gate(g) for g in self.quality]
        if (
            domain := self.spec.evaluate.domain
        ) is not None:  # what it measures changes with what it says, not with where it stands
            body["evaluate"]["domain"]["sha256"] = hashlib.sha256(
                self.loaded.resolve(domain.path, "evaluate", "domain").read_bytes()
            ).hexdigest()
        body["privacy_check"] = {"attacks": list(self.attacks), "gates": [_gate(g) for g in self.privacy]}
        body["refine"] = {"max_rounds": self.max_rounds}
        return body

    def key(self) -> str:
        """The keyed hash of everything that can change the result; not where it goes, nor how it is described."""
        body = {
            k: v
            for k, v in self.to_json().items()
            if k not in ("source", "output", "retention", "description", "name", "version", "execution")
        }
        return keyed("run", canonical(body), self.analyze_key(), canonical(packages(*(c.method for c in self.choices))))

    def analyze_key(self) -> str:
        """Of what analysis sees: not of the methods that follow, so that another candidate, or what `auto` chooses,
        keeps it.
        """
        body = self.to_json()
        source = {k: v for k, v in body["source"].items() if k not in ("path", "url", "dataset")}
        needed = {"source": source, **{k: body[k] for k in ("columns", "constraints", "privacy_unit", "seed")}}
        # what `auto` may choose from depends on the extras that are there
        extras = {extra: plugins.installed(extra) for extra in plugins.EXTRAS}
        return keyed("analyze", canonical(needed), self.data_key, code_hash(), canonical(packages()), canonical(extras))

    def train_key(self, choice: Choice) -> str:
        # what rules may not rewrite depends on what is asked of the output
        generate = self.spec.generate
        kept = {
            "where": generate.where,
            "balance": sorted(generate.balance or ()),
            "fairness": generate.model_dump(mode="json")["fairness"],
        }
        asked = {
            "limits": self.to_json()["generator"]["limits"],
            "target": self.spec.evaluate.target,
            "kept": kept if self.spec.constraints else None,
        }
        return keyed(
            "train",
            self.analyze_key(),
            choice.method,
            canonical(choice.full()),
            canonical(asked),
            canonical(packages(choice.method)),
        )

    def generate_key(self, choice: Choice, rows: int) -> str:
        asked = self.spec.generate.model_dump(mode="json", include={"where", "balance", "fairness", "copies", "proper"})
        return keyed("generate", self.train_key(choice), str(rows), canonical(asked))

    def evaluate_key(self, choice: Choice, rows: int, control: str, downstream: str = "") -> str:
        """downstream: what the user's application said of the data."""
        own = {name: self.to_json()["evaluate"][name] for name in ("preserve", "domain")}
        return keyed("evaluate", self.generate_key(choice, rows), control, canonical(own), downstream)

    def privacy_key(self, choice: Choice, rows: int, control: str) -> str:
        return keyed("privacy-check", self.generate_key(choice, rows), canonical(list(self.attacks)), control)

    def with_choice(self, choice: Choice) -> Plan:
        """The plan once `auto` has chosen."""
        return replace(self, choices=(choice,))


def make_plan(loaded: Loaded) -> Plan:
    """Resolve a spec. Reads the data's content hash and its column names, nothing else of it. Raises SpecError,
    DataError.
    """
    check.check(loaded)
    spec = loaded.spec
    source = open_source(loaded)
    unit = spec.privacy_unit or (builtin.UNITS.get(spec.source.name or "") if spec.source.type == "builtin" else None)
    quality, privacy = _gates(spec)
    attacks = plugins.names(check.PRIVACY) if spec.privacy_check.attacks == "default" else spec.privacy_check.attacks
    steered = spec.source.type != "none" and spec.source.split.validation > 0
    if spec.source.type != "none" and spec.source.tables is None:
        check.check_names(loaded, sources.columns(source))
    return Plan(
        loaded=loaded,
        source=source,
        unit=unit,
        choices=_choices(spec),
        quality=quality,
        privacy=privacy,
        attacks=tuple(attacks),
        max_rounds=spec.refine.max_rounds or (ROUNDS if steered else 1),
        data_key=keyed(
            "data", *(sources.fingerprint(each) for each in (table_sources(loaded) or {"": source}).values())
        ),
    )


def open_source(loaded: Loaded) -> sources.Source:
    """The source of a spec, its path resolved."""
    if loaded.spec.source.tables is not None:
        return sources.Source("none")  # each table has its own: table_sources
    keys = loaded.spec.source.model_dump(exclude={"dataset", "split", "path", "tables", "relationships"})
    path = loaded.spec.source.path
    return sources.Source(
        path=None if path is None else loaded.place(path, "source", "path"), folder=loaded.file.parent, **keys
    )


def table_sources(loaded: Loaded) -> dict[str, sources.Source]:
    """The sources of related tables, their paths resolved."""
    out = {}
    for name, each in (loaded.spec.source.tables or {}).items():
        path = None if each.path is None else loaded.place(each.path, "source", "tables", name, "path")
        keys = each.model_dump(exclude={"path", "type", "keep"})
        out[name] = sources.Source(places.table_type(each), path, folder=loaded.file.parent, **keys)
    return out


def open_target(loaded: Loaded) -> sources.Target | None:
    """Where the output of a spec goes besides the run folder; None where it says nothing."""
    asked = loaded.spec.output
    if asked.path is None and asked.url is None:
        return None
    path = None if asked.path is None else loaded.place(asked.path, "output", "path")
    return sources.Target(asked.format, path, asked.url, asked.table, asked.if_exists, loaded.file.parent)


def _choices(spec: Spec) -> tuple[Choice, ...]:
    generator = spec.generator
    if generator.candidates is not None:
        return tuple(Choice(c.method, c.params) for c in generator.candidates)
    if generator.method == "auto":
        return (
            (Choice("trees", {}, "related tables are made by a method that draws rows given what is known of them"),)
            if spec.source.tables
            else ()
        )
    return (Choice(spec.method, generator.params),)


def _gates(spec: Spec) -> tuple[tuple[Gate, ...], tuple[Gate, ...]]:
    """The gates that were written, else default gates on what this spec can measure."""
    have = check.available(spec)
    defaults = (
        *(gates.QUALITY if "control" in have else ()),
        *(gates.UTILITY if {"target", "control"} <= have else ()),
    )
    defaults += gates.RELATED if "relationships" in have else ()
    defaults += gates.RULES if "constraints" in have else ()
    quality = tuple(g.build() for g in spec.evaluate.gates) if spec.evaluate.gates is not None else defaults
    if spec.privacy_check.gates is not None:
        return quality, tuple(g.build() for g in spec.privacy_check.gates)
    chosen = spec.privacy_check.attacks
    measured = check.gauges(check.PRIVACY, None if chosen == "default" else chosen)
    return quality, tuple(g for g in gates.PRIVACY if "control" in have and g.metric in measured)


def _gate(gate: Gate) -> dict[str, Any]:
    return {k: v for k, v in gate.__dict__.items() if v is not None}


@cache
def code_hash() -> str:
    """Hash of our own code that can change a result; what only shows results is left out."""
    top = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(top.rglob("*.py")):
        name = path.relative_to(top).as_posix()
        if not name.startswith(("cli/", "report/")):
            digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def rows_asked(spec: Spec, source_rows: int) -> int:
    """How many rows to make."""
    if spec.generate.rows is not None:
        return spec.generate.rows
    rows = round(source_rows * (spec.generate.scale or 1.0))
    if rows < 1:
        raise SpecError(
            f"generate.scale: {spec.generate.scale:g} of {source_rows} rows is less than one row; remedy: rows"
        )
    return rows
