"""Generate fake values that are unique across blocks, without communication between blocks.

A keyed bijection (a Feistel network with cycle walking) maps the position of a row in the output to the index of its
value. It depends on the key alone. Throughout, positions are (rows,) uint64.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from synthcli import seeds
from synthcli.columns.fake import checksums
from synthcli.columns.fake.patterns import WORD, Pattern

PROVIDERS = frozenset(
    {"email", "user_name", "url", "phone_number", "name", "ipv4", "iban", "credit_card_number"}
)  # providers with unique values
ADDRESSES = 2**32 - 2**25  # IPv4 addresses whose first octet is neither 0 nor 255
PHONES = 10**9
CARDS = 10**12


def permute(positions: np.ndarray, size: int, key: int) -> np.ndarray:
    """A keyed bijection of 0..size-1, elementwise. positions: (rows,) uint64 below size, size up to 2^62. Black &
    Rogaway 2002.
    """
    side: Any = np.uint64(max(2, int(np.ceil(np.sqrt(size)))))
    while int(side) ** 2 < size:  # the square root of a large integer may be rounded
        side += np.uint64(1)
    values: Any = positions.astype(np.uint64)
    walking = np.ones(len(values), dtype=bool)
    while walking.any():
        values[walking] = _feistel(values[walking], side, key)
        walking = values >= np.uint64(size)
    return values


def _feistel(values: np.ndarray, side: Any, key: int) -> np.ndarray:
    left, right = values // side, values % side
    for turn in range(8):
        left, right = right, (left + mixed(right, seeds.key(key, turn)) % side) % side
    return left * side + right


def mixed(values: np.ndarray, salt: int) -> np.ndarray:
    """A 64-bit hash, elementwise. Steele et al. 2014 (splitmix64)."""
    z = values + np.uint64(salt % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def integers(low: int, high: int, window: int, positions: np.ndarray, key: int) -> np.ndarray:
    """Integers from low to high; rows fill one window before the next begins."""
    return low + windowed(positions, window, key, high - low + 1).astype(np.int64)


def strings(pattern: Pattern, positions: np.ndarray, key: int) -> np.ndarray:
    """The strings of a pattern, by index."""
    if pattern.size <= WORD:
        return pattern.nth(permute(positions, pattern.size, key))
    # each row has a range of indices, and a hashed position within it
    stretch = pattern.size // WORD
    number = permute(positions, WORD, key).astype(object) * stretch
    place: Any = 0
    for limb in range(-(-stretch.bit_length() // 64) + 1):
        place = place * 2**64 + mixed(positions, seeds.key(key, "limb", limb)).astype(object)
    return pattern.nth(number + place % stretch)


def cards(positions: np.ndarray, key: int) -> pd.Series:
    """Card numbers of 16 digits that begin with 4 and end in a valid check digit (Luhn)."""
    body = pd.Series(permute(positions, CARDS, key).astype(str), dtype=object).str.zfill(12)
    first = pd.Series(
        np.array(["400", "411", "424", "455"], dtype=object)[(mixed(positions, key) % np.uint64(4)).astype(int)]
    )
    known = first + body
    check = -checksums.luhn_sum(checksums.digits(known + "0")) % 10
    return known + pd.Series(check.astype(str), dtype=object)


def accounts(pool: np.ndarray, positions: np.ndarray, key: int) -> pd.Series:
    """IBANs like those of the pool, all of one country: the longest run of digits is a counter, and the check digits
    are valid.
    """
    base = pd.Series(
        pool[(mixed(positions, seeds.key(key, "base")) % np.uint64(len(pool))).astype(np.int64)], dtype=object
    )
    start, length = account_run(pool)
    body = pd.Series(permute(positions, 10**length, key).astype(str), dtype=object).str.zfill(length)
    country, account = base.str[:2], base.str[4:start] + body + base.str[start + length :]
    return country + checksums.iban_check(country, account) + account


def account_run(pool: np.ndarray) -> tuple[int, int]:
    """Start and length, at most 15, of the longest run of places, after the check digits, that hold digits in all IBANs
    of the pool.
    """
    places = checksums.matrix(pd.Series(pool))
    numeric = np.all((places >= ord("0")) & (places <= ord("9")), axis=0)
    numeric[:4] = False
    runs = [(found.start(), found.end()) for found in re.finditer("1+", "".join("1" if n else "0" for n in numeric))]
    start, end = max(runs, key=lambda run: run[1] - run[0], default=(4, 4))
    return max(start, end - 15), min(end - start, 15)


def addresses(positions: np.ndarray, key: int) -> np.ndarray:
    """IPv4 addresses whose first octet is neither 0 nor 255."""
    number = permute(positions, ADDRESSES, key) + np.uint64(2**24)
    octets = [((number >> np.uint64(shift)) & np.uint64(255)).astype(str).astype(object) for shift in (24, 16, 8, 0)]
    return octets[0] + "." + octets[1] + "." + octets[2] + "." + octets[3]


def numbered(pool: np.ndarray, provider: str, positions: np.ndarray, key: int) -> pd.Series:
    """Values of the pool with an index appended in a way that can be parsed back, so that different indices give
    different values.
    """
    base = pd.Series(
        pool[(mixed(positions, seeds.key(key, "base")) % np.uint64(len(pool))).astype(np.int64)], dtype=object
    )
    counted = permute(positions, PHONES, key) if provider == "phone_number" else windowed(positions, 1000, key)
    number = pd.Series(counted.astype(str), dtype=object)
    if provider == "phone_number":  # as in E.164: the first digits of a real number, then nine generated ones
        digits = base.str.replace(r"\D", "", regex=True).str.lstrip("0").str[:3].str.ljust(3, "5")
        return "+" + digits + number.str.zfill(9)
    parts = base.str.extract(r"^(.*?)\d*(\.[A-Za-z-]+/?)$")
    return parts[0] + number + parts[1]


def windowed(positions: np.ndarray, window: int, key: int, total: int = WORD) -> np.ndarray:
    """A bijection of 0..total-1 that permutes within windows; the last one may be shorter. (rows,) uint64"""
    number = positions // np.uint64(window)
    out = np.empty_like(positions)
    for w in np.unique(number):  # few iterations: rows are in order
        here = number == w
        first = int(w) * window
        out[here] = permute(
            positions[here] - np.uint64(first), min(window, total - first), seeds.key(key, "window", int(w))
        ) + np.uint64(first)
    return out
