"""A finished run, for Python and notebooks."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synthcli.artifacts.store import GENERATE, PLAN, SAMPLE, Version, copy_file, table_file
from synthcli.columns import frame as frames
from synthcli.columns.discovery.infer import read_again
from synthcli.columns.spelling import writing
from synthcli.contracts.modality import Completion
from synthcli.contracts.schema import Schema
from synthcli.errors import ArtifactError, did_you_mean
from synthcli.pipeline import resample
from synthcli.pipeline.events import Events
from synthcli.report import notebook
from synthcli.sources import frame as data_frames
from synthcli.spec import describe


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

    @cached_property
    def _sample(self) -> dict[str, Any]:
        found = self.version.read(GENERATE, SAMPLE)
        if found is None:
            raise ArtifactError(f"{self.version.name} has no rows; remedy: run it up to generate")
        return dict(found)

    @cached_property
    def _schemas(self) -> dict[str, Schema]:
        """The schemas of related tables by name; empty for a single table."""
        return {name: Schema.from_json(body) for name, body in self._sample.get("schemas", {}).items()}

    @cached_property
    def _plan(self) -> dict[str, Any]:
        return dict(self.version.read(PLAN) or {})

    @property
    def seed(self) -> int:
        """The seed of the spec."""
        return int(self._plan["seed"])

    @property
    def rows(self) -> int:
        """How many rows were generated; of related tables, those of the privacy unit's table."""
        return int(self._sample["rows"])

    @property
    def related(self) -> bool:
        """Whether the run made several related tables."""
        return "schemas" in self._sample

    def frame(self, copy: int | None = None) -> pd.DataFrame:
        """The synthetic table in memory. copy: its number, from 1. Raises ArtifactError if it does not exist."""
        if self.related:
            raise ArtifactError(f"{self.version.name} has several tables; remedy: frames()")
        path = self.data if copy is None else self.data.with_name(copy_file(copy))
        if not path.exists():
            what = "rows" if copy is None else f"copy {copy}"
            raise ArtifactError(
                f"{self.version.name} has no {what}; remedy:"
                f" {'run it up to generate' if copy is None else 'generate.copies'}"
            )
        return frames.to_frame(pq.read_table(path), Schema.from_json(self._sample["schema"]))

    def frames(self) -> dict[str, pd.DataFrame]:
        """The synthetic tables in memory by name; a single table has the name of the run."""
        if not self.related:
            return {self.version.folder.parent.name: self.frame()}
        return {name: frames.to_frame(self.arrow(name), schema) for name, schema in self._schemas.items()}

    def arrow(self, table: str | None = None) -> pa.Table:
        """The synthetic table in the types of its source. table: its name among several; None for a single one."""
        if table is not None and table not in (known := self._sample.get("schemas", {})):
            raise ArtifactError(f"{self.version.name} has no table {table!r}.{did_you_mean(table, known)}")
        stored = pq.read_table(self.data if table is None else self.data.with_name(table_file(table)))
        schema = Schema.from_json(self._sample["schema"]) if table is None else self._schemas[table]
        rows, written = writing.as_source(iter([frames.to_frame(stored, schema)]), schema)
        return stored if written is schema else frames.to_arrow(next(rows), written)

    def spelled(self, table: str | None = None) -> pd.DataFrame:
        """The columns of a table that its source spells as text, as numbers and dates in strings; may have none."""
        schema = Schema.from_json(self._sample["schema"]) if table is None else self._schemas[table]
        rows, written = writing.as_source(iter([self.frame() if table is None else self.frames()[table]]), schema)
        own = [c.name for c, plain in zip(written.columns, schema.columns) if c is not plain]
        return next(rows)[own]

    def generate(
        self,
        rows: int,
        *,
        where: str | None = None,
        balance: Mapping[str, Mapping[Any, float]] | None = None,
        fairness: Mapping[str, Any] | None = None,
        seed: int | None = None,
        keep_failed: bool = False,
    ) -> Any:
        """More rows from the model, without the source, as a DataFrame; a mapping of DataFrames for related tables.

        rows: of the privacy unit's table for related ones. where, balance, fairness: as under `generate` of a spec;
        without them, the conditions of the run. seed: default that of the spec; each seed gives other rows. Raises
        GateClosed when the run did not pass its gates (unless keep_failed), SpecError for an invalid condition.
        """
        given = {"where": where, "balance": balance, "fairness": fairness}
        conditions = describe.conditions({k: v for k, v in given.items() if v is not None}, rows=rows)
        with tempfile.TemporaryDirectory(prefix="synth-") as scratch:
            target = Path(scratch) / ("tables" if self.related else "rows.parquet")
            resample.more(
                *self._place, rows, target, seed=seed, keep_failed=keep_failed, events=Events(), generate=conditions
            )
            return self._read(target)

    def complete(
        self,
        known: Any,
        *,
        impute: bool = False,
        most_likely: bool = False,
        seed: int | None = None,
        keep_failed: bool = False,
    ) -> pd.DataFrame:
        """The rows of a DataFrame, with the columns that it lacks drawn given those that it has.

        impute: draw its missing cells as well; most_likely: fill in the most likely values instead of random draws.
        Raises as `generate`.
        """
        how = Completion(impute, most_likely)
        with tempfile.TemporaryDirectory(prefix="synth-") as scratch:
            given, target = Path(scratch) / "known.parquet", Path(scratch) / "rows.parquet"
            pq.write_table(data_frames.to_arrow(known), given)
            resample.completed(
                *self._place, given, target, how=how, seed=seed, keep_failed=keep_failed, events=Events()
            )
            return pq.read_table(target).to_pandas()

    @property
    def _place(self) -> tuple[Path, str]:
        """The root of the run folders, and the run's name there."""
        return self.version.folder.parent.parent, self.version.name

    def _read(self, target: Path) -> Any:
        """What was generated, as canonical frames."""
        if not self.related:
            return read_again(pq.read_table(target), Schema.from_json(self._sample["schema"]))
        read = {name: pq.read_table(target / table_file(name)) for name in self._schemas}
        return {name: read_again(read[name], schema) for name, schema in self._schemas.items()}

    def _repr_html_(self) -> str:
        return notebook.fragment(self.version, fresh=self.fresh)
