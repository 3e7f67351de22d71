"""Decide whether the rows of a table are people, or places, dates and aggregates: an age is personal, a mean age is
not.

It weighs evidence against people (a different place in each row, a calendar, populations, shares, averages that hardly
vary) and for people (direct identifiers, keys of people, sex, ages in years).
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pandas as pd

from synthcli.columns import words
from synthcli.columns.pii import headers as pii_headers
from synthcli.columns.pii import names

ENOUGH = 2.0  # minimum weight to conclude that the rows are not people
LEAST_ROWS = 5
_PLACES = words.listed("""
    state country county city region province district tract neighborhood neighbourhood municipality prefecture
    location place area zone
    community fips cnty geoid borough parish ward canton commune nation territory bundesland landkreis gemeinde stadt
    departement ville pays
    provincia municipio ciudad comune citta gemeente wojewodztwo powiat gmina estado cidade
    """)
_TIMES = frozenset(
    words.listed(
        "year yr quarter qtr month mon yyyymm period date week wk day time decade jahr monat quartal datum annee mois"
        " ano mes anno mese jaar rok"
    )
)
_SUMS = words.listed("""
    population popul pops inhabitant einwohner bevolkerung habitant abitant households gdp gnp percap unemp births
    deaths mortality fertility
    density lifeexp homicid crime illitera emigr immigrants
    """)
_THINGS = {  # words in column names that indicate other subjects, and their weight
    # animals have a sex and an age too
    **dict.fromkeys(words.listed("species animal mouse mice rat breed specimen strain litter plant"), 5.0),
    **dict.fromkeys(words.listed("isbn sku vin centroid polygon geometry wkt"), 3.0),
    **dict.fromkeys(words.listed("perimeter shape"), 2.0),
    **dict.fromkeys(
        words.listed(
            "sqft bedrooms bathrooms nroom nbath garage mpg horsepower cylinders mileage engine torque displacement"
        ),
        1.5,
    ),
    **dict.fromkeys(words.listed("price area rooms lot stock model weight_kg"), 1.0),
}
_WHOLE_SUMS = frozenset({"pop", "capita", "100k"})
_OF_MANY = frozenset(
    words.listed(
        "pct percent percentage perc share rate ratio avg average mean median total number proportion prop mittel"
        " moyenne media"
    )
)
_SHARE_PREFIXES = ("per", "pct", "perc", "pc")
_NO_SHARES = ("person", "period", "perform", "permi", "permanent", "perimeter", "perc", "percent", "peri")
_KINDS = frozenset({"age", "sex", "income", "education", "marital_status", "job", "nationality"})


def no_people(frame: pd.DataFrame, kinds: Mapping[str, Sequence[str]]) -> str | None:
    """A phrase for the reason why the rows are places, dates or aggregates; None if they may be people. kinds: the
    guessed kind of each column.
    """
    if len(frame) < LEAST_ROWS:
        return None
    signs = [
        *_keys(frame),
        *_things(frame),
        *(sign for name in frame.columns for sign in _column(frame[name], str(name), kinds.get(str(name), ()))),
    ]
    against = [(weight, why) for weight, why in signs if weight > 0]
    if sum(weight for weight, _ in signs) < ENOUGH:
        return None
    return "; ".join(dict.fromkeys(why for _, why in sorted(against, key=lambda s: -s[0])[:3]))


def _keys(frame: pd.DataFrame) -> list[tuple[float, str]]:
    """Evidence that a place, a date, or both identify each row."""
    places = [c for c in frame.columns if _is_place(frame[c], str(c))]
    times = [c for c in frame.columns if set(words.tokens(str(c))) & _TIMES and frame[c].notna().all()]
    for column in places:
        if frame[column].nunique() >= 0.95 * len(frame):
            return [(2.0, f"each row has a different {column}")]
    for column in times:
        if _is_calendar(frame[column]):
            return [(2.0, f"{column} advances evenly from row to row")]
    for place in places:
        for time in times:
            cells = frame[place].nunique() * frame[time].nunique()  # cells of a grid that the rows nearly fill
            if (
                0.6 * cells <= len(frame)
                and frame[place].nunique() < 0.6 * len(frame)
                and not frame.duplicated([place, time]).any()
            ):
                return [(3.0, f"each row has a different combination of {place} and {time}")]
    return []


def _things(frame: pd.DataFrame) -> list[tuple[float, str]]:
    """Evidence from columns that describe things, not people."""
    found = []
    for name in map(str, frame.columns):
        spelled = [part for part in words.tokens(name) if not part.isdigit()]
        weights = [_THINGS.get(part, 0.0) for part in spelled]
        found.append((max((w for w in weights if w >= 3 or len(spelled) == 1), default=0.0), name))
    return [(weight, f"{name} describes a thing") for weight, name in found if weight]


def _is_place(values: pd.Series, name: str) -> bool:
    """Whether a column holds places, by its name or by known names of countries and states."""
    if values.isna().mean() > 0.05 or values.dtype.kind in "fbMm":
        return False
    spelled = words.tokens(name)
    said = any(part == place or (len(place) > 4 and part.startswith(place)) for part in spelled for place in _PLACES)
    if not said and pd.api.types.is_numeric_dtype(values.dtype):
        return False
    if said and not set(spelled) & {"birth", "born", "home", "address", "delivery", "shipping", "billing"}:
        return True
    distinct = pd.Series(values.astype(str).unique()[: names.MOST])
    return len(distinct) >= LEAST_ROWS and float(distinct.isin(_known_places()).mean()) >= 0.6


def _is_calendar(values: pd.Series) -> bool:
    """Whether dates advance by the same step from row to row."""
    if len(values) < 8 or not values.is_unique:
        return False
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        steps = np.diff(values.to_numpy(dtype="datetime64[s]").astype(np.int64)) / 86_400
        return bool(
            len(steps)
            and np.ptp(steps) <= 0.15 * max(abs(float(np.median(steps))), 1.0) + 3.0
            and float(np.median(np.abs(steps))) >= 1
        )
    numbers = pd.to_numeric(values, errors="coerce")
    steps = np.diff(numbers.to_numpy(dtype=float, na_value=np.nan))
    return bool(len(steps) and np.isfinite(steps).all() and np.allclose(steps, steps[0]) and steps[0] != 0)


def _column(values: pd.Series, name: str, kinds: Sequence[str]) -> list[tuple[float, str]]:
    """Evidence about the rows from one column."""
    spelled = words.tokens(name)
    if any(
        kind in kinds
        for kind in (
            "email",
            "phone",
            "iban",
            "card",
            "name",
            "first_name",
            "last_name",
            "date_of_birth",
            "username",
            "ssn",
        )
    ):
        return [(-4.0, "")]
    if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        return (
            [(-2.0, "")]
            if "sex" in kinds and values.nunique() <= 4
            else [(-1.0, "")]
            if set(kinds) & {"marital_status", "education"}
            else []
        )
    known = values.dropna().to_numpy(dtype=float)
    known = known[np.isfinite(known)]
    if len(np.unique(known)) <= 2:
        return [(-2.0, "")] if "sex" in kinds else []
    if (set(spelled) & _WHOLE_SUMS and known.max() > 20) or any(part.startswith(_SUMS) for part in spelled):
        return [(2.0 if np.median(known) > 100 and (known % 1 == 0).all() else 1.0, f"{name} describes many people")]
    rest = "".join(part for part in spelled if part not in _OF_MANY)
    of_many = (
        set(spelled) & _OF_MANY and rest and ((told := pii_headers.called(rest)) is not None and told.kind in _KINDS)
    )
    share = known.min() >= 0 and known.max() <= 100 and (known % 1 != 0).any()
    if of_many or (
        share and any(p.startswith(_SHARE_PREFIXES) and len(p) > 5 and not p.startswith(_NO_SHARES) for p in spelled)
    ):
        return [(1.0, f"{name} is a share or an average")]
    return _spread(known, name, kinds)


def _spread(known: np.ndarray, name: str, kinds: Sequence[str]) -> list[tuple[float, str]]:
    """Evidence from the spread of ages and incomes: those of people vary more than averages."""
    mean = abs(float(known.mean()))
    relative = float(known.std()) / mean if mean > 0 else 0.0
    if "age" in kinds:
        if (known % 1 != 0).mean() > 0.5 and relative < 0.15:
            return [(1.0, f"{name} varies as averages do")]
        return [(-1.0, "")]
    if "income" in kinds and len(np.unique(known)) >= 15 and relative < 0.3:
        return [(1.0, f"{name} varies as averages do")]
    return [(-1.0, "")] if set(kinds) & {"sex", "marital_status", "education", "job"} else []


@cache
def _known_places() -> frozenset[str]:
    """Names and codes of countries, and of the states of many of them, from Faker's lists."""
    found = set[str]()
    for locale in names.COMMON:
        try:
            provider = importlib.import_module(f"faker.providers.address.{locale}").Provider
        except ModuleNotFoundError:
            continue
        for attribute in (
            "countries",
            "states",
            "states_abbr",
            "regions",
            "counties",
            "administrative_units",
            "provinces",
        ):
            listed = getattr(provider, attribute, ())
            found.update(str(one) for one in listed if isinstance(listed, tuple | list) and isinstance(one, str))
    from faker.providers.date_time import Provider as Dates

    for country in Dates.countries:
        found.update((country.name, country.alpha_2_code, country.alpha_3_code))
    return frozenset(found)
