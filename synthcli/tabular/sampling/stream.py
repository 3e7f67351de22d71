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
from synthcli.contracts.modality import Choice, Engine
from synthcli.contracts.modelling import Model, Progress, Request
from synthcli.contracts.schema import Schema
from synthcli.packages import versions
from synthcli.tabular.sampling import workers
from synthcli.tabular.sampling.block import BlockGenerator, Tally
from synthcli.tabular.sampling.request import SettledRequest, achieved, gap_of
from synthcli.tabular.sampling.workers import Block, Task


class RowStream:
    """What is wanted, from a model that stands in a folder (None: in no folder, so that this process makes all). tally:
    of rows so far.
    """

    def __init__(
        self,
        model: Model,
        request: SettledRequest,
        schema: Schema,
        choice: Choice | None = None,
        folder: Path | None = None,
        engine: Engine | None = None,
    ) -> None:
        model.check(Request(request.rows))
        self.generator, self.request, self.engine, self.tally = (
            BlockGenerator(model, request, schema),
            request,
            engine or Engine(),
            Tally(),
        )
        described = json.dumps(schema.to_json())
        self.task = (
            None
            if folder is None or choice is None
            else Task(
                choice.method,
                str(folder.resolve()),
                json.dumps(request.to_json()),
                described,
                json.dumps(versions(choice)),
            )
        )

    def blocks(self, progress: Progress) -> Iterator[Block]:
        """Every block, as it comes out."""
        rows, watch = self.request.rows, Watch(self.request.rules)
        between = any(isinstance(rule, Unique) for rule in self.request.rules)  # a rule that looks at other blocks
        for block, made in enumerate(workers.blocks(self.engine, self.generator, self.task)):
            progress("rows", block * self.request.block_size, rows)
            self.tally.add(made.tally)
            yield (
                Block(made.schema, made.tally, table=self.generator.finish(block, made.frame(), watch, self.tally))
                if between
                else made
            )
        progress("rows", rows, rows)

    def tables(self, progress: Progress) -> Iterator[Table]:
        return (made.frame() for made in self.blocks(progress))

    def write(self, target: Path, format_: str, progress: Progress) -> Schema:
        """Stream all rows to a file, which appears under its name when it is whole; returns their schema."""
        stream = self.blocks(progress)
        first = next(stream)
        every = itertools.chain([first], stream)
        chunks: Iterator[Any] = (made.arrow() if format_ == "parquet" else made.frame().frame for made in every)
        sources.write(chunks, first.schema, target, format_)
        return first.schema

    def report(self) -> dict[str, Any]:
        """What was asked and what came out, for people and for the verdict."""
        request, tally = self.request, self.tally
        out = dict(request.report)
        if request.strata:
            out["balance"] = achieved(request, tally.strata)
        if "fairness" in out:
            out["fairness"] = out["fairness"] | {"gap_after": gap_of(request, tally.strata, out["fairness"]["target"])}
        return out | {"rows": request.rows, "made": tally.made, "drawn": tally.drawn}
