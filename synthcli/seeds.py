"""Named random streams from one seed, so that adding a stage changes no other stage's numbers."""

from __future__ import annotations

import hashlib

import numpy as np


def key(*names: object) -> int:
    """A 128-bit integer that depends on the names alone, the same on every machine."""
    text = "\x1f".join(str(name) for name in names)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")


def stream(seed: int, *names: object) -> np.random.Generator:
    """The random stream of (seed, names): independent of every other stream."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, key(*names)])))


def fork(rng: np.random.Generator) -> int:
    """A 32-bit seed drawn from a stream, for libraries that only take an integer."""
    return int(rng.integers(2**32, dtype=np.uint64))
