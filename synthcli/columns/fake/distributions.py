"""Draw numbers from named distributions, truncated by inverting the distribution function between the bounds (clipping
would pile up values there).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthcli.errors import SpecError, did_you_mean


@dataclass(frozen=True)
class Form:
    """A distribution by its common name: parameters with defaults (None: required), and its scipy form."""

    params: Mapping[str, float | None]
    build: Callable[..., tuple[str, dict[str, float]]]
    valid: Callable[..., str | None] = lambda **_: None


def _positive(*names: str) -> Callable[..., str | None]:
    return lambda **given: next(
        (f"{n} is {given[n]:g}; expected a number above 0" for n in names if not given[n] > 0), None
    )


def _share(**given: float) -> str | None:
    return None if 0 <= given["p"] <= 1 else f"p is {given['p']:g}; expected a share from 0 to 1"


def _ordered(**given: float) -> str | None:
    low, high = given["low"], given["high"]
    if not low < high:
        return f"low {low:g} is not below high {high:g}"
    mode = given.get("mode", low)
    return None if low <= mode <= high else f"mode {mode:g} is not between low {low:g} and high {high:g}"


def _trials(**given: float) -> str | None:
    return (
        _share(**given)
        if given["n"] >= 0 and given["n"] == int(given["n"])
        else f"n is {given['n']:g}; expected a whole number from 0"
    )


FORMS: dict[str, Form] = {
    "uniform": Form(
        {"low": None, "high": None}, lambda low, high: ("uniform", {"loc": low, "scale": high - low}), _ordered
    ),
    "normal": Form(
        {"mean": 0.0, "std": 1.0}, lambda mean, std: ("norm", {"loc": mean, "scale": std}), _positive("std")
    ),
    "lognormal": Form(
        {"mean": None, "sigma": None},
        lambda mean, sigma: ("lognorm", {"s": sigma, "scale": float(np.exp(mean))}),
        _positive("sigma"),
    ),
    "exponential": Form({"mean": None}, lambda mean: ("expon", {"scale": mean}), _positive("mean")),
    "poisson": Form({"mean": None}, lambda mean: ("poisson", {"mu": mean}), _positive("mean")),
    "binomial": Form({"n": None, "p": None}, lambda n, p: ("binom", {"n": n, "p": p}), _trials),
    "bernoulli": Form({"p": None}, lambda p: ("bernoulli", {"p": p}), _share),
    "beta": Form({"a": None, "b": None}, lambda a, b: ("beta", {"a": a, "b": b}), _positive("a", "b")),
    "gamma": Form(
        {"shape": None, "scale": 1.0},
        lambda shape, scale: ("gamma", {"a": shape, "scale": scale}),
        _positive("shape", "scale"),
    ),
    "triangular": Form(
        {"low": None, "mode": None, "high": None},
        lambda low, mode, high: ("triang", {"c": (mode - low) / (high - low), "loc": low, "scale": high - low}),
        _ordered,
    ),
    "pareto": Form(
        {"shape": None, "scale": 1.0},
        lambda shape, scale: ("pareto", {"b": shape, "scale": scale}),
        _positive("shape", "scale"),
    ),
    "weibull": Form(
        {"shape": None, "scale": 1.0},
        lambda shape, scale: ("weibull_min", {"c": shape, "scale": scale}),
        _positive("shape", "scale"),
    ),
    "geometric": Form(
        {"p": None},
        lambda p: ("geom", {"p": p}),
        lambda p: None if 0 < p <= 1 else f"p is {p:g}; expected a share above 0, up to 1",
    ),
    "negative_binomial": Form({"n": None, "p": None}, lambda n, p: ("nbinom", {"n": n, "p": p}), _trials),
    "zipf": Form(
        {"a": None}, lambda a: ("zipf", {"a": a}), lambda a: None if a > 1 else f"a is {a:g}; expected a number above 1"
    ),
    "student_t": Form(
        {"df": None, "loc": 0.0, "scale": 1.0},
        lambda df, loc, scale: ("t", {"df": df, "loc": loc, "scale": scale}),
        _positive("df", "scale"),
    ),
}
LOCATIONS = frozenset({"low", "high", "mode", "mean", "loc"})  # parameters that are dates for a datetime
WIDTHS = frozenset({"std", "scale"})  # parameters that are durations for a datetime


@dataclass(frozen=True)
class Law:
    """A distribution with its parameters. whole: its values are integers."""

    name: str
    frozen: Any
    whole: bool

    def draw(self, rows: int, low: float | None, high: float | None, *, rng: np.random.Generator) -> np.ndarray:
        """Draw numbers between low and high, both inclusive; None: no bound. (rows,) float64"""
        if low is None and high is None:
            try:
                return np.asarray(self.frozen.rvs(size=rows, random_state=rng), dtype=float)
            except (ValueError, TypeError, OverflowError) as error:  # parameters that numpy does not support
                raise SpecError(f"{self.name} cannot draw numbers with these parameters: {error}") from error
        mass = self._mass(low, high)
        if mass is None:
            raise SpecError(f"{self.name} has no probability between min {low} and max {high}")
        bottom, top, upper = mass
        share = bottom + (top - bottom) * rng.random(rows)
        # whole numbers: a share of exactly cdf(low - 1) would belong to the number below
        values = np.asarray((self.frozen.isf if upper else self.frozen.ppf)(share), dtype=float)
        return np.clip(values, low, high)  # only rounding at the ends

    def reaches(self, low: float | None, high: float | None) -> bool:
        """Whether the distribution has any probability between the bounds."""
        return self._mass(low, high) is not None

    def _mass(self, low: float | None, high: float | None) -> tuple[float, float, bool] | None:
        """The probability up to each bound; computed from the upper tail if the bounds lie there, because 1 - cdf would
        lose digits.
        """
        below = None if low is None else low - 1 if self.whole else low
        upper = below is not None and self.frozen.cdf(below) > 0.5
        if upper:
            bottom, top = (0.0 if high is None else float(self.frozen.sf(high))), float(self.frozen.sf(below))
        else:
            bottom, top = (
                (0.0 if below is None else float(self.frozen.cdf(below))),
                (1.0 if high is None else float(self.frozen.cdf(high))),
            )
        return (bottom, top, upper) if top > bottom else None


def parse(
    said: str | Mapping[str, Mapping[str, Any]],
    low: Any,
    high: Any,
    *,
    whole: bool,
    number: Callable[[str, Any], float],
) -> Law:
    """Parse a `distribution`. low, high: the bounds of a `uniform` without parameters. whole: for integers, with both
    bounds of uniform inclusive.

    number: reads a parameter (name, value) and raises SpecError. Raises SpecError; the caller prefixes its message with
    the column.
    """
    name, given = (said, {}) if isinstance(said, str) else _only(said)
    if name == "uniform" and not {"loc", "scale"} & set(given):
        given = {"low": low, "high": high} | given
        given = {k: v for k, v in given.items() if v is not None}
    form = FORMS.get(name)
    stats_names = _scipy_params(name)
    if form is None and stats_names is None:
        known = sorted(FORMS)
        near = did_you_mean(name, known) or did_you_mean(name, _scipy_names())
        raise SpecError(f"unknown distribution {name!r}.{near} Known: {', '.join(known)}, and those of scipy.stats")
    if name == "exponential" and "rate" in given and "mean" not in given:
        rate = number("rate", given["rate"])
        if not rate > 0:
            raise SpecError(f"exponential: rate is {rate:g}; expected a number above 0")
        given = {"mean": 1 / rate} | {k: v for k, v in given.items() if k != "rate"}
    if form is not None and (
        stats_names is None or set(given) <= set(form.params) or not set(given) <= set(stats_names)
    ):
        return _friendly(name, form, _numbers(name, given, form.params, number), whole)
    assert stats_names is not None
    return _scipy(name, _numbers(name, given, stats_names, number))


def _only(said: Mapping[str, Mapping[str, Any]]) -> tuple[str, dict[str, Any]]:
    if len(said) != 1:
        raise SpecError(
            f"names {len(said)} distributions ({', '.join(said)}); expected one, such as {{normal: {{mean: 0, std:"
            " 1}}"
        )
    name, given = next(iter(said.items()))
    return name, dict(given or {})


def _numbers(
    name: str, given: Mapping[str, Any], params: Mapping[str, float | None], number: Callable[[str, Any], float]
) -> dict[str, float]:
    """All parameters as numbers, with defaults filled in."""
    accepted = ", ".join(p if d is None else f"{p} (default {d:g})" for p, d in params.items()) + (
        " or rate" if name == "exponential" else ""
    )
    for param in given:
        if param not in params:
            raise SpecError(f"{name} has no parameter {param!r}.{did_you_mean(param, params)} It takes: {accepted}")
    missing = [p for p, default in params.items() if default is None and p not in given]
    if missing:
        raise SpecError(f"{name} needs {' and '.join(missing)}; it takes: {accepted}")
    return {p: number(p, given[p]) if p in given else float(d or 0) for p, d in params.items()}


def _friendly(name: str, form: Form, values: dict[str, float], whole: bool) -> Law:
    if whole and name == "uniform":
        if values["low"] > values["high"]:
            raise SpecError(f"uniform: low {values['low']:g} is above high {values['high']:g}")
        low, high = int(np.ceil(values["low"])), int(np.floor(values["high"]))
        return _scipy("randint", {"low": low, "high": high + 1})
    if problem := form.valid(**values):
        raise SpecError(f"{name}: {problem}")
    scipy_name, params = form.build(**values)
    return _scipy(scipy_name, params, shown=name)


def _scipy(name: str, values: dict[str, float], shown: str | None = None) -> Law:
    from scipy import stats

    whole = isinstance(getattr(stats, name), stats.rv_discrete)
    # numpy requires integers for counts such as the n of a binomial
    frozen = getattr(stats, name)(
        **{k: int(v) if whole and float(v).is_integer() and abs(v) < 2**53 else v for k, v in values.items()}
    )
    if not np.isfinite(frozen.cdf(0.0)) or np.isnan(frozen.ppf(0.5)):
        raise SpecError(
            f"{shown or name}: {', '.join(f'{k}={v:g}' for k, v in values.items())} are not valid parameters of"
            f" scipy.stats.{name}"
        )
    return Law(shown or name, frozen, whole)


def _scipy_params(name: str) -> dict[str, float | None] | None:
    """Parameters of a scipy.stats distribution: shapes, loc and, if it has one, scale; None for an unknown
    distribution.
    """
    from scipy import stats

    found = getattr(stats, name, None) if isinstance(name, str) and name.isidentifier() else None
    if not isinstance(found, stats.rv_continuous | stats.rv_discrete):
        return None
    shapes: dict[str, float | None] = {s.strip(): None for s in (found.shapes or "").split(",") if s.strip()}
    return shapes | {"loc": 0.0} | ({"scale": 1.0} if isinstance(found, stats.rv_continuous) else {})


def _scipy_names() -> list[str]:
    from scipy import stats

    return sorted(n for n in dir(stats) if isinstance(getattr(stats, n), stats.rv_continuous | stats.rv_discrete))
