"""Forests of the units of a panel and of their rows (tabular/methods/trees.py, panel/model.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synthcli import plugins
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Job, Model
from synthcli.panel import model

MODALITY = "panel"
of_tables = plugins.method("trees", plugins.GROUND)
MODES = of_tables.MODES
CAN = of_tables.CAN - {"complete"}  # a cell of a row depends on the other rows of its unit
EXTRA = of_tables.EXTRA
TRUSTED_LOAD = of_tables.TRUSTED_LOAD
WARNING = of_tables.WARNING
DIAL = of_tables.DIAL
Params = of_tables.Params


def fit(data: Table, params: Any, *, job: Job) -> Model:
    """Fit the units and their rows."""
    return model.fit(of_tables, data, params, job=job)


def load(folder: Path) -> Model:
    """Read the model that `save` wrote."""
    return model.load(of_tables, folder)
