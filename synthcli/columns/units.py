"""Rows per privacy unit: whether several rows of a source belong to one unit, and whether the output keeps that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthcli.columns.table import Table

FEW = "Too few units have several rows for these to be learned"
COUNTED = 1_000_000  # rows of an output in which units are counted, at most


def repeating(table: Table) -> dict[str, Any] | None:
    """The privacy unit of a table whose rows share units: {column, units, rows}; None where each row is a unit."""
    units = table.units()
    count = int(units.max(initial=-1)) + 1
    return {"column": table.schema.unit, "units": count, "rows": len(units)} if count < len(units) else None


def written(data: Path, column: str) -> dict[str, int]:
    """The units and the rows of a Parquet file, counted in its first row groups: {units, rows}."""
    with pq.ParquetFile(data) as file:
        groups, rows = list[int](), 0
        for i in range(file.num_row_groups):
            if groups and rows + file.metadata.row_group(i).num_rows > COUNTED:
                break
            groups.append(i)
            rows += file.metadata.row_group(i).num_rows
        return {"units": pc.count_distinct(file.read_row_groups(groups, [column])[column], "all").as_py(), "rows": rows}


def notes(profile: Mapping[str, Any], sample: Mapping[str, Any], why: str = "") -> list[str]:
    """A warning if rows of one unit were learned, and the output does not have them. profile, sample: of a run; why:
    what in the spec takes the rows apart, with the remedy; empty if too few units have several rows.
    """
    source, output = profile.get("repeating_unit"), sample.get("rows_by_unit")
    if source is None or output is None:
        return []
    lost = (
        "one row per unit"
        if output["units"] == output["rows"]
        else f"{output['rows']:,} rows of {output['units']:,} units, each row drawn by itself"
    )
    return [
        f"{source['units']:,} units of {source['column']} have {source['rows']:,} rows in the source; the output has"
        f" {lost}. The number of rows of a unit, what is constant in a unit, the order of its rows and their changes"
        f" from row to row are lost. {why or FEW}."
    ]
