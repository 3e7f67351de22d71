"""Detect personal data in a column by its name and content: the kind, the confidence and the evidence.

Valid check digits or a strict format suffice without the name. If the name indicates a kind that has a format, the
content must match it. docs/pii.md reports how often the guesses are right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from synthcli.columns import words
from synthcli.columns.pii import headers as pii_headers
from synthcli.columns.pii import names, person_headers
from synthcli.columns.pii import subjects as pii_subjects
from synthcli.columns.pii import values as pii_values

Sensitivity = Literal["direct identifier", "quasi-identifier", "special category", "none"]
LOOKED_AT = names.MOST
LEAST = 8  # minimum distinct values for content alone to be evidence
FEW = 3  # minimum distinct values for an unmistakable format to be evidence
SURE = 0.5  # minimum confidence of a guess
DOUBT = 0.4  # factor for a guess about people if the rows do not seem to be people
LIKELY, HINT = 0.55, 0.4  # confidence in names that no list contains, and in mere hints
SPREAD = 0.2  # minimum distinct values, as a share of rows, for the name alone to indicate an identifier
THINGS = 0.5  # share of values that also name places, plants or brands from which they are no names of people
FIRM = 0.7  # minimum confidence of content alone to act on it by default

_QUASI = frozenset(
    {
        "date_of_birth",
        "birth_year",
        "age",
        "sex",
        "postcode",
        "city",
        "state",
        "country",
        "nationality",
        "marital_status",
        "job",
        "education",
        "income",
        "latitude",
        "longitude",
        "coordinates",
    }
)
_NONE = frozenset({"url", "uuid", "company"})
_SPECIAL = frozenset(
    {"health", "religion", "ethnicity", "politics", "union", "sexual_orientation", "genetic", "biometric"}
)
NATIONAL = frozenset({"ssn", "nino", "bsn", "pesel", "cpf", "steuer_id", "nir", "dni", "codice_fiscale"})
# kind: (share of values that content alone needs, resulting confidence). Other kinds need a name
_ALONE = {
    "email": (0.8, 0.97),
    "iban": (0.8, 0.99),
    "card": (0.85, 0.97),
    "ipv4": (0.9, 0.95),
    "ipv6": (0.8, 0.97),
    "mac": (0.9, 0.97),
    "ssn": (0.9, 0.85),
    "nino": (0.9, 0.9),
    "bsn": (0.9, 0.93),
    "pesel": (0.9, 0.96),
    "cpf": (0.9, 0.96),
    "steuer_id": (0.9, 0.95),
    "nir": (0.9, 0.97),
    "dni": (0.9, 0.97),
    "codice_fiscale": (0.9, 0.98),
    "phone": (0.85, 0.75),
    "url": (0.8, 0.97),
    "uuid": (0.9, 0.97),
    "coordinates": (0.9, 0.8),
    "first_name": (0.75, 0.75),
    "last_name": (0.7, 0.7),
    "name": (0.6, 0.8),
    "street": (0.6, 0.75),
    "address": (0.6, 0.8),
    "postcode": (0.95, 0.6),
}
# kinds with a format, if named: the tests of which one must pass, and the minimum share of values
_FORMATTED = {
    "email": (("email",), 0.5),
    "phone": (("phone", "loose_phone"), 0.5),
    "iban": (("iban",), 0.5),
    "card": (("card",), 0.5),
    "ipv4": (("ipv4", "ipv6"), 0.5),
    "mac": (("mac",), 0.5),
    "ssn": (tuple(sorted(NATIONAL)), 0.5),
}
_LISTED = {"name": 0.2, "first_name": 0.1, "last_name": 0.1}  # if named: the minimum share of listed names
_STRICTEST = (
    "iban",
    "codice_fiscale",
    "nir",
    "dni",
    "cpf",
    "pesel",
    "steuer_id",
    "card",
    "bsn",
    "email",
    "mac",
    "ipv6",
    "ipv4",
    "uuid",
    "url",
    "nino",
    "ssn",
    "coordinates",
    "address",
    "street",
    "name",
    "first_name",
    "last_name",
    "phone",
    "postcode",
)
_WORDS_ONLY = frozenset(
    {
        "email",
        "name",
        "first_name",
        "last_name",
        "username",
        "address",
        "street",
        "city",
        "country",
        "ipv4",
        "mac",
        "company",
        "state",
        "coordinates",
        "iban",
        "license_plate",
    }
)
_UNMISTAKABLE = frozenset({"email", "iban", "codice_fiscale", "nir", "dni", "mac", "ipv6"})
_CHECKED = " with valid check digits"
_CODED = frozenset({"sex", "education", "marital_status", "job", "nationality"})  # numbers in many surveys
_YES_OR_NO = frozenset({"sex", "marital_status", "nationality"})
MOST_CODES = 600
_NUMBERS_ONLY = frozenset({"latitude", "longitude", "income", "birth_year"})


_VALUES = {
    "religion": "christian catholic protestant muslim islam jewish hindu hinduism buddhist sikh orthodox atheist "
    "agnostic evangelisch katholisch "
    "romisch-katholisch muslimisch judisch konfessionslos catolico musulman judio ateo cattolico musulmano "
    "ebraico catholique musulman juif athee "
    "christianity judaism buddhism",
    "ethnicity": "white black asian hispanic latino caucasian african-american african american mixed native "
    "american pacific islander "
    "asian-pac-islander amer-indian-eskimo",
    "politics": "democrat republican labour conservative liberal democrat green cdu csu spd fdp afd die linke "
    "grune pp psoe podemos",
    "sexual_orientation": "heterosexual homosexual bisexual gay lesbian straight queer asexual pansexual",
    "health": "a+ a- b+ b- ab+ ab- o+ o- 0+ 0-",
}


@dataclass(frozen=True)
class Guess:
    """The kind of personal data that a column may hold. confidence: 0 to 1; share: of the examined distinct values that
    pass the test of the kind, None without a test; checked: whether the test includes check digits; by: name, content
    or both; evidence: a phrase without values of the column.
    """

    kind: str
    confidence: float
    sensitivity: Sensitivity
    by: Literal["name", "content", "both"]
    evidence: str
    share: float | None = None
    checked: bool = False


def detect(values: pd.Series, name: str) -> list[Guess]:
    """Guesses about a column (of any dtype), the most confident first, with at most one special category."""
    known = values.dropna()
    if known.dtype.kind == "f" and ((known % 1 == 0) & (known.abs() < 2**53)).all():
        known = known.astype("Int64")  # integers that became floats because of nulls
    distinct = known.drop_duplicates()
    few = distinct.iloc[:: max(1, len(distinct) // LOOKED_AT)].iloc[:LOOKED_AT]
    untold = len(few) < FEW and pii_headers.called(name) is None  # too few for a meaningful share
    shares = (
        {}
        if untold or known.dtype.kind in "bfMm" or str(known.dtype) == "boolean"
        else pii_values.shares(few.astype(str).astype(object))
    )
    guesses = [
        guess
        for guess in (
            _by_name(name, known, few, shares),
            *_by_content(name, shares, len(few)),
            *_births(known),
            _special(name, known),
        )
        if guess
    ]
    best: dict[str, Guess] = {}
    for guess in sorted(guesses, key=lambda g: (-g.confidence, g.kind)):
        best.setdefault(guess.kind, guess)
    return list(best.values())


def detect_all(frame: pd.DataFrame) -> tuple[dict[str, list[Guess]], str | None]:
    """Guesses about each column of a table, and the reason why its rows do not seem to be people, None if they may be.

    If the rows are not people, guesses about attributes of people lose confidence; direct identifiers do not.
    """
    found = {str(name): detect(frame[name], str(name)) for name in frame.columns}
    why = pii_subjects.no_people(
        frame, {name: [g.kind for g in some if g.confidence >= SURE] for name, some in found.items()}
    )
    return {name: [g if why is None else _doubted(g) for g in some] for name, some in found.items()}, why


def _doubted(guess: Guess) -> Guess:
    if guess.sensitivity not in ("quasi-identifier", "special category"):
        return guess
    return replace(
        guess, confidence=guess.confidence * DOUBT, evidence=f"{guess.evidence}; but the rows do not seem to be people"
    )


def surest(guesses: list[Guess], *, least: float = SURE) -> Guess | None:
    """The most important guess that is confident enough: identifiers before others."""
    order = {"direct identifier": 0, "special category": 1, "quasi-identifier": 2, "none": 3}
    return min(
        (g for g in guesses if g.confidence >= least), key=lambda g: (order[g.sensitivity], -g.confidence), default=None
    )


def sensitivity(kind: str) -> Sensitivity:
    """How sensitive a kind is."""
    if kind in _SPECIAL:
        return "special category"
    return "quasi-identifier" if kind in _QUASI else "none" if kind in _NONE else "direct identifier"


def _by_name(name: str, known: pd.Series, few: pd.Series, shares: dict[str, float]) -> Guess | None:
    """The guess from the name, if type and content are consistent with it."""
    told = pii_headers.called(name)
    if told is None or not _possible(told.kind, known):
        return None
    kind, confidence = told.kind, told.strength
    says = f"its name ({told.phrase})"
    if sensitivity(kind) == "direct identifier" and shares.get("states", 0.0) >= 0.5:
        return None  # yes and no are nobody's address
    if kind in pii_headers.NAMES and len(few):
        return _person_by_name(told, known, few, shares)
    if kind not in _FORMATTED or not len(few):
        if told.strength < SURE and kind not in ("state", "postcode", "city"):
            return None
        confidence = 0.6 if told.strength < SURE else confidence
        if sensitivity(kind) == "direct identifier" and not varied(known) and not _reads_as(kind, shares):
            confidence = HINT
        if kind in ("latitude", "longitude"):
            says += " and values within its range"
        return Guess(kind, confidence, sensitivity(kind), "name", says)
    tests, least = _FORMATTED[kind]
    test = max(tests, key=lambda t: shares.get(t, 0.0))
    share, checked = shares.get(test, 0.0), test in pii_values.CHECKED
    if told.strength < SURE and (kind != "email" or share < 0.6):
        return None  # the content must confirm a hint of the name
    if share >= least:
        found = test if test in NATIONAL or test == "ipv6" else kind
        says += f", and {share:.0%} of its distinct values read as {spelled(test)}"
        return Guess(
            found,
            min(0.99, 0.7 + 0.29 * share),
            sensitivity(found),
            "both",
            says + (_CHECKED if checked else ""),
            share,
            checked,
        )
    if (
        kind == "ssn"
        and told.phrase not in ("sin", "rg", "cf")
        and (few.astype(str).str.contains(r"\d{4}", regex=True)).mean() > 0.9
    ):
        return Guess(kind, 0.7, sensitivity(kind), "name", f"{says}; no known check digits match")
    if (
        kind in ("card", "iban")
        and few.astype(str).str.replace(r"[\s-]", "", regex=True).str.fullmatch(r"\w{8,34}").mean() > 0.9
    ):
        return Guess(
            kind,
            0.6,
            sensitivity(kind),
            "name",
            f"{says}; {share:.0%} of its distinct values have valid check digits",
            share,
            True,
        )
    return None


def _person_by_name(
    told: pii_headers.Named, known: pd.Series, few: pd.Series, shares: dict[str, float]
) -> Guess | None:
    """The guess of a name of a person from the column's name, if the values are listed names, or, where the name is
    telling, varied words that look like names.
    """
    listed = {kind: shares.get(kind, 0.0) for kind in (told.kind, "name", "first_name", "last_name")}
    test = max(listed, key=lambda kind: listed[kind])
    share, telling = listed[test], told.strength >= SURE
    says = f"its name ({told.phrase})"
    if share < 0.6 and shares.get("things", 0.0) >= THINGS:
        return None
    if share >= (_LISTED[told.kind] if telling else 0.6) and (telling or shares.get("things", 0.0) < THINGS):
        kind = _kind_of_name(told.kind, listed, few)
        says += f", and {share:.0%} of its distinct values read as {spelled(test)}"
        return Guess(kind, min(0.99, 0.7 + 0.29 * share), sensitivity(kind), "both", says, share)
    enough = few.nunique() >= LEAST or (few.nunique() >= FEW and varied(known))
    if telling and enough and names.look_like_names(few):
        return Guess(told.kind, 0.75, sensitivity(told.kind), "name", says)  # names in a language without a list
    return None


def _kind_of_name(told: str, listed: dict[str, float], few: pd.Series) -> str:
    """The kind of name that the values hold: host_name may hold first names."""
    if told != "name" or few.astype(str).str.contains(r"\w[\s,]+\w", regex=True).mean() > 0.5:
        return told
    alone = max(("first_name", "last_name"), key=lambda kind: listed[kind])
    return alone if listed[alone] >= 0.5 and listed["name"] < 0.3 else told


def _reads_as(kind: str, shares: dict[str, float]) -> bool:
    """Whether the values confirm an address or a street."""
    return kind in ("address", "street") and max(shares.get("street", 0.0), shares.get("address", 0.0)) >= 0.5


def varied(known: pd.Series) -> bool:
    """Whether a column has enough distinct values for its name alone to tell that it identifies people."""
    distinct = int(known.nunique())
    return distinct >= 0.5 * len(known) or (distinct >= LEAST and distinct >= SPREAD * len(known))


def _possible(kind: str, known: pd.Series) -> bool:
    """Whether a column of this dtype can hold the kind."""
    numeric = pd.api.types.is_numeric_dtype(known.dtype) and not pd.api.types.is_bool_dtype(known.dtype)
    dated = pd.api.types.is_datetime64_any_dtype(known.dtype)
    if pd.api.types.is_bool_dtype(known.dtype):
        return kind in _YES_OR_NO
    if kind == "sex":
        return 1 < known.nunique() <= 10 or len(known) < LEAST
    if kind == "date_of_birth":
        return (dated and _adult_dates(known)) or (not (dated or numeric) and _dates_in_words(known))
    if dated or pd.api.types.is_timedelta64_dtype(known.dtype):
        return False
    if kind in ("latitude", "longitude"):
        numbers = pd.to_numeric(known, errors="coerce")
        return bool(
            len(known)
            and numbers.notna().mean() > 0.95
            and numbers.abs().max() <= (90 if kind == "latitude" else 180)
            and (numbers % 1 != 0).any()
        )
    if kind in ("age", "birth_year"):
        numbers = pd.to_numeric(known.astype(str).str.extract(r"(\d+(?:\.\d+)?)")[0], errors="coerce")
        low, high = (0, 125) if kind == "age" else (1880, 2030)
        return bool(
            len(known)
            and numbers.notna().mean() > 0.9
            and numbers.quantile(0.01) >= low
            and numbers.quantile(0.99) <= high
        )
    if kind in _NUMBERS_ONLY:
        return numeric or known.nunique() <= 30  # income bands
    if numeric:
        whole = bool((known.astype(float) % 1 == 0).all())
        if kind in _CODED:  # years of schooling may include halves
            return (whole or kind == "education") and 1 < known.nunique() <= MOST_CODES
        return kind not in _WORDS_ONLY and whole and (kind == "postcode" or known.nunique() >= LEAST)
    return True


def _adult_dates(known: pd.Series) -> bool:
    """Whether dates may be dates of birth: between 1880 and 2100, and nearly all without a time."""
    years = known.dt.year
    return bool(
        len(years) == 0
        or (years.min() >= 1880 and years.max() <= 2100 and (known.dt.normalize() == known).mean() > 0.9)
    )


def _dates_in_words(known: pd.Series) -> bool:
    text = known.iloc[:LOOKED_AT].astype(str)
    return bool(len(text) and text.str.fullmatch(r"\d{1,4}[-./ ]\w{1,9}[-./ ]\d{2,4}.*|\d{8}").mean() > 0.8)


def _by_content(name: str, shares: dict[str, float], distinct: int) -> list[Guess]:
    """The guess from the content alone, by the strictest test that enough values pass."""
    told = pii_headers.called(name)
    for kind in _STRICTEST:
        if distinct < (FEW if kind in _UNMISTAKABLE else LEAST):
            continue
        least, confidence = _ALONE[kind]
        share = shares.get(kind, 0.0)
        if share < least or (kind == "first_name" and share < shares.get("last_name", 0.0)):
            continue
        if kind in (*pii_headers.NAMES, "phone", "postcode", "street") and _otherwise(name, told, kind):
            return []
        if kind in pii_headers.NAMES and shares.get("things", 0.0) >= THINGS:
            return []
        if kind == "first_name" and shares.get("likely_name", 0.0) > 0:
            return _likely(name, told, shares)
        checked = kind in pii_values.CHECKED
        says = f"{share:.0%} of its distinct values read as {spelled(kind)}{_CHECKED if checked else ''}"
        return [Guess(kind, confidence, sensitivity(kind), "content", says, share, checked)]
    return _likely(name, told, shares)


def _likely(name: str, told: pii_headers.Named | None, shares: dict[str, float]) -> list[Guess]:
    """Guess names of people that no list contains, or logins derived from names."""
    if (share := shares.get("handle", 0.0)) >= 0.8:
        says = f"{share:.0%} of its distinct values are handles, such as @name"
        return [Guess("username", FIRM, sensitivity("username"), "content", says, share)]
    if (told is not None and told.strength >= SURE) or _otherwise(name, told, "name"):
        return []
    if (share := shares.get("likely_name", 0.0)) > 0:
        says = (
            f"{share:.0%} of its distinct values are two or three capitalised words that combine like names of people"
        )
        return [Guess("name", LIKELY, sensitivity("name"), "content", says, share)]
    if (share := shares.get("likely_username", 0.0)) >= 0.5:
        says = f"{share:.0%} of its distinct values are one word with a person's name at its beginning or end"
        return [Guess("username", HINT, sensitivity("username"), "content", says, share)]
    return []


def _births(known: pd.Series) -> list[Guess]:
    """Guess dates of birth: dates without a time, unordered and spread over a lifetime."""
    if (
        not pd.api.types.is_datetime64_any_dtype(known.dtype)
        or known.nunique() < max(20, 0.3 * len(known))
        or not _adult_dates(known)
    ):
        return []
    years = known.dt.year
    if (
        known.is_monotonic_increasing
        or known.is_monotonic_decreasing
        or years.std() < 8
        or np.ptp(years) < 30
        or years.max() > 2030
    ):
        return []
    return [
        Guess(
            "date_of_birth",
            HINT,
            sensitivity("date_of_birth"),
            "content",
            "its dates are in no order and spread over a lifetime",
        )
    ]


def _otherwise(name: str, told: pii_headers.Named | None, kind: str) -> bool:
    """Whether the column's name explains values that look like a kind, such as cities named after people."""
    if (
        told is not None
        and told.strength >= SURE
        and told.kind in ("city", "country", "company", "job", "state", "nationality", "username")
    ):
        return True
    parts = words.tokens(name)
    if kind in pii_headers.NAMES:
        return person_headers.about_a_thing(parts)
    return bool(set(parts) & pii_headers.NO_PERSON)


def _special(name: str, known: pd.Series) -> Guess | None:
    told = pii_headers.special(name)
    if told is not None and len(known) and (told.strength >= SURE or known.nunique() == 2):
        told = told._replace(strength=max(told.strength, SURE))
        return Guess(told.kind, told.strength, "special category", "name", f"its name ({told.phrase}...)")
    return _special_content(known)


def _special_content(known: pd.Series) -> Guess | None:
    """Guess a special category, such as religion, from the category labels."""
    if known.dtype.kind in "bfMmi" or known.nunique() > 50 or known.nunique() < 3:
        return None
    seen = {words.plain(str(v)).lower().strip() for v in known.unique()}
    for kind, listed in _VALUES.items():
        if len(seen & set(listed.split())) >= max(2, 0.4 * len(seen)):
            return Guess(kind, 0.65, "special category", "content", f"its categories are words of {spelled(kind)}")
    return None


def spelled(kind: str) -> str:
    """The readable name of a kind."""
    shown = {
        "email": "e-mail addresses",
        "iban": "IBANs",
        "card": "card numbers",
        "ipv4": "IPv4 addresses",
        "ipv6": "IPv6 addresses",
        "mac": "MAC addresses",
        "ssn": "US social security numbers",
        "nino": "UK national insurance numbers",
        "bsn": "Dutch BSN",
        "pesel": "Polish PESEL",
        "cpf": "Brazilian CPF",
        "steuer_id": "German tax numbers",
        "nir": "French social security numbers",
        "dni": "Spanish DNI or NIE",
        "codice_fiscale": "Italian codice fiscale",
        "phone": "phone numbers",
        "loose_phone": "phone numbers",
        "first_name": "first names",
        "last_name": "last names",
        "name": "names of people",
        "street": "streets with a number",
        "address": "postal addresses",
        "url": "URLs",
        "uuid": "UUIDs",
        "postcode": "postcodes",
    }
    return shown.get(kind, kind.replace("_", " "))
