"""Independent columns: the best-fitting scipy.stats family for each number, frequencies for each category.

Families are fitted by maximum likelihood on at most 5,000 values and compared by the Bayesian information criterion
(Schwarz 1978). The model is a name and a few numbers per column, which a person can read, for simulation and
documentation.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from synthcli.columns.codec.codec import Codec, Values
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Job
from synthcli.tabular.model import CodedModel, draw_codes, encode, frequencies, restore

MODALITY = "tabular"
MODES = frozenset({"none"})
CAN: frozenset[str] = frozenset()
EXTRA = None
TRUSTED_LOAD = False
WARNING: str | None = None
DIAL = None
FAMILIES = (
    "norm",
    "uniform",
    "expon",
    "gamma",
    "lognorm",
    "beta",
    "weibull_min",
    "laplace",
    "logistic",
    "t",
    "gumbel_r",
    "gumbel_l",
)
MOST = 5_000  # maximum number of values for fitting a family
LEAST = 8  # with fewer values, only the uniform is fitted


class Params(BaseModel):
    """families: the candidates."""

    model_config = ConfigDict(extra="forbid")
    families: tuple[str, ...] = Field(
        FAMILIES, min_length=1, description="scipy.stats continuous distributions to choose from, by their scipy names"
    )


class Parametric(CodedModel):
    """Fitted columns. families: part -> {family, parameters (shapes, loc, scale), low, high}; codes: part -> cumulative
    frequencies.
    """

    def __init__(self, codec: Codec, families: dict[str, dict[str, Any]], codes: dict[str, np.ndarray]) -> None:
        super().__init__(codec)
        self.families, self.codes = families, codes

    def draw(self, rows: int, *, rng: np.random.Generator) -> Values:
        from scipy import stats

        out: Values = {}
        for part, stream in zip(self.codec.parts, rng.spawn(len(self.codec.parts))):
            u = stream.random(rows)
            if part.is_code:
                out[part.name] = draw_codes(self.codes[part.name], u)
                continue
            family = self.families[part.name]
            frozen = getattr(stats, family["family"])(*family["parameters"])
            # truncate to the observed range by inversion: clipping would create point masses at its ends
            with np.errstate(over="ignore", invalid="ignore"):  # overflow is clipped
                first, last = frozen.cdf(family["low"]), frozen.cdf(family["high"])
                numbers = frozen.ppf(first + u * (last - first))
            out[part.name] = np.clip(np.nan_to_num(numbers, nan=family["low"]), family["low"], family["high"])
        return out

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        names = list(self.codes)
        return {f"c{i}": self.codes[n] for i, n in enumerate(names)}, {"codes": names, "families": self.families}


def fit(data: Table, params: Params, *, job: Job) -> Parametric:
    """Choose a family for each number. Raises FitError for a family unknown to scipy."""
    _check(params.families)
    codec, values = encode(data, job)
    families: dict[str, dict[str, Any]] = {}
    codes = {}
    for i, part in enumerate(codec.parts):
        x = values[part.name]
        if part.is_code:
            codes[part.name] = frequencies(x, part.size)
        elif job.going("columns", i, len(codec.parts), part.name):
            families[part.name] = best_family(x[~np.isnan(x)], params.families, rng=job.stream("fit", part.name))
        else:  # a limit is reached: use the simplest family for the remaining numbers
            families[part.name] = best_family(x[~np.isnan(x)], ("uniform",), rng=job.stream("fit", part.name))
    return Parametric(codec, families, codes)


def load(folder: Path) -> Parametric:
    """Load the model that `save` wrote."""
    codec, arrays, plain = restore(folder)
    return Parametric(codec, plain["families"], {n: arrays[f"c{i}"] for i, n in enumerate(plain["codes"])})


def best_family(values: np.ndarray, families: tuple[str, ...], *, rng: np.random.Generator) -> dict[str, Any]:
    """The family of smallest BIC with its parameters and the observed range. values: (n,) without NaN."""
    from scipy import stats

    if len(values) == 0:
        values = np.zeros(1)
    low, high = float(values.min()), float(values.max())
    plain = {
        "family": "uniform",
        "parameters": [low, min(max(high - low, 1e-12), float(np.finfo(float).max))],
        "low": low,
        "high": high,
    }
    if len(values) < LEAST or low == high:
        return plain
    some = values if len(values) <= MOST else rng.choice(values, MOST, replace=False)
    best, least = plain, np.inf
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name in families:
            family = getattr(stats, name)
            try:
                parameters = [float(p) for p in family.fit(some)]
            except (stats.FitError, ValueError, RuntimeError, ArithmeticError):
                continue  # the family cannot be fitted to these values
            score = len(parameters) * np.log(len(some)) - 2 * float(np.sum(family.logpdf(some, *parameters)))
            first, last = family.cdf([low, high], *parameters)
            if np.isfinite(score) and score < least and last > first:
                best, least = {"family": name, "parameters": parameters, "low": low, "high": high}, score
    return best


def _check(families: tuple[str, ...]) -> None:
    from scipy import stats

    from synthcli.errors import FitError, did_you_mean

    known = [n for n in dir(stats) if isinstance(getattr(stats, n), stats.rv_continuous)]
    for name in families:
        if name not in known:
            raise FitError(
                "generator.params.families: scipy.stats has no continuous distribution"
                f" {name!r}.{did_you_mean(name, known)}"
            )
