"""Types that generators share: data sets, jobs, requests, models, methods."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypedDict

import numpy as np
from pydantic import BaseModel

from synthcli import seeds
from synthcli.contracts.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 16_384  # rows generated at a time; the output bytes depend on it

Guarantee = Literal["none", "central", "local", "federated"]


class Clipped(TypedDict):
    """What top coding did to a column: how many of its known values moved up to the low and down to the high end.

    kind: of the values as they are learned; least, most: the published ends as text, None where the values are learned
    in another form than that of the column, such as differences.
    """

    low: int
    high: int
    known: int
    kind: str
    least: str | None
    most: str | None


def without_ends(found: Clipped) -> Clipped:
    """The same counts, for a column whose values are learned in another form than its own."""
    return {**found, "least": None, "most": None}


class Dataset(ABC):
    """Records of one modality with their schema."""

    schema: Schema

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def split(
        self, fractions: Mapping[str, float], *, rng: np.random.Generator, stratify_by: str | None = None
    ) -> dict[str, Any]:
        """Split into disjoint parts by name; all records of a privacy unit fall into one part. fractions: of units,
        summing to 1.
        """


@dataclass(frozen=True)
class Limits:
    """Limits of a fit: minutes of wall time and gigabytes of resident memory; None for no limit."""

    minutes: float | None = None
    memory_gb: float | None = None


class Progress(Protocol):
    """A callback that shows progress: `done` of `total` steps of a named task."""

    def __call__(self, label: str, done: float, total: float, note: str = "") -> None: ...


def silent(label: str, done: float, total: float, note: str = "") -> None:
    """A Progress that shows nothing."""


@dataclass
class Job:
    """The context of a fit besides data: named random streams, a work folder, the device, progress, limits.

    A fit calls `going(...)` between steps. If it returns False, a limit is reached: the fit stops and returns its best
    model so far, or raises LimitReached if it has none.
    """

    seed: int = 0
    folder: Path | None = None
    device: str = "cpu"
    limits: Limits = field(default_factory=Limits)
    progress: Progress = silent
    target: str | None = None  # the column that downstream models predict: methods may treat it with special care
    started: float = field(default_factory=time.monotonic)
    reached: str | None = None  # a phrase for the limit that stopped the fit

    def stream(self, *names: object) -> np.random.Generator:
        """The random stream of this job with that name."""
        return seeds.stream(self.seed, *names)

    def going(self, label: str, done: float, total: float, note: str = "") -> bool:
        """Report progress; return False once a limit is reached."""
        self.progress(label, done, total, note)
        if self.reached is None:
            self.reached = self._over()
        return self.reached is None

    def _over(self) -> str | None:
        minutes, memory = self.limits.minutes, self.limits.memory_gb
        if minutes is not None and time.monotonic() - self.started > minutes * 60:
            return f"generator.limits.minutes: {minutes:g}"
        if memory is not None:
            import psutil

            if psutil.Process().memory_info().rss > memory * 2**30:
                return f"generator.limits.memory_gb: {memory:g}"
        return None


@dataclass(frozen=True)
class Allowed:
    """The values that a column may take: from low to high (numbers and times), or one of `values`; None for no such
    bound. null: whether null is allowed.
    """

    low: Any = None
    high: Any = None
    values: frozenset[Any] | None = None
    null: bool = False


class Predicate(Protocol):
    """A condition on the columns of a row, such as a parsed expression."""

    @property
    def text(self) -> str: ...

    @property
    def columns(self) -> frozenset[str]: ...

    def evaluate(self, frame: pd.DataFrame) -> pd.Series: ...


@dataclass(frozen=True)
class Parity:
    """A target that is to be independent of the sensitive columns."""

    target: str
    sensitive: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """A request to a generator. rows: number of records, or of the unit of the modality.

    block_size: records generated at a time; the output bytes depend on it. where: a condition that every record meets;
    balance: column -> value -> share of the records; fairness: a target independent of sensitive columns; copies:
    independent data sets, each from a model fitted to a bootstrap if `proper`.

    frame: cells known before a record is drawn (canonical dtypes, `rows` rows); columns that the model lacks are
    ignored. known: (rows, columns of frame) bool, None if every cell is known, including nulls. allowed: column -> the
    values allowed in every record.
    """

    rows: int
    seed: int = 0
    block_size: int = BLOCK
    _: KW_ONLY
    where: Predicate | None = None
    balance: Mapping[str, Mapping[bool | int | float | str, float]] | None = None
    fairness: Parity | None = None
    copies: int = 1
    proper: bool = False
    frame: pd.DataFrame | None = None
    known: np.ndarray | None = None
    allowed: Mapping[str, Allowed] = field(default_factory=dict)

    @property
    def blocks(self) -> int:
        return -(-self.rows // self.block_size)

    def size(self, block: int) -> int:
        """The number of records of that block."""
        return min(self.block_size, self.rows - block * self.block_size)

    @property
    def conditional(self) -> bool:
        """Whether conditions are set on the records."""
        return self.where is not None or self.balance is not None or self.fairness is not None


class Model(ABC):
    """A fitted generator. It needs neither the data nor the spec to sample."""

    @property
    def completes(self) -> bool:
        """Whether `complete` draws rows from their distribution given known cells."""
        return type(self).complete is not Model.complete

    @property
    def whole_units(self) -> bool:
        """Whether a block is made of whole privacy units, whose rows follow each other and belong together."""
        return False

    @abstractmethod
    def sample(self, request: Request, block: int, *, rng: np.random.Generator) -> Dataset:
        """The records of one block, `request.size(block)` of them; they depend on (model, block, rng) alone."""

    def complete(self, given: Request, start: int, *, rng: np.random.Generator) -> Dataset:
        """Draw rows from the distribution given the request, for positions start... of the output.

        Known cells are returned unchanged. `allowed` guides the model, but a row may violate it if the model knows no
        such value, so the caller checks.
        """
        raise NotImplementedError(f"{type(self).__name__} does not complete rows")

    @property
    def merged(self) -> dict[str, int]:
        """Column -> number of rare categories that were merged before fitting."""
        return {}

    @property
    def clipped(self) -> dict[str, Clipped]:
        """Column -> what top coding changed before fitting; without the columns that it left alone."""
        return {}

    def made_up(
        self, rows: int, start: int, *, rng: np.random.Generator, batch: int = 0, drawn: pd.DataFrame | None = None
    ) -> Mapping[str, Any] | None:
        """Generate the columns that depend on position, such as keys, for positions start... of the output: name ->
        values. batch: the seed of the request; drawn: the other columns of these rows, if they are known: made-up names
        follow the sex in them.

        For callers that drop rows, so that keys stay unique and consecutive. None if they cannot be generated
        separately.
        """
        return None

    def check(self, request: Request) -> None:  # noqa: B027 - most models can generate any number of rows
        """Raise SpecError early if `sample` would fail later, such as for more unique keys than exist."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Save arrays and JSON that the method's `load(folder)` reads; nothing that could run code."""


@dataclass(frozen=True)
class Dial:
    """The parameter that trades fidelity for privacy: its name, its two ends (in its own units), a log or a linear
    scale.
    """

    param: str
    fidelity: float
    privacy: float
    log: bool = True

    def move(self, value: float, towards: float, other: float | None) -> float:
        """The next value towards an end: halfway (on the scale) to it, or to `other` if the answer lies in between."""
        goal = towards if other is None else other
        if self.log:
            return float(np.sqrt(value * goal))
        return (value + goal) / 2


class Method(Protocol):
    """A module in the methods/ folder of a modality: its file name is its name in the spec."""

    MODALITY: str
    MODES: frozenset[str]
    CAN: frozenset[str]  # abilities: "complete" rows given known cells; generate "without_data"
    EXTRA: str | None  # the extra with the packages that it needs
    TRUSTED_LOAD: bool  # True where the saved model is a pickle, which is loaded only when this user's own run wrote it
    WARNING: str | None  # shown whenever the method is used
    DIAL: Dial | None
    Params: type[BaseModel]

    def fit(self, data: Dataset, params: Any, *, job: Job) -> Model: ...

    def load(self, folder: Path) -> Model: ...
