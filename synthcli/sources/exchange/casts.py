"""How PostgreSQL converts a staged column to the type of a table's column, and what that conversion would lose."""

from __future__ import annotations

from synthcli.sources.database import quoted
from synthcli.sources.exchange.standing import TargetColumn

_WHOLE = ("smallint", "integer", "bigint")
_FLOAT = ("real", "double precision")
_WORDS = ("text", "character varying", "bpchar")
_SHORT = ('"char"', "name")  # types that cut longer text without an error


def base(type_: str) -> str:
    """A type without its precision."""
    return type_.partition("(")[0] if type_.startswith("numeric") else type_


def value(given: str, name: str, to: str) -> str:
    """The expression that converts a staged column. given, to: the types without length and precision.

    Conversions go through text, which PostgreSQL parses strictly. Length and precision are left to the assignment, as
    a cast would cut what is too long.
    """
    cell = quoted(name)
    if given == to or (given == "text" and to in _WORDS):
        return cell
    if given in _WHOLE and to in (*_WHOLE, *_FLOAT, "numeric"):
        return cell
    if given == "boolean" and to in (*_WHOLE, *_FLOAT, "numeric"):
        return f"{cell}::integer"
    if given in (*_FLOAT, "numeric") and to in _WHOLE:
        return f"trim_scale({cell}::text::numeric)::text::{to}"
    if given in (*_WHOLE, *_FLOAT, "numeric") and to == "money":
        return f"{cell}::text::numeric::money"
    return f"{cell}::text" if to in _WORDS else f"{cell}::text::{to}"


def loss(given: str, name: str, column: TargetColumn) -> str | None:
    """The condition of a staged cell that the column would keep in part only: rounded or cut; None where that cannot
    be. Floats are approximate by themselves.
    """
    cell, converted = quoted(name), value(given, name, column.base)
    if column.base in _SHORT:
        return f"{cell}::text IS DISTINCT FROM ({converted})::text"
    if column.base == "boolean" and given in _WHOLE:  # takes 0 and 1 alone
        return None
    if given == "text" or column.base in _WORDS or (column.base in _FLOAT and given in (*_FLOAT, "numeric")):
        return None
    if converted == cell and column.limited in (column.base, given) and (given == column.base or given in _WHOLE):
        return None
    whole = f"({converted})::{column.limited}"
    if given == "boolean" and column.base in (*_WHOLE, *_FLOAT, "numeric"):
        back = f"{whole}::integer::boolean"
    else:
        back = f"{whole}::numeric::{given}" if column.base == "money" else f"{whole}::text::{given}"
    return f"{cell} IS DISTINCT FROM {back}"
