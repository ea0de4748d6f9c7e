"""Conformance suites for simulators, environments and agents, for this project and for others."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archgym.testing.agents import check_agent
    from archgym.testing.environments import check_env
    from archgym.testing.simulators import check_simulator

__all__ = ["check_agent", "check_env", "check_simulator"]

_HOMES = {
    "check_agent": "archgym.testing.agents",
    "check_env": "archgym.testing.environments",
    "check_simulator": "archgym.testing.simulators",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'archgym.testing' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
