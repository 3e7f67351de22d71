"""Visit sequences: they follow the strongest associations, and a dependent column comes after its determinant."""

from __future__ import annotations

import faulthandler
import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pytest

from synthcli.columns.codec.parts import Part, Values
from synthcli.tabular.trees.visit_sequence import visit_sequences

RNG = np.random.default_rng(0)
ROWS = 3000


@pytest.fixture(autouse=True)
def _ends() -> Iterator[None]:
    """An order that is never found would hang the run; this ends it with the place."""
    faulthandler.dump_traceback_later(20, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def order(
    parts: Sequence[Part], values: Values, determinants: Mapping[str, str] | None = None, first: Sequence[str] = ()
) -> list[str]:
    (found,) = visit_sequences(parts, values, determinants or {}, first, rng=np.random.default_rng(1))
    return found


def numbers(**columns: np.ndarray) -> tuple[list[Part], Values]:
    return [Part(name, name) for name in columns], columns


@pytest.fixture(scope="module")
def chain() -> tuple[list[Part], Values]:
    """hub is tied to a strongly, to b less; c hangs on b; alone on nothing; code is a code of hub, tied as much as a
    number could be.
    """
    hub, other = RNG.normal(size=ROWS), RNG.normal(size=ROWS)
    b = hub + 0.7 * other
    parts, values = numbers(
        alone=RNG.normal(size=ROWS),
        c=b + 0.9 * RNG.normal(size=ROWS),
        b=b,
        a=hub + 0.2 * RNG.normal(size=ROWS),
        hub=hub,
    )
    return [Part("code", "code", 2), *parts], {"code": (hub > 0).astype(np.int32), **values}


def test_strongest_ties_follow_from_the_number_of_most(chain: tuple[list[Part], Values]) -> None:
    found = order(*chain)
    assert found[0] == "hub"
    assert found[1] == "a"
    assert found.index("b") < found.index("c")
    assert found[-1] == "alone"
    assert sorted(found) == sorted(p.name for p in chain[0])


def test_further_orders_begin_with_the_categories_of_fewest_ties(chain: tuple[list[Part], Values]) -> None:
    parts, values = chain
    loose = np.where(RNG.random(ROWS) < 0.7, values["code"], RNG.integers(0, 2, ROWS)).astype(np.int32)
    found = visit_sequences(
        [*parts, Part("loose", "loose", 2)], {**values, "loose": loose}, {}, count=5, rng=np.random.default_rng(1)
    )
    assert [each[0] for each in found] == ["hub", "loose", "code"]  # each once
    led = visit_sequences(parts, values, {}, ["alone"], count=2, rng=np.random.default_rng(1))
    assert [each[:2] for each in led] == [["alone", led[0][1]], ["alone", "code"]]


def test_a_number_begins_even_where_a_code_has_more_ties() -> None:
    code = RNG.integers(0, 8, ROWS)
    parts = [Part("code", "code", 8), Part("half", "half", 4), Part("parity", "parity", 2), Part("n", "n")]
    values = {"code": code, "half": code // 2, "parity": code % 2, "n": code + RNG.normal(size=ROWS)}
    assert order(parts, values)[:2] == ["n", "code"]
    values["n"] = RNG.normal(size=ROWS)  # a number that has to do with nothing does not
    assert order(parts, values) == ["code", "half", "parity", "n"]


def test_as_prim_by_brute_force() -> None:
    """Over jointly normal columns, whose mutual information grows with their correlation, the order is Prim's."""
    mix = np.array(
        [[1.0, 0, 0, 0, 0], [0.9, 0.4, 0, 0, 0], [0.6, 0, 0.8, 0, 0], [0, 0, 0.8, 0.6, 0], [0, 0.7, 0, 0, 0.7]]
    )
    x = (mix @ RNG.normal(size=(5, ROWS))).round(6)
    names = list("vwxyz")
    found = order([Part(n, n) for n in names], dict(zip(names, x)))
    tie = np.abs(np.corrcoef(x))
    placed = [names.index(found[0])]
    while len(placed) < 5:
        placed.append(max(set(range(5)) - set(placed), key=lambda j: max(tie[j, i] for i in placed)))
    assert found == [names[i] for i in placed]


def test_determined_columns_come_after_their_source(chain: tuple[list[Part], Values]) -> None:
    found = order(*chain, {"hub": "c", "code": "hub"})
    assert found.index("c") + 1 == found.index("hub") and found.index("hub") + 1 == found.index("code")
    assert found[0] not in ("hub", "code")


def test_asked_for_columns_lead(chain: tuple[list[Part], Values]) -> None:
    assert order(*chain, first=("alone", "c"))[:2] == ["alone", "c"]
    led = order(*chain, {"hub": "c"}, first=("hub",))  # also before what determines them
    assert led[0] == "hub" and len(led) == len(set(led)) == len(chain[0])


def test_a_column_asked_for_twice_comes_once(chain: tuple[list[Part], Values]) -> None:
    found = order(*chain, first=("b", "b"))
    assert found[0] == "b" and sorted(found) == sorted(p.name for p in chain[0])


def test_one_column() -> None:
    assert order(*numbers(only=RNG.normal(size=50))) == ["only"]


def test_nothing() -> None:
    assert order([], {}) == []
    assert sorted(order(*numbers(a=np.zeros(0), b=np.zeros(0)))) == ["a", "b"]


def test_constant_and_empty_columns_have_a_place() -> None:
    found = order(*numbers(flat=np.ones(200), void=np.full(200, np.nan), n=RNG.normal(size=200)))
    assert sorted(found) == ["flat", "n", "void"]


def test_parts_of_a_column_stay_together_the_state_first() -> None:
    n = RNG.normal(size=ROWS)
    gone = RNG.random(ROWS) < 0.3
    parts = [Part("a#state", "a", 2), Part("a", "a"), Part("b#state", "b", 2), Part("b", "b"), Part("c", "c", 2)]
    values = {
        "a#state": gone * 1,
        "a": np.where(gone, np.nan, n),
        "b#state": gone * 1,
        "b": n + RNG.normal(size=ROWS),
        "c": (n > 0) * 1,
    }
    for rules in ({}, {"a#state": "b#state"}, {"b#state": "a#state"}, {"b": "a"}):
        found = order(parts, values, rules)
        assert sorted(found) == sorted(values)
        for column in "ab":
            assert found.index(column) == found.index(f"{column}#state") + 1


@pytest.mark.parametrize(
    "circle",
    [{"b#state": "a#state", "a": "b"}, {"a": "b", "b": "c", "c": "a"}, {"b#state": "a#state", "a": "b", "c": "a"}],
)
def test_columns_that_wait_for_each_other_all_come_out(circle: dict[str, str]) -> None:
    """Rules among parts run in no circle, but those among columns may: a number by a number, and a state by a state the
    other way.
    """
    n = RNG.normal(size=400)
    parts = [Part(f"{c}{s}", c, size) for c in "abc" for s, size in (("#state", 2), ("", 0))]
    values = {p.name: (n > 1) * 1 if p.is_code else n for p in parts}
    found = order(parts, values, circle)
    assert sorted(found) == sorted(values)


@pytest.mark.parametrize("states", itertools.permutations(["b", "c"]))
def test_a_column_of_two_sources_comes_after_both(states: tuple[str, str]) -> None:
    n = RNG.normal(size=ROWS)
    parts = [Part("a#state", "a", 2), Part("a", "a"), Part("b", "b"), Part("c", "c")]
    values = {"a#state": (n > 0) * 1, "a": n, "b": n + RNG.normal(size=ROWS), "c": n + 0.1 * RNG.normal(size=ROWS)}
    found = order(parts, values, {"a#state": states[0], "a": states[1]})
    assert found.index("a#state") > max(found.index("b"), found.index("c"))
