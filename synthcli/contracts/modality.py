"""The protocol between the pipeline and a modality: tables, related tables, series, text and so on.

`<modality>/modality.py` is the plugin: a module with these functions. spec/ and pipeline/ import nothing else from the
folder of a modality. The pipeline passes the types below on without inspecting them; each modality has its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from synthcli.contracts.cost import Cost, Work
from synthcli.contracts.evaluation import Evidence, Measurement, Usage
from synthcli.contracts.modelling import Clipped, Job, Limits, Progress, Request
from synthcli.contracts.schema import Schema
from synthcli.contracts.tables import DeclaredTable

if TYPE_CHECKING:
    import pandas as pd

Json = dict[str, object]
WORTH = 24  # minimum blocks for which starting processes pays off


@dataclass(frozen=True)
class Choice:
    """A method with the parameters of the spec. modality: to which the method belongs; why: the reason if `auto` chose
    it.
    """

    method: str
    params: dict[str, object]
    why: str = ""
    modality: str = field(kw_only=True)


class Described(Protocol):
    """The parsed parts of a spec about real data and about the evaluation of synthetic data."""

    @property
    def seed(self) -> int: ...

    @property
    def unit(self) -> str | None:
        """The privacy unit: a column, or TABLE or TABLE.COLUMN; None for the record itself."""


@dataclass(frozen=True)
class Support:
    """The real privacy units of the train part that meet a condition, and the records that are requested of it."""

    text: str
    requested: int
    units: int


class Records(Protocol):
    """A part of the real data."""

    @property
    def schema(self) -> Schema: ...

    def __len__(self) -> int: ...


class Real(Protocol):
    """Real data, read lazily when a stage first needs it."""

    @property
    def source_rows(self) -> int:
        """The number of records of the source."""

    @property
    def train(self) -> Records: ...

    def support(self, request: Request) -> list[Support]:
        """The real units behind each condition of a request; [] without conditions."""

    def part(self, name: str) -> Records | None:
        """The validation or the holdout part; None without such a part."""


class Fitted(Protocol):
    """A fitted generator with everything that it needs to generate without the data."""

    @property
    def merged(self) -> Mapping[str, int]:
        """Column -> number of rare categories that were merged before fitting."""

    @property
    def clipped(self) -> Mapping[str, Clipped]:
        """Column -> what top coding changed before fitting; without the columns that it left alone."""

    @property
    def details(self) -> Json:
        """The entries of fit.json that are specific to this modality."""

    def save(self, folder: Path) -> None:
        """Save the files of the model."""


@dataclass(frozen=True)
class Engine:
    """Where to generate blocks. workers: local processes, None for one per core; address: of a Dask scheduler."""

    kind: str = "local"
    workers: int | None = None
    address: str | None = None

    def processes(self, blocks: int) -> int:
        """The number of local processes for so many blocks; 1 means this process."""
        import os

        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(self.workers or (cores if blocks >= WORTH else 1), blocks)


@dataclass(frozen=True)
class Csv:
    """The dialect of a csv file to write. None: that of the source if it is csv, else a comma, a decimal point, UTF-8.

    formulas: keep, or escape: cells that a spreadsheet would run as a formula get a leading apostrophe.
    """

    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    formulas: str = "keep"

    def like(self, source: Mapping[str, str] | None) -> Csv:
        """The dialect with what is not given taken from a source. source: {delimiter, decimal, encoding}."""
        found = dict(source or {})
        delimiter, decimal = found.get("delimiter") or ",", found.get("decimal") or "."
        if self.delimiter is not None:  # a declared sign overrules the other one of the source
            delimiter, decimal = self.delimiter, decimal if decimal != self.delimiter else "."
        if self.decimal is not None:
            delimiter, decimal = delimiter if delimiter != self.decimal else ";", self.decimal
        return replace(self, delimiter=delimiter, decimal=decimal, encoding=self.encoding or found.get("encoding"))


@dataclass(frozen=True)
class Target:
    """The destination of an output: a file, an object or a folder (path), or a table of a database. format: empty where
    the path or an earlier run decides; if_exists: replace, append or fail, for a table; csv: the dialect of a csv file;
    declared: the keys and types of tables of a database that are created, by name ("" for the only one).
    """

    format: str
    path: Path | str | None = None
    url: str | None = None
    table: str | None = None
    if_exists: str = "replace"
    folder: Path | None = None
    csv: Csv = Csv()
    declared: Mapping[str, DeclaredTable] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """The name of the target in messages and the manifest; never contains a secret."""
        if self.path is not None:
            return str(self.path)
        return str(self.url) if self.table is None else f"{self.url} table {self.table}"


@dataclass(frozen=True)
class Completion:
    """How to complete rows. impute: fill empty cells, never with null; most_likely: fill in the most likely values
    instead of random draws.
    """

    impute: bool = False
    most_likely: bool = False


@dataclass(frozen=True)
class Origin:
    """The run that a model comes from. name: of the run; plan: its plan.json; folder: of its spec, the base of relative
    paths; read: the sources of its data; csv: the dialect of csv files; declared: as in Target.
    """

    name: str
    plan: Json
    folder: Path
    read: str = ""
    csv: Csv = Csv()
    declared: Mapping[str, DeclaredTable] = field(default_factory=dict)


@dataclass(frozen=True)
class Size:
    """The size of a source before it is read. records: total number, None if unknown; exact: whether they were counted;
    columns: number of columns; stored: bytes on disk, None without a file; parts: records of train, validation and
    holdout; schema: None if types are unknown; undecided: columns that need a decision of the spec, from an earlier
    run's profile or the first rows.
    """

    columns: int
    schema: Schema | None = None
    records: int | None = None
    exact: bool = False
    stored: int | None = None
    parts: Mapping[str, int] | None = None
    undecided: Sequence[Mapping[str, object]] = ()


class Modality(Protocol):
    """One kind of data. Every function takes the types of its own modality."""

    COUNTS: str  # the unit of a request: rows, series, documents, images, graphs, points
    BUILDS_ON: tuple[str, ...]  # other modalities whose code it uses, besides the ground modality

    def read(self, described: Described) -> Real:
        """The real data of a spec, read lazily."""

    def profile(self, real: Real, *, progress: Progress) -> Json:
        """The content of profile.json. It has at least rows, schema and, with data, parts: name -> records."""

    def look(self, described: Described, profile: Json) -> Size:
        """The size of a source that was not read. profile: of an earlier run, {} for none. Raises DataError."""

    def work(self, records: int, schema: Schema) -> Work:
        """The workload of so many records."""

    def cost(
        self, stage: str, choice: Choice | None, described: Described, request: Request, control: str
    ) -> Cost | None:
        """The cost of a stage, None if it was never timed. stage: its folder; choice: None for analyze; control: the
        part to compare with.
        """

    def choose(self, records: int, schema: Schema, limits: Limits) -> Choice:
        """The method that `auto` chooses for so many training records, and the reason."""

    def fit(
        self, real: Real, choice: Choice, request: Request, *, job: Job, bootstrap: np.random.Generator | None
    ) -> Fitted:
        """Fit a generator to the train part, or to a bootstrap of its units. request: what to generate later;
        constraints may not rewrite its columns. Raises FitError, LimitReached.
        """

    def load(self, choice: Choice, trained: Path) -> Fitted:
        """Load the generator that a train stage saved. trained: the folder of the stage, with MODEL and FIT."""

    def generate(self, fitted: Fitted, request: Request, folder: Path, *, engine: Engine, progress: Progress) -> Json:
        """Write the data files of a generate stage and return the content of sample.json. Raises SpecError, FitError.

        If conditions are requested, also write records generated without them, for the evaluation if too few real
        records meet the conditions.
        """

    def evidence(self, real: Real, generated: Path, control: str, usage: Usage | None, request: Request) -> Evidence:
        """The evidence for metrics and attacks. generated: the folder of the generate stage; control: validation or
        holdout.
        """

    def measure(
        self, kind: str, names: Sequence[str], evidence: Evidence, *, seed: int, progress: Progress
    ) -> list[Measurement]:
        """The measurements of metrics or attacks. kind: metrics or attacks."""

    def pictures(self, evidence: Evidence, *, seed: int) -> Json:
        """The content of pictures.json, the data of the report's charts, without values of single persons."""

    def deliver(self, generated: Path, target: Target, request: Request) -> Json:
        """Write the output to its target, visible only when complete; return its entry in the manifest."""

    def outputs(self, target: Target, request: Request) -> list[Target]:
        """The targets that `deliver` writes."""

    def more(self, fitted: Fitted, request: Request, target: Target, origin: Origin, *, progress: Progress) -> Json:
        """Generate from the model of an earlier run directly into a file or folder. Raises SpecError for a target that
        cannot be written.
        """

    def complete(
        self,
        fitted: Fitted,
        known: Path,
        target: Path,
        origin: Origin,
        *,
        how: Completion,
        seed: int,
        progress: Progress,
    ) -> Json:
        """Complete the rows of a file given their known cells. Raises SpecError if the modality does not support it."""

    def preview(
        self, real: Real, choice: Choice, request: Request, *, most: int, job: Job
    ) -> Mapping[str, pd.DataFrame]:
        """Generate a few records from a fit to at most `most` records, as tables by name; nothing is stored."""
