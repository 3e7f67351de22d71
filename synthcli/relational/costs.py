"""Cost of a run of related tables before it runs: the tables one by one, from the heads of their sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from synthcli.artifacts.store import EVALUATE, GENERATE, TRAIN
from synthcli.contracts.cost import Cost, Work
from synthcli.contracts.modality import Choice, Size
from synthcli.relational.relationships import root
from synthcli.relational.source import Described
from synthcli.tabular import costs

# CPU seconds of runs on two simulated tables of 7,500 and 30,000 rows, divided by the constants of the same tables
# alone: rows are drawn given the columns of their parents and siblings, and relationships are measured besides tables
CONTEXT: Mapping[str, float] = {TRAIN: 2.0, GENERATE: 7.0, EVALUATE: 1.5}


def look(described: Described) -> Size:
    """The size of the unit's table before anything is read: columns of all tables, types and rows from its head, or as
    declared if there is no data.
    """
    if described.recipe is not None:
        top = unit_table(described)
        columns = sum(len(schema.columns) for schema in described.recipe.schemas.values())
        return Size(columns, described.recipe.schemas[top], described.recipe.tables[top].rows, True)
    sizes = described.sizes
    own = sizes[unit_table(described)]
    columns = sum(size.columns for size in sizes.values())
    if own.schema is None or own.records is None:
        return Size(columns)
    parts = {name: round(own.records * share) for name, share in described.parts.items() if share > 0}
    return replace(own, columns=columns, stored=None, parts=parts)


def unit_table(described: Described) -> str:
    """The table of the privacy unit."""
    tables = list(described.sources if described.recipe is None else described.recipe.tables)
    return (described.unit or root(tables, described.relationships)).partition(".")[0]


def cost(stage: str, choice: Choice | None, described: Described, *, control: str, conditional: bool) -> Cost | None:
    """The cost of a stage as a function of the work on the unit's table: the other tables grow with it. None if a table
    has no size yet, or its stage was never timed.
    """
    if described.recipe is not None:
        return None  # generating without data was never timed
    sizes = described.sizes
    records = sizes[unit_table(described)].records
    known = {name: size for name, size in sizes.items() if size.schema is not None and size.records is not None}
    each = {
        name: costs.of_stage(stage, choice, source, control=control, conditional=conditional)
        for name, source in described.sources.items()
    }
    if len(known) < len(sizes) or not records or any(one is None for one in each.values()):
        return None
    timed = {name: one for name, one in each.items() if one is not None}

    def works(work: Work) -> dict[str, Work]:
        """The work on each table when that on the unit's table is this."""
        share = work.rows / records
        return {
            name: costs.work(round((size.records or 0) * share), size.schema)
            for name, size in known.items()
            if size.schema is not None
        }

    def seconds(work: Work) -> float:
        return CONTEXT.get(stage, 1.0) * sum(timed[name].seconds(one) for name, one in works(work).items())

    first = next(iter(timed.values()))
    cells = sum(one.columns * (known[name].records or 0) for name, one in works(Work(records, 1, 0)).items())
    own = known[unit_table(described)]
    bytes_ = max(one.bytes_ for one in timed.values()) * cells / max(1, records * own.columns)
    return Cost(seconds, bytes_, first.program, first.loading)
