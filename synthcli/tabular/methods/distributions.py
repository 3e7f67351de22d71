"""Columns generated from the spec alone: distributions, weights, sequences, expressions, fake values. Uses no data.

A column without a recipe gets a default if only one makes sense: a boolean and a column with `categories` are uniform,
a number or date with both `min` and `max` is uniform between them, ids and types such as name get fake values. Without
a `format`, dates have a resolution of seconds; with a format without a time of day, a resolution of days.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from synthcli import seeds
from synthcli.columns import frame as frames
from synthcli.columns.constraints.computed import check_result
from synthcli.columns.expressions import compile
from synthcli.columns.expressions.order import evaluation_order
from synthcli.columns.fake import generate as fake
from synthcli.columns.fake import persons, recipes, relative
from synthcli.columns.pii import sexes
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Dataset, Job, Model, Request
from synthcli.contracts.schema import Column, Schema
from synthcli.errors import SpecError, did_you_mean

MODALITY = "tabular"
MODES = frozenset({"none"})
CAN: frozenset[str] = frozenset({"without_data"})
EXTRA = None
TRUSTED_LOAD = False
WARNING: str | None = None
DIAL = None

RECIPES = ("expr", "after", "sequence", "weights", "distribution", "pattern", "provider")
TYPES = frames.MODELLED | fake.MADE
_STORAGE = {"boolean": "bool", "integer": "int64", "float": "double", "timedelta": "duration[us]"}
_TYPE_OF_RESULT = {"boolean": "boolean", "number": "float", "datetime": "datetime", "timedelta": "timedelta"}


class Params(BaseModel):
    """No parameters: the columns of the spec describe everything."""

    model_config = ConfigDict(extra="forbid")


class DistributionsModel(Model):
    """A model of the schema alone. key: seeds the bijections behind unique values, the same for all blocks."""

    def __init__(self, schema: Schema, key: int, beside: Mapping[str, str] | None = None) -> None:
        self.schema, self.key = schema, key
        self.order = _order(schema, beside)

    def sample(self, request: Request, block: int, *, rng: np.random.Generator) -> Table:
        start, rows = block * request.block_size, request.size(block)
        empty = pd.DataFrame(index=pd.RangeIndex(rows))
        return Table(self.beside(empty, start, rng=rng, batch=request.seed), self.schema)

    def beside(self, known: pd.DataFrame, start: int, *, rng: np.random.Generator, batch: int) -> pd.DataFrame:
        """The columns of rows from position `start`, given known columns, which expressions may read and which are not
        made again. known: (rows,); batch: the seed of the request
        """
        base, frame, people = int(rng.integers(2**63)), known.copy(), _people(self.schema)
        for name in self.order:
            if name in known:
                continue
            # a stream per column, so that adding one changes no other
            stream, column = seeds.stream(base, name), self.schema[name]
            frame[name] = _make(column, frame, start, len(known), key=self.key, rng=stream, batch=batch, people=people)
        return frame[self.schema.names]

    @property
    def fixed(self) -> list[str]:
        """The columns whose values depend on the position of a row alone."""
        return [c.name for c in self.schema.columns if _recipe(c) in ("fake", "sequence")]

    def made_up(
        self, rows: int, start: int, *, rng: np.random.Generator, batch: int = 0, drawn: pd.DataFrame | None = None
    ) -> dict[str, pd.Series] | None:
        """Fake values and sequences; None if an expression reads one of them."""
        own = [c for c in self.schema.columns if _recipe(c) in ("fake", "sequence")]
        read = frozenset().union(*(_expression(c).columns for c in self.schema.columns if c.declared.expr is not None))
        if read & {c.name for c in own}:
            return None
        base = int(rng.integers(2**63))
        read = pd.DataFrame() if drawn is None else drawn.drop(columns=[c.name for c in own], errors="ignore")
        people = _people(self.schema)
        return {
            c.name: _make(
                c, read, start, rows, key=self.key, rng=seeds.stream(base, c.name), batch=batch, people=people
            )
            for c in own
        }

    def check(self, request: Request) -> None:
        for column in self.schema.columns:
            if _recipe(column) == "fake":
                fake.check_rows(column, request.rows)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.json").write_text(
            json.dumps({"schema": self.schema.to_json(), "key": self.key}), encoding="utf-8"
        )


def fit(data: Dataset, params: Params, *, job: Job) -> DistributionsModel:
    """Check and complete the schema. The rows are not used. Raises SpecError."""
    schema = complete(data.schema)
    check(schema)
    return DistributionsModel(schema, int(job.stream("distributions", "key").integers(2**63)))


def load(folder: Path) -> DistributionsModel:
    """Load the model that `save` wrote."""
    saved = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    return DistributionsModel(Schema.from_json(saved["schema"]), saved["key"])


def complete(schema: Schema, beside: Mapping[str, str] | None = None) -> Schema:
    """Complete the schema with a type and a storage for every column; storage other than string is kept. beside: kinds
    of known columns that are not in the schema, such as those of a parent row. Raises SpecError.
    """
    columns = {c.name: _typed(c) for c in schema.columns}
    for name in _order(schema, beside):  # the type of an expression depends on the columns it reads
        column, kinds = columns[name], {**(beside or {}), **{n: c.kind for n, c in columns.items()}}
        if column.get("type") is None and column.declared.after is not None:
            column = _with_type(column, kinds[column.declared.after])
        if column.get("type") is None and column.declared.expr is not None:
            result = _expression(column).check(kinds)
            column = _with_type(column, _TYPE_OF_RESULT.get(result, "category"))
        columns[name] = replace(column, storage=_storage(column)) if column.storage == "string" else column
    return replace(schema, columns=tuple(columns.values()))


def check(schema: Schema, rows: int | None = None, beside: Mapping[str, str] | None = None) -> None:
    """Raise SpecError for the first column whose recipe is invalid. rows: the requested number, None if unknown;
    beside: as in `complete`.
    """
    schema = complete(schema, beside)
    kinds = {**(beside or {}), **{c.name: c.kind for c in schema.columns}}
    for column in schema.columns:
        if column.kind not in TYPES:
            near = did_you_mean(column.kind, TYPES)
            raise SpecError(
                f"columns.{column.name}.type: unknown type {column.kind!r}.{near} Known: {', '.join(sorted(TYPES))}"
            )
        recipe = _recipe(column)
        _check_traits(column, recipe)
        if recipe == "expr":
            check_result(column.name, _expression(column), kinds)
        elif recipe == "after":
            relative.check(column, kinds)
        elif recipe == "fake":
            fake.check(column)
            fake.check_rows(column, rows or 0)
        else:
            recipes.make(recipe, column, max(rows or 1, 1) - 1, 1, rng=np.random.default_rng(0))


def _typed(column: Column) -> Column:
    """The column with the type that its recipe implies, unless a type is given; expressions are resolved later."""
    said = column.declared
    if column.get("type") is not None or said.expr is not None or said.after is not None:
        return column
    if said.weights is not None or said.categories is not None:
        return _with_type(column, "category")
    if said.distribution is not None:
        return _with_type(column, "integer" if recipes.law(_with_type(column, "float")).whole else "float")
    if said.sequence is not None:
        start, step = said.sequence.start, said.sequence.step
        if isinstance(start, str):
            return _with_type(column, "datetime")
        whole = isinstance(step, float | int) and float(start).is_integer() and float(step).is_integer()
        return _with_type(column, "integer" if whole else "float")
    return column


def _with_type(column: Column, kind: str) -> Column:
    return replace(column, inferred=column.inferred.model_copy(update={"type": kind}))


def _storage(column: Column) -> str:
    kind, said = column.kind, column.declared
    if kind == "datetime":
        form = column.get("format") or "%S"
        if "%z" in form or form.endswith("Z"):
            return "timestamp[us, tz=UTC]"
        return "date32[day]" if recipes.resolution(column) == "D" else "timestamp[us]"
    if kind == "category" and said.categories is not None:
        types = {type(c) for c in said.categories}
        return (
            "bool"
            if types == {bool}
            else "int64"
            if types == {int}
            else "double"
            if types <= {int, float}
            else "string"
        )
    if (
        kind == "id"
        and said.pattern is None
        and said.provider is None
        and (said.sequence or said.min is not None or said.max is not None)
    ):
        return "int64"
    if kind == "date_of_birth" and said.format is None:
        return "date32[day]"
    return _STORAGE.get(kind, "string")


def _recipe(column: Column) -> str:
    """The recipe of a column: expr, sequence, weights, distribution or fake. Raises SpecError unless
    there is exactly one.
    """
    said = column.declared
    given = [r for r in RECIPES if getattr(said, r) is not None and not (r == "distribution" and said.after)]
    if len(given) > 1:
        raise SpecError(f"columns.{column.name} has two recipes, {' and '.join(given)}; remedy: keep one of them")
    if given:
        return "fake" if given[0] in ("pattern", "provider") else given[0]
    if column.kind == "boolean" or said.categories is not None:
        return "weights"
    if column.kind in frames.NUMBERS and said.min is not None and said.max is not None:
        return "distribution"
    if column.kind in fake.MADE and column.get("type") is not None:
        return "fake"
    remedy = "distribution, weights, sequence, expr, pattern or a made-up type such as email"
    raise SpecError(f"columns.{column.name} does not say how to generate it; remedy: {remedy}")


def _check_traits(column: Column, recipe: str) -> None:
    """Raise SpecError for a trait that the recipe would ignore."""
    where, said = f"columns.{column.name}", column.declared
    counted = column.kind == "date_of_birth" or (column.kind == "id" and column.storage != "string")
    bounded = recipe == "distribution" or (recipe == "fake" and counted)
    for trait in ("min", "max"):
        if getattr(said, trait) is not None and not bounded:
            raise SpecError(
                f"{where}.{trait} bounds a distribution, but this column is generated by {recipe}; remedy: remove it"
            )
    for trait in ("spikes", "missing", "rare"):
        if getattr(said, trait) is not None:
            raise SpecError(f"{where}.{trait} is learned from data, and there is none; remedy: weights, or remove it")
    if said.categories is not None and recipe not in ("weights", "expr"):
        raise SpecError(
            f"{where}.categories are drawn evenly or by weights, but this column is generated by {recipe}; remedy:"
            " remove one of them"
        )
    if said.locale is not None and not (recipe == "fake" and fake.localized(column)):
        by = (
            f"type: {column.kind}"
            if recipe == "fake" and said.pattern is None
            else "pattern"
            if recipe == "fake"
            else recipe
        )
        raise SpecError(
            f"{where}.locale is {said.locale!r}, which is for made-up types such as name, but this column is"
            f" generated by {by}; remedy: remove it"
        )
    if said.precision is not None and (column.kind != "float" or recipe in ("weights", "fake")):
        what = f"is of type {column.kind}" if column.kind != "float" else f"is generated by {recipe}"
        raise SpecError(
            f"{where}.precision is {said.precision}, which rounds floats that are drawn or computed, but this"
            f" column {what}; remedy: remove it"
        )
    fixed = recipe == "sequence" and said.sequence is not None and said.sequence.step != 0
    if said.unique and recipe != "fake" and not fixed:
        raise SpecError(
            f"{where}.unique cannot be guaranteed for a column generated by {recipe}; remedy: type: id (min and max"
            " bound it), or a sequence"
        )


# --- columns


def _make(
    column: Column,
    frame: pd.DataFrame,
    start: int,
    rows: int,
    *,
    key: int,
    rng: np.random.Generator,
    batch: int,
    people: Mapping[str, str],
) -> pd.Series:
    recipe = _recipe(column)
    if recipe == "fake":
        of = sexes.of_people(people, frame, {}) if column.name in people else {}
        return fake.make(
            column, start, rows, key=key, rng=rng, batch=batch, sexes=of.get(column.name), about=people.get(column.name)
        )
    if recipe == "expr":
        values = _as_type(_expression(column).evaluate(frame), column)
    elif recipe == "after":
        values = _as_type(relative.make(column, frame, rows, rng=rng), column)
    else:
        values = recipes.make(recipe, column, start, rows, rng=rng)
    share = column.declared.nulls
    return values.mask(rng.random(rows) < share) if share else values


# --- expressions


def _expression(column: Column) -> compile.Expression:
    try:
        return compile.parse(column.declared.expr or "")
    except SpecError as error:
        raise SpecError(f"columns.{column.name}.expr: {error}") from None


def _people(schema: Schema) -> dict[str, str]:
    """The columns of made-up people, and their roles."""
    return persons.roles(c.name for c in schema.columns if fake.is_person(c))


def _order(schema: Schema, beside: Mapping[str, str] | None = None) -> list[str]:
    """Topological order of the columns by their expressions. Raises SpecError for a cycle and for unknown columns."""
    people = _people(schema)  # come after the columns that tell their sex
    needs = {c.name: _needs(c) for c in sorted(schema.columns, key=lambda c: c.name in people)}
    known = {*needs, *(beside or ())}
    for column in schema.columns:
        if unknown := sorted(set(needs[column.name]) - known):
            key = "expr" if column.declared.after is None else "after"
            near = did_you_mean(unknown[0], known)
            raise SpecError(f"columns.{column.name}.{key}: there is no column {unknown[0]!r}.{near}")
    return evaluation_order(needs)


def needed(schema: Schema) -> set[str]:
    """The columns that the columns of a schema are computed from."""
    return {name for column in schema.columns for name in _needs(column)}


def _needs(column: Column) -> frozenset[str]:
    """The columns that a column is computed from."""
    if column.declared.after is not None:
        return frozenset({column.declared.after})
    return _expression(column).columns if column.declared.expr is not None else frozenset()


def _as_type(result: pd.Series, column: Column) -> pd.Series:
    """Convert the result of an expression to the column's canonical dtype, rounding to integers or to `precision`."""
    type_ = frames.arrow_type(column.storage)
    if pa.types.is_boolean(type_):
        return result.astype("boolean")
    if pa.types.is_integer(type_):
        if pd.api.types.is_integer_dtype(result.dtype):
            return result.astype("Int64")
        numbers = result.astype("Float64").round()
        if (numbers.abs() >= 2.0**63).any():
            raise SpecError(f"columns.{column.name}.expr: returns numbers beyond 2^63; remedy: type: float")
        return numbers.astype("Int64")
    if pa.types.is_floating(type_):
        values = result.to_numpy(dtype="float64", na_value=np.nan)
        return pd.Series(values if column.declared.precision is None else np.round(values, column.declared.precision))
    if pa.types.is_duration(type_):
        return result.astype("timedelta64[us]")
    if pa.types.is_timestamp(type_) or pa.types.is_date(type_):
        moments = result.dt.floor("D") if pa.types.is_date(type_) else result
        zone = type_.tz if pa.types.is_timestamp(type_) else None
        moments = moments.dt.as_unit(type_.unit if pa.types.is_timestamp(type_) else "s")
        return (
            moments.dt.tz_localize(zone)
            if zone and moments.dt.tz is None
            else moments.dt.tz_localize(None)
            if not zone
            else moments
        )
    if pd.api.types.is_bool_dtype(result.dtype):
        result = result.map({True: "true", False: "false"})
    return result.astype(frames.STRING)
