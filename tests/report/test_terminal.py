"""Pages fit the screen: no line is wider than it, no figure is cut or broken, texts are wrapped at words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from synthcli.artifacts import lineage
from synthcli.artifacts.store import Version
from synthcli.report import listings, reference, terminal, words
from synthcli.report.grid import Field, Grid, Note
from tests.report.conftest import SECRET

WIDTHS = (60, 80, 100, 132, 200)
PATHS = ("run ", "data ", "output ", "report ")  # lines that a terminal wraps itself, so that they can be copied


def drawn(page: terminal.Page, width: int) -> list[str]:
    console = Console(width=width, highlight=False, color_system=None)
    with console.capture() as said:
        for item in page:
            console.print(item)
    return said.get().splitlines()


GRID = Grid(
    [Field("gate"), Field("interval"), Field("real", optional=True), Field("why", "words")],
    [["column_shapes", "0.9321 – 0.9589", "0.9446", "the unfavourable end of the interval is below the bound"]],
)


def test_a_wide_screen_holds_every_field_in_one_line() -> None:
    assert len(drawn([GRID], 120)) == 2


def test_texts_move_below_their_row_first() -> None:
    lines = drawn([GRID], 50)
    assert lines[0].split() == ["gate", "interval", "real"]
    assert lines[2].startswith("      the unfavourable end")


def test_then_optional_fields_are_left_out_with_a_mark() -> None:
    lines = drawn([GRID], 36)
    assert "0.9446" not in "".join(lines)
    assert " ".join(lines).endswith("… left out for lack of width: real")


def test_at_last_a_row_becomes_a_block() -> None:
    assert drawn([GRID], 29)[:3] == ["column_shapes", "  interval  0.9321 – 0.9589", "  real      0.9446"]


def test_a_field_without_values_takes_no_room() -> None:
    grid = Grid([Field("a"), Field("b"), Field("why", "words")], [["1", "", ""], ["2", "", ""]])
    assert drawn([grid], 80) == ["a", "1", "2"]


def test_a_pair_keeps_both_names_when_it_is_cut() -> None:
    grid = Grid([Field("pair", "name"), Field("value")], [["hospital_city_of_admission × department_of_stay", "0.5"]])
    line = drawn([grid], 40)[1]
    assert len(line) <= 40
    assert re.search(r"hospital_\w*… × depart\w*…  0\.5", line)


def test_a_note_is_wrapped_at_words_and_hangs() -> None:
    assert drawn([Note("rare categories were merged")], 22) == ["· rare categories were", "  merged"]


@pytest.fixture
def pages(run: Version) -> dict[str, terminal.Page]:
    found = lineage.listing(run.folder.parent.parent, None)
    other = Version(next(p for p in sorted(run.folder.parent.glob("0002-*"))))
    one = {"stage": "2-train", "detail": "gaussian_copula, validation", "cached": False, "seconds": 12.5}
    plan: dict[str, Any] = {
        "stages": [{**one, "gigabytes": 0.31, "basis": "constants, since no earlier run of this method was found"}],
        "total": {"seconds": 12.5, "gigabytes": 0.31, "unknown": [], "max_rounds": 3},
        "reads": [{"what": "source", "place": "stays.csv", "bytes": 1, "rows": 1, "exact": True, "columns": 1}],
        "writes": [],
        "warnings": [],
    }
    return {
        "show": terminal.run_page(run, fresh=True, whole=True),
        "list": listings.runs_page(
            [*found, {"run": "a/.unfinished-0123", "state": "unfinished", "stages": []}], Path()
        ),
        "diff": listings.diff_page(lineage.difference(run, other)),
        "plan": listings.plan_page(plan),
        "methods": listings.methods_page(reference.methods()),
        "method": listings.method_page(reference.method("trees")),
        "metrics": listings.gauges_page(reference.gauges()),
    }


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_of_a_page_is_wider_than_the_screen(pages: dict[str, terminal.Page], width: int) -> None:
    for name, page in pages.items():
        wide = [line for line in drawn(page, width) if len(line) > width and not line.startswith(PATHS)]
        assert not wide, name


@pytest.mark.parametrize("width", WIDTHS)
def test_every_figure_of_a_gate_stands_whole_in_a_line(run: Version, width: int) -> None:
    lines = drawn(terminal.run_page(run, fresh=True), width)
    gates = (run.verdict() or {})["gates"]
    assert gates
    for gate in gates:
        for figure in (words.number(gate["measured"]["value"]), words.interval(gate["measured"]), words.bounds(gate)):
            assert any(figure in line for line in lines), (figure, width)


def test_the_page_of_a_run_is_named_last(run: Version) -> None:
    assert drawn(terminal.run_page(run, fresh=True), 200)[-1].endswith("report.html")


def test_a_list_shows_verdict_figures_and_age(run: Version) -> None:
    found = lineage.listing(run.folder.parent.parent, None)
    lines = drawn(listings.runs_page(found, Path(), now=run.manifest()["finished"] + 7300), 160)
    assert lines[0].split()[:6] == ["run", "verdict", "method", "rows", "shapes", "pairs"]
    assert words.number(lineage.measurements(run)["column_shapes"]) in lines[1]
    assert "2 hours" in lines[1]
    assert "failed: column_shapes" in lines[2]


def test_starts_without_a_finished_stage_are_counted_and_hidden(tmp_path: Path) -> None:
    (tmp_path / "stays" / ".unfinished-0123456789abcdef").mkdir(parents=True)
    found = lineage.listing(tmp_path, None)
    assert [lineage.begun(run) for run in found] == [False]
    assert drawn(listings.runs_page([], tmp_path, hidden=1), 100)[-1].startswith(
        "· 1 start without a finished stage is"
    )


def test_a_frame_with_many_columns_is_stacked() -> None:
    frame = pd.DataFrame({f"column {i}": [f"value {i} {'long ' * i}", None] for i in range(30)})
    lines = drawn(listings.rows_page(frame, "rows", 80), 80)
    assert max(map(len, lines)) <= 80
    assert "column 5" in "".join(lines)
    assert "…" in "".join(lines)
    assert re.fullmatch(r"· … \d+ columns more; --json has them all", lines[-1])


def test_hashes_are_shortened(pages: dict[str, terminal.Page]) -> None:
    lines = "\n".join(drawn(pages["diff"], 200))
    assert re.search(r"\b[0-9a-f]{12}…", lines)
    assert not re.search(r"[0-9a-f]{20}", lines)


def test_nothing_of_a_person_is_on_the_screen(pages: dict[str, terminal.Page]) -> None:
    assert SECRET not in "\n".join(line for page in pages.values() for line in drawn(page, 200))


def test_a_pipe_is_as_wide_as_columns_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "93")
    assert terminal.width() == 93
    monkeypatch.setenv("COLUMNS", "wide")
    assert terminal.width() == terminal.PIPED
