"""Threads, random streams, initial weights and dropout of networks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch

from synthcli import seeds


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one CPU thread, then restore the number of threads. Sums then round alike on every machine, and for
    small networks synchronisation costs more time than threads save.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def generator(rng: np.random.Generator) -> torch.Generator:
    """A torch generator seeded from a numpy one. It draws on the CPU, so that draws are the same for every device."""
    return torch.Generator().manual_seed(seeds.fork(rng))


def normal(*shape: int, scale: float, draws: torch.Generator) -> torch.nn.Parameter:
    """A parameter of independent normal values with standard deviation `scale`."""
    return torch.nn.Parameter(torch.randn(*shape, generator=draws) * scale)


def zeros(*shape: int) -> torch.nn.Parameter:
    """A parameter initialised to 0."""
    return torch.nn.Parameter(torch.zeros(*shape))


def dropout(x: torch.Tensor, share: float, draws: torch.Generator | None) -> torch.Tensor:
    """Dropout from a generator of its own, as torch's dropout uses the global one; without `draws`, returns x.

    The share is rounded to a 256th, since drawing bytes is several times faster than drawing floats.
    """
    dropped = round(share * 256)
    if draws is None or not dropped:
        return x
    words = torch.randint(-(2**63), 2**63 - 1, (x.numel() // 8 + 1,), generator=draws)
    kept = words.view(torch.uint8)[: x.numel()].view(x.shape) >= dropped
    return x * (kept.to(x.device) * (256 / (256 - dropped)))
