"""Infer column types: from Arrow types if the source has them, from spelling if it is text.

Types and formats are inferred from all rows of a source (`parse`), so that every row can be read. Other traits (`look`:
decimals, the shape and uniqueness of keys) are inferred from the rows passed in: in a run, the train part. The minimum
and maximum of a column belong to individuals and are not stored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthcli.columns import frame as frames
from synthcli.columns import spelling
from synthcli.columns.as_written import floored
from synthcli.columns.codec.spelled_numbers import looks_mixed
from synthcli.columns.constraints.computed import decimals_of
from synthcli.columns.discovery import free_text, shapes
from synthcli.columns.discovery import keys as key_columns
from synthcli.columns.fake import check_digits
from synthcli.columns.pii import protect as pii_protect
from synthcli.columns.pii import same_look
from synthcli.contracts.schema import Column, Schema, Spelling, Traits
from synthcli.errors import DataError
from synthcli.wording import agreeing, quantity


def infer(
    table: pa.Table,
    declared: Mapping[str, Traits],
    *,
    unit: str | None = None,
    text: bool = False,
    protect: bool = True,
) -> tuple[Schema, pd.DataFrame]:
    """The schema of a table and its canonical frame: `parse`, then a `look` at all rows."""
    schema, frame = parse(table, declared, unit=unit, text=text, protect=protect)
    return look(schema, frame), frame


def parse(
    table: pa.Table,
    declared: Mapping[str, Traits],
    *,
    unit: str | None = None,
    text: bool = False,
    protect: bool = True,
    holder: str | None = None,
) -> tuple[Schema, pd.DataFrame]:
    """Infer the types of a table's columns and convert it to a canonical frame. Pass the schema to `look` before
    storing it.

    text: whether all cells are strings, as in csv.

    protect: generate undeclared direct identifiers instead of learning them (columns/pii/protect.py). holder: the
    column that stands for the privacy unit of a row, by default `unit`. Raises DataError
    with the column, a value and the remedy if a declared type does not fit.
    """
    columns, values = [], {}
    for name in table.column_names:
        said = declared.get(name, Traits())
        try:
            _check_unit(said, name == unit)
            column, values[name] = (_from_text if text else _from_arrow)(name, table[name], said, name == unit)
        except DataError as error:
            raise DataError(f"column {name} {error}") from None
        columns.append(column)
    schema, frame = Schema(tuple(columns), unit), pd.DataFrame(values)
    return pii_protect.protect(schema, frame, holder or unit) if protect else (schema, frame)


def read_again(table: pa.Table, schema: Schema) -> pd.DataFrame:
    """The canonical frame of rows that were written as their source spells them. table: of a typed file."""
    spelled = [c for c in schema.columns if c.spelling is not None and c.spelling.forms and c.kind in frames.MODELLED]
    plain = Schema(tuple(c for c in schema.columns if c not in spelled))
    frame = frames.to_frame(table.select(plain.names), plain)
    said = {c.name: Traits(type=c.kind, format=c.get("format")) for c in spelled}
    _, own = parse(table.select(list(said)), said, protect=False)
    known = {c.name: own[c.name].astype(_dtype(c)) for c in spelled}
    return frame.assign(**known)[schema.names]


def _dtype(column: Column) -> Any:
    """The dtype of a column in canonical frames."""
    return frames.series(pa.chunked_array([], type=frames.arrow_type(column.storage)), column.kind).dtype


def look(schema: Schema, frame: pd.DataFrame, *, learned: Collection[str] = ()) -> Schema:
    """Add traits beyond types and formats to the schema, inferred from the rows: which columns are keys, decimals,
    shapes. frame: canonical, from `parse`; learned: columns that are never keys.
    """
    schema = key_columns.as_ids(schema, key_columns.find(schema, frame, learned=learned))
    return replace(schema, columns=tuple(_look(column, frame[column.name].dropna()) for column in schema.columns))


def _look(column: Column, known: pd.Series) -> Column:
    """Infer the traits of a column from its non-null values."""
    seen = column.inferred.model_dump(exclude_none=True, by_alias=True)
    if column.kind == "float" and not column.storage.startswith("decimal"):
        spelled = seen.pop("precision", None)
        numbers = known.to_numpy(dtype=float)
        decimals = _decimals(numbers) if spelled is None else _decimals(numbers, spelled, largest=np.inf)
        seen["precision"] = spelled if decimals is None else decimals
    if column.kind == "id":
        seen["unique"] = bool(known.is_unique)
        seen["check"] = check_digits.recognised(known)
    if _has_shape(column, seen) and known.dtype == frames.STRING:
        seen["pattern"] = shapes.pattern(known) or (shapes.runs(known) if column.kind == "id" else None)
    if column.kind == "word" and column.declared.pattern is None and known.dtype == frames.STRING:
        seen["pattern"] = same_look.pattern(known)
    if column.kind == "text" and seen.get("pattern") is None and known.dtype == frames.STRING:
        seen = free_text.look(known) | seen
    if column.kind == "id" and "max" in seen and len(known):
        seen |= pii_protect.digits(known)
    return replace(column, inferred=Traits.model_validate({k: v for k, v in seen.items() if v is not None}))


def _has_shape(column: Column, seen: Mapping[str, Any]) -> bool:
    """Whether the pattern of a column describes its values; columns generated in place of personal data have another
    pattern.
    """
    if column.kind == "id":
        return True
    return column.kind == "text" and "pattern" in seen and seen["pattern"] not in pii_protect.PATTERNS.values()


def _check_unit(said: Traits, is_unit: bool) -> None:
    """Raise DataError if the privacy unit has a declared type that a generator would learn."""
    if is_unit and said.type in frames.MODELLED:
        raise DataError(
            f"is the privacy_unit, which is generated and never learned, but is declared {said.type}; remedy: type: id"
        )


def _from_arrow(name: str, array: pa.ChunkedArray, said: Traits, is_unit: bool) -> tuple[Column, pd.Series]:
    kind = frames.kind_of(array.type)
    want = spelling.typed_by(said) if kind in (None, "integer") else said.type
    if want in frames.NUMBERS | {"boolean"} and kind is None:  # declared, but stored as strings
        return _from_text(name, array, said, is_unit, stored=True)
    if kind is None and not is_unit and _is_open(said):
        column, data = _from_text(name, array, said, is_unit, stored=True)
        if data.dtype != frames.STRING or column.spelling is not None:
            return column, data
    whole = kind == "integer" and not is_unit and want in (None, "datetime")
    if whole and (dated := _dated(name, array, said, want)) is not None:
        return dated
    if pa.types.is_null(array.type):
        kind = want or "category"
    if array.type == pa.uint64() and len(array) and (pc.max(array).as_py() or 0) > 2**63 - 1:
        raise DataError("holds unsigned integers beyond 2^63 - 1; remedy: store it as a string")
    fits = {"integer": {"integer", "float", "boolean"}, "float": {"float", "integer"}, "boolean": {"boolean"}}
    if want in frames.NUMBERS | {"boolean"} and kind != want and kind not in fits.get(want, ()):
        raise DataError(f"is stored as {array.type}; columns.{name}.type says {want}")
    try:
        data = frames.series(array, want or kind or "category")
    except pa.ArrowInvalid as error:
        raise DataError(f"cannot be read as {want or kind}: {error}") from None
    storage = array.type
    if want == "float" and kind == "integer":
        data, storage = data.astype("float64"), pa.float64()
    if want == "integer" and kind in ("float", "boolean"):
        data, storage = _whole(data), pa.int64()
    if (want or kind) == "datetime" and said.format is not None:
        data = floored(data, said.format)
    return _column(name, data, str(storage), said, kind, is_unit)


def _is_open(said: Traits) -> bool:
    """Whether the spec leaves the type of a column to its strings."""
    return said.type is None and said.format is None and said.categories is None and said.rare is None


def _dated(name: str, array: pa.ChunkedArray, said: Traits, want: str | None) -> tuple[Column, pd.Series] | None:
    """A column of integers that are dates, such as 20240623; None if they are not, and none are declared."""
    if array.type not in (pa.int32(), pa.int64(), pa.uint32()) or (want is None and not _is_open(said)):
        return None
    ends = pc.min_max(array).as_py()
    if want is None and (ends["min"] is None or len(str(ends["min"])) != len(str(ends["max"])) or ends["min"] < 190001):
        return None
    column, data = _from_text(name, array.cast(pa.string()), said, False, stored=True)
    if column.kind != "datetime":
        return None
    form = column.get("format")
    return replace(column, spelling=Spelling(((form, 1.0),), storage=str(array.type))), data


def _whole(data: pd.Series) -> pd.Series:
    numbers = data.astype("Float64")
    broken = numbers[(numbers % 1 != 0).fillna(False)]
    if len(broken):
        raise DataError(f"is declared an integer and holds {broken.iloc[0]}; remedy: type: float")
    return numbers.astype("Int64")


def _from_text(
    name: str, array: pa.ChunkedArray, said: Traits, is_unit: bool, *, stored: bool = False
) -> tuple[Column, pd.Series]:
    """Infer the type of a text column from its distinct values, then map the parsed values back to the rows. stored:
    whether the source has types, and holds strings here.
    """
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    coded = pc.dictionary_encode(array.cast(pa.string())).combine_chunks()
    if isinstance(coded, pa.ChunkedArray):  # no chunks
        coded = pa.array([], pa.string()).dictionary_encode()
    words = np.asarray(coded.dictionary.to_pylist(), dtype=object)
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    keys = (is_unit and said.type is None) or (said.type == "id" and said.pattern is None)
    counts, nulls = np.bincount(codes[codes >= 0], minlength=len(words)), int((codes < 0).sum())
    found = (
        spelling.parse_keys(words) if keys else spelling.tell(words, said, counts=counts, nulls=nulls, stored=stored)
    )
    kind, parsed = found.kind, found.values
    date = kind == "datetime" and spelling.is_date(found.traits.get("format", "%H"))
    if date:
        parsed = parsed.dt.as_unit("s")  # the in-memory form of a date32
    lookup = pd.concat([parsed.reset_index(drop=True), pd.Series([None], dtype=parsed.dtype)], ignore_index=True)
    data = lookup.take(np.where(codes < 0, len(words), codes)).reset_index(drop=True)
    storage = "date32[day]" if date else "string" if kind == "category" else str(pa.Array.from_pandas(lookup).type)
    column, data = _column(name, data, storage, said, None if kind == "category" else kind, is_unit, found.traits)
    how = found.spelling
    if found.unsure and (kind != "category" or column.kind not in ("id", *frames.MODELLED)):
        how = replace(how or Spelling(), unsure=found.unsure)
    return replace(column, spelling=how), data


def _column(
    name: str,
    data: pd.Series,
    storage: str,
    said: Traits,
    kind: str | None,
    is_unit: bool,
    traits: dict[str, Any] | None = None,
) -> tuple[Column, pd.Series]:
    """Decide between category, text and id if the type leaves it open, and record the traits."""
    seen: dict[str, Any] = dict(traits or {})
    known = data.dropna()
    distinct = known.nunique()
    seen["type"] = _role(name, known, distinct, kind, is_unit)
    final = said.type or seen["type"]
    if final in frames.NUMBERS:
        _check_bounds(name, known, final, said)
    if final == "float" and said.precision is not None:
        seen.pop("format", None)  # it would truncate the declared decimals
    if final == "float" and storage.startswith("decimal"):
        seen["precision"] = int(storage.rstrip(")").rpartition(", ")[2])
    if final == "id":
        data, storage = _keys(data, storage)
        known = data.dropna()
        seen["unique"] = bool(distinct == len(known))
    elif (
        final not in frames.MODELLED
        and data.dtype != frames.STRING
        and not (final == "date_of_birth" and kind == "datetime")
    ):
        data, storage = data.astype(frames.STRING), "string"
    if final in ("id", "text") and data.dtype == frames.STRING and (pattern := shapes.pattern(known)):
        seen["pattern"] = pattern
    return Column(name, said, Traits.model_validate(seen), storage), data


def _check_bounds(name: str, known: pd.Series, kind: str, said: Traits) -> None:
    """Raise DataError for an invalid bound and for values beyond it, except declared point masses (missing codes)."""
    if kind in ("integer", "float"):
        known = known[~known.isin(Column(name, said).point_masses)]
    for key, word in (("min", "below"), ("max", "above")):
        if (declared := getattr(said, key)) is None:
            continue
        bound = _bound(f"columns.{name}.{key}", declared, kind, getattr(known.dtype, "tz", None))
        broken = known[known < bound] if key == "min" else known[known > bound]
        if len(broken):
            beyond = (
                f"{len(broken):,} of {quantity(len(known), 'value')} {agreeing(len(broken), 'lies', 'lie')} {word} its"
                f" declared {key} {declared}, such as {broken.iloc[0]}"
            )
            raise DataError(f"breaks its bound: {beyond}; remedy: correct columns.{name}.{key}, or fix the source")


def _bound(key: str, declared: float | str, kind: str, zone: Any) -> Any:
    """Convert a declared bound to the column's kind."""
    what = {"datetime": "a date such as 2024-12-31", "timedelta": "a duration such as 1h or 2d"}.get(kind, "a number")
    try:
        if kind in ("integer", "float") and not isinstance(declared, str):
            return declared
        if kind == "timedelta" and isinstance(declared, str):
            return pd.Timedelta(declared)
        if kind == "datetime" and isinstance(declared, str):
            moment = pd.to_datetime(declared, format="ISO8601")
            return (
                moment.tz_localize(zone)
                if zone is not None and moment.tz is None
                else moment.tz_localize(None)
                if zone is None
                else moment
            )
    except ValueError:
        pass
    raise DataError(f"is of type {kind}, and {key} is {declared!r}; expected {what}")


def _keys(data: pd.Series, storage: str) -> tuple[pd.Series, str]:
    """Identifiers as integers or strings. Floats become integers if all are whole: pandas stores integers with nulls as
    floats.
    """
    if data.dtype in (frames.STRING, "Int64"):
        return data, storage
    known = data.dropna()
    if data.dtype == "float64" and ((known % 1 == 0) & (known.abs() < 2**53)).all():
        return data.astype("Int64"), "int64"
    return data.astype(frames.STRING), "string"


def _role(name: str, known: pd.Series, distinct: int, kind: str | None, is_unit: bool) -> str:
    rows = len(known)
    if is_unit or (
        kind in ("integer", None) and key_columns.NAMED.search(name) and distinct > 0.9 * rows and rows >= 10
    ):
        return "id"
    if kind is not None:
        return kind
    if looks_mixed(known):
        return "category"
    if (
        rows >= 20
        and distinct == rows
        and not known.str.contains(" ", regex=False).any()
        and shapes.pattern(known)
        and not spelling.date_like(known)
    ):
        return "id"
    length = float(known.str.len().mean()) if rows else 0.0
    if rows >= 50 and (distinct > 0.9 * rows or (length > 40 and distinct > 0.5 * rows)):
        return "text"
    return "category"


def _decimals(values: np.ndarray, most: int = 8, *, largest: float = 1e7) -> int | None:
    """The fewest decimals that represent all values, at most `most`; None if they need full float precision."""
    some = values[np.isfinite(values)]
    if not len(some) or np.abs(some).max() > largest:
        return None
    return decimals_of(some, most)
