"""Object stores and web servers through fsspec: a source is first copied to this machine; an output appears under its
name when complete.

A copy lasts as long as its Source, so that the hashed data are the data to learn from. The store's own library reads
credentials from the environment (AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_ACCOUNT_NAME and so
on).
"""

from __future__ import annotations

import contextlib
import glob
import importlib
import re
import secrets
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from synthcli.errors import DataError, MissingExtra, SpecError, TryLater, did_you_mean
from synthcli.sources.places import FilePart, fixed_root, is_data, keys_of

if TYPE_CHECKING:
    from synthcli.sources.source import Source

EXTRAS = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gcs",
    "gcs": "gcs",
    "az": "az",
    "abfs": "az",
    "abfss": "az",
    "adl": "az",
    "memory": "s3",
}
_WEB = ("http", "https")
_BLOCK = 8 << 20
_TIMEOUT = 30  # seconds without an answer
_AWAY = re.compile(
    r"connect|timed? ?out|timeout|unreachable|resolve|reset|temporar|slow ?down|503|internal ?error", re.I
)
_REFUSED = re.compile(
    r"credential|denied|forbidden|permission|unauthorized|signature|invalid ?access ?key|40[13]", re.I
)


def check(path: str, key: str, *, write: bool = False) -> None:
    """Raise SpecError for an unsupported scheme. key: the key of the path in the spec."""
    scheme = urlsplit(path).scheme.lower()
    if scheme in _WEB and write:
        raise SpecError(
            f"{key} is {path}; web servers are only read; remedy: a file, or an object store such as s3://bucket/name"
        )
    if scheme not in {*EXTRAS, *_WEB}:
        known = [*dict.fromkeys(EXTRAS), *_WEB]
        raise SpecError(
            f"{key} is {path}; expected a path, or a URL of {', '.join(known)}.{did_you_mean(scheme, known)}"
        )


def parts(source: Source, url: str) -> list[FilePart]:
    """Local copies of the objects of a URL: one, the matches of a glob, or all objects of the source's kind below a
    prefix.
    """
    check(url, "source.path")
    if "copies" not in source.kept:
        folder = tempfile.TemporaryDirectory(prefix="synth-")  # 0700; removed with the source
        names, root = _names(source, url)
        found = []
        for i, name in enumerate(names):
            local = Path(folder.name) / f"{i}-{PurePosixPath(urlsplit(name).path).name[-100:]}"
            _fetch(name, local)
            found.append(FilePart(local, name, keys_of(name, root) if root is not None else ()))
        source.kept["copies"] = (folder, found)
    copies: list[FilePart] = source.kept["copies"][1]
    return copies


def upload(local: Path, url: str) -> None:
    """Replace an object by a complete file: upload it next to the object, then move it in one step."""
    check(url, "output.path", write=True)
    store, path = _store(url)
    folder, _, name = path.rpartition("/")
    part = f"{folder}/.{name[:200]}.{secrets.token_hex(4)}.part"
    with _answered(url, "written"):
        try:
            with local.open("rb") as file, store.open(part, "wb") as target:
                shutil.copyfileobj(file, target, _BLOCK)
            store.mv(part, path)
        finally:
            with contextlib.suppress(*_failures()):
                store.rm(part)


def _names(source: Source, url: str) -> tuple[list[str], str | None]:
    """The URLs of the objects, and the root below which folder names may hold columns; None for one object."""
    if urlsplit(url).scheme.lower() in _WEB:
        return [url], None
    store, path = _store(url)
    scheme = url.partition("://")[0]
    with _answered(url, "read"):
        if glob.has_magic(path) and not store.exists(path):
            found, root = [p for p in store.glob(path) if not store.isdir(p)], fixed_root(path)
        elif store.isfile(path):
            return [url], None
        else:
            root = path.rstrip("/")
            found = [p for p in store.find(root) if is_data(p[len(root) :].lstrip("/"), source.type)]
    if not found:
        raise DataError(f"{url}: there is no such object; remedy: fix source.path")
    bare = root.lstrip("/")
    return [f"{scheme}://{p.lstrip('/')}" for p in sorted(found)], f"{scheme}://{bare}"


def _fetch(url: str, local: Path) -> None:
    if urlsplit(url).scheme.lower() in _WEB:
        _download(url, local)
        return
    store, path = _store(url)
    with _answered(url, "read"), store.open(path, "rb") as answer, local.open("wb") as file:
        shutil.copyfileobj(answer, file, _BLOCK)


def _download(url: str, local: Path) -> None:
    shown = url.partition("?")[0]  # the query may be a signature
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer, local.open("wb") as file:
            shutil.copyfileobj(answer, file, _BLOCK)
    except urllib.error.HTTPError as error:
        kind = TryLater if error.code in (408, 425, 429) or error.code >= 500 else DataError
        raise kind(
            f"{shown} cannot be read: {error.code} {error.reason}; remedy: fix source.path, or try again later"
        ) from None
    except (OSError, ValueError) as error:
        raise TryLater(
            f"{shown} cannot be reached: {getattr(error, 'reason', error)}; remedy: try again later"
        ) from None


def _store(url: str) -> tuple[Any, str]:
    """The file system of a URL and the path in it. Raises MissingExtra if its package is not installed."""
    scheme = urlsplit(url).scheme.lower()
    try:
        fsspec = importlib.import_module("fsspec")
        with _answered(url, "read"):
            store = fsspec.filesystem(
                scheme, **({} if scheme == "memory" else {"use_listings_cache": False, "skip_instance_cache": True})
            )
    except ImportError:
        raise MissingExtra(f"a path of {scheme}://", EXTRAS[scheme]) from None
    return store, str(store._strip_protocol(url))


@contextlib.contextmanager
def _answered(url: str, done: str) -> Iterator[None]:
    """Translate errors of a store or its library to SynthError: missing, not permitted, or not reachable."""
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{url} cannot be {done}: there is no such object or bucket; remedy: fix the path") from None
    except ImportError:
        raise
    except _failures() as error:
        said = (str(error).splitlines() or [type(error).__name__])[0][:200]
        both = f"{type(error).__name__} {said}"
        if isinstance(error, PermissionError) or _REFUSED.search(both):
            raise DataError(
                f"{url} cannot be {done}: {said}; remedy: credentials in the environment that may do this"
            ) from None
        if isinstance(error, (ConnectionError, TimeoutError)) or _AWAY.search(both):
            raise TryLater(f"{url} cannot be reached: {said}; remedy: try again later") from None
        raise DataError(f"{url} cannot be {done}: {said}; remedy: fix the path") from None


def _failures() -> tuple[type[BaseException], ...]:
    """The error types of the libraries that are installed."""
    kinds: list[type[BaseException]] = [OSError, ValueError]
    for module, name in (
        ("botocore.exceptions", "BotoCoreError"),
        ("botocore.exceptions", "ClientError"),
        ("aiohttp", "ClientError"),
        ("gcsfs.retry", "HttpError"),
        ("google.auth.exceptions", "GoogleAuthError"),
        ("azure.core.exceptions", "AzureError"),
    ):
        with contextlib.suppress(ImportError):
            kinds.append(getattr(importlib.import_module(module), name))
    return tuple(kinds)
