"""A small expression language over the columns of a row: safe, vectorised, null-aware.

    A if C else B  <  A implies B  <  or  <  and  <  not  <  == != < <= > >= in, not in, is null  <  + -  <  * / // %  <
    -x  <  **

Expressions use Kleene logic. Arithmetic, comparisons and conditions with null are null, and so are non-finite numbers
(x / 0, log(-1)) and dates outside the years 1 to 9999. Integers stay exact within 64 bits and become floats beyond.
Times count in microseconds. A naive date combined with a zoned one takes its zone. The text is parsed to a tree of
Nodes and compiled to Terms with a kind (boolean, number, string, datetime, timedelta; null; any if unknown), which
evaluate to columns.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, NoReturn

import pandas as pd

from synthcli.columns.expressions.functions import FUNCTIONS, rounded
from synthcli.columns.expressions.operands import (
    DTYPES,
    RESULT,
    align,
    arithmetic,
    choose,
    compared,
    constant,
    fold,
    kind_of,
    load,
    negated,
)
from synthcli.columns.expressions.syntax import KEYWORDS, MAX_DEPTH, Node, Parser, error_at
from synthcli.errors import SpecError, did_you_mean

MAX_LENGTH = 4000
_KINDS = {
    "boolean": "boolean",
    "integer": "number",
    "float": "number",
    "datetime": "datetime",
    "timedelta": "timedelta",
    "category": "any",
    "id": "any",
    "date_of_birth": "any",
}
_REMEDY = {
    frozenset({"string"}): "concat(a, b) joins strings",
    frozenset({"number", "string"}): "quote strings, but not numbers; or declare the column's type",
    frozenset({"boolean", "string"}): "compare a boolean with true or false, a string with 'quoted words'",
    frozenset({"boolean", "number"}): "compare a boolean with true or false; (1 if x else 0) converts it to a number",
    frozenset({"datetime", "number"}): (
        "days(n), hours(n), minutes(n) convert a number to a duration; year(x), days_between(a, b) and"
        " years_between(a, b) dates to a number"
    ),
    frozenset({"datetime", "string"}): "date('2020-01-31'), or declare the column's type as datetime",
    frozenset(
        {"string", "timedelta"}
    ): "date('2020-01-31') converts a string to a date, days(n) a number to a duration",
    frozenset(
        {"number", "timedelta"}
    ): "days(n), hours(n), minutes(n) convert a number to a duration; x / days(1) a duration to a number",
}


# --- tree to terms


class Term(NamedTuple):
    """A typed expression: computes a column of the canonical dtype of its kind from a frame with a RangeIndex."""

    kind: str
    run: Callable[[pd.DataFrame], pd.Series]
    node: Node


class _Compiler:
    """Compiles nodes to Terms, given the kinds of the columns. Raises SpecError for incompatible kinds."""

    def __init__(self, text: str, kinds: Mapping[str, str]) -> None:
        self.text, self.kinds = text, kinds

    def term(self, node: Node) -> Term:
        build = {
            "literal": self.literal,
            "name": self.name,
            "call": self.call,
            "if": self.condition,
            "in": self.contained,
            "compare": self.compare,
            "is null": self.is_null,
            "arithmetic": self.arithmetic,
            "negative": self.negative,
        }
        return build.get(node.op, self.logic)(node)

    def terms(self, node: Node) -> list[Term]:
        return [self.term(a) for a in node.args]

    def literal(self, node: Node) -> Term:
        value = node.value
        if value is None:
            return self.null("null", node)
        kind = "boolean" if isinstance(value, bool) else "string" if isinstance(value, str) else "number"
        return Term(
            kind, lambda f: constant(value, "Float64" if isinstance(value, float) else DTYPES[kind], len(f)), node
        )

    def null(self, kind: str, node: Node) -> Term:
        return Term(kind, lambda f: constant(None, DTYPES[kind], len(f)), node)

    def date(self, node: Node) -> Term:
        """A string literal as a date."""
        try:
            stamp = pd.Timestamp(datetime.fromisoformat(node.value)).as_unit("us")
        except ValueError:
            raise error_at(
                self.text,
                node.at,
                f"{node.value!r} is not a date; remedy: write it like '2020-01-31' or '2020-01-31 23:59:00'",
            ) from None
        dtype = "datetime64[us]" if stamp.tz is None else pd.DatetimeTZDtype("us", stamp.tz)
        return Term("datetime", lambda f: constant(stamp, dtype, len(f)), node)

    def name(self, node: Node) -> Term:
        if node.value not in self.kinds:
            near = (
                did_you_mean(node.value, [*self.kinds, *KEYWORDS])
                or f" Known: {', '.join(map(str, list(self.kinds)[:12]))}"
            )
            raise error_at(self.text, node.at, f"unknown column {node.value}.{near} (values of words stand in quotes)")
        return Term(self.kinds[node.value], lambda f: load(f[node.value]), node)

    def need(self, term: Term, kinds: str, what: str) -> Term:
        """Check that the term is of one of the kinds ('number|timedelta'); a null or a date literal is converted."""
        wanted = kinds.split("|")
        if term.kind == "null":
            return self.null(wanted[0] if wanted[0] != "any" else "null", term.node)
        if wanted == ["datetime"] and is_word(term.node):
            return self.date(term.node)
        if term.kind != "any" and term.kind not in wanted and "any" not in wanted:
            remedy = _REMEDY.get(frozenset({wanted[0], term.kind}), "another column")
            remedy = "compare it with something, such as x > 0" if wanted == ["boolean"] else remedy
            raise error_at(
                self.text,
                term.node.at,
                f"{what} needs a {' or '.join(wanted)}, found {label(term)} ({term.kind}); remedy: {remedy}",
            )
        return term

    def same(
        self, terms: list[Term], places: Sequence[int], what: Sequence[str]
    ) -> tuple[str, Callable[[pd.DataFrame], list[pd.Series]]]:
        """The common kind of all terms, and a function that computes their columns with one dtype. places, what: of the
        link before each term except the first.
        """
        if any(t.kind == "datetime" for t in terms):
            terms = [self.date(t.node) if is_word(t.node) else t for t in terms]
        known = [(i, t) for i, t in enumerate(terms) if t.kind not in ("null", "any")]
        for i, other in known[1:]:
            if other.kind != known[0][1].kind:
                self.clash(known[0][1], other, what[i - 1], places[i - 1])
        kind = "any" if any(t.kind == "any" for t in terms) and not known else known[0][1].kind if known else "null"
        terms = [self.null(kind, t.node) if t.kind == "null" and kind != "any" else t for t in terms]
        return kind, lambda f: align([t.run(f) for t in terms])

    def clash(self, left: Term, right: Term, symbol: str, at: int) -> NoReturn:
        remedy = _REMEDY.get(frozenset({left.kind, right.kind}), "two values of the same kind")
        pair = f"{label(left)} ({left.kind}) and {label(right)} ({right.kind})"
        raise error_at(self.text, at, f"{symbol} does not work between {pair}; remedy: {remedy}")

    def condition(self, node: Node) -> Term:
        then, test, other = self.terms(node)
        test = self.need(test, "boolean", "if")
        kind, both = self.same([then, other], [node.at], ["if … else"])
        return Term(kind, lambda f: choose(test.run(f), *both(f)), node)

    def contained(self, node: Node) -> Term:
        terms = self.terms(node)
        _, columns = self.same(terms, [t.node.at for t in terms[1:]], ["in"] * len(terms))

        def run(frame: pd.DataFrame) -> pd.Series:
            item, *options = columns(frame)
            return fold(operator.or_, [compared("==", item, o) for o in options])

        return Term("boolean", run, node)

    def compare(self, node: Node) -> Term:
        symbols, places = zip(*node.value)
        terms = self.terms(node)
        kind, columns = self.same(terms, places, symbols)
        for symbol, at in node.value:
            if kind == "boolean" and symbol not in ("==", "!="):
                raise error_at(
                    self.text,
                    at,
                    f"{symbol} does not work between boolean and boolean; remedy: == true, == false, and, or",
                )

        def run(frame: pd.DataFrame) -> pd.Series:
            values = columns(frame)  # compile each once: nested chains must not double the work
            return fold(operator.and_, [compared(s, a, b) for s, a, b in zip(symbols, values, values[1:])])

        return Term("boolean", run, node)

    def is_null(self, node: Node) -> Term:
        (item,) = self.terms(node)
        return Term("boolean", lambda f: item.run(f).isna().astype("boolean"), node)

    def logic(self, node: Node) -> Term:
        terms = [self.need(t, "boolean", node.op) for t in self.terms(node)]
        if node.op == "not":
            return Term("boolean", lambda f: ~terms[0].run(f), node)
        if node.op == "implies":
            return Term("boolean", lambda f: ~terms[0].run(f) | terms[1].run(f), node)
        return Term(
            "boolean",
            lambda f: fold(operator.and_ if node.op == "and" else operator.or_, [t.run(f) for t in terms]),
            node,
        )

    def negative(self, node: Node) -> Term:
        item = self.need(self.term(node.args[0]), "number|timedelta", "-")
        return Term(item.kind, lambda f: negated(item.run(f)), node)

    def arithmetic(self, node: Node) -> Term:
        terms = self.terms(node)
        kind = terms[0].kind
        for i, (symbol, at) in enumerate(node.value, start=1):
            if symbol == "-" and kind == "datetime" and is_word(terms[i].node):
                terms[i] = self.date(terms[i].node)
            if symbol == "-" and terms[i].kind == "datetime" and i == 1 and is_word(terms[0].node):
                terms[0], kind = self.date(terms[0].node), "datetime"
            pair = {kind, terms[i].kind}
            if not pair & {"null", "any"} and (kind, symbol, terms[i].kind) not in RESULT:
                self.clash(terms[0]._replace(kind=kind, node=terms[0].node if i == 1 else node), terms[i], symbol, at)
            kind = "null" if "null" in pair else "any" if "any" in pair else RESULT[kind, symbol, terms[i].kind]
        if kind == "null":
            return self.null("null", node)
        symbols = [symbol for symbol, _ in node.value]

        def run(frame: pd.DataFrame) -> pd.Series:
            value = terms[0].run(frame)
            for symbol, term in zip(symbols, terms[1:]):
                value = arithmetic(symbol, value, term.run(frame))
            return value

        return Term(kind, run, node)

    def call(self, node: Node) -> Term:
        function, name = FUNCTIONS[node.value], node.value
        if name == "date" and is_word(node.args[0]):
            return self.date(node.args[0])
        if name == "round" and len(node.args) == 2:
            return self.round(node)
        terms = self.terms(node)
        if function.takes == "same":
            kind, columns = self.same(terms, [t.node.at for t in terms[1:]], [name] * len(terms))
            return Term(kind, lambda f: function.run(*columns(f)), node)
        terms = [self.need(t, function.kinds(i), name) for i, t in enumerate(terms)]
        kind = terms[0].kind if function.gives == "same" else function.gives
        return Term(kind, lambda f: function.run(*[t.run(f) for t in terms]), node)

    def round(self, node: Node) -> Term:
        """round(x, 2), whose last argument must be a literal."""
        last = node.args[-1]
        sign, last = (-1, last.args[0]) if last.op == "negative" else (1, last)
        if last.op != "literal" or type(last.value) is not int or last.value > 15:
            raise error_at(self.text, last.at, "round takes digits as a whole number from -15 to 15")
        digits, item = sign * last.value, self.need(self.term(node.args[0]), "number", "round")
        return Term("number", lambda f: rounded(item.run(f), digits), node)


def is_word(node: Node) -> bool:
    """Whether a node is a string literal."""
    return node.op == "literal" and isinstance(node.value, str)


def label(term: Term) -> str:
    """The name of a term in error messages."""
    node = term.node
    if node.op == "literal":
        return repr(node.value) if not isinstance(node.value, bool) else str(node.value).lower()
    return {"name": str(node.value), "call": f"{node.value}(…)"}.get(node.op, "an expression")


# --- public functions


@dataclass(frozen=True)
class Expression:
    """A parsed expression. columns: the names that it refers to."""

    text: str
    columns: frozenset[str]
    tree: Node = field(repr=False)

    def check(self, kinds: Mapping[str, str]) -> str:
        """The kind of the result: boolean, number, string, datetime, timedelta, null, or any if it depends on the data.

        kinds: of the schema's columns (Column.kind). Raises SpecError for unknown columns and for kinds that clash.
        """
        return (
            _Compiler(self.text, {name: _KINDS.get(kind, "string") for name, kind in kinds.items()})
            .term(self.tree)
            .kind
        )

    def evaluate(self, frame: pd.DataFrame) -> pd.Series:
        """The value in every row, on the frame's index: boolean, Int64, Float64, string, datetime64[us] or
        timedelta64[us].

        frame: canonical dtypes (columns/frame.py). Raises SpecError for unknown columns and for kinds that clash.
        """
        kinds = {str(name): kind_of(dtype) for name, dtype in frame.dtypes.items()}
        result = _Compiler(self.text, kinds).term(self.tree).run(frame)
        return result.set_axis(frame.index)

    def to_json(self) -> dict[str, Any]:
        """The parsed expression as plain JSON, which `from_json` reads back; its text may be empty."""
        return {"text": self.text, "columns": sorted(self.columns), "tree": _tree_to_json(self.tree)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Expression:
        return cls(data["text"], frozenset(data["columns"]), _tree_from_json(data["tree"]))


def _tree_to_json(node: Node) -> list[Any]:
    value = [list(link) for link in node.value] if isinstance(node.value, tuple) else node.value
    return [node.op, node.at, [_tree_to_json(a) for a in node.args], value]


def _tree_from_json(data: list[Any]) -> Node:
    op, at, args, value = data
    return Node(
        op, at, tuple(map(_tree_from_json, args)), tuple(map(tuple, value)) if isinstance(value, list) else value
    )


def parse(text: str) -> Expression:
    """Parse an expression. Raises SpecError that points at the unexpected part."""
    if len(text) > MAX_LENGTH:
        raise SpecError(
            f"expression {text[:40]}… has {len(text)} characters; expected at most {MAX_LENGTH}; remedy: several"
            " shorter expressions"
        )
    tree = Parser(text).whole()
    columns, open_nodes = set(), [(tree, 1)]
    while open_nodes:  # not recursive: this check bounds the recursion elsewhere
        node, depth = open_nodes.pop()
        if depth > MAX_DEPTH:
            raise error_at(text, node.at, f"nested deeper than {MAX_DEPTH}; remedy: several shorter expressions")
        if node.op == "name":
            columns.add(node.value)
        open_nodes += [(a, depth + 1) for a in node.args]
    return Expression(text, frozenset(columns), tree)
