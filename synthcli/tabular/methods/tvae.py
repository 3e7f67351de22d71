"""TVAE: a variational autoencoder for tables (sdv's TVAESynthesizer).

Xu, Skoularidou, Cuesta-Infante & Veeramachaneni 2019 (Modeling tabular data using conditional GAN, NeurIPS), section
4.4.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

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


class Params(wrapper.Net):
    """epochs is the dial."""

    compress_dims: wrapper.Layers = Field((128, 128), min_length=1, description="sizes of the encoder's layers")
    decompress_dims: wrapper.Layers = Field((128, 128), min_length=1, description="sizes of the decoder's layers")
    l2scale: float = Field(1e-5, ge=0, le=1, description="weight decay of both")
    loss_factor: float = Field(
        2, gt=0, le=1000, description="weight of the reconstruction against the divergence from a normal"
    )


def fit(data: Table, params: Params, *, job: Job) -> wrapper.SdvModel:
    """Train until the epochs or the limits are reached, whichever is first."""
    return wrapper.fit(data, "TVAESynthesizer", params, job=job)


def load(folder: Path) -> wrapper.SdvModel:
    """Load the model that `save` wrote."""
    return wrapper.load(folder)
