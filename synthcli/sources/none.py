"""No data at all: the spec's columns say how they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from synthcli.sources import Source

TEXT = False


def read(source: Source) -> pa.Table:
    """A table without columns and rows."""
    return pa.table({})


def columns(source: Source) -> list[str]:
    """No names."""
    return []


def fingerprint(source: Source) -> bytes:
    """Nothing to fingerprint."""
    return b""
