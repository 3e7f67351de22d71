"""A panel by a method of tables: units with their first rows, then the further rows of each, given the rows before.

The engine is that of related tables (relational/model), on a table of units and a table of rows. A block of rows is
made of whole units; only the last of them may be cut, where no unit has as many rows as are missing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from synthcli.columns.table import Table
from synthcli.contracts.modelling import Clipped, Dataset, Job, Model, Request, without_ends
from synthcli.panel.layout import PanelLayout, learn
from synthcli.panel.tables import ROWS, UNITS, join, openings, split
from synthcli.relational.model import model as related
from synthcli.relational.model.layout import count
from synthcli.relational.model.root_table import RootTableModel
from synthcli.relational.model.table_method import TableMethod

PANEL = "panel.json"
SPREAD = 6  # standard deviations of their number by which more units are drawn than a block needs on average
FURTHER = count(0)  # the column of a unit with its number of rows after the first


class PanelModel(Model):
    """A fitted panel. mean, deviation: of the rows of a unit."""

    def __init__(self, model: related.RelationalModel, layout: PanelLayout, mean: float, deviation: float) -> None:
        self.model, self.layout, self.mean, self.deviation = model, layout, mean, deviation

    @property
    def whole_units(self) -> bool:
        return True

    def sample(self, request: Request, block: int, *, rng: np.random.Generator) -> Dataset:
        rows, start = request.size(block), block * self._units_for(request.block_size)
        drawing, numbering, following, positions = rng.spawn(4)
        units = self._units(rows, start, drawing, numbering)
        tables = self.model.sample(len(units), rng=following, root_rows=units)
        frame = join(tables, self.layout)
        made = self._made_up_of_rows(rows, block * request.block_size, frame, positions)
        return Table(frame.assign(**made), self.layout.schema)

    def _units_for(self, rows: int) -> int:
        """The number of units that almost certainly have so many rows, at most one for each row."""
        units = rows / self.mean
        return min(rows, ceil(units + SPREAD * self.deviation * sqrt(units) / self.mean) + 1)

    def _units(
        self, rows: int, start: int, drawing: np.random.Generator, numbering: np.random.Generator
    ) -> pd.DataFrame:
        """Draw units that have exactly so many rows together. start: position of the first unit in the output."""
        table = self.model.table_models[UNITS]
        drawn: Any = RootTableModel(table).complete(Request(self._units_for(rows)), 0, rng=drawing)
        frame = drawn.frame
        taken, sizes = choose(1 + np.maximum(frame[FURTHER].fillna(0).to_numpy(dtype=np.int64), 0), rows)
        frame = frame.iloc[taken].reset_index(drop=True).assign(**{FURTHER: pd.array(sizes - 1, dtype="Int64")})
        assert table.codec is not None  # no table of a panel is kept
        own = table.codec.own({}, len(frame), start=start, rng=numbering, drawn=frame)
        return pd.concat([frame, table.codec.framed({}, len(frame), own)], axis=1)

    def _made_up_of_rows(
        self, rows: int, start: int, drawn: pd.DataFrame, rng: np.random.Generator
    ) -> Mapping[str, pd.Series]:
        """The columns of rows that follow from the position, such as their own keys. start: of the first row; drawn:
        the other columns, which may tell a sex.
        """
        codec = self.model.table_models[ROWS].codec
        assert codec is not None  # no table of a panel is kept
        return codec.made_up(rows, start=start, rng=rng, drawn=drawn)

    @property
    def merged(self) -> dict[str, int]:
        return _by_column(self.model.merged)

    @property
    def clipped(self) -> dict[str, Clipped]:
        out: dict[str, Clipped] = {}
        for name, found in self.model.clipped.items():
            column = name.partition(".")[2]
            if column in self.layout.paths or self.layout.relative(column):  # learned as changes
                found = without_ends(found)
            out[column] = _together(out[column], found) if column in out else found
        return out

    def check(self, request: Request) -> None:
        units, rows = (self.model.table_models[name].codec for name in (UNITS, ROWS))
        assert units is not None and rows is not None  # no table of a panel is kept
        rows.check_rows(request.rows)
        units.check_rows(self._units_for(request.rows))

    def save(self, folder: Path) -> None:
        self.model.save(folder)
        body = {"layout": self.layout.to_json(), "mean": self.mean, "deviation": self.deviation}
        (folder / PANEL).write_text(json.dumps(body, ensure_ascii=False))


def choose(sizes: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The units, and the rows of each, that have exactly so many rows together. (units,), (units,)

    Units are taken in order as long as they fit, then the largest of the others that fit; where none fits, the first of
    the others is cut.
    """
    fits = int(np.searchsorted(np.cumsum(sizes), rows, side="right"))
    taken, left = list(range(fits)), rows - int(sizes[:fits].sum())
    for i in fits + np.argsort(-sizes[fits:], kind="stable"):
        if sizes[i] <= left:
            taken.append(int(i))
            left -= int(sizes[i])
    out = sizes[taken]
    if left:
        rest = [i for i in range(fits, len(sizes)) if i not in taken[fits:]]
        if rest:
            return np.array([*taken, rest[0]]), np.r_[out, left]
        out = out + np.diff(np.arange(len(out) + 1) * left // len(out))  # all units together are too small
    return np.array(taken, dtype=np.int64), out


def _together(first: Clipped, further: Clipped) -> Clipped:
    """What top coding changed in the first rows of units and in their further rows; ends only where they agree."""
    return {
        "low": first["low"] + further["low"],
        "high": first["high"] + further["high"],
        "known": first["known"] + further["known"],
        "kind": first["kind"],
        "least": first["least"] if first["least"] == further["least"] else None,
        "most": first["most"] if first["most"] == further["most"] else None,
    }


def _by_column(counts: Mapping[str, int]) -> dict[str, int]:
    """Column -> number, from TABLE.COLUMN -> number."""
    out: dict[str, int] = {}
    for name, number in counts.items():
        column = name.partition(".")[2]
        out[column] = out.get(column, 0) + number
    return out


def fit(method: Any, data: Table, params: BaseModel, *, job: Job) -> Model:
    """Fit the panel, or each row by itself where hardly any unit has several rows. method: the module of a method of
    tables.
    """
    layout = learn(data)
    if layout is None:
        return method.fit(data, params, job=job)
    sizes = np.bincount(data.units())
    own = Job(job.seed, job.folder, job.device, job.limits, job.progress, None, job.started)
    base = TableMethod(method, _starting(params.model_dump(exclude_unset=True), job.target))
    model = related.fit(split(data, layout), base, job=own, openings={ROWS: openings(layout)})
    job.reached = job.reached or own.reached
    return PanelModel(model, layout, float(sizes.mean()), float(sizes.std()))


def _starting(params: Mapping[str, Any], target: str | None) -> dict[str, Any]:
    """The parameters, with the column that downstream models predict as the first to draw of its table."""
    return {**params, **({} if target is None else {"order": params.get("order") or (target,)})}


def load(method: Any, folder: Path) -> Model:
    """Read the model that `fit` saved, of either kind."""
    if not (folder / PANEL).exists():
        return method.load(folder)
    body = json.loads((folder / PANEL).read_text())
    layout = PanelLayout.from_json(body["layout"])
    return PanelModel(related.load(folder, TableMethod(method)), layout, body["mean"], body["deviation"])
