"""The tables that benches look at: built-ins, small ones of installed packages, and those of a folder; each cut into
learned and unseen rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import yaml

from synthcli import seeds, sources
from synthcli.columns.discovery.infer import infer
from synthcli.columns.table import Table
from synthcli.contracts.schema import Traits
from synthcli.sources import builtin

ENDINGS = (".csv.gz", ".csv", ".parquet")
_TRAIN, _UNSEEN = re.compile(r"_train$"), ("_test", "_holdout")


@dataclass(frozen=True)
class Pair:
    """A table cut in two. unseen: real rows that no generator is shown; target: what a downstream model predicts."""

    name: str
    train: Table
    unseen: Table
    target: str | None


def halves(name: str, table: Table, target: str | None, seed: int) -> Pair:
    """Learned and unseen rows, half of the privacy units each."""
    parts = table.split({"train": 0.5, "unseen": 0.5}, rng=seeds.stream(seed, "bench", name))
    return Pair(name, parts["train"], parts["unseen"], target)


def built_in(name: str, seed: int = 0) -> Pair:
    """A built-in table."""
    return halves(
        name,
        typed(sources.read(sources.Source("builtin", name=name)), unit=builtin.UNITS.get(name)),
        builtin.TARGETS[name],
        seed,
    )


def folder(path: Path, seed: int = 0) -> list[Pair]:
    """Every table of a folder. NAME_train goes with NAME_test or NAME_holdout; other tables are halved.

    The target and the privacy unit stand in targets.json ({name: target}) or NAME.yaml ({target: …, unit: …}, or a spec
    of synthcli).
    """
    files = {_stem(p): p for p in sorted(path.iterdir()) if p.name.endswith(ENDINGS)}
    if not files:
        raise SystemExit(f"--data {path}: holds no {', '.join(ENDINGS)}")
    unseen = {
        stem: files[name]
        for stem in files
        for end in _UNSEEN
        if (name := _TRAIN.sub(end, stem)) != stem and name in files
    }
    return [
        _pair(stem, file, unseen.get(stem), path, seed) for stem, file in files.items() if file not in unseen.values()
    ]


def _stem(path: Path) -> str:
    return next(path.name.removesuffix(end) for end in ENDINGS if path.name.endswith(end))


def _pair(stem: str, file: Path, other: Path | None, where: Path, seed: int) -> Pair:
    name = _TRAIN.sub("", stem) if other is not None else stem
    target, unit = _said(where, name, stem)
    source = _source(file)
    learned = sources.read(source)
    arrow = (
        learned
        if other is None
        else pa.concat_tables([learned, sources.read(_source(other)).select(learned.column_names)])
    )
    wrong = {
        key: column
        for key, column in (("target", target), ("unit", unit))
        if column is not None and column not in arrow.column_names
    }
    if wrong:
        raise SystemExit(f"--data {where}: {name} has no column {wrong}; its columns: {', '.join(arrow.column_names)}")
    table = typed(arrow, unit=unit, text=sources.spelled(source))
    if other is None:
        return halves(name, table, target, seed)
    rows = np.arange(len(table))
    return Pair(name, table.take(rows[: len(learned)]), table.take(rows[len(learned) :]), target)


def _said(where: Path, *names: str) -> tuple[str | None, str | None]:
    """Target and privacy unit of a table, None where nobody said so."""
    targets = where / "targets.json"
    said: dict[str, Any] = json.loads(targets.read_text()) if targets.is_file() else {}
    for name in names:
        if (page := where / f"{name}.yaml").is_file():
            body = yaml.safe_load(page.read_text()) or {}
            return body.get("target") or (body.get("evaluate") or {}).get("target"), body.get("unit") or body.get(
                "privacy_unit"
            )
        if name in said:
            return said[name], None
    return None, None


def _source(path: Path) -> sources.Source:
    return sources.Source("parquet" if path.name.endswith(".parquet") else "csv", path=path)


def typed(table: pa.Table, *, unit: str | None = None, text: bool = False, **declared: Traits) -> Table:
    """The table as synthcli sees it."""
    schema, frame = infer(table, declared, unit=unit, text=text)
    return Table(frame, schema)


def few(table: Table, rows: int | None, *, rng: np.random.Generator) -> Table:
    """At most so many rows of a table, drawn at random."""
    return table if rows is None or len(table) <= rows else table.take(np.sort(rng.permutation(len(table))[:rows]))


def _statsmodels(name: str) -> pd.DataFrame:
    import importlib

    return importlib.import_module(f"statsmodels.datasets.{name}").load_pandas().data


def _modechoice() -> pd.DataFrame:
    frame = _statsmodels("modechoice").drop(columns="individual").astype({"mode": "int", "choice": "int"})
    return frame.assign(mode=frame["mode"].map({1: "air", 2: "train", 3: "bus", 4: "car"}), choice=frame["choice"] == 1)


def _anes96() -> pd.DataFrame:
    frame = _statsmodels("anes96").drop(columns="logpopul")
    return frame.assign(vote=frame["vote"].map({0.0: "Clinton", 1.0: "Dole"}))


def _heart() -> pd.DataFrame:
    frame = _statsmodels("heart")
    return frame.assign(censors=frame["censors"] == 1)


def _mlxtend(name: str, columns: str) -> pd.DataFrame:
    import mlxtend.data

    values, target = getattr(mlxtend.data, f"{name}_data")()
    frame = pd.DataFrame(np.column_stack([values, target]), columns=columns.split(","))
    return frame.dropna(axis=1, how="all")  # the names of cars are not kept there


def _georgia() -> pd.DataFrame:
    import libpysal

    path = Path(libpysal.__file__).parent / "examples" / "georgia" / "GData_utm.csv"
    return pd.read_csv(path).drop(columns=["AreaKey", "ID", "X", "Y"])


_MPG = "cylinders,displacement,horsepower,weight,acceleration,year,origin,name,mpg"
_BOSTON = "crim,zn,indus,chas,nox,rm,age,dis,rad,tax,ptratio,b,lstat,medv"
SMALL: dict[str, tuple[Callable[[], pd.DataFrame], str]] = {  # name: (rows of an installed package, target)
    "statecrime": (lambda: _statsmodels("statecrime").reset_index(drop=True), "murder"),
    "heart": (_heart, "censors"),
    "georgia": (_georgia, "PctBach"),
    "star98": (lambda: _statsmodels("star98").iloc[:, 2:14], "LOWINC"),
    "autompg": (lambda: _mlxtend("autompg", _MPG), "mpg"),
    "boston_housing": (lambda: _mlxtend("boston_housing", _BOSTON), "medv"),
    "modechoice": (_modechoice, "choice"),
    "anes96": (_anes96, "vote"),
}


def small(name: str, seed: int = 0) -> Pair:
    """A small table of an installed package; the built-in ones by their names."""
    if name in builtin.TARGETS:
        return built_in(name, seed)
    make, target = SMALL[name]
    return halves(name, typed(pa.Table.from_pandas(make(), preserve_index=False)), target, seed)
