"""Decisions that a spec leaves open: columns of words that few privacy units share (columns/pii/rare_words.py).

They are warnings, and errors under `purpose: public-release`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthcli.columns.pii import rare_words
from synthcli.spec.load import Loaded

PUBLIC = "public-release"


def warnings(loaded: Loaded, undecided: Sequence[Mapping[str, Any]]) -> list[str]:
    """A warning for each undecided column. Raises one SpecError that names them all if the output is for the public."""
    if loaded.spec.purpose == PUBLIC and undecided:
        raise loaded.fail(
            [
                (
                    ("columns", one["column"]),
                    f"{rare_words.told(one)}. purpose: {PUBLIC} needs a decision; remedy: {rare_words.choices(one)}",
                )
                for one in undecided
            ]
        )
    return rare_words.notes(undecided)
