"""synth init as its users see it: what it writes is checked and run, and no identifier of the source is in anything
that a run leaves.
"""

import json
import sqlite3
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from synthcli.cli import init
from synthcli.cli.main import app
from synthcli.columns.fake import generate

if "init" not in {command.name for command in app.registered_commands}:
    init.register(app)

LOCALES = ["en_US", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_BR"]
IDENTIFIERS = ["first_name", "last_name", "email", "phone", "address", "national_id", "iban", "card_number", "last_ip"]


def people(locale: str, rows: int = 120) -> pd.DataFrame:
    """A table of people in a locale, with identifiers of every kind and a few columns to learn."""
    import faker

    fake = faker.Faker(locale)
    fake.seed_instance(1)
    rng = np.random.default_rng(1)
    national = generate.NATIONAL_IDS.get(locale, "ssn")
    start = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), unit="D")
    made_up = {
        "first_name": fake.first_name,
        "last_name": fake.last_name,
        "email": fake.email,
        "phone": fake.phone_number,
        "address": fake.address,
        "national_id": getattr(fake, national),
        "iban": fake.iban,
        "card_number": fake.credit_card_number,
        "last_ip": fake.ipv4,
    }
    frame = pd.DataFrame(
        {
            "customer_id": range(1, rows + 1),
            **{name: [str(draw()) for _ in range(rows)] for name, draw in made_up.items()},
        }
    )
    frame["email"] = [f"real{i}.{mail}" for i, mail in enumerate(frame["email"])]
    return frame.assign(
        address=frame["address"].str.replace("\n", ", "),
        birth_date=[fake.date_of_birth(minimum_age=18).isoformat() for _ in range(rows)],
        plan=rng.choice(["basic", "plus"], rows),
        opened=start.strftime("%Y-%m-%d"),
        churned=rng.choice(["yes", "no"], rows),
        closed=(start + pd.to_timedelta(rng.integers(0, 300, rows), unit="D")).strftime("%Y-%m-%d"),
    )


def contents(folder: Path):
    """Every byte of every file, also as unpacked from archives and tables, as text."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
        yield path, path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".parquet":
            yield path, pq.read_table(path).to_pandas().to_csv()
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    yield path, archive.read(name).decode("utf-8", errors="replace")


def leaks(folder: Path, words: set[str]) -> set[tuple[str, str]]:
    """(file, word) for each word that stands somewhere in a folder, as it is or as JSON writes it."""
    spelled = {w: w for w in words} | {json.dumps(w)[1:-1]: w for w in words}
    return {(path.name, word) for path, text in contents(folder) for shape, word in spelled.items() if shape in text}


@pytest.mark.parametrize("locale", LOCALES)
def test_what_is_written_passes_check_and_finds_every_identifier(locale, synth, tmp_path):
    people(locale).to_csv(tmp_path / "people.csv", index=False)
    said = synth("init", "people.csv", "--json")
    assert said.code == 0, said.err
    found = {c["name"]: {g["sensitivity"] for g in c["guesses"]} for c in said.json["columns"]}
    assert {name for name, of in found.items() if "direct identifier" in of} == set(IDENTIFIERS)
    assert {c["name"] for c in said.json["columns"] if c["made_up"]} == {*IDENTIFIERS, "customer_id"}
    assert synth("check", "people.yaml").code == 0
    text = (tmp_path / "people.yaml").read_text()
    assert "opened <= closed" in text and (locale == "en_US" or f"locale: {locale}" in text)
    assert not [
        v for name in IDENTIFIERS if name not in ("first_name", "last_name") for v in people(locale)[name] if v in text
    ]


@pytest.mark.parametrize(("locale", "method"), [("de_DE", "independent"), ("pl_PL", "bootstrap"), ("en_US", "trees")])
def test_no_identifier_of_the_source_is_in_a_run(locale, method, synth, tmp_path):
    table = people(locale)
    table["first_name"] = "Qx" + table["first_name"]  # no list of names has it, so that what is made up cannot coincide
    table.to_csv(tmp_path / "people.csv", index=False)
    assert synth("init", "people.csv").code == 0
    said = synth(
        "run",
        "people.yaml",
        "--set",
        f"generator.method={method}",
        "--set",
        "refine.max_rounds=1",
        "--json",
        "--keep-failed",
    )
    assert said.code in (0, 4), said.err
    root = tmp_path / "artifacts"
    assert leaks(root, {"basic"}), "the search finds what was learned"
    unique = {v for name in IDENTIFIERS if name != "last_name" for v in table[name]}
    assert leaks(root, unique) == set()
    out = pd.read_parquet(said.json["data"])
    assert out["email"].is_unique and out["iban"].is_unique and list(out.columns) == list(table.columns)
    assert (out["email"].str[0] == out["first_name"].str[0].str.lower()).mean() > 0.9  # one person a row


def test_parquet_and_metadata(synth, tmp_path):
    people("en_US").to_parquet(tmp_path / "people.parquet")
    (tmp_path / "tables.sql").write_text(
        "create table people (customer_id bigint primary key, plan text check (plan in ('basic', 'plus', 'gold')))"
    )
    said = synth("init", "people.parquet", "-o", "specs.yaml", "--from", "tables.sql")
    assert said.code == 0 and "9 direct identifiers" in said.out
    assert "categories: [basic, plus, gold]" in (tmp_path / "specs.yaml").read_text()
    assert synth("check", "specs.yaml").code == 0


def test_paths_are_relative_to_the_spec(synth, tmp_path):
    (tmp_path / "specs").mkdir()
    people("en_US").to_csv(tmp_path / "people.csv", index=False)
    assert synth("init", "people.csv", "-o", "specs/p.yaml").code == 0
    assert (
        "path: ../people.csv" in (tmp_path / "specs/p.yaml").read_text().replace('"', "")
        and synth("check", "specs/p.yaml").code == 0
    )


def test_a_table_of_a_database(synth, tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as database:
        people("en_US").to_sql("people", database, index=False)
    said = synth("init", "sqlite:///shop.db", "--table", "people")
    assert said.code == 0 and "9 direct identifiers" in said.out, said.err
    assert synth("check", "people.yaml").code == 0
    refused = synth("init", "postgresql://me:hunter2@host/db", "--table", "people")
    assert refused.code == 1 and "hunter2" not in refused.err + refused.out


def test_to_the_screen(synth, tmp_path):
    said = synth("init", "builtin:iris", "-o", "-")
    assert (
        said.code == 0
        and "name: iris" in said.out
        and "target: species" in said.out
        and not list(tmp_path.glob("*.yaml"))
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nosuch.csv"], "nosuch.csv"),
        (["people.doc"], "remedy: --format"),
        (["builtin:nosuch"], "expected one of"),
        (["people.csv", "--from", "nosuch.yml"], "nosuch.yml"),
        (["people.csv", "-o", "no/such.yaml"], "does not exist"),
        (["people.csv", "-o", "there.yaml"], "--force"),
        (["people.csv", "--format", "xml"], "remedy: --format"),
        (["empty.csv"], "no rows"),
    ],
)
def test_mistakes_are_named(words, message, synth, tmp_path):
    pd.DataFrame({"a": range(30)}).to_csv(tmp_path / "people.csv", index=False)
    (tmp_path / "empty.csv").write_text("a,b\n")
    (tmp_path / "there.yaml").write_text("mine")
    said = synth("init", *words)
    assert said.code == 1 and message in said.err, said.err
    assert (tmp_path / "there.yaml").read_text() == "mine"


def test_the_index_that_pandas_writes_is_remarked_upon(tmp_path: Path, synth) -> None:
    people("en_US")[["birth_date", "card_number"]].to_csv(tmp_path / "people.csv")
    assert synth("init", tmp_path / "people.csv", "-o", tmp_path / "people.yaml").code == 0
    text = (tmp_path / "people.yaml").read_text()
    assert text.count("looks like a row counter") == 1
    assert "\n  index: {" in text[text.index("looks like a row counter") :]
    assert synth("check", tmp_path / "people.yaml").code == 0


def test_a_key_that_starts_elsewhere_is_no_row_counter(tmp_path: Path, synth) -> None:
    pd.DataFrame({"key": range(1, 41), "n": [3, 4] * 20}).to_csv(tmp_path / "t.csv", index=False)
    assert "row counter" not in synth("init", tmp_path / "t.csv", "-o", "-").out
