"""The exception tree of the three packages.

ArchgymError
├── InputError (ValueError)      a value from the user is wrong; the message is one line that says what is allowed
├── MissingExtra (ImportError)   an optional dependency is not installed; the message is the install command
│   └── MissingData              data that the user has to bring or make is not there; the message is the command
└── SimulationFailed             one evaluation crashed or timed out; becomes a row with status "failed"
"""

from __future__ import annotations

__all__ = ["ArchgymError", "InputError", "MissingData", "MissingExtra", "SimulationFailed", "import_extra"]

import importlib
from types import ModuleType


class ArchgymError(Exception):
    """Base of every error that archgym raises on purpose."""


class InputError(ArchgymError, ValueError):
    """A value from outside is wrong: one line with the value, what is allowed and the nearest match."""


class MissingExtra(ArchgymError, ImportError):
    """An optional dependency is missing: one line with the exact install command."""


class MissingData(MissingExtra):
    """Data that the user has to bring or make is missing: one line with the exact command."""


class SimulationFailed(ArchgymError):
    """An external tool crashed, hung or printed nonsense. The design stays unknown, not invalid."""


def import_extra(module: str, extra: str) -> ModuleType:
    """Import an optional dependency, or say how to install it.

    Raises:
        MissingExtra: with the exact ``pip install`` line of the extra that brings ``module``.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        raise MissingExtra(f"{missing} is not installed; run: pip install 'archgym[{extra}]'") from error
