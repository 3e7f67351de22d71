"""A table as a Dataset: a canonical frame (columns/frame.py) with its schema, and its split by privacy unit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli.columns import frame as frames
from synthcli.columns.codec.top_coding import unit_codes
from synthcli.contracts.modelling import Dataset
from synthcli.contracts.schema import Schema
from synthcli.errors import DataError


class Table(Dataset):
    """Rows of one table. frame: columns by name in schema order, RangeIndex."""

    def __init__(self, frame: pd.DataFrame, schema: Schema) -> None:
        self.frame = frame.reset_index(drop=True)[schema.names]
        self.schema = schema

    def __len__(self) -> int:
        return len(self.frame)

    def arrow(self) -> pa.Table:
        """The rows with the storage types of the source; strings may be dictionary-encoded."""
        return frames.to_arrow(self.frame, self.schema)

    def take(self, positions: np.ndarray) -> Table:
        """The rows at these positions, in this order."""
        return Table(self.frame.iloc[positions], self.schema)

    def units(self) -> np.ndarray:
        """The privacy unit of each row as an integer from 0; a row whose unit is null is a unit of its own. (rows,)
        int64
        """
        if self.schema.unit is None:
            return np.arange(len(self))
        return unit_codes(self.frame[self.schema.unit])

    def split(
        self, fractions: Mapping[str, float], *, rng: np.random.Generator, stratify_by: str | None = None
    ) -> dict[str, Table]:
        """Split the units at random into parts by name; with `stratify_by`, within each value of that column (of a
        unit's first row).

        Raises DataError if a requested part would be empty.
        """
        units = self.units()
        first = np.unique(units, return_index=True)[1]
        if stratify_by is None:
            strata = np.zeros(len(first), dtype=np.int64)
        else:
            strata = pd.factorize(self.frame[stratify_by].iloc[first])[0]
        # shuffle each stratum and cut it at the cumulated fractions; position 0..1 of a unit within its stratum
        order = np.lexsort((rng.random(len(first)), strata))
        place = np.empty(len(first))
        sizes = np.bincount(strata[order] - strata.min()) if len(first) else np.zeros(0, dtype=int)
        place[order] = np.concatenate([(np.arange(n) + 0.5) / n for n in sizes if n]) if len(first) else []
        edges = np.cumsum(list(fractions.values()))
        part_of_unit = np.minimum(np.searchsorted(edges, place, side="left"), len(edges) - 1)
        part = part_of_unit[units] if len(units) else np.zeros(0, dtype=int)
        parts = {name: self.take(np.flatnonzero(part == i)) for i, name in enumerate(fractions)}
        for name, rows in parts.items():
            if fractions[name] > 0 and not len(rows):
                what = "rows" if self.schema.unit is None else f"values of {self.schema.unit}"
                raise DataError(
                    f"source.split: {len(first)} {what} are too few for a {name} part of {fractions[name]:g}; remedy:"
                    " more data, or split: {validation: 0, holdout: 0} (then nothing is compared with real data)"
                )
        return parts
