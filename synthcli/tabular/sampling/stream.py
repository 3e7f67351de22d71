"""Stream generated blocks to a file: collect them in order, enforce uniqueness across blocks, write one by one."""

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
from synthcli.contracts.modality import Choice, Csv, Engine
from synthcli.contracts.modelling import Model, Progress, Request
from synthcli.contracts.schema import Schema
from synthcli.packages import versions
from synthcli.tabular.sampling import workers
from synthcli.tabular.sampling.block import BlockGenerator, Tally
from synthcli.tabular.sampling.request import SettledRequest, achieved, gap_of
from synthcli.tabular.sampling.workers import Block, Task


class RowStream:
    """The rows of a request. folder: of the saved model, None to generate in this process only; tally: counts of the
    rows so far.
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
        self.generator, self.request = BlockGenerator(model, request, schema), request
        self.engine, self.tally = engine or Engine(), Tally()
        self.task: Task | None = None
        if folder is not None and choice is not None:
            self.task = Task(
                choice.method,
                choice.modality,
                str(folder.resolve()),
                json.dumps(request.to_json()),
                json.dumps(schema.to_json()),
                json.dumps(versions(choice)),
            )

    def blocks(self, progress: Progress) -> Iterator[Block]:
        """Yield the final blocks in order."""
        rows, watch = self.request.rows, Watch(self.request.rules)
        across_blocks = any(isinstance(rule, Unique) for rule in self.request.rules)
        for number, block in enumerate(workers.blocks(self.engine, self.generator, self.task)):
            progress("rows", number * self.request.block_size, rows)
            self.tally.add(block.tally)
            if across_blocks:
                table = self.generator.finish(number, block.frame(), watch, self.tally)
                block = Block(block.schema, block.tally, table=table)
            yield block
        progress("rows", rows, rows)

    def tables(self, progress: Progress) -> Iterator[Table]:
        return (block.frame() for block in self.blocks(progress))

    def store(self, target: Path, progress: Progress) -> Schema:
        """Stream all rows to a Parquet file of the run; return their schema."""
        stream = self.blocks(progress)
        first = next(stream)
        chunks: Iterator[Any] = (b.arrow() for b in itertools.chain([first], stream))
        sources.write(chunks, first.schema, target, "parquet", spelled=False)
        return first.schema

    def write(self, target: Path, format_: str, progress: Progress, csv: Csv | None = None) -> Schema:
        """Stream all rows to a file, spelled as in the source and renamed into place once complete; return their
        schema. csv: the dialect.
        """
        stream = self.blocks(progress)
        first = next(stream)
        blocks = itertools.chain([first], stream)
        arrow = format_ == "parquet" and not any(c.spelling is not None for c in first.schema.columns)
        chunks: Iterator[Any] = (b.arrow() if arrow else b.frame().frame for b in blocks)
        sources.write(chunks, first.schema, target, format_, csv=csv)
        return first.schema

    def report(self) -> dict[str, Any]:
        """Requested and achieved figures, for the report and the verdict."""
        request, tally = self.request, self.tally
        out = dict(request.report)
        if request.strata:
            out["balance"] = achieved(request, tally.strata)
        if "fairness" in out:
            out["fairness"] = out["fairness"] | {"gap_after": gap_of(request, tally.strata, out["fairness"]["target"])}
        return out | {"rows": request.rows, "made": tally.generated, "drawn": tally.drawn}
