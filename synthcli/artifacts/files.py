"""Atomic writes, hashes, links and locks of files."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from synthcli.errors import ArtifactError, SynthError, TryLater

PRIVATE = 0o700
DISK = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ENAMETOOLONG,
        errno.EFBIG,
    }
)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn errors of the disk into a clear error that names the folder."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK:
            raise
        raise disk_error(path, error) from None


def disk_error(path: Path, error: OSError) -> SynthError:
    """The error about a disk that is full, read-only or not accessible."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = "free space, or another disk" if full else "choose a folder that you may write to"
    kept = "finished stages are kept, and the same command resumes from them"
    return ArtifactError(
        f"{error.filename or path}: {error.strerror}; nothing half-written is left, {kept}; remedy: {remedy}"
    )


def make_folder(path: Path) -> Path:
    """Create a folder that only its owner can open, with its parents."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
    except OSError as error:
        raise disk_error(path, error) from None
    return path


def protect(folder: Path) -> None:
    """Make the files below a folder read-only."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o400)


def write_text(path: Path, text: str) -> None:
    """Replace a file in one step."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(fresh, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise disk_error(path, error) from None


def write_json(path: Path, data: Any) -> None:
    """Replace a file by indented JSON in one step."""
    write_text(path, json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file that a run wrote. Raises ArtifactError when it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error.strerror})") from None
    except ValueError:
        raise ArtifactError(
            f"{path} is damaged (not JSON); remedy: restore it, or remove the folder of its version"
        ) from None


def read_object(path: Path, needs: Iterable[str] = ()) -> dict[str, Any]:
    """Read a JSON object that a run wrote, with these keys. Raises ArtifactError."""
    body = read_json(path)
    if not isinstance(body, dict) or not set(needs) <= body.keys():
        raise ArtifactError(
            f"{path} is damaged (keys are missing); remedy: restore it, or remove the folder of its version"
        )
    return body


def sha256(path: Path) -> str:
    """Hash of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hashes(folder: Path) -> dict[str, str]:
    """Relative name -> sha256 of every file below a folder, sorted. A file with several names is read once."""
    known: dict[int, str] = {}
    out = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
        place = path.stat().st_ino
        known[place] = known[place] if place in known else sha256(path)
        out[path.relative_to(folder).as_posix()] = known[place]
    return out


def link_tree(source: Path, target: Path) -> None:
    """Link a tree of files under another name, by hard links if the disk supports them, else copy it."""
    make_folder(target)
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_dir():
            make_folder(place)
            continue
        try:
            os.link(path, place)
        except OSError:
            with disk_errors(place):
                shutil.copyfile(path, place)


def point(link: Path, target: str) -> None:
    """Point a symbolic link to a name in its own folder, in one step."""
    fresh = link.with_name(f".{link.name}.{os.getpid()}.tmp")
    with disk_errors(link):
        fresh.unlink(missing_ok=True)
        os.symlink(target, fresh)
        os.replace(fresh, link)


@contextmanager
def locked(path: Path, waiting: Callable[[str], None], *, patience: float | None = None) -> Iterator[None]:
    """Hold an exclusive lock on a file; call `waiting` once with the holder. Raises TryLater after `patience`
    seconds.
    """
    make_folder(path.parent)
    with disk_errors(path):
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115 - held open as long as the lock
    with file:
        started, notified = time.monotonic(), False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not notified:
                    file.seek(0)
                    waiting(file.read().strip() or "another process")
                    notified = True
                if patience is not None and time.monotonic() - started > patience:
                    raise TryLater(f"{path.parent}: held by {_holder(path)}; remedy: try again later") from None
                time.sleep(0.1)
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()}")
        file.flush()
        yield


def _holder(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() or "another process"
