"""Columns and their traits; declared traits (from the spec) are separate from inferred ones (from data)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import AllowInfNan, BaseModel, ConfigDict, Field, PositiveInt, Strict

Finite = Annotated[float, Strict(), AllowInfNan(False)]


class Rare(BaseModel):
    """Merge categories of fewer than `min_units` privacy units into `as` before fitting."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    min_units: int = Field(ge=1, description="units (rows, without privacy_unit) that a category needs to be kept")
    as_: str = Field(default="other", alias="as", description="the category that replaces the rare ones")


class Counter(BaseModel):
    """Start and step of a sequence; a step of time is written like 1h, 15min, 1d."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    start: int | Finite | str = Field(1, description="the first value")
    step: int | Finite | str = Field(1, description="between two values; of time, such as 1h, 15min, 1d")


class Traits(BaseModel):
    """The traits of a column, from the spec (declared) or from data (inferred)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    type: str | None = Field(
        None,
        description="boolean, integer, float, datetime, timedelta, category, text, id, or a generated kind like email",
    )
    format: str | None = Field(
        None,
        description=(
            "how values are written: directives of strptime for a datetime (%:z: offset with a colon) or a time;"
            " 'yes|no' for a boolean; %.2f, '$%,.2f' or '%.,2f €;(%.,2f €)' for a number; several are separated by |"
        ),
    )
    min: int | Finite | str | None = Field(None, description="lowest value allowed (a date for datetimes)")
    max: int | Finite | str | None = Field(None, description="highest value allowed (a date for datetimes)")
    precision: int | None = Field(None, ge=0, le=15, description="decimals of a float")
    categories: tuple[bool | int | float | str, ...] | None = Field(
        None, min_length=1, description="the values that a category may take"
    )
    rare: Rare | None = Field(None, description="how rare categories are merged")
    spikes: tuple[Finite, ...] | None = Field(None, description="values modelled as point masses: zeros, missing codes")
    missing: tuple[Finite, ...] | None = Field(
        None, min_length=1, description="codes for a missing value, such as -1 or 999: kept at their rate, no values"
    )
    drop: bool | None = Field(None, description="true: the column is not read, and not in the output")
    nulls: Finite | None = Field(None, ge=0, le=1, description="share of nulls in a generated column")
    unique: bool | None = Field(None, description="no value twice")
    pattern: str | None = Field(None, description="regular expression that generated values match")
    check: Literal["luhn", "ean", "isbn10", "iban", "mod97"] | None = Field(
        None, description="check digits of an id: luhn (cards), ean (EAN, UPC, ISBN-13), isbn10, iban, mod97 (ISO 7064)"
    )
    locale: str | None = Field(None, description="Faker locale of generated values, such as de_DE")
    length: tuple[PositiveInt, ...] | None = Field(
        None,
        min_length=2,
        description="characters of made-up text: [shortest, longest], or ascending quantiles (default: as the source)",
    )
    provider: str | None = Field(None, description="Faker provider of generated values, such as company")
    distribution: str | dict[str, dict[str, Any]] | None = Field(
        None, description="{name: {parameter: value}}: uniform, normal, or any of scipy.stats"
    )
    weights: dict[str, Finite] | None = Field(None, description="categories and their relative weights")
    sequence: Counter | None = Field(None, description="numbers or dates that count up, without data")
    expr: str | None = Field(
        None, description="expression over other columns of the row; with data, the source is compared with it"
    )
    on_violation: Literal["error", "warn", "drop"] | None = Field(
        None, description="with expr and data: what happens if rows of the source disagree (default: error)"
    )
    after: str | None = Field(
        None,
        description="without data: a column that the drawn distribution is added to, in days for a date; of related"
        " tables also TABLE.COLUMN of a row above",
    )


@dataclass(frozen=True)
class Spelling:
    """How the values of a column are written where their type alone does not say it.

    forms: formats, coarse before fine, each with the probability that a value is written in it if it can be, and if no
    earlier one was chosen; missing: words for a missing value with their shares of the nulls; storage: the Arrow type
    of the written values, a string or an integer; unsure: why another reading is possible, or none was found (then
    there are no forms), empty if the values are told.
    """

    forms: tuple[tuple[str, float], ...] = ()
    missing: tuple[tuple[str, float], ...] = ()
    storage: str = "string"
    unsure: str = ""

    def to_json(self) -> dict[str, Any]:
        pairs = {"forms": [*map(list, self.forms)], "missing": [*map(list, self.missing)]}
        return {**pairs, "storage": self.storage, "unsure": self.unsure}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Spelling:
        pairs = {key: tuple((str(word), float(share)) for word, share in data[key]) for key in ("forms", "missing")}
        return cls(pairs["forms"], pairs["missing"], data["storage"], data["unsure"])


@dataclass(frozen=True)
class Column:
    """One column with its declared and its inferred traits. storage: the Arrow type of its values; spelling: how they
    are written in the source, None if as that type.
    """

    name: str
    declared: Traits = field(default_factory=lambda: Traits())
    inferred: Traits = field(default_factory=lambda: Traits())
    storage: str = "string"
    spelling: Spelling | None = None

    def get(self, trait: str) -> Any:
        """The declared value of a trait, else the inferred one, else None."""
        value = getattr(self.declared, trait)
        return getattr(self.inferred, trait) if value is None else value

    @property
    def point_masses(self) -> frozenset[float]:
        """The declared point masses: spikes and codes for missing values, which need not lie within the bounds."""
        return frozenset((*(self.declared.spikes or ()), *self.missing))

    @property
    def missing(self) -> tuple[float, ...]:
        """The declared codes for missing values."""
        return self.declared.missing or ()

    @property
    def kind(self) -> str:
        """The type; text if it is neither declared nor inferred."""
        return self.get("type") or "text"


@dataclass(frozen=True)
class Schema:
    """Columns in order. unit: the column with the privacy unit, None for the row itself."""

    columns: tuple[Column, ...]
    unit: str | None = None

    @property
    def names(self) -> list[str]:
        return [c.name for c in self.columns]

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary that `from_json` reads back."""
        dump = lambda t: t.model_dump(mode="json", exclude_none=True, by_alias=True)  # noqa: E731
        columns = [
            {"name": c.name, "declared": dump(c.declared), "inferred": dump(c.inferred), "storage": c.storage}
            | ({} if c.spelling is None else {"spelling": c.spelling.to_json()})
            for c in self.columns
        ]
        return {"unit": self.unit, "columns": columns}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Schema:
        columns = [
            Column(
                c["name"],
                Traits.model_validate(c["declared"]),
                Traits.model_validate(c["inferred"]),
                c["storage"],
                None if c.get("spelling") is None else Spelling.from_json(c["spelling"]),
            )
            for c in data["columns"]
        ]
        return cls(tuple(columns), data["unit"])
