"""The dial turns towards what fails, bisects between two failures, and stops when nothing is left."""

from __future__ import annotations

from synthcli.contracts.evaluation import Gate, Measurement, Outcome
from synthcli.contracts.modality import Choice
from synthcli.pipeline.refine import Round, best, next_choice
from synthcli.tabular.methods.trees import DIAL

BAD, GOOD = (
    Outcome(Gate("m", min=1), passed, Measurement("m", 0.0), margin, "")
    for passed, margin in ((False, -1.0), (True, 1.0))
)


def tried(number: int, leaf: int, quality: Outcome, privacy: Outcome, method: str = "trees") -> Round:
    params = {"min_leaf": leaf} if method == "trees" else {}
    return Round(number, Choice(method, params, modality="tabular"), quality=[quality], privacy=[privacy], judged=True)


def test_quality_fails_towards_fidelity() -> None:
    choice, why = next_choice([tried(1, 60, BAD, GOOD)])
    assert choice is not None
    assert choice.params["min_leaf"] == round((60 * DIAL.fidelity) ** 0.5)
    assert "fidelity" in why


def test_privacy_fails_towards_privacy() -> None:
    choice, why = next_choice([tried(1, 60, GOOD, BAD)])
    assert choice is not None
    assert choice.params["min_leaf"] == round((60 * DIAL.privacy) ** 0.5)
    assert "privacy" in why


def test_both_known_bisects() -> None:
    rounds = [tried(1, 60, BAD, GOOD), tried(2, 17, GOOD, BAD)]
    choice, _ = next_choice(rounds)
    assert choice is not None
    assert choice.params["min_leaf"] == 32  # the geometric middle of 17 and 60


def test_both_at_once_cannot_be_served() -> None:
    assert next_choice([tried(1, 60, BAD, BAD)])[0] is None


def test_a_method_without_a_dial_stops() -> None:
    choice, why = next_choice([tried(1, 0, BAD, GOOD, method="independent")])
    assert choice is None
    assert "no dial" in why


def test_the_dial_stops_where_it_stands_still() -> None:
    choice, why = next_choice([tried(1, round(DIAL.fidelity), BAD, GOOD)])
    assert choice is None
    assert "no value left" in why


def test_the_best_round_is_the_one_that_passes_and_ties_go_to_the_first() -> None:
    failed, passed, again = tried(1, 60, BAD, GOOD), tried(2, 17, GOOD, GOOD), tried(3, 9, GOOD, GOOD)
    assert best([failed, passed, again]) is passed
    broken = Round(4, Choice("trees", {}, modality="tabular"), error="no")
    assert best([broken, failed]) is failed
    assert next_choice([broken])[0] is None
