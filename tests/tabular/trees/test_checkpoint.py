"""Finished forests of a killed fit: the next fit grows only the others, and gives the same model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.discovery.infer import infer
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Job
from synthcli.tabular.methods import trees
from synthcli.tabular.trees import checkpoint

PARAMS = trees.Params(trees=2, orders=2, discriminator=0)


@pytest.fixture(autouse=True)
def _keep_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "SECONDS", -1.0)


def table(seed: int = 0) -> Table:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 40, 300)
    frame = pd.DataFrame({"x": x, "y": x * 2.5 + rng.normal(0, 3, 300).round(1), "c": rng.choice(["a", "b"], 300)})
    schema, canonical = infer(pa.Table.from_pandas(frame, preserve_index=False), {})
    return Table(canonical, schema)


class Grown:
    """Counts the forests that are grown, and is killed before the next one after `most`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, most: int = 10**6) -> None:
        self.count, self.most, self.grow = 0, most, trees.grow
        monkeypatch.setattr(trees, "grow", self)

    def __call__(self, *args: Any, **options: Any) -> Any:
        if self.count == self.most:
            raise KeyboardInterrupt
        self.count += 1
        return self.grow(*args, **options)


def same(one: trees.Trees, other: trees.Trees) -> bool:
    arrays, others = one.state()[0], other.state()[0]
    return arrays.keys() == others.keys() and all(np.array_equal(arrays[k], others[k]) for k in arrays)


def test_an_interrupted_fit_grows_only_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "WORKERS", 1)
    whole = trees.fit(table(), PARAMS, job=Job(3))
    with monkeypatch.context() as patch:
        Grown(patch, most=2)
        with pytest.raises(KeyboardInterrupt):
            trees.fit(table(), PARAMS, job=Job(3, tmp_path))
    finished = len(list(tmp_path.glob("forest-*.npz")))
    assert finished == 2
    resumed = Grown(monkeypatch)
    assert same(trees.fit(table(), PARAMS, job=Job(3, tmp_path)), whole)
    total = len(list(tmp_path.glob("forest-*.npz")))
    assert resumed.count == total - finished > 0


@pytest.mark.parametrize("other", ["data", "seed", "settings"])
def test_the_forests_of_another_fit_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    trees.fit(table(), PARAMS, job=Job(3, tmp_path))
    first = len(list(tmp_path.glob("forest-*.npz")))
    data, seed = table(1 if other == "data" else 0), 4 if other == "seed" else 3
    params = PARAMS.model_copy(update={"max_depth": 3}) if other == "settings" else PARAMS
    grown = Grown(monkeypatch)
    assert same(trees.fit(data, params, job=Job(seed, tmp_path)), trees.fit(data, params, job=Job(seed)))
    assert grown.count >= first  # all of them, and those of the second fit, which has no folder


def test_a_damaged_forest_is_grown_again(tmp_path: Path) -> None:
    whole = trees.fit(table(), PARAMS, job=Job(3, tmp_path))
    for i, path in enumerate(sorted(tmp_path.glob("forest-*.npz"))):
        path.write_bytes(path.read_bytes()[: [0, 10, 200][i % 3]])
    assert same(trees.fit(table(), PARAMS, job=Job(3, tmp_path)), whole)


def test_a_short_fit_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "SECONDS", 3600.0)
    trees.fit(table(), PARAMS, job=Job(3, tmp_path))
    assert list(tmp_path.iterdir()) == []
