"""Draw values of Faker's providers that may repeat: phones, addresses, sentences and the like."""

from __future__ import annotations

import datetime
import decimal
from functools import lru_cache
from typing import Any

import numpy as np

from synthcli import seeds
from synthcli.errors import SpecError, did_you_mean

POOL = 3_000  # values of a provider that has few different ones: drawn once per column, then sampled
FRESH = 200_000  # rows whose values are drawn one by one, which takes up to 0.1 ms each
MANY = 20_000  # values that the rows beyond FRESH sample
_TRIED = 200  # values by which `_few` judges a provider


def repeating(
    name: str, provider: str, locale: str, start: int, rows: int, key: int, rng: np.random.Generator
) -> np.ndarray:
    """Values of the provider for positions start..start+rows of the output. (rows,) object. name: of the column

    Up to FRESH rows each value is drawn by itself, so that values repeat only by chance.
    """
    if _few(name, provider, locale):
        return pool(name, provider, locale, key)[rng.integers(POOL, size=rows)]
    fresh = min(max(FRESH - start, 0), rows)
    seed = seeds.key(key, name, provider, locale, seeds.fork(rng), seeds.fork(rng))
    values = _draw(name, provider, locale, seed, fresh)
    if fresh == rows:
        return values
    return np.concatenate([values, pool(name, provider, locale, key, MANY)[rng.integers(MANY, size=rows - fresh)]])


@lru_cache(maxsize=256)
def _few(name: str, provider: str, locale: str) -> bool:
    """Whether a provider has so few different values that drawing each row by itself gives hardly more of them."""
    return len(set(_draw(name, provider, locale, 0, _TRIED))) < 0.9 * _TRIED


@lru_cache(maxsize=64)
def pool(name: str, provider: str, locale: str, key: int, size: int = POOL) -> np.ndarray:
    """Values of the provider, drawn once for a key. (size,) object"""
    return _draw(name, provider, locale, seeds.key(key, name, provider, locale), size)


def _draw(name: str, provider: str, locale: str, seed: int, size: int) -> np.ndarray:
    """Draw values of the provider. (size,) object"""
    fake = faker_of(name, locale)
    fake.seed_instance(seed)
    draw = getattr(fake, provider)
    values = np.empty(size, dtype=object)
    values[:] = [_spelled(draw()) for _ in range(size)]
    return values


def _spelled(value: Any) -> Any:
    return value.replace("\n", ", ") if isinstance(value, str) else value


@lru_cache(maxsize=16)
def faker_of(name: str, locale: str) -> Any:
    """The Faker of a locale. Raises SpecError for an unknown one. name: of the column"""
    import faker
    import faker.providers.person
    from faker.config import AVAILABLE_LOCALES

    wanted = locale.replace("-", "_")
    if wanted not in AVAILABLE_LOCALES:
        raise SpecError(
            f"columns.{name}.locale: Faker has no locale {locale!r}.{did_you_mean(wanted, sorted(AVAILABLE_LOCALES))}"
        )
    fake = faker.Faker(wanted)
    for provider in fake.get_providers():
        if isinstance(provider, faker.providers.person.Provider):
            provider.__use_weighting__ = False  # its lists are long, and drawing by weight reads the whole of them
    return fake


@lru_cache(maxsize=256)
def check(name: str, provider: str, locale: str) -> None:
    """Raise SpecError for an unknown provider or locale, or one without plain values. name: of the column"""
    fake = faker_of(name, locale)
    known = {n for p in fake.get_providers() for n in dir(p) if not n.startswith("_") and callable(getattr(p, n))}
    if provider not in known:
        raise SpecError(
            f"columns.{name}.provider: Faker has no provider {provider!r} for"
            f" {locale}.{did_you_mean(provider, sorted(known))}"
        )
    try:
        value = getattr(fake, provider)()
    except TypeError:
        value = None
    if not isinstance(value, str | int | float | decimal.Decimal | datetime.date | datetime.timedelta):
        raise SpecError(
            f"columns.{name}.provider: {provider} does not generate plain values; remedy: another provider, or a"
            " pattern"
        )
