"""synthcli: declarative synthetic data. `load_spec` reads a spec, `execute` runs it; the rest is the `synth` command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "execute", "load_spec"]

if TYPE_CHECKING:
    from synthcli.pipeline.execute import execute
    from synthcli.spec.load import load_spec


def __getattr__(name: str) -> Any:
    # imported when asked for, so that `synth --help` stays fast
    if name == "execute":
        from synthcli.pipeline.execute import execute

        return execute
    if name == "load_spec":
        from synthcli.spec.load import load_spec

        return load_spec
    raise AttributeError(f"module 'synthcli' has no attribute {name!r}")
