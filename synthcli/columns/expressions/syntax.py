"""Parse the text of an expression into a tree of Nodes; columns/expressions/compile.py describes the language and
compiles the tree.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from synthcli.columns.expressions.functions import FUNCTIONS
from synthcli.columns.expressions.operands import COMPARE
from synthcli.errors import SpecError, did_you_mean

MAX_DEPTH = 100  # of brackets and of the tree: each level takes some stack frames

KEYWORDS = frozenset({"if", "else", "implies", "or", "and", "not", "in", "is", "null", "true", "false"})
_POWER = {"if": 1, "implies": 2, "or": 3, "and": 4, "in": 6, "is": 6, **dict.fromkeys(COMPARE, 6), "+": 7, "-": 7,
          "*": 8, "/": 8, "//": 8, "%": 8, "**": 10}  # fmt: skip
_NOT, _COMPARISON, _NEGATIVE = 5, 6, 9
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.]))"
    r"""|(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<quoted>`(?:[^`]|``)+`)|(?P<word>[^\W\d]\w*(?:\.[^\W\d]\w*)*)"""
    r"|(?P<symbol>\*\*|//|==|!=|<=|>=|[-+*/%<>()\[\],])",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}
_HINTS = {
    "=": "write == to compare",
    "&": "write and",
    "|": "write or",
    "!": "write not",
    "^": "write ** for a power",
    "'": "the quote is not closed",
    '"': "the quote is not closed",
    "`": "the backquote is not closed",
}


def column_names(node: Node) -> set[str]:
    """The columns that a tree refers to."""
    return {node.value} if node.op == "name" else set().union(*[column_names(a) for a in node.args])


def error_at(text: str, at: int, message: str) -> SpecError:
    """A SpecError that points at a position (from 0) of the expression."""
    line = re.sub(r"\s", " ", text)
    start = max(0, at - 100)
    shown = ("…" if start else "") + line[start : start + 200] + ("…" if len(line) > start + 200 else "")
    return SpecError(f"expression, column {at + 1}: {message}\n  {shown}\n  {' ' * (at - start + bool(start))}^")


# --- text to tokens


class Token(NamedTuple):
    """A piece of the text. kind: number, string, name, symbol (keywords too) or end; at: its position, from 0."""

    kind: str
    value: Any
    at: int


@dataclass(frozen=True)
class Node:
    """A node of the tree. value: of a literal, the name of a column or function, or (operator, position) for each link
    of a chain.
    """

    op: str  # literal, name, call, if, implies, or, and, not, in, is null, compare, arithmetic, negative
    at: int
    args: tuple[Node, ...] = ()
    value: Any = None


def tokenize(text: str) -> Iterator[Token]:
    """The tokens of an expression, the last of kind end. Raises SpecError at an invalid character."""
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            hint = _HINTS.get(text[at], "put a column with an unusual name in backquotes, such as `my column`")
            raise error_at(text, at, f"cannot read {text[at]!r}; {hint}")
        if found.lastgroup != "space":
            yield _token(text, str(found.lastgroup), found[0], at)
        at = found.end()
    yield Token("end", "", len(text))


def _token(text: str, group: str, word: str, at: int) -> Token:
    if group == "number":
        return Token("number", _number(text, word, at), at)
    if group == "string":
        return Token(
            "string",
            re.sub(r"\\(u[0-9a-fA-F]{4}|.)", lambda m: _unescape(text, m, at), word[1:-1], flags=re.DOTALL),
            at,
        )
    if group == "quoted":
        return Token("name", word[1:-1].replace("``", "`"), at)
    return Token("name" if group == "word" and word not in KEYWORDS else "symbol", word, at)


def _number(text: str, word: str, at: int) -> int | float:
    value = float(word)
    if math.isinf(value):
        raise error_at(text, at, f"the number {word[:20]} is too large")
    return int(word) if word.isdigit() and value < 2**63 and int(word) < 2**63 else value


def _unescape(text: str, found: re.Match[str], at: int) -> str:
    mark = found[1]
    if mark not in _ESCAPES and (
        len(mark) == 1 or 0xD800 <= int(mark[1:], 16) < 0xE000
    ):  # half a surrogate pair is not a character
        raise error_at(
            text, at + 1 + found.start(), f"unknown escape \\{mark}; expected \\\\ \\' \\\" \\n \\t \\r or \\u0041"
        )
    return _ESCAPES[mark] if mark in _ESCAPES else chr(int(mark[1:], 16))


# --- tokens to tree


class Parser:
    """A Pratt parser: the right side of an operator is everything that binds tighter than the operator."""

    def __init__(self, text: str) -> None:
        self.text, self.tokens, self.place, self.depth = text, list(tokenize(text)), 0, 0

    @property
    def token(self) -> Token:
        return self.tokens[self.place]

    def fail(self, message: str, at: int | None = None) -> NoReturn:
        raise error_at(self.text, self.token.at if at is None else at, message)

    def sees(self, *symbols: str) -> bool:
        return self.token.kind == "symbol" and self.token.value in symbols

    def next(self) -> Token:
        self.place += 1
        return self.tokens[self.place - 1]

    def expect(self, symbol: str) -> None:
        if not self.sees(symbol):
            self.fail(f"expected {symbol}, found {self.found()}{self.hint()}")
        self.place += 1

    def found(self) -> str:
        return "the end" if self.token.kind == "end" else repr(self.token.value)

    def hint(self) -> str:
        """A hint if a word stands in place of an operator, or after a misspelt one (nott x)."""
        if self.token.kind not in ("name", "number", "string"):
            return ""
        word = str(self.token.value)
        if word.lower() in KEYWORDS and word not in KEYWORDS:
            return f"; keywords are lower case: {word.lower()}"
        before = self.tokens[self.place - 1] if self.place else self.token
        near = did_you_mean(word, sorted(KEYWORDS)) if self.token.kind == "name" else ""
        if not near and before.kind == "name":
            near = did_you_mean(before.value, sorted(KEYWORDS))
        return f".{near}" if near else ""

    def whole(self) -> Node:
        tree = self.expression()
        if self.token.kind != "end":
            self.fail(f"expected an operator or the end, found {self.found()}{self.hint()}")
        return tree

    def expression(self, power: int = 0) -> Node:
        """Parse the expression that follows and binds tighter than `power`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"nested deeper than {MAX_DEPTH}; remedy: several shorter expressions")
        left = self.prefix()
        while (binds := self.power()) > power:
            left = self.infix(left, binds)
        self.depth -= 1
        return left

    def power(self) -> int:
        if self.sees("not"):
            return _COMPARISON if self.tokens[self.place + 1][:2] == ("symbol", "in") else 0
        return _POWER.get(self.token.value, 0) if self.token.kind == "symbol" else 0

    def prefix(self) -> Node:
        kind, value, at = self.token
        if kind == "end" or (kind == "symbol" and value not in ("(", "-", "not", "true", "false", "null")):
            self.fail(f"expected a value, a column or a bracket, found {self.found()}")
        self.place += 1
        if kind == "name":
            unquoted = self.text[at] != "`"
            return self.call(value, at) if self.sees("(") and unquoted else Node("name", at, value=value)
        if kind in ("number", "string"):
            return Node("literal", at, value=value)
        if value == "(":
            inner = self.expression()
            self.expect(")")
            return inner
        if value in ("-", "not"):
            return Node(
                "negative" if value == "-" else "not", at, (self.expression(_NEGATIVE if value == "-" else _NOT),)
            )
        return Node("literal", at, value={"true": True, "false": False, "null": None}[value])

    def call(self, name: str, at: int) -> Node:
        function = FUNCTIONS.get(name)
        if function is None:
            self.fail(f"unknown function {name}.{did_you_mean(name, FUNCTIONS)} Known: {', '.join(FUNCTIONS)}", at)
        self.expect("(")
        args = self.items(")")
        if not function.least <= len(args) <= function.most:
            self.fail(f"{name} takes {function.arity}, found {len(args)}", at)
        return Node("call", at, args, name)

    def items(self, end: str) -> tuple[Node, ...]:
        """Parse comma-separated expressions up to the closing bracket."""
        found = [self.expression()]
        while self.sees(","):
            self.place += 1
            found.append(self.expression())
        self.expect(end)
        return tuple(found)

    def infix(self, left: Node, power: int) -> Node:
        symbol, at = self.token.value, self.token.at
        if power == _COMPARISON:
            return self.comparison(left)
        if symbol == "if":
            self.place += 1
            condition = self.expression(power)
            self.expect("else")
            return Node("if", at, (left, condition, self.expression()))
        if symbol in ("implies", "**"):  # right-associative: a ** b ** c is a ** (b ** c)
            self.place += 1
            right = self.expression(power - 1)
            return (
                Node("implies", at, (left, right))
                if symbol == "implies"
                else Node("arithmetic", at, (left, right), (("**", at),))
            )
        args, links = [left], []
        while self.power() == power:
            links.append((self.token.value, self.next().at))
            args.append(self.expression(power))
        return Node(symbol if symbol in ("and", "or") else "arithmetic", at, tuple(args), tuple(links))

    def comparison(self, left: Node) -> Node:
        at = self.token.at
        if self.sees("is"):
            node = self.is_null(left)
        elif self.sees("in", "not"):
            negated = self.next().value == "not"
            self.place += negated
            if not self.sees("["):
                self.fail(f"expected [, found {self.found()}; the values to compare with stand in [ ], such as [1, 2]")
            self.place += 1
            options = self.items("]")
            self.refuse_null(options, at, "in")
            node = Node("in", at, (left, *options))
            node = Node("not", at, (node,)) if negated else node
        else:
            args, links = [left], []
            while self.sees(*COMPARE):
                links.append((self.token.value, self.next().at))
                args.append(self.expression(_COMPARISON))
                self.refuse_null(args[-2:], links[-1][1], links[-1][0])
            node = Node("compare", at, tuple(args), tuple(links))
        if self.power() == _COMPARISON:
            self.fail(
                f"cannot follow a comparison with {self.found()}; remedy: brackets around the comparison that comes"
                " first"
            )
        return node

    def is_null(self, left: Node) -> Node:
        at = self.next().at
        negated = self.sees("not")
        self.place += negated
        self.expect("null")
        node = Node("is null", at, (left,))
        return Node("not", at, (node,)) if negated else node

    def refuse_null(self, args: Sequence[Node], at: int, symbol: str) -> None:
        if any(a.op == "literal" and a.value is None for a in args):
            self.fail(f"null beside {symbol} is neither true nor false; remedy: is null, is not null", at)
