"""A finished run, for Python and notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from synthcli.artifacts import files
from synthcli.artifacts.store import SAMPLE, Version, copy_file
from synthcli.columns import frame as frames
from synthcli.contracts.schema import Schema
from synthcli.errors import ArtifactError
from synthcli.report import notebook


@dataclass(frozen=True)
class Run:
    """A finished run. fresh: False where --if-changed found nothing new."""

    version: Version
    fresh: bool = True

    @property
    def verdict(self) -> dict[str, Any] | None:
        return self.version.verdict()

    @property
    def passed(self) -> bool:
        """Whether every gate passed; True if none was set."""
        verdict = self.verdict
        return verdict is None or bool(verdict["passed"])

    @property
    def exit_code(self) -> int:
        return 0 if self.passed else 4

    @property
    def data(self) -> Path:
        """The synthetic table as Parquet."""
        return self.version.data()

    def frame(self, copy: int | None = None) -> pd.DataFrame:
        """The synthetic table in memory. copy: its number, from 1. Raises ArtifactError if it does not exist."""
        path = self.data if copy is None else self.data.with_name(copy_file(copy))
        if not path.exists():
            what = "rows" if copy is None else f"copy {copy}"
            raise ArtifactError(
                f"{self.version.name} has no {what}; remedy:"
                f" {'a run up to generate' if copy is None else 'generate.copies'}"
            )
        return frames.to_frame(
            pq.read_table(path), Schema.from_json(files.read_json(self.data.parent / SAMPLE)["schema"])
        )

    def _repr_html_(self) -> str:
        return notebook.fragment(self.version, fresh=self.fresh)
