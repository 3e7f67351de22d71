"""What auto takes: by size, types and limits, with its reasons."""

from __future__ import annotations

import pytest

from synthcli import plugins
from synthcli.contracts.cost import Work
from synthcli.contracts.modality import Choice
from synthcli.contracts.modelling import Limits
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.tabular import choose, costs

CHOICES = (choose.TREES, choose.FEW_TREES, choose.INDEPENDENT)


def schema(numbers: int, codes: int = 0, made: int = 0) -> Schema:
    kinds = ["float"] * numbers + ["category"] * codes + ["email"] * made
    return Schema(tuple(Column(f"c{i}", inferred=Traits(type=kind)) for i, kind in enumerate(kinds)))


@pytest.mark.parametrize(
    ("rows", "numbers", "codes", "method"),
    [
        (300, 12, 1, "trees"),
        (300, 4, 6, "trees"),
        (60, 12, 1, "trees"),
        (50_000, 12, 1, "trees"),
        (50_000, 3, 9, "trees"),
        (500, 1, 0, "independent"),
        (500, 0, 0, "independent"),
    ],
)
def test_size_and_types_decide(
    rows: int, numbers: int, codes: int, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "installed", lambda extra: True)
    assert choose.choose(rows, schema(numbers, codes, made=3)).method == method


@pytest.mark.parametrize("choice", CHOICES, ids=choose._words)
def test_every_choice_is_a_method_with_these_parameters_whose_cost_is_known(choice: Choice) -> None:
    assert (
        choice.method in plugins.names("methods", "tabular") and choice.params.items() <= plugins.params(choice).items()
    )
    assert choose._cost(choice).seconds(Work(1_000, 5, 5)) > 0


def test_minutes_refuse_what_takes_longer_and_say_how_long() -> None:
    wide = schema(200, 100)
    free, short = (
        choose.choose(20_000, wide),
        choose.choose(
            20_000, wide, Limits(minutes=choose._cost(choose.TREES).seconds(Work(20_000, 200, 100)) / 60 - 1)
        ),
    )
    assert free.params == {} and "not " not in free.why
    assert short.method == "trees" and short.params == choose.FEW_TREES.params
    assert "not trees: about" in short.why and "generator.limits.minutes is" in short.why
    least = choose.choose(20_000, wide, Limits(minutes=0.01))
    assert least.method == "independent" and "source.max_rows" in least.why


def test_memory_refuses_what_needs_more() -> None:
    said = choose.choose(50_000_000, schema(10, 5), Limits(memory_gb=4.0))
    assert said.method == "independent" and "generator.limits.memory_gb is 4" in said.why
    assert choose.choose(50_000, schema(10, 5), Limits(memory_gb=4.0)).method == "trees"


def test_the_reasons_carry_figures() -> None:
    why = choose.choose(3_183, schema(4, 5)).why
    assert "3,183 rows × 9 columns, 44% of them numbers" in why and "GB" in why


@pytest.mark.parametrize("choice", [*CHOICES, Choice("gaussian_copula", {}, modality="tabular")], ids=choose._words)
def test_more_rows_and_columns_never_cost_less(choice: Choice) -> None:
    cost, at = costs.trained(choice), Work(5_000, 20, 20)
    assert cost is not None
    for larger in (Work(50_000, 20, 20), Work(5_000, 60, 20), Work(5_000, 20, 60)):
        assert cost.seconds(larger) > cost.seconds(at)
    assert cost.gigabytes(Work(10**6, 10, 10)) < cost.gigabytes(Work(10**7, 10, 10))
