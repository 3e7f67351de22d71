"""A spec is accepted whole or refused with file, line, key, value and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synthcli.errors import SpecError
from synthcli.spec import models
from synthcli.spec.load import load_spec

BASE = "source: {type: csv, path: people.csv}\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "s.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("extra", "complaint"),
    [
        ("generatr: {method: trees}", r"generatr \(.*s\.yaml:2\); unknown key\. Did you mean generator\?"),
        ("generator: {metod: trees}", r"generator\.metod is 'trees' \(.*:2\); unknown key\. Did you mean method\?"),
        ("seed: -1", r"seed is -1 \(.*:2\); expected greater than or equal to 0|seed is -1 .* expected to be greater"),
        ("seed: many", r"seed is 'many' \(.*:2\)"),
        ("name: ../up", r"name is '\.\./up' \(.*:2\)"),
        (
            "evaluate:\n  gates:\n    - {metric: column_shapes, min: high}",
            r"evaluate\.gates\.0\.min is 'high' \(.*:4\)",
        ),
        ("evaluate: {gates: [{metric: x, min: 1, severity: errr}]}", r"severity is 'errr' .*Did you mean error\?"),
        ("columns: {age: {type: integer, mn: 3}}", r"columns\.age\.mn is 3 .*unknown key\. Did you mean min\?"),
        ("columns: [age]", r"columns .*expected a .*(mapping|dictionary)"),
        ("output: {format: xml}", r"output\.format is 'xml'"),
        ("source: {type: csv}", r"occurs twice"),
        (
            "generate: {where: ''}",
            (
                r"generate\.where is '' \(.*:2\); expected an expression that every row must satisfy, .*; remedy: leave"
                r" where out"
            ),
        ),
        ("generate: {where: ' '}", r"generate\.where is ' ' .*expected an expression that every row must"),
        (
            "generate: {balance: {}}",
            r"generate\.balance \(.*:2\); expected columns, each with \{value: share\}, .*; remedy: leave balance out",
        ),
        ("generate: {balance: {age: 0.5}}", r"generate\.balance\.age is 0\.5 .*expected \{value: share\}, such as"),
        (
            "generate: {balance: {sex: {f: 60}}}",
            r"generate\.balance\.sex\.f is 60 .*expected a share of the rows from 0 to 1, such as 0\.5",
        ),
        ("generate: {balance: {sex: {f: 50%}}}", r"generate\.balance\.sex\.f is '50%' .*expected a share of the rows"),
    ],
)
def test_every_problem_names_file_line_key_value(tmp_path: Path, extra: str, complaint: str) -> None:
    with pytest.raises(SpecError, match=complaint):
        load_spec(write(tmp_path, BASE + extra))


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as told:
        load_spec(write(tmp_path, BASE + "seed: x\nfoo: 1\nrefine: {max_rounds: 0}"))
    assert len(str(told.value).splitlines()) == 3


@pytest.mark.parametrize("path", list(models.LATER), ids=".".join)
def test_keys_of_later_versions_are_refused_and_never_ignored(tmp_path: Path, path: tuple[str, ...]) -> None:
    keys: dict[str, Any] = {"source": {"type": "csv", "path": "x.csv"}}
    at = keys
    for key in path[:-1]:
        at = at.setdefault(key, {})
    at[path[-1]] = 1
    import json

    with pytest.raises(SpecError, match=f"{'.'.join(path)}.* this version"):
        load_spec(write(tmp_path, json.dumps(keys)))


def test_values_of_later_versions_are_refused(tmp_path: Path) -> None:
    for path, values in models.LATER_VALUES.items():
        with pytest.raises(SpecError, match="this version"):
            load_spec(write(tmp_path, f"{path[0]}: {{{path[1]}: {values[0]}, path: x}}"))


def test_set_reaches_every_key(tmp_path: Path) -> None:
    path = write(tmp_path, BASE + "evaluate:\n  gates:\n    - {metric: column_shapes, min: 0.9}\n")
    loaded = load_spec(
        path,
        [
            "evaluate.gates.0.min=0.5",
            "generator.params.min_leaf=50",
            "columns.age.type=integer",
            "output.format=csv",
            "seed=9",
        ],
    )
    spec = loaded.spec
    assert spec.evaluate.gates is not None and spec.evaluate.gates[0].min == 0.5
    assert spec.generator.params == {"min_leaf": 50}
    assert spec.columns["age"].type == "integer"
    assert (spec.output.format, spec.seed) == ("csv", 9)


@pytest.mark.parametrize(
    "text", ["nothing", "=1", "evaluate.gates.7.min=1", "seed.x=1", "generator.bogus=1", "seed=[", "seed=x"]
)
def test_a_bad_set_is_told(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, BASE + "seed: 1\nevaluate: {gates: []}\n")
    with pytest.raises(SpecError):
        load_spec(path, [text])


def test_the_name_defaults_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "My stays (v2).yaml"
    path.write_text(BASE)
    assert load_spec(path).name == "My-stays-v2"


def test_every_key_has_help_in_the_schema() -> None:
    schema = models.Spec.model_json_schema(by_alias=True)
    missing = [
        f"{name}.{key}"
        for name, part in {**schema["$defs"], "Spec": schema}.items()
        for key, prop in part.get("properties", {}).items()
        if not prop.get("description")
        and "$ref" not in str(prop)
        and key
        not in (
            "min",
            "max",
            "minutes",
            "path",
            "params",
            "method",
            "description",
            "version",
            "format",
            "seed",
            "start",
            "step",
        )
    ]
    assert missing == []
