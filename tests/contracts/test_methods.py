"""What every method owes, tried on tables that break what is not careful. A new method gets these tests for free."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import hostile_tables as tables
import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel, ValidationError

from synthcli import plugins
from synthcli.columns import frame as frames
from synthcli.columns.table import Table
from synthcli.contracts.modality import Choice
from synthcli.contracts.modelling import BLOCK, Allowed, Dial, Guarantee, Job, Limits, Method, Model, Request
from synthcli.contracts.schema import Column, Schema
from synthcli.errors import LimitReached, MissingExtra

METHODS = plugins.names("methods", "tabular")
PAIRS = [(method, name) for method in METHODS for name in tables.names_for(method)]
GRANULES = ("D", "h", "min", "s", "ms", "us")  # from coarse to fine


def case(method: str, *rest: str) -> Any:
    extra = plugins.method(method, "tabular").EXTRA
    return pytest.param(method, *rest, id="-".join((method, *rest)), marks=[pytest.mark.extra(extra)] if extra else [])


each_method = pytest.mark.parametrize("method", [case(m) for m in METHODS])
each_pair = pytest.mark.parametrize(("method", "name"), [case(*pair) for pair in PAIRS])


@cache
def fitted(method: str, name: str) -> Model:
    return tables.fit(method, tables.table_for(method, name))


@cache
def first_rows(method: str, name: str) -> Table:
    return tables.sample(fitted(method, name), tables.ROWS)


@cache
def two_blocks(method: str) -> tuple[Table, Table]:
    return tables.sample(fitted(method, "mixed"), BLOCK + 60), tables.sample(fitted(method, "mixed"), BLOCK + 60, 1)


@pytest.mark.parametrize("method", [m for m in METHODS if plugins.method(m, "tabular").EXTRA is not None])
def test_a_method_without_its_extra_says_what_to_install(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = plugins.method(method, "tabular").EXTRA
    monkeypatch.setitem(plugins.EXTRAS, extra, ("no_such_package",))
    with pytest.raises(MissingExtra, match=rf"method {method} needs .*pip install 'synthcli\[{extra}\]'"):
        plugins.ready(Choice(method, {}, modality="tabular"))


@each_method
def test_the_module_has_all_that_a_method_has(method: str) -> None:
    module = plugins.method(method, "tabular")
    for name in [*Method.__annotations__, "fit", "load"]:
        assert hasattr(module, name), f"{method} lacks {name}"
    assert module.MODALITY == "tabular" and module.MODES and module.MODES.issubset(get_args(Guarantee))
    assert {"complete", "without_data"} >= module.CAN and isinstance(module.TRUSTED_LOAD, bool)
    assert module.EXTRA is None or module.EXTRA in plugins.EXTRAS
    assert module.__doc__ and module.Params.__doc__ and module.fit.__doc__


@each_method
def test_params_have_defaults_bounds_and_help(method: str) -> None:
    params = plugins.method(method, "tabular").Params
    assert issubclass(params, BaseModel)
    assert params.model_validate(params().model_dump()) == params()
    assert [n for n, f in params.model_fields.items() if not f.description] == []
    with pytest.raises(ValidationError):
        params.model_validate({"no such parameter": 1})
    json.dumps(params.model_json_schema())


@each_method
def test_both_ends_of_the_dial_are_allowed(method: str) -> None:
    module = plugins.method(method, "tabular")
    if module.DIAL is None:
        return
    assert isinstance(module.DIAL, Dial) and module.DIAL.param in module.Params.model_fields
    for end in (module.DIAL.fidelity, module.DIAL.privacy):
        module.Params(**{module.DIAL.param: end})
    assert module.DIAL.fidelity != module.DIAL.privacy and (
        not module.DIAL.log or min(module.DIAL.fidelity, module.DIAL.privacy) > 0
    )


@each_pair
def test_output_obeys_the_schema(method: str, name: str) -> None:
    source = tables.table_for(method, name)
    assert list(complaints(first_rows(method, name), source, tables.ROWS)) == []


@each_pair
def test_save_and_load_change_nothing(method: str, name: str, tmp_path: Path) -> None:
    fitted(method, name).save(tmp_path)
    again = tables.sample(plugins.method(method, "tabular").load(tmp_path), tables.ROWS)
    pd.testing.assert_frame_equal(again.frame, first_rows(method, name).frame, check_exact=True)
    assert again.schema == first_rows(method, name).schema


@each_pair
def test_the_saved_model_cannot_run_code(method: str, name: str, tmp_path: Path) -> None:
    fitted(method, name).save(tmp_path)
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert files
    for path in files:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                assert all(arrays[a].dtype.kind in "biuf" for a in arrays.files)
        elif path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_json)
        else:
            assert plugins.method(method, "tabular").TRUSTED_LOAD, f"{path.name} is neither an array nor JSON"


def _no_json(word: str) -> None:
    pytest.fail(f"{word} is no JSON")


@each_pair
def test_what_is_never_modelled_is_neither_in_the_output_nor_in_the_model(
    method: str, name: str, tmp_path: Path
) -> None:
    source, out = tables.table_for(method, name), first_rows(method, name).frame
    fitted(method, name).save(tmp_path)
    saved = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    for column in source.schema.columns:
        if column.kind in frames.MODELLED or not len(source):
            continue
        known = source.frame[column.name].dropna().astype(str)
        # most numbers of key_id, and a third of all codes of its shape, are taken: others may coincide by chance
        assert not out[column.name].astype(str).isin(known).any() or column.name in ("key_id", "code"), (
            f"{column.name} repeats the source"
        )
        assert not [v for v in known if v.encode() in saved], f"the saved model holds values of {column.name}"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """What a fresh process, without the data that the models here were fitted on, makes; and what it wrote to
    stderr.
    """
    folder = tmp_path_factory.mktemp("models")
    ready = [m for m in METHODS if (extra := plugins.method(m, "tabular").EXTRA) is None or plugins.installed(extra)]
    for method, name in [(m, n) for m in ready for n in tables.fresh(m)]:
        (folder / method / name).mkdir(parents=True)
        fitted(method, name).save(folder / method / name)
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": str(Path(plugins.__file__).parents[1])}
    command = [sys.executable, tables.__file__, str(folder), *ready]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    found: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        found |= json.loads(line)
    return found, done.stderr


@each_method
def test_a_fresh_process_makes_the_same(method: str, elsewhere: tuple[dict[str, Any], str]) -> None:
    """From the same data and seed, and from the saved model alone."""
    found, stderr = elsewhere
    assert method in found, stderr
    assert found[method] == {name: [tables.digest(first_rows(method, name).frame)] * 2 for name in tables.fresh(method)}


@each_method
def test_blocks_in_any_order_are_the_same(method: str) -> None:
    model = fitted(method, "mixed")
    last = tables.sample(model, BLOCK + 60, 1)  # before or after block 0
    first, second = two_blocks(method)
    assert (len(first), len(second)) == (BLOCK, 60)
    pd.testing.assert_frame_equal(last.frame, second.frame, check_exact=True)
    pd.testing.assert_frame_equal(tables.sample(model, BLOCK + 60, 1).frame, second.frame, check_exact=True)
    pd.testing.assert_frame_equal(tables.sample(model, 3 * BLOCK).frame, first.frame, check_exact=True)


@each_method
def test_other_streams_give_other_rows(method: str) -> None:
    other = tables.sample(fitted(method, "mixed"), tables.ROWS, seed=10)
    assert tables.digest(other.frame) != tables.digest(first_rows(method, "mixed").frame)


@each_method
def test_what_must_be_unique_is_so_over_blocks(method: str) -> None:
    first, second = two_blocks(method)
    for column in first.schema.columns:
        if column.kind == "id" or column.declared.unique:
            values = pd.concat([first.frame[column.name], second.frame[column.name]])
            assert values.notna().all() and values.is_unique, column.name


@each_method
def test_both_blocks_obey_the_schema(method: str) -> None:
    for table, rows in zip(two_blocks(method), (BLOCK, 60)):
        assert list(complaints(table, tables.table_for(method, "mixed"), rows)) == []


@each_method
def test_no_rows_are_a_table_without_rows(method: str) -> None:
    table = fitted(method, "mixed").sample(Request(0), 0, rng=np.random.default_rng(0))
    assert isinstance(table, Table)
    assert list(complaints(table, tables.table_for(method, "mixed"), 0)) == []


@each_method
def test_a_fit_leaves_data_streams_and_screen_alone(method: str, capfd: pytest.CaptureFixture[str]) -> None:
    data = tables.table_for(method, "mixed")
    before = data.frame.copy(deep=True)
    states = repr(np.random.get_state()), random.getstate()
    steps: list[tuple[float, float]] = []
    model = tables.fit(method, data, progress=lambda label, done, total, note="": steps.append((done, total)))
    tables.sample(model, 20)
    pd.testing.assert_frame_equal(data.frame, before, check_exact=True)
    assert (repr(np.random.get_state()), random.getstate()) == states
    assert capfd.readouterr() == ("", "")
    assert all(0 <= done <= total for done, total in steps)
    assert steps or "without_data" in plugins.method(method, "tabular").CAN


@pytest.mark.parametrize("column", ["weight", "price", "exact"])
@pytest.mark.parametrize("method", [case(m) for m in METHODS if "complete" in plugins.method(m, "tabular").CAN])
def test_draws_within_narrow_bounds_repeat_no_real_values(method: str, column: str) -> None:
    """As draws without bounds do: numbers of one person each are blurred, also where few of them lie within."""
    known = tables.table_for(method, "mixed").frame[column]
    low, high = known.quantile([0.5, 0.56], interpolation="nearest")
    request = Request(200, 1, allowed={column: Allowed(low=low, high=high)})
    drawn = fitted(method, "mixed").complete(request, 0, rng=np.random.default_rng(1)).frame[column]
    assert drawn.between(low, high).mean() > 0.98 and drawn.nunique() > 100
    assert drawn.isin(known).mean() < 0.15  # two decimals coincide by chance


@each_method
def test_a_limit_that_is_already_reached_stops_the_fit(method: str) -> None:
    """With the best model that there is, or with LimitReached. A method that looks at no data has nothing to stop."""
    data, job = tables.table_for(method, "mixed"), Job(seed=3, limits=Limits(minutes=1e-9))
    try:
        model = plugins.method(method, "tabular").fit(data, tables.cheap(method), job=job)
    except LimitReached:
        return
    assert job.reached is not None or "without_data" in plugins.method(method, "tabular").CAN
    assert list(complaints(tables.sample(model, 50), data, 50)) == []


def complaints(out: Table, source: Table, rows: int) -> Iterator[str]:
    """Where a table breaks what its schema and its source promise."""
    schema = out.schema if not len(source) else source.schema
    if out.schema.names != source.schema.names or list(out.frame.columns) != source.schema.names:
        yield f"columns are {list(out.frame.columns)}"
        return
    if len(source) and out.schema != source.schema:
        yield "the schema is another"
    if len(out) != rows or not out.frame.index.equals(pd.RangeIndex(rows)):
        yield f"{len(out)} rows, index {out.frame.index}"
    arrow = frames.to_arrow(out.frame, schema)
    arrow.validate(full=True)
    expected = tables.dtypes(schema)
    for column in schema.columns:
        values = out.frame[column.name]
        if values.dtype != expected[column.name]:
            yield f"{column.name}: dtype {values.dtype}, expected {expected[column.name]}"
            continue
        for complaint in _of_column(column, values, source.frame[column.name] if len(source) else None, schema):
            yield f"{column.name}: {complaint}"


def _of_column(column: Column, values: pd.Series, seen: pd.Series | None, schema: Schema) -> Iterator[str]:
    known = values.dropna()
    nullable = column.declared.nulls or column.declared.expr is not None or (seen is not None and seen.isna().any())
    if values.isna().any() and not nullable:
        yield f"{values.isna().sum()} nulls, and the source has none"
    if seen is not None and seen.isna().all() and len(known) and column.kind in frames.MODELLED:
        yield "has values, and the source has none"
    if column.kind in frames.CODES:
        yield from _categories(column, known, seen)
    elif column.kind in frames.NUMBERS and len(known):
        yield from _bounds(column, known, None if seen is None else seen.dropna())
        yield from _grain(column, known, None if seen is None else seen.dropna())


def _categories(column: Column, known: pd.Series, seen: pd.Series | None) -> Iterator[str]:
    if column.kind == "boolean" or (seen is None and column.declared.categories is None):
        allowed: set[Any] = {True, False} if column.kind == "boolean" else set(column.declared.weights or known)
    else:
        allowed = set(() if seen is None else seen.dropna()) | set(column.declared.categories or ())
    rare = column.get("rare")
    if new := set(known) - allowed - ({rare.as_} if rare else set()):
        yield f"unseen categories {sorted(map(str, new))[:3]}"


def _bounds(column: Column, known: pd.Series, seen: pd.Series | None) -> Iterator[str]:
    finite = _finite(known)
    if seen is not None and len(finite) < len(known) and not set(known[~known.isin(finite)]) <= set(seen):
        yield "an infinity that the source does not hold"
    for trait, end in (("min", "min"), ("max", "max")):
        bound: Any = getattr(column.declared, trait)
        if bound is not None and column.kind == "datetime":
            bound = pd.Timestamp(bound, tz=getattr(known.dt, "tz", None))
        if bound is None and seen is not None and len(_finite(seen)):
            bound = getattr(_finite(seen), end)()
        if bound is None or not len(finite):
            continue
        worst = getattr(finite, end)()
        if (worst < bound) if trait == "min" else (worst > bound):
            yield f"{worst} is beyond the {trait} {bound}"


def _finite(values: pd.Series) -> pd.Series:
    return values[np.isfinite(values)] if values.dtype == "float64" else values


def _grain(column: Column, known: pd.Series, seen: pd.Series | None) -> Iterator[str]:
    """Decimals of floats, the granularity of times."""
    if column.kind == "float" and (decimals := column.get("precision")) is not None:
        finite = _finite(known)
        if not (finite.round(decimals) == finite).all():
            yield f"more than {decimals} decimals"
    if column.kind in ("datetime", "timedelta") and seen is not None and len(seen):
        for grain in GRANULES:
            if _whole(seen, grain):
                if not _whole(known, grain):
                    yield f"finer than the source's {grain}"
                return


def _whole(values: pd.Series, grain: str) -> bool:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    unit = np.datetime_data(values.dtype)[0]
    size = int(pd.Timedelta(1, grain) / pd.Timedelta(1, unit)) if pd.Timedelta(1, grain) >= pd.Timedelta(1, unit) else 1
    return bool((values.to_numpy().astype(np.int64) % size == 0).all())
