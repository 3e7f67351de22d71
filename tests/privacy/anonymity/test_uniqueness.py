from itertools import pairwise

import numpy as np
import pandas as pd

from synthcli.privacy.anonymity import uniqueness


def test_k_by_hand():
    frame = pd.DataFrame({"age": [30, 30, 40, 50, 50, 50], "sex": ["f", "f", "f", "m", "m", None]})
    alone = uniqueness.uniqueness(frame, ["age"])
    assert alone.unique == 1 / 6 and alone.shares == {"1": 1 / 6, "2-4": 5 / 6, "5-9": 0.0, "10+": 0.0}
    assert uniqueness.uniqueness(frame, ["age", "sex"]).unique == 2 / 6  # null is a value


def test_units_are_counted_not_rows():
    frame = pd.DataFrame({"age": [30, 30, 30, 40]})
    assert uniqueness.uniqueness(frame, ["age"], np.array([0, 0, 0, 1])).unique == 1.0
    assert uniqueness.uniqueness(frame, ["age"], np.array([0, 1, 1, 2])).unique == 1 / 4


def test_the_search_takes_what_makes_most_unique_first():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "flag": rng.integers(0, 2, 2000),
            "day": rng.integers(0, 1500, 2000),
            "zip": rng.integers(0, 40, 2000),
            "same": 1,
        }
    )
    steps = uniqueness.search(frame, list(frame))
    assert [step.columns for step in steps][:2] == [("day",), ("day", "zip")]
    assert all(a.unique <= b.unique for a, b in pairwise(steps))
    assert not any("same" in step.columns for step in steps)


def test_nothing_to_search():
    assert uniqueness.search(pd.DataFrame({"a": [1, 2]}), []) == []
    assert uniqueness.search(pd.DataFrame({"a": []}), ["a"]) == []
