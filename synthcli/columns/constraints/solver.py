"""Satisfiability of formulas (columns/constraints/formulas.py): a search over the cases of each `or` that checks the
atoms of every case.

The check is sound but incomplete: formulas that it refutes are unsatisfiable; formulas that pass may still be. It
handles sets of values, bounds, sums by the bounds of their terms, and orders between two columns (a negative cycle of
differences has no solution).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from synthcli.columns.constraints.formulas import All, Formula, Linear, Member, Null, Opaque, Same, Some
from synthcli.columns.constraints.linear import Kind

CASES = 1000  # maximum cases; beyond, nothing is refuted
ROUNDS = 20  # rounds of bound propagation between columns
SLACK = Fraction(1, 10**9)  # relative tolerance for the rounding of floats

Atom = Linear | Member | Same | Null | Opaque
Bound = tuple[Fraction, bool]  # an end, and whether it is exclusive


class _GiveUp(Exception):
    """The search would need too many cases."""


def satisfiable(
    formulas: Sequence[Formula], kinds: Mapping[str, Kind], nullable: frozenset[str], *, lenient: bool
) -> bool:
    """False only if the formulas cannot all hold. lenient: a nullable column may be null, which satisfies its
    comparisons, unless a formula requires `is not null`; else it is null only if `is null` is chosen.
    """
    search = _Search(kinds, nullable, lenient)
    try:
        return search.run([], list(formulas))
    except _GiveUp:
        return True


@dataclass
class _Search:
    kinds: Mapping[str, Kind]
    nullable: frozenset[str]
    lenient: bool
    cases: int = 0

    def run(self, atoms: list[Atom], todo: list[Formula]) -> bool:
        atoms, branches = list(atoms), list[Some]()
        while todo:
            node = todo.pop()
            if isinstance(node, All):
                todo.extend(node.parts)
            elif isinstance(node, Some) and len(node.parts) == 1:
                todo.append(node.parts[0])
            elif isinstance(node, Some):
                branches.append(node)
            elif isinstance(node, Linear) and node.symbol == "!=" and node.exact:
                if not self.excused(node, atoms):
                    flipped = Linear(tuple((n, -c) for n, c in node.terms), "<", -node.constant)
                    branches.append(Some((Linear(node.terms, "<", node.constant), flipped)))
            else:
                atoms.append(node)
        self.cases += 1
        if self.cases > CASES:
            raise _GiveUp
        if any(not b.parts for b in branches) or not self.consistent(atoms):
            return False
        if not branches:
            return True
        first = min(branches, key=lambda b: len(b.parts))
        rest = [b for b in branches if b is not first]
        return any(self.run(atoms, [*rest, part]) for part in first.parts)

    def excused(self, atom: Atom, atoms: Sequence[Atom]) -> bool:
        """Whether a null may satisfy an atom."""
        said = {a.column: a.null for a in atoms if isinstance(a, Null)}
        return any(
            n in self.nullable and (said.get(n) is not False if self.lenient else said.get(n) is True)
            for n in _columns(atom)
        )

    def consistent(self, atoms: Sequence[Atom]) -> bool:
        said: dict[str, bool] = {}
        for atom in atoms:
            if not isinstance(atom, Null):
                continue
            if said.setdefault(atom.column, atom.null) != atom.null or (atom.null and atom.column not in self.nullable):
                return False
        return _Box(self.kinds).holds(
            [a for a in atoms if not isinstance(a, Null | Opaque) and not self.excused(a, atoms)]
        )


def _columns(atom: Atom) -> list[str]:
    if isinstance(atom, Linear):
        return [n for n, _ in atom.terms]
    if isinstance(atom, Same):
        return [atom.a, atom.b]
    return [] if isinstance(atom, Opaque) else [atom.column]


@dataclass
class _Box:
    """The remaining values of each column: a set of values, excluded values, and bounds."""

    kinds: Mapping[str, Kind]
    sets: dict[str, frozenset[Any]] = field(default_factory=dict)
    banned: dict[str, frozenset[Any]] = field(default_factory=dict)
    high: dict[tuple[str, int], Bound] = field(default_factory=dict)  # (column, sign) -> end of sign * column
    moved: bool = False

    def holds(self, atoms: Sequence[Atom]) -> bool:
        """False if the atoms cannot all be true."""
        sums, same = [], []
        for atom in atoms:
            if isinstance(atom, Member):
                self.member(atom)
            elif isinstance(atom, Same):
                same.append(atom)
                for name in (atom.a, atom.b):
                    if self.kinds[name].name == "boolean":
                        self.sets.setdefault(name, frozenset({True, False}))
            elif isinstance(atom, Linear):
                sums += _inequalities(atom)
        for _ in range(ROUNDS):
            self.moved = False
            for terms, bound in sums:
                self.tighten(terms, bound)
            self.settle(same)
            if self.empty():
                return False
            if not self.moved:
                break
        return _apart(same) and not self.cycle(sums)

    def member(self, atom: Member) -> None:
        name = atom.column
        if name in self.kinds and self.kinds[name].name == "boolean":
            self.sets.setdefault(name, frozenset({True, False}))
        if atom.within:
            self.sets[name] = self.sets.get(name, atom.values) & atom.values
        else:
            self.banned[name] = self.banned.get(name, frozenset()) | atom.values

    def end(self, name: str, sign: int, bound: Bound) -> None:
        """Require sign * column to be below a bound."""
        value, strict = bound
        if self.kinds[name].whole:
            value, strict = (Fraction(math.ceil(value) - 1) if strict else Fraction(math.floor(value))), False
        old = self.high.get((name, sign))
        if old is None or (value, not strict) < (old[0], not old[1]):
            self.high[name, sign] = value, strict
            self.moved = True

    def tighten(self, terms: Sequence[tuple[str, Fraction]], bound: Bound) -> None:
        """Derive the bound of each term of a sum from the bounds of the others."""
        lows = [self.high.get((n, -1 if c > 0 else 1)) for n, c in terms]  # of -|c| * x: the minimum of each term
        for i, (name, factor) in enumerate(terms):
            others = [(low, abs(c)) for j, (low, (_, c)) in enumerate(zip(lows, terms)) if j != i]
            if all(low is not None for low, _ in others):
                value = bound[0] + sum((low[0] * c for low, c in others if low is not None), Fraction(0))
                strict = bound[1] or any(low[1] for low, _ in others if low is not None)
                self.end(name, 1 if factor > 0 else -1, (value / abs(factor), strict))

    def settle(self, same: Sequence[Same]) -> None:
        """Remove excluded values and those out of bounds from sets; derive bounds from sets; equal columns share their
        sets.
        """
        for name, values in list(self.sets.items()):
            left = frozenset(v for v in values - self.banned.get(name, frozenset()) if self.inside(name, v))
            self.shrink(name, left)
            if left and self.kinds[name].name not in ("boolean", "string"):
                self.end(name, 1, (max(left), False))
                self.end(name, -1, (-min(left), False))
        for name, banned in self.banned.items():
            for sign in (1, -1):
                if (bound := self.high.get((name, sign))) is not None and not bound[1] and sign * bound[0] in banned:
                    self.end(name, sign, (bound[0], True))
        for atom in same:
            for a, b in ((atom.a, atom.b), (atom.b, atom.a)):
                if a in self.sets and atom.equal:
                    self.shrink(b, self.sets.get(b, self.sets[a]) & self.sets[a])
                elif a in self.sets and len(self.sets[a]) == 1:
                    self.banned[b] = self.banned.get(b, frozenset()) | self.sets[a]
                if atom.equal and a in self.banned and not self.banned[a] <= self.banned.get(b, frozenset()):
                    self.banned[b] = self.banned.get(b, frozenset()) | self.banned[a]
                    self.moved = True

    def shrink(self, name: str, values: frozenset[Any]) -> None:
        self.moved |= self.sets.get(name) != values
        self.sets[name] = values

    def inside(self, name: str, value: Any) -> bool:
        if isinstance(value, bool | str):
            return True
        if self.kinds[name].whole and value.denominator != 1:
            return False
        ends = ((sign, self.high.get((name, sign))) for sign in (1, -1))
        return all(e is None or sign * value < e[0] or (sign * value == e[0] and not e[1]) for sign, e in ends)

    def empty(self) -> bool:
        if any(not values for values in self.sets.values()):
            return True
        for (name, sign), (value, strict) in self.high.items():
            other = self.high.get((name, -1))
            if sign == 1 and other is not None and (value < -other[0] or (value == -other[0] and (strict or other[1]))):
                return True
        return False

    def cycle(self, sums: Sequence[tuple[Sequence[tuple[str, Fraction]], Bound]]) -> bool:
        """Whether the differences have a negative cycle (Bellman-Ford; "" stands for zero)."""
        edges: list[tuple[str, str, tuple[Fraction, int]]] = []
        for terms, (value, strict) in sums:
            if len(terms) == 2 and terms[0][1] == -terms[1][1]:
                (plus, factor), (minus, _) = terms if terms[0][1] > 0 else (terms[1], terms[0])
                limit = value / factor
                if self.kinds[plus].whole and self.kinds[minus].whole:
                    limit, strict = Fraction(math.ceil(limit) - 1 if strict else math.floor(limit)), False
                edges.append((minus, plus, (limit, -int(strict))))
        for (name, sign), (value, strict) in self.high.items():
            edges.append(("", name, (value, -int(strict))) if sign > 0 else (name, "", (value, -int(strict))))
        least = dict.fromkeys({n for u, v, _ in edges for n in (u, v)}, (Fraction(0), 0))
        for _ in range(len(least) + 1):
            changed = False
            for u, v, (weight, strict_) in edges:
                reached = least[u][0] + weight, least[u][1] + strict_
                if reached < least[v]:
                    least[v], changed = reached, True
            if not changed:
                return False
        return bool(edges)


def _inequalities(atom: Linear) -> list[tuple[tuple[tuple[str, Fraction], ...], Bound]]:
    """The inequalities terms < or <= bound of a comparison; inexact ones are loosened by SLACK, and their != implies
    nothing.
    """
    turned = tuple((n, -c) for n, c in atom.terms)
    slack = Fraction(0) if atom.exact else SLACK * (1 + abs(atom.constant))
    up = (atom.terms, (atom.constant + slack, atom.symbol == "<" and atom.exact))
    if atom.symbol == "==":
        return [up, (turned, (-atom.constant + slack, False))]
    return [] if atom.symbol == "!=" else [up]


def _apart(same: Sequence[Same]) -> bool:
    """Whether no two columns are both transitively equal and required to differ."""
    group: dict[str, str] = {}

    def root(name: str) -> str:
        while name in group:
            name = group[name]
        return name

    for atom in same:
        if atom.equal and root(atom.a) != root(atom.b):
            group[root(atom.a)] = root(atom.b)
    return all(atom.equal or root(atom.a) != root(atom.b) for atom in same)
