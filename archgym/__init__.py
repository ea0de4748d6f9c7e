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
    from archgym.datasets.loading import load_dataset
    from archgym.envs.continuous_view import ContinuousView
    from archgym.envs.design_env import DesignEnv
    from archgym.envs.design_vector_env import DesignVectorEnv
    from archgym.envs.dict_view import DictView
    from archgym.envs.edit_view import EditView
    from archgym.envs.parallel_env import parallel_env
    from archgym.envs.sequential_view import SequentialView
    from archgym.problem import Problem, ProblemSpec, ScoredEvaluation
    from archgym.session import Budget, Session, SessionOver
    from archgym_simulators.errors import ArchgymError, InputError, MissingExtra

_HOMES = {
    "Agent": "archgym.agent",
    "ArchgymError": "archgym_simulators.errors",
    "AskTell": "archgym.agent",
    "Budget": "archgym.session",
    "ContinuousView": "archgym.envs.continuous_view",
    "DesignEnv": "archgym.envs.design_env",
    "DesignVectorEnv": "archgym.envs.design_vector_env",
    "DictView": "archgym.envs.dict_view",
    "EditView": "archgym.envs.edit_view",
    "InputError": "archgym_simulators.errors",
    "MissingExtra": "archgym_simulators.errors",
    "Problem": "archgym.problem",
    "ProblemSpec": "archgym.problem",
    "ScoredEvaluation": "archgym.problem",
    "SearchResult": "archgym.api",
    "SequentialView": "archgym.envs.sequential_view",
    "Session": "archgym.session",
    "SessionOver": "archgym.session",
    "Settings": "archgym.agent",
    "evaluate": "archgym.api",
    "load_dataset": "archgym.datasets.loading",
    "make_session": "archgym.api",
    "parallel_env": "archgym.envs.parallel_env",
    "search": "archgym.api",
    "setting": "archgym.agent",
}

__all__ = [
    "Agent",
    "ArchgymError",
    "AskTell",
    "Budget",
    "ContinuousView",
    "DesignEnv",
    "DesignVectorEnv",
    "DictView",
    "EditView",
    "InputError",
    "MissingExtra",
    "Problem",
    "ProblemSpec",
    "ScoredEvaluation",
    "SearchResult",
    "SequentialView",
    "Session",
    "SessionOver",
    "Settings",
    "evaluate",
    "load_dataset",
    "make_session",
    "parallel_env",
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
