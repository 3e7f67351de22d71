"""Whoever makes the blocks, the bytes are the same: one process, several, a real Dask cluster of which a worker is
killed.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from synthcli.contracts.modality import WORTH, Engine
from synthcli.contracts.modelling import Progress, silent
from synthcli.errors import MissingExtra, SpecError, SynthError, TryLater
from synthcli.pipeline.resample import released
from synthcli.spec.describe import request_of
from synthcli.spec.models import Generate
from synthcli.tabular.fitted import FittedTable
from synthcli.tabular.sampling import workers
from synthcli.tabular.sampling.request import settle
from synthcli.tabular.sampling.stream import RowStream

ROWS = 3 * 16_384 + 100
BALANCE = {"city": {"Steyr": 0.25, "Wien": 0.25}}


@pytest.fixture
def old(spec: Path, synth: Any) -> FittedTable:
    """A run of trees with a rule over the table, which looks across blocks."""
    spec.write_text(
        spec.read_text()
        .replace("independent", "trees")
        .replace("[age >= 18]", "[age >= 18, {unique: [visit, age, income]}]")
    )
    said = synth("generate", spec, "--rows", "50")
    assert said.code == 0, said.err
    fitted = released(Path("artifacts"), "people", keep_failed=True).fitted
    assert isinstance(fitted, FittedTable)
    return fitted


def making(old: FittedTable, engine: Engine, rows: int = ROWS) -> RowStream:
    wanted = settle(request_of(Generate(balance=BALANCE), 5, rows), old.model, old.schema, old.rules)
    return RowStream(old.model, wanted, old.schema, old.choice, old.folder, engine)


def written(old: FittedTable, engine: Engine, target: Path, progress: Progress | None = None) -> bytes:
    out = making(old, engine)
    out.write(target, "parquet", progress or silent)
    table = pd.read_parquet(target)
    assert len(table) == ROWS and (table["city"] == "Steyr").sum() == round(ROWS / 4) and table["id"].is_unique
    assert not table.dropna()[["visit", "age", "income"]].duplicated().any()
    assert out.tally.strata and sum(out.tally.strata.values()) == ROWS
    return target.read_bytes()


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Cluster:
    """A scheduler and workers as processes of their own on loopback."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.folder, self.address = folder, f"tcp://127.0.0.1:{free_port()}"
        self.processes = [self._start("scheduler", "--host", self.address, "--no-dashboard")]
        self.workers = [self.worker() for _ in range(workers)]

    def worker(self) -> subprocess.Popen[bytes]:
        words = ("--nthreads", "2", "--no-nanny", "--no-dashboard", "--local-directory", str(self.folder))
        return self._start("worker", self.address, *words)

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{words[0]}-{time.time_ns()}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *words], stdout=log, stderr=log, env=os.environ | {"OMP_NUM_THREADS": "1"}
        )
        self.__dict__.setdefault("processes", []).append(process)
        return process

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path, 2)
    yield made
    made.close()


class Killing:
    """Kills a process when the first block is done."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process, self.killed = process, False

    def __call__(self, label: str, done: float, total: float, note: str = "") -> None:
        if done >= 16_384 and not self.killed:
            self.process.send_signal(signal.SIGKILL)
            self.killed = True


def test_the_same_bytes_from_one_two_and_three_processes_and_a_cluster_that_loses_a_worker(
    old: FittedTable, cluster: Cluster, tmp_path: Path
) -> None:
    alone = written(old, Engine(workers=1), tmp_path / "1.parquet")
    for count in (2, 3):
        assert written(old, Engine(workers=count), tmp_path / f"{count}.parquet") == alone
    killing = Killing(cluster.workers[0])
    assert written(old, Engine("dask", None, cluster.address), tmp_path / "dask.parquet", killing) == alone
    assert killing.killed and cluster.workers[1].poll() is None


def test_a_local_worker_that_dies_is_an_error_of_words(old: FittedTable) -> None:
    out = making(old, Engine(workers=2))
    blocks = out.blocks(silent)
    next(blocks)
    for child in _children(os.getpid()):
        os.kill(child, signal.SIGKILL)
    with pytest.raises(SynthError, match=r"a worker process died.*execution\.workers: 1"):
        list(blocks)


def _children(parent: int) -> list[int]:
    """Worker processes of this process."""
    out = []
    for task in Path(f"/proc/{parent}/task").iterdir():
        for pid in (task / "children").read_text().split():
            if b"synthcli.tabular.sampling.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                out.append(int(pid))
    return out


def test_no_scheduler_is_try_later(old: FittedTable, monkeypatch: pytest.MonkeyPatch, spec: Path, synth: Any) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 1)
    address = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(TryLater, match=f"execution.address: {address}: no Dask scheduler answers"):
        list(making(old, Engine("dask", None, address), 10).blocks(silent))
    said = synth(
        "generate", spec, "--rows", "60", "--set", "execution.engine=dask", "--set", f"execution.address={address}"
    )
    assert said.code == 6, said.err
    for wrong in ("nonsense", "tcp://127.0.0.1:notaport"):
        with pytest.raises((SpecError, TryLater), match=r"execution\.address"):
            list(making(old, Engine("dask", None, wrong), 10).blocks(silent))


def test_a_cluster_without_workers_is_try_later(
    old: FittedTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(tmp_path, 0)
    try:
        deadline = time.monotonic() + 20
        while not _answers(cluster.address) and time.monotonic() < deadline:
            time.sleep(0.1)
        monkeypatch.setattr(workers, "PATIENCE", 3)
        with pytest.raises(TryLater, match="no workers"):
            list(making(old, Engine("dask", None, cluster.address), 10).blocks(silent))
    finally:
        cluster.close()


def _answers(address: str) -> bool:
    host, _, port = address.removeprefix("tcp://").partition(":")
    with socket.socket() as s:
        return s.connect_ex((host, int(port))) == 0


def test_a_worker_that_cannot_make_the_same_rows_refuses(old: FittedTable) -> None:
    from dataclasses import replace

    task = making(old, Engine(), 10).task
    assert task is not None
    with pytest.raises(SynthError, match=r"a worker has numpy .*, but 0\.1 is required"):
        workers.generate_block(replace(task, versions='{"numpy": "0.1"}'), 0)
    with pytest.raises(SynthError, match="cannot see /nowhere"):
        workers.generate_block(replace(task, folder="/nowhere"), 0)


def test_a_script_without_a_guard_is_not_run_again_by_workers(spec: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f"print('started')\nfrom synthcli import execute\nrun = execute({str(spec)!r}, upto='generate',"
        " sets=['generate.rows=40000', 'execution.workers=2'])\nprint('ended')\n"
    )
    path = os.pathsep.join([str(Path(workers.__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.stdout.split() == ["started", "ended"], done.stderr


def test_small_tables_are_made_here() -> None:
    assert Engine().processes(WORTH - 1) == 1
    assert Engine(workers=3).processes(2) == 2
    assert Engine(workers=8).processes(100) == 8


def test_errors_come_whole_from_another_process() -> None:
    for error in (MissingExtra("method x", "torch"), SynthError("words"), TryLater("later")):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error) and str(again) == str(error)
