"""The nouns that every room shares: data, schema, method, model, request, evidence, measurement, gate."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from pydantic import AllowInfNan, BaseModel, ConfigDict, Field, Strict

from synthcli import seeds

BLOCK = 16_384  # rows that a model makes at a time; part of what makes the bytes what they are

Finite = Annotated[float, Strict(), AllowInfNan(False)]
Better = Literal["higher", "lower", "half"]  # half: 0.5 is ideal
Guarantee = Literal["none", "central", "local", "federated"]


class Rare(BaseModel):
    """Categories of fewer than `min_units` privacy units are merged into `as` before anything learns them."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    min_units: int = Field(ge=1, description="units (rows, without privacy_unit) that a category needs to be kept")
    as_: str = Field(default="other", alias="as", description="the category that takes the place of the rare ones")


class Counter(BaseModel):
    """Start and step of a counted column; a step of time is written like 1h, 15min, 1d."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    start: int | Finite | str = 1
    step: int | Finite | str = 1


class Traits(BaseModel):
    """What may be said of a column, in the spec (declared) or by looking at data (inferred)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    type: str | None = Field(
        None,
        description="boolean, integer, float, datetime, timedelta, category, text, id, or a made-up kind such as email",
    )
    format: str | None = Field(
        None,
        description=(
            "strptime format of a datetime (%:z: offset with a colon); 'yes|no' of a boolean; %.2f of a float in text"
        ),
    )
    min: int | Finite | str | None = Field(None, description="lowest value allowed (a date for datetimes)")
    max: int | Finite | str | None = Field(None, description="highest value allowed (a date for datetimes)")
    precision: int | None = Field(None, ge=0, le=15, description="decimals of a float")
    categories: tuple[bool | int | float | str, ...] | None = Field(
        None, min_length=1, description="the values that a category may take"
    )
    rare: Rare | None = None
    spikes: tuple[Finite, ...] | None = Field(None, description="numbers modelled as atoms: zeros, missing codes")
    nulls: Finite | None = Field(None, ge=0, le=1, description="share of nulls that a made-up column has")
    unique: bool | None = Field(None, description="no value twice")
    pattern: str | None = Field(None, description="regular expression that made-up values match")
    locale: str | None = Field(None, description="Faker locale of made-up values, such as de_DE")
    provider: str | None = Field(None, description="Faker provider of made-up values, such as company")
    distribution: str | dict[str, dict[str, Any]] | None = Field(
        None, description="{name: {parameter: value}}: uniform, normal, or any of scipy.stats"
    )
    weights: dict[str, Finite] | None = Field(None, description="categories and their relative weights")
    sequence: Counter | None = None
    expr: str | None = Field(None, description="expression over other columns of the row")


@dataclass(frozen=True)
class Column:
    """One column: what the spec declared of it, kept apart from what was inferred. storage: the Arrow type at the
    source.
    """

    name: str
    declared: Traits = field(default_factory=lambda: Traits())
    inferred: Traits = field(default_factory=lambda: Traits())
    storage: str = "string"

    def get(self, trait: str) -> Any:
        """The declared value of a trait, else the inferred one, else None."""
        value = getattr(self.declared, trait)
        return getattr(self.inferred, trait) if value is None else value

    @property
    def kind(self) -> str:
        """Its type; text where nobody said anything."""
        return self.get("type") or "text"


@dataclass(frozen=True)
class Schema:
    """Columns in order. unit: the column that names the privacy unit, None for the row itself."""

    columns: tuple[Column, ...]
    unit: str | None = None

    @property
    def names(self) -> list[str]:
        return [c.name for c in self.columns]

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary that `from_json` reads back."""
        dump = lambda t: t.model_dump(mode="json", exclude_none=True, by_alias=True)  # noqa: E731
        columns = [
            {"name": c.name, "declared": dump(c.declared), "inferred": dump(c.inferred), "storage": c.storage}
            for c in self.columns
        ]
        return {"unit": self.unit, "columns": columns}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Schema:
        columns = [
            Column(c["name"], Traits.model_validate(c["declared"]), Traits.model_validate(c["inferred"]), c["storage"])
            for c in data["columns"]
        ]
        return cls(tuple(columns), data["unit"])


class Dataset(ABC):
    """Records of one modality with their schema."""

    schema: Schema

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def chunks(self, rows: int = BLOCK) -> Iterator[Dataset]:
        """The records in order, `rows` at a time."""

    @abstractmethod
    def split(
        self, fractions: Mapping[str, float], *, rng: np.random.Generator, stratify_by: str | None = None
    ) -> dict[str, Any]:
        """Disjoint parts by name; all records of a privacy unit fall into one part. Fractions of units, summing to
        1.
        """


@dataclass(frozen=True)
class Limits:
    """What a fit may take: minutes of wall time and gigabytes of resident memory; None: no limit."""

    minutes: float | None = None
    memory_gb: float | None = None


class Progress(Protocol):
    """Whoever shows progress: `done` of `total` steps of a named piece of work."""

    def __call__(self, label: str, done: float, total: float, note: str = "") -> None: ...


def silent(label: str, done: float, total: float, note: str = "") -> None:
    """A Progress that shows nothing."""


@dataclass
class Job:
    """What a fit may use besides data: named streams, a work folder, the device, progress, limits.

    A fit calls `going(...)` between steps. When it answers False, a limit is reached: the fit stops there and returns
    the best model that it has, or raises LimitReached when it has none.
    """

    seed: int = 0
    folder: Path | None = None
    device: str = "cpu"
    limits: Limits = field(default_factory=Limits)
    progress: Progress = silent
    target: str | None = (
        None  # the column that a model of the data will be asked to predict: methods may take special care of it
    )
    started: float = field(default_factory=time.monotonic)
    reached: str | None = None  # the limit that stopped the fit, in words

    def stream(self, *names: object) -> np.random.Generator:
        """The random stream of this job with that name."""
        return seeds.stream(self.seed, *names)

    def going(self, label: str, done: float, total: float, note: str = "") -> bool:
        """Report progress; False once a limit is reached."""
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
class Request:
    """How many records a model is asked for."""

    rows: int

    @property
    def blocks(self) -> int:
        return -(-self.rows // BLOCK)

    def size(self, block: int) -> int:
        """Records of that block."""
        return min(BLOCK, self.rows - block * BLOCK)


@dataclass(frozen=True)
class Allowed:
    """Values that a column may take: from low to high (numbers and times), or one of `values`; None: no such bound.
    null: may be null.
    """

    low: Any = None
    high: Any = None
    values: frozenset[Any] | None = None
    null: bool = False


@dataclass(frozen=True)
class Given:
    """What is asked of each row before it is drawn. rows: how many there are.

    frame: known columns (canonical dtypes, `rows` rows), those of them that the model does not have are no use to it;
    known: (rows, columns of frame) bool, None where every cell is known, nulls too. allowed: column -> what every row
    may hold there.
    """

    rows: int
    frame: Any = None
    known: np.ndarray | None = None
    allowed: Mapping[str, Allowed] = field(default_factory=dict)


class Model(ABC):
    """A fitted generator. It needs neither the data nor the spec to sample."""

    COMPLETES = False  # whether `complete` draws rows from their distribution given what is known of them

    @abstractmethod
    def sample(self, request: Request, block: int, *, rng: np.random.Generator) -> Dataset:
        """The records of one block, `request.size(block)` of them; they depend on (model, block, rng) alone."""

    def complete(self, given: Given, start: int, *, rng: np.random.Generator) -> Dataset:
        """Rows that agree with what is given, at positions start... of the output; the rest follows the distribution
        given that.

        Known cells come back as they are. `allowed` steers: a row may still break it where the model knows of no such
        value, so whoever asks looks.
        """
        raise NotImplementedError(f"{type(self).__name__} does not complete rows")

    @property
    def merged(self) -> dict[str, int]:
        """Column -> rare categories that were merged away before anything was learned."""
        return {}

    @property
    def clipped(self) -> dict[str, int]:
        """Column -> rows whose value was moved to the nearest one that several privacy units reach, before anything was
        learned.
        """
        return {}

    def made_up(self, rows: int, start: int, *, rng: np.random.Generator) -> Mapping[str, Any] | None:
        """Columns that are made up by position (keys, say), for rows at positions start... of the output: name ->
        values.

        For whoever leaves rows out, so that keys stay unique and in a row. None where they cannot be made apart from
        the other columns.
        """
        return None

    def check(self, request: Request) -> None:  # noqa: B027 - most models can make any number of rows
        """Raise SpecError at once for a request that `sample` would refuse on the way, such as more unique keys than
        there are.
        """

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write arrays and JSON that the method's `load(folder)` reads back; nothing that could run code."""


@dataclass(frozen=True)
class Dial:
    """The one scalar between fidelity and privacy: a parameter, its two ends (in its own units), a log or a linear
    scale.
    """

    param: str
    fidelity: float
    privacy: float
    log: bool = True

    def move(self, value: float, towards: float, other: float | None) -> float:
        """The next value towards an end: half way (on the scale) to it, or to `other` where the answer lies between the
        two.
        """
        goal = towards if other is None else other
        if self.log:
            return float(np.sqrt(value * goal))
        return (value + goal) / 2


class Method(Protocol):
    """A module in a floor's methods/: its file name is its name in the spec."""

    MODALITY: str
    MODES: frozenset[str]
    NEEDS_DATA: bool
    EXTRA: str | None  # the extra whose packages it needs
    TRUSTED_LOAD: bool  # True where the saved model is a pickle, which is loaded only when this user's own run wrote it
    DIAL: Dial | None
    Params: type[BaseModel]

    def fit(self, data: Dataset, params: Any, *, job: Job) -> Model: ...

    def load(self, folder: Path) -> Model: ...


@dataclass(frozen=True)
class Usage:
    """What making the synthetic data took: seconds, peak bytes of resident memory, bytes of the saved model."""

    fit_seconds: float
    sample_seconds: float
    rows: int
    peak_memory: int
    model_bytes: int


@dataclass(frozen=True)
class Fairness:
    """A target made independent of sensitive columns. train, control: real records as they are; synthetic: all that was
    made; before: synthetic records of the same model without that request. None: there is none."""

    target: str
    sensitive: tuple[str, ...]
    synthetic: Any
    train: Any = None
    control: Any = None
    before: Any = None


@dataclass(frozen=True)
class Downstream:
    """What the user's own application said of the synthetic data. code: its exit code, None where it did not end in
    time.
    """

    command: str
    code: int | None
    seconds: float


@dataclass(frozen=True)
class Evidence:
    """All that a judge may look at. `control` are real records that no fit has seen: the validation or the holdout
    part.

    `baseline` is what columns drawn independently from train would give; floor and baseline are measured when `full`.
    """

    schema: Schema
    synthetic: Any
    train: Any = None
    control: Any = None
    baseline: Any = None
    target: str | None = None
    constraints: tuple[Any, ...] = ()
    usage: Usage | None = None
    full: bool = True  # False while refinement steers: no floors, no baselines
    preserve: tuple[str, ...] = ()  # properties that matter here, as written in the spec
    fairness: Fairness | None = None
    downstream: Downstream | None = None


@dataclass(frozen=True)
class Measurement:
    """One figure. low, high: its 95 % interval. floor: what real unseen data get; baseline: what independent columns
    get; control: the same attack where it must find nothing. scope: overall, column, pair, rule, subgroup or property;
    `of` names which.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    scope: str = "overall"
    of: str | None = None
    unit: str = ""
    better: Better = "higher"
    floor: float | None = None
    baseline: float | None = None
    control: float | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """A dictionary without what is not given; NaN and infinities become None."""
        plain = {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in self.__dict__.items()}
        return {k: v for k, v in plain.items() if v not in (None, "") or k == "value"}


@dataclass(frozen=True)
class Gauge:
    """What a metric module can measure: a name, which way is better, what it needs (train, control, target,
    constraints, …).
    """

    name: str
    better: Better
    needs: frozenset[str]
    help: str
    unit: str = ""


class Metric(Protocol):
    """A module in metrics/ or attacks/: GAUGES, and `measure(evidence, *, rng)`."""

    GAUGES: Sequence[Gauge]

    def measure(self, evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]: ...


@dataclass(frozen=True)
class Gate:
    """A bound on a metric. bound=interval asks the unfavourable end of the interval; of=floor scales it by the
    real-data floor.
    """

    metric: str
    min: float | None = None
    max: float | None = None
    severity: Literal["error", "warn"] = "error"
    bound: Literal["interval", "value"] = "interval"
    of: Literal["floor"] | None = None


@dataclass(frozen=True)
class Outcome:
    """A gate beside what was measured. margin: how far inside the bound, negative when it fails; None when
    unmeasured.
    """

    gate: Gate
    passed: bool
    measurement: Measurement | None
    margin: float | None
    why: str
