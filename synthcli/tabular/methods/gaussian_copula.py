"""A Gaussian copula: a distribution for each column, and the correlations of their normal scores (sdv's GaussianCopulaSynthesizer).

Patki, Wedge & Veeramachaneni 2016 (the Synthetic Data Vault). Fast, smooth, blind to what a correlation cannot say.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ConfigDict

from synthcli.contracts import Job
from synthcli.tabular import sdv
from synthcli.tabular.data import Table

MODALITY = "tabular"
MODES = frozenset({"none"})
NEEDS_DATA = True
EXTRA = "sdv"
TRUSTED_LOAD = True
DIAL = None


class Params(sdv.Margins):
    """The distributions of the numbers; categories keep their frequencies."""

    model_config = ConfigDict(extra="forbid")


def fit(data: Table, params: Params, *, job: Job) -> sdv.SdvModel:
    """Fit each column's distribution, then the correlations. Limits cannot stop it half way."""
    return sdv.fit(data, "GaussianCopulaSynthesizer", params, job=job, wide=None)


def load(folder: Path) -> sdv.SdvModel:
    """The model that `save` wrote."""
    return sdv.load(folder)
