"""The versions that make a result what it is: of this program and of the packages that it computes with."""

from __future__ import annotations

from importlib import metadata

from synthcli import plugins
from synthcli.contracts.modality import Choice
from synthcli.version import __version__

PACKAGES = ("numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "duckdb", "statsmodels", "faker", "pydantic")


def packages(*choices: Choice) -> dict[str, str]:
    """Versions of the packages that make the result what it is."""
    names = set(PACKAGES)
    for choice in choices:
        extra = plugins.method(choice.method, choice.modality).EXTRA
        names |= set(plugins.EXTRAS[extra]) if extra is not None else set()
    return {name: _installed(name) for name in sorted(names)}


def versions(choice: Choice) -> dict[str, str]:
    """What makes the bytes what they are, besides spec, seed and data."""
    return {"synthcli": __version__, **packages(choice)}


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
