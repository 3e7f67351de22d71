"""The spec as pydantic models: every key once, with its default, bounds and help. ../docs/spec.md and `synth schema`
come from here.
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


class Part(BaseModel):
    """A section of the spec: no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Split(Part):
    validation: Real = Field(0.1, ge=0, lt=1, description="share of privacy units that steers refinement and racing")
    holdout: Real = Field(0.2, ge=0, lt=1, description="share that gives the verdict, once; 0: no verdict on real data")
    stratify_by: str | None = Field(None, description="column whose values keep their shares in every part")


class Place(Part):
    """Where a table is read from, and how it is written there."""

    path: str | None = Field(
        None, description="file, glob or folder, relative to the spec, or a URL: s3://, gs://, az://, https://"
    )
    url: str | None = Field(
        None, description="sql: sqlite:///FILE, duckdb:///FILE, postgresql://…; ${NAME} is taken from the environment"
    )
    table: str | None = Field(None, min_length=1, description="sql: table, or schema.table")
    query: str | None = Field(None, min_length=1, description="sql: one SELECT, instead of table")
    sheet: str | None = Field(None, description="excel: sheet; default: the first")
    delimiter: str | None = Field(None, min_length=1, max_length=1, description="csv: found by looking when not given")
    quote: str | None = Field(None, min_length=1, max_length=1, description="csv: quoting character")
    encoding: str | None = Field(None, description="csv, jsonl: such as latin-1; default UTF-8")
    header: bool = Field(True, description="csv: the first line names the columns")
    decimal: Literal[".", ","] = Field(".", description="csv: decimal sign")
    null_values: tuple[str, ...] | None = Field(None, description="csv: words that mean null, besides the empty cell")


class TableSource(Place):
    type: Literal["csv", "parquet", "jsonl", "excel", "sql"] | None = Field(
        None, description="default: told by the ending of path; sql with a url"
    )
    keep: bool = Field(False, description="public: given out as it is, keys and all")


class RelationshipKeys(Part):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    from_: str | tuple[str, ...] = Field(alias="from", description="TABLE.COLUMN that refers, or a list of them")
    to: str | tuple[str, ...] = Field(description="TABLE.COLUMN that is referred to, or as many of them")
    on_orphans: Literal["error", "drop"] = Field("error", description="what rows that refer to no row cause")


def _related(raw: Any) -> Any:
    return {"type": "tables", **raw} if isinstance(raw, dict) and "tables" in raw else raw


class Source(Place):
    type: Literal["csv", "parquet", "jsonl", "excel", "sql", "builtin", "tables", "none"] = Field(
        description="where the data comes from; tables where tables: says so; none: the columns say how they are made"
    )
    tables: dict[str, TableSource] | None = Field(None, min_length=1, description="related tables by name")
    relationships: tuple[RelationshipKeys, ...] = Field(
        (), description="the first that is named of a table makes its rows"
    )
    name: str | None = Field(None, description="table of type builtin")
    dataset: str | None = Field(
        None, pattern=NAME, description="declared identity of the data across versions of the file"
    )
    split: Split = Split()
    max_rows: Int | None = Field(
        None, ge=1, description="uniform sample for fitting when the table is larger; default: what fits into memory"
    )


class Candidate(Part):
    method: str
    params: dict[str, Any] = Field(default_factory=dict)


def _candidate(raw: Any) -> Any:
    return {"method": raw} if isinstance(raw, str) else raw


class LimitKeys(Part):
    minutes: Real | None = Field(None, gt=0, description="wall time of a fit")
    memory_gb: Real | None = Field(None, gt=0, description="resident memory during a fit, in GiB")

    def build(self) -> Limits:
        return Limits(self.minutes, self.memory_gb)


class Generator(Part):
    method: str | None = Field(
        None, description="one of `synth methods`, or auto; default: trees, without data distributions"
    )
    params: dict[str, Any] = Field(
        default_factory=dict, description="parameters of the method, see `synth methods NAME`"
    )
    candidates: tuple[Annotated[Candidate, BeforeValidator(_candidate)], ...] | None = Field(
        None, min_length=1, description="methods that race by the gates"
    )
    limits: LimitKeys = LimitKeys()


Value = bool | int | float | str


class Fairness(Part):
    target: str = Field(description="column that is made independent of the sensitive ones")
    sensitive: tuple[str, ...] = Field(min_length=1, description="columns such as sex or race, of few values")


class Generate(Part):
    rows: Int | None = Field(None, ge=1, le=10**12, description="rows to make; default: as many as the source has")
    scale: Real | None = Field(None, gt=0, le=10**6, description="rows as a multiple of the source's")
    where: Text | None = Field(None, description="expression that is true of every row that is made")
    balance: dict[str, dict[Value, Annotated[float, Strict(), Field(ge=0, le=1)]]] | None = Field(
        None,
        min_length=1,
        description="column: {value: share}; values that are not named share what is left as they do in the source",
    )
    fairness: Fairness | None = None
    copies: Int = Field(
        1, ge=1, le=1000, description="independent data sets, for inference over several of them: synthcli.combine"
    )
    proper: bool = Field(
        False, description="each copy from a generator fitted anew to a bootstrap of the privacy units"
    )


class GateKeys(Part):
    metric: str = Field(description="name of a measurement, see `synth methods --metrics`")
    min: Real | None = None
    max: Real | None = None
    severity: Literal["error", "warn"] = Field("error", description="warn: reported, does not fail the run")
    bound: Literal["interval", "value"] = Field(
        "interval", description="interval asks the unfavourable end of the 95 % interval"
    )
    of: Literal["floor"] | None = Field(
        None, description="floor: min and max are multiples of what unseen real data gets"
    )

    def build(self) -> Gate:
        return Gate(self.metric, self.min, self.max, self.severity, self.bound, self.of)


class Domain(Part):
    path: str = Field(description="Python file with measure(evidence, params, *, rng) -> list[Measurement]")
    params: dict[str, Any] = Field(default_factory=dict, description="handed to measure")


def _domain(raw: Any) -> Any:
    return {"path": raw} if isinstance(raw, str) else raw


class Downstream(Part):
    command: str = Field(
        min_length=1, description="run in the spec's folder by the shell; {output} is the path of the synthetic table"
    )
    env: dict[str, str] = Field(default_factory=dict, description="variables of the command; {output} as in command")
    format: Literal["csv", "parquet", "jsonl"] | None = Field(
        None, description="of the table that the command reads; default: output.format"
    )
    minutes: Real = Field(60.0, gt=0, description="after which the command is stopped, which counts as failed")


class Evaluate(Part):
    target: str | None = Field(
        None, description="column that a downstream model predicts: train on synthetic, test on real"
    )
    gates: tuple[GateKeys, ...] | None = Field(
        None, description="bounds on measurements; default gates where not given, [] for none"
    )
    preserve: tuple[str, ...] = Field(
        (), description="properties that matter here: mean(x), corr(a, b), share(x > 1), mean(x where …)"
    )
    domain: Annotated[Domain, BeforeValidator(_domain)] | None = Field(
        None, description="own metrics, a Python file; runs only with --trust"
    )
    downstream: Downstream | None = Field(
        None, description="own application on the synthetic data; runs only with --trust"
    )


class PrivacyCheck(Part):
    attacks: Literal["default"] | tuple[str, ...] = Field("default", description="default, or a list of attacks")
    gates: tuple[GateKeys, ...] | None = Field(
        None, description="bounds on privacy measurements; default gates where not given, [] for none"
    )


class Refine(Part):
    max_rounds: Int | None = Field(
        None,
        ge=1,
        le=100,
        description="rounds of train, generate, evaluate, privacy-check; default 3, 1 without a validation part",
    )


class Output(Part):
    format: Literal["csv", "parquet", "jsonl", "excel", "sql"] = "parquet"
    path: str | None = Field(
        None,
        description="file that is swapped in when the gates pass, relative to the spec, or a URL: s3://, gs://, az://",
    )
    url: str | None = Field(None, description="sql: database, as source.url")
    table: str | None = Field(None, min_length=1, description="sql: table that is swapped in when the gates pass")
    if_exists: Literal["replace", "append", "fail"] = Field(
        "replace", description="sql: what becomes of a table that is there"
    )


class Execution(Part):
    engine: Literal["local", "dask"] = Field(
        "local", description="where rows are made: processes of this machine, or a Dask cluster"
    )
    workers: Int | None = Field(
        None, ge=1, le=1024, description="local processes; default: one per core, for large tables"
    )
    address: str | None = Field(None, description="of the Dask scheduler, such as tcp://10.0.0.5:8786")


class Retention(Part):
    keep: Int | None = Field(None, ge=1, description="newest finished versions to keep")
    days: Real | None = Field(None, gt=0, description="age at which versions are removed")


class Spec(Part):
    """A spec: one table from a source (or from nothing), a generator, rules, gates and an output."""

    version: Literal[1] = 1
    name: str | None = Field(None, pattern=NAME, description="folder of the runs; default: the spec's file name")
    description: str = ""
    modality: str | None = Field(
        None, description="kind of data; default: tabular, or relational where source.tables says so"
    )
    seed: Int = Field(0, ge=0, lt=2**63, description="same spec, seed, data and package versions give the same bytes")
    source: Annotated[Source, BeforeValidator(_related)]
    privacy_unit: str | None = Field(
        None,
        description="column that names who is protected; default: the row; of related tables TABLE or TABLE.COLUMN",
    )
    columns: dict[str, Traits] = Field(
        default_factory=dict, description="only where inference needs help; without a source: how each is made"
    )
    constraints: tuple[str | dict[str, Any], ...] = Field(
        (), description="expressions, or unique, one_of, range, sum, one_hot, increasing"
    )
    generator: Generator = Generator()
    generate: Generate = Generate()
    evaluate: Evaluate = Evaluate()
    privacy_check: PrivacyCheck = PrivacyCheck()
    refine: Refine = Refine()
    output: Output = Output()
    retention: Retention = Retention()
    execution: Execution = Execution()


_DP = "formal privacy guarantees are not offered by this version"
LATER: dict[tuple[str, ...], str] = {  # keys of the format that this version cannot honour: refused, never ignored
    ("privacy",): _DP,
    ("purpose",): "gates chosen by purpose are not offered by this version; write the gates out",
    ("entity",): "this version makes single tables only",
    ("time",): "this version makes single tables only",
}
LATER_VALUES: dict[tuple[str, ...], tuple[str, ...]] = {("source", "type"): ("folder",)}
