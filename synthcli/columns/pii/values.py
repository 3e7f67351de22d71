"""Test the values of a column: the share that are e-mails, phone numbers, IBANs, names of people, ..., with valid check
digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from synthcli.columns import words
from synthcli.columns.fake import checksums
from synthcli.columns.pii import names
from synthcli.columns.words import listed

Test = Callable[[pd.Series], np.ndarray]  # (rows,) strings to (rows,) bool
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
    "first_name": names.first_name,
    "last_name": names.last_name,
    "name": names.full_name,
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
        found["likely_name"], found["likely_username"] = names.likely_names(values), names.likely_usernames(values)
        found["things"], found["states"] = names.things(spelled), names.states(spelled)
    found["handle"] = float(values.str.fullmatch(r"@[\w.]{2,40}").mean())
    return {kind: share for kind, share in found.items() if share > 0}
