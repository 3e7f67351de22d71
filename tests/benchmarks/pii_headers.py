"""Column names of people and of things, with values of both: how often a name finds people, and how often it takes a
thing for one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.pii import detect, protect

ROWS = 400
# column names by language and by what they hold; a different spelling of each is tried with values of the language
PEOPLE = {
    "en_US": {
        "first_name": "nameFirst firstName FIRST_NM first-name strFirstName cust_fname patFName f_name nameGiven memberForename"
        " playerfirstname middle_name emp_first_name_txt",
        "last_name": "nameLast lastName LAST_NM surname_txt custLName pl_lname familyName maiden_name patientSurname"
        " customerlastname mothersMaidenName LastName1",
        "name": "hostName host_name patient_nm PlayerName CUSTNAME guardianName emergency_contact_name reviewer-name"
        " driver_full_name policyHolderName attendingPhysician companyContactName author created_by tenantname",
        "email": "custEmail e_mail hostMail primary_email_addr",
        "phone": "homePhone phone_mobile contactTelNo",
        "address": "mailAddr shipping_address patAdr",
        "street": "addr_line1 homeStreet",
    },
    "de_DE": {
        "first_name": "Vorname patientVorname VORNAME_1 kundenvorname pat_vname rufname",
        "last_name": "Nachname nachname_patient Geburtsname kundennachname pat_nname FamilienName",
        "name": "Kundenname PatientenName patientenname ansprechpartner kontaktpersonName lehrername behandelnder_arzt",
        "email": "kundenEmail mailadresse",
        "phone": "handynr TelefonPrivat rufnr",
        "address": "lieferAnschrift adr",
        "street": "StrasseHausnr strasse_nr",
    },
    "fr_FR": {
        "first_name": "prenom prenomPatient PRENOM_CLIENT",
        "last_name": "nom_famille nomDeFamille NOM_NAISSANCE_FAMILLE",
        "name": "nomPatient nom_client nomComplet nom_medecin nomprenom",
    },
    "es_ES": {
        "first_name": "nombre_pila primerNombre",
        "last_name": "apellidos primerApellido apellido_paterno",
        "name": "nombrePaciente nombre_cliente nombreCompleto nombreapellidos",
    },
    "it_IT": {"first_name": "primoNome", "last_name": "cognome cognomePaziente", "name": "nomePaziente nome_cliente"},
    "nl_NL": {
        "first_name": "voornaam voornaamPatient",
        "last_name": "achternaam familieNaam",
        "name": "naamPatient klantnaam naam_klant",
    },
    "pl_PL": {"first_name": "imie imiePacjenta", "last_name": "nazwisko nazwiskoKlienta", "name": "imieNazwisko"},
    "pt_BR": {"first_name": "primeiroNome", "last_name": "sobrenome apelido", "name": "nomeCliente nome_paciente"},
}
FLAGS = "yes no"
THINGS = {  # column name: its values, several times each, or a provider of Faker
    "has_address": FLAGS,
    "hasEmail": "Y N",
    "address_change": FLAGS,
    "First Name Match": "exact fuzzy none",
    "lastNameMatch": "exact partial none unknown",
    "name_verified": "verified unverified pending",
    "phone_type": "mobile landline voip",
    "email_opt_in": FLAGS,
    "name": "Paris London Berlin Madrid Rome Vienna Prague Warsaw Lisbon Dublin Oslo Athens",
    "name2": "Austin Dallas Houston Phoenix Charlotte Madison Savannah Jackson Florence Boston Chicago Denver",
    "nom": "Rose Lily Daisy Iris Violet Heather Ivy Olive Hazel Holly Jasmine Laurel Basil Sage",
    "product_name": "first_name",
    "productName": "color_name",
    "brandName": "last_name",
    "company_name": "company",
    "customer_company_name": "company",
    "city_name": "city",
    "hotelName": "last_name",
    "file_name": "file_name",
    "species_name": "word",
    "teamName": "city",
    "name_suffix": "Jr Sr II III",
    "nameTitle": "Mr Mrs Ms Dr",
    "patient_status": "admitted discharged transferred",
    "customer_segment": "gold silver bronze",
    "host": "alpha beta gamma delta",
    "owner": "private public state unknown",
    "contact": "mail phone none",
    "author_type": "person group",
    "address_type": "home work other",
    "state": "California Texas Florida Nevada Georgia Virginia Dakota Carolina Montana Washington",
    "country": "country",
    "job": "job",
    "word": "word",
    "make": "ford lincoln audi dodge austin morgan jaguar bentley chrysler honda bmw opel skoda fiat kia seat tesla"
    " volvo mazda subaru porsche ferrari",
    "animal": "dog cat horse lion tiger bear wolf fox rabbit deer mouse eagle hawk raven swan robin martin finch",
    "plant": "rose lily daisy iris violet heather ivy olive hazel holly jasmine laurel basil sage clover fern ash oak",
    "x7": "Rose Lily Daisy Iris Violet Heather Ivy Olive Hazel Holly Jasmine Laurel Basil Sage Clover Fern Ash Oak Elm"
    " Willow Birch",
    "x8": "Paris London Berlin Madrid Rome Vienna Prague Warsaw Lisbon Dublin Oslo Athens Sydney Boston Austin Dallas"
    " Houston Florence Savannah Charlotte Madison Jackson Lincoln Phoenix",
    "weekday": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "month": "January February March April May June July August September October November December",
    "department": "Cardiology Surgery Oncology Radiology Urology",
    "diagnosis_name": "word",
    "ward": "North South East West A1 B2",
    "hostname": "web01 web02 db01 db02 cache01",
}
NAMES = frozenset({"name", "first_name", "last_name"})
DIRECT = ("first_name", "last_name", "name", "email", "phone", "address", "street")


def _values(fake: Any, what: str, rng: np.random.Generator) -> pd.Series:
    provider = {"phone": "phone_number", "street": "street_address"}.get(what, what)
    if " " not in what and hasattr(fake, provider):
        return pd.Series([str(getattr(fake, provider)()).replace("\n", ", ") for _ in range(ROWS)])
    return pd.Series(rng.choice(what.split(), ROWS))


def invented(kind: str, rng: np.random.Generator) -> pd.Series:
    """Names that no list holds, of two to four syllables; full names for the kind name."""
    one = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "ai", "or", "en")]
    word = lambda: "".join(rng.choice(one, rng.integers(2, 5))).capitalize()  # noqa: E731
    return pd.Series([f"{word()} {word()}" if kind == "name" else word() for _ in range(ROWS)])


def found(values: pd.Series, name: str) -> str | None:
    """The kind that is made up by default; None if the column is learned."""
    guess = protect.identifier(detect.detect(values, name), values)
    return None if guess is None else guess.kind


def on_headers() -> tuple[list[list[str]], list[str], list[str]]:
    """Rows of a table: kind, columns, made up, of the right kind, and made up where no list holds the names; the column
    names that were missed; the things taken for people.
    """
    import faker

    rng, counts, missed = np.random.default_rng(5), {kind: [0, 0, 0, 0] for kind in DIRECT}, []
    for locale, kinds in PEOPLE.items():
        fake = faker.Faker(locale)
        fake.seed_instance(5)
        for kind, headers in kinds.items():
            for header in headers.split():
                seen = found(_values(fake, kind, rng), header)
                counts[kind][0] += 1
                counts[kind][1] += seen is not None
                counts[kind][2] += seen == kind
                missed += [] if seen is not None else [header]
                if kind in NAMES:
                    unlisted = found(invented(kind, rng), header) is not None
                    counts[kind][3] += unlisted
                    missed += [] if unlisted else [f"{header} over unlisted names"]
    fake = faker.Faker("en_US")
    fake.seed_instance(5)
    wrong = [name for name, what in THINGS.items() if found(_values(fake, what, rng), name) is not None]
    rows = [
        [kind, str(n), f"{made / n:.2f}", f"{right / n:.2f}", f"{unlisted / n:.2f}" if kind in NAMES else "–"]
        for kind, (n, made, right, unlisted) in counts.items()
    ]
    return rows, missed, wrong


if __name__ == "__main__":
    table, lost, mistaken = on_headers()
    print(*table, f"missed: {lost}", f"things taken for people, of {len(THINGS)}: {mistaken}", sep="\n")
