"""Synthetic rows in the library and the types of the DataFrame that they stand for."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from synthcli.pipeline.run import Run


def like(data: Any, run: Run) -> Any:
    """The rows of a run as the type of `data`: pandas, polars or pyarrow; for a mapping of DataFrames, a mapping."""
    if isinstance(data, Mapping):
        frames = run.frames()
        return {name: _one(data.get(name), frame, run, name) for name, frame in frames.items()}
    return _one(data, run.frame(), run, None)


def _one(data: Any, frame: pd.DataFrame, run: Run, table: str | None) -> Any:
    library = type(data).__module__.partition(".")[0]
    if library == "pyarrow":
        return run.arrow(table)
    if library == "polars":
        return importlib.import_module("polars").from_arrow(run.arrow(table))
    if not isinstance(data, pd.DataFrame):
        return frame
    own = run.spelled(table)
    return _pandas(data, frame.assign(**{name: own[name] for name in own}))


def _pandas(data: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """The columns with the types of data where their values fit, and its named index."""
    index = [name for name in data.index.names if name is not None]
    whole = data.reset_index(level=index) if index else data
    typed = pd.DataFrame({name: _typed(frame[name], whole.get(name)) for name in frame.columns})
    return typed.set_index(index) if index and set(index) <= set(typed.columns) else typed


def _typed(values: pd.Series, original: pd.Series | None) -> pd.Series:
    if original is None:
        return values
    if isinstance(original.dtype, pd.CategoricalDtype):
        return _categories(values, original.dtype)
    with contextlib.suppress(TypeError, ValueError):  # missing values do not fit a plain type: keep the nullable one
        return values.astype(original.dtype)
    return values


def _categories(values: pd.Series, original: pd.CategoricalDtype) -> pd.Series:
    """Categories in their order, but only those that occur: the others may be words of single persons."""
    occurring = set(values.dropna().unique())
    kept = [word for word in original.categories if word in occurring]
    kept += sorted(occurring - set(kept), key=str)
    return values.astype(pd.CategoricalDtype(kept, ordered=original.ordered))
