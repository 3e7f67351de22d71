"""Data types of the evaluation: evidence, measurements, metrics and gates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from synthcli.contracts.schema import Schema

Better = Literal["higher", "lower", "half"]  # half: 0.5 is best


@dataclass(frozen=True)
class Usage:
    """The cost of generating the synthetic data: seconds, peak bytes of resident memory, bytes of the saved model."""

    fit_seconds: float
    sample_seconds: float
    rows: int
    peak_memory: int
    model_bytes: int


@dataclass(frozen=True)
class Fairness:
    """A target that was generated independent of sensitive columns. train, control: real records; synthetic: all
    generated records; before: synthetic records of the same model without the fairness constraint. None if not
    available.
    """

    target: str
    sensitive: tuple[str, ...]
    synthetic: Any
    train: Any = None
    control: Any = None
    before: Any = None


@dataclass(frozen=True)
class Downstream:
    """The result of running the user's own application on the synthetic data. code: its exit code, None if it timed
    out.
    """

    command: str
    code: int | None
    seconds: float


@dataclass(frozen=True)
class Evidence:
    """The input of metrics and attacks. `control` are real records that no fit has seen: the validation or the holdout
    part.

    `baseline` are records with columns drawn independently from train. Floor and baseline are measured if `full`.
    `written` are all generated records as a reader of the output gets them: the chunks of each copy.
    """

    schema: Schema
    synthetic: Any
    train: Any = None
    control: Any = None
    baseline: Any = None
    target: str | None = None
    constraints: tuple[Any, ...] = ()
    usage: Usage | None = None
    full: bool = True  # False during refinement: no floors, no baselines
    preserve: tuple[str, ...] = ()  # properties that matter here, as written in the spec
    fairness: Fairness | None = None
    downstream: Downstream | None = None
    written: tuple[Iterable[Any], ...] = ()


@dataclass(frozen=True)
class Measurement:
    """The value of a metric. low, high: its 95 % interval; floor: the value for unseen real data; baseline: the value
    for independent columns; control: the same attack on records that it cannot know; scope: overall, column, pair,
    rule, subgroup or property; `of` names which one. measurable: False if the real data do not show what the metric
    compares with, whatever the synthetic data are; value is None then, as it is after an error. cause: why no generator
    can improve the value, with the ways out.
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
    measurable: bool = True
    cause: str = ""

    def to_json(self) -> dict[str, Any]:
        """A dictionary without missing fields; NaN and infinities become None."""
        plain = {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in self.__dict__.items()}
        if self.measurable:
            del plain["measurable"]
        return {k: v for k, v in plain.items() if v not in (None, "") or k == "value"}


@dataclass(frozen=True)
class Gauge:
    """A metric that a module can measure: its name, which direction is better, the evidence that it needs (train,
    control, target, constraints, …).
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
    """A bound on a metric. bound: interval tests the unfavourable end of the interval, favourable the other one; of:
    floor scales the bound by the real-data floor. strict: the spec says `severity: error` itself, so that a metric that
    is not measurable fails.
    """

    metric: str
    min: float | None = None
    max: float | None = None
    severity: Literal["error", "warn"] = "error"
    bound: Literal["interval", "value", "favourable"] = "interval"
    of: Literal["floor"] | None = None
    strict: bool = False


@dataclass(frozen=True)
class Outcome:
    """The verdict on a gate. passed: None if the metric is not measurable; margin: distance inside the bound, negative
    if the gate fails; None if unmeasured.
    """

    gate: Gate
    passed: bool | None
    measurement: Measurement | None
    margin: float | None
    why: str
