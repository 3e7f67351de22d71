"""Validate and compute check digits, elementwise over strings.

All functions take strings without spaces or dashes. words: (rows,) object or string Series; digits: (rows, places)
int64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"  # check letter of a Spanish DNI by its number modulo 23
_FISCAL_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        [
            1,
            0,
            5,
            7,
            9,
            13,
            15,
            17,
            19,
            21,
            1,
            0,
            5,
            7,
            9,
            13,
            15,
            17,
            19,
            21,
            2,
            4,
            18,
            20,
            11,
            3,
            6,
            8,
            12,
            14,
            16,
            10,
            22,
            25,
            24,
            23,
        ],
    )
)
_FISCAL_EVEN = {c: int(c) if c.isdigit() else ord(c) - 65 for c in _FISCAL_ODD}


def matrix(words: pd.Series) -> np.ndarray:
    """Strings of one length as character codes. (rows, length) int64"""
    if not len(words):
        return np.zeros((0, 0), dtype=np.int64)
    fixed = np.asarray(words, dtype=str)
    return fixed.view(np.uint32).reshape(len(fixed), -1).astype(np.int64)


def digits(words: pd.Series) -> np.ndarray:
    """Strings of digits of one length as digits. (rows, length) int64"""
    return matrix(words) - ord("0")


def luhn(words: pd.Series) -> np.ndarray:
    """Whether strings of digits end in a valid check digit of ISO/IEC 7812 (cards). (rows,) bool (rows,) bool"""
    return _by_length(words, lambda same: luhn_sum(digits(same)) % 10 == 0)


def luhn_sum(places: np.ndarray) -> np.ndarray:
    """The sum whose last digit is 0 for a valid number. (rows,) int64"""
    doubled = places.copy()
    doubled[:, -2::-2] *= 2
    return np.where(doubled > 9, doubled - 9, doubled).sum(1)


def mod97(words: pd.Series) -> np.ndarray:
    """The remainder by 97 of strings of digits and capital letters, with A = 10 and so on, as in ISO 7064 and IBAN.
    (rows,)
    """
    out = np.zeros(len(words), dtype=np.int64)
    for length in words.str.len().unique():
        here = (words.str.len() == length).to_numpy(dtype=bool)
        rest = np.zeros(int(here.sum()), dtype=np.int64)
        for place in matrix(words[here]).T:
            value = np.where(place >= ord("A"), place - ord("A") + 10, place - ord("0"))
            rest = np.where(place >= ord("A"), rest * 100 + value, rest * 10 + value) % 97
        out[here] = rest
    return out


def iban(words: pd.Series) -> np.ndarray:
    """Whether IBANs leave the remainder 1 once their first four characters are moved to the end. ISO 13616. (rows,)
    bool
    """
    return mod97(words.str[4:] + words.str[:4]) == 1


def iban_check(country: pd.Series, account: pd.Series) -> pd.Series:
    """The two check digits of a country and an account number. (rows,) object"""
    return pd.Series(98 - mod97(account + country + "00"), index=account.index).astype(str).str.zfill(2)


def weighted(words: pd.Series, weights: Sequence[int]) -> np.ndarray:
    """The weighted sum of the first digits of strings of digits. (rows,) int64"""
    places = digits(words)[:, : len(weights)]
    return places @ np.asarray(weights, dtype=np.int64)


def ean(words: pd.Series) -> np.ndarray:
    """Whether strings of 8, 12, 13 or 14 digits end in a valid check digit of GS1: EAN, UPC, GTIN, ISBN-13. (rows,)
    bool
    """

    def test(w: pd.Series) -> np.ndarray:
        places = digits(w)
        weights = np.where(np.arange(places.shape[1])[::-1] % 2 == 0, 1, 3)
        return (places @ weights) % 10 == 0

    return _by_length(words, test) & words.str.len().isin((8, 12, 13, 14)).to_numpy(dtype=bool)


def isbn10(words: pd.Series) -> np.ndarray:
    """Whether strings of nine digits and a check character, a digit or X, are valid. ISO 2108. (rows,) bool"""

    def test(w: pd.Series) -> np.ndarray:
        places = np.where(matrix(w) == ord("X"), 10, digits(w))
        return (places @ np.arange(10, 0, -1)) % 11 == 0

    return _by_length(words, test, 10)


def bsn(words: pd.Series) -> np.ndarray:
    """Dutch citizen service number: nine digits, the elfproef with -1 for the last."""
    return _by_length(
        words, lambda w: (weighted(w, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0) & (w != "0" * 9).to_numpy(dtype=bool), 9
    )


def pesel(words: pd.Series) -> np.ndarray:
    """Polish PESEL: eleven digits, a date of birth and a check digit."""

    def test(w: pd.Series) -> np.ndarray:
        d = digits(w)
        month, day = (d[:, 2] * 10 + d[:, 3]) % 20, d[:, 4] * 10 + d[:, 5]
        return (
            (weighted(w, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0)
            & (month >= 1)
            & (month <= 12)
            & (day >= 1)
            & (day <= 31)
        )

    return _by_length(words, test, 11)


def cpf(words: pd.Series) -> np.ndarray:
    """Brazilian CPF: eleven digits, two of them check digits."""

    def test(w: pd.Series) -> np.ndarray:
        d = digits(w)
        first = weighted(w, range(10, 1, -1)) * 10 % 11 % 10
        second = weighted(w, range(11, 1, -1)) * 10 % 11 % 10
        return (first == d[:, 9]) & (second == d[:, 10]) & (d != d[:, :1]).any(1)

    return _by_length(words, test, 11)


def steuer_id(words: pd.Series) -> np.ndarray:
    """German tax number: eleven digits, the first not 0, ISO 7064 mod 11,10; one of the first ten digits occurs two or
    three times.
    """

    def test(w: pd.Series) -> np.ndarray:
        d = digits(w)
        product = np.full(len(d), 10, dtype=np.int64)
        for place in d[:, :10].T:
            total = (place + product) % 10
            product = np.where(total == 0, 10, total) * 2 % 11
        most = np.max([(d[:, :10] == i).sum(1) for i in range(10)], axis=0)
        return ((11 - product) % 10 == d[:, 10]) & (d[:, 0] > 0) & (most >= 2) & (most <= 3)

    return _by_length(words, test, 11)


def nir(words: pd.Series) -> np.ndarray:
    """French social security number: thirteen characters and a key of two digits, 97 less the remainder; 2A and 2B
    count as 19 and 18.
    """

    def test(w: pd.Series) -> np.ndarray:
        plain = w.str.replace("2A", "19", regex=False).str.replace("2B", "18", regex=False)
        d = digits(plain)
        rest = np.zeros(len(d), dtype=np.int64)
        for place in d[:, :13].T:
            rest = (rest * 10 + place) % 97
        return 97 - rest == d[:, 13] * 10 + d[:, 14]

    return _by_length(words, test, 15)


def dni(words: pd.Series) -> np.ndarray:
    """Spanish DNI and NIE: eight digits (X, Y, Z count as 0, 1, 2) and a letter for the remainder by 23."""

    def test(w: pd.Series) -> np.ndarray:
        plain = w.str.translate(str.maketrans("XYZ", "012")).str[:8]
        letters = np.array(list(_DNI_LETTERS))
        return letters[weighted(plain, [10**i for i in range(7, -1, -1)]) % 23] == w.str[8].to_numpy(dtype=str)

    return _by_length(words, test, 9)


def codice_fiscale(words: pd.Series) -> np.ndarray:
    """Italian codice fiscale: sixteen characters, the last a check letter."""

    def test(w: pd.Series) -> np.ndarray:
        odd, even = np.zeros(128, dtype=np.int64), np.zeros(128, dtype=np.int64)
        for char, value in _FISCAL_ODD.items():
            odd[ord(char)], even[ord(char)] = value, _FISCAL_EVEN[char]
        codes = np.minimum(matrix(w), 127)
        return (odd[codes[:, 0:15:2]].sum(1) + even[codes[:, 1:15:2]].sum(1)) % 26 == codes[:, 15] - ord("A")

    return _by_length(words, test, 16)


def _by_length(words: pd.Series, test: Callable[[pd.Series], np.ndarray], only: int | None = None) -> np.ndarray:
    """Apply a test for strings of one length to strings of any length; false for lengths other than `only`. (rows,)
    bool
    """
    lengths = words.str.len().to_numpy()
    out = np.zeros(len(words), dtype=bool)
    for length in np.unique(lengths):
        if length >= 2 and only in (None, length):
            here = lengths == length
            out[here] = test(words[here])
    return out


CHECKS: dict[str, Callable[[pd.Series], np.ndarray]] = {
    "luhn": luhn, "iban": iban, "bsn": bsn, "pesel": pesel, "cpf": cpf, "steuer_id": steuer_id, "nir": nir, "dni": dni,
    "codice_fiscale": codice_fiscale, "ean": ean, "isbn10": isbn10,
}  # fmt: skip
__all__ = ["CHECKS", "digits", "iban_check", "luhn_sum", "matrix", "mod97", "weighted", *CHECKS]
