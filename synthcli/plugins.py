"""Finds a room by its file name and imports it only when it is used."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from synthcli.errors import MissingExtra, SpecError, did_you_mean

FLOORS = ("tabular", "relational")  # one per modality


@cache
def names(kind: str, floor: str = "tabular") -> tuple[str, ...]:
    """The file names in a room (methods, metrics, attacks) of a floor, without importing any of them."""
    folder = Path(__file__).parent / floor / kind
    return tuple(sorted(m.name for m in pkgutil.iter_modules([str(folder)]) if not m.name.startswith("_")))


def method(name: str, floor: str = "tabular") -> Any:
    """The module of a method. Raises SpecError for an unknown name."""
    if name not in names("methods", floor):
        known = ", ".join(names("methods", floor))
        raise SpecError(f"there is no method {name!r}.{did_you_mean(name, names('methods', floor))} Known: {known}")
    return importlib.import_module(f"synthcli.{floor}.methods.{name}")


def ready(name: str, floor: str = "tabular") -> Any:
    """The module of a method, once the packages of its extra are there. Raises MissingExtra."""
    module = method(name, floor)
    if module.EXTRA is not None and not installed(module.EXTRA):
        raise MissingExtra(f"method {name}", module.EXTRA)
    return module


EXTRAS = {"sdv": ("sdv", "torch"), "neural": ("torch",)}  # the packages whose absence means that an extra is missing


def installed(extra: str) -> bool:
    """Whether the packages of an extra can be imported."""
    return all(importlib.util.find_spec(package) is not None for package in EXTRAS[extra])


def judge(kind: str, name: str, floor: str = "tabular") -> Any:
    """One module of metrics/ or attacks/."""
    return importlib.import_module(f"synthcli.{floor}.{kind}.{name}")


def judges(kind: str, floor: str = "tabular") -> list[ModuleType]:
    """All modules of metrics/ or attacks/, in name order."""
    return [judge(kind, name, floor) for name in names(kind, floor)]
