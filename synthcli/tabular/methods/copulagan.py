"""CopulaGAN: CTGAN on numbers that their fitted distributions transform to normal (sdv's CopulaGANSynthesizer)."""

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


class Params(wrapper.Gan, wrapper.Margins):
    """The parameters of CTGAN, and the distributions of the numbers. epochs is the dial."""


def fit(data: Table, params: Params, *, job: Job) -> wrapper.SdvModel:
    """Train until the epochs or the limits are reached, whichever is first."""
    return wrapper.fit(data, "CopulaGANSynthesizer", params, job=job)


def load(folder: Path) -> wrapper.SdvModel:
    """Load the model that `save` wrote."""
    return wrapper.load(folder)
