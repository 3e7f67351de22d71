"""The generated reference of the spec: every key with its help, every made-up kind with an example."""

from __future__ import annotations

import re

import pytest

from synthcli.columns.fake import generate as fake
from synthcli.report import spec_reference

KEYS = {each["key"]: each for each in spec_reference.spec_keys()}


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_key_says_what_it_is(key: str) -> None:
    assert KEYS[key]["help"] and KEYS[key]["type"]


def test_keys_of_all_depths_are_there() -> None:
    deep = (
        "seed",
        "source.tables.NAME.path",
        "source.relationships[].from",
        "columns.NAME.rare.as",
        "output.delimiter",
    )
    assert set(deep) <= set(KEYS)
    assert KEYS["source.split.holdout"]["default"] == "`0.2`" and KEYS["source.type"]["default"] == "required"
    assert KEYS["evaluate.gates[].bound"]["type"] == "`interval`, `value`, `favourable`"
    assert KEYS["source.max_rows"]["type"] == "whole number ≥ 1"


def test_every_made_up_kind_has_an_example() -> None:
    kinds = {each["kind"]: each["example"] for each in spec_reference.kinds()}
    assert set(kinds) == set(fake.KINDS) and all(kinds.values())
    assert re.fullmatch(r"[^@\s]+@[^@\s]+", kinds["email"]) and re.fullmatch(r"[\d.]{7,15}", kinds["ipv4"])
