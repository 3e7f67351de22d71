"""No single person's value is in a model, a report or the draft of a spec.

One row of each part holds values that nobody else holds, of digits that occur nowhere by chance; every byte of what a
run writes is searched for them: as they are spelled, and as they are coded in arrays.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import hostile_tables as tables
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthcli import execute, load_spec, plugins, seeds
from synthcli.columns.codec.codec import Codec
from synthcli.columns.codec.mixed import Mixed
from synthcli.columns.codec.numeric import Numbers
from synthcli.columns.discovery.infer import look, parse
from synthcli.columns.table import Table
from synthcli.contracts.schema import Traits
from synthcli.init.draft import draft
from synthcli.init.findings import look as see_table
from synthcli.sources import Source

ROWS = 700
METHODS = [m for m in plugins.names("methods", "tabular") if "without_data" not in plugins.method(m, "tabular").CAN]
# column -> the lowest and highest outlier: of the train part, and of the holdout
NUMBERS = {
    "whole": ((-98765431, 98765432), (-87654327, 87654328)),
    "few": ((-7654321, 7654322), (-6543217, 6543218)),
    "lone": ((5432165, 5432166), (4321657, 4321658)),
    "decimal": ((-9182736.5, 9182737.5), (-8172635.5, 8172636.5)),
    "mixed": ((-918273641, 918273642), (-817263541, 817263542)),
    "spelled": ((71717131, 71717132), (61616131, 61616132)),
}
TIMES = {
    "at": (("1907-03-04 05:06:07", "2093-03-05 07:08:09"), ("1903-04-05 06:07:08", "2097-04-06 08:09:10")),
    "day": (("1911-11-13", "2089-09-17"), ("1909-09-19", "2091-01-23")),
}
SPANS = {"stay": ((77, 9_753_197), (79, 8_642_087))}  # seconds
WORDS = {
    "city": (("Zyxwvqqa", "Aaqqvwxy"), ("Zyxwvqqb", "Baqqvwxy")),
    "town": (("Qzqzqztown", "Qyqyqytown"), ("Xzxzxztown", "Xyxyxytown")),
    "note": (("wvutq zzkp notes", "pkzz qtuvw notes"), ("wvuuq zzkp notes", "pkzz quuvw notes")),
    "account": (("ZQ-918273", "QZ-918274"), ("ZQ-827364", "QZ-827365")),
}


FRACTIONS = {"train": 0.7, "validation": 0.1, "holdout": 0.2}
SPEC = """
version: 1
seed: 5
source: {type: parquet, path: planted.parquet}
columns: {account: {type: id}, town: {type: category}, city: {type: category}}
constraints:
  - {range: {column: whole, max: 95000}, on_violation: warn}
  - {one_of: [city, few]}
generator: {method: trees}
refine: {max_rounds: 1}
"""


def planted() -> pa.Table:
    """A table of which two rows of train and two of the holdout hold outliers: a lowest and a highest in each."""
    rng = np.random.default_rng(3)
    start = np.datetime64("2020-01-01T00:00:00")
    columns: dict[str, Any] = {
        "whole": rng.integers(20_000, 90_000, ROWS),
        "few": rng.integers(0, 5, ROWS),
        "lone": np.zeros(ROWS, dtype=np.int64),
        "decimal": rng.normal(50, 9, ROWS).round(1),
        "mixed": np.array([str(x) if x % 9 else "N" for x in rng.integers(100, 4000, ROWS)], dtype=object),
        "spelled": rng.choice(["11", "17", "23", "29"], ROWS).astype(object),
        "at": start + rng.integers(0, 10**7, ROWS).astype("timedelta64[s]"),
        "day": (start + rng.integers(0, 900, ROWS).astype("timedelta64[D]")).astype("datetime64[s]"),
        "stay": rng.integers(3600, 90_000, ROWS).astype("timedelta64[s]"),
        "city": rng.choice(["Rome", "Oslo", "Bonn"], ROWS).astype(object),
        "town": np.full(ROWS, "Nice", dtype=object),
        "note": np.array([f"note {a} of {b} words" for a, b in rng.integers(0, 10**6, (ROWS, 2))], dtype=object),
        "account": np.array([f"AB-{x}" for x in 10**5 + rng.permutation(10**5)[:ROWS]], dtype=object),
    }
    for part, name in enumerate(("train", "holdout")):
        for end, row in enumerate(rows_of(name)[:2]):
            for column, values in {**NUMBERS, **TIMES, **SPANS, **WORDS}.items():
                value: Any = values[part][end]
                columns[column][row] = str(value) if column in ("mixed", "spelled") else value
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def rows_of(part: str) -> np.ndarray:
    """The rows that the split puts into a part: it looks at nothing but their number."""
    rows = tables.build({"row": pa.array(range(ROWS))})
    return rows.split(FRACTIONS, rng=seeds.stream(5, "split"))[part].frame["row"].to_numpy(dtype=int)


@cache
def train() -> Table:
    """The train part, as a run learns it."""
    schema, frame = parse(planted(), {"account": Traits(type="id"), "town": Traits(type="category")})
    parts = Table(frame, schema).split(FRACTIONS, rng=seeds.stream(5, "split"))
    return Table(parts["train"].frame, look(schema, parts["train"].frame))


@pytest.mark.parametrize("method", METHODS)
def test_no_model_holds_an_outlier(method: str, tmp_path: Path) -> None:
    model = tables.fit(method, train())
    model.save(tmp_path)
    assert leaks(tmp_path) == []
    made = tables.sample(model, ROWS).frame
    pq.write_table(pa.Table.from_pandas(made), tmp_path / "made.parquet")
    assert leaks(tmp_path) == []


def test_no_file_of_a_run_holds_an_outlier(tmp_path: Path) -> None:
    """The model with its rules, the profile, the measurements, the report, the manifest and what was generated."""
    pq.write_table(planted(), tmp_path / "planted.parquet")
    (tmp_path / "spec.yaml").write_text(SPEC)
    execute(load_spec(tmp_path / "spec.yaml"), root=tmp_path / "artifacts")
    names = {p.name for p in (tmp_path / "artifacts").rglob("*") if p.is_file()}
    assert {"report.html", "profile.json", "fit.json", "codec.json", "manifest.json", "plan.json"} <= names
    assert leaks(tmp_path / "artifacts") == []


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_no_draft_shows_an_outlier(ending: str, tmp_path: Path) -> None:
    source = Source(ending, path=tmp_path / f"planted.{ending}")
    if ending == "csv":
        planted().to_pandas().to_csv(source.path, index=False)
    else:
        pq.write_table(planted(), source.path)
    (tmp_path / "draft").mkdir()
    (tmp_path / "draft" / "spec.yaml").write_text(draft(see_table(source), {"type": ending}))
    assert leaks(tmp_path / "draft") == []


def test_the_search_finds_what_is_planted(tmp_path: Path) -> None:
    pq.write_table(planted(), tmp_path / "planted.parquet")
    found = {leak.split()[1] for leak in leaks(tmp_path)}
    assert found == {*NUMBERS, *WORDS, "at", "day"}
    np.savez(tmp_path / "arrays.npz", x=np.array([98765432.0, 9_753_197.0]))
    assert sum(leak.startswith("arrays.npz/x") for leak in leaks(tmp_path)) >= 2


def test_measures_take_what_train_does_not_show(tmp_path: Path) -> None:
    """Words, numbers and nulls of the holdout that the codec has not seen."""
    seen = Codec.fit(train().frame, train().schema, key=1)
    frame = Table(parse(planted(), {"account": Traits(type="id"), "town": Traits(type="category")})[1], train().schema)
    values = seen.encode(frame.frame)
    assert all(values[p.name].max() < p.size for p in seen.parts if p.is_code)


def needles() -> dict[str, set[str]]:
    """Column -> what its outliers look like in a text. Keys and texts are never learned, nor shown in part."""
    out: dict[str, set[str]] = {}
    for name, parts in NUMBERS.items():
        out[name] = {f"{abs(v):.12g}".removesuffix(".5") for ends in parts for v in ends}
    for name, dates in TIMES.items():
        every = [pd.Timestamp(v) for ends in dates for v in ends]
        out[name] = {t.strftime(form) for t in every for form in ("%Y-%m-%d", "%d.%m.%Y")}
        out[name] |= {str(int(t.timestamp())) for t in every} | {str(int(t.timestamp()) // 86_400) for t in every}
    for name, spans in SPANS.items():
        out[name] = {str(s) for ends in spans for s in ends if s > 1000}
    for name, words in WORDS.items():
        out[name] = {w for ends in words for w in ends}
    return out


def raw_numbers() -> set[float]:
    """The outliers as they may stand in an array."""
    out = {float(v) for parts in NUMBERS.values() for ends in parts for v in ends}
    stamps = [pd.Timestamp(v).timestamp() for parts in TIMES.values() for ends in parts for v in ends]
    out |= set(stamps) | {t // 86_400 for t in stamps}
    return out | {float(s) for parts in SPANS.values() for ends in parts for s in ends if s > 1000}


def texts(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file, and every member of an archive, as it is when it is unpacked."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                yield from ((f"{path.name}/{name}", archive.read(name)) for name in archive.namelist())
        elif path.suffix == ".parquet":
            yield path.name, pq.read_table(path).to_pandas().to_csv().encode()
        else:
            yield path.name, path.read_bytes()


def arrays(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Every array of numbers, as it is and on the scale of each column; and the ends of columns."""
    for path in folder.rglob("codec.json"):
        codec = Codec.load(path.parent)
        for part, scale in codec.scales.items():
            ends = [c for c in codec.columns if isinstance(c, Numbers | Mixed) and c.parts[-1].name == part]
            numbers = [c.numbers if isinstance(c, Mixed) else c for c in ends]
            yield f"codec.json/{part}", scale.raw(np.array([e for n in numbers for e in (n.low, n.high)]))
        for archive in path.parent.rglob("*.npz"):
            with np.load(archive, allow_pickle=False) as found:
                for name in (n for n in found.files if found[n].dtype.kind in "iuf"):
                    for part, scale in codec.scales.items():
                        yield f"{archive.name}/{name} as {part}", scale.raw(found[name].astype(float))
    for path in folder.rglob("*.npz"):
        with np.load(path, allow_pickle=False) as found:
            yield from ((f"{path.name}/{name}", found[name]) for name in found.files)


def leaks(folder: Path) -> list[str]:
    """Where a planted value stands in the files of a folder."""
    found, numbers = [], sorted(raw_numbers())
    packed = [p for v in numbers if abs(v) > 2**16 for p in _packed(v)]
    for name, data in texts(folder):
        for column, words in needles().items():
            found += [f"{name}: {column} {word}" for word in words if _stands(word.encode(), data)]
        if name.endswith((".npy", ".pkl")):
            found += [f"{name}: bytes of a planted number" for p in packed if p in data]
    for name, values in arrays(folder):
        if values.dtype.kind in "iuf":
            near = [v for v in numbers if abs(v) > 10**5 and (np.abs(values.astype(float) - v) < 1e-3).any()]
            found += [f"{name}: {v}" for v in near]
    return found


def _stands(word: bytes, data: bytes) -> bool:
    """Whether a word is in a text; a number not as a part of a longer one."""
    at = data.find(word)
    while at >= 0:
        around = data[max(0, at - 1) : at] + data[at + len(word) : at + len(word) + 1]
        if not word.isdigit() or not any(chr(c).isdigit() for c in around):
            return True
        at = data.find(word, at + 1)
    return False


def _packed(value: float) -> Iterator[bytes]:
    yield struct.pack("<d", value)
    if float(value).is_integer():
        yield struct.pack("<q", int(value))
