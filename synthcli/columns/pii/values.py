"""Test the values of a column: the share that are e-mails, phone numbers, IBANs, names of people, ..., with valid check
digits.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd

from synthcli.columns import words
from synthcli.columns.fake import checksums
from synthcli.columns.words import listed

MOST = 1_000  # maximum distinct values to test
Test = Callable[[pd.Series], np.ndarray]  # (rows,) strings to (rows,) bool
NAME_LOCALES = (
    "en_US",
    "en_GB",
    "de_DE",
    "de_AT",
    "fr_FR",
    "es_ES",
    "es_MX",
    "it_IT",
    "nl_NL",
    "pl_PL",
    "pt_BR",
    "pt_PT",
    "sv_SE",
    "da_DK",
    "no_NO",
    "fi_FI",
    "cs_CZ",
    "tr_TR",
    "hu_HU",
    "ro_RO",
    "en_IN",
    "ja_JP",
    "ru_RU",
    "zh_CN",
)
CHECKED = frozenset(
    {"iban", "card", "bsn", "pesel", "cpf", "steuer_id", "nir", "dni", "codice_fiscale"}
)  # kinds with check digits
_STREETS = listed("""
    street st road rd avenue ave lane ln drive dr court ct square blvd boulevard highway parkway way walk mews gardens?
    terrace apt suite po box rue
    chemin impasse allee quai calle c/ plaza avenida avda paseo pasaje glorieta ronda acceso callejon camino cuesta
    alameda rambla urbanizacion via
    vial viale piazza corso strada vicolo largo borgo contrada canale stretto incrocio rotonda ulica aleja plac rynek
    rua travessa praca rodovia
    estrada viaduto vila patio jardim ladeira loteamento morro nucleo parque passarela quadra recanto residencial setor
    sitio trecho trevo vale
    vereda viela aeroporto area campo chacara colonia condominio conjunto distrito esplanada estacao favela fazenda
    feira lago lagoa unit
    """)
_STREET_ENDINGS = listed(
    "strasse str\\. gasse platz allee weg ring ufer damm straat laan plein gracht steeg singel dreef pad hof kade"
)
_STREET = re.compile(
    rf"\b(?:{'|'.join(_STREETS)})\b|\b(?:ul|al|pl|os)\.|^\d+[a-z]? [a-z]+ [a-z]+|(?:{'|'.join(_STREET_ENDINGS)})\b"
)
_COMPANIES = listed(
    "and und y et e i inc llc ltd plc group sons gmbh ag kg ohg kgaa sa sas sarl srl spa bv nv hijos figli filhos"
    " fils co"
)
_COMPANY = re.compile(rf"[,&]| (?:{'|'.join(_COMPANIES)})\b", re.I)
_TITLES = frozenset(
    listed("""
    mr mrs ms miss dr prof professor univ ing dipl mag herr frau hr fr monsieur madame mme m sr sra srta don dona d sig
    sigra dott dhr
    mevr mw pan pani jr ii iii iv phd md dds dvm mba bsc msc ba ma med rer nat b a sen fraulein
    """)
)


def _matches(pattern: str, flags: int = 0) -> Test:
    compiled = re.compile(pattern, flags)
    return lambda w: w.str.fullmatch(compiled).to_numpy(dtype=bool)


def _compact(w: pd.Series) -> pd.Series:
    return w.str.replace(r"[\s.\-/]", "", regex=True).str.upper()


def _number(shape: str, check: str | None) -> Test:
    """Build a test for strings that match a pattern without separators and have valid check digits."""
    matches = _matches(shape)

    def test(w: pd.Series) -> np.ndarray:
        plain = _compact(w)
        out = matches(plain).copy()
        if check is not None and out.any():
            out[out] = checksums.CHECKS[check](plain[out])
        return out

    return test


def _ipv4(w: pd.Series) -> np.ndarray:
    parts = w.str.extract(r"^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:/\d+|:\d+)?$").astype(float)
    out = (parts <= 255).all(axis=1).to_numpy(dtype=bool)
    wide = (parts > 31).any(axis=1).to_numpy(dtype=bool)
    return out if (wide & out).mean() > 0.3 else np.zeros(len(w), dtype=bool)  # excludes versions such as 1.2.10.4


def _ipv6(w: pd.Series) -> np.ndarray:
    shaped = _matches(r"[0-9a-f:]{2,39}", re.I)(w)
    colons = w.str.count(":")
    return shaped & ((colons == 7) | (w.str.contains("::", regex=False) & colons.between(2, 7))).to_numpy(dtype=bool)


def _phone(w: pd.Series) -> np.ndarray:
    """Seven to fifteen digits with the punctuation of a phone number; a column of bare digits of one length is
    something else.
    """
    body = w.str.replace(r"\s*(x|ext\.?|poste)\s*\d{1,6}$", "", regex=True, flags=re.I)
    shaped = _matches(r"\+?[\d\s().\-/]{6,24}")(body)
    count = body.str.count(r"\d").to_numpy()
    out = (
        shaped
        & (count >= 7)
        & (count <= 15)
        & ~_matches(r"-?\d*\.\d*|\d{4}[-./]\d\d?[-./]\d\d?.*|\d\d?[-./]\d\d?[-./]\d{2,4}.*")(w)
    )
    if not out.any() or any(test(w)[out].mean() > 0.8 for test in (SSN, TESTS["card"], TESTS["cpf"], TESTS["nir"])):
        return np.zeros(len(w), dtype=bool)
    shapes = body[out].str.replace(r"\d", "9", regex=True)
    dialled = shapes.str.contains(r"^\s*\+|[()]| ", regex=True) | shapes.isin(
        ["999-999-9999", "999.999.9999", "999/999-9999"]
    )
    grouped = body[out].str.contains(r"^\s*0\d+[\s.\-/]\d", regex=True)
    likely = (
        dialled.mean() >= 0.5
        or ((dialled | grouped).mean() >= 0.5 and shapes.nunique() > 1)
        or (shapes.nunique() > 3 and dialled.mean() >= 0.2)
    )
    return out if likely else np.zeros(len(w), dtype=bool)


def _loose_phone(w: pd.Series) -> np.ndarray:
    """Values that are plausible in a column named phone."""
    body = w.str.replace(r"\s*(x|ext\.?|poste)\s*\d{1,6}$", "", regex=True, flags=re.I)
    count = body.str.count(r"\d").to_numpy()
    return _matches(r"\+?[\d\s().\-/]{5,24}")(body) & (count >= 5) & (count <= 15)


@cache
def _known_names() -> tuple[frozenset[str], frozenset[str]]:
    """First and last names of many locales, in lower case without accents, from Faker's lists."""
    first, last = set[str](), set[str]()
    for locale in NAME_LOCALES:
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        for attribute in dir(provider):
            listed = getattr(provider, attribute)
            if "name" in attribute and "language" not in attribute and isinstance(listed, (list, tuple, dict)):
                into = first if "first" in attribute else last if "last" in attribute else None
                if into is not None:
                    into.update(words.plain(str(n[0] if isinstance(n, tuple) else n)).lower() for n in listed)
    return frozenset(first), frozenset(last)


def _among(w: pd.Series, known: frozenset[str]) -> np.ndarray:
    """Which strings are in a set; Series.isin would hash the whole set each time. (rows,) bool"""
    return np.fromiter((word in known for word in w), dtype=bool, count=len(w))


def _first_name(w: pd.Series) -> np.ndarray:
    known = _known_names()[0]
    two = _matches(r"[^\W\d]+[ -][^\W\d]+")(w)
    return _among(w, known) | (_among(w.str.split(r"[\s-]", n=1, regex=True).str[0], known) & two)


def _last_name(w: pd.Series) -> np.ndarray:
    known = _known_names()[1]
    tail = w.str.replace(r"^(van|von|de|der|den|del|della|di|da|do|dos|das|le|la|zu|ten|ter|el)\s+", "", regex=True)
    tail = tail.str.replace(r"^(der|den|la|de)\s+", "", regex=True)
    end = tail.str.split("[- ]", regex=True).str[-1]
    return (_among(w, known) | _among(tail, known) | _among(end, known)) & _matches(r"[^\W\d]+(['\- ]+[^\W\d]+){0,3}")(
        w
    )


def _full_name(w: pd.Series) -> np.ndarray:
    """Two or more words besides titles, most of them first or last names; also `Smith, Dr. Anna (Jones)`."""
    first, last = _known_names()
    w = w.str.replace(r"\s*[(\"].*?[)\"]", "", regex=True).str.replace(r"^([^,]+),\s*([^,]+)$", r"\2 \1", regex=True)
    pieces = w.str.replace(r"[.']", " ", regex=True).str.split(r"[\s\-]+", regex=True).explode()
    pieces = pieces[(pieces != "") & ~_among(pieces, _TITLES) & (pieces.str.len() > 1).to_numpy()]
    known = pd.Series(_among(pieces, first) | _among(pieces, last), index=pieces.index)
    table = known.groupby(level=0).agg(n="size", share="mean").reindex(w.index).fillna(0)
    plain = ~w.str.contains(r"\d", regex=True).to_numpy(dtype=bool) & ~w.str.contains(_COMPANY).to_numpy(dtype=bool)
    return (
        plain
        & (table["n"] >= 2).to_numpy(dtype=bool)
        & (table["n"] <= 6).to_numpy(dtype=bool)
        & (table["share"] >= 0.6).to_numpy(dtype=bool)
    )


_CAPITALISED = re.compile(
    r"[^\W\d_a-z][^\W\d_'’]+(?:[-'’][^\W\d_]+)?(?:\s[^\W\d_a-z]\.)?(?:\s[^\W\d_a-z][^\W\d_'’]+(?:[-'’][^\W\d_]+)?){1,2}"
)
_PLACE_WORDS = frozenset(
    listed(
        "north south east west new old lake port mount san santa saint st sint bad republic united island islands upper"
        " lower"
    )
)


def likely_names(w: pd.Series) -> float:
    """The share of distinct strings that are two or three capitalised words, if they combine like names of people; else
    0.

    One position holds known first names, or partly so, the other position words that seldom repeat. In contrast,
    streets end and titles begin with the same words.
    """
    shaped = w[w.str.fullmatch(_CAPITALISED)]
    if len(shaped) < 0.85 * len(w) or len(w) < 20 or w.str.contains(_COMPANY).mean() > 0.05:
        return 0.0
    pieces = pd.Series([words.plain(v).lower() for v in shaped]).str.split()
    first, last = pieces.str[0], pieces.str[-1]
    if _among(first, _PLACE_WORDS).mean() > 0.1:
        return 0.0
    given, family = (
        (first, last)
        if _among(first, _known_names()[0]).mean() >= _among(last, _known_names()[0]).mean()
        else (last, first)
    )
    varied = (
        family.nunique() >= 0.55 * len(family)
        and given.nunique() >= 0.2 * len(given)
        and family.value_counts(normalize=True).iloc[0] < 0.1
    )
    return len(shaped) / len(w) if varied and _among(given, _known_names()[0]).mean() >= 0.4 else 0.0


def likely_usernames(w: pd.Series) -> float:
    """The share of distinct strings that are one lower-case word with a known name at its start or end."""
    shaped = w[w.str.fullmatch(r"[a-z][a-z._-]{3,18}\d{0,4}")]
    if len(shaped) < 0.9 * len(w) or len(w) < 20:
        return 0.0
    first, last = _known_names()
    bare = shaped.str.replace(r"[\d._-]", "", regex=True)
    within = [
        any(part in first or part in last for i in range(min(4, len(b) - 3)) for part in (b[i:], b[: len(b) - i]))
        for b in bare
    ]
    return float(np.mean(within)) * len(shaped) / len(w)


def _street(w: pd.Series) -> np.ndarray:
    return (
        w.str.contains(_STREET).to_numpy(dtype=bool)
        & w.str.contains(r"\d", regex=True).to_numpy(dtype=bool)
        & (w.str.len() >= 6).to_numpy()
    )


def _address(w: pd.Series) -> np.ndarray:
    """A street or box and, after a comma or a new line, a place with a postcode."""
    place = r"[,\n].*(?:\d{5}|\d{4} ?[a-z]{2}\b|\d\d-\d{3}|\b[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}\b|\b\d{4} [a-z])"
    return _street(w) & w.str.contains(place, regex=True).to_numpy(dtype=bool)


SSN = _matches(r"(?!000|666)\d{3}-(?!00)\d{2}-(?!0000)\d{4}")
TESTS: dict[str, Test] = {
    "email": _matches(r"[^@\s,;]+@[^@\s,;]+\.[A-Za-z]{2,}"),
    "iban": _number(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", "iban"),
    "card": _number(r"\d{12,19}", "luhn"),
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "mac": _matches(r"([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}"),
    "ssn": SSN,
    "nino": _matches(r"[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-Z]"),
    "bsn": _number(r"\d{9}", "bsn"),
    "pesel": _number(r"\d{11}", "pesel"),
    "cpf": _number(r"\d{11}", "cpf"),
    "steuer_id": _number(r"[1-9]\d{10}", "steuer_id"),
    "nir": _number(r"[12378]\d{4}(\d\d|2[AB])\d{8}", "nir"),
    "dni": _number(r"[XYZ\d]\d{7}[A-Z]", "dni"),
    "codice_fiscale": _number(
        r"[A-Z]{6}[\dL-NP-V]{2}[A-EHLMPR-T][\dL-NP-V]{2}[A-Z][\dL-NP-V]{3}[A-Z]", "codice_fiscale"
    ),
    "phone": _phone,
    "url": _matches(r"(https?|ftp)://\S+", re.I),
    "uuid": _matches(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.I),
    "coordinates": _matches(r"\(?-?\d{1,2}\.\d{3,}\s*[,; ]\s*-?\d{1,3}\.\d{3,}\)?"),
    "postcode": _matches(
        r"[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|\d{4} ?[A-Z]{2}|\d{5}-\d{3}|\d{2}-\d{3}|[A-Z]\d[A-Z] ?\d[A-Z]\d"
    ),
}
WORDED: dict[str, Test] = {
    "first_name": _first_name,
    "last_name": _last_name,
    "name": _full_name,
    "street": _street,
    "address": _address,
}


def shares(values: pd.Series) -> dict[str, float]:
    """The share of distinct, non-null strings that pass each test; tests that none passes are left out."""
    found: dict[str, float] = {}
    values = values.str.strip().reset_index(drop=True)
    if not len(values):
        return found
    for kind, test in TESTS.items():
        found[kind] = float(test(values).mean())
    if found["phone"] == 0:
        found["loose_phone"] = float(_loose_phone(values).mean())
    if values.str.contains(r"[^\W\d_]", regex=True).mean() > 0.8:
        spelled = pd.Series([words.plain(v).lower() for v in values])
        for kind, test in WORDED.items():
            found[kind] = float(test(spelled).mean())
        found["likely_name"], found["likely_username"] = likely_names(values), likely_usernames(values)
    return {kind: share for kind, share in found.items() if share > 0}


def names_locale(values: pd.Series) -> dict[str, float]:
    """Locale -> share of the values (first, last or full names) in the name lists of that locale, which indicates the
    language.
    """
    few = values.dropna().drop_duplicates().iloc[:MOST].astype(str)
    pieces = few.str.split().explode().reset_index(drop=True)
    out = {}
    for locale in NAME_LOCALES:
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        listed = (
            getattr(provider, a)
            for a in dir(provider)
            if ("first_name" in a or "last_name" in a) and not a.startswith("_")
        )
        own = {
            str(n[0] if isinstance(n, tuple) else n)
            for names in listed
            if isinstance(names, (list, tuple, dict))
            for n in names
        }
        out[locale] = float(pieces.isin(own).mean()) if len(pieces) else 0.0
    return out
