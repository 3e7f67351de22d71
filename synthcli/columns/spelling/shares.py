"""The shares of the formats and of the words for missing in which a column is written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.spelling import writing

DIGITS = 2  # of a share, which is that of all rows


def of_missing(words: np.ndarray, counts: np.ndarray, nulls: int) -> tuple[tuple[str, float], ...]:
    """The words for a missing value, each with its share of the rows without a value; the empty word stands for null.
    Empty if there are none. counts: rows of each word; nulls: rows that are null.
    """
    rows = {"": nulls}
    for word, count in zip(words.tolist(), counts.tolist()):
        rows[word] = rows.get(word, 0) + count
    total = sum(rows.values())
    shares = tuple((word, round(count / total, DIGITS)) for word, count in rows.items() if count)
    return () if [word for word, _ in shares] == [""] else shares


def of_forms(
    kind: str, forms: tuple[str, ...], of_word: np.ndarray, values: Any, counts: np.ndarray
) -> tuple[tuple[str, float], ...]:
    """The formats, those that can write fewer values first, each with the probability that a value that it can write
    and that no earlier one took is written in it. of_word: the format of each value; counts: rows of each value.
    """
    if len(forms) == 1:
        return ((forms[0], 1.0),)
    series = pd.Series(values).reset_index(drop=True)
    exact = [writing.exact(series, kind, form) for form in forms]
    rows = [int(counts[of_word == i].sum()) for i in range(len(forms))]
    order = sorted(range(len(forms)), key=lambda i: (int(counts[exact[i]].sum()), -rows[i]))
    left = np.ones(len(series), dtype=bool)
    out = []
    for i in order:
        able = int(counts[left & exact[i]].sum())
        own = int(counts[left & (of_word == i)].sum())
        out.append((forms[i], 1.0 if i == order[-1] else round(min(1.0, own / able), DIGITS) if able else 0.0))
        left &= of_word != i
    return tuple(out)
