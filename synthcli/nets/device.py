"""Threads, random streams and weights of nets."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch

from synthcli import seeds


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread of the processor, then on as many as before: sums round alike on every machine, and nets as
    small as ours lose more time to threads that wait for each other than they win."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def generator(rng: np.random.Generator) -> torch.Generator:
    """A torch stream that follows from a numpy one. It draws on the processor, so that all devices see the same
    draws.
    """
    return torch.Generator().manual_seed(seeds.fork(rng))


def normal(*shape: int, scale: float, draws: torch.Generator) -> torch.nn.Parameter:
    """A weight of independent normal values with that standard deviation."""
    return torch.nn.Parameter(torch.randn(*shape, generator=draws) * scale)


def zeros(*shape: int) -> torch.nn.Parameter:
    """A weight that starts at 0."""
    return torch.nn.Parameter(torch.zeros(*shape))


def dropout(x: torch.Tensor, share: float, draws: torch.Generator | None) -> torch.Tensor:
    """x with a share of its entries set to 0 and the others scaled up; x itself without draws. torch's own uses the
    global stream.

    The share is rounded to a 256th: a byte per entry is drawn, which is several times faster than a float.
    """
    dropped = round(share * 256)
    if draws is None or not dropped:
        return x
    words = torch.randint(-(2**63), 2**63 - 1, (x.numel() // 8 + 1,), generator=draws)
    kept = words.view(torch.uint8)[: x.numel()].view(x.shape) >= dropped
    return x * (kept.to(x.device) * (256 / (256 - dropped)))
