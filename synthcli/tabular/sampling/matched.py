"""Real data as the synthetic data was asked to be, so that like is compared with like: filtered by `where`, thinned to
the balance.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcli.columns.table import Table
from synthcli.tabular.sampling.request import SettledRequest

LEAST = 100  # rows of the real data that must be left for anything to be said


def matched(real: Table, request: SettledRequest, *, rng: np.random.Generator) -> Table | None:
    """Rows of the real data that `where` is true of, as many of each cell as its share allows; None where too few are
    left.
    """
    found = np.flatnonzero(request.accepts(real.frame))
    if request.strata and len(found):
        frame = real.frame.iloc[found].reset_index(drop=True)
        found = found[thinned(frame, request, rng=rng)]
    return real.take(np.sort(found)) if len(found) >= LEAST else None


def thinned(frame: pd.DataFrame, request: SettledRequest, *, rng: np.random.Generator) -> np.ndarray:
    """Positions of the most rows that have the cells' shares, as far as they can be had: cells of a row in a thousand
    may lack some.
    """
    total = sum(stratum.rows for stratum in request.strata)
    stratum_of = request.stratum_of(frame)
    members = [rng.permutation(np.flatnonzero(stratum_of == number)) for number in range(len(request.strata))]
    shares = np.array([stratum.rows / total for stratum in request.strata])
    sizes = np.array([len(m) for m in members])
    decisive = shares >= 1e-3
    rows = (sizes[decisive] / shares[decisive]).min() if decisive.any() else 0
    wants = np.floor(shares * rows + 1e-9).astype(int)
    return np.concatenate([m[:n] for m, n in zip(members, wants)]) if len(members) else np.zeros(0, dtype=int)
