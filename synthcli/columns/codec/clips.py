"""What top coding did to the ends of a column, as the page and fit.json show it (columns/codec/top_coding.py)."""

from __future__ import annotations

import numpy as np

from synthcli.columns.codec.domain import Domain, MixedDomain, NumbersDomain
from synthcli.columns.codec.parts import from_the_clock, times
from synthcli.contracts.modelling import Clipped
from synthcli.contracts.schema import Column

DIGITS = 6  # significant digits of an end of a float without declared decimals


def of_domain(column: Column, domain: Domain) -> Clipped | None:
    """The values of a column that top coding moved, and its published ends; None if it moved none."""
    numbers = domain.numbers if isinstance(domain, MixedDomain) else domain
    if not isinstance(numbers, NumbersDomain) or not any(numbers.clipped):
        return None
    low, high = numbers.clipped
    if isinstance(domain, MixedDomain):
        decimals = domain.spelling.most
        least, most = (_plain(end / 10.0**decimals, decimals) for end in (numbers.low, numbers.high))
    else:
        least, most = _texts(numbers)
    return {"low": low, "high": high, "known": numbers.known, "kind": column.kind, "least": least, "most": most}


def _texts(domain: NumbersDomain) -> tuple[str, str]:
    """Both ends as text: a time without its clock at midnight, a float with the decimals of the column."""
    if not domain.whole:
        return _plain(domain.low, domain.decimals), _plain(domain.high, domain.decimals)
    ends = np.array([int(domain.low), int(domain.high)], dtype=np.int64)
    if domain.dtype.startswith(("timestamp", "duration", "date")):
        raw = from_the_clock(ends, domain.dtype) if domain.clock else ends
        low, high = (str(end).removesuffix(" 00:00:00") for end in times(raw, np.zeros(2, dtype=bool), domain.dtype))
        return low, high
    return str(ends[0]), str(ends[1])


def _plain(number: float, decimals: int | None) -> str:
    """A number without zeros at the end of its decimals."""
    if decimals is None:
        return f"{number:.{DIGITS}g}"
    text = f"{number:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
