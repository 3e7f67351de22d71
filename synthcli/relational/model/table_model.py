"""The fitted model of one of several related tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synthcli.columns.codec.codec import Codec
from synthcli.relational.model.context import ContextFeature
from synthcli.relational.model.layout import Layout
from synthcli.relational.model.rules import RulePlan
from synthcli.relational.model.siblings import SiblingFeature
from synthcli.relational.model.table_method import ConditionalModel, TableMethod
from synthcli.relational.relationships import Relationship


@dataclass(frozen=True)
class Link:
    """How rows find the parents of a relationship that does not determine their number.

    features: columns of the parents to match by, the most informative first; nullable: whether a row may have no
    parent; looped: whether the rows at the top of a hierarchy refer to themselves.
    """

    relationship: Relationship
    features: tuple[ContextFeature, ...]
    nullable: bool
    looped: bool = False

    @property
    def flag(self) -> str:
        """The column that says whether there is a parent."""
        return f"{self.relationship.name}?"

    def to_json(self) -> list[Any]:
        return [self.relationship.name, [f.to_json() for f in self.features], self.nullable, self.looped]


@dataclass(frozen=True)
class TableModel:
    """The fitted model of one table.

    rows: of the table it was fitted on; parentless: share of rows without the parent that determines their number;
    shared: whether its rows belong to no privacy unit; ancestor_features: with their table, the nearest first;
    distinct: key columns whose combination is unique. models: values draws the columns, pace the times, links the
    other parents, and `late RELATIONSHIP` the parents of a deferred relationship.
    """

    layout: Layout
    rows: int
    parentless: float = 0.0
    shared: bool = False
    features: tuple[ContextFeature, ...] = ()
    ancestor_features: tuple[tuple[str, ContextFeature], ...] = ()
    sibling_features: tuple[SiblingFeature, ...] = ()
    links: tuple[Link, ...] = ()
    deferred: tuple[Link, ...] = ()
    distinct: tuple[str, ...] = ()
    models: Mapping[str, ConditionalModel] = field(default_factory=dict)
    codec: Codec | None = None  # None for a table that is kept
    rule_plan: RulePlan | None = None  # None without rules

    @property
    def drawn(self) -> set[str]:
        """The columns of the table itself that a table method draws."""
        return {c.name for c in self.layout.drawn()}

    def save(self, folder: Path, i: int) -> None:
        """Write the codec and the models of the i-th table."""
        if self.codec is not None:
            (folder / f"{i}").mkdir()
            self.codec.save(folder / f"{i}")
        for j, each in enumerate(self.models.values()):
            (folder / f"{i}.{j}").mkdir()
            each.model.save(folder / f"{i}.{j}")

    def to_json(self) -> dict[str, Any]:
        return {
            "layout": self.layout.to_json(),
            "rows": self.rows,
            "loose": self.parentless,
            "shared": self.shared,
            "distinct": self.distinct,
            "aspects": [f.to_json() for f in self.features],
            "above": [[t, f.to_json()] for t, f in self.ancestor_features],
            "pasts": [[f.last.to_json(), f.mean and f.mean.to_json(), f.opened] for f in self.sibling_features],
            "links": [link.to_json() for link in self.links],
            "late": [link.to_json() for link in self.deferred],
            "models": {part: [each.given, each.drawn] for part, each in self.models.items()},
            "made": self.codec is not None,
            "obeyed": None if self.rule_plan is None else self.rule_plan.to_json(),
        }

    @classmethod
    def load(
        cls,
        data: Mapping[str, Any],
        relationships: Mapping[str, Relationship],
        folder: Path,
        i: int,
        method: TableMethod,
    ) -> TableModel:
        """Read the i-th table that `save` and `to_json` wrote. relationships: by name."""

        def links(saved: Iterable[Any]) -> tuple[Link, ...]:
            return tuple(
                Link(relationships[r], tuple(ContextFeature(**f) for f in features), nullable, looped)
                for r, features, nullable, looped in saved
            )

        return cls(
            layout=Layout.from_json(data["layout"]),
            rows=data["rows"],
            parentless=data["loose"],
            shared=data["shared"],
            features=tuple(ContextFeature(**f) for f in data["aspects"]),
            ancestor_features=tuple((t, ContextFeature(**f)) for t, f in data["above"]),
            sibling_features=tuple(
                SiblingFeature(ContextFeature(**last), mean and ContextFeature(**mean), opened)
                for last, mean, opened in data["pasts"]
            ),
            links=links(data["links"]),
            deferred=links(data["late"]),
            distinct=tuple(data["distinct"]),
            models={
                part: method.load(folder / f"{i}.{j}", tuple(given), tuple(drawn))
                for j, (part, (given, drawn)) in enumerate(data["models"].items())
            },
            codec=Codec.load(folder / f"{i}") if data["made"] else None,
            rule_plan=None if data["obeyed"] is None else RulePlan.from_json(data["obeyed"]),
        )
