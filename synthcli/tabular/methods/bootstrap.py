"""Bootstrap: rows of the source drawn with replacement, with perfect fidelity and NO privacy, since records repeat.

The smoothed variant (Silverman 1986, §6.4) adds noise from a kernel of width `smooth` × 1.06 σ n^(-1/5) to every number
and keeps the rest of the row, so categories still repeat exactly. Use it only where the source itself may be used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from synthcli.columns.codec.codec import Codec, Values
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Dial, Job
from synthcli.tabular.model import CodedModel, encode, restore

MODALITY = "tabular"
MODES = frozenset({"none"})
CAN: frozenset[str] = frozenset()
EXTRA = None
TRUSTED_LOAD = False
DIAL = Dial("smooth", fidelity=0.0, privacy=8.0, log=False)
WARNING = "bootstrap repeats records of the source: its output is no more private than the source itself"


class Params(BaseModel):
    """smooth: 0 repeats rows unchanged."""

    model_config = ConfigDict(extra="forbid")
    smooth: float = Field(
        0.0, ge=0, le=100, description="width of the kernel around each number, in Silverman bandwidths; 0: none"
    )


class Bootstrap(CodedModel):
    """Stored rows. donors: part -> (rows,) values of the source; widths: part -> standard deviation of the kernel."""

    def __init__(self, codec: Codec, donors: Values, widths: dict[str, float], rows: int) -> None:
        super().__init__(codec)
        self.donors, self.widths, self.rows = donors, widths, rows

    def draw(self, rows: int, *, rng: np.random.Generator) -> Values:
        pick = rng.integers(self.rows, size=rows)
        out = {name: donor[pick] for name, donor in self.donors.items()}
        for name, width in self.widths.items():
            if width > 0:
                out[name] = out[name] + width * rng.standard_normal(rows)
        return out

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        names = list(self.donors)
        return {f"d{i}": self.donors[n] for i, n in enumerate(names)}, {
            "parts": names,
            "widths": self.widths,
            "rows": self.rows,
        }


def fit(data: Table, params: Params, *, job: Job) -> Bootstrap:
    """Store the rows and a kernel width per number."""
    codec, values = encode(data, job)
    widths = {}
    for part in codec.parts:
        if not part.is_code:
            known = values[part.name][~np.isnan(values[part.name])]
            # numbers near the largest float have no finite deviation
            with np.errstate(over="ignore", invalid="ignore"):
                spread = float(known.std()) if len(known) else 0.0
            widths[part.name] = (
                params.smooth * 1.06 * spread * len(known) ** -0.2 if np.isfinite(spread) and spread > 0 else 0.0
            )
    job.going("rows", 1, 1)
    return Bootstrap(codec, values, widths, len(data))


def load(folder: Path) -> Bootstrap:
    """Load the model that `save` wrote."""
    codec, arrays, plain = restore(folder)
    return Bootstrap(codec, {n: arrays[f"d{i}"] for i, n in enumerate(plain["parts"])}, plain["widths"], plain["rows"])
