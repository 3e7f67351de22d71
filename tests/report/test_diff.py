"""Two runs side by side."""

from __future__ import annotations

import pytest

from synthcli.report import diff


def test_it_says_what_differs_and_what_moved(runs):
    found = diff.compare(*runs)
    assert found["same_data"] and found["first"]["run"] == runs[0].name
    assert ["seed", 5, 6] in found["changed"]["spec"]
    shapes = next(m for m in found["figures"] if m["name"] == "column_shapes")
    assert shapes["delta"] == pytest.approx(shapes["second"]["value"] - shapes["first"]["value"])
    assert shapes["better"] == ("second" if shapes["delta"] > 0 else "first")
    moved = [abs(c["delta"]) for c in found["columns"]]
    assert moved == sorted(moved, reverse=True) and len(moved) == 5
    assert all(a == b for a, b in found["spec"])


@pytest.mark.parametrize(
    ("one", "two", "better", "apart"),
    [
        ({"value": 0.9, "low": 0.85, "high": 0.95}, {"value": 0.8, "low": 0.7, "high": 0.84}, "first", True),
        (
            {"value": 0.9, "low": 0.8, "high": 1.0, "better": "lower"},
            {"value": 0.8, "low": 0.7, "high": 0.9, "better": "lower"},
            "second",
            False,
        ),
        ({"value": 0.45, "better": "half"}, {"value": 0.52, "better": "half"}, "second", False),
        ({"value": None}, {"value": 0.5}, None, False),
    ],
)
def test_which_run_a_figure_favours(one, two, better, apart):
    found = diff._moved("x", one, two)
    assert (found["better"], found["apart"]) == (better, apart)


def test_a_run_does_not_differ_from_itself(run):
    found = diff.compare(run, run)
    assert (
        not found["changed"]
        and not any(m["delta"] for m in found["figures"])
        and not any(g["turned"] for g in found["gates"])
    )


def test_lines_stand_side_by_side():
    assert list(diff._beside("a\nb\nc", "a\nx\ny\nc")) == [("a", "a"), ("b", "x"), (None, "y"), ("c", "c")]


def test_a_browser_draws_it(runs, browse, tmp_path):
    seen = browse(diff.write(*runs, tmp_path / "diff.html"))
    assert seen.errors == [] and seen.charts > 8 and not seen.asked and "<title>owned" not in seen.dom
