import numpy as np
import pandas as pd
import pytest

from synthcli.columns import frame as frames
from synthcli.columns.codec.categorical import Made
from synthcli.columns.codec.domain import MadeDomain
from synthcli.columns.codec.see import see
from synthcli.columns.fake import generate as fake
from synthcli.columns.fake.births import HELD, Pyramid
from synthcli.contracts.schema import Column, Traits

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


@pytest.fixture(scope="module")
def born() -> pd.Series:
    """Dates of birth of two crowds, the old and the young, and of one person of 1901."""
    rng = np.random.default_rng(0)
    years = np.where(rng.random(3_000) < 0.7, rng.normal(1948, 6, 3_000), rng.normal(2012, 4, 3_000))
    days = pd.to_datetime("1970-01-01") + pd.to_timedelta(((years - 1970) * 365.25).round(), unit="D")
    days = days.where(days < "2024-05-17", pd.Timestamp("2024-05-17"))
    return pd.Series([*days, pd.Timestamp("1901-02-03")]).astype("datetime64[s]")


def made(column: Column, values: pd.Series, rows: int = 4_000) -> pd.Series:
    domain = see(column, values)
    assert isinstance(domain, MadeDomain)
    codec = Made.from_json(Made.from_domain(column, domain).to_json())
    return codec.make(column, 0, rows, key=1, rng=np.random.default_rng(2))


def column(**traits: str) -> Column:
    return Column("born", Traits(type="date_of_birth", **traits), storage="date32[day]")


def test_made_up_dates_of_birth_keep_the_pyramid_of_the_source(born: pd.Series) -> None:
    out = made(column(), born)
    for q in QUANTILES:
        assert abs(out.quantile(q) - born.quantile(q)) < pd.Timedelta(days=400), q
    assert out.dt.year.between(1975, 1990).mean() < 0.02, "a valley stays a valley"
    assert out.max() <= born.max() and out.min() > born.min(), "none later than the source, and nobody of 1901"


def test_dates_that_are_stored_as_words_keep_the_pyramid_too(born: pd.Series) -> None:
    words = born.dt.strftime("%d.%m.%Y").astype(frames.STRING)
    out = pd.to_datetime(
        made(Column("born", Traits(type="date_of_birth", format="%d.%m.%Y")), words), format="%d.%m.%Y"
    )
    assert abs(out.median() - born.median()) < pd.Timedelta(days=400) and out.max() <= born.max()
    assert out.dt.year.between(1975, 1990).mean() < 0.02


def test_declared_bounds_cut_the_pyramid(born: pd.Series) -> None:
    out = made(column(min="2000-01-01", max="2005-12-31"), born)
    assert out.dt.year.between(2000, 2005).all()
    assert (out.dt.year >= 2003).mean() > (born[born.dt.year.between(2000, 2005)].dt.year >= 2003).mean() - 0.1
    outside = made(column(min="2030-01-01", max="2031-12-31"), born)
    assert outside.dt.year.between(2030, 2031).all()


def test_a_span_is_held_by_several_units(born: pd.Series) -> None:
    pyramid = Pyramid.of(born, None)
    assert pyramid is not None
    assert min(pyramid.shares) * len(born) >= HELD and sum(pyramid.shares) == pytest.approx(1)
    one_person = Pyramid.of(born, np.zeros(len(born), dtype=np.int64))
    assert one_person is None, "a person with many rows has no pyramid"
    people = born.rank(method="first").to_numpy(dtype=np.int64) // 60  # 51 people, each with 60 dates side by side
    by_person = Pyramid.of(born, people)
    assert by_person is not None and len(by_person.first) < len(pyramid.first)


def test_without_data_there_are_fewer_old_people() -> None:
    column_ = column(min="1920-01-01", max="1999-12-31")
    out = fake.make(column_, 0, 5_000, key=1, rng=np.random.default_rng(0))
    assert out.min() >= pd.Timestamp("1920-01-01") and out.max() <= pd.Timestamp("1999-12-31")
    decade = (out.dt.year // 10).value_counts(normalize=True)
    assert decade[192] < decade[194] / 3 < decade[198] / 3
