"""How many real privacy units stand behind the conditions of a request."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcli.contracts.modality import Support
from synthcli.contracts.modelling import Request
from synthcli.tabular.sampling.strata import text_of


def support_of(frame: pd.DataFrame, units: np.ndarray, request: Request) -> list[Support]:
    """The support of `where`, and of each value that `balance` asks rows of, among the rows that meet `where`.

    frame, units: of the rows that a model learns from, (rows,).
    """
    keep, out = np.ones(len(frame), dtype=bool), []
    if request.where is not None:
        if not request.where.columns <= {*frame}:
            return []  # the request is refused for it
        keep = request.where.evaluate(frame).fillna(False).to_numpy(dtype=bool)
        out.append(Support(request.where.text, request.rows, _count(units, keep)))
    for name, shares in (request.balance or {}).items():
        for value, share in shares.items():
            if share > 0 and name in frame:
                rows, met = round(share * request.rows), keep & _equal(frame[name], text_of(value))
                out.append(Support(f"{name} is {text_of(value)}", rows, _count(units, met)))
    return out


def _equal(values: pd.Series, text: str) -> np.ndarray:
    """The rows whose value has this text as a key of the spec; null is a value. (rows,) bool"""
    codes, distinct = pd.factorize(values)
    plain = [v.item() if isinstance(v, np.generic) else v for v in distinct]
    same = np.array([*(text_of(v) == text for v in plain), text == text_of(None)], dtype=bool)
    return np.asarray(same[codes])


def _count(units: np.ndarray, keep: np.ndarray) -> int:
    return len(np.unique(units[keep]))
