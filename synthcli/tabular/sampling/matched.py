"""Filter real data by `where` and subsample it to the requested balance, for comparison with conditioned output."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcli.columns.table import Table
from synthcli.tabular.sampling.request import SettledRequest

LEAST = 100  # real rows required for a comparison


def matched(real: Table, request: SettledRequest, *, rng: np.random.Generator) -> Table | None:
    """Select real rows that meet `where`, subsampled to the shares of the strata; None if fewer than LEAST remain."""
    found = np.flatnonzero(request.accepts(real.frame))
    if request.strata and len(found):
        frame = real.frame.iloc[found].reset_index(drop=True)
        found = found[subsample(frame, request, rng=rng)]
    return real.take(np.sort(found)) if len(found) >= LEAST else None


def subsample(frame: pd.DataFrame, request: SettledRequest, *, rng: np.random.Generator) -> np.ndarray:
    """Positions of the largest subsample with the shares of the strata; strata of less than one row in a thousand may
    get fewer rows.
    """
    total = sum(stratum.rows for stratum in request.strata)
    stratum_of = request.stratum_of(frame)
    members = [rng.permutation(np.flatnonzero(stratum_of == number)) for number in range(len(request.strata))]
    shares = np.array([stratum.rows / total for stratum in request.strata])
    sizes = np.array([len(m) for m in members])
    decisive = shares >= 1e-3
    rows = (sizes[decisive] / shares[decisive]).min() if decisive.any() else 0
    quotas = np.floor(shares * rows + 1e-9).astype(int)
    return np.concatenate([m[:n] for m, n in zip(members, quotas)]) if len(members) else np.zeros(0, dtype=int)
