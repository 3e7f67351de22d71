"""What the codec does with rare words and with words that it has not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns import frame as frames
from synthcli.columns.codec.codec import Codec
from synthcli.columns.discovery.infer import infer
from synthcli.contracts.schema import Column, Schema, Traits


def coded(frame: pd.DataFrame, units: np.ndarray | None = None, **traits: dict[str, Any]) -> tuple[Codec, pd.DataFrame]:
    """The codec, and the frame through it and back."""
    declared = {name: Traits.model_validate({"type": "category", **traits.get(name, {})}) for name in frame}
    schema, data = infer(pa.Table.from_pandas(frame, preserve_index=False), declared)
    codec = Codec.fit(data, schema, key=1, units=units)
    return codec, codec.decode(codec.encode(data), len(data), start=0, rng=np.random.default_rng(0))


WORDS = pd.DataFrame({"w": ["anna"] * 40 + ["berta"] * 40 + ["carla"] * 18 + ["bea", "zoe"]})


def test_a_word_of_one_person_is_folded_into_its_neighbour() -> None:
    codec, back = coded(WORDS)
    assert codec.merged == {"w": 2}
    assert list(back["w"][-2:]) == ["berta", "carla"]
    assert list(back["w"][:98]) == list(WORDS["w"][:98])
    assert "zoe" not in str(codec.columns)


def test_a_word_of_one_person_with_many_rows_is_still_one_persons() -> None:
    frame = pd.DataFrame({"w": ["anna"] * 60 + ["berta"] * 60 + ["zoe"] * 30})
    units = np.concatenate([np.arange(120), np.full(30, 120)])
    assert coded(frame, units)[0].merged == {"w": 1}
    assert coded(frame)[0].merged == {}


def test_declared_categories_and_small_tables_stay_as_they_are() -> None:
    assert coded(WORDS, w={"categories": ["anna", "bea", "berta", "carla", "zoe"]})[0].merged == {}
    few = WORDS.iloc[60:]
    codec, back = coded(few)
    assert codec.merged == {}
    assert list(back["w"]) == list(few["w"])


def test_rare_words_take_the_declared_one() -> None:
    codec, back = coded(WORDS, w={"rare": {"min_units": 20, "as": "other"}})
    assert codec.merged == {"w": 3}
    assert set(back["w"]) == {"anna", "berta", "other"}


def test_an_unseen_word_takes_its_neighbour() -> None:
    codec, _ = coded(WORDS)
    new = pd.DataFrame({"w": pd.Series(["aaa", "bb", "zz"], dtype="string[pyarrow]")})
    back = codec.decode(codec.encode(new), 3, start=0, rng=np.random.default_rng(0))
    assert list(back["w"]) == ["anna", "berta", "carla"]


def test_words_that_spell_numbers_fold_by_size() -> None:
    frame = pd.DataFrame({"w": ["9"] * 40 + ["10"] * 40 + ["100"] * 40 + ["N"] * 40 + ["11", "98"]})
    _, back = coded(frame)
    assert list(back["w"][-2:]) == ["100", "100"]


@pytest.mark.parametrize("storage", ["string", "large_string", "dictionary<values=string, indices=int8, ordered=0>"])
def test_stored_parts_are_the_frame_in_arrow(storage: str) -> None:
    frame = pd.DataFrame(
        {
            "w": pd.Series(["b", "a", None, "c"] * 20, dtype="string[pyarrow]"),
            "few": pd.Series([3, 1, None, 2] * 20, dtype="Int64"),
            "x": np.arange(80) / 7,
        }
    )
    kinds = {"w": ("category", storage), "few": ("category", "int16"), "x": ("float", "float")}
    schema = Schema(
        tuple(Column(name, inferred=Traits(type=kind), storage=held) for name, (kind, held) in kinds.items())
    )
    codec = Codec.fit(frame, schema, key=1)
    values = codec.encode(frame)
    stored, want = codec.stored(values, 80, {}), frames.to_arrow(codec.framed(values, 80, {}), schema)
    assert pa.types.is_dictionary(stored["w"].type) and stored["w"].null_count == 20
    assert (
        stored.select(["few", "x"]).equals(want.select(["few", "x"]))
        and stored["w"].to_pylist() == want["w"].to_pylist()
    )
