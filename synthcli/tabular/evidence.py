"""What judges look at of one table: the synthetic rows beside the real ones that they should resemble."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from synthcli import seeds
from synthcli.artifacts import files
from synthcli.artifacts.store import DATA, SAMPLE, UNASKED, copy_file
from synthcli.columns import frame as frames
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Fairness, Usage
from synthcli.contracts.modelling import BLOCK, Request
from synthcli.contracts.schema import Schema
from synthcli.tabular.sampling.matched import matched
from synthcli.tabular.sampling.request import SettledRequest
from synthcli.tabular.source import Real
from synthcli.tabular.written import WrittenRows

JUDGED = 30 * BLOCK  # synthetic rows that metrics look at; larger tables are thinned by whole blocks


@dataclass(frozen=True)
class TableEvidence(Evidence):
    """attacked: what an attacker sees, who has all copies at once; None if there is one; single_rows: whether rows were
    chosen one by one, to meet a balance or fairness, so that privacy units lack some of theirs.
    """

    attacked: Table | None = None
    single_rows: bool = False


def evidence(real: Real, generated: Path, control: str, usage: Usage | None, request: Request) -> TableEvidence:
    """What judges look at. generated: the folder of the generate stage; control: validation or holdout.

    If conditions are requested, the real rows that meet them; if these are too few, what the model generates freely.
    """
    said, sample = real.described, files.read_json(generated / SAMPLE)
    schema, has, seed = Schema.from_json(sample["schema"]), real.described.has_data, real.described.seed
    parts: dict[str, Table | None] = {
        "train": real.train if has else None,
        "control": real.part(control),
        "baseline": real.baseline(rng=seeds.stream(seed, "baseline")) if has else None,
    }
    data, single_rows = generated / DATA, False
    if "wanted" in sample and has:
        settled = SettledRequest.from_json(sample["wanted"], schema)
        alike = {
            name: None if part is None else matched(part, settled, rng=seeds.stream(seed, "likened", name))
            for name, part in parts.items()
        }
        if all(alike[name] is not None for name, part in parts.items() if part is not None and name != "baseline"):
            parts, single_rows = alike | {"baseline": alike["baseline"] or parts["baseline"]}, bool(settled.strata)
        else:
            data = generated / UNASKED
    synthetic = Table(read_synthetic(data, schema), schema)
    return TableEvidence(
        schema=schema,
        synthetic=synthetic,
        train=parts["train"],
        control=parts["control"],
        baseline=parts["baseline"],
        target=said.target,
        constraints=real.constraints,
        usage=usage,
        preserve=said.preserve,
        fairness=_fairness(real, generated, schema, control, request),
        attacked=_all_copies(synthetic, generated, request.copies),
        written=_written(generated, schema, said.output, request.copies),
        single_rows=single_rows,
    )


def _written(generated: Path, schema: Schema, format_: str, copies: int) -> tuple[WrittenRows, ...]:
    """All copies as a reader of the output gets them."""
    paths = [generated / DATA] if copies == 1 else [generated / copy_file(i) for i in range(1, copies + 1)]
    return tuple(WrittenRows(path, schema, format_) for path in paths if path.exists())


def _fairness(real: Real, generated: Path, schema: Schema, control: str, request: Request) -> Fairness | None:
    """The real data as it is and all generated rows, by which a request of fairness is measured."""
    fair = request.fairness
    if fair is None:
        return None
    every, freely = (Table(read_synthetic(generated / name, schema), schema) for name in (DATA, UNASKED))
    train = real.train if real.described.has_data else None
    return Fairness(fair.target, fair.sensitive, every, train, real.part(control), freely)


def _all_copies(first: Table, generated: Path, copies: int) -> Table | None:
    """All copies together, at most as many rows as judges look at."""
    if copies == 1 or not (generated / copy_file(1)).exists():
        return None
    most = JUDGED // copies + 1
    others = [read_synthetic(generated / copy_file(i), first.schema) for i in range(2, copies + 1)]
    whole = pd.concat([first.frame.iloc[:most], *(other.iloc[:most] for other in others)], ignore_index=True)
    return Table(whole, first.schema)


def read_synthetic(data: Path, schema: Schema) -> pd.DataFrame:
    """The synthetic table, thinned by whole row groups if it is larger than JUDGED."""
    with pq.ParquetFile(data) as file:
        groups = range(file.num_row_groups)
        step = max(1, -(-file.metadata.num_rows // JUDGED))
        return frames.to_frame(file.read_row_groups(list(groups)[::step]), schema)
