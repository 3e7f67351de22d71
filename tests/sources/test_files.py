"""Bad inputs of every kind of file: each one a DataError with the path and a remedy. And writing that is whole or not
at all.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import os
import socket
import tempfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthcli import sources
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.errors import DataError, SpecError
from synthcli.sources import Source, files, places

SCHEMA = Schema((Column("a", inferred=Traits(type="integer"), storage="int64"),))
CHUNK = pd.DataFrame({"a": pd.array([1, 2], dtype="Int64")})


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
class TestAnyFile:
    def test_missing(self, kind: str, tmp_path: Path) -> None:
        (tmp_path / f"stays.{kind}").write_bytes(b"")
        with pytest.raises(DataError, match=rf"stay\.{kind} does not exist.*Did you mean stays\.{kind}\?"):
            sources.read(Source(kind, path=tmp_path / f"stay.{kind}"))

    def test_missing_folder(self, kind: str, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="there is no folder"):
            sources.columns(Source(kind, path=tmp_path / "nowhere" / "x"))

    def test_folder(self, kind: str, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="is a folder; remedy"):
            sources.fingerprint(Source(kind, path=tmp_path))

    def test_empty(self, kind: str, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(b"")
        with pytest.raises(DataError, match="remedy"):
            sources.read(Source(kind, path=tmp_path / "x"))

    def test_no_path(self, kind: str) -> None:
        with pytest.raises(SpecError, match=r"source\.path is missing"):
            sources.read(Source(kind))

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_permission(self, kind: str, tmp_path: Path) -> None:
        path = tmp_path / "x"
        path.write_text("a\n1\n")
        path.chmod(0)
        with pytest.raises(DataError, match="Permission denied; remedy"):
            sources.read(Source(kind, path=path))

    def test_fingerprint_follows_the_bytes(self, kind: str, tmp_path: Path) -> None:
        path = tmp_path / "x"
        path.write_bytes(b"a\n1\n")
        before = sources.fingerprint(Source(kind, path=path))
        path.write_bytes(b"a\n2\n")
        assert sources.fingerprint(Source(kind, path=path)) != before
        path.write_bytes(b"a\n1\n")
        assert sources.fingerprint(Source(kind, path=path)) == before


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_damaged_compression(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    text = b'{"a": 1}\n' if kind == "jsonl" else b"a,b\n1,2\n"
    whole = gzip.compress(os.urandom(3000).hex().encode() + text * 1000)
    for data in (whole[:-200], b"no gzip at all", whole[:1000] + b"xxxx" + whole[1004:]):
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"x\.gz .*remedy"):
            sources.read(Source(kind, path=path))


def test_magic(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(DataError, match=r"is a parquet file; remedy: source\.type: parquet"):
        sources.read(Source("csv", path=path))
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    with pytest.raises(DataError, match=r"ends in \.gz"):
        sources.read(Source("csv", path=path))


def test_decompression(tmp_path: Path) -> None:
    zst = pa.compress(b"a,b\n1,2\n", codec="zstd", asbytes=True)
    for ending, data in {"gz": gzip.compress(b"a,b\n1,2\n"), "bz2": bz2.compress(b"a,b\n1,2\n"), "zst": zst}.items():
        path = tmp_path / f"x.csv.{ending}"
        path.write_bytes(data)
        assert sources.read(Source("csv", path=path)).to_pylist() == [{"a": "1", "b": "2"}]
        assert sources.columns(Source("csv", path=path)) == ["a", "b"]


def test_unknown_kind() -> None:
    with pytest.raises(SpecError, match=r"source\.type is parqet; .*Did you mean parquet\?"):
        sources.read(Source("parqet"))
    with pytest.raises(SpecError, match=r"output\.format is builtin"):
        sources.write(iter([]), SCHEMA, Path("x"), "builtin")


def test_none() -> None:
    nothing = Source("none")
    assert (
        sources.read(nothing).num_columns == 0
        and sources.columns(nothing) == []
        and sources.fingerprint(nothing) == b""
    )


@pytest.mark.parametrize("kind", sources.FILES)
class TestWriting:
    def test_failure_leaves_the_old_file(self, kind: str, tmp_path: Path) -> None:
        def chunks():
            yield CHUNK
            raise RuntimeError("model broke")

        path = tmp_path / "out"
        path.write_text("old")
        with pytest.raises(RuntimeError, match="model broke"):
            sources.write(chunks(), SCHEMA, path, kind)
        assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]

    def test_no_room(self, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(fd: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(files.os, "fsync", full)
        with pytest.raises(DataError, match=r"out cannot be written: No space left on device; remedy: free some room"):
            sources.write(iter([CHUNK]), SCHEMA, tmp_path / "out", kind)
        assert list(tmp_path.iterdir()) == []

    def test_folder_in_the_way(self, kind: str, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="Is a directory; remedy"):
            sources.write(iter([CHUNK]), SCHEMA, tmp_path, kind)
        (tmp_path / "file").write_text("")
        with pytest.raises(DataError, match="cannot be written"):
            sources.write(iter([CHUNK]), SCHEMA, tmp_path / "file" / "out", kind)

    def test_same_bytes_twice(self, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        ending = "" if kind in ("parquet", "excel") else ".gz"
        for clock, name in enumerate(("one", "two")):
            monkeypatch.setattr(gzip.time, "time", lambda clock=clock: 1e9 + 5000 * clock)
            sources.write(iter([CHUNK, CHUNK]), SCHEMA, tmp_path / (name + ending), kind)
        assert (tmp_path / f"one{ending}").read_bytes() == (tmp_path / f"two{ending}").read_bytes()

    def test_rows_are_cut_and_counted(self, kind: str, tmp_path: Path) -> None:
        path = tmp_path / "new" / "out"
        assert sources.write(iter([CHUNK, CHUNK, CHUNK]), SCHEMA, path, kind, rows=3) == 3
        assert sources.read(Source(kind, path=path))["a"].cast(pa.int64()).to_pylist() == [1, 2, 1]
        assert sources.write(iter([CHUNK]), SCHEMA, path, kind) == 2

    def test_through_a_link(self, kind: str, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(tmp_path / "real")
        sources.write(iter([CHUNK]), SCHEMA, tmp_path / "link", kind)
        assert (tmp_path / "link").is_symlink() and (tmp_path / "real").stat().st_size


def test_permissions_follow_the_umask() -> None:
    with tempfile.TemporaryDirectory() as folder:
        old = os.umask(0o027)
        try:
            sources.write(iter([CHUNK]), SCHEMA, Path(folder) / "out", "csv")
        finally:
            os.umask(old)
        assert (Path(folder) / "out").stat().st_mode & 0o777 == 0o640


class TestPaths:
    @pytest.mark.parametrize(
        ("path", "error", "message"),
        [
            ("s4://bucket/x.csv", SpecError, "expected a path, or a URL of s3, "),
            ("ftp://example.org/x.csv", SpecError, "expected a path, or a URL of"),
            ("${HOME}/x.csv", SpecError, "environment variables in paths are not supported"),
            ("$HOME/x.csv", SpecError, "environment variables in paths are not supported"),
            ("data/*.csv", DataError, "no file matches; remedy"),
            ("data/x[0-9].csv", DataError, "no file matches; remedy"),
            ("", SpecError, r"source\.path is empty"),
            ("  ", SpecError, r"source\.path is empty"),
            ("a\0b.csv", SpecError, "holds a NUL byte; remedy"),
            ("~nouser/x.csv", DataError, "there is no home folder ~nouser; remedy"),
            ("x" * 300, DataError, "File name too long; remedy"),
        ],
    )
    def test_what_is_no_local_file(self, path: str, error: type, message: str) -> None:
        with pytest.raises(error, match=message):
            sources.parts(Source("csv", path=path))

    def test_a_file_with_such_a_name(self, tmp_path: Path) -> None:
        path = tmp_path / "x[1]$a*.csv"
        path.write_text("a\n1\n")
        assert [p.path for p in sources.parts(Source("csv", path=path))] == [path]

    def test_a_loop_of_links(self, tmp_path: Path) -> None:
        (tmp_path / "x").symlink_to(tmp_path / "x")
        with pytest.raises(DataError, match="remedy"):
            sources.parts(Source("csv", path=tmp_path / "x"))

    @pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
    def test_pipes_sockets_and_devices(self, kind: str, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with socket.socket(socket.AF_UNIX) as server:
            os.chdir(tmp_path)
            server.bind("socket")  # by a short name, as there is little room
            for path, what in (
                (tmp_path / "pipe", "a pipe"),
                (tmp_path / "socket", "a socket"),
                (Path("/dev/zero"), "a device"),
            ):
                for look in (sources.read, sources.columns, sources.fingerprint):
                    with pytest.raises(DataError, match=f"is {what}, not a file; remedy"):
                        look(Source(kind, path=path))


def test_what_killed_writers_left_goes(tmp_path: Path) -> None:
    old, new, other = (
        tmp_path / name for name in (".x[1].csv.0a1b2c3d.part", ".x[1].csv.ffffffff.part", ".y.csv.0a1b2c3d.part")
    )
    for part in (old, new, other):
        part.write_text("half")
    for part in (old, other):
        os.utime(part, (0, 0))
    with files.replacing(tmp_path / "x[1].csv") as file:
        file.write(b"a\n")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([new.name, other.name, "x[1].csv"])


@pytest.mark.parametrize(
    ("path", "target", "taken"),
    [
        ("{}/a*.csv", "{}/a9.csv", True),
        ("{}/a*.csv", "{}/sub/a9.csv", False),
        ("{}/**/*.csv", "{}/x/y/b.csv", True),
        ("{}/**/*.csv", "{}/b.csv", True),
        ("{}/[!a]?.csv", "{}/b1.csv", True),
        ("{}/[!a]?.csv", "{}/a1.csv", False),
        ("{}", "{}/x/b.csv", True),
        ("{}", "{}/b.parquet", False),
        ("{}", "{}x/b.csv", False),
        ("{}/one.csv", "{}/one.csv", True),
        ("{}/one.csv", "{}/two.csv", False),
        ("s3://b/a*", "s3://b/a1.csv", True),
        ("s3://b/in", "s3://b/in/new.csv", True),
        ("s3://b/in", "{}/new.csv", False),
    ],
)
def test_what_a_source_would_take_in(tmp_path: Path, path: str, target: str, taken: bool) -> None:
    """An output among the files of its source would be learned from as real the next time."""
    assert places.takes(path.format(tmp_path), "csv", target.format(tmp_path)) is taken
