"""synthcli: declarative synthetic data.

made = synthcli.synthesize(frame)       a synthetic copy of a DataFrame that passed its gates; see docs/python.md
run = synthcli.fit(frame)               the same as a run: its verdict, its model, more rows by run.generate(rows=…)
synthcli.Synthesizer().fit(frame)       the same as an estimator with the conventions of scikit-learn
run = synthcli.execute("spec.yaml")     the whole loop of a spec, as `synth run`
run.passed, run.verdict, run.frame()    what came of it; in a notebook a run shows itself
synthcli.load_spec("spec.yaml")         a spec that was read and checked, with where each key stands
synthcli.combine(estimates, variances)  one inference from several copies; see docs/copies.md
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from synthcli.version import __version__

__all__ = ["Run", "Synthesizer", "__version__", "combine", "execute", "fit", "load_spec", "synthesize"]

if TYPE_CHECKING:
    from synthcli.combining import combine
    from synthcli.pipeline.execute import execute
    from synthcli.pipeline.run import Run
    from synthcli.pipeline.synthesize import Synthesizer, fit, synthesize
    from synthcli.spec.load import load_spec

_ROOMS = {
    "Run": "pipeline.run",
    "Synthesizer": "pipeline.synthesize",
    "execute": "pipeline.execute",
    "fit": "pipeline.synthesize",
    "synthesize": "pipeline.synthesize",
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
