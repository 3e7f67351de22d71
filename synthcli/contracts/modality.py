"""The protocol by which the loop speaks to a modality: tables, related tables, series, text and so on.

`<modality>/modality.py` is the plugin: a module with these functions. Nothing else of a modality's folder is imported
by spec/ and pipeline/. The nouns below are what the loop hands on without looking inside; each modality has its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from synthcli.contracts.cost import Cost, Work
from synthcli.contracts.evaluation import Evidence, Measurement, Usage
from synthcli.contracts.modelling import Job, Limits, Progress, Request
from synthcli.contracts.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

Json = dict[str, object]
WORTH = 24  # blocks from which it is worth starting processes


@dataclass(frozen=True)
class Choice:
    """A method with its parameters as given. modality: whose method it is; why: if it was chosen instead of named."""

    method: str
    params: dict[str, object]
    why: str = ""
    modality: str = field(kw_only=True)


class Described(Protocol):
    """What a spec says about real data and how to judge synthetic data, parsed once."""

    @property
    def seed(self) -> int: ...

    @property
    def unit(self) -> str | None:
        """Who is protected: a column, or TABLE or TABLE.COLUMN; None for the record itself."""


class Records(Protocol):
    """A part of the real data."""

    @property
    def schema(self) -> Schema: ...

    def __len__(self) -> int: ...


class Real(Protocol):
    """Real data, read when a stage first needs it."""

    @property
    def source_rows(self) -> int:
        """The number of records of the source."""

    @property
    def train(self) -> Records: ...

    def part(self, name: str) -> Records | None:
        """The validation or the holdout part, None if there is none."""


class Fitted(Protocol):
    """A fitted generator with all that it needs to generate after the data is gone."""

    @property
    def merged(self) -> Mapping[str, int]:
        """Column -> rare categories that were merged before anything was learned."""

    @property
    def clipped(self) -> Mapping[str, int]:
        """Column -> values beyond the ends that several privacy units reach, moved onto them before learning."""

    @property
    def details(self) -> Json:
        """What fit.json says about this modality's model besides what all modalities say."""

    def save(self, folder: Path) -> None:
        """Write the files of the model."""


@dataclass(frozen=True)
class Engine:
    """Where blocks are generated. workers: local processes, None: as many as there are cores; address: of a Dask
    scheduler.
    """

    kind: str = "local"
    workers: int | None = None
    address: str | None = None

    def processes(self, blocks: int) -> int:
        """Local processes for so many blocks; 1: this one."""
        import os

        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(self.workers or (cores if blocks >= WORTH else 1), blocks)


@dataclass(frozen=True)
class Target:
    """Where an output goes: a file, an object or a folder (path), or a table of a database. if_exists: replace, append
    or fail, of a table.
    """

    format: str
    path: Path | str | None = None
    url: str | None = None
    table: str | None = None
    if_exists: str = "replace"
    folder: Path | None = None

    @property
    def where(self) -> str:
        """What to call it in a message and a manifest; never a secret."""
        if self.path is not None:
            return str(self.path)
        return str(self.url) if self.table is None else f"{self.url} table {self.table}"


@dataclass(frozen=True)
class Origin:
    """The run that a model comes from. name: of the run; plan: its plan.json; folder: of its spec, from which relative
    paths count; read: where its data was read from.
    """

    name: str
    plan: Json
    folder: Path
    read: str = ""


@dataclass(frozen=True)
class Size:
    """What is known about a source before it is read. records: of all of it, None if nobody can tell; exact: whether
    they were counted; columns: how many; stored: bytes on disk, None without a file; parts: records of train,
    validation and holdout; schema: None if types are unknown.
    """

    columns: int
    schema: Schema | None = None
    records: int | None = None
    exact: bool = False
    stored: int | None = None
    parts: Mapping[str, int] | None = None


class Modality(Protocol):
    """One kind of data. Every function takes the nouns of its own modality."""

    COUNTS: str  # what a request counts: rows, series, documents, images, graphs, points

    def read(self, described: Described) -> Real:
        """The real data of a spec, read lazily."""

    def profile(self, real: Real, *, progress: Progress) -> Json:
        """profile.json: what analysis finds. It has at least rows, schema and, with data, parts: name -> records."""

    def look(self, described: Described, profile: Json) -> Size:
        """The size of a source that was not read. profile: of an earlier run, {} for none. Raises DataError."""

    def work(self, records: int, schema: Schema) -> Work:
        """The work that so many records make."""

    def cost(
        self, stage: str, choice: Choice | None, described: Described, request: Request, control: str
    ) -> Cost | None:
        """What a stage takes, None if nobody timed it. stage: its folder; choice: None for analyze; control: the part
        that judges compare with.
        """

    def choose(self, records: int, schema: Schema, limits: Limits) -> Choice:
        """The method that `auto` takes for so many records to learn from, and why."""

    def fit(
        self, real: Real, choice: Choice, request: Request, *, job: Job, bootstrap: np.random.Generator | None
    ) -> Fitted:
        """Fit a generator to the train part, or to a bootstrap of its units. request: what will be generated from it,
        whose columns no constraint may rewrite. Raises FitError, LimitReached.
        """

    def load(self, choice: Choice, trained: Path) -> Fitted:
        """The generator that a train stage saved. trained: the folder of the stage, with MODEL and FIT."""

    def generate(self, fitted: Fitted, request: Request, folder: Path, *, engine: Engine, progress: Progress) -> Json:
        """Write the data files of a generate stage; what sample.json says of them. Raises SpecError, FitError.

        If conditions are requested, also write records that the model generates freely: they are judged where the real
        data has too few records that meet the conditions.
        """

    def evidence(self, real: Real, generated: Path, control: str, usage: Usage | None, request: Request) -> Evidence:
        """All that judges may look at. generated: the folder of the generate stage; control: validation or holdout."""

    def measure(
        self, kind: str, names: Sequence[str], evidence: Evidence, *, seed: int, progress: Progress
    ) -> list[Measurement]:
        """The figures of metrics or attacks. kind: metrics or attacks."""

    def pictures(self, evidence: Evidence, *, seed: int) -> Json:
        """pictures.json: what the report draws, without a value that stands for one person."""

    def deliver(self, generated: Path, target: Target, request: Request) -> Json:
        """Write the output where it goes, visible only when whole; what the manifest says of it."""

    def outputs(self, target: Target, request: Request) -> list[Target]:
        """The places that `deliver` writes."""

    def more(self, fitted: Fitted, request: Request, target: Path, origin: Origin, *, progress: Progress) -> Json:
        """Generate from an old run's model straight into a file or folder. Raises SpecError for a target that cannot be
        written.
        """

    def complete(
        self, fitted: Fitted, known: Path, target: Path, origin: Origin, *, impute: bool, seed: int, progress: Progress
    ) -> Json:
        """Complete the rows of a file given the cells that are known. Raises SpecError if the modality cannot."""

    def preview(
        self, real: Real, choice: Choice, request: Request, *, most: int, job: Job
    ) -> Mapping[str, pd.DataFrame]:
        """A few records from a fit on at most `most` of them, as tables by name; nothing is kept."""
