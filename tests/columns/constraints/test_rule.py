"""Constraints: unknown is satisfied, and what each on_violation does to the source."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthcli.columns.constraints.rule import check_source, parse_constraint
from synthcli.columns.frame import STRING
from synthcli.errors import DataError, SpecError


def source() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": pd.array([30, -1, None, 200, 40], dtype="Int64"),
            "sex": pd.array(["male", "female", "male", None, "male"], dtype=STRING),
            "pregnant": pd.array([False, True, True, True, None], dtype="boolean"),
        }
    )


def test_violations_are_where_it_is_definitely_false():
    assert parse_constraint("0 <= age <= 120").violations(source()).tolist() == [False, True, False, True, False]
    found = parse_constraint("sex == 'male' implies pregnant == false").violations(source())
    assert found.dtype == bool and found.tolist() == [False, False, True, False, False]
    assert parse_constraint("0 <= age").violations(source().iloc[:0]).shape == (0,)


@settings(deadline=None)
@given(st.lists(st.tuples(st.none() | st.integers(0, 3), st.none() | st.integers(0, 3)), max_size=6))
def test_violations_row_by_row(rows):
    data = pd.DataFrame(
        {"a": pd.array([r[0] for r in rows], dtype="Int64"), "b": pd.array([r[1] for r in rows], dtype="Int64")}
    )
    expected = [a is not None and b is not None and not a <= b for a, b in rows]
    assert parse_constraint("a <= b").violations(data).tolist() == expected


@pytest.mark.parametrize(
    "text",
    ["age + 1", "'abc'", "3", "null", "date('2020-01-01')", "lower(sex)", "1 if age > 3 else 2", "'abc' < 3", "age >"],
)
def test_what_is_evidently_no_constraint_is_refused(text):
    if text == "age + 1":  # might still be anything: refused as soon as the kinds are known
        with pytest.raises(SpecError, match="expected true or false"):
            parse_constraint(text).check({"age": "integer"})
        with pytest.raises(SpecError, match="expected true or false"):
            parse_constraint(text).violations(source())
    else:
        with pytest.raises(SpecError):
            parse_constraint(text)


def test_a_boolean_column_is_a_constraint_and_on_violation_is_checked():
    assert parse_constraint("pregnant").violations(source()).tolist() == [True, False, False, False, False]
    with pytest.raises(SpecError, match="Did you mean drop"):
        parse_constraint("pregnant", "dorp")  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="Did you mean age"):
        parse_constraint("agee > 3").check({"age": "integer"})


def test_error_names_constraint_count_share_rows_and_remedy():
    data = pd.concat([source()] * 3, ignore_index=True)
    with pytest.raises(DataError) as caught:
        check_source(data, [parse_constraint("0 <= age <= 120 or sex is null"), parse_constraint("age != 30")])
    message = str(caught.value)
    assert "0 <= age <= 120 or sex is null is violated by 3 rows of the source (20.00%)" in message
    assert "row 2, age = -1, sex = 'female'; row 7, age = -1" in message and "pregnant" not in message
    assert "age != 30 is violated by 3 rows" in message
    assert "on_violation: warn" in message and "drop" in message
    assert message.count("row 1,") == 1 and "row 17" not in message


def test_drop_goes_first_and_warn_keeps():
    texts = [("age >= 0", "error"), ("0 <= age", "drop"), ("age <= 120", "warn"), ("true", "drop")]
    constraints = [parse_constraint(text, on_violation) for text, on_violation in texts]
    kept, findings = check_source(source(), constraints)
    assert kept["age"].tolist() == [30, pd.NA, 200, 40] and kept.index.tolist() == [0, 1, 2, 3]
    assert kept.dtypes.equals(source().dtypes)
    assert [f.pop("examples") for f in findings] == [[], ["row 2, age = -1"], ["row 4, age = 200"], []]
    assert findings == [
        {"constraint": "age >= 0", "violations": 0, "share": 0.0, "action": "none"},
        {"constraint": "0 <= age", "violations": 1, "share": 0.2, "action": "drop"},
        {"constraint": "age <= 120", "violations": 1, "share": 0.25, "action": "warn"},
        {"constraint": "true", "violations": 0, "share": 0.0, "action": "none"},
    ]


def test_nothing_to_check_and_nothing_left():
    kept, findings = check_source(source(), [])
    assert kept.equals(source()) and findings == []
    assert check_source(source().iloc[:0], [parse_constraint("age > 3", "drop")])[1][0]["share"] == 0.0
    with pytest.raises(DataError, match="leave none of 5 rows"):
        check_source(source(), [parse_constraint("age is null", "drop"), parse_constraint("age is not null", "drop")])
    assert np.array_equal(check_source(source(), [parse_constraint("true")])[0].index, range(5))
