"""Synthetic data from DataFrames in one call, and an estimator for notebooks and pipelines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from sklearn.base import BaseEstimator

from synthcli.errors import GateClosed, SpecError
from synthcli.init.related.relationships import find
from synthcli.pipeline import frame_types
from synthcli.pipeline.events import Events
from synthcli.pipeline.execute import execute
from synthcli.pipeline.run import Run
from synthcli.sources.frame import to_arrow
from synthcli.spec.load import load_spec

Spec = str | Path | Mapping[str, Any] | None
TARGET = "target"  # the name of a y that has none


def fit(
    data: Any,
    spec: Spec = None,
    *,
    root: str | Path = "artifacts",
    sets: str | Sequence[str] = (),
    keep_failed: bool = False,
    trust: bool = False,
    events: Events | None = None,
) -> Run:
    """Train on a DataFrame, or on several related ones by name, and judge the result: the whole loop of `synth run`.

    spec: the other keys, as a mapping or a file; None for the defaults. The relationships of several tables are found
    where the spec names none. Options as in `execute`. A run whose gates failed is returned, see `Run.passed`. Raises
    SynthError for whatever a user can fix.
    """
    if isinstance(data, Mapping):
        data = {name: to_arrow(each, f"the DataFrame {name}") for name, each in data.items()}
        spec = with_relationships(data, spec)
    loaded = load_spec(spec, sets, data=data)
    return execute(loaded, root=root, keep_failed=keep_failed, trust=trust, events=events)


def synthesize(
    data: Any,
    spec: Spec = None,
    *,
    rows: int | None = None,
    root: str | Path = "artifacts",
    sets: str | Sequence[str] = (),
    keep_failed: bool = False,
    trust: bool = False,
    events: Events | None = None,
) -> Any:
    """The synthetic copy of a DataFrame, in the same library and types; of a mapping of DataFrames, a mapping.

    rows: to generate; default: as many as data has. Raises GateClosed when a gate failed (unless keep_failed), and
    SynthError for whatever a user can fix.
    """
    more = () if rows is None else (f"generate.rows={rows}",)
    sets = ((sets,) if isinstance(sets, str) else tuple(sets)) + more
    run = fit(data, spec, root=root, sets=sets, keep_failed=keep_failed, trust=trust, events=events)
    if not keep_failed:
        _require_passed(run)
    return frame_types.like(data, run)


class Synthesizer(BaseEstimator):
    """An estimator that learns a table and samples synthetic rows, with the conventions of scikit-learn.

    spec: keys of the spec as a mapping, or a file; random_state: the seed; root: folder of the run folders;
    keep_failed: whether to sample from a run whose gates failed. After `fit`: `run_`, the run with its verdict;
    `feature_names_in_` and `n_features_in_`.
    """

    def __init__(
        self,
        spec: Spec = None,
        *,
        random_state: int | None = None,
        root: str | Path = "artifacts",
        keep_failed: bool = False,
    ) -> None:
        self.spec = spec
        self.random_state = random_state
        self.root = root
        self.keep_failed = keep_failed

    def fit(self, X: Any, y: Any = None) -> Synthesizer:
        """Train on the rows of a DataFrame and judge the result. y: a further column, which becomes the target.

        Raises GateClosed when a gate failed (unless keep_failed).
        """
        data, keys = (X, self.spec) if y is None else _with_target(X, y, self.spec)
        sets = () if self.random_state is None else (f"seed={self.random_state}",)
        self.run_ = fit(data, keys, root=self.root, sets=sets, keep_failed=self.keep_failed)
        if not self.keep_failed:
            _require_passed(self.run_)
        if not isinstance(X, Mapping):
            self.feature_names_in_ = list(X.columns)
            self.n_features_in_ = len(self.feature_names_in_)
        return self

    def sample(self, n_samples: int | None = None, *, where: str | None = None, random_state: int | None = None) -> Any:
        """Synthetic rows: those of the run, or n_samples from its model. where: true of every row.

        Each random_state gives other rows; None: the next one that this object has not used.
        """
        if not hasattr(self, "run_"):
            raise SpecError("this Synthesizer is not fitted; remedy: fit(DataFrame) first")
        if n_samples is None and where is None and random_state is None:
            return self.run_.frames() if self.run_.related else self.run_.frame()
        if random_state is None:
            self.drawn_ = getattr(self, "drawn_", 0) + 1
            random_state = self.run_.seed + self.drawn_
        rows = self.run_.rows if n_samples is None else n_samples
        return self.run_.generate(rows, where=where, seed=random_state, keep_failed=self.keep_failed)

    def fit_sample(self, X: Any, y: Any = None, n_samples: int | None = None) -> Any:
        """`fit`, then `sample`."""
        return self.fit(X, y).sample(n_samples)


def with_relationships(tables: Mapping[str, pa.Table], spec: Spec) -> Spec:
    """The spec with the relationships that are found between tables, unless it names some or is a file."""
    if spec is not None and not isinstance(spec, Mapping):
        return spec
    keys = dict(spec or {})
    source = keys.get("source") or {}
    if not isinstance(source, Mapping) or "relationships" in source:
        return spec
    frames = {name: table.to_pandas() for name, table in tables.items()}
    found = [relationship.keys_of_spec() for relationship in find(frames).relationships]
    return {**keys, "source": {**source, "relationships": found}} if found else spec


def _require_passed(run: Run) -> None:
    if run.passed:
        return
    failed = ", ".join((run.verdict or {}).get("failed", ()))
    raise GateClosed(
        f"{run.version.name} failed its gates ({failed}), so no rows are returned; remedy: look at"
        f" {run.version.folder / 'report.html'}, change the spec, or keep_failed=True"
    )


def _with_target(X: Any, y: Any, spec: Spec) -> tuple[pd.DataFrame, Spec]:
    """The rows with y as their last column, and a spec that names it as the target."""
    if not isinstance(X, pd.DataFrame):
        raise SpecError(f"y needs a pandas DataFrame as X, which is a {type(X).__name__}; remedy: one DataFrame with y")
    name = getattr(y, "name", None) or TARGET
    if name in X.columns:
        raise SpecError(f"X already has a column {name!r}; remedy: another name for y")
    whole = X.assign(**{name: y.to_numpy() if hasattr(y, "to_numpy") else y})
    if spec is not None and not isinstance(spec, Mapping):
        return whole, spec
    keys = dict(spec or {})
    return whole, {**keys, "evaluate": {"target": name, **dict(keys.get("evaluate") or {})}}
