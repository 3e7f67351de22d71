"""Object stores: a real S3 protocol on loopback, memory, and a web server; nothing half under its name, no secret in a
message.
"""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from synthcli import sources
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.errors import DataError, MissingExtra, SpecError, TryLater
from synthcli.sources import Source, remote

SCHEMA = Schema((Column("a", inferred=Traits(type="integer"), storage="int64"),))
CHUNK = pd.DataFrame({"a": pd.array([1, 2], dtype="Int64")})
SECRET = "wJalrXUtnFEMI"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    import boto3

    for name, value in (
        ("AWS_ENDPOINT_URL", server),
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="stays")
    yield client
    for item in client.list_objects_v2(Bucket="stays").get("Contents", []):
        client.delete_object(Bucket="stays", Key=item["Key"])
    client.delete_bucket(Bucket="stays")


@pytest.fixture(params=["s3", "memory"])
def root(request: pytest.FixtureRequest) -> str:
    if request.param == "s3":
        request.getfixturevalue("bucket")
        return "s3://stays"
    import fsspec

    fsspec.filesystem("memory").store.clear()
    return "memory://stays"


@pytest.mark.parametrize("kind", sources.FILES)
def test_there_and_back(root: str, kind: str) -> None:
    url = f"{root}/deep/er/x.{kind}"
    assert sources.write(iter([CHUNK, CHUNK]), SCHEMA, url, kind, rows=3) == 3
    source = Source(kind, path=url)
    assert [int(v) for v in sources.read(source)["a"].to_pylist()] == [1, 2, 1]
    assert sources.columns(source) == ["a"]
    before = sources.fingerprint(Source(kind, path=url))
    sources.write(iter([CHUNK]), SCHEMA, url, kind)
    assert sources.fingerprint(source) == before != sources.fingerprint(Source(kind, path=url))


def test_a_glob_and_partitions(root: str) -> None:
    for year in (2023, 2024):
        sources.write(iter([CHUNK]), SCHEMA, f"{root}/data/year={year}/x.csv", "csv")
    for path in (f"{root}/data/*/*.csv", f"{root}/data", f"{root}/data/"):
        assert sources.read(Source("csv", path=path)).to_pydict() == {
            "a": ["1", "2"] * 2,
            "year": ["2023"] * 2 + ["2024"] * 2,
        }
    with pytest.raises(DataError, match="no such object; remedy"):
        sources.read(Source("csv", path=f"{root}/nowhere/*.csv"))
    with pytest.raises(DataError, match="no such object"):
        sources.read(Source("csv", path=f"{root}/nowhere.csv"))


def test_a_broken_file_is_called_by_its_url(root: str) -> None:

    store, path = remote._store(f"{root}/x.csv")
    store.pipe_file(path, b"a,b\n1,2,3\n")
    with pytest.raises(DataError, match=rf"^{root}/x\.csv: line 2 has 3 cells"):
        sources.read(Source("csv", path=f"{root}/x.csv"))


def test_a_failure_leaves_the_old_object_alone(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"{root}/x.csv"
    sources.write(iter([CHUNK]), SCHEMA, url, "csv")

    def breaking() -> Iterator[pd.DataFrame]:
        yield CHUNK
        raise RuntimeError("model broke")

    with pytest.raises(RuntimeError, match="model broke"):
        sources.write(breaking(), SCHEMA, url, "csv")
    store, path = remote._store(url)
    monkeypatch.setattr(type(store), "mv", lambda *a, **k: (_ for _ in ()).throw(OSError("stopped half way")))
    with pytest.raises(DataError, match="stopped half way"):
        sources.write(iter([CHUNK, CHUNK]), SCHEMA, url, "csv")
    assert store.cat_file(path) == b"a\n1\n2\n"
    assert [p.rpartition("/")[2] for p in store.find(path.rpartition("/")[0])] == ["x.csv"]


@pytest.mark.usefixtures("bucket")
def test_s3_that_says_no(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"s3://no-such-bucket/x\.csv cannot be written: .*remedy"):
        sources.write(iter([CHUNK]), SCHEMA, "s3://no-such-bucket/x.csv", "csv")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(TryLater, match="cannot be reached") as raised:
        sources.read(Source("csv", path="s3://stays/x.csv"))
    assert raised.value.exit_code == 6 and SECRET not in str(raised.value)


def test_a_store_whose_package_is_missing() -> None:
    for path, extra in (("gs://bucket/x.csv", "gcs"), ("az://bucket/x.csv", "az")):
        with pytest.raises(MissingExtra, match=rf"pip install 'synthcli\[{extra}\]'"):
            sources.read(Source("csv", path=path))


def test_a_web_server_is_read_only(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n2\n")
    handler = functools.partial(
        type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *a: None}),
        directory=str(tmp_path),
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{running.server_port}/x.csv"
        assert sources.read(Source("csv", path=url)).to_pydict() == {"a": ["1", "2"]}
        with pytest.raises(DataError, match="404"):
            sources.read(Source("csv", path=url.replace("x.csv", "y.csv?sig=topsecret")))
        with pytest.raises(SpecError, match="web servers are only read"):
            sources.write(iter([CHUNK]), SCHEMA, url, "csv")
        running.shutdown()
    with pytest.raises(TryLater, match="cannot be reached"):
        sources.read(Source("csv", path=url))
