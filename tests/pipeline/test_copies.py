"""Several copies of one run: independent, reproducible, delivered one by one; refitted where they shall be proper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthcli import execute
from synthcli.columns.table import Table
from synthcli.contracts.modality import Target
from synthcli.contracts.modelling import silent
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.errors import ArtifactError
from synthcli.tabular import fitted, modality, output
from synthcli.tabular.evidence import TableEvidence, _all_copies


def add(spec: Path, text: str) -> None:
    spec.write_text(spec.read_text() + text)


def test_copies_are_independent_and_the_first_is_the_one_without_copies(spec: Path, tmp_path: Path) -> None:
    alone = execute(spec, root=tmp_path / "alone").frame()
    add(spec, "generate: {copies: 3}\noutput: {format: csv, path: out.csv.gz}\n")
    done = execute(spec, root=tmp_path / "artifacts")
    frames = [done.frame(i) for i in (1, 2, 3)]
    pd.testing.assert_frame_equal(frames[0], alone)
    pd.testing.assert_frame_equal(frames[0], done.frame())
    assert not frames[0].equals(frames[1]) and not frames[1].equals(frames[2])
    assert all((f["age"] >= 18).all() and len(f) == 600 for f in frames)
    written = [pd.read_csv(tmp_path / f"out-{i}.csv.gz") for i in (1, 2, 3)]
    assert [len(w) for w in written] == [600] * 3 and not (tmp_path / "out.csv.gz").exists()
    assert written[1]["age"].tolist() == frames[1]["age"].tolist()
    output = done.version.manifest()["output"]
    assert [Path(c["path"]).name for c in output["copies"]] == ["out-1.csv.gz", "out-2.csv.gz", "out-3.csv.gz"]
    assert done.version.verify() == []
    again = execute(spec, root=tmp_path / "again", fresh=True)
    pd.testing.assert_frame_equal(again.frame(3), frames[2])
    with pytest.raises(ArtifactError, match="no copy 4"):
        done.frame(4)


def test_if_changed_misses_a_copy_that_is_gone(spec: Path, tmp_path: Path) -> None:
    add(spec, "generate: {copies: 2}\noutput: {format: csv, path: out.csv}\n")
    execute(spec, root=tmp_path / "a")
    assert not execute(spec, root=tmp_path / "a", if_changed=True).fresh
    (tmp_path / "out-2.csv").unlink()
    assert execute(spec, root=tmp_path / "a", if_changed=True).fresh
    assert (tmp_path / "out-2.csv").exists()


def test_proper_copies_differ_by_more_than_their_rows_do(spec: Path, tmp_path: Path) -> None:
    """Means of copies from one fit vary by 1/k, those of refitted ones by 1/k + 1/n; here k is n, so the variance
    doubles.
    """
    add(spec, "generate: {copies: 24}\n")
    spread = {}
    for proper in ("false", "true"):
        done = execute(spec, root=tmp_path / proper, upto="generate", sets=[f"generate.proper={proper}"])
        spread[proper] = np.var([done.frame(i)["age"].mean() for i in range(1, 25)], ddof=1)
    rows = 600
    expected = np.var(pd.read_csv(tmp_path / "people.csv")["age"], ddof=1) / rows
    assert 0.40 < spread["false"] / expected < 1.92  # chi-squared of 23 degrees of freedom, 99 %
    assert 0.80 < spread["true"] / expected < 3.84  # twice that


def test_attacks_see_all_copies(spec: Path, tmp_path: Path) -> None:
    add(spec, "generate: {copies: 3}\n")
    done = execute(spec, root=tmp_path / "a")
    schema = Schema((Column("age", inferred=Traits(type="integer"), storage="int64"),))
    first = Table(done.frame()[["age"]], schema)
    whole = _all_copies(first, done.data.parent, 3)
    assert whole is not None
    assert whole.frame["age"].tolist() == pd.concat([done.frame(i)["age"] for i in (1, 2, 3)]).tolist()
    assert _all_copies(first, done.data.parent, 1) is None
    # three times the rows, each of them a copy of a training row of itself
    seen = TableEvidence(schema, first, first, first, attacked=whole)
    counts = [
        {m.name: m.n for m in modality.measure(kind, names, seen, seed=0, progress=silent)}
        for kind, names in (("metrics", ["shapes"]), ("attacks", ["copies"]))
    ]
    assert counts[1]["copies"] == len(whole) == 3 * len(first)


def test_a_bootstrap_takes_whole_units() -> None:
    schema = Schema((Column("who", inferred=Traits(type="id"), storage="string"),), unit="who")
    table = Table(
        pd.DataFrame({"who": pd.array(["a", "a", "b", "c", "c", "c"], dtype=pd.StringDtype("pyarrow"))}), schema
    )
    for seed in range(20):
        rows = fitted.resampled(table, rng=np.random.default_rng(seed))
        times = np.bincount(rows, minlength=6)
        assert times[0] == times[1] and times[3] == times[4] == times[5]
        assert times[0] + times[2] + times[3] == 3


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Target("csv", Path("/x/people.csv.gz")), "/x/people-2.csv.gz"),
        (Target("parquet", "s3://bucket/a.b/people.parquet"), "s3://bucket/a.b/people-2.parquet"),
        (Target("csv", Path("/x/people")), "/x/people-2"),
        (Target("sql", url="sqlite:///x.db", table="people"), "sqlite:///x.db table people_2"),
    ],
)
def test_names_of_copies(target: Target, expected: str) -> None:
    assert output.targets(target, 1) == [("data.parquet", target)]
    name, second = output.targets(target, 3)[1]
    assert (name, second.where) == ("data-2.parquet", expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("generate: {copies: 0}", "generate.copies"),
        ("generate: {copies: 2}\noutput: {format: csv, path: people.csv}", ""),
        ("generate: {copies: 2, rows: 5}\noutput: {format: csv, path: ../x/y.csv}", "does not exist"),
    ],
)
def test_what_cannot_be_is_refused(spec: Path, synth: Any, text: str, said: str) -> None:
    add(spec, text + "\n")
    found = synth("check", spec)
    assert found.code == (1 if said else 0) and said in found.err


def test_the_source_is_not_overwritten_by_a_copy(spec: Path, synth: Any, tmp_path: Path) -> None:
    (tmp_path / "people.csv").rename(tmp_path / "people-2.csv")
    found = synth(
        "check",
        spec,
        "--set",
        "source.path=people-2.csv",
        "--set",
        "generate.copies=2",
        "--set",
        "output={format: csv, path: people.csv}",
    )
    assert found.code == 1 and "the source itself" in found.err


def test_proper_needs_data(tmp_path: Path, synth: Any) -> None:
    path = tmp_path / "none.yaml"
    path.write_text(
        "source: {type: none}\ncolumns: {a: {type: integer, min: 0, max: 9}}\ngenerate: {rows: 5, copies: 2, proper:"
        " true}\n"
    )
    found = synth("check", path)
    assert found.code == 1 and "there is no data" in found.err
    assert synth("run", path, "--set", "generate.proper=false", "--quiet").code == 0
