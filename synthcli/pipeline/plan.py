"""A resolved spec: every default filled in, every file found, everything parsed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from synthcli import plugins, sources
from synthcli.artifacts.secret import keyed
from synthcli.contracts.evaluation import Gate
from synthcli.contracts.modality import Choice, Described, Engine, Modality, Target
from synthcli.contracts.modelling import Request
from synthcli.errors import SpecError
from synthcli.spec import describe
from synthcli.spec.check import Checked, check
from synthcli.spec.load import Loaded
from synthcli.spec.models import Spec
from synthcli.wording import quantity

ROUNDS = 3  # default of refine.max_rounds


@dataclass(frozen=True)
class Plan:
    """Everything that a run needs. choices: empty until `auto` has seen the profile."""

    loaded: Loaded
    checked: Checked
    choices: tuple[Choice, ...]
    max_rounds: int
    data_key: str

    @property
    def spec(self) -> Spec:
        return self.loaded.spec

    @property
    def modality(self) -> Modality:
        return plugins.modality(self.checked.modality)

    @property
    def described(self) -> Described:
        return self.checked.described

    @property
    def quality(self) -> tuple[Gate, ...]:
        return self.checked.quality

    @property
    def privacy(self) -> tuple[Gate, ...]:
        return self.checked.privacy

    @property
    def attacks(self) -> tuple[str, ...]:
        return self.checked.attacks

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all metrics of the modality."""
        judges = describe.keys(self.checked.modality).JUDGES
        return tuple(name for modality in judges for name in plugins.names("metrics", modality))

    @property
    def engine(self) -> Engine:
        return self.checked.engine

    @property
    def target(self) -> Target | None:
        """The target of the output besides the run folder; None if the spec has none."""
        return self.checked.target

    @property
    def has_data(self) -> bool:
        return self.spec.source.type != "none"

    @property
    def rows_apart(self) -> str:
        """Why the rows of a privacy unit are not kept together; empty if they are."""
        return describe.rows_apart(self.spec)

    @property
    def auto(self) -> bool:
        return not self.choices

    def request(self, rows: int) -> Request:
        """The request to a generator, with the number of records."""
        return replace(self.checked.request, rows=rows)

    def to_json(self) -> dict[str, Any]:
        """The resolved spec, the content of plan.json."""
        body = self.spec.model_dump(mode="json", by_alias=True)
        body["name"] = self.loaded.name
        body["modality"] = self.checked.modality
        body["privacy_unit"] = self.described.unit
        body["generator"] = {
            "candidates": [{"method": c.method, "params": plugins.params(c)} for c in self.choices] or "auto",
            "limits": body["generator"]["limits"],
        }
        body["evaluate"]["gates"] = [_gate(g) for g in self.quality]
        if (domain := self.spec.evaluate.domain) is not None:  # its content matters, not its path
            code = self.loaded.resolve(domain.path, "evaluate", "domain").read_bytes()
            body["evaluate"]["domain"]["sha256"] = hashlib.sha256(code).hexdigest()
        body["privacy_check"] = {"attacks": list(self.attacks), "gates": [_gate(g) for g in self.privacy]}
        body["refine"] = {"max_rounds": self.max_rounds}
        return body

    def with_choice(self, choice: Choice) -> Plan:
        """The plan once `auto` has chosen."""
        return replace(self, choices=(choice,))


def make_plan(loaded: Loaded) -> Plan:
    """Resolve a spec. Of the data, reads only the content hash and the column names. Raises SpecError, DataError."""
    checked, spec = check(loaded), loaded.spec
    steered = spec.source.type != "none" and spec.source.split.validation > 0
    describe.keys(checked.modality).hold_against_source(loaded, checked.described)
    return Plan(
        loaded=loaded,
        checked=checked,
        choices=checked.choices,
        max_rounds=spec.refine.max_rounds or (ROUNDS if steered else 1),
        data_key=keyed("data", *(sources.fingerprint(each) for each in describe.open_sources(loaded).values())),
    )


def _gate(gate: Gate) -> dict[str, Any]:
    return {k: v for k, v in gate.__dict__.items() if v is not None}


def rows_requested(spec: Spec, source_rows: int) -> int:
    """How many records to generate. Raises SpecError for less than one."""
    if spec.generate.rows is not None:
        return spec.generate.rows
    rows = round(source_rows * (spec.generate.scale or 1.0))
    if rows < 1:
        raise SpecError(
            f"generate.scale: {spec.generate.scale:g} of {quantity(source_rows, 'row')} is less than one row;"
            " remedy: a larger scale, or generate.rows"
        )
    return rows
