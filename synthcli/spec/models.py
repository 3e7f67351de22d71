"""The spec as pydantic models: each key with its default, bounds and help. docs/spec.md and `synth schema` are
generated from here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AllowInfNan, BaseModel, BeforeValidator, ConfigDict, Field, Strict, StringConstraints

from synthcli.contracts.evaluation import Gate
from synthcli.contracts.modelling import Limits
from synthcli.contracts.schema import Traits

Int = Annotated[int, Strict()]  # true and "5" are not numbers
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Real = Annotated[float, Strict(), AllowInfNan(False)]
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"


class Section(BaseModel):
    """A section of the spec, which refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Split(Section):
    validation: Real = Field(
        0.1, ge=0, lt=1, description="share of privacy units that refinement and the race of candidates are judged on"
    )
    holdout: Real = Field(
        0.2,
        ge=0,
        lt=1,
        description="share of privacy units that the verdict is measured on, once; 0: no comparison with unseen data",
    )
    stratify_by: str | None = Field(None, description="column whose values have the same shares in every part")

    @property
    def parts(self) -> dict[str, float]:
        """The share of the privacy units in each part; train gets the rest."""
        return {"train": 1 - self.validation - self.holdout, "validation": self.validation, "holdout": self.holdout}


class Place(Section):
    """The place of a table, and the format of its file."""

    path: str | None = Field(
        None, description="file, glob or folder, relative to the spec, or a URL: s3://, gs://, az://, https://"
    )
    url: str | None = Field(
        None, description="sql: sqlite:///FILE, duckdb:///FILE, postgresql://…; ${NAME} is taken from the environment"
    )
    table: str | None = Field(None, min_length=1, description="sql: table, or schema.table")
    query: str | None = Field(None, min_length=1, description="sql: one SELECT, instead of table")
    sheet: str | None = Field(None, description="excel: sheet; default: the first")
    delimiter: str | None = Field(None, min_length=1, max_length=1, description="csv: detected by default")
    quote: str | None = Field(None, min_length=1, max_length=1, description="csv: quoting character")
    encoding: str | None = Field(None, description="csv, jsonl: such as latin-1; default UTF-8")
    header: bool = Field(True, description="csv: whether the first line holds the column names")
    decimal: Literal[".", ","] = Field(".", description="csv: decimal sign")
    null_values: tuple[str, ...] | None = Field(
        None, description="csv: words that mean null, in addition to the empty cell"
    )
    skip: Int = Field(0, ge=0, le=10**6, description="csv, excel: lines or rows before the header")
    comment: Text | None = Field(None, description="csv: lines that start with this are not read, such as '#'")
    repair_names: bool = Field(
        False, description="names nameless columns by position (column_3) and repeated ones by number (kind_2)"
    )
    nested: Literal["flatten", "drop"] | None = Field(
        None,
        description="parquet, jsonl, frame: objects and lists; flatten: fields become columns (who.kind), lists become"
        " JSON text; drop: such columns are not read",
    )


class TableSource(Place):
    type: Literal["csv", "parquet", "jsonl", "excel", "sql", "frame"] | None = Field(
        None, description="default: by the ending of path; sql if there is a url; frame: a DataFrame, from Python"
    )
    keep: bool = Field(False, description="public table, written to the output unchanged, including its keys")
    rows: Int | None = Field(None, ge=1, le=10**9, description="source.type none: number of rows")
    per: str | None = Field(None, description="source.type none: table whose rows each get some rows of this one")
    children: Int | str | dict[str, Any] | None = Field(
        None, description="source.type none, with per: rows for each, a number or a distribution: {poisson: 3}"
    )


class RelationshipKeys(Section):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    from_: str | tuple[str, ...] = Field(alias="from", description="foreign key: TABLE.COLUMN, or a list of them")
    to: str | tuple[str, ...] = Field(description="referenced key: TABLE.COLUMN, or a list of the same length")
    on_orphans: Literal["error", "drop"] = Field(
        "error", description="what to do with rows whose foreign key matches no row"
    )


def _related(raw: Any) -> Any:
    return {"type": "tables", **raw} if isinstance(raw, dict) and "tables" in raw else raw


class Source(Place):
    type: Literal["csv", "parquet", "jsonl", "excel", "sql", "builtin", "frame", "tables", "none"] = Field(
        description=(
            "kind of source; tables is implied by source.tables; frame: a DataFrame, from Python; none: columns are"
            " generated as declared"
        )
    )
    tables: dict[str, TableSource] | None = Field(None, min_length=1, description="related tables by name")
    relationships: tuple[RelationshipKeys, ...] = Field(
        (), description="foreign keys; the first one listed for a table determines how many rows each parent gets"
    )
    name: str | None = Field(None, description="table of type builtin")
    dataset: str | None = Field(
        None, pattern=NAME, description="name that identifies the data across versions of the file"
    )
    split: Split = Field(
        Split(),
        description="how the privacy units are divided; the rest is the train part, which alone is learned from",
    )
    max_rows: Int | None = Field(
        None,
        ge=1,
        description="larger tables are sampled uniformly down to this many rows; default: as many as fit into memory",
    )


class Candidate(Section):
    method: str = Field(description="one of `synth methods`")
    params: dict[str, Any] = Field(default_factory=dict, description="parameters of the method")


def _candidate(raw: Any) -> Any:
    return {"method": raw} if isinstance(raw, str) else raw


class LimitKeys(Section):
    minutes: Real | None = Field(None, gt=0, description="wall-clock time of a fit")
    memory_gb: Real | None = Field(None, gt=0, description="resident memory during a fit, in GiB")

    def build(self) -> Limits:
        return Limits(self.minutes, self.memory_gb)


class Generator(Section):
    method: str | None = Field(
        None, description="one of `synth methods`, or auto; default: trees, without data distributions"
    )
    params: dict[str, Any] = Field(
        default_factory=dict, description="parameters of the method, see `synth methods NAME`"
    )
    candidates: tuple[Annotated[Candidate, BeforeValidator(_candidate)], ...] | None = Field(
        None, min_length=1, description="methods that compete; the gates decide"
    )
    limits: LimitKeys = Field(LimitKeys(), description="limits of a fit, which then stops with what it has")


Value = bool | int | float | str


class Fairness(Section):
    target: str = Field(description="column that must be independent of the sensitive columns")
    sensitive: tuple[str, ...] = Field(min_length=1, description="columns with few values, such as sex or race")


class Generate(Section):
    rows: Int | None = Field(None, ge=1, le=10**12, description="rows to generate; default: as many as the source has")
    scale: Real | None = Field(None, gt=0, le=10**6, description="number of rows as a multiple of the source's")
    where: Text | None = Field(None, description="expression that every generated row must satisfy")
    balance: dict[str, dict[Value, Annotated[float, Strict(), Field(ge=0, le=1)]]] | None = Field(
        None,
        min_length=1,
        description="column: {value: share}; unlisted values divide the rest in proportion to the source",
    )
    allow_unseen: bool = Field(
        False, description="generate rows of a condition that no real unit of the train part meets, by extrapolation"
    )
    fairness: Fairness | None = Field(None, description="make the target independent of sensitive columns")
    copies: Int = Field(
        1, ge=1, le=1000, description="independent data sets, for inference that combines them: synthcli.combine"
    )
    proper: bool = Field(
        False, description="fit the generator again for each copy, to a bootstrap sample of the privacy units"
    )


class GateKeys(Section):
    metric: str = Field(description="name of a measurement, see `synth methods --metrics`")
    min: Real | None = Field(None, description="lowest value that passes")
    max: Real | None = Field(None, description="highest value that passes")
    severity: Literal["error", "warn"] = Field(
        "error",
        description="warn: reported, but does not fail the run; error, if written, also fails what is not measurable",
    )
    bound: Literal["interval", "value", "favourable"] = Field(
        "interval",
        description="what must lie within the bounds: the whole 95 % interval, the value itself, or the favourable end"
        " of the interval, so that the gate fails only where chance does not explain it",
    )
    of: Literal["floor"] | None = Field(
        None, description="floor: min and max are multiples of the value that unseen real data gets"
    )

    def build(self) -> Gate:
        strict = "severity" in self.model_fields_set and self.severity == "error"
        return Gate(self.metric, self.min, self.max, self.severity, self.bound, self.of, strict)


class Domain(Section):
    path: str = Field(description="Python file with measure(evidence, params, *, rng) -> list[Measurement]")
    params: dict[str, Any] = Field(default_factory=dict, description="passed to measure")


def _domain(raw: Any) -> Any:
    return {"path": raw} if isinstance(raw, str) else raw


class Downstream(Section):
    command: str = Field(
        min_length=1, description="shell command, run in the spec's folder; {output} is the path of the synthetic table"
    )
    env: dict[str, str] = Field(
        default_factory=dict, description="environment variables of the command; {output} as in command"
    )
    format: Literal["csv", "parquet", "jsonl"] | None = Field(
        None, description="format of the table that the command reads; default: output.format"
    )
    minutes: Real = Field(
        60.0, gt=0, description="time limit; a command that exceeds it is stopped and counts as failed"
    )


class Evaluate(Section):
    target: str | None = Field(
        None, description="column that a downstream model predicts: train on synthetic, test on real"
    )
    gates: tuple[GateKeys, ...] | None = Field(
        None, description="bounds on metrics; default gates if not given, [] for none"
    )
    preserve: tuple[str, ...] = Field(
        (), description="properties that must be preserved: mean(x), corr(a, b), share(x > 1), mean(x where …)"
    )
    domain: Annotated[Domain, BeforeValidator(_domain)] | None = Field(
        None, description="your own metrics, a Python file; runs only with --trust"
    )
    downstream: Downstream | None = Field(
        None, description="your own application, run on the synthetic data; runs only with --trust"
    )


class PrivacyCheck(Section):
    attacks: Literal["default"] | tuple[str, ...] = Field("default", description="default, or a list of attacks")
    gates: tuple[GateKeys, ...] | None = Field(
        None, description="bounds on the results of attacks; default gates if not given, [] for none"
    )


class Refine(Section):
    max_rounds: Int | None = Field(
        None,
        ge=1,
        le=100,
        description="rounds of train, generate, evaluate, privacy-check; default 3, 1 without a validation part",
    )


class Output(Section):
    format: Literal["csv", "parquet", "jsonl", "excel", "sql"] = Field("parquet", description="of the output")
    path: str | None = Field(
        None,
        description="file that is replaced when the gates pass, relative to the spec, or a URL: s3://, gs://, az://",
    )
    url: str | None = Field(None, description="sql: database, as source.url")
    table: str | None = Field(None, min_length=1, description="sql: table that is written when the gates pass")
    if_exists: Literal["replace", "append", "fail"] = Field(
        "replace", description="sql: what to do with the rows of an existing table, which is never dropped"
    )
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="csv: default the source's if it is csv, else a comma"
    )
    decimal: Literal[".", ","] | None = Field(None, description="csv: decimal sign; default the source's, else a point")
    encoding: str | None = Field(None, description="csv: such as latin-1; default the source's, else UTF-8")
    formulas: Literal["keep", "escape"] = Field(
        "keep", description="csv: escape writes an apostrophe before text that a spreadsheet would run as a formula"
    )


class Execution(Section):
    engine: Literal["local", "dask"] = Field(
        "local", description="where rows are generated: processes of this machine, or a Dask cluster"
    )
    workers: Int | None = Field(
        None, ge=1, le=1024, description="local processes; default: one per core, for large tables"
    )
    address: str | None = Field(None, description="address of the Dask scheduler, such as tcp://10.0.0.5:8786")


class Retention(Section):
    keep: Int | None = Field(None, ge=1, description="newest finished versions to keep")
    days: Real | None = Field(None, gt=0, description="age above which versions are removed")


class Spec(Section):
    """A spec: one table from a source (or from nothing), a generator, rules, gates and an output."""

    version: Literal[1] = Field(1, description="version of the format")
    name: str | None = Field(None, pattern=NAME, description="folder of the runs; default: the spec's file name")
    description: str = Field("", description="free text for readers of the spec")
    modality: str | None = Field(
        None,
        description=(
            "kind of data; default: relational if there is source.tables, panel if one table has a privacy_unit, whose"
            " rows stay together, else tabular; tabular: each row is learned by itself"
        ),
    )
    purpose: Literal["test-data", "internal", "public-release"] | None = Field(
        None,
        description="what the output is for; public-release refuses columns of rare words that the spec leaves open",
    )
    seed: Int = Field(0, ge=0, lt=2**63, description="same spec, seed, data and package versions give the same bytes")
    source: Annotated[Source, BeforeValidator(_related)] = Field(description="the real data")
    privacy_unit: str | None = Field(
        None,
        description="column that identifies protected persons; default: the row; related tables: TABLE or TABLE.COLUMN",
    )
    columns: dict[str, Traits] = Field(
        default_factory=dict,
        description="traits that inference cannot find; without a source: how to generate each column",
    )
    constraints: tuple[str | dict[str, Any], ...] = Field(
        (), description="expressions, or unique, one_of, range, sum, one_hot, increasing"
    )
    generator: Generator = Field(Generator(), description="what learns from the data and generates rows")
    generate: Generate = Field(Generate(), description="what to generate")
    evaluate: Evaluate = Field(Evaluate(), description="how quality is measured")
    privacy_check: PrivacyCheck = Field(PrivacyCheck(), description="how privacy is attacked")
    refine: Refine = Field(Refine(), description="what to do while a gate fails")
    output: Output = Field(Output(), description="where the synthetic data goes, besides the run folder")
    retention: Retention = Field(
        Retention(),
        description="which old versions to remove after a run; never the newest, nor the newest that passed",
    )
    execution: Execution = Field(Execution(), description="where rows are generated")


_DP = "formal privacy guarantees are not supported by this version"
LATER: dict[tuple[str, ...], str] = {  # keys that this version does not support: refused, never ignored
    ("privacy",): _DP,
    ("entity",): "series of an entity are not supported by this version",
    ("time",): "time series are not supported by this version",
}
LATER_VALUES: dict[tuple[str, ...], tuple[str, ...]] = {("source", "type"): ("folder",)}
