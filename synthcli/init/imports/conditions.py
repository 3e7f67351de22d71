"""Translate SQL conditions on a row, as in checks and tests, to expressions of a spec."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from synthcli.columns.constraints.rule import parse_constraint
from synthcli.columns.discovery.relation import quoted
from synthcli.columns.expressions import syntax
from synthcli.errors import SpecError

Token = tuple[str, str]

_STRING = r"'(?:[^']|'')*'"
_TOKEN = re.compile(
    rf"""(?P<string>{_STRING})|(?P<quoted>"(?:[^"]|"")+"|`[^`]+`|\[[^\]]+\])|(?P<word>[A-Za-z_][\w$.]*)"""
    r"""|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<sign><>|!=|<=|>=|=|<|>|[-+*/%(),])"""
)
_CAST = re.compile(
    rf"""(?P<string>{_STRING}|"(?:[^"]|"")+")|::\s*(?:character\s+varying|double\s+precision|timestamp\s+with(?:out)?\s+time\s+zone"""
    r"""|(?:"[^"]+"|[A-Za-z_]\w*)(?:\.(?:"[^"]+"|\w+))?)(?:\s*\(\s*\d+(?:\s*,\s*\d+)?\s*\))?(?:\s*\[\s*\])*""",
    re.IGNORECASE,
)
_LISTED = rf"\(\s*\(?\s*array\s*\[((?:{_STRING}|[^'\]])*)\]\s*\)?\s*\)"
_ANY, _ALL = re.compile(rf"=\s*any\s*{_LISTED}", re.IGNORECASE), re.compile(rf"<>\s*all\s*{_LISTED}", re.IGNORECASE)
_SAME = {"and", "or", "not", "in", "is", "null", "true", "false"}
_CALLS = {"length": "len", "char_length": "len", "character_length": "len"}


def plain(sql: str) -> str:
    """Remove casts, and turn PostgreSQL's `= ANY (ARRAY[...])` back into `IN (...)`."""
    bare = _CAST.sub(lambda m: m[0] if m["string"] else "", sql)
    return _ALL.sub(r" NOT IN (\1)", _ANY.sub(r" IN (\1)", bare))


def condition(sql: str) -> dict[str, str] | None:
    """Translate an SQL condition on a row to a constraint; None if it cannot be expressed."""
    sql, tokens, at = plain(sql), [], 0
    while at < len(sql):
        if sql[at].isspace():
            at += 1
            continue
        found = _TOKEN.match(sql, at)
        if not found:
            return None
        tokens.append((str(found.lastgroup), found[0]))
        at = found.end()
    text = _written(_betweens(_lists(tokens) or []) or [])
    try:
        parse_constraint(text)
    except SpecError:
        return None
    return {"expr": text}


def respelled(expr: str, spelled: Mapping[str, str]) -> str:
    """Replace the column names by those of the data. spelled: lower-case name -> name."""
    out, last = "", 0
    tokens = list(syntax.tokenize(expr))
    for token, after in pairwise(tokens):
        if token.kind == "name" and after.value != "(":  # else a function
            out += expr[last : token.at] + quoted(spelled.get(token.value.lower(), token.value)) + " "
            last = after.at
    return (out + expr[last:]).strip()


def _lists(tokens: Sequence[Token]) -> list[Token] | None:
    """Replace the parentheses of IN (...) by [...]. None if they hold a query."""
    out: list[Token] = []
    closing: list[bool] = []  # of the brackets that are open: whether they are those of a list
    for kind, word in tokens:
        if word == "(" and kind == "sign":
            closing.append(bool(out) and out[-1][1].lower() == "in")
            out.append(("sign", "[" if closing[-1] else "("))
        elif word == ")" and kind == "sign" and closing:
            out.append(("sign", "]" if closing.pop() else ")"))
        else:
            out.append((kind, word))
    return out


def _betweens(tokens: Sequence[Token]) -> list[Token] | None:
    """Replace `a BETWEEN low AND high` by `a >= low and a <= high`; None if an end is missing."""
    out = list(tokens)
    while (at := next((i for i, t in enumerate(out) if _is(t, "between")), None)) is not None:
        start = _edge(out, at, -1, {"and", "or", "not"} if not _is(out[at - 1], "not") else {"and", "or"})
        middle = _edge(out, at, 1, {"and", "or"})
        end = _edge(out, middle, 1, {"and", "or"})
        denied = _is(out[at - 1], "not")
        operand, low, high = out[start + 1 : at - denied], out[at + 1 : middle], out[middle + 1 : end]
        if not (operand and low and high and _is(out[middle], "and")):
            return None
        both: list[Token] = [*operand, ("sign", ">="), *low, ("word", "and"), *operand, ("sign", "<="), *high]
        if denied or (start >= 0 and _is(out[start], "not")):
            both = [*([("word", "not")] if denied else []), ("sign", "("), *both, ("sign", ")")]
        out[start + 1 : end] = both
    return out


def _edge(tokens: Sequence[Token], at: int, step: int, words: set[str]) -> int:
    """The next position in a direction with one of the words, or where the enclosing bracket opens or closes; one past
    the end where there is none.
    """
    depth = 0
    at += step
    while 0 <= at < len(tokens):
        opens, closes = tokens[at][1] in ("(", "["), tokens[at][1] in (")", "]")
        if tokens[at][0] == "sign" and (opens or closes):
            depth += step if opens else -step
            if depth < 0:
                return at
        elif depth == 0 and (tokens[at] == ("sign", ",") or any(_is(tokens[at], word) for word in words)):
            return at
        at += step
    return at


def _is(token: Token, word: str) -> bool:
    return token[0] == "word" and token[1].lower() == word


def _written(tokens: Sequence[Token]) -> str:
    out: list[str] = []
    for (kind, word), after in zip(tokens, [*tokens[1:], ("", "")]):
        low = word.lower()
        if kind == "string":
            out.append("'" + word[1:-1].replace("\\", "\\\\").replace("''", "\\'") + "'")
        elif kind == "quoted":
            out.append(quoted(word[1:-1].replace('""', '"')))
        elif kind == "word" and low in ("date", "timestamp") and after[0] == "string":
            continue  # date '2020-01-01'
        elif kind == "word" and low in _SAME:
            out.append(low)
        elif kind == "word":
            out.append(_CALLS.get(low, low) if after == ("sign", "(") else quoted(word.rpartition(".")[2]))
        else:
            out.append({"=": "==", "<>": "!="}.get(word, word))
    return " ".join(out)
