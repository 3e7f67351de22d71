"""A mapping as a spec, and DataFrames in place of its source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcli import load_spec
from synthcli.errors import SpecError
from synthcli.spec import yaml

TABLE = pd.DataFrame({"x": [1, 2]})
ODD = ["yes", "no", "1e-5", "2020-01-01", "0o7", "null", "~", "a: b", "# c", "", " x", "é", "a\nb", "-", "1_000"]


def test_what_is_dumped_is_read_back_unchanged() -> None:
    data = {"words": ODD, "numbers": [0, -1, 1e-5, 1e300, 0.1], "truth": [True, False, None], "map": {"yes": {"a": []}}}
    assert yaml.parse(yaml.dump(data, "it")).data == data


def test_values_of_numpy_and_paths_are_plain_values() -> None:
    data = {"n": np.int64(3), "x": np.float64(0.5), "b": np.bool_(True), "p": Path("a/b"), "t": (1, 2)}
    assert yaml.parse(yaml.dump(data, "it")).data == {"n": 3, "x": 0.5, "b": True, "p": "a/b", "t": [1, 2]}


def test_other_objects_are_refused() -> None:
    with pytest.raises(SpecError, match=r"the spec holds object .*which YAML has no value for"):
        load_spec({"seed": object()})


def test_a_mapping_is_checked_as_a_file_is() -> None:
    loaded = load_spec({"source": {"type": "builtin", "name": "iris"}, "generate": {"rows": 5}}, ["seed=3"])
    assert loaded.spec.generate.rows == 5 and loaded.spec.seed == 3 and loaded.name == "spec"
    with pytest.raises(SpecError, match=r"genrator \(the spec\); unknown key\. Did you mean generator\?"):
        load_spec({"source": {"type": "builtin", "name": "iris"}, "genrator": {}})


def test_a_data_frame_replaces_the_place_of_the_source_and_keeps_its_other_keys(tmp_path: Path) -> None:
    path = tmp_path / "people.yaml"
    path.write_text("source: {type: csv, path: people.csv, delimiter: ';', split: {holdout: 0.5}}\nseed: 4\n")
    loaded = load_spec(path, data=TABLE)
    assert loaded.spec.source.type == "frame" and loaded.spec.source.path is None
    assert loaded.spec.source.split.holdout == 0.5 and loaded.spec.seed == 4 and loaded.name == "people"
    assert loaded.frames[""].to_pydict() == {"x": [1, 2]}


def test_several_data_frames_are_the_tables() -> None:
    keys = {"source": {"relationships": [{"from": "b.x", "to": "a.x"}], "tables": {"c": {"path": "c.csv"}}}}
    loaded = load_spec(keys, data={"a": TABLE, "b": TABLE})
    tables = loaded.spec.source.tables or {}
    assert {name: each.type for name, each in tables.items()} == {"c": None, "a": "frame", "b": "frame"}


@pytest.mark.parametrize(
    ("spec", "data", "message"),
    [
        ({"source": {"type": "frame"}}, None, r"source\.type is 'frame' .*stands for a DataFrame"),
        ({"source": {"tables": {"a": {"type": "frame"}}}}, None, r"source\.tables\.a\.type is 'frame'"),
        ({"source": {"tables": {"a": {"path": "a.csv"}}}}, TABLE, "data is one DataFrame, and source.tables"),
        (None, {}, "data has no tables"),
        (None, {"a.b": TABLE}, "'a.b' is not a table name"),
        (None, None, r"source \(the spec\); is missing"),
    ],
)
def test_what_does_not_fit_together_is_refused(spec: dict[str, object], data: object, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        load_spec(spec, data=data)
