"""Ties between columns against brute force, and that chance is not called one."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.codec import dependencies
from synthcli.columns.codec.codec import Codec
from synthcli.columns.codec.parts import Part, Scale
from synthcli.columns.discovery.infer import infer

RNG = np.random.default_rng(0)
ROWS = 3000


def fitted(columns: dict[str, object]) -> tuple[Codec, dict[str, np.ndarray], pd.DataFrame]:
    schema, data = infer(pa.table(columns), {})
    codec = Codec.fit(data, schema, key=1)
    return codec, codec.encode(data), data


def kinds(columns: dict[str, object]) -> set[tuple[str, str, str]]:
    codec, values, _ = fitted(columns)
    return {(t.kind, t.a, t.b) for t in dependencies.ties(values, codec.parts, codec.scales)}


class TestDetermined:
    def test_as_by_brute_force(self) -> None:
        a = RNG.integers(0, 30, ROWS)
        columns = {
            "a": a,
            "half": a // 2,
            "third": a // 3,
            "free": RNG.integers(0, 12, ROWS),
            "sixth": a // 6,
            "label": [f"w{x}" for x in a],
        }
        codec, values, data = fitted({n: pa.array(v) for n, v in columns.items()})
        found = dependencies.determined(values, codec.parts)
        functions = {(s, t) for s, t in itertools.permutations(columns, 2) if data.groupby(s)[t].nunique().max() == 1}
        assert {(s, t) for t, s in found.items()} <= functions
        assert set(found) == {"half", "third", "sixth"} | ({"label"} if "label" in found else {"a"})
        assert found["sixth"] in ("half", "third")  # not from a: nearer ones are simpler

    def test_never_in_a_circle_and_states_come_before_their_numbers(self) -> None:
        days = np.where(RNG.random(ROWS) < 0.7, -1, RNG.integers(1, 300, ROWS))
        times = np.where(days < 0, 0, RNG.integers(1, 30, ROWS))
        codec, values, _ = fitted({"days": pa.array(days), "times": pa.array(times)})
        found = dependencies.determined(values, codec.parts)
        assert found in ({"times#state": "days#state"}, {"days#state": "times#state"})

    def test_accidents_are_no_rules(self) -> None:
        rare = np.zeros(ROWS, dtype=int)
        rare[5] = 1
        assert (
            dependencies.determined(
                {"a": RNG.integers(0, 100, ROWS), "rare": rare}, [Part("a", "a", 100), Part("rare", "rare", 2)]
            )
            == {}
        )
        key = RNG.permutation(ROWS)
        assert dependencies.determined({"key": key, "b": key % 7}, [Part("key", "key", ROWS), Part("b", "b", 7)]) == {}

    def test_the_rows_of_a_few_people_are_no_rule(self) -> None:
        units = np.repeat(np.arange(6), 100)
        values = {"home": units, "job": np.array([0, 1, 2, 0, 1, 3])[units]}
        parts = [Part("home", "home", 6), Part("job", "job", 4)]
        assert dependencies.determined(values, parts) == {"job": "home"}
        assert dependencies.determined(values, parts, units) == {}

    def test_folded_words_may_break_a_function(self) -> None:
        a = RNG.integers(0, 30, ROWS)
        b = a // 3
        b[:2] = (b[:2] + 1) % 10
        values, parts = {"a": a, "b": b}, [Part("a", "a", 30), Part("b", "b", 10)]
        assert dependencies.determined(values, parts) == {}
        assert dependencies.determined(values, parts, folded={"a": 1}) == {}
        assert dependencies.determined(values, parts, folded={"a": 1, "b": 1}) == {"b": "a"}


class TestImpossible:
    def test_as_by_brute_force(self) -> None:
        a, b = RNG.integers(0, 5, ROWS), RNG.integers(0, 4, ROWS)
        keep = ~((a == 2) & (b == 3)) & (a != 4)
        a, b = a[keep], b[keep]
        found = dependencies.impossible(a, 5, b, 4)
        for i, j in itertools.product(range(5), range(4)):
            never = not ((a == i) & (b == j)).any()
            assert found[i, j] == (never and (a == i).sum() * (b == j).sum() / len(a) >= dependencies.EXPECTED)
        assert found.sum() == 1 and found[2, 3]

    def test_a_pair_that_is_rarely_expected_may_occur(self) -> None:
        a, b = np.array([0] * 99 + [1]), np.array([0] * 90 + [1] * 10)
        b[-1] = 0
        assert not dependencies.impossible(a, 2, b, 2).any()
        assert dependencies.impossible(a, 2, b, 2, least_expected=0.05)[1, 1]


class TestNumbers:
    def test_order_of_dates_and_of_whole_numbers_of_other_scales(self) -> None:
        start = RNG.integers(15_000, 16_000, ROWS)
        stay = RNG.integers(0, 12, ROWS)
        low, high = RNG.integers(50, 150, ROWS), RNG.integers(0, 90, ROWS)
        columns = {
            "start": pa.array(start.astype(np.int32), pa.date32()),
            "end": pa.array((start + stay).astype(np.int32), pa.date32()),
            "low": pa.array(low),
            "high": pa.array(low + high),
            "other": pa.array(RNG.integers(0, 300, ROWS)),
        }
        found = kinds(columns)
        assert {("order", "start", "end"), ("difference", "start", "end"), ("order", "low", "high")} <= found
        assert not any("other" in pair for pair in found) and ("difference", "low", "high") not in found
        assert ("equal", "start", "end") in found  # in a twelfth of the rows

    def test_equal_beyond_chance_only(self) -> None:
        x = RNG.integers(0, 400, ROWS)
        same = np.where(RNG.random(ROWS) < 0.3, x, RNG.integers(0, 400, ROWS))
        codec, values, _ = fitted(
            {"x": pa.array(x), "same": pa.array(same), "few": pa.array(RNG.integers(0, 14, ROWS))}
        )
        found = dependencies.ties(values, codec.parts, codec.scales)
        assert {(t.kind, frozenset((t.a, t.b))) for t in found} == {("equal", frozenset(("x", "same")))}
        assert found[0].share == pytest.approx((x == same).mean()) and found[0].rows == ROWS
        few = {"a": RNG.integers(0, 14, ROWS).astype(float), "b": RNG.integers(0, 14, ROWS).astype(float)}
        assert dependencies.ties(few, [Part("a", "a"), Part("b", "b")], {"a": Scale(), "b": Scale()}) == []

    def test_an_order_that_holds_in_the_sample_alone_is_none(self) -> None:
        rows = 5 * dependencies.SAMPLE
        x = RNG.normal(size=rows)
        y = x + RNG.random(rows)
        assert ("order", "x", "y") in kinds({"x": pa.array(x), "y": pa.array(y)})
        y[1] = x[1] - 1
        assert kinds({"x": pa.array(x), "y": pa.array(y)}) == set()

    def test_nulls_are_left_out(self) -> None:
        x, gone = RNG.normal(size=ROWS), RNG.random(ROWS) < 0.4
        y = x + RNG.random(ROWS)
        assert ("order", "x", "y") in kinds({"x": pa.array(x), "y": pa.array(np.where(gone, -99.0, y), mask=gone)})

    def test_columns_of_a_wide_table_are_compared_with_their_neighbours_only(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compared: list[tuple[str, str]] = []
        monkeypatch.setattr(dependencies, "_tied", lambda a, b, x, y: compared.append((a, b)) or [])
        names = [f"n{i}" for i in range(300)]
        values = {n: RNG.normal(size=4000) for n in names}
        assert dependencies.ties(values, [Part(n, n) for n in names], dict.fromkeys(names, Scale())) == []
        assert len(names) < len(set(compared)) == len(compared) <= len(names) * dependencies.WIDE // 4
