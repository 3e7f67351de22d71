"""Contradictions are found before anything is read or made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synthcli.contracts.schema import Traits
from synthcli.spec import gates
from synthcli.spec.load import load_spec

CSV = "source: {type: csv, path: people.csv}\n"
NONE = "source: {type: none}\ngenerate: {rows: 5}\ncolumns: {a: {type: integer, distribution: {poisson: {mean: 3}}}}\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("source: {type: csv}", "needs path"),
        ("source: {type: builtin}", "needs name"),
        ("source: {type: builtin, name: rand_helth}", "Did you mean rand_health"),
        ("source: {type: builtin, name: wine, path: x}", "has no path"),
        ("source: {type: parquet, path: x, delimiter: ';'}", "belongs to csv"),
        ("source: {type: csv, path: people.csv, split: {validation: 0.5, holdout: 0.5}}", "leave nothing to train on"),
        (CSV + "generate: {rows: 3, scale: 2}", "keep one of the two"),
        (CSV + "columns: {a: {expr: b + 1}, b: {expr: a - 1}}", "in a cycle: a → b → a"),
        (CSV + "columns: {a: {expr: b +}}", r"columns\.a\.expr"),
        (CSV + "columns: {a: {on_violation: warn}}", r"columns\.a\.on_violation"),
        (CSV + "generator: {method: tree}", "Did you mean trees"),
        (CSV + "generator: {method: trees, params: {min_leaves: 3}}", "Did you mean min_leaf"),
        (CSV + "generator: {method: trees, params: {min_leaf: 0}}", r"min_leaf is 0 \(.*:2\)"),
        (CSV + "generator: {method: distributions}", "source: {type: none}"),
        (CSV + "generator: {method: trees, candidates: [trees]}", "cannot be combined with candidates"),
        (
            CSV + "generator: {candidates: [{method: ctgan, params: {epoch: 3}}]}",
            r"candidates\.0\.params\.epoch .*Did you mean epochs",
        ),
        (CSV + "generator: {candidates: [auto]}", "auto cannot be a candidate"),
        (CSV + "evaluate: {gates: [{metric: column_shape, min: 0.9}]}", "Did you mean column_shapes"),
        (CSV + "evaluate: {gates: [{metric: membership_auc, max: 0.6}]}", "belongs to privacy_check.gates"),
        (CSV + "evaluate: {gates: [{metric: utility_ratio, min: 0.9}]}", "needs evaluate.target"),
        (CSV + "evaluate: {gates: [{metric: constraint_violations, max: 0}]}", "needs constraints"),
        (CSV + "evaluate: {gates: [{metric: column_shapes}]}", "neither min nor max"),
        (CSV + "evaluate: {gates: [{metric: column_shapes, min: 1, max: 0}]}", "is greater than max"),
        (CSV + "privacy_check: {attacks: [copies], gates: [{metric: dcr_share, max: 0.6}]}", "measures no such metric"),
        (CSV + "privacy_check: {attacks: [copy]}", "Did you mean copies"),
        (CSV + "evaluate: {target: agee}", "Did you mean age"),
        (CSV + "evaluate: {target: id}\ncolumns: {id: {type: id}}", "no model can predict"),
        (CSV + "privacy_unit: person", "no column 'person'"),
        (CSV + "columns: {agee: {type: integer}}", "Did you mean age"),
        (CSV + "columns: {age: {type: int}}", "Did you mean integer"),
        (CSV + "columns: {age: {type: integer, min: 9, max: 3}}", "is greater than max"),
        (CSV + "columns: {age: {type: integer, distribution: uniform}}", "belongs to source.type: none"),
        (CSV + "constraints: [agee > 3]", "agee"),
        (CSV + "constraints: [age >]", "constraints.0"),
        (CSV + "constraints: [1 + 1]", "expected true or false"),
        (
            (
                "source: {type: csv, path: people.csv, split: {holdout: 0}}\nevaluate: {gates: [{metric: column_shapes,"
                " min: 1}]}"
            ),
            "holdout",
        ),
        (
            "source: {type: csv, path: people.csv, split: {validation: 0}}\nrefine: {max_rounds: 3}",
            "judged on the validation",
        ),
        (
            (
                "source: {type: csv, path: people.csv, split: {validation: 0}}\ngenerator: {candidates: [trees,"
                " independent]}"
            ),
            "race is decided",
        ),
        ("source: {type: csv, path: people.csv, split: {stratify_by: sexx}}", "Did you mean sex"),
        ("source: {type: none}\ngenerate: {rows: 5}", "needs columns"),
        (
            "source: {type: none}\ncolumns: {a: {type: integer, distribution: uniform}}",
            "the number of rows to generate must be given",
        ),
        (CSV + "generator: {candidates: [trees, trees]}", "is listed twice"),
        (CSV + "columns: {city: {type: category, unique: true}}", "has no effect on a column of type category"),
        (CSV + "columns: {income: {type: float, pattern: x}}", r"columns\.income\.pattern is 'x' .*has no effect"),
        (CSV + "columns: {id: {type: id, pattern: '['}}", r"columns\.id .*pattern"),
        (CSV + "columns: {id: {type: name, locale: xx_YY}}", "xx_YY"),
        ("source: {type: csv, path: 'p*.csv'}\noutput: {format: csv, path: p2.csv}", "would read it as real data"),
        (
            (
                "source: {type: sql, url: 'sqlite:///x.db', query: SELECT * FROM t}\noutput: {format: sql, url:"
                " 'sqlite:///./x.db', table: T}"
            ),
            "source itself",
        ),
        (NONE + "evaluate: {target: a}", "no real data"),
        (NONE + "privacy_unit: a", "no data to protect"),
        (NONE + "generator: {method: trees}", "learns from data"),
        (NONE + "generator: {method: auto}", "auto needs data"),
        (NONE + "evaluate: {gates: [{metric: detection_auc, max: 1}]}", "cannot be measured"),
        (NONE.replace("poisson: {mean: 3}", "poison: {mean: 3}"), "Did you mean poisson"),
        (NONE.replace("mean: 3", "men: 3"), "men"),
    ],
)
def test_contradictions(tmp_path: Path, csv: Path, synth: Any, text: str, complaint: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text + "\n")
    said = synth("check", path)
    assert said.code == 1, said.out
    import re

    assert re.search(complaint, said.err.replace("\n", " ")), said.err


def test_a_fine_spec_is_fine(spec: Path, synth: Any) -> None:
    said = synth("check", spec, "--json")
    assert said.code == 0
    told = {"columns": 7, "method": "independent", "gates": 2, "drops": 0, "warnings": []}
    assert said.json == {"exit_code": 0, **told}


def test_rows_that_constraints_and_computed_columns_drop_are_announced(tmp_path: Path, synth: Any) -> None:
    (tmp_path / "d.csv").write_text("a,b,c\n" + "".join(f"{i},{i},{2 * i}\n" for i in range(9)))
    path = tmp_path / "d.yaml"
    path.write_text("source: {type: csv, path: d.csv}\ncolumns: {c: {expr: a + b, on_violation: drop}}\n")
    assert "1 constraint or computed column with on_violation: drop" in synth("check", path).out
    path.write_text(path.read_text() + "constraints: [{expr: a <= b, on_violation: drop}, {expr: a >= 0}]\n")
    assert synth("check", path, "--json").json["drops"] == 2


@pytest.mark.parametrize(
    "text",
    [
        "evaluate: {gates: [{metric: column_shapes, min: .nan}]}",
        "evaluate: {gates: [{metric: column_shapes, min: true}]}",
        "evaluate: {gates: [{metric: column_shapes, min: '0.9'}]}",
        "generator: {limits: {minutes: .inf}}",
        "retention: {days: .inf}",
        "columns: {age: {min: .nan}}",
        "seed: true",
        "generate: {rows: 5.5}",
    ],
)
def test_numbers_are_numbers(tmp_path: Path, csv: Path, synth: Any, text: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(CSV + text)
    said = synth("check", path)
    assert said.code == 1
    assert f"{path}:2" in said.err


def test_types_are_seen_once_data_is_read(tmp_path: Path, csv: Path, synth: Any) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(CSV + 'constraints: ["city > 3"]\n')
    said = synth("analyze", path)
    assert said.code == 1
    assert "city" in said.err and "s.yaml:2" in said.err


def test_what_can_be_measured_follows_the_spec(tmp_path: Path, csv: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(CSV)
    assert gates.available(load_spec(path).spec) == {"synthetic", "train", "control"}
    path.write_text(CSV + "constraints: [age > 3]\nevaluate: {target: age}\n")
    assert gates.available(load_spec(path).spec) == {"synthetic", "train", "control", "target", "constraints"}


def test_every_trait_is_a_key_of_columns() -> None:
    assert all(field.description or name in ("rare", "sequence") for name, field in Traits.model_fields.items())
