"""Functions for all file formats: opening with a clear error, decompression by extension, and atomic writes."""

from __future__ import annotations

import contextlib
import errno
import glob
import gzip
import hashlib
import os
import secrets
import stat
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from synthcli.errors import DataError, did_you_mean
from synthcli.wording import quantity

_STALE = 86_400  # seconds
COMPRESSION = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
_MAGIC = {
    b"PAR1": "a parquet file; remedy: source.type: parquet",
    b"PK\x03\x04": "a zip archive or an Excel workbook; remedy: a file name that ends in .zip, or source.type: excel",
    b"\x1f\x8b": "compressed by gzip; remedy: a file name that ends in .gz",
    b"BZh91AY&SY": "compressed by bzip2; remedy: a file name that ends in .bz2",
    b"\x28\xb5\x2f\xfd": "compressed by zstandard; remedy: a file name that ends in .zst",
}
_REMEDIES = {
    errno.ENOSPC: "free some room there, or another output.path",
    errno.EDQUOT: "free some room there, or another output.path",
    errno.EFBIG: "fewer rows, or another file system",
    errno.EIO: "another output.path: this device does not take what is written",
    errno.EACCES: "permission to write in that folder, or another output.path",
    errno.EPERM: "permission to write in that folder, or another output.path",
    errno.EROFS: "another output.path: this file system is read-only",
    errno.EISDIR: "a path that ends in a file name",
    errno.ENOTDIR: "a path whose folders are folders",
    errno.EEXIST: "a path whose folders are folders",
    errno.ENAMETOOLONG: "a shorter file name",
}


def check_local(path: Path) -> Path:
    """The path of a readable file. Raises DataError if there is none."""
    try:
        mode = path.stat().st_mode  # check before opening: opening a pipe waits for its writer
        if not stat.S_ISREG(mode):
            raise DataError(
                f"{path} is {_special(mode)}, not a file; remedy: write its content to a file, and set"
                " source.path to that file"
            )
        with path.open("rb"):
            return path
    except FileNotFoundError:
        raise missing(path) from None
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}; remedy: permission to read it, or another source.path"
        ) from None


def missing(path: Path) -> DataError:
    """Build the error about a path that does not exist."""
    if (home := next((part for part in path.parts if part.startswith("~")), None)) is not None:
        return DataError(
            f"{path} does not exist, and there is no home folder {home}; remedy: the whole path in source.path"
        )
    folder = path.parent
    near = ""
    with contextlib.suppress(OSError):  # the folder is missing or cannot be listed
        near = did_you_mean(path.name, os.listdir(folder))
    where = "" if folder.is_dir() else f" (there is no folder {folder})"
    return DataError(f"{path} does not exist{where}; remedy: fix source.path.{near}")


def _special(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "special")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[pa.NativeFile]:
    """Open a file, decompressed by extension. Raises DataError for damaged compressed data."""
    try:
        if path.suffix.lower() == ".zip":
            with _unzipped(path) as stream:
                yield stream
            return
        with pa.input_stream(str(path), compression=COMPRESSION.get(path.suffix.lower())) as stream:
            yield stream
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(
            f"{path} cannot be read to its end: {reason}; remedy: a complete copy, as the file is damaged or cut off"
        ) from None


@contextlib.contextmanager
def _unzipped(path: Path) -> Iterator[pa.NativeFile]:
    """The only file in a zip archive. Raises DataError if the archive holds none, several, or an encrypted one."""
    with zipfile.ZipFile(path) as archive:
        inside = [i for i in archive.infolist() if not i.is_dir() and not i.filename.startswith("__MACOSX/")]
        if len(inside) != 1:
            raise DataError(
                f"{path} holds {quantity(len(inside), 'file')}; remedy: an archive of one file, or unpack it"
            )
        if inside[0].flag_bits & 1:
            raise DataError(f"{path} has a password; remedy: unpack it")
        with archive.open(inside[0]) as member, pa.PythonFile(member, mode="r") as stream:
            yield stream


def head(path: Path, size: int) -> bytes:
    """The first bytes of the content. Raises DataError if they belong to another format."""
    with opened(path) as stream:
        data = cast(bytes, stream.read(size))
    for magic, what in _MAGIC.items():
        if data.startswith(magic):
            raise DataError(f"{path} is {what}")
    return data


def digest(path: Path) -> bytes:
    """BLAKE2b of the bytes on disk."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, hashlib.blake2b).digest()


def _clear(target: Path) -> None:
    """Remove temporary files of killed writers of this file: those unchanged for a day."""
    for part in target.parent.glob(f".{glob.escape(target.name[:200])}.{'[0-9a-f]' * 8}.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > _STALE:
                part.unlink()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path` on success and is removed on failure.

    Raises DataError if the target cannot be written: no space, no permission, a folder in the way.
    """
    target = path.resolve()  # follow a link to its target
    part = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        _clear(target)
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except OSError as error:
        if error.errno not in _REMEDIES:
            raise
        raise DataError(
            f"{path} cannot be written: {error.strerror or error}; remedy: {_REMEDIES[error.errno]}"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def compressed(file: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    """A stream into `file` that compresses by the extension of `path`; the same content gives the same bytes."""
    ending = path.suffix.lower()
    if ending == ".gz":
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as stream:
            yield cast(BinaryIO, stream)
    elif ending in COMPRESSION:
        raise DataError(
            f"{path}: text is written plain or as .gz, not as {ending}; remedy: an output.path that ends in .gz"
        )
    else:
        yield file
