"""Made-up text: its language and its length."""

import numpy as np
import pytest

from synthcli.columns.fake import generate as fake
from synthcli.columns.fake import languages, prose
from synthcli.contracts.schema import Column, Traits
from synthcli.errors import SpecError


def texts(locale="en_US", lengths=None, rows=400, **options):
    options = {"exact": False, "rng": np.random.default_rng(1), **options}
    return prose.make(locale, lengths, rows, **options)


def sizes(made):
    return np.array([len(text) for text in made])


@pytest.mark.parametrize("code", languages.LANGUAGES)
def test_every_language_is_written_in_its_own_letters_and_lengths(code):
    language = languages.LANGUAGES[code]
    made = texts(language.locale, (10, 100, 300))
    assert abs(np.median(sizes(made)) - 100) < 25 and sizes(made).min() > 4 and sizes(made).max() < 345
    latin = np.mean([character.isascii() for text in made for character in text if character.isalpha()])
    scripted = code in ("ru", "uk", "bg", "el", "he", "ar", "fa", "hy", "hi", "bn", "th", "ko", "ja", "zh")
    assert latin < 0.1 if scripted else latin > 0.5


@pytest.mark.parametrize(
    ("locale", "like"), [("en_GB", "en_US"), ("de_CH", "de_DE"), ("fr_CA", "fr_FR"), ("nn_NO", "no")]
)
def test_a_country_has_the_words_of_its_language(locale, like):
    same = prose._vocabulary("no_NO" if like == "no" else like)[0]
    assert prose._vocabulary(locale)[0] == same


def test_texts_are_sentences():
    made = texts(lengths=(150, 300))
    assert all(text[0].isupper() and text.endswith(".") for text in made)
    assert np.mean([text.count(". ") for text in made]) > 1


def test_declared_lengths_hold():
    assert sizes(texts(lengths=(12, 12), exact=True)).tolist() == [12] * 400
    made = sizes(texts(lengths=(30, 50), exact=True))
    assert made.min() >= 30 and made.max() <= 50 and len(set(made)) > 10


def test_the_same_seed_writes_the_same_texts():
    assert (texts() == texts()).all()
    assert len(set(texts())) > 390


def column(**traits):
    return Column("note", Traits(type="text", **traits))


def test_a_column_is_written_as_its_traits_say():
    made = fake.make(column(locale="de_DE", length=(40, 60)), 0, 200, key=1, rng=np.random.default_rng(1))
    assert made.str.len().between(40, 60).all()
    words = set(prose._vocabulary("de_DE")[0]) | {word.capitalize() for word in prose._vocabulary("de_DE")[0]}
    assert made.str.split(r"[ .]+", regex=True).explode().isin([*words, ""]).mean() > 0.9


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"length": (200, 20)}, r"columns\.note\.length is \[200, 20\]; expected ascending"),
        ({"locale": "de_DD"}, r"columns\.note\.locale: Faker has no locale 'de_DD'"),
        ({"unique": True}, r"columns\.note\.unique: unique text values cannot be promised; remedy"),
    ],
)
def test_bad_traits_are_refused(traits, message):
    with pytest.raises(SpecError, match=message):
        fake.check(column(**traits))
