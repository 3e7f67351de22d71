"""Columns that tell the sex of a row's person, by name and values, so that made-up names can agree with it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd

from synthcli.columns import words
from synthcli.columns.fake import persons
from synthcli.columns.pii import headers
from synthcli.columns.words import listed

UNKNOWN, MAN, WOMAN = -1, 0, 1
MOST = 50  # values of a column that tells the sex
_WOMEN = frozenset(
    listed("""
    f w v female woman girl weiblich frau fem femme femenino mujer femmina femminile donna vrouw vrouwelijk kobieta
    zenska feminino mulher femenina feminine feminin
    mrs ms miss madame mme mlle mademoiselle sra srta senora senorita signora sigra sig.ra pani mevr mevrouw dona
    """)
)
_MEN = frozenset(
    listed("""
    male man boy mannlich maennlich mann herr hr homme masculin masculino hombre varon maschio maschile uomo man
    mannelijk mezczyzna meska homem masculine
    mr monsieur sr senor signor sig pan dhr meneer senhor
    """)
)
_LETTERS = {  # letters of a code of two: the one for women, the one for men
    frozenset("fm"): ("f", "m"),
    frozenset("wm"): ("w", "m"),
    frozenset("vm"): ("v", "m"),
    frozenset("km"): ("k", "m"),
    frozenset("fh"): ("f", "h"),
    frozenset("mh"): ("m", "h"),  # mujer, hombre
    frozenset("m"): ("", "m"),
}
_OTHERS = frozenset(listed("d x u o n divers diverse other unknown unbekannt inconnu na none"))  # neither of the two
_ISO = {"1": MAN, "2": WOMAN}  # ISO/IEC 5218, which most surveys use
_SALUTATION = frozenset(
    listed("anrede salutation title titel civilite tratamiento titolo aanhef honorific prefix tratamento zwrot")
)
_HEADER = (
    frozenset(
        listed("""
    sex gender geschlecht sexe genre sexo genero sesso genere geslacht plec is female male femme mujer code cd type
    """)
    )
    | _SALUTATION
)


def meanings(name: str, values: Sequence[Hashable]) -> dict[Hashable, int]:
    """Value -> WOMAN, MAN or UNKNOWN, for a column that tells the sex by its name and values; empty for others."""
    parts = words.tokens(name)
    if not _may_tell(name):
        return {}
    spelled = {value: _spelled(value) for value in values}
    if set(spelled.values()) <= {"true", "false", "0", "1", "yes", "no"}:
        return _flag(parts, spelled)
    letters = frozenset(w for w in spelled.values() if len(w) == 1 and w.isalpha()) - _OTHERS
    woman, man = _LETTERS.get(letters, ("", ""))
    out = {value: _meaning(word, woman, man) for value, word in spelled.items()}
    if set(spelled.values()) - _OTHERS - {"0", "3", "9"} <= set(_ISO):
        out = {value: _ISO.get(word, UNKNOWN) for value, word in spelled.items()}
    return out if {WOMAN, MAN} & set(out.values()) else {}


def _spelled(value: Hashable) -> str:
    word = words.plain(str(value)).strip().lower().rstrip(".")
    return word.removesuffix(".0")


def _meaning(word: str, woman: str, man: str) -> int:
    if woman or man:
        return WOMAN if word in (woman, *_WOMEN - {man}) else MAN if word in (man, *_MEN) else UNKNOWN
    return WOMAN if word in _WOMEN else MAN if word in _MEN else UNKNOWN


def _flag(parts: Sequence[str], spelled: Mapping[Hashable, str]) -> dict[Hashable, int]:
    """The meanings of a flag such as is_female."""
    female = bool(set(parts) & {"female", "femme", "mujer", "isfemale"})
    if not female and not set(parts) & {"male", "hombre", "ismale"}:
        return {}
    yes, no = (WOMAN, MAN) if female else (MAN, WOMAN)
    return {value: yes if word in ("true", "1", "yes") else no for value, word in spelled.items()}


def companions(made: Mapping[str, str], telling: Sequence[str]) -> dict[str, str]:
    """Column of made-up names -> the column that tells the sex of its person. made: column -> role; telling: the
    columns that tell a sex.
    """
    by_role: dict[str, str] = {}
    for name in sorted(telling, key=lambda each: bool(set(words.tokens(each)) & _SALUTATION)):
        left = [part for part in words.tokens(name) if part not in _HEADER]
        by_role.setdefault(persons.role(" ".join(left)), name)
    alone = by_role.get("")
    subjects = {role for role in made.values() if role in persons.SUBJECTS or role == ""}
    out = {}
    for column, role in made.items():
        own = by_role.get(role)
        if own is None and (role in subjects or len(set(made.values())) == 1):
            own = alone
        if own is None and role == "" and len(by_role) == 1 and set(by_role) <= persons.SUBJECTS:
            own = next(iter(by_role.values()))
        if own is not None:
            out[column] = own
    return out


def of_people(
    made: Mapping[str, str], known: pd.DataFrame, meant: Mapping[str, Mapping[Hashable, int]]
) -> dict[str, np.ndarray]:
    """The sexes of the people in made-up columns. made: column -> role; known: other columns of the rows; meant:
    columns with the meanings of their categories. Other columns of `known` are understood by the values that they hold.
    """
    told: dict[str, np.ndarray] = {}
    for name in map(str, known.columns):
        if name in made or (name not in meant and not _may_tell(name)):
            continue
        if meaning := meant.get(name) or meanings(name, list(known[name].dropna().unique()[:MOST])):
            told[name] = of(known[name], meaning)
    return {column: told[telling] for column, telling in companions(made, list(told)).items()}


def _may_tell(name: str) -> bool:
    called = headers.called(name)
    return bool(set(words.tokens(name)) & _SALUTATION) or (called is not None and called.kind == "sex")


def of(values: pd.Series, meaning: Mapping[Hashable, int]) -> np.ndarray:
    """UNKNOWN, MAN or WOMAN for each row. (rows,) int8"""
    codes, known = pd.factorize(values)
    lookup = [meaning.get(v.item() if isinstance(v, np.generic) else v, UNKNOWN) for v in known]
    return np.array([*lookup, UNKNOWN], dtype=np.int8)[codes]
