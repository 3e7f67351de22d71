"""CTGAN: a conditional generative adversarial network for tables (sdv's CTGANSynthesizer).

Xu, Skoularidou, Cuesta-Infante & Veeramachaneni 2019 (Modeling tabular data using conditional GAN, NeurIPS).
"""

from __future__ import annotations

from pathlib import Path

from synthcli.columns.table import Table
from synthcli.contracts.modelling import Dial, Job
from synthcli.tabular.sdv import wrapper

MODALITY = "tabular"
MODES = frozenset({"none"})
CAN: frozenset[str] = frozenset()
EXTRA = "sdv"
TRUSTED_LOAD = True
WARNING: str | None = None
DIAL = Dial("epochs", fidelity=2000, privacy=20)


class Params(wrapper.Gan):
    """epochs is the dial."""


def fit(data: Table, params: Params, *, job: Job) -> wrapper.SdvModel:
    """Train until the epochs or the limits are reached, whichever is first."""
    return wrapper.fit(data, "CTGANSynthesizer", params, job=job)


def load(folder: Path) -> wrapper.SdvModel:
    """Load the model that `save` wrote."""
    return wrapper.load(folder)
