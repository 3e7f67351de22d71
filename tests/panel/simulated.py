"""A small panel: patients with one to five visits, some columns of the patient, some of the visit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli.columns.discovery.infer import infer
from synthcli.columns.table import Table


def visits(patients: int = 240, seed: int = 0) -> pd.DataFrame:
    """Patients in random order; the visits of each by date, a week to a month apart."""
    rng = np.random.default_rng(seed)
    n = rng.choice([1, 2, 3, 5], patients, p=[0.2, 0.3, 0.3, 0.2])
    who = np.repeat(np.arange(patients), n)
    first = np.r_[True, who[1:] != who[:-1]]
    start, level, height = rng.integers(0, 700, patients), rng.normal(130, 15, patients), rng.normal(170, 9, patients)
    weeks = rng.integers(1, 5, len(who)) * 7
    day = pd.Series(np.where(first, start[who], weeks)).groupby(who).cumsum()
    admitted = pd.Timestamp("2021-01-04") + pd.to_timedelta(day, unit="D")
    frame = pd.DataFrame(
        {
            "visit_id": [f"V-{i:06d}" for i in rng.permutation(len(who))],
            "patient": [f"P{i:05d}" for i in rng.permutation(patients)[who]],
            "sex": rng.choice(["f", "m"], patients)[who],
            "height": np.where(rng.random(len(who)) < 0.15, np.nan, height[who].round(1)),
            "discharged": admitted + pd.to_timedelta(rng.integers(0, 6, len(who)), unit="D"),
            "admitted": admitted,
            "number": pd.Series(who).groupby(who).cumcount() + 1,
            "pressure": (level[who] + rng.normal(0, 4, len(who))).round(),
            "ward": rng.choice(["A", "B", "C"], len(who), p=[0.6, 0.3, 0.1]),
        }
    )
    frame["email"] = "p" + frame["patient"].str[1:] + "@mail.test"
    return frame


def read(frame: pd.DataFrame, unit: str | None = "patient") -> Table:
    """A table as read from a csv file."""
    words = frame.astype(object).map(
        lambda v: (
            None
            if pd.isna(v)
            else v.strftime("%Y-%m-%d")
            if hasattr(v, "year")
            else f"{v:g}"
            if isinstance(v, float)
            else str(v)
        )
    )
    schema, canonical = infer(
        pa.Table.from_pandas(words.astype("string"), preserve_index=False), {}, unit=unit, text=True
    )
    return Table(canonical, schema)
