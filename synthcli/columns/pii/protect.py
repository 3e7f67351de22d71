"""Protect personal data that a spec does not declare: direct identifiers are generated, never learned; the rest is
reported.

A type in the spec overrides this: {type: category} learns the column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns import words
from synthcli.columns.codec.top_coding import unit_codes
from synthcli.columns.fake import generate as fake
from synthcli.columns.pii import detect, headers, names, rare_words
from synthcli.contracts.schema import Column, Schema, Traits

PATTERNS = {
    "coordinates": r"[1-7]\d\.\d{4}, [1-9]\d\.\d{4}",
    "steuer_id": r"[1-9]\d{10}",
}  # kinds without a Faker provider
NATIONAL_LOCALE = {
    "ssn": "en_US",
    "nino": "en_GB",
    "bsn": "nl_NL",
    "pesel": "pl_PL",
    "cpf": "pt_BR",
    "nir": "fr_FR",
    "dni": "es_ES",
    "codice_fiscale": "it_IT",
    "steuer_id": "de_DE",
}
_IBAN_LOCALE = {
    "DE": "de_DE",
    "AT": "de_AT",
    "FR": "fr_FR",
    "ES": "es_ES",
    "IT": "it_IT",
    "NL": "nl_NL",
    "PL": "pl_PL",
    "GB": "en_GB",
    "BR": "pt_BR",
    "PT": "pt_PT",
    "CH": "de_CH",
}
_INSISTS = frozenset(Traits.model_fields) - {
    "nulls",
    "unique",
    "locale",
}  # the spec decides about a column if it declares any of these
_LOCAL = frozenset(fake.KINDS) - {"date_of_birth", "uuid", "card", "ipv4", "ipv6", "mac", "url"}
_NAMES = headers.NAMES
_PERSON = frozenset(
    words.listed("""
    patient person user customer client member subject employee student household account participant respondent
    passenger driver kunde
    patienten mitarbeiter personen nutzer versicherter assure personne utilisateur salarie paciente cliente persona
    usuario empleado
    paziente utente dipendente klant patientnummer medewerker pacjent klient osoba pessoa
    """)
)
_KEYED = frozenset({"id", "nr", "no", "number", "key", "code", "num"})
KEY = "key of people"
KEYS = 10  # minimum distinct values of a key of people
WORDS = 20  # minimum distinct single words that look like names; fewer may be anything, such as makes of cars


@dataclass(frozen=True)
class Personal:
    """A column that holds, or may hold, personal data. made: whether its values are generated; declared: whether the
    spec declares its type; why: a phrase.
    """

    column: str
    kind: str
    sensitivity: detect.Sensitivity
    confidence: float
    why: str
    made: bool
    declared: bool

    def to_json(self) -> dict[str, Any]:
        return {**self.__dict__, "confidence": round(self.confidence, 2)}


def protect(schema: Schema, frame: pd.DataFrame, holder: str | None = None) -> tuple[Schema, pd.DataFrame]:
    """Change undeclared direct identifiers, and undeclared words that few privacy units share, to a generated kind;
    return the schema and the matching frame. holder: the column that stands for the privacy unit, by default the row.
    """
    guesses = {
        c.name: detect.detect(frame[c.name], c.name) for c in schema.columns if _open(c) and c.name != schema.unit
    }
    sure = {name: g for name, some in guesses.items() if (g := identifier(some, frame[name])) is not None}
    keys = [
        c.name
        for c in schema.columns
        if c.name in guesses and c.name not in sure and c.kind != "id" and keyed(c, frame[c.name]) is not None
    ]
    open_ = [name for name in guesses if name not in sure and name not in keys and schema[name].kind == "category"]
    units = None if holder is None or holder not in frame or not open_ else unit_codes(frame[holder])
    rare = {name for name in open_ if _rare(frame[name], None if name == holder else units)}
    if not sure and not keys and not rare:
        return schema, frame
    where, frame = locale(frame, guesses), frame.copy(deep=False)
    columns = []
    for column in schema.columns:
        if column.name in sure:
            column, frame[column.name] = _protected(column, frame[column.name], sure[column.name], where)
        elif column.name in keys:
            traits = {"pattern": column.inferred.pattern} if column.inferred.pattern else {}
            column = replace(column, inferred=Traits(type="id", **traits))
        elif column.name in rare:
            column = replace(column, inferred=Traits(**rare_traits(guesses[column.name], where)))
        columns.append(column)
    return replace(schema, columns=tuple(columns)), frame


def _rare(values: pd.Series, units: np.ndarray | None) -> bool:
    """Whether so many units hold a rare word of a category that it is not learned. units: (rows,) of each row."""
    seen = rare_words.look(values, units)
    return seen is not None and seen.made_up


def rare_traits(guesses: Sequence[detect.Guess], where: str) -> dict[str, Any]:
    """The traits of made-up words: of the kind that the guesses tell, else words of the same look."""
    known = next((g for g in guesses if g.confidence >= detect.SURE and made_kind(g) == g.kind), None)
    return {"type": "word"} if known is None else made_traits(known, where)


def found(schema: Schema, frame: pd.DataFrame) -> list[Personal]:
    """Find the columns that hold, or may hold, personal data: generated ones by kind, learned ones by detection."""
    out = []
    guesses, _ = detect.detect_all(frame)
    for column in schema.columns:
        is_made, told = column.kind not in frames.MODELLED, column.declared.type is not None
        if (
            not told
            and column.kind == "id"
            and column.name != schema.unit
            and (why := keyed(column, frame[column.name])) is not None
        ):
            out.append(Personal(column.name, KEY, "direct identifier", detect.FIRM, why, True, False))
            continue
        best = detect.surest(guesses[column.name])
        if best is not None and (best.sensitivity != "none" or (is_made and column.kind == best.kind)):
            out.append(
                Personal(column.name, best.kind, best.sensitivity, best.confidence, best.evidence, is_made, told)
            )
    return out


def notes(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Notes for the user: columns that are generated by default, and columns that are learned although they look
    personal.

    found: in the form of `Personal.to_json`.
    """
    direct = [p for p in found if p["sensitivity"] == "direct identifier" and not p["declared"]]
    made_up = [p for p in found if p["made"] and not p["declared"]]
    learned = [p for p in direct if not p["made"]]
    out = []
    if made_up:
        out.append(
            "Generated and not learned, because they look personal and the spec does not declare them:"
            f" {_listed(made_up)}. To learn one: columns: {{{made_up[0]['column']}: {{type: category}}}}."
        )
    if keys := [p for p in made_up if p["kind"] == KEY]:
        out.append(
            f"Several rows have the same {keys[0]['column']}. To protect people instead of rows: privacy_unit:"
            f" {keys[0]['column']}."
        )
    if learned:
        out.append(
            f"Learned, but possibly direct identifiers: {_listed(learned)}. If so: columns: {{{learned[0]['column']}:"
            f" {{type: {_type(learned[0]['kind'])}}}}}."
        )
    return out


def keyed(column: Column, values: pd.Series) -> str | None:
    """The reason to treat a column as a key of people with several rows each; None if it is not one."""
    said = set(words.tokens(column.name))
    if not said & _PERSON or column.kind not in ("id", "integer", "text", "category") or values.notna().mean() <= 0.9:
        return None
    distinct = int(values.nunique())
    least = (
        KEYS if column.kind == "id" or said & _KEYED else 3 * KEYS
    )  # a column "customer" may be a count of customers
    if (said & _KEYED or said <= _PERSON or column.kind == "id") and least <= distinct <= 0.9 * len(values):
        return f"its {distinct:,} values repeat over {len(values):,} rows, {len(values) / distinct:.1f} rows each"
    return None


def identifier(guesses: Sequence[detect.Guess], values: pd.Series) -> detect.Guess | None:
    """The guess of a direct identifier that is confident enough to generate the column by default."""
    known = values.dropna()
    distinct = int(known.nunique())
    return next(
        (
            g
            for g in guesses
            if g.sensitivity == "direct identifier" and g.confidence >= detect.SURE and _sure(g, distinct, len(known))
        ),
        None,
    )


def _sure(guess: detect.Guess, distinct: int, rows: int) -> bool:
    if guess.by == "name":
        return distinct >= 0.5 * rows or (
            distinct >= detect.LEAST and (guess.kind in _NAMES or distinct >= detect.SPREAD * rows)
        )
    return guess.by == "both" or (
        guess.confidence >= detect.FIRM and (guess.kind not in ("first_name", "last_name") or distinct >= WORDS)
    )


def _open(column: Column) -> bool:
    """Whether the spec leaves the treatment of the column open."""
    return (
        column.kind in ("category", "text", "id", "integer", "float")
        and not column.declared.model_fields_set & _INSISTS
    )


def _protected(column: Column, values: pd.Series, guess: detect.Guess, where: str) -> tuple[Column, pd.Series]:
    if values.dtype == frames.STRING:
        return replace(column, inferred=Traits(**made_traits(guess, where))), values
    if values.dtype == "float64":  # integers that became floats because of nulls
        values, column = values.astype("Int64"), replace(column, storage="int64")
    return replace(column, inferred=Traits(**digits(values))), values


def digits(values: pd.Series) -> dict[str, Any]:
    """Traits of integers with as many digits as the longest value."""
    count = len(str(int(values.abs().max())))
    return {"type": "id", "min": 10 ** (count - 1), "max": 10**count - 1}


def made_kind(guess: detect.Guess) -> str:
    """The generated kind that replaces the kind of a guess; text by default."""
    kind = "ssn" if guess.kind in detect.NATIONAL else guess.kind
    return "text" if guess.kind in PATTERNS or kind not in fake.KINDS else kind


def made_traits(guess: detect.Guess, where: str) -> dict[str, Any]:
    """Type, pattern and locale of the generated column. where: the locale of the table."""
    kind = made_kind(guess)
    traits: dict[str, Any] = {"type": kind}
    if guess.kind in PATTERNS:
        traits["pattern"] = PATTERNS[guess.kind]
    own = NATIONAL_LOCALE.get(guess.kind, where) if guess.checked else where
    if guess.kind == "ssn" and not guess.checked:
        own = "en_US" if guess.share else where
    if kind in _LOCAL and own != "en_US":
        traits["locale"] = own
    return traits


def locale(frame: pd.DataFrame, guesses: Mapping[str, Sequence[detect.Guess]]) -> str:
    """The locale that most numbers, IBANs and names of the table indicate; en_US by default."""
    votes: Counter[str] = Counter()
    for name, some in guesses.items():
        best = detect.surest(list(some))
        if best is None:
            continue
        if best.kind in NATIONAL_LOCALE and best.checked:
            votes[NATIONAL_LOCALE[best.kind]] += 3
        elif best.kind == "iban":
            country = frame[name].dropna().astype(str).str[:2].str.upper().mode()
            votes[_IBAN_LOCALE.get(str(country.iloc[0]), "en_US") if len(country) else "en_US"] += 2
        elif best.kind in _NAMES:
            shares = names.names_locale(frame[name])
            top = max(shares, key=lambda known: shares[known])
            votes[top] += 2 if shares[top] > 0.5 else 0
    return votes.most_common(1)[0][0] if votes else "en_US"


def _type(kind: str) -> str:
    return "ssn" if kind in detect.NATIONAL else kind if kind in fake.KINDS else "text"


def _listed(some: Sequence[Mapping[str, Any]]) -> str:
    shown = ", ".join(f"{p['column']} ({detect.spelled(p['kind'])})" for p in some[:6])
    return shown + (f" and {len(some) - 6} more" if len(some) > 6 else "")
