"""Names of people: found by composed column names and by values, and overruled by values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcli.columns import words
from synthcli.columns.pii import detect, person_headers, protect
from synthcli.columns.pii import headers as pii_headers

faker = pytest.importorskip("faker")


def drawn(provider: str, locale: str = "en_US", rows: int = 300) -> pd.Series:
    fake = faker.Faker(locale)
    fake.seed_instance(2)
    return pd.Series([str(getattr(fake, provider)()) for _ in range(rows)])


def unlisted(rows: int = 300, parts: int = 1) -> pd.Series:
    """Words that no list of names holds."""
    rng = np.random.default_rng(1)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u")]
    word = lambda: "".join(rng.choice(syllables, 4)).capitalize()  # noqa: E731
    return pd.Series([" ".join(word() for _ in range(parts)) for _ in range(rows)])


def made(values: pd.Series, name: str) -> str | None:
    guess = protect.identifier(detect.detect(values, name), values)
    return None if guess is None else guess.kind


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ("nameFirst FIRST_NM strFirstName pat_vname patFName patientVorname middleName prenomPatient", "first_name"),
        ("nameLast last_nm custLName kundennachname Geburtsname apellidos cognomePaziente nomNaissance", "last_name"),
        ("hostName host_name patient_nm Kundenname patientenname nomPatient PlayerName company_contact_name", "name"),
    ],
)
def test_composed_headers_tell_also_over_names_in_no_list(names: str, kind: str) -> None:
    values = unlisted(parts=2 if kind == "name" else 1)
    for name in names.split():
        assert pii_headers.called(name).kind == kind, name
        assert made(values, name) == kind, name


@pytest.mark.parametrize(
    "name",
    ["product_name", "brandName", "hotelName", "customer_company_name", "pet_name"],
)
def test_names_of_things_are_learned(name: str) -> None:
    assert made(drawn("last_name"), name) is None


def test_the_qualifier_beside_the_word_for_names_decides() -> None:
    assert person_headers.person(words.tokens("company_contact_name")) == ("name", "companycontactname")
    assert person_headers.person(words.tokens("customer_company_name")) is None
    assert person_headers.about_a_thing(words.tokens("team_name"))
    assert not person_headers.about_a_thing(words.tokens("team_leader"))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("has_address", "yes no"),
        ("hasaddress", "Y N"),
        ("address_change", "yes no unknown"),
        ("address", "yes no"),
        ("First Name Match", "exact fuzzy none"),
        ("first_name", "exact fuzzy none"),
        ("username", "true false"),
        ("name", "Paris London Berlin Madrid Rome Vienna Prague Warsaw Lisbon Dublin Oslo Athens"),
        ("name", "Austin Dallas Houston Phoenix Charlotte Madison Savannah Jackson Florence Boston Chicago Denver"),
        (
            "x7",
            "Rose Lily Daisy Iris Violet Heather Ivy Olive Hazel Holly Jasmine Laurel Basil Sage Clover Fern Ash Oak Elm",
        ),
    ],
)
def test_values_overrule_the_header(name: str, values: str) -> None:
    column = pd.Series(np.random.default_rng(0).choice(values.split(), 300))
    assert made(column, name) is None
    best = detect.surest(detect.detect(column, name))
    assert best is None or best.sensitivity != "direct identifier"  # a draft of a spec goes by this


@pytest.mark.parametrize("locale", ["en_US", "ko_KR", "hi_IN", "ar_AA", "hr_HR", "id_ID", "ru_RU", "zh_TW"])
@pytest.mark.parametrize("name", ["x7", "host_name"])
def test_names_of_many_languages_are_found_by_their_values(locale: str, name: str) -> None:
    assert made(drawn("name", locale), name) is not None
    assert made(drawn("first_name", locale), name) is not None


def test_the_kind_follows_the_values() -> None:
    assert made(drawn("first_name"), "host_name") == "first_name"
    assert made(drawn("name"), "host_name") == "name"


def test_handles() -> None:
    values = drawn("user_name").map(lambda w: f"@{w}")
    assert (made(values, "x7"), made(values, "twitter_handle")) == ("username", "username")
