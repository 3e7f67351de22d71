"""The drafts that `synth init` writes: valid, telling, and without anybody's own value."""

import re
import string

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthcli import sources
from synthcli.init import draft
from synthcli.init.findings import look
from synthcli.init.imports.shared import Imported
from synthcli.sources import builtin
from synthcli.spec import check, yaml
from synthcli.spec.load import load_spec
from synthcli.spec.modalities import tabular


def drafted(tmp_path, frame, imported=None, name="t.csv"):
    path = tmp_path / name
    frame.to_csv(path, index=False) if name.endswith("csv") else frame.to_parquet(path)
    source = sources.Source(path.suffix[1:], path=path)
    found = look(source, imported)
    text = draft.draft(found, {"type": source.type, "path": name}, title=name)
    (tmp_path / "t.yaml").write_text(text)
    loaded = load_spec(tmp_path / "t.yaml")
    tabular.hold_against_source(loaded, check.check(loaded).described)
    return found, text, loaded.spec


def rules_of(text):
    """Expression -> on_violation of the constraints that are written as expressions."""
    raw = [r if isinstance(r, dict) else {"expr": r} for r in yaml.parse(text).data["constraints"]]
    return {r["expr"]: r.get("on_violation", "error") for r in raw if "expr" in r}


@given(
    st.one_of(
        st.text(),
        st.text(alphabet=string.printable),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.none(),
    )
)
def test_scalars_are_read_back(value):
    text = f"a: {draft.scalar(value)}\nb: [{draft.scalar(value)}, {draft.scalar(value)}]\n"
    if isinstance(value, str) and any(0xD800 <= ord(c) < 0xE000 for c in value):
        return
    assert yaml.parse(text).data == {"a": value, "b": [value, value]}


@pytest.mark.parametrize("table", builtin.names())
def test_built_in_tables_have_no_identifiers(table, tmp_path):
    found = look(sources.Source("builtin", name=table))
    assert not [f.name for f in found.columns if f.guess is not None and f.guess.sensitivity == "direct identifier"]
    (tmp_path / "t.yaml").write_text(draft.draft(found, {"type": "builtin", "name": table}))
    loaded = load_spec(tmp_path / "t.yaml")
    tabular.hold_against_source(loaded, check.check(loaded).described)
    target = None if table == "affairs" else builtin.TARGETS[table]  # its columns hardly predict it
    assert loaded.spec.privacy_unit == builtin.UNITS.get(table) and loaded.spec.evaluate.target == target


def test_awkward_names_and_values(tmp_path):
    rng = np.random.default_rng(0)
    odd = [
        "null",
        "yes",
        "a: b",
        "# c",
        "it's",
        'quo"te',
        "ü b",
        "-",
        "1",
        "{x}",
        "a,b",
        "tab\there",
        "line\nbreak",
        "in",
        "`tick`",
        "%d",
        "*",
        "&a",
    ]
    frame = pd.DataFrame({name: rng.choice(["yes", "no: #", "null", '"', "1"], 300) for name in odd})
    _, _, spec = drafted(tmp_path, frame, name="t.parquet")
    assert list(spec.columns) == odd
    assert set(spec.columns["# c"].categories) == {"yes", "no: #", "null", '"', "1"}


def test_rare_values_and_ends_are_not_shown(tmp_path):
    rng = np.random.default_rng(0)
    income = np.round(rng.gamma(2, 20_000, 500), 2)
    income[3] = 7_654_321.25
    city = rng.choice(["Wien", "Graz"], 500).astype(object)
    city[:9] = "Zwettl"
    disease = rng.choice(["flu", "cold"], 500)
    _, text, spec = drafted(
        tmp_path,
        pd.DataFrame({"income": income, "city": city, "diagnosis": disease, "visits": rng.integers(0, 4, 500)}),
    )
    assert "7654321" not in text.replace(",", "").replace("_", "") and "Zwettl" not in text
    assert spec.columns["city"].categories is None and spec.columns["income"].max is None
    assert spec.columns["diagnosis"].categories == ("cold", "flu")
    assert (spec.columns["visits"].min, spec.columns["visits"].max) == (0, 3)
    assert "special category of GDPR Art. 9: health" in text


def test_privacy_units_count_people_not_rows(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"patient_id": np.repeat(np.arange(1000, 1100), 20), "hair": rng.choice(["brown", "black"], 2000)}
    )
    frame.loc[frame["patient_id"] == 1003, "hair"] = "green"  # twenty rows of one person
    found, text, spec = drafted(tmp_path, frame)
    assert (
        found.unit is not None
        and spec.privacy_unit == "patient_id"
        and "green" not in text
        and spec.columns["hair"].categories is None
    )
    assert spec.modality == "panel" and "20.0 rows here, which stay together" in " ".join(text.split())


def test_rules_target_and_quasi_identifiers(tmp_path):
    rng = np.random.default_rng(0)
    a = rng.integers(0, 100, 400)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, 400),
            "sex": rng.choice(["f", "m"], 400),
            "low": a,
            "high": a + rng.integers(0, 60, 400),
        }
    )
    old = frame["age"] + rng.normal(0, 10, 400) > 50
    _, text, spec = drafted(tmp_path, frame.assign(churned=np.where(old, "yes", "no")))
    assert list(rules_of(text)) == ["low <= high"] and spec.evaluate.target == "churned"
    _, random, spec = drafted(tmp_path, frame.assign(churned=rng.choice(["yes", "no"], 400)))
    assert spec.evaluate.target is None and "rows do not predict churned clearly better" in random.replace("\n# ", " ")
    assert re.search(r"# age \+ sex: \d+\.\d% of rows are unique", text)


def test_tiny_tables_run_without_a_holdout(tmp_path):
    _, _, spec = drafted(tmp_path, pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]}))
    assert spec.source.split.holdout == 0


def test_imported_metadata_counts_where_the_data_agrees(tmp_path):
    frame = pd.DataFrame(
        {
            "id": range(1, 101),
            "status": ["new", "paid"] * 50,
            "code": ["a", "b"] * 50,
            "n": range(100),
            "mail": ["m@x.org"] * 100,
        }
    )
    told = Imported(
        "t",
        {
            "id": {"type": "integer", "unique": True},
            "status": {"type": "category", "categories": ["new", "paid", "lost"]},
            "code": {"type": "category", "categories": ["a"]},
            "n": {"type": "integer", "min": 0, "max": 50},
            "mail": {"type": "email"},
        },
        ("id",),
        [{"expr": "n >= 0"}, {"expr": "n <= 90"}, {"expr": "nosuch > 1"}, {"unique": ["status", "n"]}],
        [{"from": "t.id", "to": "u.id"}],
        {"code": "dbt: pii"},
        (),
        ["test x"],
    )
    _, text, spec = drafted(tmp_path, frame, told)
    assert (
        spec.columns["status"].categories == ("new", "paid", "lost")
        and spec.columns["n"].min == 0
        and spec.columns["n"].max is None
    )
    assert spec.columns["code"].categories == ("a", "b") and spec.columns["mail"].type == "email"
    rules = rules_of(text)
    assert rules["n >= 0"] == "error" and rules["n <= 90"] == "warn" and "nosuch > 1" not in rules
    assert (
        "nosuch > 1" in text
        and "relationship: t.id -> u.id" in text
        and "marked as personal data (dbt: pii)" in text
        and "test x" in text
    )


def test_constraints_that_are_no_expressions_are_written_as_such(tmp_path):
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 100, 300), rng.integers(0, 100, 300)
    frame = pd.DataFrame({"a": a, "b": b, "total": a + b, "x": rng.normal(size=300)})
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    found = look(sources.Source("csv", path=path))
    line = "- {sum: {total: total, of: [a, b]}}"  # whole numbers need no tolerance
    assert f"\n  {line}" in draft.draft(found, {"type": "csv", "path": "t.csv"})


def test_the_draft_says_in_which_language_and_length_a_text_is_made_up(tmp_path):
    rng = np.random.default_rng(1)
    words = ["der", "Hund", "und", "die", "Katze", "liegen", "auf", "dem", "Sofa", "mit", "einem", "Ball"]
    frame = pd.DataFrame({"note": [" ".join(rng.choice(words, 12)) + f" {i}" for i in range(200)], "n": range(200)})
    _, text, _ = drafted(tmp_path, frame)
    assert re.search(r"note: \{type: text\} .*made up in de_DE with 5\d to 6\d characters", text)
