"""What the names of columns and tables say about references: user_id names users, billing_address_id addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass

from synthcli.columns import words

KEY_WORDS = frozenset(
    words.listed(
        "id ids key keys pk fk sk uid uuid guid code no nr nro num number ref idx nummer numero kennung schluessel oid"
    )
)
_ENDINGS = ("uuid", "guid", "uid", "key", "id", "no", "nr", "num")  # written together: userid, custno
_TABLE_WORDS = frozenset(words.listed("tbl table tab dim fact fct stg raw src mst master t v data list export"))
_UPWARDS = frozenset(
    words.listed(
        "parent manager mgr supervisor boss superior superordinate reports head lead leader chief mother father dam"
        " sire predecessor previous prior prev original origin referrer referred reply mentor sponsor ancestor root"
        " upper eltern vorgesetzter padre parente chef"
    )
)
_IRREGULAR = {"people": "person", "persons": "person", "children": "child", "men": "man", "women": "woman"}
EXACT, ROLE, SHORT, NOTHING = 3, 2, 1, 0  # the strength of the evidence of a name
_SHORTEST = 3  # letters of an abbreviation


@dataclass(frozen=True)
class NameEvidence:
    """How well the name of a column fits a key. strength: EXACT, ROLE, SHORT or NOTHING; why: in words."""

    strength: int
    why: str = ""


def refers(column: str, table: str, key: str, *, own: bool = False) -> NameEvidence:
    """The evidence of the names that a column refers to the key of a table. own: whether it is a column of that
    table.
    """
    said, about, of_key = _stem(column), _table(table), _stem(key)
    joined, name = "".join(said), "".join(about)
    if own:
        upwards = bool(set(words.tokens(column)) & _UPWARDS)
        same = bool(of_key) and said != of_key and said[-len(of_key) :] == of_key
        if upwards or same:
            return NameEvidence(EXACT if upwards else ROLE, "its name points to another row of the same table")
        return NameEvidence(NOTHING)
    named = _names(said, joined, about, name, table)
    if named.strength == EXACT:
        return named
    if words.tokens(column) == words.tokens(key) and said and is_key(column):
        return NameEvidence(EXACT, "both columns have the same name")
    if named.strength:
        return named
    if of_key and len(said) > len(of_key) and said[-len(of_key) :] == of_key and is_key(column):
        return NameEvidence(ROLE, "its name ends as the key's does")
    if words.tokens(column) == words.tokens(key) and said:
        return NameEvidence(SHORT, "both columns have the same name")
    return NameEvidence(NOTHING)


def _names(said: tuple[str, ...], joined: str, about: tuple[str, ...], name: str, table: str) -> NameEvidence:
    """Whether the words of a column name a table."""
    if not said or not about:
        return NameEvidence(NOTHING)
    if said == about or joined == name:
        return NameEvidence(EXACT, f"its name is that of {table}")
    if len(said) > len(about) and (said[-len(about) :] == about or said[: len(about)] == about):
        return NameEvidence(ROLE, f"its name contains that of {table}")
    if len(about) > 1 and said == about[-len(said) :]:
        return NameEvidence(ROLE, f"its name is the end of that of {table}")
    if len(joined) >= _SHORTEST and joined[0] == name[0] and _within(joined, name):
        return NameEvidence(SHORT, f"its name shortens that of {table}")
    return NameEvidence(NOTHING)


def is_key(column: str) -> bool:
    """Whether a name says that a column holds keys: user_id, PatientNo, uuid."""
    said = words.tokens(column)
    return bool(set(said) & KEY_WORDS) or _joined(said[-1] if said else "") is not None


def names_own(column: str, table: str) -> bool:
    """Whether a column is named as the key of its own table: id, user_id in users."""
    said = _stem(column)
    return "".join(said) == "".join(_table(table)) or (is_key(column) and not said)


def _stem(column: str) -> tuple[str, ...]:
    """The words of a column without those that mean a key, in the singular."""
    said = list(words.tokens(column))
    while said and said[-1] in KEY_WORDS:
        said.pop()
    while said and said[0] in KEY_WORDS:
        said.pop(0)
    if said and len(said) == len(words.tokens(column)) and (short := _joined(said[-1])) is not None:
        said[-1] = short
    return tuple(map(_singular, said))


def _joined(word: str) -> str | None:
    """userid -> user; None for a word that does not end in a word for keys, or is too short."""
    ending = next((e for e in _ENDINGS if word.endswith(e) and len(word) - len(e) >= _SHORTEST), None)
    return None if ending is None else word[: -len(ending)]


def _table(table: str) -> tuple[str, ...]:
    """The words of a table's name that name its rows, in the singular."""
    said = [w for w in words.tokens(table) if not w.isdigit()]
    kept = [w for w in said if w not in _TABLE_WORDS] or said
    return tuple(map(_singular, kept))


def _singular(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if re.search(r"(ss|x|ch|sh|z)es$", word):
        return word[:-2]
    return word[:-1] if len(word) > 3 and re.search(r"[^su]s$", word) else word


def _within(short: str, name: str) -> bool:
    """Whether the letters of an abbreviation occur in a name in this order."""
    letters = iter(name)
    return all(letter in letters for letter in short)
