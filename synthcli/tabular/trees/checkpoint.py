"""The finished forests of a fit, kept in its work folder until it ends, so that a killed fit goes on after them."""

from __future__ import annotations

import hashlib
import os
import threading
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from synthcli.contracts.modelling import Job
from synthcli.tabular.trees.forest import Forest

SECONDS = 10.0  # of a fit before which its forests are grown again faster than they are worth keeping
_RANK = "rank."


class FinishedForests:
    """Forests by visit sequence and part. They belong to one fit: to its data, its settings and its seed."""

    def __init__(self, values: Mapping[str, np.ndarray], units: np.ndarray, settings: Sequence[object], job: Job):
        self.job = job
        self._prefix = None if job.folder is None else _fingerprint(values, units, (*settings, job.seed))

    def get(self, order: Sequence[str], name: str, is_code: bool, grow: Callable[[], Forest]) -> Forest:
        """The forest that draws a part after those before it in `order`: the one that was kept, else a grown one."""
        path = self._path(order, name)
        if path is None:
            return grow()
        kept = _read(path, is_code)
        if kept is not None:
            return kept
        forest = grow()
        if time.monotonic() - self.job.started > SECONDS:
            _write(path, forest)
        return forest

    def _path(self, order: Sequence[str], name: str) -> Path | None:
        if self.job.folder is None:
            return None
        place = hashlib.blake2b(repr((list(order), name)).encode(), digest_size=8).hexdigest()
        return self.job.folder / f"forest-{self._prefix}-{place}.npz"


def _fingerprint(values: Mapping[str, np.ndarray], units: np.ndarray, settings: Sequence[object]) -> str:
    digest = hashlib.blake2b(repr(settings).encode(), digest_size=12)
    for name, array in (*sorted(values.items()), ("", units)):
        digest.update(f"{name}\0{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _write(path: Path, forest: Forest) -> None:
    """Write a forest, renamed into place once complete."""
    draft = path.with_name(f".{path.name}.{threading.get_ident()}.part")
    ranks = {f"{_RANK}{position}": rank for position, rank in forest.ranks.items()}
    with open(draft, "wb") as file:
        np.savez(file, **forest.arrays(), **ranks)  # type: ignore[arg-type]
    os.replace(draft, path)


def _read(path: Path, is_code: bool) -> Forest | None:
    """A forest that was kept; None if there is none, or a damaged one."""
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays = {key: found[key] for key in found.files}
    except (FileNotFoundError, EOFError, ValueError, zipfile.BadZipFile):
        return None
    ranks = {int(key.removeprefix(_RANK)): array for key, array in arrays.items() if key.startswith(_RANK)}
    plain = {key: array for key, array in arrays.items() if not key.startswith(_RANK)}
    return Forest.from_arrays(plain, ranks, is_code)
