"""What is known of rows while related tables are learned or made: their frames, who their parents are, and their
columns as context.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from synthcli.contracts.schema import Schema
from synthcli.relational.graph import lineage
from synthcli.relational.model.context import Aspect, cells, taken
from synthcli.relational.relationships import NULL, Relationship

NEAREST = 24  # columns of parents, grandparents and so on that a row's context takes, the nearest first


class World:
    """frames: by table; extra: their columns that count and time children; at: by the name of a relationship, the
    positions of parents.
    """

    def __init__(self) -> None:
        self.frames: dict[str, pd.DataFrame] = {}
        self.extra: dict[str, pd.DataFrame] = {}
        self.at: dict[str, np.ndarray] = {}
        self._cells: dict[tuple[str, str], np.ndarray] = {}

    def cells(self, table: str, column: str, schema: Schema) -> np.ndarray:
        """A column of a table as cells, worked out once. (rows,)"""
        key = table, column
        if key not in self._cells:
            self._cells[key] = cells(self.frames[table][column], schema[column].kind)
        return self._cells[key]

    def above(self, table: str, driver: Mapping[str, Relationship]) -> list[tuple[str, np.ndarray]]:
        """The tables above one, with the position of each row's parent, grandparent and so on there."""
        out: list[tuple[str, np.ndarray]] = []
        for relationship in lineage(table, driver):
            at = self.at[relationship.name]
            if out:
                below = out[-1][1]
                at = np.where(below < 0, NULL, at[below] if len(at) else NULL)
            out.append((relationship.parent, at))
        return out


def aspects_of(table: str, own: Sequence[str], schema: Schema, world: World, mark: str) -> tuple[Aspect, ...]:
    """The columns of a table as context of others, called `mark` and their name."""
    return tuple(Aspect.of(schema[c], world.cells(table, c, schema), f"{mark}{c}") for c in own)


def put(
    into: dict[str, np.ndarray], aspects: Sequence[Aspect], table: str, at: np.ndarray, schema: Schema, world: World
) -> None:
    """Add the columns of the rows of a table at these positions."""
    for aspect in aspects:
        aspect.put(into, taken(world.cells(table, aspect.source, schema), at))
