"""Import existing metadata of tables, one module per format: SDV metadata, dbt, ODCS and data contracts,
JSON Schema, SQL DDL.

Each room has `recognise(data)` and `read(data)`: data is the text of a .sql file, and what JSON or YAML spells of any
other.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthcli.errors import SpecError, did_you_mean
from synthcli.init.imports.shared import Imported
from synthcli.spec import yaml

FORMATS = ("sdv", "dbt", "odcs", "jsonschema", "ddl")
MOST_BYTES = 20_000_000

__all__ = ["FORMATS", "Imported", "load", "tables"]


def load(path: Path, columns: Sequence[str], *, stem: str = "", format: str | None = None) -> Imported:
    """The table of a metadata file that describes data with these columns. stem: the data's own name. Raises SpecError.

    Of several tables: the one of that name, else the one that shares most columns.
    """
    found = tables(path, format)
    known = {name.lower() for name in columns}

    def fits(table: Imported) -> tuple[bool, int, int]:
        own = {name.lower() for name in table.columns}
        return bool(own & known) and str(table.table or "").lower() == stem.lower(), len(own & known), -len(own - known)

    best = max(found, key=fits, default=None)
    if best is None or not fits(best)[1]:
        names = ", ".join(str(t.table) for t in found if t.table) or "no table"
        raise SpecError(
            f"{path}: describes none of the columns of the data ({', '.join(list(columns)[:8])}); it has {names};"
            " remedy: another --from"
        )
    return best.renamed({name.lower(): name for name in columns})


def tables(path: Path, format: str | None = None) -> list[Imported]:
    """All tables of a metadata file, whose format is detected. Raises SpecError for an unknown one."""
    data = _read(path)
    if format is not None and format not in FORMATS:
        raise SpecError(f"--format is {format}; expected one of {', '.join(FORMATS)}.{did_you_mean(format, FORMATS)}")
    for name in FORMATS if format is None else (format,):
        room = importlib.import_module(f"synthcli.init.imports.{name}")
        if room.recognise(data):
            return list(room.read(data))
    known = "SDV metadata (json), a dbt schema.yml, an ODCS or data contract, a JSON Schema or SQL with CREATE TABLE"
    why = "is in none of the known formats" if format is None else f"does not look like {format}"
    raise SpecError(f"{path} {why}; expected {known}; remedy: --from with one of these")


def _read(path: Path) -> Any:
    """Read a file: SQL as text, JSON and YAML as parsed values."""
    text = yaml.read_text(path, most=MOST_BYTES, kind="metadata")
    if path.suffix.lower() in (".sql", ".ddl"):
        return text
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        if path.suffix.lower() == ".json":
            raise SpecError(f"{path} is not valid JSON: {error}") from None
    if path.suffix.lower() in (".yaml", ".yml"):
        return yaml.parse(text, str(path)).data
    return text
