import numpy as np
import pandas as pd
import pytest

from synthcli.columns.fake import checksums

KNOWN = {  # published examples
    "luhn": ["4111111111111111", "378282246310005", "6011111111111117"],
    "iban": ["GB82WEST12345698765432", "DE89370400440532013000", "NO9386011117947", "MT84MALT011000012345MTLCAST001S"],
    "bsn": ["111222333", "123456782"],
    "pesel": ["44051401359"],
    "cpf": ["11144477735", "52998224725"],
    "steuer_id": ["86095742719", "65929970489"],
    "nir": ["255081416802538", "269054958815780"],
    "dni": ["12345678Z", "X1234567L"],
    "codice_fiscale": ["RSSMRA85T10A562S"],
}


@pytest.mark.parametrize("check", sorted(KNOWN))
def test_published_numbers_are_valid(check):
    assert checksums.CHECKS[check](pd.Series(KNOWN[check], dtype=object)).all()


@pytest.mark.parametrize("check", sorted(KNOWN))
def test_one_changed_digit_is_found(check):
    word = KNOWN[check][0]
    places = [i for i, c in enumerate(word) if c.isdigit()]
    changed = [word[:i] + str((int(word[i]) + 1) % 10) + word[i + 1 :] for i in places]
    assert not checksums.CHECKS[check](pd.Series(changed, dtype=object)).any()


def test_a_random_number_passes_as_often_as_chance_has_it():
    numbers = pd.Series(np.random.default_rng(0).integers(10**15, 10**16, 4000).astype(str), dtype=object)
    assert 0.08 < checksums.luhn(numbers).mean() < 0.12


def test_the_remainder_by_97_is_that_of_python():
    words = ["12345678901234567890", "AB12", "Z9"]
    oracle = [int("".join(str(int(c, 36)) for c in w)) % 97 for w in words]
    assert checksums.mod97(pd.Series(words, dtype=object)).tolist() == oracle


def test_mixed_lengths_and_nothing_at_all():
    assert checksums.luhn(pd.Series(["4111111111111111", "18", "1"], dtype=object)).tolist() == [True, True, False]
    assert checksums.iban(pd.Series([], dtype=object)).tolist() == []
