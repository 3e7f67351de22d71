"""docs/contributing.md: its drawing is that of the imports, and the files that it names exist."""

from __future__ import annotations

import re
from pathlib import Path

from tests.contracts import house

TOP = Path(__file__).parents[2]


def test_the_drawing_is_made_from_the_imports() -> None:
    assert house.PAGE.read_text(encoding="utf-8") == house.page(), "run `make house`"


def test_a_longer_way_replaces_an_arrow() -> None:
    assert house.reduced({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {"a": {"b"}, "b": {"c"}, "c": set()}


def test_every_file_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`((?:[a-z]+/)+[a-z_]*(?:\.py|/))`", house.PAGE.read_text(encoding="utf-8")))
    assert len(named) > 10
    for name in named:
        assert (TOP / name).exists() or (TOP / "synthcli" / name).exists(), name
