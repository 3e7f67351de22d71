"""Finds a plugin by its modality, its room and its file name, and imports it only when it is used."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from functools import cache
from types import ModuleType
from typing import Any, cast

import synthcli
from synthcli.contracts.modality import Choice, Modality
from synthcli.errors import MissingExtra, SpecError, did_you_mean

GROUND = "tabular"  # the modality that others build on
EXTRAS = {"sdv": ("sdv", "torch"), "neural": ("torch",)}  # the packages whose absence means that an extra is missing


@cache
def modalities() -> tuple[str, ...]:
    """The folders of the package that have a modality.py, the ground modality first, without importing any."""
    folders = (m.name for m in pkgutil.iter_modules(synthcli.__path__) if m.ispkg)
    rooms = (name for name in folders if name != "contracts")  # which holds the protocol itself
    found = [name for name in rooms if importlib.util.find_spec(f"synthcli.{name}.modality") is not None]
    return tuple(sorted(found, key=lambda name: (name != GROUND, name)))


def modality(name: str) -> Modality:
    """The plugin by which the loop speaks to a modality. Raises SpecError for an unknown name."""
    if name not in modalities():
        known = ", ".join(modalities())
        raise SpecError(f"there is no modality {name!r}.{did_you_mean(name, modalities())} Known: {known}")
    return cast(Modality, importlib.import_module(f"synthcli.{name}.modality"))


@cache
def bases(name: str) -> frozenset[str]:
    """A modality and all modalities that its code builds on."""
    return frozenset({name, GROUND}).union(*(bases(other) for other in modality(name).BUILDS_ON))


@cache
def names(room: str, modality: str) -> tuple[str, ...]:
    """The file names in a room (methods, metrics, attacks) of a modality, without importing any of them."""
    if importlib.util.find_spec(f"synthcli.{modality}.{room}") is None:
        return ()
    path = importlib.import_module(f"synthcli.{modality}.{room}").__path__
    return tuple(sorted(m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_")))


def method(name: str, modality: str) -> Any:
    """The module of a method. Raises SpecError for an unknown name."""
    if name not in (known := names("methods", modality)):
        raise SpecError(f"there is no method {name!r}.{did_you_mean(name, known)} Known: {', '.join(known)}")
    return importlib.import_module(f"synthcli.{modality}.methods.{name}")


def ready(choice: Choice) -> Any:
    """The module of a method, once the packages of its extra are there. Raises MissingExtra."""
    module = method(choice.method, choice.modality)
    if module.EXTRA is not None and not installed(module.EXTRA):
        raise MissingExtra(f"method {choice.method}", module.EXTRA)
    return module


def params(choice: Choice) -> dict[str, Any]:
    """All parameters of a choice as JSON, defaults filled in."""
    validated = method(choice.method, choice.modality).Params.model_validate(choice.params)
    return dict(validated.model_dump(mode="json"))


def able(room_of: str, *abilities: str) -> tuple[str, ...]:
    """The methods of a modality that have all these abilities."""
    return tuple(name for name in names("methods", room_of) if method(name, room_of).CAN.issuperset(abilities))


def installed(extra: str) -> bool:
    """Whether the packages of an extra can be imported."""
    return all(importlib.util.find_spec(package) is not None for package in EXTRAS[extra])


def judge(room: str, name: str, modality: str) -> Any:
    """One module of metrics/ or attacks/."""
    return importlib.import_module(f"synthcli.{modality}.{room}.{name}")


def judges(room: str, modality: str) -> list[ModuleType]:
    """All modules of metrics/ or attacks/, in name order."""
    return [judge(room, name, modality) for name in names(room, modality)]
