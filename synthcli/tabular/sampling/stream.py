"""Rows of a model on their way to a file: blocks made by whoever makes them, looked at in order, written one by one."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from synthcli import sources
from synthcli.columns.constraints.table_rules import Unique
from synthcli.columns.constraints.uniqueness import Watch
from synthcli.columns.table import Table
from synthcli.contracts.modelling import BLOCK, Model, Request
from synthcli.contracts.schema import Schema
from synthcli.packages import versions
from synthcli.pipeline.events import Events
from synthcli.tabular.sampling import workers
from synthcli.tabular.sampling.block import Maker, Tally
from synthcli.tabular.sampling.request import Wanted, achieved, gap_of
from synthcli.tabular.sampling.workers import Engine, Made, Task


class Making:
    """What is wanted, from a model that stands in a folder (None: in no folder, so that this process makes all). tally:
    of rows so far.
    """

    def __init__(
        self,
        model: Model,
        wanted: Wanted,
        schema: Schema,
        method: str = "",
        folder: Path | None = None,
        engine: Engine | None = None,
    ) -> None:
        model.check(Request(wanted.rows))
        self.maker, self.wanted, self.engine, self.tally = (
            Maker(model, wanted, schema),
            wanted,
            engine or Engine(),
            Tally(),
        )
        told = json.dumps(schema.to_json())
        self.task = (
            None
            if folder is None
            else Task(method, str(folder.resolve()), json.dumps(wanted.to_json()), told, json.dumps(versions(method)))
        )

    def blocks(self, events: Events) -> Iterator[Made]:
        """Every block, as it comes out."""
        rows, watch = self.wanted.rows, Watch(self.wanted.rules)
        between = any(isinstance(rule, Unique) for rule in self.wanted.rules)  # a rule that looks at other blocks
        for block, made in enumerate(workers.blocks(self.engine, self.maker, self.task)):
            events.progress("rows", block * BLOCK, rows)
            self.tally.add(made.tally)
            yield (
                Made(made.schema, made.tally, table=self.maker.finish(block, made.frame(), watch, self.tally))
                if between
                else made
            )
        events.progress("rows", rows, rows)

    def tables(self, events: Events) -> Iterator[Table]:
        return (made.frame() for made in self.blocks(events))

    def write(self, target: Path, format_: str, events: Events) -> Schema:
        """Stream all rows to a file, which appears under its name when it is whole; returns their schema."""
        stream = self.blocks(events)
        first = next(stream)
        every = itertools.chain([first], stream)
        chunks: Iterator[Any] = (made.arrow() if format_ == "parquet" else made.frame().frame for made in every)
        sources.write(chunks, first.schema, target, format_)
        return first.schema

    def report(self) -> dict[str, Any]:
        """What was asked and what came out, for people and for the verdict."""
        wanted, tally = self.wanted, self.tally
        out = dict(wanted.report)
        if wanted.cells:
            out["balance"] = achieved(wanted, tally.cells)
        if "fairness" in out:
            out["fairness"] = out["fairness"] | {"gap_after": gap_of(wanted, tally.cells, out["fairness"]["target"])}
        return out | {"rows": wanted.rows, "made": tally.made, "drawn": tally.drawn}
