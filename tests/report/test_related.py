"""The page of a run of related tables: pictures of every table and of relationships, the diagram, what a browser makes
of it.
"""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import numpy as np
import pyarrow.csv as pacsv
import pytest

from synthcli.artifacts.store import EVALUATE, PICTURES, Version
from synthcli.columns.frame import to_arrow
from synthcli.pipeline.execute import execute
from synthcli.relational.pictures import relationships
from synthcli.report import diagram, diff, html
from synthcli.tabular.pictures import FEW
from tests.relational import simulated
from tests.report.outline import Outline
from tests.report.process import written_elsewhere

SPEC = """
source:
  tables:
    customers: {path: customers.csv}
    orders: {path: orders.csv}
    items: {path: items.csv}
    products: {path: products.csv, keep: true}
  relationships:
    - {from: orders.customer_id, to: customers.id}
    - {from: [items.region, items.order_no], to: [orders.region, orders.no]}
    - {from: items.product_id, to: products.sku}
privacy_unit: customers
seed: 3
constraints: [{table: orders, expr: amount > 0}]
generator: {method: trees, params: {trees: 1, min_leaf: 20}}
evaluate: {gates: [{metric: cardinality_shape, min: 0.999, bound: value}, {metric: column_shapes, min: 0.3, bound: value}]}
privacy_check: {attacks: [membership], gates: [{metric: membership_auc, max: 0.9, bound: value}]}
refine: {max_rounds: 1}
"""


@pytest.fixture(scope="session")
def shop_run(tmp_path_factory: pytest.TempPathFactory) -> Version:
    folder, shop = tmp_path_factory.mktemp("shop"), simulated.shop(160)
    for name, frame in shop.frames.items():
        pacsv.write_csv(to_arrow(frame, shop.schemas[name]), folder / f"{name}.csv")
    (folder / "shop.yaml").write_text(SPEC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTH_STATE", str(folder / "state"))
        patch.chdir(folder)
        return execute(folder / "shop.yaml", root=folder / "artifacts").version


@pytest.fixture(scope="session")
def shop_page(shop_run: Version) -> str:
    return html.page(shop_run)


def test_every_table_that_has_unseen_rows_has_pictures(shop_run):
    found = shop_run.read(EVALUATE, PICTURES)
    assert list(found["tables"]) == ["customers", "orders", "items"], "products are public: no part of them is unseen"
    columns = {name: [c["name"] for c in one["columns"]] for name, one in found["tables"].items()}
    assert columns["customers"] == ["id", "segment", "age", "signup"] and "amount" in columns["orders"]
    assert all(one["pairs"] and one["detector"] for one in found["tables"].values())
    names = [r["name"] for r in found["relationships"]]
    assert names == [r.name for r in simulated.SHOP]


def test_numbers_of_children_are_those_of_groups():
    tables = simulated.shop(400)
    found = {r["name"]: r for r in relationships(tables, simulated.shop(300, seed=8), rng=np.random.default_rng(0))}
    for r in simulated.SHOP[:2]:
        counts, units = tables.children(r), tables.units()[r.parent]
        bins, one = found[r.name]["children"], found[r.name]
        place = np.clip(np.searchsorted(bins["edges"], counts, side="right") - 1, 0, len(bins["real"]) - 1)
        assert bins["real"] == pytest.approx(np.bincount(place, minlength=len(bins["real"])) / len(counts), abs=1e-4)
        reached = [len(np.unique(units[place == i])) for i in range(len(bins["real"]))]
        assert all(n == 0 or n >= FEW for n in reached)
        assert one["without"]["real"] == pytest.approx((counts == 0).mean(), abs=1e-4) and not one["thinned"]


def test_a_parent_that_is_in_every_part_is_drawn_with_as_many_children_on_both_sides():
    whole = simulated.shop(400)
    part = whole.split({"train": 0.8, "holdout": 0.2}, rng=np.random.default_rng(1))["holdout"]
    one = relationships(part, whole, rng=np.random.default_rng(0))[2]
    assert one["thinned"] and one["mean"] == pytest.approx(len(whole.frames["items"]) / 40, rel=1e-3)

    def mean(side):
        return np.dot(
            one["children"][side], (np.array(one["children"]["edges"][1:]) + one["children"]["edges"][:-1]) / 2
        )

    assert mean("real") == pytest.approx(mean("synthetic"), rel=0.25) and mean("real") < one["mean"] / 2


def test_how_parents_go_with_children_is_that_of_the_same_tables():
    one = relationships(simulated.shop(400), simulated.shop(400), rng=np.random.default_rng(0))[0]["trends"]
    assert one["real"] == one["synthetic"] and len(one["real"]) == len(one["rows"]) * len(one["columns"])
    cell = dict(zip([(a, b) for a in one["rows"] for b in one["columns"]], one["real"], strict=True))
    assert cell["signup", "placed"] > 0.5 > abs(cell["age", "shipped"] or 0), "orders come after the customer signed up"
    assert "number of children" in one["rows"]


def test_without_a_part_that_was_kept_apart_only_the_synthetic_side_is_drawn():
    one = relationships(None, simulated.shop(200), rng=np.random.default_rng(0))[0]
    assert "real" not in one["children"] and "synthetic" in one["children"] and one["trends"] is None


def test_parents_stand_above_their_children():
    names, links = (
        ["items", "orders", "users", "products", "staff"],
        [("orders", "users"), ("items", "orders"), ("items", "products"), ("staff", "staff")],
    )
    found = diagram.layout(names, links)
    boxes = found["boxes"]
    assert boxes["users"]["y"] < boxes["orders"]["y"] < boxes["items"]["y"]
    assert boxes["products"]["y"] == boxes["orders"]["y"], "right above what refers to it"
    places = [(b["x"], b["y"]) for b in boxes.values()]
    apart = [
        (abs(x - u) >= found["box"] or abs(y - v) >= found["high"])
        for i, (x, y) in enumerate(places)
        for u, v in places[:i]
    ]
    assert all(apart) and all(
        x >= 0 and x + found["box"] <= found["width"] and y + found["high"] <= found["height"] for x, y in places
    )
    assert len(found["lines"]) == 4


def test_no_label_lies_on_a_box():
    """Of a relationship that leads past other tables."""
    found = diagram.layout(["a", "b", "c", "d"], [("b", "a"), ("c", "b"), ("d", "c"), ("d", "a"), ("c", "a")])
    tops = sorted({b["y"] for b in found["boxes"].values()})
    assert len(tops) == 4
    assert not any(top - 4 < line["y"] < top + found["high"] + 4 for line in found["lines"] for top in tops)


def test_circles_end():
    found = diagram.layout(["a", "b", "c"], [("a", "b"), ("b", "c"), ("c", "a")])
    assert set(found["boxes"]) == {"a", "b", "c"} and found["height"] < 1000


def test_the_page_shows_every_table_and_every_relationship(shop_page):
    found = Outline(shop_page)
    ids = [a.get("id") for tag, a in found.elements if tag == "section"]
    assert ids == [
        "verdict",
        "gates",
        "relationships",
        "tables",
        "privacy",
        "limits",
        "changed",
        "constraints",
        "lineage",
    ]
    links = [h for h in found.all("href") if h.startswith("#") and h != "#main"]
    assert [h for h in links if not h.startswith("#table-")] == [*(f"#{i}" for i in ids), "#changed"]
    known = found.all("id")
    assert len(known) == len(set(known)) and {h[1:] for h in links} <= set(known)
    assert "public, output unchanged" in found.text and "orders per row of customers" in found.text
    assert "number of orders" in found.text and "parent.#" not in shop_page and "^unit" not in shop_page
    assert found.text.count("orders: amount > 0") == 1 and "orders: orders:" not in found.text
    folded = [a for tag, a in found.elements if tag == "details" and "fold" in (a.get("class") or "")]
    assert sum("open" in a for a in folded) == 2 < len(folded), (
        "the table of the privacy unit, and the first relationship"
    )


def test_a_failed_relationship_is_told_at_the_top(shop_page, shop_run):
    gate = next(g for g in shop_run.verdict()["gates"] if g["metric"] == "cardinality_shape")
    text = Outline(shop_page).text
    assert not gate["passed"] and text.index(gate["why"]) < text.index("Relationships between tables")


def test_each_chart_has_its_place_its_data_and_a_table_of_its_figures(shop_page):
    data = json.loads(
        re.search(r'<script type="application/json" id="page-data">(.*?)</script>', shop_page, re.DOTALL)[1]
    )
    placed = set(Outline(shop_page).all("data-chart"))
    chosen = {name for name in data["charts"] if re.search(r"joint-[1-9]", name)}  # shown when they are chosen
    assert chosen
    assert placed == set(data["charts"]) - chosen
    for name, chart in data["charts"].items():
        rows = data["datasets"][chart["data"]] if isinstance(chart["data"], str) else chart["data"]
        assert len({len(values) for values in rows.values()}) == 1 and {field for field, _ in chart["table"]} <= set(
            rows
        ), name
        assert chart["label"]
    alt = pytest.importorskip("altair")
    kinds = {re.sub(r"\d+", "", name): chart for name, chart in data["charts"].items()}  # one of each
    for chart in kinds.values():
        alt.Chart.from_dict({**chart["spec"], "config": data["config"], "data": {"values": []}}, validate=True)


def test_the_page_of_several_tables_is_small_and_the_same_in_every_process(shop_run, tmp_path: Path):
    one, two = html.write(shop_run, tmp_path / "one.html"), written_elsewhere(shop_run, tmp_path / "two.html")
    assert one.read_bytes() == two.read_bytes() and one.stat().st_size < 3_000_000


def test_what_assistive_technology_needs(shop_page):
    found = Outline(shop_page)
    tags = [tag for tag, _ in found.elements]
    assert (
        tags.count("h1") == 1
        and tags.count("table") == tags.count("caption")
        and all(a.get("scope") for tag, a in found.elements if tag == "th")
    )
    assert set(found.all("aria-labelledby")) <= set(found.all("id"))
    drawing = next(a for tag, a in found.elements if tag == "svg")
    assert drawing["role"] == "img" and "orders belong to customers" in (drawing["aria-label"] or "")
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels)), "no level of headings is left out"


def test_a_browser_draws_what_is_open_and_the_rest_when_it_is_opened(shop_run, browse, tmp_path: Path):
    page = html.write(shop_run, tmp_path / "report.html")
    first = browse(page)
    assert first.errors == [] and not first.asked and first.charts > 10
    place = next(i for i, name in enumerate(shop_run.read("1-analyze", "profile.json")["tables"]) if name == "items")
    linked = browse(page, at=f"#table-{place}")
    assert linked.errors == [] and linked.charts > first.charts
    assert re.search(rf'<details[^>]*id="table-{place}"[^>]*open', linked.dom)


def test_a_run_that_ends_before_it_is_judged_has_a_page(shop_run, tmp_path: Path):
    import shutil

    folder = tmp_path / "shop" / shop_run.id
    shutil.copytree(shop_run.folder, folder)
    for gone in ("verdict.json", "4-evaluate", "5-privacy-check", "3-generate", "2-train"):
        shutil.rmtree(folder / gone) if (folder / gone).is_dir() else (folder / gone).unlink()
    text = Outline(html.page(Version(folder))).text
    assert "Not judged" in text and "was not compared with real rows" in text


def test_rows_that_orphans_cost_are_told(shop_run, tmp_path: Path):
    import shutil

    from synthcli.artifacts import files

    folder = tmp_path / "shop" / shop_run.id
    shutil.copytree(shop_run.folder, folder)
    profile = shop_run.read("1-analyze", "profile.json")
    profile["constraints"].append(
        {"constraint": "orders.customer_id → customers.id", "violations": 17, "action": "drop"}
    )
    (folder / "1-analyze" / "profile.json").unlink()
    files.write_json(folder / "1-analyze" / "profile.json", profile)
    text = Outline(html.page(Version(folder))).text
    assert "17" in text and "those rows were left out" in text and "each key refers to a generated row" in text


def test_two_runs_of_related_tables_side_by_side(shop_run, browse, tmp_path: Path):
    found = diff.compare(shop_run, shop_run)
    assert {m["name"] for m in found["tables"]} == {"customers", "orders", "items"}
    assert {m["name"] for m in found["relationships"]} == {r.name for r in simulated.SHOP}
    assert all(": " in m["name"] for m in found["columns"]), "columns of tables, and no table among them"
    seen = browse(diff.write(shop_run, shop_run, tmp_path / "diff.html"))
    assert seen.errors == [] and "None of them changed" in seen.dom
