"""The named forms of a constraint: what breaks them, beside an oracle row by row; how they are read and saved."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthcli.columns.constraints.parse import parse_rule
from synthcli.columns.constraints.rule import check_source
from synthcli.columns.constraints.uniqueness import Seen, Watch
from synthcli.columns.frame import STRING
from synthcli.errors import DataError, SpecError

CELL = st.none() | st.integers(0, 3)
ROWS = st.lists(st.tuples(CELL, CELL, CELL), max_size=10)


def frame(rows, kinds=("Int64",) * 3) -> pd.DataFrame:
    return pd.DataFrame({n: pd.array([r[i] for r in rows], dtype=k) for i, (n, k) in enumerate(zip("abc", kinds))})


def ordered(row, strict):
    known = [v for v in row if v is not None]
    return all(x < y if strict else x <= y for x, y in itertools.pairwise(known))


def hot(row, at_most):
    options = [[v] if v is not None else [0, 1] for v in row]
    return any(
        set(pick) <= {0, 1} and (sum(pick) == 1 or (at_most and sum(pick) == 0)) for pick in itertools.product(*options)
    )


ORACLES = [
    ({"range": {"column": "a", "min": 1, "max": 2}}, lambda r: r[0] is None or 1 <= r[0] <= 2),
    ({"range": {"column": "b", "max": 1.5}}, lambda r: r[1] is None or r[1] <= 1.5),
    ({"sum": {"total": "c", "of": ["a", "b"]}}, lambda r: None in r or r[0] + r[1] == r[2]),
    ({"sum": {"total": "c", "of": ["a", "b"], "tolerance": 1}}, lambda r: None in r or abs(r[0] + r[1] - r[2]) <= 1),
    ({"increasing": ["a", "b", "c"]}, lambda r: ordered(r, False)),
    ({"increasing": ["a", "b", "c"], "strict": True}, lambda r: ordered(r, True)),
    ({"one_hot": ["a", "b", "c"]}, lambda r: hot(r, False)),
    ({"one_hot": ["a", "b", "c"], "at_most": 1}, lambda r: hot(r, True)),
]


@pytest.mark.parametrize(("raw", "oracle"), ORACLES, ids=lambda v: json.dumps(v) if isinstance(v, dict) else "")
@settings(max_examples=60, deadline=None)
@given(rows=ROWS)
def test_rows_one_by_one(raw, oracle, rows):
    rule, data = parse_rule(raw), frame(rows)
    assert rule.violations(data).tolist() == [not oracle(r) for r in rows]
    if rule.formula is not None:
        said = ~rule.formula.evaluate(data).fillna(True).to_numpy(dtype=bool)
        assert said.tolist() == rule.violations(data).tolist(), "what reasoning starts from says the same"


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_unique_and_one_of_beside_sets(rows):
    data = frame(rows)
    seen, expected = set(), []
    for row in rows:
        pair = row[:2]
        expected.append(None not in pair and pair in seen)
        seen.add(pair)
    assert parse_rule({"unique": ["a", "b"]}).violations(data).tolist() == expected
    known = {r[:2] for r in rows[::2]}
    rule = parse_rule({"one_of": ["a", "b"]})
    assert not rule.violations(data).any()
    learned = rule.learn(data.iloc[::2])
    assert learned.violations(data).tolist() == [r[:2] not in known for r in rows]


def test_combinations_of_all_kinds_are_saved():
    data = pd.DataFrame(
        {
            "s": pd.array(["x", None, "y"], dtype=STRING),
            "f": [0.1, np.nan, np.inf],
            "b": pd.array([True, None, False], dtype="boolean"),
            "d": pd.to_datetime(["2020-01-01", None, "2021-01-01"]).astype("datetime64[s]"),
            "i": pd.array([1, None, 3], dtype="Int64"),
            "z": pd.to_datetime(["2020-01-01", None, "2021-01-01"]).tz_localize("Europe/Berlin"),
            "t": pd.to_timedelta([1, None, 3], unit="s"),
        }
    )
    rule = parse_rule({"one_of": list("sfbdizt")}).learn(data)
    again = parse_rule(json.loads(json.dumps(rule.to_json())))
    pd.testing.assert_frame_equal(again.table, rule.table)
    assert not again.violations(data).any()
    other = data.assign(s=data["s"].iloc[::-1].to_numpy()).astype(data.dtypes)
    assert again.violations(other).tolist() == [True, False, True]


@pytest.mark.parametrize(("raw", "oracle"), ORACLES, ids=lambda v: json.dumps(v) if isinstance(v, dict) else "")
def test_json_round_trip(raw, oracle):
    rule = parse_rule({**raw, "on_violation": "warn"})
    assert rule.on_violation == "warn" and parse_rule(json.loads(json.dumps(rule.to_json()))) == rule
    assert parse_rule(parse_rule("a > 3").to_json()).text == "a > 3"


def test_floats_add_up_to_rounding_and_nothing_more():
    data = pd.DataFrame({"a": [0.1, 0.1], "b": [0.2, 0.2], "c": [0.3, 0.3001]})
    assert parse_rule({"sum": {"total": "c", "of": ["a", "b"]}}).violations(data).tolist() == [False, True]


def test_ranges_of_dates_and_durations():
    data = pd.DataFrame(
        {
            "d": pd.to_datetime(["2019-12-31", "2020-01-01", None]).astype("datetime64[s]"),
            "t": pd.to_timedelta(["59min", "1h", None]),
        }
    )
    kinds = {"d": "datetime", "t": "timedelta"}
    dates, durations = (parse_rule({"range": {"column": c, "min": m}}) for c, m in (("d", "2020-01-01"), ("t", "1h")))
    for rule in (dates, durations):
        rule.check(kinds)
        assert rule.violations(data).tolist() == [True, False, False]
    with pytest.raises(SpecError, match="expected a duration"):
        parse_rule({"range": {"column": "t", "min": 3}}).check(kinds)
    mixed = pd.DataFrame(
        {
            "d": data["d"],
            "e": pd.to_datetime(["2020-01-01 00:00:01", "2020-01-01 00:00:00", None]).astype("datetime64[us]"),
        }
    )
    assert parse_rule({"increasing": ["d", "e"], "strict": True}).violations(mixed).tolist() == [False, True, False]


ERRORS = [
    ({"uniqe": "a"}, "Did you mean unique"),
    ({"unique": []}, "list of 1 columns"),
    ({"unique": ["a", "a"]}, "names a twice"),
    ({"one_of": ["a"]}, "list of 2 columns"),
    ({"one_of": "a"}, "list of 2"),
    ({"range": {"colum": "a", "min": 1}}, "Did you mean column"),
    ({"range": {"column": "a"}}, "has no end"),
    ({"range": {"column": "a", "min": 3, "max": 1}}, "swap them"),
    ({"range": {"column": "a", "min": "soon"}}, "such as 2024"),
    ({"range": {"column": "a", "min": 1, "max": "2020-01-01"}}, "different kinds"),
    ({"range": {"min": 1}}, "lacks column"),
    ({"range": "a"}, "expected {column"),
    ({"sum": {"total": "a", "of": ["a"]}}, "its own parts"),
    ({"sum": {"total": "a", "of": ["b"], "tolerance": -1}}, "expected a number from 0"),
    ({"one_hot": ["a", "b"], "exactly": 2}, "expected 1"),
    ({"one_hot": ["a", "b"], "exactly": 1, "at_most": 1}, "keep one"),
    ({"increasing": ["a", "b"], "strict": "no"}, "true or false"),
    ({"increasing": ["a", "b"], "stirct": True}, "Did you mean strict"),
    ({"unique": "a", "on_violation": "dorp"}, "Did you mean drop"),
    ({"expr": 3}, "in quotes"),
    (3, "expected an expression"),
    ({"unique": "a", "one_of": ["a", "b"]}, "unknown key"),
    ({"one_hot": [1, 2]}, "one_hot"),
]


@pytest.mark.parametrize(("raw", "words"), ERRORS, ids=lambda v: str(v))
def test_errors_name_the_key_and_the_remedy(raw, words):
    with pytest.raises(SpecError, match=words):
        parse_rule(raw)


KINDS = {"a": "integer", "b": "datetime", "s": "text", "p": "boolean", "c": "category"}


@pytest.mark.parametrize(("raw", "words"), [
    ({"unique": ["aa", "a"]}, "no column 'aa'. Did you mean a"), ({"one_of": ["a", "s"]}, "learned, not generated"),
    ({"sum": {"total": "a", "of": ["b"]}}, "number"),
    ({"one_hot": ["a", "b"]}, "boolean"), ({"increasing": ["a", "b"]}, "do not compare"),
    ({"range": {"column": "p", "min": 0}}, "is of type boolean"),
    ({"range": {"column": "a", "min": "2020-01-01"}}, "expected a number"),
])  # fmt: skip
def test_check_knows_the_kinds(raw, words):
    with pytest.raises(SpecError, match=words):
        parse_rule(raw).check(KINDS)


def test_a_sum_takes_columns_whose_type_is_not_known_yet_and_refuses_words_when_it_sees_them():
    rule = parse_rule({"sum": {"total": "a", "of": ["b"]}})
    rule.check({"a": "category", "b": "category"})  # what `synth check` knows of a file's columns
    with pytest.raises(SpecError, match="b holds strings; expected a number"):
        rule.violations(pd.DataFrame({"a": pd.array([1], dtype="Int64"), "b": pd.array(["x"], dtype="string")}))


def test_the_source_is_checked_and_unique_drops_after_rows():
    data = frame([(1, 1, 9), (1, 1, 1), (1, 1, 2), (2, None, 3), (2, None, 3)])
    rules = [
        parse_rule({"unique": ["a", "b"], "on_violation": "drop"}),
        parse_rule({"expr": "c < 9", "on_violation": "drop"}),
    ]
    kept, findings = check_source(data, rules)
    assert kept["c"].tolist() == [1, 3, 3], "the first that is left stays; rows with nulls are exempt"
    assert [f["violations"] for f in findings] == [1, 1]
    assert findings[0]["examples"] == ["row 3, a = 1, b = 1"] and findings[0]["share"] == 0.25
    with pytest.raises(DataError, match=r"unique: a, b is violated by 2 rows .*row 2, a = 1, b = 1; row 3"):
        check_source(data, [parse_rule({"unique": ["a", "b"]})])
    many = frame([(1, 1, 1)] * 9)
    assert len(check_source(many, [parse_rule({"unique": "a", "on_violation": "warn"})])[1][0]["examples"]) == 3


def test_watch_remembers_what_was_accepted_and_only_that():
    watch = Watch([parse_rule("c > 0"), parse_rule({"unique": ["a", "b"]})])
    first = frame([(1, 1, 0), (1, 1, 5), (1, 1, 6), (2, None, 1)])
    broken = watch.broken(first)
    assert broken.tolist() == [[True, False, False, False], [False, False, True, False]]
    watch.accept(first[~broken.any(axis=0)])
    second = frame([(1, 1, 1), (3, 3, 1), (2, None, 1)])
    assert watch.broken(second).any(axis=0).tolist() == [True, False, False]
    assert watch.broken(second).any(axis=0).tolist() == [True, False, False], "looking changes nothing"
    assert watch.broken(second.iloc[:0]).shape == (2, 0)


@given(st.lists(st.lists(st.integers(0, 300), max_size=40), max_size=20))
def test_a_set_of_hashes_that_grows(blocks: list[list[int]]) -> None:
    seen, oracle, every = Seen(), set[int](), np.arange(301, dtype=np.uint64)
    for block in blocks:
        before = seen
        seen = seen.and_those(np.array(block, dtype=np.uint64))
        assert before.holds(every).tolist() == [
            x in oracle for x in range(301)
        ]  # a fork knows nothing of what came later
        oracle |= set(block)
        assert seen.holds(every[::-1])[::-1].tolist() == [x in oracle for x in range(301)]
        sizes = [len(run) for run in seen.runs]
        assert all(a > 2 * b for a, b in itertools.pairwise(sizes)) and sum(sizes) >= len(oracle)
