"""What top coding did to the ends of a column: how many values moved, and to which published end."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from synthcli.columns.codec.codec import Codec
from synthcli.columns.discovery.infer import infer
from synthcli.contracts.schema import Traits
from synthcli.report import ends

ROWS = 400
TIMES = np.random.default_rng(0).permutation(ROWS) * 10  # 0 to 3990; the published ends are 10 and 3980
INNER = TIMES[(TIMES > 100) & (TIMES < 3900)]  # a second time, so that the numbers are no key


def clipped(values: pa.Array, **traits: object) -> dict:
    schema, data = infer(pa.table({"x": values}), {"x": Traits.model_validate(traits)} if traits else {})
    return Codec.fit(data, schema, key=1).clipped


@pytest.mark.parametrize(
    ("values", "least", "most"),
    [
        (pa.array(np.r_[TIMES, INNER]), "10", "3980"),
        (pa.array(np.round(TIMES / 100 + 0.05, 2)), "0.15", "39.85"),
        (pa.array([dt.date(2000, 1, 1) + dt.timedelta(int(t)) for t in TIMES]), "2000-01-11", "2010-11-24"),
        (pa.array([str(t) if t % 70 else "later" for t in TIMES]), "20", "3970"),  # 0 and 3990 are words here
    ],
    ids=["integer", "float", "date", "mixed"],
)
def test_each_end_is_counted_and_placed(values: pa.Array, least: str, most: str) -> None:
    found = clipped(values)["x"]
    assert (found["low"], found["high"], found["least"], found["most"]) == (1, 1, least, most)
    assert 0 < found["known"] <= 2 * ROWS


def test_a_declared_end_is_not_said_to_have_moved() -> None:
    found = clipped(pa.array(TIMES), type="integer", min=0)
    assert (found["x"]["low"], found["x"]["high"]) == (0, 1)
    assert ends.of_column(found["x"]) == "Top coding moved 1 value (0.25%): 1 down to 3980."


def test_sentences_name_the_ends_only_where_values_are_those_of_the_column() -> None:
    found = {"low": 1, "high": 2, "known": 300, "kind": "integer", "least": None, "most": None}
    assert ends.of_column(found) == "Top coding moved 3 values (1.00%): 1 of the lowest, 2 of the highest."
    assert ends.of_columns({"a": found | {"least": "4", "most": "90"}}).endswith(
        "to it: 3 of a (1 up to 4, 2 down to 90)."
    )
    assert ends.of_column(None) == ends.of_columns({}) == ""
