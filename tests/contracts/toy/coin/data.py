"""Sequences of coin flips: the nouns of a modality that exists in the tests alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from synthcli import seeds, sources
from synthcli.artifacts import files
from synthcli.contracts.modality import Json, Support
from synthcli.contracts.modelling import Request
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.sources import Source

SCHEMA = Schema((Column("flips", Traits(type="text")),))
PARTS = {"train": 0.6, "validation": 0.2, "holdout": 0.2}


@dataclass(frozen=True)
class Described:
    """Where the flips are read from."""

    source: Source
    seed: int = 0
    unit: str | None = None


@dataclass(frozen=True)
class Sequences:
    """Sequences of H and T."""

    flips: tuple[str, ...]
    schema: Schema = SCHEMA

    def __len__(self) -> int:
        return len(self.flips)

    @property
    def heads(self) -> float:
        """The share of heads."""
        every = "".join(self.flips)
        return every.count("H") / max(1, len(every))


class Real:
    """The sequences of a source and their parts."""

    def __init__(self, described: Described) -> None:
        self.described = described

    @cached_property
    def every(self) -> tuple[str, ...]:
        return tuple(sources.read(self.described.source)["flips"].to_pylist())

    @property
    def source_rows(self) -> int:
        return len(self.every)

    @cached_property
    def parts(self) -> dict[str, Sequences]:
        order = seeds.stream(self.described.seed, "split").permutation(len(self.every))
        out, start = {}, 0
        for name, share in PARTS.items():
            end = start + round(share * len(order))
            out[name] = Sequences(tuple(self.every[i] for i in order[start:end]))
            start = end
        return out

    @property
    def train(self) -> Sequences:
        return self.parts["train"]

    def support(self, request: Request) -> list[Support]:
        return []

    def part(self, name: str) -> Sequences | None:
        return self.parts.get(name)


@dataclass(frozen=True)
class Fitted:
    """A bias and a length."""

    heads: float
    length: int
    rows: int
    merged: dict[str, int] = field(default_factory=dict)
    clipped: dict[str, int] = field(default_factory=dict)

    @property
    def details(self) -> Json:
        return {"rows": self.rows, "constraints": [], "schema": SCHEMA.to_json()}

    def save(self, folder: Path) -> None:
        files.write_json(folder / "coin.json", {"heads": self.heads, "length": self.length, "rows": self.rows})
