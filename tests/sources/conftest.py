"""A PostgreSQL server, and an empty database of each kind, for the tests of sources and outputs."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synthcli.sources import database

PASSWORD = "s3cr3t/p@ss word"
QUOTED = "s3cr3t%2Fp%40ss%20word"


def own_user() -> dict[str, Any]:
    """How to run a program that root must not: as postgres, or nobody."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """host:port of a PostgreSQL that asks for passwords."""
    if os.environ.get("SYNTH_NO_POSTGRES") == "1":
        pytest.skip("SYNTH_NO_POSTGRES=1")
    places = [None, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    found = next((p for place in places if (p := shutil.which("initdb", path=str(place) if place else None))), None)
    if found is None:
        pytest.fail("no initdb is installed; remedy: install postgresql, or SYNTH_NO_POSTGRES=1 to go without")
    programs = Path(found).resolve().parent
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        data, secret = Path(folder) / "data", Path(folder) / "password"
        secret.write_text(PASSWORD)
        user = own_user()
        if user:
            os.chown(folder, user["user"], user["group"])
            os.chown(secret, user["user"], user["group"])
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        quiet: dict[str, Any] = {
            "check": True,
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.PIPE,
            "cwd": folder,
            **user,
        }
        made = [
            found,
            "-D",
            data,
            "-U",
            "tester",
            "-A",
            "scram-sha-256",
            f"--pwfile={secret}",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(made, **quiet)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        control = shutil.which("pg_ctl", path=str(programs)) or str(Path(found).parent / "pg_ctl")
        subprocess.run(
            [control, "-D", data, "-l", Path(folder) / "log", "-w", "-o", options, "start"],
            **{**quiet, "stderr": subprocess.DEVNULL},
        )
        try:
            yield f"127.0.0.1:{port}"
        finally:
            subprocess.run([control, "-D", data, "-m", "immediate", "stop"], **{**quiet, "check": False})


@pytest.fixture(params=["sqlite", "duckdb", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty database, its password in the environment."""
    if request.param != "postgresql":
        return f"{request.param}:///{tmp_path}/{request.param}.db"
    return postgres(request.getfixturevalue("cluster"), monkeypatch)


@pytest.fixture
def pg(cluster: str, monkeypatch: pytest.MonkeyPatch) -> str:
    return postgres(cluster, monkeypatch)


def postgres(cluster: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TEST_PASSWORD", QUOTED)
    url = f"postgresql://tester:${{TEST_PASSWORD}}@{cluster}/postgres"
    with database.opened(url, "url", None).writing() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    return url
