"""Number and noun agree."""

from __future__ import annotations

from synthcli.wording import agreeing, quantity


def test_a_quantity_agrees_with_its_number() -> None:
    assert quantity(1, "rule") == "1 rule"
    assert quantity(0, "rule") == "0 rules"
    assert quantity(1034, "row") == "1,034 rows"
    assert quantity(2, "category", "categories") == "2 categories"


def test_a_verb_agrees_too() -> None:
    assert [agreeing(n, "holds", "hold") for n in (0, 1, 2)] == ["hold", "holds", "hold"]
