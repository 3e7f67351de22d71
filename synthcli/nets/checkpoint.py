"""Training checkpoints: written atomically, read without running code, resumed only by the same fit."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch


def fingerprint(tensors: Sequence[torch.Tensor], *settings: object) -> str:
    """Hash the tensors and the settings."""
    digest = hashlib.blake2b(repr(settings).encode(), digest_size=16)
    for tensor in tensors:
        digest.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def write(path: Path, state: dict[str, Any]) -> None:
    """Replace the checkpoint atomically, so that even after a power failure it is either the old or the new one."""
    draft = path.with_suffix(".tmp")
    with open(draft, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def read(path: Path, belongs_to: str) -> dict[str, Any] | None:
    """Read the state with this fingerprint; None if it is missing, of another fit, or damaged."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (FileNotFoundError, EOFError, RuntimeError, pickle.UnpicklingError):
        return None
    return state if isinstance(state, dict) and state.get("fingerprint") == belongs_to else None
