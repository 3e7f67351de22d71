"""Find the columns that identify rows or entities by what they hold: nearly unique values, or values that join the rows
of one entity, of a regular shape.

A measured quantity that happens to be unique is no key. Its values are neither a dense range nor of one fixed width,
they are spread unevenly or rounded, or they are related to other columns. A name is weak evidence for both.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns import spelling, words
from synthcli.columns.discovery import shapes
from synthcli.columns.pii import detect
from synthcli.contracts.schema import Column, Schema, Traits

LEAST = 20  # rows, and distinct values of a key
MANY = 50  # distinct values of a key of numbers that is not named like one, or that repeats
PEOPLE = 10  # distinct values of a key that repeats and is named after people
UNIQUE = 0.9  # distinct values, as a share of rows, of a key that names rows
ROWS = 20_000  # rows that relations between columns are examined on
DENSE = 0.5  # share of a range that serial numbers fill
EVEN = 0.1  # largest distance of the distribution of numbers of one width from the uniform one
NARROW = frozenset({"int8", "uint8", "int16", "uint16"})  # types with too few numbers to make other keys of
ENOUGH = 1.5  # evidence for a key of numbers
MONOTONE = 0.8  # correlation from which a column follows from numbers instead of describing the entities they name
RELATED = 0.15  # correlation with another column that indicates a quantity

ACCOUNTS = frozenset(
    words.listed(
        "account acct konto compte cuenta conto rekening patient person customer client member user subject kunde"
        " employee policy contract vertrag ticket invoice rechnung order token barcode serial matricule matricola"
        " expediente doctor physician provider arzt player"
    )
)
NAMED = re.compile(  # the ends of words in camelCase tell case apart: paid and grid are no ids
    r"(?i:(^|[_\W])(id|ids|key|uuid|guid|uid|mrn|ref|nbr|iban|sku|isbn|ean|gtin|vin|imei)$)|[a-z](Id|ID)$"
    r"|(?i:\w\w[ _-]?(nummer|number|n[uú]mero|num[eé]ro|numer|nbr)$|\w[ _-](no|nr|num)$)|[a-z](Nr|nr)$"
    r"|(?i:^(id|uuid|key)[_\W])"
    rf"|(?i:({'|'.join(sorted(ACCOUNTS))})[ns]?(id|ids|no|nr)$)"
)
_QUANTITIES = frozenset(
    words.listed(
        "amount price cost income salary wage revenue sales total sum count qty quantity population pop weight height"
        " distance km miles area sqft age year month week day hour minute second seconds time times date timestamp ts"
        " epoch duration elapsed step score rank rating balance limit fee tax profit size length width depth"
        " temperature temp pressure"
        " value lat lon latitude longitude level votes views likes followers clicks rate volume speed capacity budget"
        " visits points goals calories bytes elevation altitude"
        " betrag preis gewicht anzahl menge jahr monat zeit datum umsatz"
        " einkommen montant prix poids annee importe precio peso importo prezzo anno"
    )
)
_NUMBERED = frozenset(words.listed("id ids key uuid no nr num nbr number nummer numero code ref the of de"))
_OTHERS = frozenset({"postcode", "latitude", "longitude", "date_of_birth", "birth_year", "age", "income", "phone"})


@dataclass(frozen=True)
class Key:
    """A column that is a key. repeats: whether it joins several rows; why: a phrase without values."""

    column: str
    repeats: bool
    why: str


def find(schema: Schema, frame: pd.DataFrame, *, learned: Collection[str] = ()) -> dict[str, Key]:
    """The keys among the columns that the spec leaves open. frame: canonical rows of the train part; learned: columns
    that the spec uses as values, which are never keys.
    """
    open_ = [c for c in schema.columns if _open(c) and c.name != schema.unit and c.name not in learned]
    found = (_key(column, frame) for column in open_)
    return {key.column: key for key in found if key is not None}


def as_ids(schema: Schema, found: Collection[str]) -> Schema:
    """The schema with these columns as ids, whose other traits are inferred later."""
    return replace(
        schema,
        columns=tuple(
            replace(c, inferred=Traits(type="id", unique=True)) if c.name in found else c for c in schema.columns
        ),
    )


def _open(column: Column) -> bool:
    """Whether a column may be a key: one that would be learned, or made up as text, and that the spec leaves open."""
    said = column.declared.model_fields_set - {"nulls", "unique"}
    if column.storage in NARROW:
        return False
    return not said and column.kind in ("integer", "float", "category", "text", "word")


def _key(column: Column, frame: pd.DataFrame) -> Key | None:
    values = frame[column.name]
    known = values.dropna()
    distinct = int(known.nunique())
    if len(known) < max(LEAST, 0.5 * len(values)) or distinct < PEOPLE:
        return None
    if known.dtype == "float64" and bool(((known % 1 == 0) & (known.abs() < 2**53)).all()):
        known = known.astype("Int64")  # integers that became floats because of nulls
    if known.dtype not in ("Int64", frames.STRING):
        return None
    if any(
        g.kind in _OTHERS and g.by != "content" and g.confidence >= detect.SURE
        for g in detect.detect(known, column.name)
    ):
        return None
    regular = _integers if known.dtype == "Int64" else _strings
    if distinct >= UNIQUE * len(known):
        few = LEAST if known.dtype == frames.STRING or named(column.name) else MANY
        why = regular(column.name, known, frame, unique=True) if distinct >= few else None
        return None if why is None else Key(column.name, False, f"nearly every row has its own value, {why}")
    least = PEOPLE if of_entities(column.name) else LEAST if known.dtype == frames.STRING else MANY
    if distinct < least or (why := regular(column.name, known, frame, unique=False)) is None:
        return None
    each = len(known) / distinct
    return Key(column.name, True, f"{distinct:,} values join {each:.1f} rows each, {why}")


def named(name: str) -> bool:
    """Whether a column is named like a key."""
    return bool(NAMED.search(name)) or of_entities(name)


def of_entities(name: str) -> bool:
    """Whether a column is named after people or accounts alone, such as customer or player_id, not doctor_visits."""
    parts = {part for part in words.tokens(name) if not part.isdigit()}
    rest = parts - ACCOUNTS
    return bool(parts & ACCOUNTS) and rest <= _NUMBERED


def measured(name: str) -> bool:
    """Whether a column is named like a quantity or a time."""
    return bool(set(words.tokens(name)) & _QUANTITIES) and not NAMED.search(name)


# --- strings


def _strings(name: str, known: pd.Series, frame: pd.DataFrame, *, unique: bool) -> str | None:
    """Why strings are keys: codes of one shape. None if they are not."""
    distinct = known.drop_duplicates()
    shape = shapes.codes(distinct)
    if shape is None or spelling.date_like(distinct) or measured(name):
        return None
    why = "codes of one shape"
    if unique:
        return why
    if NAMED.search(name) or (named(name) and not _vocabulary(shape)):
        return f"{why}, named like a key"
    digits = distinct.str.count("[0-9]").median()
    if _vocabulary(shape) or digits < 3:
        return None
    if len(distinct) >= MANY and digits >= 4:
        return why
    joined = constant(known, frame)
    return f"{why}; {joined[0]} is constant in each" if joined else None


def _vocabulary(shape: str) -> bool:
    """Whether short codes with varying letters are those of a classification, such as ICD-10, and not of entities."""
    plain = re.sub(r"\[[^]]*\]|\\.", "x", shape)
    length = len(re.sub(r"\{[^}]*\}", "", plain)) + sum(int(n) - 1 for n in re.findall(r"(\d+)\}", plain))
    return bool(re.search(r"\[A-Z|\[a-z", shape)) and length <= 7


# --- integers


def _integers(name: str, known: pd.Series, frame: pd.DataFrame, *, unique: bool) -> str | None:
    """Why integers are keys: serial numbers, or evenly spread numbers of one width. None if they are not."""
    numbers = np.unique(known.to_numpy(dtype=np.int64))
    if _calendar(numbers, name):
        return None
    step = int(np.gcd.reduce(np.diff(numbers)))
    serial = len(numbers) >= DENSE * ((int(numbers[-1]) - int(numbers[0])) // step + 1)
    wide, even = _width(numbers), _even(numbers)
    shape = "serial numbers" if serial else f"numbers of {wide} digits" if wide else "numbers"
    evidence = -3.0 * measured(name) + 2.0 * named(name)
    if unique:
        evidence += 3.0 if serial else (1.5 if wide >= 5 and even else 0.0) + (0.5 if wide >= 7 and even else 0.0)
        if not serial:
            evidence -= 2.0 * _rounded(numbers, step) + 2.0 * _related(known, frame)
        return shape if evidence >= ENOUGH else None
    if measured(name) or not (serial or wide >= 4 or named(name)):
        return None
    if named(name):
        return f"{shape}, named like a key"
    if (wide >= 6 and even and not _rounded(numbers, step)) or (wide >= 5 and serial):
        return shape
    joined = [c for c in constant(known, frame) if not _follows(known, frame[c])] if serial or even else []
    return f"{shape}; {joined[0]} is constant in each" if joined else None


def _width(numbers: np.ndarray) -> int:
    """The number of digits that all numbers have; 0 if they differ."""
    low, high = int(numbers[0]), int(numbers[-1])
    return len(str(low)) if low > 0 and len(str(low)) == len(str(high)) else 0


def _even(numbers: np.ndarray) -> bool:
    """Whether distinct numbers are spread evenly between their ends, as drawn or counted ones. Kolmogorov-Smirnov."""
    floats = numbers.astype(float)  # a difference of integers may not fit 64 bits
    place = (floats - floats[0]) / max(1.0, floats[-1] - floats[0])
    expected = np.arange(1, len(place) + 1) / len(place)
    return bool(np.abs(place - expected).max() <= max(EVEN, 1.4 / np.sqrt(len(place))))


def _rounded(numbers: np.ndarray, step: int) -> bool:
    """Whether more numbers are multiples of ten than chance gives."""
    tens = float((numbers % 10 == 0).mean())
    return step % 10 != 0 and tens > 0.1 * (10 if step % 5 == 0 else 1) + 0.15


def _calendar(numbers: np.ndarray, name: str) -> bool:
    """Whether numbers are years, dates such as 20240131, or seconds since 1970."""
    low, high = int(numbers[0]), int(numbers[-1])
    if low >= 1700 and high <= 2100:
        return True
    if low >= 17_000_101 and high <= 21_001_231:
        month, day = numbers // 100 % 100, numbers % 100
        return bool(((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).mean() > 0.98)
    epoch = any(6e8 * scale <= low and high <= 2.2e9 * scale for scale in (1, 10**3, 10**6, 10**9))
    return epoch and not named(name)


# --- relations to other columns


def _follows(known: pd.Series, other: pd.Series) -> bool:
    """Whether another column rises or falls with numbers, as pounds do with kilograms and an age group with an age."""
    rows = known.index[:: max(1, len(known) // ROWS)]
    return _association(known.loc[rows].rank().to_numpy(dtype=float), other.loc[rows]) >= MONOTONE


def _related(known: pd.Series, frame: pd.DataFrame) -> bool:
    """Whether numbers are related to another column than a time: a quantity is, a key is not."""
    rows = known.index[:: max(1, len(known) // ROWS)]
    mine = known.loc[rows].rank().to_numpy(dtype=float)
    least = max(RELATED, 4.5 / np.sqrt(len(rows)))
    for other in frame.columns:
        if other == known.name or pd.api.types.is_datetime64_any_dtype(frame[other].dtype):
            continue
        theirs = frame[other].loc[rows]
        counted = theirs.nunique() >= UNIQUE * len(rows) and theirs.dtype != "float64"
        varies = theirs.nunique() > 1 and (not counted or _measures(other, theirs, str(known.name)))
        if varies and _association(mine, theirs) >= least:
            return True
    return False


def _measures(name: str, values: pd.Series, own: str) -> bool:
    """Whether nearly unique integers may be a quantity that others go with: neither is named like a key, and they are
    no serial numbers.
    """
    if values.dtype != "Int64" or named(name) or named(own):
        return False
    numbers = values.dropna().to_numpy(dtype=np.int64)
    return len(numbers) < DENSE * (int(numbers.max()) - int(numbers.min()) + 1)


def _association(ranks: np.ndarray, other: pd.Series) -> float:
    """Spearman's correlation with numbers; the correlation ratio of ranks, less what chance gives, with categories."""
    known = other.notna().to_numpy()
    mine, theirs = ranks[known], other[known]
    if len(mine) < LEAST:
        return 0.0
    if pd.api.types.is_numeric_dtype(theirs.dtype) and not pd.api.types.is_bool_dtype(theirs.dtype):
        pair = np.corrcoef(mine, theirs.rank().to_numpy(dtype=float))[0, 1]
        return float(abs(pair)) if np.isfinite(pair) else 0.0
    codes = pd.factorize(theirs)[0]
    counts, sums = np.bincount(codes), np.bincount(codes, weights=mine)
    if len(counts) > len(mine) / 5:
        return 0.0
    between = float((sums**2 / np.maximum(counts, 1)).sum() / len(mine) - mine.mean() ** 2)
    share = between / max(float(mine.var()), 1e-12)
    chance = (len(counts) - 1) / max(len(mine) - 1, 1)
    return float(np.sqrt(max(share - chance, 0.0)))


def constant(known: pd.Series, frame: pd.DataFrame) -> tuple[str, ...]:
    """The columns that are constant given a key that repeats, although they vary between rows; () if they are too few
    to tell.
    """
    rows = known.index[: 5 * ROWS]
    codes = pd.factorize(known.loc[rows])[0]
    order = np.argsort(codes, kind="stable")
    some = frame.loc[rows].iloc[order]
    pairs = np.flatnonzero(np.diff(codes[order]) == 0)
    agree = {c: _agreeing(some[c], pairs) for c in some if c != known.name}
    if not agree:
        return ()
    differ = ~np.logical_and.reduce(list(agree.values()))  # rows that occur twice say nothing
    if differ.sum() < LEAST:
        return ()
    chance = {c: float((some[c].value_counts(normalize=True, dropna=False) ** 2).sum()) for c in agree}
    fixed = [c for c, same in agree.items() if same[differ].mean() >= 0.995 and chance[c] <= 0.6]
    return tuple(fixed) if len(fixed) >= 2 or any(chance[c] <= 0.3 for c in fixed) else ()


def _agreeing(values: pd.Series, pairs: np.ndarray) -> np.ndarray:
    """Whether a row and the next one hold the same value. pairs: positions of the first rows."""
    codes = pd.factorize(values)[0]
    return codes[pairs] == codes[pairs + 1]
