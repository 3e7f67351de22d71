"""Generate fake people: the name, e-mail and login of a row agree, although each column is generated independently.

The position of a row in the output and the key of the codec determine the person: a keyed bijection gives first name,
initial and last name, each combination once; the sex follows a column that tells it (columns/pii/sexes.py). Columns
whose names differ only by their content (customer_name, customer_email) show the same person; other columns
(agent_name) show others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from synthcli import seeds
from synthcli.columns import words
from synthcli.columns.fake.unique import mixed, permute, windowed

PROVIDERS = frozenset(
    {"name", "first_name", "last_name", "email", "user_name"}
)  # Faker providers that this module replaces
INITIALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DRAWS = 3_000  # names drawn from Faker, before duplicates are removed
LAST_FIRST = frozenset({"hu", "ja", "ko", "zh", "vi"})
_DOMAINS = np.array(["example.com", "example.net", "example.org"], dtype=object)  # reserved domains, RFC 2606
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_OF_A_KIND = frozenset(
    words.listed("""
    name names full fullname first last middle given family sur surname firstname lastname forename fname lname person
    personal email
    emails e mail mails address addr user username login nick nickname handle account contact primary main private work
    business home
    vorname nachname familienname benutzer benutzername anmeldename kennung adresse prenom nom famille courriel adel
    identifiant
    utilisateur nombre nombres apellido apellidos correo electronico usuario cognome nome posta elettronica utente
    voornaam achternaam
    naam gebruiker gebruikersnaam imie nazwisko poczta uzytkownik sobrenome apelido utilizador usuario completo complet
    vollstandiger the
    of de
    """)
)  # words of a column name that describe its content, not the person
SUBJECTS = frozenset(
    words.listed("""
    patient customer client user member person player employee student participant respondent passenger applicant
    kunde kunden patienten mitarbeiter versicherten assure personne paciente cliente persona paziente utente klant
    pacjent klient osoba pessoa host guest
    """)
)  # the people that the rows of a table are likely to be about
_ENDINGS = re.compile(r"(email|mail|username|vorname|nachname|name|naam|login)$")


@dataclass(frozen=True)
class Names:
    """Distinct names of a locale by sex (women, men), and their ASCII spellings for addresses. Each is a pair of
    (names,) object arrays.
    """

    first: tuple[np.ndarray, np.ndarray]
    last: tuple[np.ndarray, np.ndarray]
    first_ascii: tuple[np.ndarray, np.ndarray]
    last_ascii: tuple[np.ndarray, np.ndarray]
    last_first: bool

    @property
    def sizes(self) -> tuple[int, int]:
        """First and last names of either sex."""
        return min(map(len, self.first)), min(map(len, self.last))


def role(column: str) -> str:
    """The role in a column name, without the words for its content. customer_email: customer; email: empty."""
    left = (_ENDINGS.sub("", token) for token in words.tokens(column) if token not in _OF_A_KIND)
    return " ".join(token for token in left if token and token not in _OF_A_KIND)


def roles(columns: Iterable[str]) -> dict[str, str]:
    """Column of made-up people -> role. Columns that do not say whose they are (Vorname) show the only subject of the
    table that others name (Kundenname); with several subjects, a person of their own.
    """
    own = {column: role(column) for column in columns}
    subjects = {about for about in own.values() if about in SUBJECTS}
    if len(subjects) != 1:
        return own
    (subject,) = subjects
    return {column: about or subject for column, about in own.items()}


def capacity(locale: str) -> int:
    """The number of distinct people of either sex in a locale."""
    first, last = names(locale).sizes
    return first * last * len(INITIALS)


def make(
    provider: str,
    locale: str,
    about: str,
    positions: np.ndarray,
    key: int,
    *,
    unique: bool,
    sexes: np.ndarray | None = None,
) -> np.ndarray:
    """Generate names, e-mails or logins of the people at these positions. provider: one of PROVIDERS; about: a role;
    positions: (rows,) uint64; sexes: (rows,) 1 for a woman, 0 for a man, -1 for either. (rows,) object

    unique: names include the initial, e-mails and logins a number, so that none repeats.
    """
    own = seeds.key(key, "person", about)
    here = names(locale)
    woman, first, initial, last = _who(here, positions % np.uint64(capacity(locale)), own)
    if sexes is not None:
        woman = np.where(sexes < 0, woman, sexes == 1)
    pick = lambda pair, which: np.where(woman, _at(pair[0], which), _at(pair[1], which))  # noqa: E731
    if provider == "first_name":
        return pick(here.first, first)
    if provider == "last_name":
        return pick(here.last, last)
    if provider == "name":
        middle = np.array([f" {c}. " for c in INITIALS], dtype=object)[initial] if unique else " "
        given, family = pick(here.first, first), pick(here.last, last)
        return family + middle + given if here.last_first else given + middle + family
    number = windowed(positions, 1000, own).astype(str).astype(object) if unique else ""
    given, family = pick(here.first_ascii, first), pick(here.last_ascii, last)
    if provider == "user_name":
        return _initials(given) + family + number
    return (
        given + "." + family + number + "@" + _DOMAINS[(mixed(positions, own) % np.uint64(len(_DOMAINS))).astype(int)]
    )


def _who(here: Names, positions: np.ndarray, key: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Whether each person is a woman, and the indices of first name, initial and last name; every combination of the
    three occurs once, so that people stay distinct whatever sex they get. Each (rows,)
    """
    first, last = here.sizes
    rest = permute(positions, first * last * len(INITIALS), key).astype(np.int64)
    woman = mixed(positions, seeds.key(key, "sex")) % np.uint64(2) == 0
    return woman, rest % first, rest // first % len(INITIALS), rest // first // len(INITIALS)


def _at(pool: np.ndarray, which: np.ndarray) -> np.ndarray:
    return pool[which]


def _initials(given: np.ndarray) -> np.ndarray:
    known, codes = np.unique(given.astype(str), return_inverse=True)
    return np.array([word[:1] for word in known], dtype=object)[codes]


@lru_cache(maxsize=16)
def names(locale: str) -> Names:
    """The names of a Faker locale; the same for all keys, so that a saved model generates the same people again."""
    import faker

    fake = faker.Faker(locale)
    fake.seed_instance(seeds.key("people", locale))
    women, men = (_drawn(getattr(fake, f"first_name_{sex}")) for sex in ("female", "male"))
    women = women[~np.isin(women, men)]  # count a name without a known sex once
    if len(women) < len(men) // 4:  # the locale does not distinguish names by sex
        men, women = men[::2], men[1::2] if len(men) > 1 else men
    last = tuple(_drawn(getattr(fake, f"last_name_{sex}")) for sex in ("female", "male"))
    ascii_ = lambda pool: np.array([_ascii(name, locale) for name in pool], dtype=object)  # noqa: E731
    first = (_shuffled(women, locale), _shuffled(men, locale))
    last = (_shuffled(last[0], locale), _shuffled(last[1], locale))
    spelled = [(ascii_(pair[0]), ascii_(pair[1])) for pair in (first, last)]
    return Names(first, last, spelled[0], spelled[1], locale[:2] in LAST_FIRST)


def _drawn(draw: Any) -> np.ndarray:
    return np.array(sorted({str(draw()) for _ in range(DRAWS)}), dtype=object)


def _shuffled(pool: np.ndarray, locale: str) -> np.ndarray:
    """Shuffle the names in a fixed order: the end of the longer of two lists is not used, and should not be the end of
    the alphabet.
    """
    return pool[seeds.stream(0, "people", locale, len(pool)).permutation(len(pool))]


def _ascii(name: str, locale: str) -> str:
    from faker.decode import unidecode

    spelled = unidecode(name.translate(_UMLAUTS) if locale.startswith("de") else name)
    return re.sub(r"[^a-z]", "", spelled.lower()) or "x"
