"""Drafts as strangers get them: whatever the table holds, the spec that init writes is one that runs as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthcli import sources
from synthcli.columns.discovery.infer import infer
from synthcli.columns.fake import checksums, generate
from synthcli.init import draft
from synthcli.init.findings import look, settled
from synthcli.spec import check
from synthcli.spec.load import Loaded, load_spec
from synthcli.spec.modalities import tabular

faker = pytest.importorskip("faker")
ROWS = 80
KINDS = {
    "email": "email",
    "phone": "phone_number",
    "iban": "iban",
    "card_number": "credit_card_number",
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "mac": "mac_address",
    "full_name": "name",
    "first_name": "first_name",
    "last_name": "last_name",
    "username": "user_name",
    "address": "address",
    "street": "street_address",
    "city": "city",
    "zip": "postcode",
    "country": "country",
    "job": "job",
    "company": "company",
    "url": "url",
    "license_plate": "license_plate",
    "uuid": "uuid4",
}
CHECKED = {"es_ES": "dni", "it_IT": "codice_fiscale", "nl_NL": "bsn", "pl_PL": "pesel", "pt_BR": "cpf", "fr_FR": "nir"}


def every_kind(locale: str) -> pd.DataFrame:
    """A column of each kind that can be found."""
    fake, rng = faker.Faker(locale), np.random.default_rng(0)
    fake.seed_instance(1)
    columns: dict[str, Any] = {
        name: [getattr(fake, provider)() for _ in range(ROWS)] for name, provider in KINDS.items()
    }
    born = pd.to_datetime([fake.date_of_birth() for _ in range(ROWS)])
    columns |= {
        "ssn": [getattr(fake, generate.NATIONAL_IDS.get(locale, "ssn"))() for _ in range(ROWS)],
        "date_of_birth": born.strftime("%d.%m.%Y"),
        "dob": born.strftime("%Y-%m-%d"),
        "gps": [f"{fake.latitude():.5f}, {fake.longitude():.5f}" for _ in range(ROWS)],
        "lat": rng.uniform(47, 55, ROWS).round(4),
        "mobile": rng.integers(10**9, 10**10, ROWS),
        "birth_year": rng.integers(1930, 2005, ROWS),
        "steuer_id": [str(n) for n in rng.integers(10**10, 10**11, ROWS)],
        "age": rng.integers(18, 90, ROWS),
        "sex": rng.choice(["f", "m"], ROWS),
        "religion": rng.choice(["catholic", "muslim", "none"], ROWS),
        "member_no": [f"M-{i:05d}" for i in rng.permutation(ROWS)],
    }
    return pd.DataFrame(columns)


def drafted(path: Path) -> tuple[Loaded, sources.Source]:
    """The spec that init writes for a file, checked as synth check does and against the types of the data."""
    source = settled(sources.Source(path.suffix[1:], path=path))
    said = {
        key: value
        for key, value in (("encoding", source.encoding), ("decimal", source.decimal))
        if value not in (None, ".")
    }
    path.with_suffix(".yaml").write_text(
        draft.draft(look(source), {"type": source.type, "path": path.name, **said}), encoding="utf-8"
    )
    loaded = load_spec(path.with_suffix(".yaml"))
    tabular.hold_against_source(loaded, check.check(loaded).described)
    return loaded, source


def made_of(loaded: Loaded, source: sources.Source) -> pd.DataFrame:
    """The made-up columns of the spec."""
    schema, _ = infer(sources.read(source), loaded.spec.columns, text=sources.spelled(source))
    kinds = {c.name: c.kind for c in schema.columns}
    check.check(loaded).described.check(kinds)
    make = lambda c: generate.make(c, 0, 50, key=1, rng=np.random.default_rng(0))  # noqa: E731
    return pd.DataFrame({c.name: make(c) for c in schema.columns if c.kind in generate.MADE})


@pytest.mark.parametrize(
    ("locale", "ending"),
    [("de_DE", "csv"), ("it_IT", "csv"), ("pl_PL", "parquet"), ("es_ES", "csv"), ("en_US", "parquet")],
)
def test_every_kind_runs(locale: str, ending: str, tmp_path: Path) -> None:
    real, path = every_kind(locale), tmp_path / f"t.{ending}"
    real.to_csv(path, index=False) if ending == "csv" else real.to_parquet(path)
    loaded, source = drafted(path)
    out = made_of(loaded, source)
    assert {
        "email",
        "phone",
        "iban",
        "card_number",
        "ipv4",
        "mac",
        "full_name",
        "first_name",
        "last_name",
        "username",
        "ssn",
        "mobile",
        "gps",
        "license_plate",
        "member_no",
    } <= set(out)
    assert not {"age", "sex", "religion", "lat"} & set(out)
    assert not {"dob", "date_of_birth"} & set(out)  # learned as dates, which they are in every kind of source
    assert (
        checksums.CHECKS["iban"](out["iban"].astype(object)).all()
        and checksums.CHECKS["luhn"](out["card_number"].astype(object)).all()
    )
    if locale in CHECKED:
        plain = out["ssn"].astype(object).str.replace(r"[\s.\-/]", "", regex=True)
        assert checksums.CHECKS[CHECKED[locale]](plain).all()
    assert out["mobile"].astype(int).ge(10**9).all()
    person = [f"{first} {last}" for first, last in zip(out["first_name"], out["last_name"])]
    shown = out["full_name"].astype(str).str.replace(r" \w\. ", " ", regex=True)
    assert sum(a == b for a, b in zip(person, shown)) in (
        0,
        50,
    )  # full_name is of the same person, or of another throughout


@pytest.mark.parametrize("stored", ["date", "words"])
def test_dates_of_birth_are_learned_as_dates(stored: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    born = pd.Series(pd.to_datetime("1950-01-01") + pd.to_timedelta(rng.normal(9_000, 2_000, 200).round(), unit="D"))
    frame = pd.DataFrame({"dob": born, "visits": range(200)})
    if stored == "words":
        frame.assign(dob=born.dt.strftime("%d.%m.%Y")).to_csv(tmp_path / "t.csv", index=False)
    else:
        frame.to_parquet(tmp_path / "t.parquet")
    loaded, source = drafted(tmp_path / ("t.csv" if stored == "words" else "t.parquet"))
    said = loaded.spec.columns["dob"]
    assert (said.type, said.min, said.max) == ("datetime", None, None)
    assert "dob" not in made_of(loaded, source)


def test_a_file_of_a_spreadsheet_in_the_west(tmp_path: Path) -> None:
    rows = [f"Müller{i};{i // 7 % 9 + 1}.{i % 900 + 100},{i % 10}0;{i % 5},5" for i in range(90)]
    (tmp_path / "t.csv").write_bytes("\r\n".join(["Straße;Umsatz;Größe", *rows]).encode("cp1252"))
    loaded, _ = drafted(tmp_path / "t.csv")
    assert (loaded.spec.source.encoding, loaded.spec.source.decimal) == ("cp1252", ",")
    assert (loaded.spec.columns["Umsatz"].type, loaded.spec.columns["Größe"].type) == ("float", "float")


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        ("a;b\n1,5;x\n2,5;y\n3,5;z\n", ","),
        ("a;b\n1,234;x\n2,345;y\n3,456;z\n", "."),
        ("a;b\n1,5;1.5\n2,5;2.5\n3,5;2.25\n", "."),
        ("a\n", "."),
        ("a,b\n1,2\n1,3\n4,5\n", "."),
    ],
    ids=["comma", "thousands", "both", "no row", "delimiter"],
)  # fmt: skip
def test_decimal_commas(text: str, decimal: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    assert settled(sources.Source("csv", path=tmp_path / "t.csv")).decimal == decimal


def test_numbers_with_marks_are_numbers_with_a_format(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pd.DataFrame({"usd": [f"${v:,.2f}" for v in rng.gamma(2, 9_000, 90)], "day": ["2024-01-01"] * 90}).to_csv(
        tmp_path / "t.csv", index=False
    )
    found = {f.name: f for f in look(sources.Source("csv", path=tmp_path / "t.csv")).columns}
    assert found["usd"].traits["type"] == "float" and found["usd"].traits["format"] == "$%,.2f"
    assert found["day"].notes == found["usd"].notes == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (80, 1), (30, 120)])
def test_odd_shapes(shape: tuple[int, int], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            f"имя {i}": rng.choice(["ja", "nein"], shape[0]) if i % 2 else rng.normal(size=shape[0])
            for i in range(shape[1])
        }
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert len(drafted(tmp_path / "t.csv")[0].spec.columns) == shape[1]
