"""No data at all: the spec's columns say how they are made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from synthcli.sources.source import Source

TEXT = False


def batches(source: Source) -> Iterator[pa.Table]:
    """A table without columns and rows."""
    yield pa.table({})


def columns(source: Source) -> list[str]:
    """No names."""
    return []


def fingerprint(source: Source) -> bytes:
    """Nothing to fingerprint."""
    return b""
