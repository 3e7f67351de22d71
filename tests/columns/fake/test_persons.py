import numpy as np
import pandas as pd
import pytest

from synthcli.columns.fake import checksums, persons
from synthcli.columns.fake import generate as fake
from synthcli.contracts.schema import Column, Traits


def make(name, start=0, rows=400, key=3, seed=0, **traits):
    return fake.make(Column(name, Traits(**traits)), start, rows, key=key, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "pl_PL"])
def test_name_email_and_login_are_of_one_person(locale):
    first, last = (make(f"{part}_name", type=f"{part}_name", locale=locale) for part in ("first", "last"))
    full, login = make("full_name", type="name", locale=locale), make("login", type="username", locale=locale)
    email = make("e-mail", type="email", locale=locale)
    assert (full == first + " " + last).all()
    ascii_first = np.array([persons._ascii(w, locale) for w in first])
    ascii_last = np.array([persons._ascii(w, locale) for w in last])
    assert (email.str.partition("@")[0] == pd.Series(ascii_first) + "." + pd.Series(ascii_last)).all()
    assert (login == pd.Series(ascii_first).str[0] + pd.Series(ascii_last)).all()


def test_unique_ones_agree_with_those_that_are_not():
    email = make("email", type="email", unique=True, rows=20_000)
    login = make("user", type="username", unique=True, rows=20_000)
    assert email.is_unique and login.is_unique
    first = make("first_name", type="first_name", rows=20_000)
    assert (email.str.partition(".")[0] == [persons._ascii(w, "en_US") for w in first]).all()
    assert (email.str.extract(r"(\d+)@")[0] == login.str.extract(r"(\d+)$")[0]).all()


def test_blocks_and_streams_do_not_matter_and_keys_do():
    whole = make("name", type="name", rows=300)
    parts = pd.concat(
        [make("name", 0, 100, type="name"), make("name", 100, 200, seed=9, type="name")], ignore_index=True
    )
    pd.testing.assert_series_equal(whole, parts)
    assert (make("name", type="name", rows=300, key=4) == whole).mean() < 0.02


def test_other_people_stand_in_columns_about_others():
    customer, agent = make("customer_name", type="name"), make("agent_name", type="name")
    assert (customer == agent).mean() < 0.02
    assert (make("customer_email", type="email").str[0] == customer.str[0].str.lower()).all()


@pytest.mark.parametrize(
    ("column", "about"),
    [
        ("email", ""),
        ("First Name", ""),
        ("customerEmail", "customer"),
        ("Kundenname", "kunden"),
        ("kunden_email", "kunden"),
        ("Vorname", ""),
        ("nazwisko", ""),
        ("agent_full_name", "agent"),
        ("username", ""),
    ],
)
def test_roles_by_name(column, about):
    assert persons.role(column) == about


def test_every_person_comes_once():
    rows = 5000
    names = make("name", type="name", unique=True, rows=rows)
    assert names.is_unique and names.str.fullmatch(r"\S.* [A-Z]\. \S.*").all()
    assert fake.capacity(Column("name", Traits(type="name", unique=True))) == persons.capacity("en_US") > 10**6


def test_family_names_come_first_where_they_do():
    first, last = (
        make("first_name", type="first_name", locale="ja_JP"),
        make("last_name", type="last_name", locale="ja_JP"),
    )
    assert (make("name", type="name", locale="ja_JP") == last + " " + first).all()


def test_addresses_are_nobodys():
    assert make("email", type="email").str.partition("@")[2].isin(["example.com", "example.net", "example.org"]).all()


def test_feminine_and_masculine_surnames_go_with_their_first_names():
    first, last = (
        make("first_name", type="first_name", locale="cs_CZ"),
        make("last_name", type="last_name", locale="cs_CZ"),
    )
    women = set(persons.names("cs_CZ").first[0])
    feminine = last.str.endswith("á")
    assert feminine[first.isin(women)].mean() > 0.9 and feminine[~first.isin(women)].mean() < 0.1


@pytest.mark.parametrize("locale", ["en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_BR"])
@pytest.mark.parametrize("unique", [False, True])
def test_ibans_have_valid_check_digits(locale, unique):
    made_up = pd.concat([make("iban", start, 500, type="iban", locale=locale, unique=unique) for start in (0, 500)])
    assert checksums.iban(made_up.astype(object)).all()
    assert made_up.is_unique or not unique


def test_cards_have_valid_check_digits():
    for unique in (False, True):
        cards = make("card", type="card", unique=unique, rows=3000)
        assert checksums.luhn(cards.astype(object)).all()
    assert cards.is_unique and cards.str.fullmatch(r"4\d{15}").all()


@pytest.mark.parametrize(
    ("locale", "check"),
    [
        ("es_ES", "dni"),
        ("fr_FR", "nir"),
        ("it_IT", "codice_fiscale"),
        ("nl_NL", "bsn"),
        ("pl_PL", "pesel"),
        ("pt_BR", "cpf"),
    ],
)
def test_national_numbers_are_those_of_the_country(locale, check):
    numbers = make("id_number", type="ssn", locale=locale, rows=60).astype(object).str.replace(r"[.\-]", "", regex=True)
    assert checksums.CHECKS[check](numbers).all()
