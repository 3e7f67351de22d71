"""Conversion of weights to and from plain arrays, so that a model file cannot run code."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from synthcli.errors import ArtifactError

PREFIX = "net."


def to_arrays(weights: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Convert a state dictionary to arrays, with names prefixed by `net.`"""
    return {PREFIX + name: tensor.detach().cpu().numpy() for name, tensor in weights.items()}


def set_arrays(net: torch.nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Load the arrays of `to_arrays` into a net; arrays without the prefix are ignored. Raises ArtifactError if names
    or shapes differ from those of the net.
    """
    found = {
        name.removeprefix(PREFIX): torch.from_numpy(array.copy())
        for name, array in arrays.items()
        if name.startswith(PREFIX)
    }
    expected = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    if expected != {name: tuple(tensor.shape) for name, tensor in found.items()}:
        raise ArtifactError("the weights in arrays.npz do not match model.json; remedy: train again")
    net.load_state_dict(found)
