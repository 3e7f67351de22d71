"""Made-up names agree with the column that tells the sex."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.codec.codec import Codec
from synthcli.columns.discovery.infer import infer
from synthcli.columns.fake import persons
from synthcli.columns.pii import sexes
from synthcli.contracts.modelling import Request
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.tabular.methods import distributions

pytest.importorskip("faker")
LOCALE = "de_DE"
WOMEN, MEN = (set(pool) for pool in persons.names(LOCALE).first)


@pytest.mark.parametrize(
    ("name", "women", "men"),
    [
        ("sex", "f female", "m male"),
        ("Geschlecht", "w weiblich", "m männlich"),
        ("sexe", "F Femme", "H Homme"),
        ("sexo", "M mujer", "H hombre"),
        ("geslacht", "v", "m"),
        ("plec", "K", "M"),
        ("gender", "2", "1"),
        ("is_female", "true", "false"),
        ("male", "0", "1"),
        ("Anrede", "Frau", "Herr"),
        ("title", "Mrs Ms", "Mr"),
    ],
)
def test_meanings(name: str, women: str, men: str) -> None:
    for woman, man in zip(women.split(), men.split(), strict=False):
        assert sexes.meanings(name, [woman, man]) == {woman: sexes.WOMAN, man: sexes.MAN}


def test_what_tells_no_sex() -> None:
    assert sexes.meanings("sex", ["0", "1"]) == {}  # nobody knows which
    assert sexes.meanings("grade", ["m", "f"]) == {} and sexes.meanings("title", ["Dr", "Prof"]) == {}
    assert sexes.meanings("sex", ["m", "f", "d"])["d"] == sexes.UNKNOWN


def test_who_is_meant() -> None:
    made = {"name": "", "patient_name": "patient", "doctor_name": "doctor"}
    assert sexes.companions(made, ["sex"]) == {"name": "sex", "patient_name": "sex"}
    assert sexes.companions(made, ["sex", "doctor_sex"])["doctor_name"] == "doctor_sex"
    assert sexes.companions({"doctor_name": "doctor"}, ["sex"]) == {"doctor_name": "sex"}
    assert sexes.companions({"name": ""}, ["title", "sex"]) == {"name": "sex"}


def table(rows: int = 400) -> pa.Table:
    rng = np.random.default_rng(0)
    return pa.table({"sex": rng.choice(["m", "w", "d"], rows), "x": rng.normal(size=rows)})


def agree(frame: pd.DataFrame) -> None:
    first = frame["first_name"]
    assert set(first[frame["sex"] == "w"]) <= WOMEN and set(first[frame["sex"] == "m"]) <= MEN
    other = set(first[frame["sex"] == "d"])
    assert other & WOMEN and other & MEN
    assert all(full.startswith(given) for full, given in zip(frame["name"], first)) and frame["name"].is_unique
    assert (frame["email"].str.split(".").str[0] == [persons._ascii(w, LOCALE) for w in first]).all()


def test_names_follow_the_sex_of_learned_rows() -> None:
    made = {kind: Traits(type=kind, locale=LOCALE) for kind in ("first_name", "email")}
    made["name"] = Traits(type="name", locale=LOCALE, unique=True)
    real = table()
    for name in made:
        real = real.append_column(name, pa.array(["x"] * len(real)))
    schema, data = infer(real, made)
    codec = Codec.fit(data, schema, key=1)
    out = codec.decode(codec.encode(data), len(data), start=0, rng=np.random.default_rng(0))
    agree(out)
    women = out[out["sex"] == "w"].reset_index(drop=True)  # a block of one sex, as under `where`
    again = codec.made_up(len(women), start=0, rng=np.random.default_rng(0), drawn=women)
    assert set(again["first_name"]) <= WOMEN


def test_names_follow_the_sex_without_data() -> None:
    columns = [
        Column("first_name", Traits(type="first_name", locale=LOCALE)),
        Column("name", Traits(type="name", locale=LOCALE, unique=True)),
        Column("email", Traits(type="email", locale=LOCALE)),
        Column("sex", Traits(type="category", weights={"w": 0.4, "m": 0.4, "d": 0.2})),
    ]
    model = distributions.DistributionsModel(distributions.complete(Schema(tuple(columns))), key=2)
    agree(model.sample(Request(300), 0, rng=np.random.default_rng(0)).frame)


GERMAN = {"Kundenname": "name", "Vorname": "first_name", "Nachname": "last_name", "Vertretername": "name"}


def of_one_customer(frame: pd.DataFrame) -> None:
    assert (frame["Kundenname"] == frame["Vorname"] + " " + frame["Nachname"]).all()
    assert (frame["Vertretername"] == frame["Kundenname"]).mean() < 0.05, "another role is another person"
    assert set(frame["Vorname"][frame["Anrede"] == "Frau"]) <= WOMEN
    assert set(frame["Vorname"][frame["Anrede"] == "Herr"]) <= MEN


def test_bare_columns_show_the_subject_of_the_table_and_follow_its_title() -> None:
    rng = np.random.default_rng(0)
    real = pa.table({"Anrede": rng.choice(["Herr", "Frau"], 400), "x": rng.normal(size=400)})
    for name in GERMAN:
        real = real.append_column(name, pa.array(["x"] * len(real)))
    schema, data = infer(real, {name: Traits(type=kind, locale=LOCALE) for name, kind in GERMAN.items()})
    codec = Codec.fit(data, schema, key=1)
    of_one_customer(codec.decode(codec.encode(data), len(data), start=0, rng=np.random.default_rng(0)))
    columns = [Column(name, Traits(type=kind, locale=LOCALE)) for name, kind in GERMAN.items()]
    columns.append(Column("Anrede", Traits(type="category", weights={"Frau": 0.5, "Herr": 0.5})))
    model = distributions.DistributionsModel(distributions.complete(Schema(tuple(columns))), key=2)
    of_one_customer(model.sample(Request(300), 0, rng=np.random.default_rng(0)).frame)


def test_bare_columns_are_of_nobody_else_where_there_are_two_subjects() -> None:
    assert persons.roles(["customer_name", "patient_name", "email"])["email"] == ""
    assert persons.roles(["customer_name", "agent_name", "email"])["email"] == "customer"
