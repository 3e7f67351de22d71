"""Generate fake values: keys, personal details and texts that are never learned from data.

This module chooses the generator for each kind of column. Values that may repeat are drawn here; unique ones are
numbered (made_unique).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli import seeds
from synthcli.columns import frame as frames
from synthcli.columns import spelling
from synthcli.columns.fake import persons, prose, providers
from synthcli.columns.fake import unique as unique_values
from synthcli.columns.fake.births import Pyramid
from synthcli.columns.fake.check_digits import CHECKS
from synthcli.columns.fake.keyspace import Room, placed
from synthcli.columns.fake.patterns import WORD, Pattern
from synthcli.columns.fake.unique import permute
from synthcli.contracts.schema import Column
from synthcli.errors import SpecError, did_you_mean
from synthcli.wording import agreeing, quantity

__all__ = [
    "BORN",
    "KINDS",
    "MADE",
    "UUID",
    "WINDOW",
    "capacity",
    "check",
    "check_rows",
    "localized",
    "make",
    "permute",
    "unique",
]

KINDS: dict[str, str] = {
    "email": "email",
    "name": "name",
    "first_name": "first_name",
    "last_name": "last_name",
    "username": "user_name",
    "phone": "phone_number",
    "address": "address",
    "street": "street_address",
    "city": "city",
    "postcode": "postcode",
    "state": "administrative_unit",
    "country": "country",
    "country_code": "country_code",
    "company": "company",
    "job": "job",
    "url": "url",
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "mac": "mac_address",
    "iban": "iban",
    "swift": "swift",
    "card": "credit_card_number",
    "ssn": "ssn",
    "license_plate": "license_plate",
    "user_agent": "user_agent",
    "color": "color_name",
    "uuid": "uuid4",
    "date_of_birth": "date_of_birth",
}
NATIONAL_IDS = {
    "es_ES": "nif",
    "de_DE": "rvnr",
    "pt_BR": "cpf",
}  # in these locales Faker's ssn is a different kind of number
MADE = frozenset(KINDS) | {"id", "text", "word"}
WORDS = r"[BDFGKLMNPRSTVZ][aeiou]([bdfgklmnprstvz][aeiou]){1,3}"  # of type word without a look to follow
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
WINDOW = 10_000  # the smallest range of unique integers without a declared max
BORN = ("1935-01-01", "2006-12-31")  # fixed days, so that a seed gives the same bytes next year

_NO_UNIQUE = (
    "unique {} values cannot be promised; "
    r"remedy: a pattern such as [A-Z]{{3}}-\d{{6}}, type: id, or unique: false"
)


def make(
    column: Column,
    start: int,
    rows: int,
    *,
    key: int,
    rng: np.random.Generator,
    room: Room | None = None,
    batch: int = 0,
    sexes: np.ndarray | None = None,
    about: str | None = None,
    births: Pyramid | None = None,
) -> pd.Series:
    """Generate values for positions start..start+rows of the output, with the canonical dtype of the column's storage.

    Unique values and all values of people depend on (key, batch, position, sexes) only, others on (key, rng). room: of
    unique keys, None for all that the column may hold; batch: the seed of the request, so that batches share no key as
    long as the room lasts (keyspace.placed); sexes: of the people in these rows, see persons.make; about: their role,
    by default that of the column's name; births: the pyramid of dates of birth, by default a usual one. Raises what
    `check` raises, and SpecError beyond the capacity.
    """
    check(column)
    check_rows(column, start + rows)
    if _source(column) in persons.PROVIDERS:
        values = _cast(_person(column, start, rows, key, sexes, about), column)
    elif unique(column):
        values = at(column, np.arange(start, start + rows, dtype=np.uint64), key=key, room=room, batch=batch)
    else:
        values = _cast(_any(column, start, rows, _own_key(column, key), births, rng), column)
    share = column.get("nulls")
    return values.mask(rng.random(rows) < share) if share else values


def at(column: Column, positions: np.ndarray, *, key: int, room: Room | None = None, batch: int = 0) -> pd.Series:
    """The unique values at these positions, as `make` generates them. positions: (rows,) uint64"""
    return _cast(_unique(column, positions, _own_key(column, key), room, batch), column)


def _own_key(column: Column, key: int) -> int:
    return seeds.key(key, column.name) % 2**64


def check(column: Column) -> None:
    """Raise SpecError for a bad pattern, an unknown provider or locale, a storage that cannot hold the values, or an
    impossible `unique`.
    """
    where = f"columns.{column.name}"
    source = _source(column)
    if source == "integer":
        low, high, _ = _range(column)
        if low > high:
            raise SpecError(f"{where}: min {low} is above max {high}, or beyond what {column.storage} holds")
    elif source == "pattern":
        pattern = _pattern(column)
        body(column, pattern)
        if unique(column) and pattern.ambiguous:
            raise SpecError(
                f"{where}.pattern: {pattern.text!r} can write the same string in two ways, so its values cannot be"
                " counted as unique; "
                r"remedy: a pattern with one way to read each string, such as [1-9]\d{0,5} for \d+\d?, or unique: false"
            )
        _cast(pattern.sample(50, rng=np.random.default_rng(0)), column)
    elif source == "prose":
        _check_prose(column)
    elif source != "born":
        _check_provider(column, source)
    elif _born(column) and unique(column):
        raise SpecError(f"{where}.unique: dates of birth repeat; remedy: unique: false")


def unique(column: Column) -> bool:
    """Whether values are unique: as declared; by default, only for ids."""
    if column.declared.unique is not None:
        return column.declared.unique
    return column.kind == "id"


def localized(column: Column) -> bool:
    """Whether the column's values come from Faker, so that its locale matters."""
    return _source(column) not in ("integer", "pattern", "born")


def capacity(column: Column) -> int | None:
    """The maximum number of rows; None without a limit (values may repeat)."""
    if not unique(column):
        return None
    source = _source(column)
    if source == "integer":
        low, high, _ = _range(column)
        return high - low + 1
    if source == "pattern":
        return min(body(column, _pattern(column)).size, WORD)
    if source == "name":
        providers.faker_of(column.name, _locale(column))
        return persons.capacity(_locale(column))
    if source == "iban":
        return int(10 ** unique_values.account_run(_pool_of(column, source, 0))[1])
    return _SIZES.get(source, WORD)


_SIZES = {  # how many unique values there are of what is written by number
    "ipv4": unique_values.ADDRESSES,
    "phone_number": unique_values.PHONES,
    "credit_card_number": unique_values.CARDS,
}


def _source(column: Column) -> str:
    """The generator of the column: integer, pattern, born, prose, or a Faker provider."""
    kind, provider = column.kind, column.get("provider")
    numeric = (
        pa.types.is_integer(_plain(column))
        or pa.types.is_floating(_plain(column))
        or pa.types.is_decimal(_plain(column))
    )
    if provider is not None and column.declared.pattern is None:
        return str(provider)
    if column.declared.pattern is not None or (
        column.get("pattern") is not None and not numeric and kind in ("id", "text", "word")
    ):
        return "pattern"
    if kind == "id":
        return "integer" if numeric else "pattern"
    if kind == "date_of_birth":
        return "born"
    if kind in ("uuid", "word"):
        return "pattern"
    if kind == "text":
        return "prose"
    if kind not in KINDS:
        known = ", ".join(sorted(MADE))
        raise SpecError(
            f"columns.{column.name}.type: no generator for {kind!r} values.{did_you_mean(kind, MADE)} Known: {known}"
        )
    return NATIONAL_IDS.get(_locale(column), KINDS[kind]) if kind == "ssn" else KINDS[kind]


def _plain(column: Column) -> pa.DataType:
    type_ = frames.arrow_type(column.storage)
    return type_.value_type if pa.types.is_dictionary(type_) else type_


def _pattern(column: Column) -> Pattern:
    try:
        return Pattern.parse(column.get("pattern") or (WORDS if column.kind == "word" else UUID))
    except SpecError as error:
        raise SpecError(f"columns.{column.name}.{error}") from None


def _any(column: Column, start: int, rows: int, key: int, births: Pyramid | None, rng: np.random.Generator) -> Any:
    """Draw values that may repeat."""
    source = _source(column)
    if source == "pattern":
        made = body(column, _pattern(column)).sample(rows, rng=rng)
        return made if column.get("check") is None else CHECKS[column.get("check")].completed(made)
    if source == "integer":
        low, high, window = _range(column)
        return rng.integers(low, min(high, low + window - 1), size=rows, endpoint=True)
    if source == "born":
        first, last = (int(day.astype(int)) for day in _born(column))
        if births is None:
            return Pyramid.usual(first, last).draw(rows, rng=rng)
        said = column.declared
        first = births.first[0] if said.min is None else first
        last = births.after - 1 if said.max is None else last
        return births.between(first, last).draw(rows, rng=rng)
    if source == "prose":
        exact = column.declared.length is not None
        return prose.make(_locale(column), column.get("length"), rows, exact=exact, rng=rng)
    return providers.repeating(column.name, source, _locale(column), start, rows, key, rng)


def _born(column: Column) -> tuple[np.datetime64, np.datetime64]:
    """The first and last possible day of birth."""
    days = []
    for trait, default in zip(("min", "max"), BORN):
        value = column.get(trait)
        day: Any = pd.to_datetime(default if value is None else str(value), errors="coerce")
        if day is pd.NaT:
            raise SpecError(f"columns.{column.name}.{trait} is {value!r}; expected a date such as 1990-12-31")
        days.append(np.datetime64(day.date(), "D"))
    if days[0] > days[1]:
        raise SpecError(f"columns.{column.name}: min {days[0]} is above max {days[1]}")
    return days[0], days[1]


def _unique(column: Column, positions: np.ndarray, key: int, room: Room | None, batch: int) -> Any:
    """Compute values that are unique across blocks from the row number."""
    source = _source(column)
    if source == "integer":
        return _integers(column, positions, key, room, batch)
    if source == "pattern":
        return _strings(column, positions, key, room, batch)
    if source == "iban":
        pool = _pool_of(column, source, key)
        size = 10 ** unique_values.account_run(pool)[1]
        return unique_values.accounts(pool, placed(positions, size, batch), key)
    positions = placed(positions, _SIZES[source], batch) if source in _SIZES else positions
    if source == "credit_card_number":
        return unique_values.cards(positions, key)
    if source == "ipv4":
        return unique_values.addresses(positions, key)
    return unique_values.numbered(_pool_of(column, source, key), source, positions, key)


def _integers(column: Column, positions: np.ndarray, key: int, room: Room | None, batch: int) -> np.ndarray:
    """Unique integers: of the room while it lasts, then beyond it; else compact ones that count from the minimum."""
    if room is None:
        low, high, window = _range(column)
        size = high - low + 1
        if window == size and size < WORD:  # declared bounds
            positions = placed(positions, size, batch)
        return unique_values.integers(low, high, window, positions, key)
    size = room.size
    inside = positions < np.uint64(size)
    numbers = np.zeros(len(positions), dtype=np.int64)
    numbers[inside] = room.draw(placed(positions[inside], size, batch), key)
    if not inside.all():
        more = (positions[~inside] - np.uint64(size)).astype(np.int64)
        beyond = 10 ** len(str(room.ranges[-1][1]))
        fits = beyond + int(more.max()) < 2**63  # else downwards from the lowest
        numbers[~inside] = beyond + more if fits else room.ranges[0][0] - 1 - more
    if (name := column.get("check")) is None:
        return numbers
    bodies = numbers.astype(str).astype(object)
    done = np.zeros(len(numbers), dtype=np.int64)
    lengths = np.array([len(b) for b in bodies], dtype=np.int64)
    for length in np.unique(lengths):
        here = lengths == length
        done[here] = CHECKS[name].completed(bodies[here]).astype(np.int64)
    return done


def _strings(column: Column, positions: np.ndarray, key: int, room: Room | None, batch: int) -> np.ndarray:
    """Unique strings of the pattern, with its check digits: of the room while it lasts, then of the rest."""
    pattern = body(column, _pattern(column))
    if room is None:
        size = min(pattern.size, WORD)
        made = unique_values.strings(pattern, placed(positions, size, batch) if size > 1 else positions, key)
    else:
        size, rest = room.size, room.beside(pattern.size)
        inside = positions < np.uint64(size)
        index = np.zeros(len(positions), dtype=np.int64)
        index[inside] = room.draw(placed(positions[inside], size, batch), key)
        if not inside.all():
            index[~inside] = rest.draw(positions[~inside] - np.uint64(size), key)
        made = pattern.nth(index)
    name = column.get("check")
    return made if name is None else CHECKS[name].completed(made)


def body(column: Column, pattern: Pattern) -> Pattern:
    """The pattern without the places of the check digits. Raises SpecError if it has strings of different lengths."""
    if (name := column.get("check")) is None:
        return pattern
    places = pattern.places
    found = None if places is None else pattern.without(CHECKS[name].at(len(places)))
    if found is None:
        raise SpecError(
            f"columns.{column.name}.check: the check digits of {name} need strings of one length; remedy: a pattern"
            r" without alternatives, such as \d{10}"
        )
    return found


def stripped(column: Column, words: pd.Series) -> pd.Series:
    """Strings of one length without their check digits."""
    if (name := column.get("check")) is None or not len(words):
        return words
    places = CHECKS[name].at(len(words.iloc[0]))
    return words.str[: places[0]] + words.str[places[-1] + 1 :]


def bodies(column: Column, numbers: np.ndarray) -> np.ndarray:
    """Integers without their check digit."""
    return numbers if column.get("check") is None else numbers // 10


def bounds(column: Column) -> tuple[int, int]:
    """The lowest and the highest integer that the column may hold; without its check digit."""
    low, high, _ = _range(column)
    return low, high if column.get("check") is None else high // 10


def _range(column: Column) -> tuple[int, int, int]:
    """The lowest and highest integer, and the size of the window that rows fill before the next one begins.

    With a declared max the window is the whole range. Without one, numbers stay compact: rows fill the inferred range
    (10,000 numbers at least) at random, then the next range of that size, and so on, so that N rows take numbers below
    about N or 10,000.
    """
    plain = _plain(column)
    bits = plain.bit_width if pa.types.is_integer(plain) else 54
    signed = not pa.types.is_integer(plain) or pa.types.is_signed_integer(plain)
    smallest, largest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, min(2**bits, 2**63) - 1)
    low = max(int(_bound(column, "min", 1)), smallest)
    high = min(
        int(_bound(column, "max", largest)) if column.declared.max is not None else largest, largest, low + WORD - 1
    )
    if column.declared.max is not None:
        return low, high, high - low + 1
    inferred = column.inferred.max
    return low, high, min(max(int(inferred) - low + 1 if inferred is not None else 0, WINDOW), high - low + 1)


def _bound(column: Column, trait: str, default: int) -> float:
    value = column.get(trait)
    if value is None:
        return default
    try:
        return float(value) if abs(float(value)) < 2**53 else int(value)
    except (ValueError, OverflowError):
        raise SpecError(f"columns.{column.name}.{trait} is {value!r}; expected an integer") from None


def is_person(column: Column) -> bool:
    """Whether the column's values are names, e-mails or logins of people."""
    return column.kind in MADE and _source(column) in persons.PROVIDERS


def _person(column: Column, start: int, rows: int, key: int, sexes: np.ndarray | None, about: str | None) -> np.ndarray:
    """Names, e-mails and logins of the people at these positions."""
    positions = np.arange(start, start + rows, dtype=np.uint64)
    about, once = persons.role(column.name) if about is None else about, unique(column)
    return persons.make(_source(column), _locale(column), about, positions, key, unique=once, sexes=sexes)


def _locale(column: Column) -> str:
    """The column's locale as Faker spells it."""
    return str(column.get("locale") or "en_US").replace("-", "_")


def _pool_of(column: Column, provider: str, key: int) -> np.ndarray:
    return providers.pool(column.name, provider, _locale(column), key)


def _check_provider(column: Column, provider: str) -> None:
    providers.check(column.name, provider, _locale(column))
    if unique(column) and provider not in unique_values.PROVIDERS:
        raise SpecError(f"columns.{column.name}.unique: {_NO_UNIQUE.format(provider)}")
    _cast(providers.pool(column.name, provider, _locale(column), 0, size=20), column)


def _check_prose(column: Column) -> None:
    where, lengths = f"columns.{column.name}", column.get("length")
    if lengths is not None and list(lengths) != sorted(lengths):
        raise SpecError(
            f"{where}.length is {list(lengths)}; expected ascending numbers of characters, such as [20, 200]"
        )
    if unique(column):
        raise SpecError(f"{where}.unique: {_NO_UNIQUE.format('text')}")
    providers.faker_of(column.name, _locale(column))
    _cast(prose.make(_locale(column), lengths, 1, exact=True, rng=np.random.default_rng(0)), column)


def check_rows(column: Column, rows: int) -> None:
    """Raise SpecError if the column cannot be generated for that many rows."""
    room = capacity(column)
    if room is None or rows <= room:
        return
    source = _source(column)
    what = (
        f"its pattern {_pattern(column).text!r}"
        if source == "pattern"
        else "its range"
        if source == "integer"
        else f"type {column.kind}"
    )
    remedy = {"pattern": "a longer pattern", "integer": "a larger max"}.get(source, "a pattern")
    raise SpecError(
        f"columns.{column.name}: {what} has {quantity(room, 'unique value')}, but {quantity(rows, 'row')}"
        f" {agreeing(rows, 'is', 'are')} requested; remedy: {remedy}, or unique: false"
    )


def _cast(values: Any, column: Column) -> pd.Series:
    """Convert values to the canonical dtype of the storage. Raises SpecError for values that do not fit."""
    type_, values = _plain(column), pd.Series(values).reset_index(drop=True)
    try:
        if pa.types.is_boolean(type_):
            return values.astype("boolean")
        if pa.types.is_integer(type_):
            return _whole(values)
        if pa.types.is_floating(type_) or pa.types.is_decimal(type_):
            return pd.to_numeric(values).astype("float64")
        if pa.types.is_timestamp(type_) or pa.types.is_date(type_):
            unit = type_.unit if pa.types.is_timestamp(type_) else "s" if pa.types.is_date32(type_) else "ms"
            zone = type_.tz if pa.types.is_timestamp(type_) else None
            moments = pd.to_datetime(values).dt.as_unit(unit)
            return moments.dt.tz_localize(zone) if zone and moments.dt.tz is None else moments
    except (ValueError, TypeError) as error:
        raise SpecError(
            f"columns.{column.name}: generates values such as {values.iloc[0]!r}, but the column is stored as"
            f" {column.storage}; remedy: a pattern or a provider of that type"
        ) from error
    if pd.api.types.is_datetime64_dtype(values.dtype):
        form = (column.get("format") or "%Y-%m-%d").partition("|")[0]
        values = spelling.written(values.dt.tz_localize("UTC") if "%z" in spelling.readable(form) else values, form)
    if not (
        pa.types.is_string(type_)
        or pa.types.is_large_string(type_)
        or pa.types.is_string_view(type_)
        or pa.types.is_null(type_)
    ):
        raise SpecError(
            f"columns.{column.name}: type {column.kind} cannot be generated for a column stored as {column.storage}"
        )
    return pd.Series(pd.array(values.astype(str), dtype=frames.STRING))


def _whole(values: pd.Series) -> pd.Series:
    words = values.astype(str)
    if pd.api.types.is_integer_dtype(values.dtype):
        return values.astype("Int64")
    if not words.str.fullmatch(
        r"0|-?[1-9]\d{0,17}"
    ).all():  # a leading zero would be lost, and two strings could become one number
        raise ValueError(words.iloc[0])
    return values.astype(str).astype("int64").astype("Int64")
