"""How often the guesses of `synth init` about personal data are right: python -m tests.benchmarks.pii. Prints tables and writes docs/pii.md.

Options: --rows N (values a column, default 200)  --no-write
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthcli import sources
from synthcli.columns import made, pii, pii_values
from synthcli.sources import builtin

TOP = Path(__file__).parents[2]
LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_BR")
HELD_OUT = ("hr_HR", "sk_SK", "lt_LT")  # whose lists of names the detection does not have
KINDS = {  # kind: Faker provider
    "email": "email", "phone": "phone_number", "iban": "iban", "card": "credit_card_number", "ipv4": "ipv4", "ipv6": "ipv6", "mac": "mac_address",
    "national id": "ssn", "name": "name", "first_name": "first_name", "last_name": "last_name", "username": "user_name", "address": "address",
    "street": "street_address", "date_of_birth": "date_of_birth", "latitude": "latitude", "longitude": "longitude",
}  # fmt: skip
NOT_PERSONAL = {
    "company": "company", "colour": "color_name", "sentence": "sentence", "word": "word", "isbn": "isbn13", "ean": "ean13",
    "currency": "currency_code",
    "file": "file_name", "uuid": "uuid4", "url": "url", "sku": "", "number": "random_int", "price": "", "version": "",
    "moment": "date_time_this_decade",
    "job": "job", "country": "country", "city": "city",
}  # fmt: skip
BARS = ("email", "phone", "iban", "card", "ipv4", "ipv6")
TELLING = {  # by language: what a column of that kind is called
    "en": "email_address phone_number iban credit_card_number ip_address client_ip mac_address ssn full_name first_name last_name username address "
    "street date_of_birth latitude longitude",
    "de": "kunden_email Telefonnummer IBAN Kreditkartennummer ip_adresse ip_adresse mac_adresse sozialversicherungsnummer "
    "kundenname Vorname Nachname "
    "Benutzername Anschrift Strasse Geburtsdatum breitengrad laengengrad",
    "fr": "courriel téléphone iban carte_bancaire adresse_ip adresse_ip adresse_mac numero_secu nom_complet prénom nom_de_famille nom_utilisateur "
    "adresse rue date_de_naissance latitude longitude",
    "es": "correo_electronico telefono iban tarjeta_credito direccion_ip direccion_ip direccion_mac dni nombre_completo "
    "nombre_de_pila apellidos usuario_login "
    "direccion calle fecha_nacimiento latitud longitud",
    "it": "indirizzo_email cellulare iban carta_di_credito indirizzo_ip indirizzo_ip mac_address codice_fiscale nominativo "
    "nome_first_name cognome nome_utente "
    "indirizzo via_residenza data_nascita latitudine longitudine",
    "nl": "emailadres telefoonnummer iban creditcardnummer ip_adres ip_adres mac_adres bsn volledige_naam voornaam achternaam "
    "gebruikersnaam adres straat "
    "geboortedatum breedtegraad lengtegraad",
    "pl": "adres_email telefon iban numer_karty adres_ip adres_ip mac_address pesel imie_i_nazwisko imię nazwisko nazwa_uzytkownika adres ulica "
    "data_urodzenia szerokosc_geograficzna dlugosc_geograficzna",
    "pt": "e-mail celular iban numero_cartao endereco_ip endereco_ip mac_address cpf nome_completo primeiro_nome sobrenome nome_usuario endereco rua "
    "data_nascimento latitude longitude",
}
# What columns of real tables hold, labelled by hand from their documentation. A column that is not named holds none of these kinds.
REAL = {
    "rand_health": "age:age sex:sex income:family_income health:chronic_diseases,self_rated_health,doctor_visits,hospital_stays,medical_spending,"
    "physical_limitation",
    "affairs": "age:age education:education job:occupation,husband_occupation religion:religiousness sexual_orientation:affairs",
    "breast_cancer": "health:diagnosis",
    "diabetes": "age:age sex:sex health:bmi,blood_pressure,total_cholesterol,ldl,hdl,cholesterol_ratio,log_triglycerides,glucose,progression",
    "anes96": "age:age income:income education:educ politics:vote,PID,selfLR,ClinLR,DoleLR",
    "cancer": "health:cancer", "ccard": "age:AGE income:INCOME", "engel": "income:income", "cpunish": "income:INCOME",
    "china_smoking": "health:smoking_yes_cancer_yes,smoking_yes_cancer_no,smoking_no_cancer_yes,smoking_no_cancer_no",
    "fair": "age:age education:educ job:occupation,occupation_husb religion:religious sexual_orientation:affairs", "heart": "age:age",
    "fertility": "country:Country*Name,Country*Code", "statecrime": "state:state", "randhie": "health:physlm,disea,mdvis,hlthg,hlthf,hlthp",
    "modechoice": "income:hinc",
}  # fmt: skip
NO_PEOPLE = frozenset({"cancer", "china_smoking", "cpunish", "fertility", "statecrime", "scotland"})  # whose rows are places or sums
SAME = {**dict.fromkeys(pii.NATIONAL, "national id")}


def column(fake: Any, kind: str, provider: str, rows: int, rng: np.random.Generator) -> pd.Series:
    """Values of a kind."""
    if kind == "sku":
        return pd.Series([f"{a}-{b:05d}" for a, b in zip(rng.choice(["AX", "BK", "CZ"], rows), rng.integers(10**5, size=rows))])
    if kind == "price":
        return pd.Series(np.round(rng.gamma(2, 20, rows), 2))
    if kind == "version":
        return pd.Series([f"{a}.{b}.{c}.{d}" for a, b, c, d in rng.integers(0, 30, (rows, 4))])
    values = [getattr(fake, provider)() for _ in range(rows)]
    if kind in ("latitude", "longitude"):
        return pd.Series([float(v) for v in values])
    if kind in ("moment", "date_of_birth"):
        return pd.Series(pd.to_datetime(values))
    return pd.Series([v if isinstance(v, int) else str(v) for v in values])


def answers(locale: str, rows: int) -> Iterator[tuple[str, str, str, str]]:
    """(truth, telling or meaningless, what was guessed, column name) for every labelled column of a locale."""
    import faker

    fake = faker.Faker(locale)
    fake.seed_instance(11)
    rng = np.random.default_rng(11)
    language = TELLING.get(locale[:2], TELLING["en"]).split()
    for i, (kind, provider) in enumerate({**KINDS, **NOT_PERSONAL}.items()):
        used = made.NATIONAL_IDS.get(locale, "ssn") if kind == "national id" else provider
        values = column(fake, kind, used, rows, rng)
        truth = kind if kind in KINDS else "none of these"
        for how, name in (("telling", language[i] if kind in KINDS else kind), ("meaningless", f"c{i}")):
            best = pii.surest(pii.detect(values, name))
            found = "none of these" if best is None or SAME.get(best.kind, best.kind) not in KINDS else SAME.get(best.kind, best.kind)
            yield truth, how, found, name


def on_faker(rows: int, locales: tuple[str, ...]) -> tuple[list[list[str]], dict[str, float]]:
    """Rows of a table: kind, columns, recall and precision with telling and with meaningless names; and recall by bar."""
    seen = [answer for locale in locales for answer in answers(locale, rows)]
    out, bars = [], {}
    for kind in KINDS:
        row = [kind, str(sum(t == kind and h == "telling" for t, h, _, _ in seen))]
        for how in ("telling", "meaningless"):
            right = sum(t == kind and f == kind for t, h, f, _ in seen if h == how)
            true, told = sum(t == kind for t, h, _, _ in seen if h == how), sum(f == kind for _, h, f, _ in seen if h == how)
            row += [f"{right / true:.2f}", f"{right / told:.2f}" if told else "–"]
            bars[f"{kind}, {how}"] = right / true
        out.append(row)
    others = [(t, h, f) for t, h, f, _ in seen if t == "none of these"]
    wrong = Counter(h for _, h, f in others if f != "none of these")
    out.append(["none of these", str(len(others) // 2), *(w for h in ("telling", "meaningless") for w in (f"{wrong[h]} taken for one", ""))])
    return out, bars


def real_tables() -> dict[str, pd.DataFrame]:
    """Tables that installed packages carry."""
    from statsmodels import datasets

    tables = {name: sources.read(sources.Source("builtin", name=name)).to_pandas() for name in builtin.names()}
    for module in pkgutil.iter_modules(datasets.__path__):
        if module.ispkg and module.name != "tests":
            frame = importlib.import_module(f"statsmodels.datasets.{module.name}").load_pandas().data
            tables[module.name] = frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()
    return tables


def on_real() -> tuple[list[list[str]], list[str]]:
    """Rows of a table: class, columns that have it, guesses, precision and recall; and the guesses that are wrong."""
    counts: dict[str, Counter[str]] = {s: Counter() for s in ("direct identifier", "quasi-identifier", "special category")}
    wrong, columns = [], 0
    tables = real_tables()
    for table, frame in tables.items():
        labels = {c.replace("*", " "): k for part in REAL.get(table, "").split() for k, _, listed in [part.partition(":")] for c in listed.split(",")}
        for name in map(str, frame.columns):
            columns += 1
            guessed = {g.kind: g.sensitivity for g in pii.detect(frame[name], name) if g.confidence >= pii.SURE and g.sensitivity != "none"}
            if (truth := labels.get(name)) is not None:
                counts[pii.sensitivity(truth)]["true"] += 1
            for kind, of in guessed.items():
                right = kind == truth
                counts[of]["right" if right else "wrong"] += 1
                counts[of]["strictly"] += right and table not in NO_PEOPLE
                wrong += [] if right else [f"{table}.{name} taken for {kind}"]
    rows = []
    for of, seen in counts.items():
        told = seen["right"] + seen["wrong"]
        precision, recall = (f"{seen['right'] / told:.2f}" if told else "–"), (f"{seen['right'] / seen['true']:.2f}" if seen["true"] else "–")
        strictly = f"{seen['strictly'] / told:.2f}" if told else "–"
        rows.append([of, str(seen["true"]), str(told), precision, strictly, recall])
    right, told = sum(s["right"] for s in counts.values()), sum(s["right"] + s["wrong"] for s in counts.values())
    true = sum(s["true"] for s in counts.values())
    strictly = sum(s["strictly"] for s in counts.values())
    rows.append(["all", str(true), str(told), f"{right / told:.3f}", f"{strictly / told:.2f}", f"{right / true:.2f}"])
    return rows, [f"{len(tables)} tables, {columns} columns", *wrong]


def shown(head: tuple[str, ...], rows: list[list[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ("---",) * len(head), *rows))


TEXT = """# Personal data that `synth init` finds

Written by `python -m tests.benchmarks.pii` in one run; nothing here is quoted. A guess counts from a confidence of {sure:.0%} on.

## Columns of Faker

{rows} values a column, in {locales}. A telling name is what the column would be called in the language of the locale; a meaningless one is `c17`.
The rules were made while looking at columns of these locales.
The lists that names of people are looked up in are Faker's own, of {lists} locales: what they reach on columns of Faker flatters them.
The next table has locales that they lack.

{faker}

Recall of what must not be missed (e-mail, phone, IBAN, card, IP), the lowest of the kinds: {bar_telling:.2f} with a telling name,
{bar_meaningless:.2f} with a meaningless one. User names, dates of birth, latitudes and longitudes need a telling name:
their content alone says too little.

## Locales whose names it does not know

{held_out}. One rule was added after a first look at them: a telling name of full names counts where the values are short words.

{held}

## Real tables

The built-in tables and those of statsmodels, labelled by hand by what a column holds (tests/benchmarks/pii.py); none has a direct
identifier. Precision is about what a column holds: the median income of a state is an income. The stricter figure counts every guess in a table
whose rows are places or sums as wrong, which no look at a column can tell. Labels were written by
the same hand as the rules, after the guesses on these tables had been seen, and so was the choice to count by what a column holds: take the
stricter figure for the cautious one.

{real}

{counted}. Wrong guesses: {wrong}.
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--no-write", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    head = ("kind", "columns", "recall, telling name", "precision", "recall, meaningless name", "precision")
    found, bars = on_faker(asked.rows, LOCALES)
    held, _ = on_faker(asked.rows, HELD_OUT)
    real, (counted, *wrong) = on_real()
    bar = {how: min(bars[f"{kind}, {how}"] for kind in BARS) for how in ("telling", "meaningless")}
    text = TEXT.format(
        sure=pii.SURE, rows=asked.rows, locales=", ".join(LOCALES),
        lists=len(pii_values.NAME_LOCALES), faker=shown(head, found), held=shown(head, held),
        held_out=", ".join(HELD_OUT), real=shown(("class", "columns that hold one", "guesses", "precision",
        "precision where the rows must be people", "recall"), real),
        bar_telling=bar["telling"], bar_meaningless=bar["meaningless"], counted=counted, wrong="; ".join(wrong) or "none",
    )  # fmt: skip
    print(text)
    if not asked.no_write:
        (TOP / "docs/pii.md").write_text(text)


if __name__ == "__main__":
    main()
