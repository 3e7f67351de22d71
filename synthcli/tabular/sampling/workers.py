"""Who makes the blocks: this process, several local ones, or a Dask cluster. The bytes are the same."""

from __future__ import annotations

import itertools
import json
import sys
import types
from collections.abc import Callable, Iterator
from concurrent.futures import Future
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

PATIENCE = 20  # seconds that a scheduler has to answer, and to have a worker
AHEAD = 3  # blocks per worker that are made before they are asked for


@dataclass(frozen=True)
class Task:
    """All that another process needs to make blocks. folder: of the saved model; wanted: as JSON, and the schema it is
    read with.

    versions: of this program and its packages, as JSON: others may make other rows.
    """

    method: str
    folder: str
    request: str
    schema: str
    versions: str


@dataclass(frozen=True)
class Block:
    """A block as it was made: here as a table, elsewhere as the bytes of an Arrow stream."""

    schema: Schema
    tally: Tally
    table: Table | None = None
    stream: bytes | None = None

    def arrow(self) -> pa.Table:
        """With the storage types of the source."""
        if self.stream is not None:
            return pa.ipc.open_stream(self.stream).read_all()
        assert self.table is not None
        return self.table.arrow()

    def frame(self) -> Table:
        """In canonical dtypes."""
        return self.table if self.table is not None else Table(frames.to_frame(self.arrow(), self.schema), self.schema)


def blocks(engine: Engine, generator: BlockGenerator, task: Task | None) -> Iterator[Block]:
    """Every block in order. task: None where the model stands in no folder that others can read; then this process
    makes all.
    """
    count = generator.request.blocks
    if engine.kind == "dask" and task is not None:
        yield from _on_dask(engine, task, count)
    elif task is not None and (workers := engine.processes(count)) > 1:
        yield from _in_processes(task, count, workers)
    else:
        for block in range(count):
            table, tally = generator.make(block)
            yield Block(table.schema, tally, table=table)


def _in_processes(task: Task, count: int, workers: int) -> Iterator[Block]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    # started afresh, not forked: a fork of a process with threads may hang
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_quiet) as pool:

        def submit(block: int) -> Future[Block]:
            with _without_main():
                return pool.submit(_made, task, block)

        try:
            yield from _in_order(submit, count, workers * AHEAD)
        except BrokenProcessPool:
            raise SynthError(
                "a worker process died, perhaps for want of memory; remedy: execution.workers: 1, or more memory"
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _in_order(submit: Callable[[int], Future[Block]], count: int, ahead: int) -> Iterator[Block]:
    waiting: list[Future[Block]] = []
    upcoming = iter(range(count))
    for block in itertools.islice(upcoming, ahead):
        waiting.append(submit(block))
    while waiting:
        made = waiting.pop(0).result()
        waiting += [submit(block) for block in itertools.islice(upcoming, 1)]
        yield made


@contextmanager
def _without_main() -> Iterator[None]:
    """A process that is started afresh would run the caller's script again, which may be one that calls us and has no
    guard.
    """
    caller, sys.modules["__main__"] = sys.modules["__main__"], types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = caller


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
            f"execution.address: {engine.address}: is no address ({error}); expected such as tcp://127.0.0.1:8786"
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
    """Blocks as tasks of a cluster, whose workers read the model from its folder; what a lost worker had is made again
    by another.
    """
    from concurrent.futures import CancelledError

    with _client(engine) as client:
        from distributed import KilledWorker

        try:
            client.wait_for_workers(1, timeout=PATIENCE)
            cores = sum(client.nthreads().values()) or 1
            yield from _in_order(lambda block: client.submit(_made, task, block, pure=False), count, cores * AHEAD)
        except TimeoutError:
            raise TryLater(
                f"execution.address: {engine.address}: the scheduler has no workers; remedy: start some, or engine:"
                " local"
            ) from None
        except KilledWorker as error:
            raise SynthError(
                f"the workers of {engine.address} died, perhaps for want of memory ({error}); remedy: more memory each"
            ) from None
        except ModuleNotFoundError as error:
            raise SynthError(
                f"the workers of {engine.address} lack a package ({error}); remedy: install synthcli there, in this"
                " version"
            ) from None
        except (OSError, CancelledError) as error:
            raise TryLater(
                f"execution.address: {engine.address}: the scheduler went away ({error}); remedy: the same command"
                " again"
            ) from None


def _quiet() -> None:
    """An interrupt is for the process that waits for us, and without it there is nothing left to do."""
    import signal
    import threading

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for ever."""
    import multiprocessing
    import os

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@lru_cache(maxsize=1)
def _generator(task: Task) -> BlockGenerator:
    from synthcli.tabular.sampling.transformed import load_model

    choice = Choice(task.method, {}, modality="tabular")
    if other := {
        name: (mine, asked)
        for name, asked in json.loads(task.versions).items()
        if (mine := versions(choice).get(name)) != asked
    }:
        name, (mine, asked) = next(iter(other.items()))
        raise SynthError(
            f"a worker has {name} {mine}, and {asked} is asked for; remedy: the same versions on every machine"
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


def _made(task: Task, block: int) -> Block:
    table, tally = _generator(task).make(block)
    sink = pa.BufferOutputStream()
    arrow = table.arrow()
    with pa.ipc.new_stream(sink, arrow.schema) as stream:
        stream.write_table(arrow)
    return Block(table.schema, tally, stream=sink.getvalue().to_pybytes())
