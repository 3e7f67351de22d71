"""A source without data: the spec's columns define how values are generated."""

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
