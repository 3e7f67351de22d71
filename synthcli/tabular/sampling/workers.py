"""Generate blocks in this process, in local worker processes, or on a Dask cluster, with identical bytes."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import queue
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthcli.columns import frame as frames
from synthcli.columns.table import Table
from synthcli.contracts.modality import Choice, Engine
from synthcli.contracts.schema import Schema
from synthcli.errors import MissingExtra, SpecError, SynthError, TryLater
from synthcli.packages import versions
from synthcli.tabular.sampling.block import BlockGenerator, Tally
from synthcli.tabular.sampling.request import SettledRequest

PATIENCE = 20  # seconds to wait for the scheduler, and then for a worker
AHEAD = 3  # blocks per worker generated in advance


@dataclass(frozen=True)
class Task:
    """Everything another process needs to generate blocks.

    method, modality: of the model; folder: where it is saved; request, schema: as JSON; versions: of this program and
    its packages, as JSON, because other versions may generate other rows.
    """

    method: str
    modality: str
    folder: str
    request: str
    schema: str
    versions: str


@dataclass(frozen=True)
class Block:
    """A generated block: a table if from this process, the bytes of an Arrow stream if from another."""

    schema: Schema
    tally: Tally
    table: Table | None = None
    stream: bytes | None = None

    def arrow(self) -> pa.Table:
        """The rows with the storage types of the source."""
        if self.stream is not None:
            return pa.ipc.open_stream(self.stream).read_all()
        assert self.table is not None
        return self.table.arrow()

    def frame(self) -> Table:
        """The rows in canonical dtypes."""
        return self.table if self.table is not None else Table(frames.to_frame(self.arrow(), self.schema), self.schema)


def blocks(engine: Engine, generator: BlockGenerator, task: Task | None) -> Iterator[Block]:
    """Yield every block in order. task: None if the model has no folder; this process then generates all blocks."""
    count = generator.request.blocks
    if engine.kind == "dask" and task is not None:
        yield from _on_dask(engine, task, count)
    elif task is not None and (workers := engine.processes(count)) > 1:
        yield from _in_processes(task, count, workers)
    else:
        for block in range(count):
            table, tally = generator.generate(block)
            yield Block(table.schema, tally, table=table)


class Worker:
    """A local worker process (worker.py), started as a new interpreter: a forked process with threads may hang, and a
    spawned one would run the caller's script again.
    """

    def __init__(self, task: Task) -> None:
        path = {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
        command = [sys.executable, "-m", "synthcli.tabular.sampling.worker"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **path}
        )
        self._send(task)

    def _send(self, message: object) -> None:
        assert self.process.stdin is not None  # it is a pipe
        pickle.dump(message, self.process.stdin)
        self.process.stdin.flush()

    def generate(self, block: int) -> Block:
        """Generate a block. Re-raises the worker's error; raises SynthError if the process dies."""
        assert self.process.stdout is not None  # it is a pipe
        try:
            self._send(block)
            answer = pickle.load(self.process.stdout)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            raise SynthError(
                "a worker process died, possibly out of memory; remedy: execution.workers: 1, or more memory"
            ) from None
        if isinstance(answer, BaseException):
            raise answer
        assert isinstance(answer, Block)
        return answer

    def end(self) -> None:
        """Kill the process and wait for it."""
        self.process.kill()
        self.process.wait()


def _in_processes(task: Task, count: int, workers: int) -> Iterator[Block]:
    free: queue.SimpleQueue[Worker] = queue.SimpleQueue()
    started = [Worker(task) for _ in range(workers)]
    for worker in started:
        free.put(worker)

    def generate(block: int) -> Block:
        worker = free.get()
        try:
            return worker.generate(block)
        finally:
            free.put(worker)

    threads = ThreadPoolExecutor(workers)
    try:
        yield from _in_order(lambda block: threads.submit(generate, block), count, workers * AHEAD)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for worker in started:
            worker.end()


def _in_order(submit: Callable[[int], Future[Block]], count: int, ahead: int) -> Iterator[Block]:
    waiting: list[Future[Block]] = []
    upcoming = iter(range(count))
    for block in itertools.islice(upcoming, ahead):
        waiting.append(submit(block))
    while waiting:
        result = waiting.pop(0).result()
        waiting += [submit(block) for block in itertools.islice(upcoming, 1)]
        yield result


@contextmanager
def _client(engine: Engine) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError:
        raise MissingExtra("execution.engine: dask", "dask") from None
    try:
        client = Client(engine.address, timeout=PATIENCE, set_as_default=False)
    except ValueError as error:
        raise SpecError(
            f"execution.address is {engine.address}, which is not an address ({error}); expected e.g. tcp://127.0.0.1:8786"
        ) from None
    except (OSError, TimeoutError) as error:
        raise TryLater(
            f"execution.address: {engine.address}: no Dask scheduler answers ({error}); remedy: start it, or engine:"
            " local"
        ) from None
    try:
        yield client
    finally:
        client.close(timeout=5)


def _on_dask(engine: Engine, task: Task, count: int) -> Iterator[Block]:
    """Generate blocks as tasks of a Dask cluster, whose workers read the model from its folder; the scheduler
    reassigns the tasks of a lost worker.
    """
    from concurrent.futures import CancelledError

    with _client(engine) as client:
        from distributed import KilledWorker

        try:
            client.wait_for_workers(1, timeout=PATIENCE)
            cores = sum(client.nthreads().values()) or 1
            yield from _in_order(
                lambda block: client.submit(generate_block, task, block, pure=False), count, cores * AHEAD
            )
        except TimeoutError:
            raise TryLater(
                f"execution.address: {engine.address}: the scheduler has no workers; remedy: start some, or engine:"
                " local"
            ) from None
        except KilledWorker as error:
            raise SynthError(
                f"the workers of {engine.address} died, possibly out of memory ({error}); remedy: give each more memory"
            ) from None
        except ModuleNotFoundError as error:
            raise SynthError(
                f"the workers of {engine.address} lack a package ({error}); remedy: install synthcli there, in this"
                " version"
            ) from None
        except (OSError, CancelledError) as error:
            raise TryLater(
                f"execution.address: {engine.address}: lost the scheduler ({error}); remedy: run the same command again"
            ) from None


@lru_cache(maxsize=1)
def _generator(task: Task) -> BlockGenerator:
    from synthcli.tabular.sampling.transformed import load_model

    choice = Choice(task.method, {}, modality=task.modality)
    if other := {
        name: (installed, required)
        for name, required in json.loads(task.versions).items()
        if (installed := versions(choice).get(name)) != required
    }:
        name, (installed, required) = next(iter(other.items()))
        raise SynthError(
            f"a worker has {name} {installed}, but {required} is required; remedy: the same versions on every machine"
        )
    if not Path(task.folder).is_dir():
        raise SynthError(
            f"a worker cannot see {task.folder}; remedy: --root in a folder that all machines share, under the same"
            " path"
        )
    schema = Schema.from_json(json.loads(task.schema))
    return BlockGenerator(
        load_model(choice, Path(task.folder)), SettledRequest.from_json(json.loads(task.request), schema), schema
    )


def generate_block(task: Task, block: int) -> Block:
    """Generate a block as the bytes of an Arrow stream, for another process."""
    table, tally = _generator(task).generate(block)
    sink = pa.BufferOutputStream()
    arrow = table.arrow()
    with pa.ipc.new_stream(sink, arrow.schema) as stream:
        stream.write_table(arrow)
    return Block(table.schema, tally, stream=sink.getvalue().to_pybytes())
