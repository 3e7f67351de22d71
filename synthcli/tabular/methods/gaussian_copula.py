"""A Gaussian copula: a distribution for each column, and the correlations of their normal scores (sdv's
GaussianCopulaSynthesizer).

Patki, Wedge & Veeramachaneni 2016 (the Synthetic Data Vault). Fast and smooth, but it models no dependence beyond
correlations. By default each number keeps its empirical distribution: a family fitted by maximum likelihood can miss
the mean of a skewed number by half.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from synthcli.columns.table import Table
from synthcli.contracts.modelling import Job
from synthcli.tabular.sdv import wrapper

MODALITY = "tabular"
MODES = frozenset({"none"})
CAN: frozenset[str] = frozenset()
EXTRA = "sdv"
TRUSTED_LOAD = True
WARNING: str | None = None
DIAL = None

Margin = Literal["empirical"] | wrapper.Family


class Params(BaseModel):
    """The distributions of the numbers; categories keep their frequencies."""

    model_config = ConfigDict(extra="forbid")
    default_distribution: Margin = Field(
        "empirical", description="distribution of the numbers; empirical: the observed distribution"
    )
    numerical_distributions: dict[str, Margin] = Field(
        {}, description="distributions of single columns, by column name"
    )


def fit(data: Table, params: Params, *, job: Job) -> wrapper.SdvModel:
    """Fit each column's distribution, then the correlations. Limits cannot interrupt the fit."""
    return wrapper.fit(data, "GaussianCopulaSynthesizer", params, job=job, wide=None)


def load(folder: Path) -> wrapper.SdvModel:
    """Load the model that `save` wrote."""
    return wrapper.load(folder)
