"""Contradictions: the smallest set is named, and what a grid of rows can obey is never called one."""

import itertools

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthcli.columns.constraints.feasibility import contradiction, impossible
from synthcli.columns.constraints.parse import parse_rule
from synthcli.columns.expressions.compile import parse
from synthcli.columns.frame import STRING
from synthcli.contracts.schema import Column, Schema, Traits

SCHEMA = Schema(
    (
        *(Column(n, Traits(type="integer"), storage="int64") for n in "abc"),
        *(Column(n, Traits(type="float"), storage="double") for n in "xyz"),
        *(Column(n, Traits(type="category"), storage="string") for n in ("s", "t")),
        *(Column(n, Traits(type="boolean"), storage="bool") for n in "pqr"),
        Column("d", Traits(type="datetime"), storage="timestamp[us]"),
        Column("e", Traits(type="datetime"), storage="date32[day]"),
        Column("age", Traits(type="integer", min=0, max=110), storage="int64"),
        Column("kind", Traits(type="category", categories=("A", "B", "C")), storage="string"),
    )
)


def found(*raw, schema=SCHEMA, frame=None):
    return contradiction([parse_rule(r) for r in raw], schema, frame)


CONTRADICTIONS = [
    (["a < b", "x > 0", "b < c", "c < a"], [0, 2, 3]),
    (["a > 5", "b > 2", "a < 3"], [0, 2]),
    (["a > 5", "a < 6"], [0, 1]),
    (["a < b", "b < a + 1"], [0, 1]),
    (["age > 110"], [0]),
    (["kind not in ['A', 'B']", "kind != 'C'", "a > 1"], [0, 1]),
    (["s == 'u'", "s == t", "t == 'v'"], [0, 1, 2]),
    (["s == t", "t != s"], [0, 1]),
    (["p implies q", "p", "not q", "r"], [0, 1, 2]),
    (["a > 5 or b > 5", "a < 3", "b < 3", "c < 3"], [0, 1, 2]),
    ([{"one_hot": ["p", "q", "r"]}, "not p", "not q", "not r"], [0, 1, 2, 3]),
    ([{"one_hot": ["p", "q", "r"], "at_most": 1}, "p and r"], [0, 1]),
    ([{"one_hot": ["a", "b"]}, "a == b"], [0, 1]),
    ([{"sum": {"total": "x", "of": ["y", "z"]}}, "y >= 10", "z >= 10", "x <= 15"], [0, 1, 2, 3]),
    ([{"increasing": ["a", "b", "c"]}, "c < a"], [0, 1]),
    ([{"range": {"column": "a", "min": 0, "max": 9}}, {"range": {"column": "a", "min": 10}}], [0, 1]),
    (["d >= '2020-01-01'", "d < date('2019-06-01')"], [0, 1]),
    (["e >= d + days(3)", "e <= d + days(2)"], [0, 1]),
    (["x < y", "y < z", "z <= x"], [0, 1, 2]),
    (["x == 3", "x != 3"], [0, 1]),
    (["x <= 3", "x >= 3", "x != 3"], [0, 1, 2]),
    (["a in [1, 2]", "a != 1", "a != 2"], [0, 1, 2]),
    (["a == 0.5"], [0]),
    (["false", "a > 3"], [0]),
    (["a is null"], [0]),
    (["a == b", "a != b"], [0, 1]),
    (["x + y <= 1", "x >= 1", "y >= 1"], [0, 1, 2]),
    (["(a > 3 if p else a > 5)", "a < 2"], [0, 1]),
]


@pytest.mark.parametrize(("raw", "core"), CONTRADICTIONS)
def test_contradictions_and_their_smallest_sets(raw, core):
    conflict = found(*raw)
    assert conflict is not None and conflict.kind == "contradiction"
    assert list(conflict.rules) == [parse_rule(raw[i]) for i in core]
    assert all(rule.text in conflict.explanation for rule in conflict.rules)


FEASIBLE = [
    ["a <= b", "b <= c", "c <= a"],
    ["x < y", "y < x + 0.1"],
    ["a > 5 or b > 5", "a < 3"],
    ["p implies q", "not q"],
    ["s == t", "t != 'v'"],
    ["kind != 'A'", "kind != 'B'"],
    ["a * b > 3", "a * b < 2"],
    ["contains(s, 'u')", "not contains(s, 'u')"],
    ["age >= 110"],
    ["x + y == z", "x > 1", "z > 5"],
    ["x * 0.1 == 0.3", "x == 3"],
    ["abs(a) > 3", "a < 3"],
    [{"one_hot": ["p", "q"]}, "not p"],
    [{"unique": "a"}, {"one_of": ["s", "t"]}],
    ["d > '2020-01-01'", "d <= '2020-01-01 00:00:00.000001'"],
    ["a > 1 implies b > 1", "b > 1 implies c > 1", "a > 0"],
    ["days_between(e, d) >= 0.5", "e < d"],
    ["coalesce(a, 3) == 3", "a == 5"],
]


@pytest.mark.parametrize("raw", FEASIBLE)
def test_what_can_be_is_let_pass(raw):
    assert found(*raw) is None


def test_declared_bounds_that_matter_are_named():
    conflict = found("age > 110", "kind != 'A'")
    assert (
        conflict is not None
        and len(conflict.rules) == 1
        and "declarations of age:" in conflict.explanation
        and "kind" not in conflict.explanation
    )
    assert "declared" not in found("age > 3", "age < 2").explanation


def frame(rows, names="ab"):
    full = {
        c.name: pd.array(
            [None] * len(rows), dtype=STRING if c.kind == "category" else "boolean" if c.kind == "boolean" else "Int64"
        )
        for c in SCHEMA.columns
    }
    full |= {n: pd.array([r[i] for r in rows], dtype="Int64") for i, n in enumerate(names)}
    return pd.DataFrame(full)


def test_nulls_are_no_contradiction_and_are_said():
    with_null = frame([(None, 1), (7, 1)])
    conflict = found("a > 5", "a < 3", frame=with_null)
    assert (
        conflict is not None
        and conflict.kind == "nulls"
        and "in a" in conflict.explanation
        and len(conflict.rules) == 2
    )
    assert found("a > 5", "a < 3", frame=frame([(6, 1)])).kind == "contradiction"
    assert found("a > 5", "a < 3", "a is not null", frame=with_null).kind == "contradiction"
    assert found("a is null or b is null", frame=with_null) is None, "columns that exclude each other are meant so"
    declared = Schema(tuple(Column(c.name, Traits(type=c.kind, nulls=0.5), storage=c.storage) for c in SCHEMA.columns))
    assert found("a > 5", "a < 3", schema=declared).kind == "nulls"


def test_what_no_row_of_the_source_obeys_is_said_as_such():
    rows = frame([(1, 2), (3, 1), (9, 9)])
    conflict = found("b >= 1", "a * a == b", "a * b > 50", frame=rows)
    assert conflict is not None and conflict.kind == "unwitnessed" and "no row of the source" in conflict.explanation
    assert [r.text for r in conflict.rules] == ["a * a == b"]
    two = found("a * b > 50", "a * b < 60 or a * a == b", "b * b > 0", frame=rows)
    assert [r.text for r in two.rules] == ["a * b > 50", "a * b < 60 or a * a == b"]
    assert found("a * b > 50", "b > 1", frame=rows) is None


GRID = [-1, 0, 1, 2]
_NAMES = st.sampled_from(["a", "b", "c"])
_SYMBOLS = st.sampled_from(["<", "<=", "==", "!=", ">", ">="])
_ATOMS = st.one_of(
    st.builds("{} {} {}".format, _NAMES, _SYMBOLS, st.sampled_from([*GRID, 0.5])),
    st.builds("{} {} {}".format, _NAMES, _SYMBOLS, _NAMES),
    st.builds("{} {} {} + {}".format, _NAMES, _SYMBOLS, _NAMES, st.integers(-1, 1)),
    st.builds("{} + {} {} {}".format, _NAMES, _NAMES, _SYMBOLS, st.integers(-1, 3)),
    st.builds("{} in [{}, {}]".format, _NAMES, st.integers(-1, 2), st.integers(-1, 2)),
    st.builds("not ({} == {})".format, _NAMES, st.integers(-1, 2)),
    st.builds("{} is {}null".format, _NAMES, st.sampled_from(["", "not "])),
)
_TEXTS = st.recursive(
    _ATOMS,
    lambda t: st.one_of(*[st.builds(f"({{}}) {w} ({{}})".format, t, t) for w in ("and", "or", "implies")]),
    max_leaves=3,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_TEXTS, min_size=1, max_size=5), st.sets(st.sampled_from("abc")))
def test_never_called_a_contradiction_where_a_row_obeys(texts, nullable):
    values = [[*GRID, None] if n in nullable else GRID for n in "abc"]
    rows = frame(list(itertools.product(*values)), "abc")
    rules = [parse_rule(t) for t in texts]
    obeyed = [~r.violations(rows) for r in rules]
    bounds = Schema(tuple(Column(n, Traits(type="integer", min=-1, max=2), storage="int64") for n in "abc"))
    conflict = contradiction(rules, bounds, rows[list("abc")])
    together = [all(column) for column in zip(*obeyed)]
    if any(together):
        assert conflict is None or conflict.kind == "nulls", (texts, conflict)
        return
    assert conflict is not None and conflict.kind in ("contradiction", "unwitnessed")
    core = [o for o, r in zip(obeyed, rules) if any(r is c for c in conflict.rules)]
    assert not any(all(column) for column in zip(*core)) or not core, "the set named is one that no row obeys"
    if conflict.kind == "unwitnessed":
        smallest = next(
            k for k in range(1, 6) for some in itertools.combinations(obeyed, k) if not any(all(c) for c in zip(*some))
        )
        assert len(conflict.rules) == smallest


def test_a_condition_that_the_rules_rule_out_is_explained_by_the_fewest():
    rules = [parse_rule(r) for r in ("a > 0", "d >= '2020-01-01'", "s == 'u' implies a < 80")]
    said = lambda text: impossible(text, parse(text), rules, SCHEMA)  # noqa: E731
    assert said("s == 'u' and s != 'u'") == "no row can meet s == 'u' and s != 'u': it contradicts itself"
    assert "and obey s == 'u' implies a < 80;" in said("a >= 80 and s == 'u'")
    assert "and obey d >= '2020-01-01';" in said("d < '2019-12-31'")
    assert said("a < 5 or s == 'u'") is None and said("a is null") is None, "what is null obeys"


@settings(max_examples=150, deadline=None)
@given(st.lists(_TEXTS, max_size=3), _TEXTS)
def test_never_called_impossible_where_a_row_is(texts, asked):
    rows = frame(list(itertools.product([*GRID, None], repeat=3)), "abc")
    rules = [parse_rule(t) for t in texts]
    meets = parse(asked).evaluate(rows).fillna(False).to_numpy(dtype=bool)
    for rule in rules:
        meets &= ~rule.violations(rows)
    plain = Schema(tuple(Column(n, Traits(type="integer"), storage="int64") for n in "abc"))
    assert not meets.any() or impossible(asked, parse(asked), rules, plain) is None
