"""Impute or complete the rows of a file with the model of an earlier run: unknown cells are drawn given known ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthcli import plugins, seeds, sources
from synthcli.artifacts import files
from synthcli.columns import frame as frames
from synthcli.columns import missing_codes
from synthcli.columns.as_written import as_written
from synthcli.columns.constraints.uniqueness import Watch
from synthcli.contracts.modality import Completion, Csv, Json, Origin
from synthcli.contracts.modelling import BLOCK, Allowed, Model, Progress, Request
from synthcli.contracts.schema import Schema
from synthcli.errors import FitError, SpecError
from synthcli.tabular.fitted import FittedTable
from synthcli.tabular.known_cells import DECIMAL, Known, read_known, written_again
from synthcli.tabular.most_likely import central
from synthcli.tabular.output import format_for

TRIES = 30  # attempts to complete a row that breaks a rule
DRAWS = 25  # completions of which the most likely one is chosen
LINES = 5  # maximum number of lines reported for a broken rule


def impute_rows(
    fitted: FittedTable, known: Path, target: Path, origin: Origin, *, how: Completion, seed: int, progress: Progress
) -> Json:
    """Write a file with its empty cells and missing columns drawn given the known cells. Returns {rows, output, sha256,
    filled, breaking, broken}.

    how.impute: imputed cells are never null, and only the columns of the file are written, in its order; otherwise
    nulls occur as in the source, and all columns are written. how.most_likely: see most_likely.central. Columns unknown
    to the model are passed through. filled: number of empty cells that were filled; breaking: number of rows that still
    break a rule because their known cells do; broken: {constraint, rows, lines} of each such rule, with the first LINES
    lines.
    """
    if fitted.model.whole_units:
        raise SpecError(
            f"{origin.name}: the rows of a unit depend on each other, and are not completed by this version; remedy: a"
            " run with modality: tabular, which learns each row by itself"
        )
    if not fitted.model.completes:
        able = " or ".join(reversed(plugins.able("tabular", "complete")))
        raise SpecError(f"{origin.name}: {fitted.choice.method} cannot complete rows; remedy: a run of {able}")
    format_ = format_for(target, origin)
    if target.resolve() == known.resolve():
        raise SpecError(f"--output {target} is the file to complete, which would be overwritten")
    given = read_known(known, fitted.schema, origin.csv.decimal or ".")
    given = replace(given, frame=given.frame.apply(_as_learned, model=fitted.model))
    if how.impute:
        given = replace(given, frame=missing_codes.without(given.frame, fitted.schema))
    by_name = {column.name: column for column in (*fitted.schema.columns, *given.columns)}
    names = given.order if how.impute else (*fitted.schema.names, *given.beside.columns)
    schema = Schema(tuple(by_name[name] for name in names))
    counts: dict[str, Any] = {"filled": 0, "breaking": 0, "broken": []}
    blocks = _blocks(fitted, given, schema, how, seed, counts, progress)
    dialect = _dialect(origin.csv, given.csv)
    chunks, written = written_again(blocks, given, schema, format_, dialect)
    sources.write(chunks, written, target, format_, csv=dialect)
    return {"rows": len(given.frame), "output": str(target), "sha256": files.sha256(target), **counts}


def _dialect(output: Csv, known: dict[str, str] | None) -> Csv:
    """The dialect of the file to complete, else that of the run's output."""
    return output if known is None else Csv(formulas=output.formulas).like(known)


def _blocks(
    fitted: FittedTable,
    given: Known,
    schema: Schema,
    how: Completion,
    seed: int,
    counts: dict[str, Any],
    progress: Progress,
) -> Iterator[pd.DataFrame]:
    watch = Watch([rule for rule in fitted.rules if rule.columns <= set(schema.names)])
    rows = len(given.frame)
    for block, start in enumerate(range(0, rows, BLOCK)):
        progress("rows", start, rows)
        part = given.frame.iloc[start : start + BLOCK].reset_index(drop=True)
        out = _completed(fitted, part, watch, how, start, seed, block)
        counts["filled"] += int((part.isna() & out[part.columns].notna()).to_numpy().sum())
        broken = watch.broken(out)
        counts["breaking"] += int(broken.any(axis=0).sum())
        _report_broken(counts["broken"], watch, broken, given.lines[start : start + BLOCK])
        watch.accept(out)
        beside = given.beside.iloc[start : start + BLOCK].reset_index(drop=True)
        yield pd.concat([out, beside], axis=1)[schema.names]
    progress("rows", rows, rows)


def _completed(
    fitted: FittedTable, part: pd.DataFrame, watch: Watch, how: Completion, start: int, seed: int, block: int
) -> pd.DataFrame:
    """Complete a block: by one draw, or by the most central one of DRAWS for each row."""
    one = _obeying(fitted.model, fitted.schema, part, watch, how.impute, start, seed, block)
    if not how.most_likely:
        return one
    others = [
        _obeying(fitted.model, fitted.schema, part, watch, how.impute, start, seeds.key(seed, "draw", i) % 2**63, block)
        for i in range(1, DRAWS)
    ]
    draws = [one, *(other.assign(**{name: one[name] for name in _made_up(fitted.model)}) for other in others)]
    chosen = central(draws, part.isna(), fitted.schema)
    rows = pd.concat(draws).iloc[chosen * len(part) + np.arange(len(part))].reset_index(drop=True)
    # rows of different draws may repeat what must be unique
    values = missing_codes.without(rows, fitted.schema) if how.impute else rows
    wrong = np.flatnonzero(_wrong(rows, values, part.notna(), watch, how.impute))
    return rows if not len(wrong) else pd.concat([rows.drop(index=wrong), one.iloc[wrong]]).sort_index()


def _made_up(model: Model) -> list[str]:
    """The columns that a model makes up instead of learning them."""
    return list(model.made_up(0, 0, rng=np.random.default_rng(0)) or {})


def _report_broken(report: list[dict[str, Any]], watch: Watch, broken: np.ndarray, lines: np.ndarray) -> None:
    """Add the rows of a block to the report of each broken rule. broken: (rules, rows) bool; lines: (rows,)"""
    for rule, rows in zip(watch.rules, broken):
        if not rows.any():
            continue
        entry = next((each for each in report if each["constraint"] == rule.text), None)
        if entry is None:
            report.append(entry := {"constraint": rule.text, "rows": 0, "lines": []})
        entry["rows"] += int(rows.sum())
        entry["lines"] += lines[rows][: LINES - len(entry["lines"])].tolist()


def _obeying(
    model: Model, schema: Schema, part: pd.DataFrame, watch: Watch, impute: bool, start: int, seed: int, block: int
) -> pd.DataFrame:
    """Complete a block, redrawing rows whose unknown cells break a rule or, with `impute`, are still null."""
    allowed = {name: Allowed() for name in part.columns} if impute else {}
    known = part.notna()

    def drawn(rows: np.ndarray, attempt: int) -> pd.DataFrame:
        certain = known.to_numpy()[rows]
        given = Request(len(rows), frame=part.iloc[rows].reset_index(drop=True), known=certain, allowed=allowed)
        completed: Any = model.complete(given, start, rng=seeds.stream(seed, "complete", block, attempt))
        frame: pd.DataFrame = as_written(completed.frame, schema)
        for place, name in enumerate(part.columns):  # known cells stay as they are
            frame[name] = completed.frame[name].where(certain[:, place], frame[name])
        return frame

    out = drawn(np.arange(len(part)), 0)
    # redrawn rows keep the keys of the first attempt
    keys = {name: out[name].copy() for name in _made_up(model)}
    for attempt in range(1, TRIES):
        values = missing_codes.without(out, schema) if impute else out
        wrong = np.flatnonzero(_wrong(out, values, known, watch, impute))
        if not len(wrong):
            break
        redrawn = drawn(wrong, attempt).set_axis(wrong)
        for name, values in keys.items():
            redrawn[name] = values.iloc[wrong].where(values.iloc[wrong].notna(), redrawn[name])
        out = pd.concat([out.drop(index=wrong), redrawn]).sort_index()
    return out


def _wrong(out: pd.DataFrame, values: pd.DataFrame, known: pd.DataFrame, watch: Watch, impute: bool) -> np.ndarray:
    """Mask of rows that break a rule or are incomplete, and that a redraw may repair. values: the rows with null for
    codes for missing values. (rows,) bool
    """
    free = np.zeros((len(watch.rules), len(out)), dtype=bool)
    for i, rule in enumerate(watch.rules):
        free[i] = ~np.all(
            [known[name] if name in known else np.zeros(len(out), dtype=bool) for name in rule.columns], axis=0
        )
    wrong = np.zeros(len(out), dtype=bool)
    if watch.rules:
        wrong |= (watch.broken(out) & free).any(axis=0)
    if impute:
        empty = values[known.columns].isna()
        wrong |= empty.loc[:, ~empty.all()].any(axis=1).to_numpy()
    return wrong


def _as_learned(values: pd.Series, model: Model) -> pd.Series:
    """Convert categories such as 19.0 to 19 if the model knows only 19: many tools write integers with gaps so."""
    if values.dtype != frames.STRING:
        return values
    words = values.dropna().drop_duplicates()
    whole = words.str.extract(f"^{DECIMAL}$", expand=False)
    known = {
        w: n
        for w, n in zip(words, whole)
        if not pd.isna(n) and not _knows(model, values.name, w) and _knows(model, values.name, n)
    }
    return values.map(lambda word: known.get(word, word), na_action="ignore").astype(frames.STRING) if known else values


def _knows(model: Model, column: Any, word: str) -> bool:
    """Whether a model can generate this category."""
    try:
        generated: Any = model.complete(
            Request(1, allowed={column: Allowed(values=frozenset({word}))}), 0, rng=np.random.default_rng(0)
        )
    except FitError:
        return False
    return bool(generated.frame[column].eq(word).fillna(False).all())
