"""What a Python program gives instead of files: a mapping as the spec, DataFrames as the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from synthcli.errors import SpecError
from synthcli.sources import frame
from synthcli.spec import models, yaml

if TYPE_CHECKING:
    import pyarrow as pa

SINGLE = ""  # the name of the only table
_PLACE = {*models.Place.model_fields, "type", "name"}  # what a DataFrame stands for


def document(spec: Mapping[str, Any]) -> yaml.Document:
    """A spec given as a mapping, read by the same rules as a file. Raises SpecError for values that YAML has not."""
    text = yaml.dump(dict(spec), "the spec")
    return replace(yaml.parse(text, "the spec"), lines={})


def tables_of(data: Any) -> dict[str, pa.Table]:
    """DataFrames by table name; SINGLE for one alone. Raises DataError, SpecError."""
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        return {SINGLE: frame.to_arrow(data)}
    if not data:
        raise SpecError("data has no tables; expected a DataFrame, or a mapping of names to DataFrames")
    odd = [name for name in data if not isinstance(name, str) or not name or "." in name]
    if odd:
        raise SpecError(f"data: {odd[0]!r} is not a table name; expected a word without a dot")
    return {name: frame.to_arrow(each, f"the DataFrame {name}") for name, each in data.items()}


def with_tables(whole: yaml.Document, tables: Mapping[str, pa.Table]) -> yaml.Document:
    """The document with DataFrames in place of what its source names. Raises SpecError if they do not fit together."""
    if not tables or not isinstance(whole.data, dict):
        return whole
    source = whole.data.get("source") or {}
    if not isinstance(source, dict):
        return whole  # reported when the spec is validated
    if SINGLE in tables:
        if "tables" in source:
            raise SpecError(
                f"data is one DataFrame, and source.tables ({whole.at(('source', 'tables'))}) has several tables;"
                " remedy: data={NAME: DataFrame, …}"
            )
        return _with_source(whole, {**_kept(source), "type": "frame"})
    declared = source.get("tables")
    declared = declared if isinstance(declared, dict) else {}
    given = {name: {**_kept(declared.get(name) or {}), "type": "frame"} for name in tables}
    return _with_source(whole, {**_kept(source), "tables": {**declared, **given}})


def lacking(spec: models.Spec, tables: Mapping[str, pa.Table]) -> list[tuple[yaml.Path_, str]]:
    """Sources of type frame without a DataFrame, as problems."""
    why = "stands for a DataFrame, which only Python can give; remedy: synthcli.execute(spec, data=DataFrame)"
    named = [(("source", "tables", name), name, each.type) for name, each in (spec.source.tables or {}).items()]
    wanted: Sequence[tuple[tuple[str, ...], str, str | None]] = [(("source",), SINGLE, spec.source.type), *named]
    return [((*path, "type"), why) for path, name, type_ in wanted if type_ == "frame" and name not in tables]


def _kept(source: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in source.items() if key not in _PLACE}


def _with_source(whole: yaml.Document, source: Mapping[str, Any]) -> yaml.Document:
    return replace(whole, data={**whole.data, "source": dict(source)})
