"""A fitted generator of tables with the rules that its rows obey: what a train stage saves and a generate stage
loads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synthcli import plugins
from synthcli.artifacts import files
from synthcli.artifacts.store import FIT, MODEL, RULES
from synthcli.columns.constraints.parse import Computed, parse_rule
from synthcli.columns.constraints.rule import Rule
from synthcli.columns.table import Table
from synthcli.columns.transforms.transformer import Transformer
from synthcli.contracts.modality import Choice, Json
from synthcli.contracts.modelling import Clipped, Job, Model, Request
from synthcli.contracts.schema import Schema
from synthcli.errors import FitError
from synthcli.tabular.sampling.transformed import TransformedModel, load_model
from synthcli.tabular.source import Real


@dataclass(frozen=True)
class FittedTable:
    """A model with its rules. schema: of the rows; rows: how many it learned from; folder: where the model is saved,
    None if it is not, so that no other process can load it.
    """

    model: Model
    choice: Choice
    schema: Schema
    rules: tuple[Rule, ...]
    rows: int = 0
    transformer: Transformer | None = None
    folder: Path | None = None

    @property
    def merged(self) -> dict[str, int]:
        return self.model.merged

    @property
    def clipped(self) -> dict[str, Clipped]:
        return self.model.clipped

    @property
    def details(self) -> Json:
        transformer = self.transformer
        how = {} if transformer is None else transformer.how
        held = [
            {"constraint": text, "holds_by": by, "why": transformer and transformer.why.get(text)}
            for text, by in how.items()
        ]
        return {"rows": self.rows, "constraints": held, "schema": self.schema.to_json()}

    def save(self, folder: Path) -> None:
        """Write the files of the model and its rules."""
        self.model.save(folder)
        files.write_json(folder / RULES, [rule.to_json() for rule in self.rules])


def fit(
    real: Real,
    choice: Choice,
    request: Request,
    *,
    job: Job,
    bootstrap: np.random.Generator | None,
    keep: frozenset[str] = frozenset(),
) -> FittedTable:
    """Fit a method to the train part, with its rules built into what is learned where that is possible. keep: further
    columns that no rule may rewrite.
    """
    module = plugins.ready(choice)
    transformer, learned = transformed(real, kept(real, request) | keep)
    if bootstrap is not None:
        learned = learned.take(resampled(learned, rng=bootstrap))
    model: Model = module.fit(learned, module.Params.model_validate(choice.params), job=job)
    if transformer is not None and (transformer.steps or transformer.clips):
        model = TransformedModel(model, transformer)
    rules = (*real.constraints, *(transformer.bounds if transformer is not None else ()))
    return FittedTable(model, choice, real.train.schema, rules, len(real.train), transformer)


def load(choice: Choice, trained: Path) -> FittedTable:
    """What a train stage saved. The caller has checked its hash if the method pickles."""
    folder = trained / MODEL
    model = load_model(choice, folder)
    rules = tuple(parse_rule(raw) for raw in files.read_json(folder / RULES))
    fitted = files.read_json(trained / FIT)
    return FittedTable(model, choice, Schema.from_json(fitted["schema"]), rules, fitted["rows"], folder=folder)


def transformed(real: Real, keep: frozenset[str]) -> tuple[Transformer | None, Table]:
    """How the rules are built in, and the rows to learn from: those that obey all rules, rewritten. None without rules
    or data. keep: columns that no rule may rewrite. Raises FitError if no row obeys them.
    """
    rules, train = real.constraints, real.train
    if not rules or not real.described.has_data:
        return None, train
    checked = [rule for rule in rules if not isinstance(rule, Computed)]  # what is computed anew needs no agreement
    broken = [rule.violations(train.frame) for rule in checked]
    good = train.take(np.flatnonzero(~np.any(broken, axis=0))) if checked else train
    if not len(good):
        raise FitError(
            "constraints: no row of the train part obeys all of them; remedy: on_violation: drop, or a weaker"
            " constraint"
        )
    transformer = Transformer.plan(rules, good.frame, good.schema, keep=keep)
    transformer = transformer.within_ends(good.frame, good.units())
    return transformer, Table(transformer.forward(good.frame), transformer.schema) if transformer.steps else good


def kept(real: Real, request: Request) -> frozenset[str]:
    """The columns that no rule may rewrite, because something else depends on them."""
    fair, said = request.fairness, real.described
    names = {said.unit, said.target, *(request.balance or ())}
    if fair is not None:
        names |= {fair.target, *fair.sensitive}
    if request.where is not None:
        names |= request.where.columns
    return frozenset(name for name in names if name is not None)


def resampled(table: Table, *, rng: np.random.Generator) -> np.ndarray:
    """Positions of a bootstrap of the privacy units: all rows of a unit as often as it is drawn. (rows,)"""
    units = table.units()
    count = int(units.max()) + 1
    times = rng.multinomial(count, np.full(count, 1 / count))
    return np.repeat(np.arange(len(units)), times[units])
