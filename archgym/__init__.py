"""Gymnasium environments for design-space exploration of computer architectures.

``import archgym`` registers the environments by strings and imports nothing heavy::

    import archgym
    import gymnasium as gym

    env = gym.make("archgym/DRAM-v0", workload="random", objective="energy-delay")
    result = archgym.search("archgym/DRAM-v0", "genetic_algorithm", budget=300, seed=1)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from archgym.registry import register, register_all

if TYPE_CHECKING:
    from archgym.agent import Agent, AskTell, Settings, setting
    from archgym.api import SearchResult, evaluate, make_session, search
    from archgym.envs.design_env import DesignEnv
    from archgym.envs.design_vector_env import DesignVectorEnv
    from archgym.problem import Problem, ProblemSpec, ScoredEvaluation
    from archgym.session import Budget, Session, SessionOver
    from archgym_simulators.errors import ArchgymError, InputError, MissingExtra

_HOMES = {
    "Agent": "archgym.agent",
    "ArchgymError": "archgym_simulators.errors",
    "AskTell": "archgym.agent",
    "Budget": "archgym.session",
    "DesignEnv": "archgym.envs.design_env",
    "DesignVectorEnv": "archgym.envs.design_vector_env",
    "InputError": "archgym_simulators.errors",
    "MissingExtra": "archgym_simulators.errors",
    "Problem": "archgym.problem",
    "ProblemSpec": "archgym.problem",
    "ScoredEvaluation": "archgym.problem",
    "SearchResult": "archgym.api",
    "Session": "archgym.session",
    "SessionOver": "archgym.session",
    "Settings": "archgym.agent",
    "evaluate": "archgym.api",
    "make_session": "archgym.api",
    "search": "archgym.api",
    "setting": "archgym.agent",
}

__all__ = [
    "Agent",
    "ArchgymError",
    "AskTell",
    "Budget",
    "DesignEnv",
    "DesignVectorEnv",
    "InputError",
    "MissingExtra",
    "Problem",
    "ProblemSpec",
    "ScoredEvaluation",
    "SearchResult",
    "Session",
    "SessionOver",
    "Settings",
    "evaluate",
    "make_session",
    "register",
    "search",
    "setting",
]
__version__ = "0.1.0"

register_all()


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'archgym' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
