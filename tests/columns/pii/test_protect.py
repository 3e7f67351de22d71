"""Personal data that a spec says nothing of: made up where it identifies somebody, told where it may."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns import frame
from synthcli.columns.codec.codec import Codec
from synthcli.columns.discovery.infer import infer
from synthcli.columns.fake import checksums, generate
from synthcli.columns.pii import protect
from synthcli.contracts.schema import Traits

faker = pytest.importorskip("faker")


def people(rows: int, locale: str = "en_US") -> pd.DataFrame:
    """Direct identifiers with telling and with meaningless names, repeated and not, as words and as integers."""
    fake, rng = faker.Faker(locale), np.random.default_rng(3)
    fake.seed_instance(3)
    who = rng.integers(0, max(2, rows * 2 // 3), rows)
    names, mails = ([getattr(fake, p)() for _ in range(rows)] for p in ("name", "email"))
    return pd.DataFrame(
        {
            "customer_name": [names[i] for i in who],
            "a1": [mails[i] for i in who],
            "a2": [fake.phone_number() for _ in range(rows)],
            "phone": rng.integers(2 * 10**9, 10**10, rows),
            "a3": [int(fake.credit_card_number("visa16")) for _ in range(rows)],
            "a4": [fake.iban() for _ in range(rows)],
            "ssn": [fake.ssn().replace("-", "") for _ in range(rows)],
            "address": [fake.address().replace("\n", ", ") for _ in range(rows)],
            "login": [fake.user_name() for _ in range(rows)],
            "age": rng.integers(18, 90, rows),
            "plan": rng.choice(["basic", "pro"], rows),
        }
    )


IDENTIFIERS = ["customer_name", "a1", "a2", "phone", "a3", "a4", "ssn", "address", "login"]


@pytest.mark.parametrize("rows", [12, 300])
@pytest.mark.parametrize("text", [True, False], ids=["csv", "typed"])
def test_direct_identifiers_are_not_learned(rows: int, text: bool) -> None:
    real = people(rows)
    table = pa.Table.from_pandas(real.astype(str) if text else real, preserve_index=False)
    schema, data = infer(table, {}, text=text)
    assert [c.name for c in schema.columns if c.kind in frame.MODELLED] == ["age", "plan"]
    codec = Codec.fit(data, schema, key=1)
    out = codec.decode(
        {part.name: codec.encode(data)[part.name] for part in codec.parts}, rows, start=0, rng=np.random.default_rng(0)
    )
    for name in IDENTIFIERS:
        again = set(out[name].astype(str)) & set(real[name].astype(str))
        assert not again or (
            name in ("customer_name", "login") and len(again) < 0.05 * rows
        )  # two people may have the same name
        assert not any(str(v) in str(schema.to_json()) for v in real[name])


def test_a_declared_type_insists() -> None:
    table = pa.Table.from_pandas(people(100), preserve_index=False)
    schema, _ = infer(
        table, {"a1": Traits(type="category"), "a3": Traits(type="integer"), "customer_name": Traits(nulls=0.5)}
    )
    assert (schema["a1"].kind, schema["a3"].kind, schema["customer_name"].kind) == ("category", "integer", "name")
    assert infer(table, {}, protect=False)[0]["a1"].kind == "category"


def test_integers_that_nulls_made_floats() -> None:
    values = np.random.default_rng(0).integers(10**9, 10**10, 60).astype(float)
    values[3] = np.nan
    schema, data = infer(pa.table({"phone": values}), {})
    assert (schema["phone"].kind, schema["phone"].storage, data["phone"].dtype, int(data["phone"].isna().sum())) == (
        "id",
        "int64",
        "Int64",
        1,
    )
    assert generate.make(schema["phone"], 0, 20, key=1, rng=np.random.default_rng(0)).between(10**9, 10**10 - 1).all()


def test_numbers_of_a_country_are_made_in_its_way() -> None:
    fake = faker.Faker("it_IT")
    table = pa.table({"x": [fake.ssn() for _ in range(80)], "nome_completo": [fake.name() for _ in range(80)]})
    schema, _ = infer(table, {})
    assert (schema["x"].kind, schema["x"].get("locale"), schema["nome_completo"].get("locale")) == (
        "ssn",
        "it_IT",
        "it_IT",
    )
    fresh = generate.make(schema["x"], 0, 50, key=1, rng=np.random.default_rng(0))
    assert checksums.CHECKS["codice_fiscale"](fresh.astype(object)).all()


def test_keys_of_people_who_have_several_rows() -> None:
    rng = np.random.default_rng(0)
    table = pa.table(
        {"patient_id": rng.integers(10**5, 10**6, 40)[rng.integers(0, 40, 400)], "visits": rng.integers(0, 5, 400)}
    )
    schema, data = infer(table, {})
    assert [c.kind for c in schema.columns] == ["id", "integer"]
    told = [p.to_json() for p in protect.found(schema, data)]
    assert [p["kind"] for p in told] == [protect.KEY] and "privacy_unit: patient_id" in protect.notes(told)[1]
    assert infer(table, {}, unit="patient_id")[0]["patient_id"].kind == "id"


@pytest.mark.parametrize(
    "values",
    [
        {"make": ["ford", "lincoln", "audi", "dodge", "austin", "morgan", "jaguar", "bentley", "chrysler"] * 30},
        {"mobile": ["iphone", "android", "none"] * 60},
        {"login": ["yes", "no"] * 60},
        {"customer": [1, 2, 3, 4, 5, 6] * 30},
        {"price": list(np.random.default_rng(0).gamma(2, 20, 100).round(2))},
    ],
    ids=lambda v: next(iter(v)),
)
def test_what_is_nobodys_is_learned(values: dict[str, Any]) -> None:
    schema, _ = infer(pa.table(values), {})
    assert schema.columns[0].kind in ("category", "integer", "float")


def test_notes_say_what_was_done_and_what_to_write() -> None:
    schema, data = infer(pa.Table.from_pandas(people(200)[["a1", "plan"]], preserve_index=False), {})
    (note,) = protect.notes([p.to_json() for p in protect.found(schema, data)])
    assert (
        note.startswith("Generated and not learned")
        and "a1 (e-mail addresses)" in note
        and "columns: {a1: {type: category}}" in note
    )
    assert not any(mail in note for mail in data["a1"])
    declared, data = infer(
        pa.Table.from_pandas(people(200)[["a1"]], preserve_index=False), {"a1": Traits(type="email")}
    )
    assert protect.notes([p.to_json() for p in protect.found(declared, data)]) == []
