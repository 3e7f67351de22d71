"""Independent columns, each drawn from its marginal: the baseline that every other method must beat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from synthcli.columns.codec.codec import Codec, Values
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Job
from synthcli.tabular.model import CodedModel, draw_codes, encode, frequencies, restore

MODALITY = "tabular"
MODES = frozenset({"none"})
CAN: frozenset[str] = frozenset()
EXTRA = None
TRUSTED_LOAD = False
WARNING: str | None = None
DIAL = None
GRID = 1001  # points of the quantile function of a number


class Params(BaseModel):
    """No parameters."""

    model_config = ConfigDict(extra="forbid")


class Independent(CodedModel):
    """Fitted marginals: part -> cumulative frequencies of a code, or quantiles of a number on GRID points."""

    def __init__(self, codec: Codec, marginals: dict[str, np.ndarray]) -> None:
        super().__init__(codec)
        self.marginals = marginals

    def draw(self, rows: int, *, rng: np.random.Generator) -> Values:
        out: Values = {}
        for part, stream in zip(self.codec.parts, rng.spawn(len(self.codec.parts))):
            marginal = self.marginals[part.name]
            if part.is_code:
                out[part.name] = draw_codes(marginal, stream.random(rows))
            else:
                out[part.name] = np.interp(stream.random(rows), np.linspace(0, 1, len(marginal)), marginal)
        return out

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        names = list(self.marginals)
        return {f"m{i}": self.marginals[name] for i, name in enumerate(names)}, {"parts": names}


def fit(data: Table, params: Params, *, job: Job) -> Independent:
    """Fit the marginal of every part: frequencies of codes, quantiles of numbers."""
    codec, values = encode(data, job)
    marginals = {}
    for i, part in enumerate(codec.parts):
        x = values[part.name]
        if part.is_code:
            marginals[part.name] = frequencies(x, part.size)
        else:
            known = x[~np.isnan(x)]
            marginals[part.name] = (
                np.quantile(known, np.linspace(0, 1, min(GRID, max(2, len(known))))) if len(known) else np.zeros(2)
            )
        job.going("columns", i + 1, len(codec.parts))
    return Independent(codec, marginals)


def load(folder: Path) -> Independent:
    """Load the model that `save` wrote."""
    codec, arrays, plain = restore(folder)
    return Independent(codec, {name: arrays[f"m{i}"] for i, name in enumerate(plain["parts"])})
