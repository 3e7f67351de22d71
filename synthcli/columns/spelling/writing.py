"""Write the values of a column as its source does: in its formats, with its words for missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli import seeds
from synthcli.columns import frame as frames
from synthcli.columns.spelling import dates, durations, numbers
from synthcli.contracts.schema import Column, Schema, Spelling, Traits


def texts(values: pd.Series, kind: str, form: str) -> list[str]:
    """Non-null values in one format."""
    if kind == "boolean":
        true, _, false = form.partition("|")
        return [true if value else false for value in values.tolist()]
    if kind == "datetime":
        return [str(w) for w in dates.written(values, form)]
    if kind == "timedelta" and durations.is_format(form):
        return durations.write(_micros(values), form)
    if kind in ("integer", "float") and (number := numbers.form_of(form)) is not None:
        return number.write(values.to_numpy(dtype=np.int64 if kind == "integer" else np.float64))
    if kind == "float":
        return [repr(float(value)) for value in values]
    return [str(value) for value in values]


def exact(values: pd.Series, kind: str, form: str) -> np.ndarray:
    """Whether a format writes each of the non-null values without loss. (rows,) bool"""
    if kind == "boolean":
        true, _, false = form.partition("|")
        return values.to_numpy(dtype=bool) if not false else ~values.to_numpy(dtype=bool) if not true else _all(values)
    if kind == "datetime":
        read, bad = dates.some_moments(texts(values, kind, form), form)
        return ~bad & (_moments(read) == _moments(values))
    if kind == "timedelta" and durations.is_format(form):
        back = durations.read(texts(values, kind, form), form)
        return np.array([a == b for a, b in zip(back, _micros(values).tolist())], dtype=bool)
    if kind in ("integer", "float") and (number := numbers.form_of(form)) is not None:
        return number.exact(values.to_numpy(dtype=np.float64))
    return _all(values)


def _moments(values: pd.Series) -> np.ndarray:
    """Datetimes in UTC, those without a zone as they are. (rows,) datetime64[us]"""
    plain = values.dt.tz_convert("UTC").dt.tz_localize(None) if values.dt.tz is not None else values
    return plain.astype("datetime64[us]").to_numpy()


def _all(values: pd.Series) -> np.ndarray:
    return np.ones(len(values), dtype=bool)


def _micros(values: pd.Series) -> np.ndarray:
    return values.astype("timedelta64[us]").to_numpy().view(np.int64)


def words(values: pd.Series, column: Column, rng: np.random.Generator) -> pd.Series:
    """The words of a column, formats and words for missing drawn by their shares. values: canonical."""
    spelling = column.spelling
    assert spelling is not None
    codes, distinct = pd.factorize(values)
    known = pd.Series(distinct).reset_index(drop=True)
    kind = column.kind if known.dtype != frames.STRING else "text"
    chosen = _chosen(spelling, known, kind, codes, rng)
    out = np.full(len(values), None, dtype=object)
    for place, (form, _) in enumerate(spelling.forms):
        rows = np.flatnonzero((chosen == place) & (codes >= 0))
        used, where = np.unique(codes[rows], return_inverse=True)
        out[rows] = np.array([*texts(known.iloc[used], kind, form), None], dtype=object)[where]
    gaps = np.flatnonzero(codes < 0)
    if spelling.missing and len(gaps):
        tokens = [word for word, _ in spelling.missing]
        share = np.array([size for _, size in spelling.missing], dtype=np.float64)
        out[gaps] = np.array(tokens, dtype=object)[rng.choice(len(tokens), len(gaps), p=share / share.sum())]
    out[out == ""] = None
    return pd.Series(pd.array(out, dtype=frames.STRING))


def _chosen(spelling: Spelling, known: pd.Series, kind: str, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The format of each row. (rows,) int64"""
    last = len(spelling.forms) - 1
    chosen = np.full(len(codes), last, dtype=np.int64)
    if last < 1 or kind == "text":
        return chosen
    free = codes >= 0
    for place, (form, share) in enumerate(spelling.forms[:-1]):
        able = np.append(exact(known, kind, form), False)[codes]
        rows = rng.permutation(np.flatnonzero(free & able))
        take = rows[: int(share * len(rows) + rng.random())]
        chosen[take], free[take] = place, False
    return chosen


def as_source(chunks: Iterator[pd.DataFrame], schema: Schema) -> tuple[Iterator[pd.DataFrame], Schema]:
    """Chunks, and their schema, in which columns with a spelling hold what the source would hold: text, or integers.
    Draws are keyed by column and position, so that the same rows give the same bytes.
    """
    spelled = [c for c in schema.columns if c.spelling is not None and c.spelling.forms]
    if not spelled:
        return chunks, schema
    own = {c.name: _written_column(c) for c in spelled}
    return _written(chunks, spelled), replace(schema, columns=tuple(own.get(c.name, c) for c in schema.columns))


def _written_column(column: Column) -> Column:
    assert column.spelling is not None
    storage = column.spelling.storage
    kind = "integer" if pa.types.is_integer(frames.arrow_type(storage)) else "category"
    return Column(column.name, Traits(type=kind), storage=storage)


def _written(chunks: Iterator[pd.DataFrame], columns: list[Column]) -> Iterator[pd.DataFrame]:
    start = 0
    for chunk in chunks:
        own = {}
        for column in columns:
            rng = seeds.stream(0, "spelling", column.name, start)
            cells = words(chunk[column.name], column, rng).set_axis(chunk.index)
            assert column.spelling is not None
            whole = pa.types.is_integer(frames.arrow_type(column.spelling.storage))
            own[column.name] = pd.to_numeric(cells).astype("Int64") if whole else cells
        start += len(chunk)
        yield chunk.assign(**own)
