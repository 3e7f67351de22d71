"""The page of a run: what is on it, what must never be, and that a browser draws it without a word on the console."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from synthcli.artifacts.store import FIT, TRAIN
from synthcli.report import ends, html
from tests.report.outline import Outline
from tests.report.process import written_elsewhere

EVIL, SECRET = (
    "</script><script>document.title='owned'</script>",
    "hidden.person",
)  # as the table of conftest.py has them


@pytest.fixture
def page(run):
    return html.page(run)


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="page-data">(.*?)</script>', page, re.DOTALL)[1])


def test_the_verdict_comes_first_and_says_why(page, run):
    text = Outline(page).text
    assert text.index("Failed") < text.index("column_shapes") < text.index("column_pair_trends")
    why = next(g["why"] for g in run.verdict()["gates"] if not g["passed"])
    assert why in text


def test_every_section_of_a_whole_run_is_there(page):
    ids = [attrs.get("id") for tag, attrs in Outline(page).elements if tag == "section"]
    assert ids == [
        "verdict",
        "gates",
        "sample",
        "columns",
        "pairs",
        "detector",
        "utility",
        "privacy",
        "limits",
        "changed",
        "rounds",
        "constraints",
        "lineage",
    ]
    links = [
        attrs["href"]
        for tag, attrs in Outline(page).elements
        if tag == "a" and (attrs.get("href") or "").startswith("#")
    ]
    assert links == ["#main", *(f"#{i}" for i in ids), "#changed"]


def test_every_chart_on_the_page_has_a_spec_and_every_spec_a_label(page):
    charts, placed = data_of(page)["charts"], [a["data-chart"] for _, a in Outline(page).elements if "data-chart" in a]
    assert placed and set(placed) <= set(charts)
    assert all(c["label"] and c["table"] for c in charts.values())
    assert all(a.get("role") == "img" for _, a in Outline(page).elements if "data-chart" in a)


def test_specs_obey_the_schema_of_vega_lite(page):
    alt = pytest.importorskip("altair")
    found = data_of(page)
    assert found["charts"]
    for chart in (c for name, c in found["charts"].items() if not re.match(r"joint-[1-9]", name)):  # all as joint-0
        alt.Chart.from_dict({**chart["spec"], "config": found["config"], "data": {"values": []}}, validate=True)


def test_values_of_keys_and_of_made_up_columns_are_not_on_it(page, run):
    """The sample shows made-up ones: every key on the page is a synthetic one."""
    made = set(pq.read_table(run.data(), columns=["key"])["key"].to_pylist())
    shown = set(re.findall(r"K-\d{5}", page))
    assert SECRET not in page
    assert len(shown) == 10
    assert shown <= made


def test_ten_synthetic_rows_are_shown(page, run):
    table = re.search(r'<table class="sample">.*?</table>', page, re.DOTALL)[0]
    assert table.count("<tr>") == 11
    assert "Real rows are never shown" in table


def test_no_folder_host_or_user_is_on_it(page, run):
    import getpass
    import platform
    import socket

    text = Outline(page).text
    assert str(run.folder.parent) not in page
    assert str(Path.home()) not in page
    assert platform.release() not in page
    assert platform.platform() not in page
    assert not re.search(rf"\b{re.escape(socket.gethostname())}\b", text)
    assert not re.search(rf"[/@]{re.escape(getpass.getuser())}\b", text)


def test_what_failed_is_the_first_tile_and_says_what_to_do(page):
    tiles = re.search(r'<div class="tiles">(.*?)</section>', page, re.DOTALL)[1]
    first = Outline(tiles[: tiles.index('<span class="name">')]).text
    assert "What failed, and what to do" in first
    assert "column_shapes" in first
    assert "A second real sample gets" in first, "the gate of this run is above what real data gets"


def test_each_headline_figure_has_a_sentence(page):
    said = re.findall(r'<span class="says">(.*?)</span>', page)
    assert len(said) >= 4
    assert all(s.endswith(".") for s in said)
    assert any(re.fullmatch(r"Relations between columns are kept to [\d.]+% of what .* would show\.", s) for s in said)


def test_it_says_what_is_not_protected(page):
    text = Outline(re.search(r'<section id="limits".*?</section>', page, re.DOTALL)[0]).text
    assert "no formal guarantee" in text
    assert "Each row was taken as one person" in text


def test_all_notes_of_the_verdict_are_there_by_kind(page, run):
    section = re.search(r'<section id="changed".*?</section>', page, re.DOTALL)[0]
    text, verdict = Outline(section).text, run.verdict()
    assert all(note in text for note in verdict["notes"])
    assert [n["text"] for n in verdict["noted"]] == verdict["notes"]
    assert "Made up, never learned from the source: key, email." in text
    assert text.index("Made up") < text.index("Changed before learning") < text.index("Not checked, not guaranteed")


def test_a_note_without_a_kind_is_shown_too(run, mended):
    version = mended({"verdict.json": {**run.verdict(), "notes": ["A new sort of note."]}})
    section = re.search(r'<section id="changed".*?</section>', html.page(version), re.DOTALL)[0]
    assert "Other notes" in section
    assert "A new sort of note." in section


def test_pairs_of_the_lowest_agreement_lead_to_their_pictures(page):
    shown = re.findall(r'data-pair="(joint-\d+)" data-panel="joint"', page)
    assert len(shown) > 3
    assert all(f"{id_}-real" in data_of(page)["charts"] for id_ in shown)


def test_a_click_on_a_cell_shows_the_joint_picture_of_its_pair(page, browse, tmp_path):
    """The policy of the page lets no script of ours in, so this copy has none."""
    chosen = (
        "<script>setTimeout(() => { const cell = document.querySelector('[data-chart=pairs-difference] .mark-rect path');"
        " document.title = cell.__data__.datum.a + ' × ' + cell.__data__.datum.b;"
        " cell.dispatchEvent(new MouseEvent('click', {bubbles: true})); }, 3000)</script></body>"
    )
    copy = tmp_path / "clicked.html"
    start, _, end = re.sub(r"<meta http-equiv[^>]*>", "", page, count=1).rpartition("</body>")
    copy.write_text(start + chosen + end)
    seen = browse(copy)
    assert seen.errors == []
    first, second = re.search(r"<title>(.*?) × (.*?)</title>", seen.dom).groups()
    options = re.findall(r'<option value="(joint-\d+)" data-a="(.*?)" data-b="(.*?)">', page)
    wanted = {(a, b): id_ for id_, a, b in options} | {(b, a): id_ for id_, a, b in options}
    assert f'data-chart="{wanted[first, second]}-real"' in seen.dom


def test_names_from_data_are_text_and_never_markup(page):
    assert EVIL not in page
    scripts = [a for tag, a in Outline(page).elements if tag == "script"]
    assert len(scripts) == 4  # watch, data, vega, page
    assert not any("onerror" in a for _, a in Outline(page).elements)
    assert EVIL in Outline(page).text
    assert EVIL in data_of(page)["datasets"]["pairs"]["a"]
    assert "{{ 7*7 }}" in Outline(page).text


def test_it_names_no_address_to_load_from(page):
    loads = [a.get(k) for _, a in Outline(page).elements for k in ("src", "href", "srcset", "data") if a.get(k)]
    assert "#verdict" in loads and all(x.startswith(("#", "data:")) for x in loads)
    assert "default-src 'none'" in page and "unsafe-eval" not in page


def test_what_assistive_technology_needs(page):
    outline = Outline(page)
    tags = [tag for tag, _ in outline.elements]
    assert outline.elements[0] == ("html", {"lang": "en"})
    assert tags.count("h1") == 1 and tags.count("main") == 1 and tags.count("table") == tags.count("caption")
    scopes = [a.get("scope") for tag, a in outline.elements if tag == "th"]
    assert scopes and set(scopes) <= {"col", "row"}
    known = {a["id"] for _, a in outline.elements if a.get("id")}
    named_by = {a["aria-labelledby"] for _, a in outline.elements if "aria-labelledby" in a}
    assert named_by and named_by <= known
    assert len(known) == sum(1 for _, a in outline.elements if a.get("id"))


def test_the_worst_column_comes_first(page):
    scores = [a["data-score"] for _, a in Outline(page).elements if "data-score" in a]
    known = [float(s) for s in scores if s]
    assert known == sorted(known) and len(known) == 5 and scores[5:] == ["", ""]


def test_the_command_reproduces_it(page, run):
    command = re.search(r'<pre id="command"[^>]*>(.*?)</pre>', page, re.DOTALL)[1]
    assert command == "synth run people.yaml --root artifacts"


def test_it_is_small_and_the_same_in_every_process(run, tmp_path):
    one, two = html.write(run, tmp_path / "one.html"), written_elsewhere(run, tmp_path / "two.html")
    assert one.read_bytes() == two.read_bytes() and one.stat().st_size < 3_000_000


def test_a_run_that_was_never_judged_has_a_page(mended):
    version = mended(
        {
            "verdict.json": None,
            "4-evaluate/measurements.json": None,
            "4-evaluate/pictures.json": None,
            "5-privacy-check/measurements.json": None,
        }
    )
    assert "Not judged" in html.page(version)


def test_a_browser_draws_every_chart_and_says_nothing(run, browse, tmp_path):
    page = html.write(run, tmp_path / "report.html")
    seen = browse(page)
    assert seen.errors == []
    assert seen.charts == len({a["data-chart"] for _, a in Outline(page.read_text()).elements if "data-chart" in a})
    assert len(re.findall(r'<svg[^>]*class="marks"', seen.dom)) == seen.charts
    assert not seen.asked
    assert "<title>owned" not in seen.dom


def test_without_scripts_there_are_tables(page):
    text = Outline(re.search(r"<noscript>.*</noscript>", page, re.DOTALL)[0]).text
    assert "Distribution of age" in text and "Nulls, synthetic" in text


@pytest.fixture
def wide(run, mended):
    """The run as if it had 300 columns."""
    body = run.read("4-evaluate", "pictures.json")
    age = next(c for c in body["columns"] if c["name"] == "age")
    body["columns"] = [{**age, "name": f"column {i:03d}"} for i in range(300)]
    return mended({"4-evaluate/pictures.json": body})


def test_300_columns_stay_usable(wide, browse, tmp_path: Path):
    page = html.write(wide, tmp_path / "wide.html")
    assert page.stat().st_size < 3_000_000
    seen = browse(page)
    assert seen.errors == [] and seen.charts >= 300
    assert 'name="words"' in seen.dom


def test_a_column_says_what_top_coding_did_to_its_ends(page, run):
    moved, text = run.read(TRAIN, FIT)["clipped"], Outline(page).text
    assert "visit" in moved and text.count("Top coding moved") == len(moved)
    assert all(ends.of_column(found) in text for found in moved.values())
    assert any("were clipped to it" in note and "up to 2021-01-0" in note for note in run.verdict()["notes"])
