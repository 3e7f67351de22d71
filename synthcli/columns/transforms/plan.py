"""A plan of steps: which columns are rewritten, from which others, and which columns are added to the schema.

A column is rewritten at most once, without cycles, and only if the inverse restores the frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from synthcli.columns.constraints.linear import Kind, kinds_of
from synthcli.columns.transforms.measures import equal_columns
from synthcli.columns.transforms.steps import Step
from synthcli.contracts.schema import Column, Schema


@dataclass
class Plan:
    """Collects steps. columns: name -> column that a step adds to the schema."""

    frame: pd.DataFrame
    schema: Schema
    keep: frozenset[str]
    steps: list[Step] = field(default_factory=list)
    columns: dict[str, Column] = field(default_factory=dict)

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """The kinds of the frame's columns."""
        return kinds_of(self.schema, self.frame)

    def ordered(self) -> list[Step]:
        """The steps in topological order: each after those that restore its inputs."""
        owner = {name: step for step in self.steps for name in step.rewritten}
        out: list[Step] = []

        def add(step: Step) -> None:
            if step not in out:
                for name in step.inputs:
                    if name in owner:
                        add(owner[name])
                out.append(step)

        for step in self.steps:
            add(step)
        return out

    def refused(self, rewritten: Sequence[str], inputs: Sequence[str], *, may_keep: bool = False) -> str | None:
        """The reason why these columns cannot be rewritten from these inputs; None if they can. may_keep: also columns
        that must stay unchanged, of which the step keeps a copy.
        """
        for name in (*rewritten, *inputs):
            if name not in self.schema.names:
                return f"there is no column {name}"
        for name in rewritten:
            if name == self.schema.unit or (name in self.keep and not may_keep):
                return f"{name} must stay unchanged"
            if any(name in step.rewritten for step in self.steps):
                return f"{name} is rewritten for another constraint"
            if any(self.leads(start, name) for start in inputs):
                return f"{name} would depend on itself"
        return None

    def leads(self, start: str, goal: str) -> bool:
        """Whether restoring `start` depends on `goal`, directly or indirectly."""
        if start == goal:
            return True
        inputs = next((step.inputs for step in self.steps if start in step.rewritten), ())
        return any(self.leads(name, goal) for name in inputs)

    def accept(self, step: Step, made: Sequence[Column]) -> str | None:
        """Add a step if its inverse restores the frame."""
        new = step.forward(self.frame)
        back = step.inverse(
            pd.DataFrame({**new, **{name: self.frame[name] for name in step.inputs}}, index=self.frame.index)
        )
        for name in step.rewritten:
            if not equal_columns(back[name], self.frame[name]):
                return f"{name} would not be restored exactly"
        self.steps.append(step)
        self.columns |= {column.name: column for column in made}
        return None

    def name(self, wish: str, *taken: str) -> str:
        """The preferred name, with a number if a column already has it."""
        known, name, i = {*self.schema.names, *self.columns, *taken}, wish, 2
        while name in known:
            name, i = f"{wish} ({i})", i + 1
        return name
