"""What the agents of Stable-Baselines3 have in common; importing it needs no extra."""

from __future__ import annotations

__all__ = ["Sb3Agent"]

from typing import Any, ClassVar, Self

import numpy as np

from archgym.agent import Agent, refuse_several_objectives
from archgym_simulators import DesignSpace
from archgym_simulators.errors import import_extra


class Sb3Agent(Agent):
    """Settings and a seed; `run` builds the library's model over the session and trains it."""

    REQUIRES: ClassVar[str] = "rl"
    LIBRARY: ClassVar[str] = "stable_baselines3"

    def __init__(self, config: Any, seed: int) -> None:
        self._config = config
        self._seed = seed

    @classmethod
    def create(
        cls,
        space: DesignSpace,
        config: Any,
        rng: np.random.Generator,
        *,
        budget: int,
        n_objectives: int = 1,
    ) -> Self:
        """Build the agent; the budget does not change what it proposes."""
        refuse_several_objectives(cls.__module__.rpartition(".")[2], n_objectives)
        import_extra(cls.LIBRARY, "rl")
        return cls(config, int(rng.integers(2**31)))
