import re

import numpy as np
import pandas as pd
import pytest

from synthcli.columns import frame as frames
from synthcli.columns.fake import generate as fake
from synthcli.contracts.schema import Column, Traits
from synthcli.errors import SpecError


def column(storage="string", name="x", inferred=None, **traits):
    return Column(name, Traits(**traits), Traits(**(inferred or {})), storage)


def values(col, start=0, rows=500, key=1, seed=0):
    return fake.make(col, start, rows, key=key, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("size", [1, 2, 3, 10, 101, 65_536])
def test_permute_is_a_bijection(size):
    for key in (0, 7):
        assert sorted(fake.permute(np.arange(size, dtype=np.uint64), size, key)) == list(range(size))


def test_permute_depends_on_the_key_and_looks_random():
    positions = np.arange(10_000, dtype=np.uint64)
    one, two = (fake.permute(positions, 10_000, key) for key in (1, 2))
    assert (one == two).mean() < 0.01
    assert abs(np.corrcoef(positions, one)[0, 1]) < 0.05
    large = fake.permute(positions + np.uint64(2**62 - 10_000), 2**62, 1)
    assert len(np.unique(large)) == 10_000 and large.max() < 2**62


@pytest.mark.parametrize("kind", sorted(fake.MADE))
def test_every_kind_makes_canonical_values(kind):
    made_up = values(column(type=kind), rows=20)
    assert (
        len(made_up) == 20
        and made_up.dtype == frames.STRING
        and made_up.notna().all()
        and not made_up.str.contains("\n").any()
    )


@pytest.mark.parametrize("kind", ["email", "username", "url", "phone", "name", "ipv4", "uuid", "id"])
def test_unique_over_blocks_that_do_not_know_each_other(kind):
    col = column(type=kind, unique=True)
    blocks = [values(col, start, 4000, seed=start) for start in (0, 4000, 8000, 10**6)]
    assert pd.concat(blocks).is_unique
    pd.testing.assert_series_equal(values(col, 4000, 10, seed=9), blocks[1].head(10))  # position and key alone decide


def test_unique_emails_and_urls_still_look_like_it():
    assert values(column(type="email", unique=True)).str.fullmatch(r"[\w.+-]+@[\w-]+(\.[\w-]+)+").all()
    assert values(column(type="url", unique=True)).str.fullmatch(r"https?://[\w.-]+\d+\.[a-z]+/?").all()
    assert values(column(type="phone", unique=True)).str.fullmatch(r"\+[1-9]\d{11}").all()


def test_ids_exhaust_their_pattern_exactly():
    col = column(type="id", pattern=r"[AB]-\d{2}")
    made_up = pd.concat([values(col, 0, 150), values(col, 150, 50)])
    assert sorted(made_up) == sorted(f"{c}-{n:02d}" for c in "AB" for n in range(100))
    assert fake.capacity(col) == 200
    with pytest.raises(SpecError, match=r"columns\.x.*\[AB\]-.*200 unique.*201 rows.*remedy.*unique: false"):
        values(col, 200, 1)


def test_ids_that_may_repeat_have_no_capacity():
    col = column(type="id", pattern=r"\d", unique=False)
    assert fake.capacity(col) is None and set(values(col)) == set("0123456789")


def test_integer_ids_fill_the_inferred_range_first():
    col = column("int64", type="id", inferred={"min": 5, "max": 20_004})
    first = pd.concat([values(col, 0, 16_384), values(col, 16_384, 3616)])
    assert first.dtype == "Int64" and sorted(first) == list(range(5, 20_005))
    assert sorted(values(col, 20_000, 20_000)) == list(range(20_005, 40_005))


def test_integer_ids_stay_within_declared_bounds_and_the_storage():
    col = column("int64", type="id", min=10, max=19)
    assert sorted(values(col, 0, 10)) == list(range(10, 20))
    with pytest.raises(SpecError, match="10 unique values, but 11 rows"):
        values(col, 0, 11)
    small = column("int8", type="id")
    assert sorted(values(small, 0, 127)) == list(range(1, 128)) and fake.capacity(small) == 127
    with pytest.raises(SpecError, match="min 9 is above max 3"):
        fake.check(column("int64", type="id", min=9, max=3))


def test_patterns_of_integer_columns():
    assert values(column("int64", type="id", pattern=r"[1-9]\d{5}")).dtype == "Int64"
    with pytest.raises(SpecError, match="stored as int64"):
        fake.check(column("int64", type="id", pattern=r"\d{6}"))


def test_patterns_beyond_a_machine_word():
    made_up = values(column(type="uuid", unique=True), rows=3000)
    assert made_up.is_unique and made_up.str.fullmatch(fake.UUID).all()
    assert made_up.str[0].nunique() == 16 and made_up.str[-1].nunique() == 16


def test_ambiguous_patterns_cannot_be_unique():
    with pytest.raises(SpecError, match=r"columns\.x\.pattern.*two ways"):
        fake.check(column(type="id", pattern=r"\d?\d?"))
    fake.check(column(type="id", pattern=r"\d?\d?", unique=False))


def test_nulls_have_their_share():
    share = values(column(type="first_name", nulls=0.3), rows=5000).isna().mean()
    assert 0.27 < share < 0.33


def test_locale_and_key_matter_and_rng_is_all_the_rest():
    german = values(column(type="city", locale="de_DE"))
    assert set(german) != set(values(column(type="city")))
    pd.testing.assert_series_equal(german, values(column(type="city", locale="de_DE")))
    assert not german.equals(values(column(type="city", locale="de_DE"), key=2))
    assert not german.equals(values(column(type="city", locale="de_DE"), seed=2))


def test_dates_of_birth_by_storage():
    dates = values(column("date32[day]", type="date_of_birth", min="1990-01-01", max="1990-01-03"))
    assert dates.dtype == "datetime64[s]" and set(dates.dt.strftime("%m-%d")) == {"01-01", "01-02", "01-03"}
    assert all(re.fullmatch(r"\d\d/\d{4}", v) for v in values(column(type="date_of_birth", format="%m/%Y")))


@pytest.mark.parametrize(
    ("form", "shape"),
    [
        ("%d.%m.%Y %H:%M:%S.%3f", r"\d\d\.\d\d\.\d{4} 00:00:00\.000"),
        ("%Y-%m-%dT%H:%M:%S%:z", r"\d{4}-\d\d-\d\dT00:00:00\+00:00"),
        ("%Y-%m-%dT%H:%M:%S%z", r"\d{4}-\d\d-\d\dT00:00:00\+0000"),
        ("%-d/%-m/%Y", r"[1-9]\d?/[1-9]\d?/\d{4}"),
    ],
)
def test_dates_of_birth_are_spelled_as_the_source_spells_dates(form, shape):
    words = values(column(type="date_of_birth", format=form))
    assert words.dtype == frames.STRING and all(re.fullmatch(shape, v) for v in words), words[0]


def test_providers_by_storage():
    assert values(column("int64", type="text", provider="random_int")).dtype == "Int64"
    assert values(column("bool", type="text", provider="pybool")).dtype == "boolean"
    with pytest.raises(SpecError, match=r"columns\.x: generates values such as .*stored as int64"):
        fake.check(column("int64", type="text", provider="company"))


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"type": "id", "pattern": "a(?=b)"}, r"columns\.x\.pattern .*position 1 "),
        ({"type": "text", "provider": "compani"}, r"columns\.x\.provider: .*'compani'.*Did you mean company\?"),
        ({"type": "city", "locale": "de_DD"}, r"columns\.x\.locale: .*'de_DD'.*Did you mean de_DE\?"),
        ({"type": "emial"}, r"columns\.x\.type: .*'emial'.*Did you mean email\?"),
        ({"type": "city", "unique": True}, r"columns\.x\.unique: .*remedy"),
        ({"type": "text", "provider": "simple_profile"}, r"columns\.x\.provider: simple_profile .*remedy"),
        ({"type": "text", "provider": "seed"}, r"no provider 'seed'"),
        ({"type": "date_of_birth", "min": "soon"}, r"columns\.x\.min is 'soon'; expected a date"),
        (
            {"type": "date_of_birth", "min": "2000-01-01", "max": "1999-01-01"},
            r"columns\.x: min 2000-01-01 is above max 1999-01-01",
        ),
    ],
)
def test_check_finds_what_make_would(traits, message):
    for act in (fake.check, values):
        with pytest.raises(SpecError, match=message):
            act(column(**traits))
