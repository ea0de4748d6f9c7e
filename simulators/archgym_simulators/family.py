"""Families of cost models, found in the folders of this package."""

from __future__ import annotations

__all__ = ["Family", "builtin_families", "load_simulator_class"]

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from archgym_simulators.errors import InputError, MissingExtra
from archgym_simulators.simulator import Simulator


@dataclass(frozen=True)
class Family:
    """What a family's ``__init__.py`` declares; nothing else of the family is imported until it is used.

    Attributes:
        id: environment id, ``"archgym/DRAM-v0"``.
        entry: ``"module:Class"`` of the simulator.
        default_workload: spec used where none is given.
        description: one sentence for ``archgym list``.
        extra: the optional dependency group that it needs, or "".
    """

    id: str
    entry: str
    default_workload: str
    description: str
    extra: str = ""


@cache
def builtin_families() -> dict[str, Family]:
    """All families by id: every sub-package of this one that declares ``FAMILY``, or several as ``FAMILIES``."""
    found: dict[str, Family] = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.ispkg and not module.name.startswith("_"):
            package = importlib.import_module(f"archgym_simulators.{module.name}")
            families = getattr(package, "FAMILIES", ()) or tuple(filter(None, [getattr(package, "FAMILY", None)]))
            found.update({family.id: family for family in families})
    return found


def load_simulator_class(entry: str, extra: str = "") -> type[Simulator]:
    """Import ``"module:Class"``.

    Raises:
        InputError: where the module or the class is missing or is no simulator.
        MissingExtra: where an optional dependency of the module is missing.
    """
    module_name, _, class_name = entry.partition(":")
    try:
        loaded = getattr(importlib.import_module(module_name), class_name, None)
    except ModuleNotFoundError as error:
        if extra and error.name and not module_name.startswith(error.name):
            raise MissingExtra(f"{error.name} is not installed; run: pip install 'archgym[{extra}]'") from error
        raise InputError(f"cannot import {module_name!r} of {entry!r}: {error}") from error
    if not (isinstance(loaded, type) and issubclass(loaded, Simulator)):
        raise InputError(f"{entry!r} must name a subclass of archgym_simulators.Simulator, found {loaded!r}")
    return loaded
