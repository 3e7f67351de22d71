"""Examine a table for a first spec: kinds of columns, personal data, the privacy unit, constraints, a target,
quasi-identifiers.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import ValidationError

from synthcli import seeds, sources
from synthcli.columns import frame as frames
from synthcli.columns import missing_codes, spelling
from synthcli.columns.codec.spelled_numbers import looks_mixed
from synthcli.columns.codec.top_coding import held_by, unit_codes
from synthcli.columns.constraints.rule import parse_constraint
from synthcli.columns.discovery import keys, relations, suggest
from synthcli.columns.discovery.infer import infer
from synthcli.columns.fake import generate as fake
from synthcli.columns.pii import detect, protect, rare_words
from synthcli.columns.spelling import unread
from synthcli.columns.table import Table
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.errors import DataError, SpecError
from synthcli.init.imports.shared import Imported
from synthcli.init.layout import laid_out
from synthcli.privacy.anonymity import uniqueness
from synthcli.sources import builtin, csv
from synthcli.spec.traits import SERVES
from synthcli.tabular.metrics import utility

ENCODED = 1 << 24  # bytes of a file that its encoding is detected from
EXAMINED = 2_000  # rows that the spelling of numbers is detected from
_PACKED = (".gz", ".bz2", ".zst", ".xz", ".zip", ".lz4")
_COMMA_NUMBER = r"[-+]?(\d{1,3}(\.\d{3})+|\d+),\d+"
SHARED = 10  # privacy units that a value needs before the draft shows it
TARGET_ROWS = 10_000  # rows by which a target is tried
MOST_CATEGORIES = 20  # that the draft lists
MISSING = (
    "suggested: codes for missing values, kept at their rate and filled by --impute; delete `missing` if they are"
    " values"
)
BORN = "learned, so that ages are kept; to make the dates up, with the same shares of years: type: date_of_birth"
REPEATS = "unique in the source; made-up values of this kind may repeat"
ROW_COUNTER = (
    "looks like a row counter: 0, 1, 2, …; if it has no meaning, write the source without it (pandas: index=False)"
)


@dataclass(frozen=True)
class Finding:
    """One column: the traits to declare, the guesses about personal data, and facts in words that show no single
    person's value.
    """

    name: str
    kind: str
    traits: dict[str, Any]
    guess: detect.Guess | None
    special: detect.Guess | None
    facts: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def made_up(self) -> bool:
        return self.kind not in frames.MODELLED


@dataclass(frozen=True)
class Findings:
    """The findings on a table. unit, target: (column, why). broken: for each imported constraint the rows of the source
    that break it, or -1 if it cannot be used. no_people: why the rows are not people, None if they may be. no_target:
    why the likeliest target is not suggested, empty if it is or there is none.
    """

    rows: int
    units: int
    columns: tuple[Finding, ...]
    unit: tuple[str, str] | None
    suggestions: tuple[suggest.Suggestion, ...]
    target: tuple[str, str] | None
    unique: tuple[uniqueness.Uniqueness, ...]
    imported: Imported | None
    broken: tuple[int, ...] = ()
    no_people: str | None = None
    no_target: str = ""


def settled(source: sources.Source) -> sources.Source:
    """The source with detected options that were not given: an encoding other than UTF-8, its layout, the decimal
    comma.
    """
    if source.type != "csv" or not isinstance(source.path, Path) or not source.path.is_file():
        return laid_out(source)
    if source.encoding is None and not source.path.name.endswith(_PACKED) and not _is_utf(source.path):
        source = replace(source, encoding="cp1252")  # the default of Western Windows, and nearly a superset of latin-1
    source = laid_out(source)
    return replace(source, decimal=",") if source.decimal == "." and _decimal_commas(source) else source


def _is_utf(path: Path) -> bool:
    """Whether the beginning of a file is UTF-8, or UTF-16 with a byte order mark."""
    with path.open("rb") as file:
        head = file.read(ENCODED)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return True


def _decimal_commas(source: sources.Source) -> bool:
    """Whether some columns are written as 1.234,5, and none as 1234.5."""
    first = next((table for table in csv.batches(Path(str(source.path)), source) if len(table)), None)
    words = pd.DataFrame() if first is None else first.slice(0, EXAMINED).to_pandas()
    cells = [w for name in words if len(w := words[name].dropna().astype(str).str.strip()) >= 3]
    comma = [
        w
        for w in cells
        if w.str.fullmatch(_COMMA_NUMBER).mean() > 0.9 and not w.str.fullmatch(r"\d{1,3}(,\d{3})+").all()
    ]
    return bool(comma) and not any(w.str.fullmatch(r"[-+]?\d+\.\d{1,2}|[-+]?\d+\.\d{4,}").mean() > 0.9 for w in cells)


class NoRows(DataError):
    """A source that has columns and no rows."""


@dataclass(frozen=True)
class TableContent:
    """A table that was read: as it is stored, and with the inferred types. text: whether all cells are strings."""

    source: sources.Source
    table: pa.Table
    text: bool
    schema: Schema
    frame: pd.DataFrame

    @cached_property
    def detected(self) -> tuple[dict[str, list[detect.Guess]], str | None]:
        """What each column may say of a person, and why the rows are not people; see detect.detect_all."""
        return detect.detect_all(self.frame)


def look(source: sources.Source, imported: Imported | None = None) -> Findings:
    """Read a table and examine it. Raises DataError for a source that cannot be read, or has no rows."""
    return examine(read(source), imported, single=True)


def read(source: sources.Source) -> TableContent:
    """Read a table and infer its types. Raises DataError for a source that cannot be read, or has no rows."""
    table, text = sources.read(source), sources.spelled(source)
    if not len(table):
        raise NoRows(f"{source.where} has columns and no rows; remedy: a source with data")
    schema, frame = infer(table, {}, text=text, protect=False)
    return TableContent(source, table, text, schema, frame)


def examine(
    content: TableContent,
    imported: Imported | None = None,
    *,
    units: np.ndarray | None = None,
    keys: frozenset[str] = frozenset(),
    single: bool = False,
) -> Findings:
    """Examine a table. units: (rows,) the privacy unit of each row, if another table holds the units; keys: columns at
    either end of a relationship, which are made up as keys; single: whether it is the only table.
    """
    source, schema, frame = content.source, content.schema, content.frame
    unit = _unit(schema, frame, source) if units is None else None
    if unit is not None:
        units = unit_codes(frame[unit[0]])
    guesses, no_people = content.detected
    locale = protect.locale(frame, guesses)
    described = imported.columns if imported is not None else {}
    columns = []
    for column in schema.columns:
        if column.name in keys:
            columns.append(Finding(column.name, "id", {}, None, None, ()))
            continue
        finding = _finding(
            column, frame[column.name], guesses[column.name], units, locale, unit is not None and column.name == unit[0]
        )
        if _counts_rows(frame[column.name]):
            finding = replace(finding, notes=(*finding.notes, ROW_COUNTER))
        columns.append(
            _with_import(
                finding,
                column,
                frame[column.name],
                content.table,
                content.text,
                described.get(column.name),
                imported,
            )
        )
    out = {f.name for f in columns if f.made_up}
    declared = Schema(
        tuple(replace(c, declared=Traits(type=f.kind if f.made_up else None)) for c, f in zip(schema.columns, columns)),
        schema.unit,
    )
    found = [s for s in suggest.suggest(frame, declared, units, skip=sorted(out)) if not keys & set(s.columns)]
    if single:  # columns of related tables cannot be computed
        sums = [set(s.columns) for s in found if s.form == "sum"]
        computed = {r.column: r for r in relations.relations(frame, declared, skip=sorted(out), sums=sums)}
        columns = [_computed(f, computed[f.name]) if f.name in computed else f for f in columns]
        found = suggest.without(found, list(computed))
    target = (
        (builtin.TARGETS[str(source.name)], "named by the table's description")
        if source.type == "builtin"
        else suggest.target(declared, frame, sorted(out))
    )
    no_target = "" if target is None else _unpredictable(Table(frame, declared), target[0])
    candidates = [f.name for f in columns if f.guess is not None and f.guess.sensitivity == "quasi-identifier"]
    broken = tuple(_broken(rule, frame) for rule in imported.constraints) if imported is not None else ()
    people = len(frame) if units is None else len(np.unique(units))
    unique = tuple(uniqueness.search(frame, candidates, units))
    return Findings(
        len(frame),
        people,
        tuple(columns),
        unit,
        tuple(found),
        None if no_target else target,
        unique,
        imported,
        broken,
        no_people,
        no_target,
    )


def _unpredictable(table: Table, target: str) -> str:
    """Why the rows do not predict a column, so that a gate on it could not be measured; empty if they do."""
    rng = seeds.stream(0, "target")
    table = table.take(np.sort(rng.permutation(len(table))[:TARGET_ROWS]))
    try:
        parts = table.split({"train": 0.5, "control": 0.5}, rng=rng)
    except DataError:
        return f"there are too few rows to tell whether they predict {target}"
    return utility.predictable(parts["train"], parts["control"], target, rng=rng)


def _computed(finding: Finding, relation: relations.Relation) -> Finding:
    """The finding on a column that others determine: its bounds and categories follow from them."""
    kept = {k: v for k, v in finding.traits.items() if k in ("type", "format", "precision")}
    return replace(finding, traits={**kept, "expr": relation.text}, notes=(*finding.notes, relation.evidence))


def _counts_rows(values: pd.Series) -> bool:
    """Whether a column counts the rows from 0, as an index that was written with its table."""
    return (
        len(values) > 1
        and values.dtype == "Int64"
        and not values.isna().any()
        and bool((values.to_numpy() == np.arange(len(values))).all())
    )


def _unit(schema: Schema, frame: pd.DataFrame, source: sources.Source) -> tuple[str, str] | None:
    """The id that repeats and is named after a person, with the reason; None if each row seems to be one unit."""
    if source.type == "builtin":
        known = builtin.UNITS.get(str(source.name))
        return None if known is None else (known, "named by the table's description")
    people = next(((c.name, why) for c in schema.columns if (why := protect.keyed(c, frame[c.name])) is not None), None)
    return people or _joining(schema, frame)


def _joining(schema: Schema, frame: pd.DataFrame) -> tuple[str, str] | None:
    """The key that joins the rows of one entity, with the reason: one named like a key of people or accounts before
    others, the finest first; None if another key names a person in each row.
    """
    ids = {c.name: frame[c.name].dropna() for c in schema.columns if c.kind == "id"}
    if any(known.is_unique and keys.of_entities(name) for name, known in ids.items()):
        return None
    joining = [
        (keys.of_entities(name), known.nunique(), name)
        for name, known in ids.items()
        if keys.LEAST <= known.nunique() <= keys.UNIQUE * len(known)
    ]
    if not joining:
        return None
    _, distinct, name = max(joining, key=lambda found: found[:2])
    rows = len(ids[name])
    return name, f"its {distinct:,} values join the {rows:,} rows, {rows / distinct:.1f} rows each"


def _finding(
    column: Column, values: pd.Series, guesses: list[detect.Guess], units: np.ndarray | None, locale: str, is_unit: bool
) -> Finding:
    best = detect.surest(guesses)
    special = next((g for g in guesses if g.sensitivity == "special category" and g.confidence >= detect.SURE), None)
    best = (
        best
        if best is None or best.sensitivity != "special category"
        else detect.surest([g for g in guesses if g is not special])
    )
    generated = is_unit or (best is not None and _made_kind(best, column) is not None)
    facts = _facts(column, values, units, generated=generated)
    if is_unit:
        return Finding(column.name, "id", {}, best, special, facts)
    if best is not None and _made_kind(best, column) is not None:
        traits, notes = _made_traits(best, column, values, locale)
        return Finding(column.name, str(traits["type"]), traits, best, special, facts, notes)
    if (
        column.kind == "text"
        and (named := next((g for g in guesses if protect.made_kind(g) == g.kind and g.by == "name"), None)) is not None
    ):
        traits = protect.made_traits(named, locale)
        return Finding(column.name, named.kind, traits, None, special, facts)
    if column.kind == "category" and (rare := rare_words.look(values, units)) is not None:
        traits, notes = _rare(column.name, rare, guesses, locale)
        return Finding(column.name, str(traits.get("type", "category")), traits, best, special, facts, notes)
    hints = (
        *(_unsure(column) if best is None else ()),
        *(_hint(g) for g in guesses if best is None and g.by == "content" and g.confidence < detect.SURE),
    )
    codes = missing_codes.find(values, units) if column.kind in ("integer", "float") else ()
    traits = _learned_traits(column, values.mask(values.isin(codes)) if codes else values, units)
    if codes:
        traits |= {"missing": [int(code) for code in codes]}
        hints = (*hints, MISSING)
    if column.kind == "datetime" and best is not None and best.kind == "date_of_birth":
        hints = (*hints, BORN)
    return Finding(column.name, column.kind, traits, best, special, facts, hints)


def _rare(
    name: str, rare: rare_words.Rare, guesses: list[detect.Guess], locale: str
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The traits of a column of words that few units share, and a note: a kind that the guesses tell, or a decision."""
    one = {**asdict(rare), "column": name, "made": rare.made_up}
    known = protect.rare_traits(guesses, locale) if rare.made_up else {"type": "word"}
    if known["type"] != "word":
        return known, (f"made up, because few people share its words: {rare_words.told(one)}",)
    return {}, (
        f"DECIDE: {rare_words.told(one)}. Until you decide, {rare_words.does(one)}, with a warning. Write the type:"
        f" {rare_words.CHOICES}.",
    )


def _unsure(column: Column) -> tuple[str, ...]:
    """The decision that a column needs whose values do not tell its type."""
    if (found := unread.of_column(column)) is None:
        return ()
    one = found.to_json()
    return (
        f"DECIDE: {rare_words.told(one)}. Until you decide, {rare_words.does(one)}. Write {rare_words.choices(one)}.",
    )


def _hint(guess: detect.Guess) -> str:
    return (
        f"perhaps {guess.kind}: {guess.evidence} ({guess.confidence:.0%} sure); if so: type: {protect.made_kind(guess)}"
    )


def _made_kind(guess: detect.Guess, column: Column) -> str | None:
    """The made-up kind that replaces the column; None if it may be learned."""
    kind = protect.made_kind(guess)
    if kind == "date_of_birth" and column.kind == "datetime":
        return None  # a quasi-identifier, whose distribution is learned as that of any date
    if guess.sensitivity == "direct identifier" or guess.kind in protect.PATTERNS or kind == "date_of_birth":
        return kind
    return kind if column.kind in ("text", "id") and kind == guess.kind != "uuid" else None


def _made_traits(
    guess: detect.Guess, column: Column, values: pd.Series, locale: str
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The traits of a made-up column, and notes on it."""
    known = values.dropna()
    if values.dtype in ("Int64", "float64") and guess.kind != "card" and not guess.checked:
        return protect.digits(known), ("made up with the same number of digits",)
    traits = protect.made_traits(guess, locale)
    if traits["type"] == "date_of_birth":
        return traits | _birth(column, values), ()
    if len(known) > 1 and known.is_unique:
        if not _repeatless(column.name, Traits(**traits, unique=True), len(values)):
            return traits, (REPEATS,)
        traits["unique"] = True
    return traits, ()


def _repeatless(name: str, declared: Traits, rows: int) -> bool:
    """Whether values of a kind can be made up without repetition, ten times as many as the source has."""
    trial = Column(name, declared)
    try:
        fake.check(trial)
        fake.check_rows(trial, 10 * rows)
    except SpecError:
        return False
    return True


def _birth(column: Column, values: pd.Series) -> dict[str, Any]:
    """The format of dates of birth that are stored as words."""
    form = column.inferred.format
    if values.dtype == frames.STRING and (words := values.dropna().unique()[:EXAMINED].astype(object)).size:
        form = spelling.parse(words, Traits())[2].get("format")
    return {} if form is None or form == "%Y-%m-%d" else {"format": form}


def _learned_traits(column: Column, values: pd.Series, units: np.ndarray | None) -> dict[str, Any]:
    """The inferred traits of a column without personal data."""
    seen, kind = column.inferred, column.kind
    if kind == "id":
        unique = {"unique": True} if seen.unique and len(values) > 1 else {}
        shape = {trait: value for trait in ("pattern", "check") if (value := getattr(seen, trait)) is not None}
        return {"type": "id", **shape, **unique}
    traits: dict[str, Any] = {"type": kind}
    if kind == "text":
        return traits | ({"pattern": seen.pattern} if seen.pattern else {})
    if seen.format is not None:
        traits["format"] = seen.format
    elif kind == "float" and seen.precision is not None:
        traits["precision"] = seen.precision
    if kind in ("integer", "float"):
        traits |= _bounds(values, units, kind)
    if kind == "category" and (categories := _categories(values, units)) is not None:
        traits["categories"] = categories
    return traits


def _bounds(values: pd.Series, units: np.ndarray | None, kind: str) -> dict[str, Any]:
    """min and max if enough privacy units share the value, as at the end of a scale."""
    known = values.notna().to_numpy()
    numbers = values[known].to_numpy(dtype=float)
    if not len(numbers) or not np.isfinite(numbers).all():
        return {}
    people = np.arange(len(numbers)) if units is None else units[known]
    out: dict[str, Any] = {}
    for trait, end in (("min", numbers.min()), ("max", numbers.max())):
        if abs(end) < 2**53 and len(np.unique(people[numbers == end])) >= SHARED:
            out[trait] = int(end) if kind == "integer" else float(end)
    return out


def _categories(values: pd.Series, units: np.ndarray | None) -> list[Any] | None:
    """The categories in order if they are few and shared by enough units, else None."""
    known = values.dropna()
    if values.dtype != frames.STRING or not 1 < known.nunique() <= MOST_CATEGORIES or looks_mixed(known):
        return None
    codes, words = pd.factorize(values)
    return sorted(map(str, words)) if held_by(codes, units, len(words)).min() >= SHARED else None


def _facts(column: Column, values: pd.Series, units: np.ndarray | None, *, generated: bool) -> tuple[str, ...]:
    """Facts about a column that show no single person's value."""
    known = values.dropna()
    nulls = float(values.isna().mean())
    facts = [f"{nulls:.1%} null" if nulls else "no nulls", f"{known.nunique():,} distinct"]
    if column.kind in frames.NUMBERS and not generated and (ends := _about(values, units)) is not None:
        facts.append(f"mostly {ends[0]} to {ends[1]}")
    if column.kind == "text" and (length := column.inferred.length) is not None:
        facts.append(f"made up in {column.get('locale') or 'en_US'} with {length[0]:,} to {length[-1]:,} characters")
    if column.kind == "category" and values.dtype == frames.STRING and not generated:
        codes, words = pd.factorize(values)
        rare = int((held_by(codes, units, len(words)) < SHARED).sum())
        if rare:
            facts.append(f"{rare:,} of its categories are held by fewer than {SHARED} units")
    return tuple(facts)


def _about(values: pd.Series, units: np.ndarray | None) -> tuple[str, str] | None:
    """The rounded range without the SHARED outermost units on either side; None in small tables."""
    known = values.dropna()
    if pd.api.types.is_datetime64_any_dtype(known.dtype):
        numbers = known.dt.year.to_numpy(dtype=float)
    elif pd.api.types.is_timedelta64_dtype(known.dtype):
        return None
    else:
        numbers = known.to_numpy(dtype=float)
        numbers = numbers[np.isfinite(numbers)]
    people = len(numbers) if units is None else len(np.unique(units))
    if people < 4 * SHARED or len(numbers) < 4 * SHARED:
        return None
    depth = max(SHARED, int(np.ceil(SHARED * len(numbers) / people)))
    ordered = np.sort(numbers)
    low, high = ordered[depth - 1], ordered[-depth]
    if pd.api.types.is_datetime64_any_dtype(known.dtype):
        return str(int(low)), str(int(high))
    step = 10.0 ** np.floor(np.log10(max(high - low, abs(high) * 1e-6, 1e-9)))
    return f"{np.floor(low / step) * step:,.10g}", f"{np.ceil(high / step) * step:,.10g}"


def _with_import(
    finding: Finding,
    column: Column,
    values: pd.Series,
    table: pa.Table,
    text: bool,
    described: Mapping[str, Any] | None,
    imported: Imported | None,
) -> Finding:
    """Add the traits of imported metadata that the data agrees with."""
    if imported is None or (described is None and column.name not in imported.personal):
        return finding
    described = _keyed(finding, values, described or {}, imported)
    notes = list(finding.notes)
    if (why := imported.personal.get(column.name)) is not None:
        notes.append(f"marked as personal data ({why})")
    direct = finding.guess is not None and finding.guess.sensitivity == "direct identifier"
    taken: dict[str, Any] = {}
    for trait, value in (described or {}).items():
        if (
            direct
            and trait in ("type", "pattern", "categories", "format", "min", "max", "precision")
            and (described or {}).get("type") not in fake.MADE
        ):
            continue  # the detected kind is more specific than that of the metadata
        trial = {**finding.traits, **taken, trait: value}
        if trait == "type" and value != finding.kind:
            trial = {k: v for k, v in {**described, "type": value}.items() if k in ("type", "format", "provider")}
        wrong = _refused(column, values, table, text, trial)
        if wrong is None:
            taken = {k: v for k, v in trial.items() if k in trial}
            finding = replace(finding, traits=dict(trial), kind=str(trial.get("type", finding.kind)))
        else:
            note = f"imported {trait}: {_shown(trait, value)} is left out: {wrong}"
            notes += [note] if wrong not in notes else []
    return replace(finding, notes=tuple(notes))


def _keyed(finding: Finding, values: pd.Series, described: Mapping[str, Any], imported: Imported) -> Mapping[str, Any]:
    """The traits of imported metadata, where whole numbers and words that are keys become ids. A kind that the data
    tells, such as email, stays.
    """
    name = finding.name
    ends = {str(end).rpartition(".")[2] for r in imported.relationships for end in (r["from"],) if isinstance(end, str)}
    key = described.get("unique") or imported.key == (name,) or name in ends
    kept = {k: v for k, v in described.items() if k not in ("type", "min", "max", "categories")}
    if not key or described.get("type") not in (None, "integer", "float", "text", "category"):
        return described
    if finding.made_up and finding.kind not in ("id", "text", "word"):
        return kept
    return {"type": "id", **kept} if _may_be_key(values) else described


def _may_be_key(values: pd.Series) -> bool:
    """Whether the values of a declared key are whole numbers or words, not times, truths or fractions."""
    if values.dtype == "float64":
        known = values.dropna().to_numpy(dtype=float)
        return bool(np.isfinite(known).all() and (known % 1 == 0).all())
    return values.dtype == frames.STRING or pd.api.types.is_integer_dtype(values.dtype)


def _shown(trait: str, value: Any) -> str:
    return "..." if trait == "categories" else str(value)


def _refused(column: Column, values: pd.Series, table: pa.Table, text: bool, traits: Mapping[str, Any]) -> str | None:
    """The reason why a column cannot have these traits, without its values; None if it can."""
    kind = str(traits.get("type") or column.kind)
    for trait in traits:
        if trait in SERVES and kind not in SERVES[trait]:
            return f"it has no effect on a column of type {kind}"
    try:
        declared = Traits.model_validate(dict(traits))
        if kind not in frames.MODELLED and traits.get("unique"):
            fake.check(Column(column.name, declared.model_copy(update={"unique": None})))
            if not _repeatless(column.name, declared, len(values)):
                return REPEATS
        elif kind not in frames.MODELLED:
            fake.check(Column(column.name, declared))
        infer(table.select([column.name]), {column.name: declared}, text=text)
    except (SpecError, DataError, ValidationError):
        return "the data does not agree"
    if declared.categories is not None and not set(map(str, values.dropna().unique())) <= set(
        map(str, declared.categories)
    ):
        return "the data holds other values"
    if traits.get("unique") and not values.dropna().is_unique:
        return "the data has repeated values"
    if (
        traits.get("pattern")
        and "pattern" not in column.inferred.model_fields_set
        and not values.dropna().astype(str).str.fullmatch(traits["pattern"]).all()
    ):
        return "the data does not agree"
    return None


def _broken(rule: Mapping[str, Any], frame: pd.DataFrame) -> int:
    """Number of rows that break an imported constraint; -1 if it does not fit this table."""
    if "expr" in rule:
        try:
            return int(parse_constraint(rule["expr"]).violations(frame).sum())
        except SpecError:
            return -1
    names = list(rule.get("unique") or ())
    return int(frame.duplicated(names).sum()) if names and set(names) <= set(frame.columns) else -1
