"""What judges see and say: evidence, measurements, metrics and gates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from synthcli.contracts.schema import Schema

Better = Literal["higher", "lower", "half"]  # half: 0.5 is ideal


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
