import numpy as np
import pandas as pd
import pytest

from synthcli.columns.pii import detect
from synthcli.columns.pii import headers as pii_headers

faker = pytest.importorskip("faker")


def values(locale, provider, rows=120):
    fake = faker.Faker(locale)
    fake.seed_instance(5)
    return pd.Series([str(getattr(fake, provider)()) for _ in range(rows)])


def kind(series, name):
    best = detect.surest(detect.detect(series, name))
    return best and best.kind


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "nl_NL", "pt_BR"])
@pytest.mark.parametrize(
    ("found", "provider"),
    [
        ("email", "email"),
        ("phone", "phone_number"),
        ("iban", "iban"),
        ("card", "credit_card_number"),
        ("ipv4", "ipv4"),
        ("name", "name"),
        ("ipv6", "ipv6"),
        ("first_name", "first_name"),
        ("last_name", "last_name"),
    ],
)
def test_content_tells_without_the_name(locale, found, provider):
    assert kind(values(locale, provider), "c17") == found


@pytest.mark.parametrize(
    ("locale", "provider", "found"),
    [
        ("en_US", "ssn", "ssn"),
        ("en_GB", "ssn", "nino"),
        ("es_ES", "nif", "dni"),
        ("it_IT", "ssn", "codice_fiscale"),
        ("nl_NL", "ssn", "bsn"),
        ("pl_PL", "ssn", "pesel"),
        ("pt_BR", "cpf", "cpf"),
        ("fr_FR", "ssn", "nir"),
    ],
)
def test_national_numbers(locale, provider, found):
    guess = detect.surest(detect.detect(values(locale, provider), "c17"))
    assert guess.kind == found and guess.sensitivity == "direct identifier" and guess.share > 0.95
    assert guess.checked == (found not in ("ssn", "nino"))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Geburtsdatum", "date_of_birth"),
        ("fecha_nacimiento", "date_of_birth"),
        ("data_urodzenia", "date_of_birth"),
        ("DOB", "date_of_birth"),
    ],
)
def test_dates_of_birth_by_name(name, found):
    dates = pd.Series(pd.to_datetime("1950-01-01") + pd.to_timedelta(np.arange(0, 12_000, 40), unit="D"))
    assert kind(dates, name) == found and kind(dates, "c17") is None


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("customerFirstName", "first_name"),
        ("Kundentelefonnummer", "phone"),
        ("nombre_de_usuario", "username"),
        ("codice_fiscale", "ssn"),
        ("woonplaats", "city"),
        ("kod_pocztowy", "postcode"),
        ("E-Mail", "email"),
        ("nr_pesel", "ssn"),
        ("prénom", "first_name"),
        ("zip", "postcode"),
    ],
)
def test_names_in_several_languages(name, says):
    assert pii_headers.called(name).kind == says


@pytest.mark.parametrize(
    "name",
    [
        "email_domain",
        "phone_verified",
        "has_email",
        "card_type",
        "product_name",
        "file_name",
        "page",
        "usage",
        "cap_diameter",
    ],
)
def test_names_that_only_sound_like_it(name):
    assert pii_headers.called(name) is None


def test_the_content_must_agree_with_the_name():
    numbers = pd.Series(np.arange(100, 300))
    assert kind(numbers, "email") is None and kind(numbers, "phone") is None and kind(numbers, "iban") is None
    assert kind(pd.Series(["mobile", "landline", "none"] * 40), "phone") is None
    assert kind(pd.Series([True, False] * 50), "email") is None
    assert kind(pd.Series(np.linspace(100, 200, 50)), "latitude") is None
    assert kind(pd.Series(np.linspace(40.1, 50.3, 50)), "latitude") == "latitude"


@pytest.mark.parametrize(
    "words",
    [
        pd.Series([f"AB-{i:06d}" for i in range(200)]),
        pd.Series([f"{i:09d}" for i in range(10**6, 10**6 + 200)]),
        pd.Series([f"2024-{i:06d}" for i in range(200)]),
        pd.Series([f"1.{i % 7}.{i}.{i % 3}" for i in range(30)]),
        pd.Series([f"978-3-16-{i:06d}-{i % 10}" for i in range(200)]),
        pd.Series(np.random.default_rng(0).normal(size=200)),
        pd.Series(["red", "green", "blue", "yellow", "black", "white", "cyan", "pink", "grey"] * 20),
        pd.Series(pd.date_range("2020-01-01", periods=200)).astype(str),
    ],
    ids=["sku", "counter", "case number", "version", "isbn", "float", "colours", "dates"],
)
def test_what_is_no_personal_data(words):
    assert [g for g in detect.detect(words, "c17") if g.confidence >= detect.SURE] == []


def test_special_categories():
    found = detect.detect(pd.Series(["yes", "no"] * 30), "gewerkschaft_mitglied")
    assert [(g.kind, g.sensitivity) for g in found] == [("union", "special category")]
    assert detect.detect(pd.Series(["I10", "E11"] * 30), "diagnosis")[0].kind == "health"
    by_content = detect.detect(pd.Series(["Catholic", "Muslim", "Hindu", "other"] * 30), "c17")
    assert (by_content[0].kind, by_content[0].by) == ("religion", "content")
    assert detect.detect(pd.Series(["a", "b", "c", "d"] * 30), "c17") == []


def test_evidence_holds_no_value_of_the_column():
    emails = values("en_US", "email")
    for guess in detect.detect(emails, "email"):
        assert not any(e in guess.evidence for e in emails)


def test_few_null_or_no_values():
    assert detect.detect(pd.Series([], dtype=object), "c17") == []
    assert detect.detect(pd.Series([None] * 20, dtype=object), "c17") == []
    assert kind(pd.Series(["a@b.org"]), "c17") is None  # one value is no evidence
    assert kind(pd.Series(["a@b.org", None]), "email") == "email"
