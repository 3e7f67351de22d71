"""Related tables through the stages, from files to a folder of files."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from synthcli import plugins, sources
from synthcli.artifacts import files
from synthcli.columns.constraints.rule import parse_constraint
from synthcli.columns.frame import to_arrow
from synthcli.contracts.modality import Choice, Engine
from synthcli.contracts.modelling import Limits, Request
from synthcli.contracts.schema import Traits
from synthcli.errors import DataError, SpecError
from synthcli.pipeline import stages
from synthcli.pipeline.events import Events
from synthcli.relational import evidence, modality, output, source
from synthcli.spec.modalities import relational as keys
from tests.relational import simulated

CHOICE = Choice("trees", {"trees": 2}, modality="tabular")
PLAN: Any = SimpleNamespace(
    has_data=False,
    spec=SimpleNamespace(
        seed=0,
        generator=SimpleNamespace(limits=SimpleNamespace(build=Limits)),
        evaluate=SimpleNamespace(target=None),
    ),
    checked=SimpleNamespace(request=Request(0)),
    request=Request,
    modality=modality,
    engine=Engine(),
)


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> source.Described:
    """The shop as CSV files, the products as Parquet."""
    folder, shop = tmp_path_factory.mktemp("shop"), simulated.shop(250)
    read = {}
    for name, frame in shop.frames.items():
        table = to_arrow(frame, shop.schemas[name])
        if name == "products":
            pq.write_table(table, folder / "products.parquet")
            read[name] = sources.Source("parquet", path=folder / "products.parquet")
        else:
            pacsv.write_csv(table, folder / f"{name}.csv")
            read[name] = sources.Source("csv", path=folder / f"{name}.csv")
    return source.Described(
        read,
        simulated.SHOP,
        {"orders": {"amount": Traits(type="float", min=0)}},
        {"orders": (parse_constraint("amount > 0"),)},
        unit="customers.id",
    )


@pytest.fixture(scope="module")
def run(described: source.Described, tmp_path_factory: pytest.TempPathFactory) -> tuple[source.RealTables, Path]:
    """All stages but the judges."""
    folder, real = tmp_path_factory.mktemp("run"), source.RealTables(described)
    places = [files.make_folder(folder / name) for name in ("analyze", "train", "generate")]
    stages.analyze(places[0], PLAN, real, Events())
    stages.train(places[1], PLAN, real, CHOICE, Events())
    stages.generate(places[2], CHOICE, places[1], PLAN, real, len(real.tables), Events())
    return real, folder


def test_profile(run: tuple[source.RealTables, Path]) -> None:
    body = files.read_json(run[1] / "analyze" / "profile.json")
    assert body["rows"] == 250 and body["parts"] == {"train": 175, "validation": 25, "holdout": 50}
    assert body["tables"]["products"]["in_every_part"] and not body["tables"]["items"]["in_every_part"]
    assert [r["name"] for r in body["relationships"]] == [r.name for r in simulated.SHOP]
    assert body["relationships"][0]["without_children"] > 50
    assert body["constraints"][0]["table"] == "orders"
    assert body["notes"] == ["orders.placed is learned as the time since customers.signup"]
    assert "orders.placed is never before customers.signup" in body["times"][simulated.SHOP[0].name]


def test_files_and_figures(run: tuple[source.RealTables, Path], tmp_path: Path) -> None:
    real, folder = run
    sample = files.read_json(folder / "generate" / "sample.json")
    assert sample["rows"] == 250 and set(sample["tables"]) == {"products", "customers", "orders", "items"}
    made = evidence.read_tables(folder / "generate", real.tables).checked()[0]
    assert made.rows == sample["tables"]
    seen = modality.evidence(real, folder / "generate", "holdout", None, Request(0))
    names = ["shapes", "rules", *plugins.names("metrics", "relational")]
    stages.measure(tmp_path, "metrics", names, PLAN, seen, "holdout", Events())
    found = {
        (m["name"], m.get("scope", "overall"), m.get("of")): m
        for m in files.read_json(tmp_path / "measurements.json")["measurements"]
    }
    assert found["referential_integrity", "overall", None]["value"] == 1
    assert found["constraint_violations", "overall", None]["value"] == 0
    each = [found["column_shapes", "table", t]["value"] for t in ("customers", "orders", "items")]
    assert found["column_shapes", "overall", None]["value"] == pytest.approx(sum(each) / 3)
    assert ("column_shapes", "table", "products") not in found, "no part of it is unseen"
    assert found["cardinality_shape", "overall", None]["value"] > 0.7
    assert "floor" in found["parent_child_trend", "overall", None]


def test_attacks_are_judged_by_the_worst_table(run: tuple[source.RealTables, Path], tmp_path: Path) -> None:
    real, folder = run
    seen = modality.evidence(real, folder / "generate", "holdout", None, Request(0))
    stages.measure(tmp_path, "attacks", ["membership"], PLAN, seen, "holdout", Events())
    found = files.read_json(tmp_path / "measurements.json")["measurements"]
    tables = [m["value"] for m in found if m["name"] == "membership_auc" and m.get("scope") == "table"]
    overall = next(m for m in found if m["name"] == "membership_auc" and m.get("scope", "overall") == "overall")
    assert len(tables) == 3 and overall["value"] == max(tables)


def test_a_folder_of_files_takes_the_place_of_another(run: tuple[source.RealTables, Path], tmp_path: Path) -> None:
    target = tmp_path / "out"
    output.to_folder(run[1] / "generate", target, "csv")
    first = pd.read_csv(target / "orders.csv")
    hashes = output.to_folder(run[1] / "generate", target, "parquet")
    assert sorted(p.name for p in target.iterdir()) == [
        "customers.parquet",
        "items.parquet",
        "orders.parquet",
        "products.parquet",
    ]
    assert hashes["items"] == files.sha256(target / "items.parquet")
    assert len(first) == len(pd.read_parquet(target / "orders.parquet"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]
    (target / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match=r"holds notes.txt, which is not one of the tables"):
        output.to_folder(run[1] / "generate", target, "csv")
    assert (target / "items.parquet").exists()


def test_keys_of_columns_name_a_table() -> None:
    assert keys.by_table({"a.x": 1, "a.y.z": 2}, ["a", "b"], "columns") == {"a": {"x": 1, "y.z": 2}, "b": {}}
    with pytest.raises(SpecError, match=r"columns.order.amount: expected table.column. Did you mean orders"):
        keys.by_table({"order.amount": 1}, ["orders"], "columns")


def test_a_column_that_a_table_lacks(described: source.Described) -> None:
    wrong = source.Described(described.sources, described.relationships, {"orders": {"amonut": Traits(min=0)}})
    with pytest.raises(SpecError, match=r"columns.orders.amonut: table orders has no such column. Did you mean amount"):
        source.RealTables(wrong).tables  # noqa: B018


def test_judges_of_relationships_are_there() -> None:
    assert plugins.names("metrics", "relational") == ("cardinality", "integrity", "parent_child", "siblings")
