"""Column types by looking: from Arrow types where the source has them, from spelling where it is text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthcli.columns import frame as frames
from synthcli.contracts import Column, Schema, Traits
from synthcli.errors import DataError

NULLS = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL", "Null", "<NA>", "None", "#N/A"})  # among numbers, dates, booleans
TEXT_NULLS = frozenset({"", "NaN", "nan", "null", "NULL", "<NA>"})  # among words, where NA or None may be a value
DATE_FORMATS = (
    "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
    "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%m/%d/%Y", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M",
    "%d/%m/%Y", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y",
)  # fmt: skip
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d{0,18})")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_FLOAT = re.compile(r"[+-]?((0|[1-9]\d{0,17})|(0|[1-9]\d*)\.\d*|\.\d+)([eE][+-]?\d+)?")  # no codes: leading zeros, too many digits
_KEY_NAME = re.compile(r"(^|[_\W])(id|ids|key|uuid|guid|uid)$|[a-z]Id$|ID$", re.IGNORECASE)


def infer(table: pa.Table, declared: Mapping[str, Traits], *, unit: str | None = None, text: bool = False) -> tuple[Schema, pd.DataFrame]:
    """The schema of a table and its canonical frame. text: cells are spelled values (csv), all of them strings.

    Raises DataError that names the column, a value and the remedy where a declared type does not fit.
    """
    columns, values = [], {}
    for name in table.column_names:
        said = declared.get(name, Traits())
        try:
            column, values[name] = (_from_text if text else _from_arrow)(name, table[name], said, name == unit)
        except DataError as error:
            raise DataError(f"column {name} {error}") from None
        columns.append(column)
    return Schema(tuple(columns), unit), pd.DataFrame(values)


def _from_arrow(name: str, array: pa.ChunkedArray, said: Traits, is_unit: bool) -> tuple[Column, pd.Series]:
    kind = frames.kind_of(array.type)
    want = said.type
    if want in frames.NUMBERS | {"boolean"} and kind is None:  # declared, but stored as words
        return _from_text(name, array, said, is_unit)
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
    return _column(name, data, str(storage), said, kind, is_unit)


def _whole(data: pd.Series) -> pd.Series:
    numbers = data.astype("Float64")
    broken = numbers[(numbers % 1 != 0).fillna(False)]
    if len(broken):
        raise DataError(f"is declared an integer and holds {broken.iloc[0]}; remedy: type: float")
    return numbers.astype("Int64")


def _from_text(name: str, array: pa.ChunkedArray, said: Traits, is_unit: bool) -> tuple[Column, pd.Series]:
    """A column of spelled values: decided on its distinct values, then mapped back to the rows."""
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    coded = pc.dictionary_encode(array.cast(pa.string())).combine_chunks()
    if isinstance(coded, pa.ChunkedArray):  # no chunk at all
        coded = pa.array([], pa.string()).dictionary_encode()
    words = np.asarray(coded.dictionary.to_pylist(), dtype=object)
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    kind, parsed, traits = _parse(words, said, name, typed=said.type)
    lookup = pd.concat([parsed.reset_index(drop=True), pd.Series([None], dtype=parsed.dtype)], ignore_index=True)
    data = lookup.take(np.where(codes < 0, len(words), codes)).reset_index(drop=True)
    storage = str(pa.Array.from_pandas(lookup).type) if kind not in ("category", "text") else "string"
    if kind == "datetime" and traits.get("format") in {"%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y"}:
        storage = "date32[day]"
    return _column(name, data, storage, said, None if kind in ("category", "text") else kind, is_unit, traits)


def _parse(words: np.ndarray, said: Traits, name: str, typed: str | None) -> tuple[str, pd.Series, dict[str, Any]]:
    """The kind of distinct spelled values, the values themselves (same order, NA where null), and traits seen on the way."""
    null = np.array([w is None or w.strip() in NULLS for w in words], dtype=bool)
    real = [w.strip() for w in words[~null]]
    if said.categories is not None and typed in (None, "category") and all(isinstance(c, (int, float)) for c in said.categories):
        typed = "category"
    if typed in (None, "integer", "category") and real and all(_INTEGER.fullmatch(w) and -(2**63) <= int(w) < 2**63 for w in real):
        if typed != "category" or (said.categories is not None and not isinstance(said.categories[0], str)):
            return "integer", _spread(null, pd.array([int(w) for w in real], dtype="Int64")), {}
    if typed in (None, "float") and real and all((_NUMBER if typed else _FLOAT).fullmatch(w) for w in real):
        decimals = max((len(w.partition(".")[2]) if "e" not in w.lower() else 15 for w in real), default=0)
        traits = {"precision": min(decimals, 15)} if decimals <= 12 else {}
        return "float", _spread(null, np.array([float(w) for w in real])), traits
    if typed in (None, "boolean") and real and {w.lower() for w in real} <= {"true", "false"}:
        spelled = {w.lower(): w for w in real}
        spelling = f"{spelled.get('true', 'true')}|{spelled.get('false', 'false')}"
        return "boolean", _spread(null, pd.array([w.lower() == "true" for w in real], dtype="boolean")), {"format": spelling}
    if typed == "boolean" and real:
        return _spelled_boolean(null, real, said)
    if typed in (None, "datetime") and real and (found := _date_format(real, said.format)):
        parsed = pd.to_datetime(pd.Series(real, dtype=object), format=found, utc=found.endswith("%z") or None).dt.as_unit("us")
        if found.endswith("Z"):
            parsed = parsed.dt.tz_localize("UTC")
        return "datetime", _spread(null, parsed.array), {"format": found}
    if typed == "timedelta" and real:
        parsed = pd.to_timedelta(pd.Series(real, dtype=object), errors="coerce")
        if parsed.notna().all():
            return "timedelta", _spread(null, parsed.dt.as_unit("us").array), {}
    if typed in frames.NUMBERS | {"boolean"} and real:
        broken = next((w for w in real if not _reads_as(w, typed, said.format)), real[0])
        remedy = "give its format, such as format: '%d.%m.%Y'" if typed == "datetime" and said.format is None else "type: category, or mend the source"
        raise DataError(f"is declared {typed} and holds {broken!r}; remedy: {remedy}")
    if typed in frames.NUMBERS | {"boolean"}:
        empty = {"integer": "Int64", "float": "float64", "boolean": "boolean", "datetime": "datetime64[us]", "timedelta": "timedelta64[us]"}[typed]
        return typed, pd.Series([None] * len(words), dtype=empty), {}
    blank = np.array([w is None or w.strip() in TEXT_NULLS for w in words], dtype=bool)
    return "category", pd.Series(pd.array(np.where(blank, None, words), dtype=frames.STRING)), {}


def _spread(null: np.ndarray, values: Any) -> pd.Series:
    """Values back at the places that are not null."""
    positions = np.where(null, -1, np.cumsum(~null) - 1)
    return pd.Series(pd.api.extensions.take(pd.array(values) if not isinstance(values, np.ndarray) else values, positions, allow_fill=True))


def _spelled_boolean(null: np.ndarray, real: list[str], said: Traits) -> tuple[str, pd.Series, dict[str, Any]]:
    yes, _, no = (said.format or "").partition("|")
    pairs = [(yes, no)] if no else [("yes", "no"), ("y", "n"), ("t", "f"), ("1", "0")]
    for true, false in pairs:
        if {w.lower() for w in real} <= {true.lower(), false.lower()}:
            spelled = {w.lower(): w for w in real}
            spelling = f"{spelled.get(true.lower(), true)}|{spelled.get(false.lower(), false)}"
            return "boolean", _spread(null, pd.array([w.lower() == true.lower() for w in real], dtype="boolean")), {"format": spelling}
    raise DataError(f"is declared boolean and holds {sorted(set(real))[:3]}; remedy: give its spelling, such as format: 'J|N'")


def _reads_as(word: str, kind: str, format_: str | None) -> bool:
    if kind == "integer":
        return bool(_INTEGER.fullmatch(word))
    if kind == "float":
        return bool(_NUMBER.fullmatch(word))
    if kind == "timedelta":
        return bool(pd.notna(pd.to_timedelta(word, errors="coerce")))
    return _date_format([word], format_) is not None


def _date_format(words: list[str], declared: str | None) -> str | None:
    """The first format that reads all of the words; a few are tried before all."""
    if declared is None and not re.search(r"\d[-/.: ]\w", words[0]):
        return None
    for candidate in [declared] if declared else DATE_FORMATS:
        some = words[:: max(1, len(words) // 50)]
        for part in (some, words):
            parsed = pd.to_datetime(pd.Series(part, dtype=object), format=candidate, errors="coerce", utc=candidate.endswith("%z") or None)
            if not parsed.notna().all():
                break
        else:
            return candidate
    return None


def _column(
    name: str, data: pd.Series, storage: str, said: Traits, kind: str | None, is_unit: bool, traits: dict[str, Any] | None = None
) -> tuple[Column, pd.Series]:
    """Decide between category, text and id where the type alone does not, and note what can be seen."""
    seen: dict[str, Any] = dict(traits or {})
    known = data.dropna()
    distinct = known.nunique()
    seen["type"] = _role(name, known, distinct, kind, is_unit)
    final = said.type or seen["type"]
    if final in ("integer", "float") and len(known):
        low, high = known.min(), known.max()
        seen["min"], seen["max"] = (int(low), int(high)) if final == "integer" else (float(low), float(high))
        if final == "float" and "precision" not in seen and (decimals := _decimals(known.to_numpy(dtype=float))) is not None:
            seen["precision"] = decimals
    if final == "float" and storage.startswith("decimal"):
        seen["precision"] = int(storage.rstrip(")").rpartition(", ")[2])
    if final in ("id", "text") and data.dtype == frames.STRING and (pattern := _pattern(known)):
        seen["pattern"] = pattern
    if final == "id":
        seen["unique"] = bool(distinct == len(known))
    if final not in frames.MODELLED and data.dtype != frames.STRING and final != "id":
        data, storage = data.astype(frames.STRING), "string"
    return Column(name, said, Traits.model_validate(seen), storage), data


def _role(name: str, known: pd.Series, distinct: int, kind: str | None, is_unit: bool) -> str:
    rows = len(known)
    if kind in ("integer", None) and (is_unit or (_KEY_NAME.search(name) and distinct > 0.9 * rows and rows >= 10)):
        return "id"
    if kind is not None:
        return kind
    if rows >= 20 and distinct == rows and not known.str.contains(" ", regex=False).any() and _pattern(known):
        return "id"
    length = float(known.str.len().mean()) if rows else 0.0
    if rows >= 50 and (distinct > 0.9 * rows or (length > 40 and distinct > 0.5 * rows)):
        return "text"
    return "category"


def _decimals(values: np.ndarray, most: int = 8) -> int | None:
    """The fewest decimals that all values have; None where they use the whole precision of a float."""
    some = values[np.isfinite(values)]
    if not len(some) or np.abs(some).max() > 1e7:
        return None
    for decimals in range(most + 1):
        if np.all(np.abs(np.round(some, decimals) - some) <= 1e-12 * np.maximum(1, np.abs(some))):
            return decimals
    return None


def _pattern(known: pd.Series) -> str | None:
    """A regular expression for strings of one shape, such as [A-Z]{2}-\\d{6}; None where their shapes differ."""
    if not len(known):
        return None
    some = known.iloc[:: max(1, len(known) // 2000)].astype(str)
    if some.str.fullmatch(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}").all():
        return r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    if not some.str.len().nunique() == 1 or len(some.iloc[0]) > 64:
        return None
    places = np.array([list(w) for w in some])
    classes = []
    for place in places.T:
        letters = set(place)
        if len(letters) == 1 and not next(iter(letters)).isalnum():
            classes.append(re.escape(place[0]))
        elif all(x.isdigit() and x.isascii() for x in letters):
            classes.append(r"\d")
        elif all(x.isalpha() and x.isascii() and x.isupper() for x in letters):
            classes.append(re.escape(place[0]) if len(letters) == 1 and len(some) >= 20 else "[A-Z]")
        elif all(x.isalpha() and x.isascii() and x.islower() for x in letters):
            classes.append(re.escape(place[0]) if len(letters) == 1 and len(some) >= 20 else "[a-z]")
        elif all(x.isalnum() and x.isascii() for x in letters):
            classes.append("[A-Za-z0-9]" if any(x.islower() for x in letters) else "[A-Z0-9]")
        else:
            return None
    return _squeeze(classes)


def _squeeze(classes: list[str]) -> str:
    """Repeated classes counted: ['\\d', '\\d'] becomes \\d{2}."""
    out, i = [], 0
    while i < len(classes):
        j = i
        while j < len(classes) and classes[j] == classes[i]:
            j += 1
        out.append(classes[i] + (f"{{{j - i}}}" if j - i > 1 else ""))
        i = j
    return "".join(out)
