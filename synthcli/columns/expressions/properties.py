"""Properties of a table, each a single number: mean(cost), quantile(cost, 0.9), share(sex == 'f'), corr(age, cost).

    mean, median, std (x)      quantile (x, q)      share (condition)      corr (a, b)

x, a and b are numeric expressions, conditions are expressions (columns/expressions/compile.py); rows in which one of
them is null do not count. `where CONDITION` before the closing bracket selects the rows for which it is true: mean(cost
where age >= 80).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthcli.columns.expressions.compile import Expression, parse
from synthcli.columns.expressions.syntax import error_at, tokenize
from synthcli.errors import SpecError, did_you_mean

ARITY = {"mean": 1, "median": 1, "std": 1, "quantile": 2, "share": 1, "corr": 2}
_HEAD = re.compile(r"\s*([^\W\d]\w*)\s*\(")


@dataclass(frozen=True)
class Property:
    """A parsed property. args: its expressions; q: the level of a quantile; where: the condition that selects rows,
    None for all.
    """

    text: str
    name: str
    args: tuple[Expression, ...] = field(repr=False)
    q: float | None = None
    where: Expression | None = field(default=None, repr=False)

    @property
    def columns(self) -> frozenset[str]:
        return frozenset().union(*(e.columns for e in (*self.args, *([self.where] if self.where else []))))

    def check(self, kinds: Mapping[str, str]) -> None:
        """Raise SpecError for unknown columns, arguments that are not numbers, and invalid conditions. kinds: of the
        schema's columns (Column.kind).
        """
        wanted = "boolean" if self.name == "share" else "number"
        for expression, want in (*((a, wanted) for a in self.args), *([(self.where, "boolean")] if self.where else [])):
            found = expression.check(kinds)
            if found not in (want, "any"):
                remedy = (
                    "mean(x)"
                    if want == "boolean"
                    else "share(x)"
                    if found == "boolean"
                    else "an expression that is a number"
                )
                of = "where" if expression is self.where else self.name
                raise SpecError(f"{of} needs a {want}, found {expression.text} ({found}); remedy: {remedy}")

    def rows(self, frame: pd.DataFrame) -> np.ndarray:
        """Positions of the rows for which the condition is true and no argument is null. frame: canonical. (k,)"""
        keep = np.ones(len(frame), dtype=bool)
        if self.where is not None:
            keep &= self.where.evaluate(frame).fillna(False).to_numpy(dtype=bool)
        for column in self._evaluated(frame):
            keep &= ~np.isnan(column)
        return np.flatnonzero(keep)

    def values(self, frame: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
        """The arguments in these rows; a condition is 0 or 1. (rows, arguments) float64"""
        return np.column_stack(self._evaluated(frame))[rows]

    def _evaluated(self, frame: pd.DataFrame) -> list[np.ndarray]:
        columns = [a.evaluate(frame) for a in self.args]
        return [_floats(c) for c in columns]


def _floats(column: pd.Series) -> np.ndarray:
    """The column of an expression as floats; NaN for nulls and for strings that `check` could not rule out."""
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_numeric_dtype(column.dtype):
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return np.asarray(pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))


def parse_property(text: str) -> Property:
    """Parse a property. Raises SpecError that describes the error."""
    found = _HEAD.match(text)
    known = ", ".join(ARITY)
    if found is None:
        raise SpecError(
            f"{text!r} is not a property; expected NAME(…), such as mean(cost) or share(age > 80). Known: {known}"
        )
    name = found[1]
    if name not in ARITY:
        raise error_at(text, found.start(1), f"unknown property {name}.{did_you_mean(name, ARITY)} Known: {known}")
    inner, where = _pieces(text, found.end())
    q = None
    if len(inner) != ARITY[name]:
        need = {
            "quantile": "an expression and a share, such as quantile(x, 0.9)",
            "corr": "two expressions, such as corr(a, b)",
        }
        raise error_at(text, found.end(), f"{name} takes {need.get(name, 'one expression')}, found {len(inner)}")
    if name == "quantile":
        q, inner = _share(text, inner[1]), inner[:1]
    return Property(
        text.strip(), name, tuple(parse(piece) for piece in inner), q, None if where is None else parse(where)
    )


def _pieces(text: str, start: int) -> tuple[list[str], str | None]:
    """The texts between the commas of the outer bracket, and after its `where`."""
    depth, last, pieces, at_where = 0, start, [], None
    for token in tokenize(text):
        word = text[token.at : token.at + 1]
        if token.at < start and token.kind != "end":
            continue
        if token.kind == "end":
            raise error_at(text, len(text), "the bracket is not closed")
        if token.kind == "name" and token.value == "where" and word != "`" and depth == 0 and at_where is None:
            pieces.append(text[last : token.at])
            at_where = last = token.at + len("where")
        elif token.kind == "symbol" and token.value in ("(", "["):
            depth += 1
        elif token.kind == "symbol" and token.value == "," and depth == 0 and at_where is None:
            pieces.append(text[last : token.at])
            last = token.at + 1
        elif token.kind == "symbol" and token.value in (")", "]"):
            if depth == 0:
                if rest := text[token.at + 1 :].strip():
                    raise error_at(
                        text,
                        token.at + 1,
                        f"expected the end after the bracket, found {rest[:20]!r}; a property is one number",
                    )
                pieces.append(text[last : token.at])
                break
            depth -= 1
    trimmed = [p.strip() for p in pieces]
    if "" in trimmed:
        raise error_at(text, start, "an expression is missing between the brackets")
    return (trimmed, None) if at_where is None else (trimmed[:-1], trimmed[-1])


def _share(text: str, piece: str) -> float:
    try:
        q = float(piece)
    except ValueError:
        q = np.nan
    if not 0 <= q <= 1:
        raise SpecError(f"{text.strip()}: the quantile is {piece}; expected a number from 0 to 1")
    return q


def figures(name: str, q: float | None, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The property under each row of weights (of resamples); NaN where it is undefined. values: (n, arguments);
    weights: (b, n). (b,)
    """
    total = weights.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        if name in ("median", "quantile"):
            return _quantiles(values[:, 0], weights, 0.5 if q is None else q)
        centred = values - values.mean(axis=0)  # avoids cancellation in squares
        mean = weights @ centred / total[:, None]
        if name in ("mean", "share"):
            return np.asarray(mean[:, 0] + values[:, 0].mean())
        second = weights @ centred**2 / total[:, None] - mean**2
        if name == "std":
            return np.asarray(np.sqrt(np.maximum(second[:, 0], 0) * total / (total - 1)))
        product = weights @ (centred[:, 0] * centred[:, 1]) / total - mean[:, 0] * mean[:, 1]
        spread = np.sqrt(second[:, 0] * second[:, 1])
        size = np.abs(centred).max(axis=0).prod()
        return np.where(spread > 1e-12 * size, np.clip(product / spread, -1, 1), np.nan)


def _quantiles(x: np.ndarray, weights: np.ndarray, q: float) -> np.ndarray:
    """Linear quantiles under whole-number weights, as if each row occurred that many times (numpy's default)."""
    order = np.argsort(x, kind="stable")
    ranked, counts = x[order], np.cumsum(weights[:, order], axis=1)
    place = q * (counts[:, -1] - 1)
    low, high = np.floor(place), np.ceil(place)
    at = lambda c, k: ranked[min(int(np.searchsorted(c, k, side="right")), len(ranked) - 1)]  # noqa: E731
    ends = np.array([(at(c, a), at(c, b)) for c, a, b in zip(counts, low, high)])
    return np.asarray(ends[:, 0] + (place - low) * (ends[:, 1] - ends[:, 0]))
