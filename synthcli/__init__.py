"""synthcli: declarative synthetic data.

run = synthcli.execute("spec.yaml")     the whole loop of a spec, as `synth run`; see docs/python.md
run.passed, run.verdict, run.frame()    what came of it; in a notebook a run shows itself
synthcli.load_spec("spec.yaml")         a spec that was read and checked, with where each key stands
synthcli.combine(estimates, variances)  one inference from several copies; see docs/copies.md
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from synthcli.version import __version__

__all__ = ["Run", "__version__", "combine", "execute", "load_spec"]

if TYPE_CHECKING:
    from synthcli.combining import combine
    from synthcli.pipeline.execute import execute
    from synthcli.pipeline.run import Run
    from synthcli.spec.load import load_spec

_ROOMS = {
    "Run": "pipeline.run",
    "execute": "pipeline.execute",
    "load_spec": "spec.load",
    "combine": "combining",
}


def __getattr__(name: str) -> Any:
    # imported when asked for, so that `synth --help` stays fast
    if name in _ROOMS:
        return getattr(importlib.import_module(f"synthcli.{_ROOMS[name]}"), name)
    raise AttributeError(f"module 'synthcli' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
