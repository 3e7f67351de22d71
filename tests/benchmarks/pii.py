"""How often the guesses of `synth init` about personal data are right: python -m tests.benchmarks.pii. Prints tables
and writes docs/pii.md.

Options: --rows N (values a column, default 200)  --no-write
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.fake import generate
from synthcli.columns.pii import detect
from synthcli.columns.pii import names as pii_names
from tests.benchmarks.pii_headers import THINGS, on_headers
from tests.benchmarks.pii_tables import Labelled, held_out, looked_at, looked_at_later

TOP = Path(__file__).parents[2]
LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_BR")
HELD_OUT = ("hr_HR", "sk_SK", "lt_LT")  # whose lists of names are taken from the detection, to measure it
KINDS = {  # kind: Faker provider
    "email": "email",
    "phone": "phone_number",
    "iban": "iban",
    "card": "credit_card_number",
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "mac": "mac_address",
    "national id": "ssn",
    "name": "name",
    "first_name": "first_name",
    "last_name": "last_name",
    "username": "user_name",
    "address": "address",
    "street": "street_address",
    "date_of_birth": "date_of_birth",
    "latitude": "latitude",
    "longitude": "longitude",
}
NOT_PERSONAL = {
    "company": "company",
    "colour": "color_name",
    "sentence": "sentence",
    "word": "word",
    "isbn": "isbn13",
    "ean": "ean13",
    "currency": "currency_code",
    "file": "file_name",
    "uuid": "uuid4",
    "url": "url",
    "sku": "",
    "number": "random_int",
    "price": "",
    "version": "",
    "moment": "date_time_this_decade",
    "job": "job",
    "country": "country",
    "city": "city",
}
BARS = ("email", "phone", "iban", "card", "ipv4", "ipv6")
TELLING = {  # by language: what a column of that kind is called
    "en": (
        "email_address phone_number iban credit_card_number ip_address client_ip mac_address ssn full_name first_name"
        " last_name username address street date_of_birth latitude longitude"
    ),
    "de": (
        "kunden_email Telefonnummer IBAN Kreditkartennummer ip_adresse ip_adresse mac_adresse sozialversicherungsnummer"
        " kundenname Vorname Nachname Benutzername Anschrift Strasse Geburtsdatum breitengrad laengengrad"
    ),
    "fr": (
        "courriel téléphone iban carte_bancaire adresse_ip adresse_ip adresse_mac numero_secu nom_complet prénom"
        " nom_de_famille nom_utilisateur adresse rue date_de_naissance latitude longitude"
    ),
    "es": (
        "correo_electronico telefono iban tarjeta_credito direccion_ip direccion_ip direccion_mac dni nombre_completo "
        "nombre_de_pila apellidos usuario_login "
        "direccion calle fecha_nacimiento latitud longitud"
    ),
    "it": (
        "indirizzo_email cellulare iban carta_di_credito indirizzo_ip indirizzo_ip mac_address codice_fiscale"
        " nominativo nome_first_name cognome nome_utente indirizzo via_residenza data_nascita latitudine longitudine"
    ),
    "nl": (
        "emailadres telefoonnummer iban creditcardnummer ip_adres ip_adres mac_adres bsn volledige_naam voornaam"
        " achternaam gebruikersnaam adres straat geboortedatum breedtegraad lengtegraad"
    ),
    "pl": (
        "adres_email telefon iban numer_karty adres_ip adres_ip mac_address pesel imie_i_nazwisko imię nazwisko"
        " nazwa_uzytkownika adres ulica data_urodzenia szerokosc_geograficzna dlugosc_geograficzna"
    ),
    "pt": (
        "e-mail celular iban numero_cartao endereco_ip endereco_ip mac_address cpf nome_completo primeiro_nome"
        " sobrenome nome_usuario endereco rua data_nascimento latitude longitude"
    ),
}
SAME = {**dict.fromkeys(detect.NATIONAL, "national id")}


def column(fake: Any, kind: str, provider: str, rows: int, rng: np.random.Generator) -> pd.Series:
    """Values of a kind."""
    if kind == "sku":
        return pd.Series(
            [f"{a}-{b:05d}" for a, b in zip(rng.choice(["AX", "BK", "CZ"], rows), rng.integers(10**5, size=rows))]
        )
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
        used = generate.NATIONAL_IDS.get(locale, "ssn") if kind == "national id" else provider
        values = column(fake, kind, used, rows, rng)
        truth = kind if kind in KINDS else "none of these"
        for how, name in (("telling", language[i] if kind in KINDS else kind), ("meaningless", f"c{i}")):
            best = detect.surest(detect.detect(values, name))
            found = (
                "none of these"
                if best is None or SAME.get(best.kind, best.kind) not in KINDS
                else SAME.get(best.kind, best.kind)
            )
            yield truth, how, found, name


def on_faker(rows: int, locales: tuple[str, ...]) -> tuple[list[list[str]], dict[str, float]]:
    """Rows of a table: kind, columns, recall and precision with telling and with meaningless names; and recall by
    bar.
    """
    seen = [answer for locale in locales for answer in answers(locale, rows)]
    out, bars = [], {}
    for kind in KINDS:
        row = [kind, str(sum(t == kind and h == "telling" for t, h, _, _ in seen))]
        for how in ("telling", "meaningless"):
            right = sum(t == kind and f == kind for t, h, f, _ in seen if h == how)
            true, told = (
                sum(t == kind for t, h, _, _ in seen if h == how),
                sum(f == kind for _, h, f, _ in seen if h == how),
            )
            row += [f"{right / true:.2f}", f"{right / told:.2f}" if told else "–"]
            bars[f"{kind}, {how}"] = right / true
        out.append(row)
    others = [(t, h, f) for t, h, f, _ in seen if t == "none of these"]
    wrong = Counter(h for _, h, f in others if f != "none of these")
    out.append(
        [
            "none of these",
            str(len(others) // 2),
            *(w for h in ("telling", "meaningless") for w in (f"{wrong[h]} taken for one", "")),
        ]
    )
    return out, bars


@contextmanager
def without_lists(left_out: tuple[str, ...]) -> Iterator[None]:
    """The detection without the lists of names of some locales."""
    every = pii_names.locales
    pii_names.locales = lambda: tuple(each for each in every() if each not in left_out)  # type: ignore[assignment]
    pii_names.known_names.cache_clear()
    try:
        yield
    finally:
        pii_names.locales = every
        pii_names.known_names.cache_clear()


def on_real(tables: dict[str, Labelled]) -> tuple[list[list[str]], list[str]]:
    """Rows of a table: class, columns that hold one, guesses, precision and recall; and the guesses that are wrong."""
    counts: dict[str, Counter[str]] = {
        s: Counter() for s in ("direct identifier", "quasi-identifier", "special category")
    }
    wrong = []
    for table, (frame, labels) in tables.items():
        frame.columns = frame.columns.astype(str)
        guesses, _ = detect.detect_all(frame)
        for name in frame.columns:
            truth = labels.get(name, set())
            if truth:
                counts[detect.sensitivity(min(truth))]["true"] += 1
            guessed = {
                g.kind: g.sensitivity for g in guesses[name] if g.confidence >= detect.SURE and g.sensitivity != "none"
            }
            for kind, of in guessed.items():
                counts[of]["right" if kind in truth else "wrong"] += 1
                wrong += [] if kind in truth else [f"{table}.{name} taken for {kind}"]
    every = sum(counts.values(), Counter[str]())
    return [[of, *_figures(seen)] for of, seen in (*counts.items(), ("all", every))], wrong


def _figures(seen: Counter[str]) -> list[str]:
    """Columns, guesses, precision with its 95 % interval (Wilson), recall with its own."""
    told = seen["right"] + seen["wrong"]
    return [str(seen["true"]), str(told), _share(seen["right"], told), _share(seen["right"], seen["true"])]


def _share(some: int, of: int) -> str:
    from statsmodels.stats.proportion import proportion_confint

    if not of:
        return "–"
    low, high = proportion_confint(some, of, method="wilson")
    return f"{some / of:.2f} ({low:.2f} – {high:.2f})"


def hinted(rows: int) -> dict[str, str]:
    """How many columns of Faker with meaningless names are hinted at, below the confidence that counts, by kind."""
    import faker

    out = {}
    for kind in ("username", "date_of_birth"):
        found = 0
        for locale in LOCALES:
            fake = faker.Faker(locale)
            fake.seed_instance(11)
            values = column(fake, kind, KINDS[kind], rows, np.random.default_rng(11))
            found += any(g.kind == kind for g in detect.detect(values, "c17"))
        out[kind] = f"{found} of {len(LOCALES)}"
    return out


def shown(head: tuple[str, ...], rows: list[list[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ("---",) * len(head), *rows))


TEXT = """# Personal data that `synth init` finds

Written by `python -m tests.benchmarks.pii` in one run; only the figures of earlier rules are quoted. A guess counts if its confidence is at least {sure:.0%}.

## Columns of Faker

{rows} values per column, in {locales}.
A telling name is what the column would be called in the language of the locale; a meaningless one is `c17`.
The rules were written while looking at columns of these locales.
The lists of names that the rules use are Faker's own, from {lists} locales, so the results on columns of Faker are too optimistic.
The next table has locales that the lists do not include.

{faker}

Lowest recall among the kinds that must not be missed (e-mail, phone, IBAN, card, IP): {bar_telling:.2f} with a telling name,
{bar_meaningless:.2f} with a meaningless one. Latitudes and longitudes need a telling name. The content of user names and dates of birth gives
only a hint, which `synth init` writes as a comment: for {usernames} and {births} of these columns with a meaningless name.

## Locales whose names it does not know

{held_out}. The lists of names of these locales are taken from the detection for this measurement. Two rules were written after looking at them. A telling name for full names counts if the values are short words. Two or three
capitalised words that go together as names do count if a good part of the given names is known from other languages.

{held}

## Names of columns

Names of columns in eight languages, in camelCase, snake_case and glued, with prefixes, suffixes and abbreviations (tests/benchmarks/pii_headers.py), over
values of the kind. Made up: `synth run` makes the column up without a word in the spec. Unlisted names are words of random syllables, as names
in a language without a list look; {missed_before}.

{headers}

Missed: {missed}. Things taken for people, of {things} columns of things and flags (has_address: yes, no; First Name Match: exact, fuzzy, none; a
column name of twelve cities; product_name over first names): {taken}.

The values decide. A telling name of a column counts if its values are listed names, or are varied words that look like names. Yes and no, or
other states, are never personal. A name that tells nothing (host, x7) counts if nearly all of its values are listed names. Words that are
names of places, plants and brands as well do not count.

## Dates of birth

A date of birth is a quasi-identifier: `synth init` declares it as a `datetime`, so that ages and what depends on them are kept. As every date, it is
top-coded (none lies before or after what several people reach) and smoothed by ranks. A day that one person has can come out by chance, more often
where birthdays are dense. Dates that a typed file (parquet, a database) stores as words, and columns that a spec declares as `{{type: date_of_birth}}`, are
made up: by the shares of the years in the train part, every day of a year as likely, none after the published end. Years that fewer than ten people share
are taken together; a table of fewer than 50 people, and a spec without data, get the pyramid of a usual population.

## Real tables

The columns were labelled by hand by what they hold about a person (tests/benchmarks/pii_tables.py). In a table whose rows are places, points in
time, things or sums over people, every guess is wrong: `synth init` looks for signs of such tables (columns/pii/subjects.py) and then treats ages and the
like as belonging to nobody. Ranges are 95 % intervals. Direct identifiers are rare in tables that may be shipped; the columns of Faker above
represent them.

The built-in tables and those of statsmodels, on which the rules were developed; before, precision was 0.78 and recall 0.66 by this count:

{real}

{real_count}. Wrong guesses: {real_wrong}.

Tables of scikit-learn, plotly, libpysal, sdmetrics and of the tests of statsmodels were labelled before the rules were tried on them. On the
first try precision was 0.75 and recall 0.38 (before the rules were written: 0.68 and 0.32). One half of them was then examined, and the rules were
corrected:

{later}

{later_count}. Wrong guesses: {later_wrong}.

Of the other half, only the counts were examined; expect the following of a table of your own:

{held_real}

{held_count}; {held_wrong} guesses are wrong. The columns that are missed are mostly abbreviated (ptl, docvis, mage), derived (a squared age, a log
wage), or have an uninformative name (Group, y): read the draft, and add what you know.
"""


HEAD_HEADERS = ("kind", "names of columns", "made up", "of the right kind", "made up, unlisted names")
BEFORE = (
    "with the rules before, 44 % of the columns of unlisted full names were made up, 77 % of first names, and 88 % of last"
    " names; host_name was missed over listed names too"
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--no-write", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    head = ("kind", "columns", "recall, telling name", "precision", "recall, meaningless name", "precision")
    found, bars = on_faker(asked.rows, LOCALES)
    with without_lists(HELD_OUT):
        held, _ = on_faker(asked.rows, HELD_OUT)
    on_names, missed, taken = on_headers()
    sets = {name: load() for name, load in (("real", looked_at), ("later", looked_at_later), ("held", held_out))}
    counted = {
        name: f"{len(some)} tables, {sum(frame.shape[1] for frame, _ in some.values())} columns"
        for name, some in sets.items()
    }
    tables = {name: on_real(some) for name, some in sets.items()}
    head_real = ("class", "columns that hold one", "guesses", "precision", "recall")
    bar = {how: min(bars[f"{kind}, {how}"] for kind in BARS) for how in ("telling", "meaningless")}
    hints = hinted(asked.rows)
    text = TEXT.format(
        sure=detect.SURE,
        rows=asked.rows,
        locales=", ".join(LOCALES),
        lists=len(pii_names.locales()),
        missed_before=BEFORE,
        headers=shown(HEAD_HEADERS, on_names),
        missed=", ".join(missed) or "none",
        things=len(THINGS),
        taken=", ".join(taken) or "none",
        faker=shown(head, found),
        held=shown(head, held),
        held_out=", ".join(HELD_OUT),
        bar_telling=bar["telling"],
        bar_meaningless=bar["meaningless"],
        usernames=hints["username"],
        births=hints["date_of_birth"],
        real=shown(head_real, tables["real"][0]),
        real_count=counted["real"],
        real_wrong="; ".join(tables["real"][1]) or "none",
        later=shown(head_real, tables["later"][0]),
        later_count=counted["later"],
        later_wrong="; ".join(tables["later"][1]) or "none",
        held_real=shown(head_real, tables["held"][0]),
        held_count=counted["held"],
        held_wrong=len(tables["held"][1]),
    )
    print(text)
    if not asked.no_write:
        (TOP / "docs/pii.md").write_text(text)


if __name__ == "__main__":
    main()
