"""Run the user's own code: metrics of evaluate.domain, the command of evaluate.downstream. It runs only with
--trust.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import inspect
import math
import os
import shlex
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import numpy as np

from synthcli.artifacts import files, store
from synthcli.contracts.evaluation import Downstream, Evidence, Measurement
from synthcli.contracts.modality import Target
from synthcli.errors import SpecError
from synthcli.pipeline.plan import Plan
from synthcli.spec import describe, gates
from synthcli.spec.load import Loaded
from synthcli.spec.models import Downstream as Command

MOST_LOG = 1 << 20  # bytes kept from the end of a log
_DOMAIN, _DOWNSTREAM = ("evaluate", "domain"), ("evaluate", "downstream")


def check(loaded: Loaded, trust: bool) -> None:
    """Raise SpecError if a spec would run code without --trust, or if the metrics file has no `measure`."""
    evaluate = loaded.spec.evaluate
    keys = [key for key, code in ((_DOMAIN, evaluate.domain), (_DOWNSTREAM, evaluate.downstream)) if code is not None]
    if keys and not trust:
        raise loaded.fail(
            [
                (key, "runs code that the spec names; remedy: read that code, then --trust (Python: trust=True)")
                for key in keys
            ]
        )
    if evaluate.domain is not None:
        Domain(loaded)
    application = evaluate.downstream
    if application is not None and not any(
        "{output}" in text for text in (application.command, *application.env.values())
    ):
        raise loaded.fail(
            [
                (
                    _DOWNSTREAM,
                    "has no {output}, so it cannot read the synthetic table; remedy: {output} in command or env",
                )
            ]
        )


class Domain:
    """The user's metrics: a file with measure(evidence, params, *, rng) -> list[Measurement]. Raises SpecError with its
    file and line.
    """

    def __init__(self, loaded: Loaded) -> None:
        domain = loaded.spec.evaluate.domain
        assert domain is not None  # the caller has checked
        self.loaded, self.params, self.shown = loaded, dict(domain.params), domain.path
        self.file = loaded.resolve(domain.path, *_DOMAIN)
        with _UserFile(self):
            self.module = _load(self.file)
        if not callable(measure := getattr(self.module, "measure", None)):
            raise self.fail("has no function measure(evidence, params, *, rng)")
        try:
            inspect.signature(measure).bind(None, {}, rng=None)  # fail now, not after the data is generated
        except TypeError as error:
            raise self.fail(f"measure cannot be called as measure(evidence, params, rng=…): {error}") from None

    def measure(self, evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
        """Call the user's `measure`, and check its result."""
        with _UserFile(self):
            found = self.module.measure(evidence, dict(self.params), rng=rng)
        odd = [found] if not isinstance(found, Sequence) else [m for m in found if not isinstance(m, Measurement)]
        if odd:
            what = (
                type(odd[0]).__name__ if odd[0] is found else f"a {type(found).__name__} with {type(odd[0]).__name__}"
            )
            raise self.fail(f"measure returned {what}; expected a list of synthcli.contracts.Measurement")
        judges = describe.keys(describe.modality_of(self.loaded.spec)).JUDGES
        ours = {name for room in ("metrics", "attacks") for name in gates.gauges(room, judges)}
        if taken := sorted({m.name for m in found} & ours):
            raise self.fail(f"measures {taken[0]}, which is the name of a built-in metric; remedy: another name")
        return [self._plain(m) for m in found]

    def _plain(self, measured: Measurement) -> Measurement:
        """Convert numpy figures to floats, so that they can be written; one that is not finite becomes None."""
        plain: dict[str, Any] = {}
        for name in ("value", "low", "high", "floor", "baseline", "control"):
            figure = getattr(measured, name)
            if figure is None:
                continue
            if not isinstance(figure, (int, float, np.number, np.bool_)):
                raise self.fail(f"{measured.name}: {name} is {figure!r}; expected a number or None")
            plain[name] = float(figure) if math.isfinite(figure) else None
        if plain.get("value") is None and not measured.note:
            plain["note"] = "these records give no finite figure"
        return replace(measured, **plain, n=None if measured.n is None else int(measured.n))

    def fail(self, message: str) -> SpecError:
        return self.loaded.fail([((*_DOMAIN,), f"{self.shown}: {message}")])


def _load(file: Path) -> ModuleType:
    """Import a file as a module, with its folder on the import path."""
    name = f"synthcli_domain_{hashlib.blake2b(str(file).encode(), digest_size=8).hexdigest()}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None  # it ends in .py, which `check` ensures
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look up their module
    sys.path.insert(0, str(file.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(file.parent))
    return module


class _UserFile(contextlib.AbstractContextManager[None]):
    """Report exceptions as errors of the user's file, with the line; redirect its prints to stderr, since stdout may
    be JSON.
    """

    def __init__(self, domain: Domain) -> None:
        self.domain, self.prints = domain, contextlib.redirect_stdout(sys.stderr)

    def __enter__(self) -> None:
        self.prints.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.prints.__exit__(kind, error, trace)
        if isinstance(error, (Exception, SystemExit)):
            raise self.domain.fail(f"{_where(self.domain.file, error, trace)}{type(error).__name__}: {error}") from None


def _where(file: Path, error: BaseException, trace: TracebackType | None) -> str:
    """The last line of the user's file in the traceback."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return f"line {error.lineno}: "
    steps = [s for s in traceback.extract_tb(trace) if s.filename == str(file)]
    return f"line {steps[-1].lineno}, in {steps[-1].name}: " if steps else ""


def downstream(folder: Path, application: Command, plan: Plan, generated: Path) -> None:
    """Run the command on a copy of the synthetic table, and write downstream.json and downstream.log."""
    own = plan.spec.output.format
    format_ = application.format or (own if own in ("csv", "parquet", "jsonl") else "parquet")
    table = folder / f"synthetic.{format_}"
    plan.modality.deliver(generated, Target(format_, table), replace(plan.checked.request, copies=1))
    fill = lambda text, path: text.replace("{output}", path)  # noqa: E731
    env = {**os.environ, **{name: fill(value, str(table)) for name, value in application.env.items()}}
    command = fill(application.command, shlex.quote(str(table)))
    result = _run(command, application, env, plan.loaded.file.parent, folder / store.DOWNSTREAM_LOG)
    table.unlink(missing_ok=True)
    files.write_json(folder / store.DOWNSTREAM_RESULT, asdict(result))


def _run(command: str, application: Command, env: Mapping[str, str], cwd: Path, log: Path) -> Downstream:
    """Run the command in a shell, and kill it with its children when its time is over."""
    started = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            shell=True,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(timeout=application.minutes * 60)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # also children that it left behind
            process.wait()
    _shorten(log)
    ended = (
        code if code is None or code >= 0 else 128 - code
    )  # killed by a signal: the code that a shell reports, always above 0
    return Downstream(application.command, ended, round(time.monotonic() - started, 3))


def _shorten(log: Path) -> None:
    """Keep the end of a log that is very long."""
    size = log.stat().st_size
    if size > MOST_LOG:
        with log.open("rb") as out:
            out.seek(size - MOST_LOG)
            end = out.read()
        log.write_bytes(f"… {size - MOST_LOG:,} earlier bytes are left out\n".encode() + end)


def read(folder: Path) -> Downstream:
    """Read what `downstream` wrote."""
    return Downstream(**files.read_object(folder / store.DOWNSTREAM_RESULT, {"command", "code", "seconds"}))
