"""Weights as arrays."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from synthcli.errors import ArtifactError  # noqa: E402
from synthcli.nets import weights  # noqa: E402


def test_there_and_back() -> None:
    net, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    arrays = weights.to_arrays(net.state_dict()) | {"grid": np.zeros(3)}
    assert {name: array.dtype for name, array in arrays.items() if name != "grid"} == {
        "net.weight": np.float32,
        "net.bias": np.float32,
    }
    weights.set_arrays(other, arrays)
    assert torch.equal(other.weight, net.weight) and torch.equal(other.bias, net.bias)


@pytest.mark.parametrize(
    "arrays",
    [{}, {"net.weight": np.zeros((2, 3), np.float32)}, {"net.weight": np.zeros((3, 3)), "net.bias": np.zeros(2)}],
)
def test_weights_of_another_net_are_refused(arrays: dict[str, np.ndarray]) -> None:
    with pytest.raises(ArtifactError, match="train again"):
        weights.set_arrays(torch.nn.Linear(3, 2), arrays)
