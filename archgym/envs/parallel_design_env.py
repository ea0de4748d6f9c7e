"""The PettingZoo face of a session; needs the extra ``marl``, see `archgym.parallel_env`."""

from __future__ import annotations

__all__ = ["ParallelDesignEnv"]

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import ArrayLike
from pettingzoo import ParallelEnv

from archgym.envs.agent_groups import AgentGroups
from archgym.envs.design_env import DesignEnv, Observation
from archgym.envs.face import RENDER_MODES

Infos = dict[str, dict[str, Any]]


class ParallelDesignEnv(ParallelEnv[str, Observation, Any]):  # type: ignore[misc]  # PettingZoo has no types
    """An agent for each parameter, or group of parameters; together they choose one design a step.

    All see the whole observation (`DesignEnv`), all get the design's reward, and all end together. Action spaces
    differ: ``Discrete`` for one index column, ``MultiDiscrete`` for several. `state` is the observation, so that
    central critics work as they stand.

    Attributes:
        state_space: of `state`.
        session: what is charged.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - PettingZoo declares it so
        "render_modes": list(RENDER_MODES),
        "render_fps": 1,
        "is_parallelizable": True,
        "name": "archgym",
    }

    def __init__(
        self,
        env_id: str | None = None,
        *,
        groups: str | Mapping[str, Sequence[str]] | None = None,
        **arguments: Any,
    ) -> None:
        """See `archgym.parallel_env`."""
        self._env = DesignEnv(env_id, **arguments)
        self.session = self._env.session
        self.metadata = {**self.metadata, "name": self.session.spec.env_id}
        self.render_mode = self._env.render_mode
        self.groups = AgentGroups(self.session.space, groups)
        self.possible_agents = list(self.groups.columns)
        self.agents: list[str] = []
        self.action_spaces = {agent: self.groups.action_space(agent) for agent in self.possible_agents}
        seen = self._env.observation_space
        self.observation_spaces = {
            agent: spaces.Box(-1.0, 1.0, seen.shape, np.float32) for agent in self.possible_agents
        }
        self.state_space = spaces.Box(-1.0, 1.0, seen.shape, np.float32)
        self._state: Observation = np.zeros(seen.shape or (0,), dtype=np.float32)

    def observation_space(self, agent: str) -> spaces.Space[Observation]:
        """Of one agent; the same object every time."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Of one agent; the same object every time."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], Infos]:
        """Start an episode; see `DesignEnv.reset`."""
        self._state, info = self._env.reset(seed=seed, options=options)
        self.agents = list(self.possible_agents)
        return self._for_each(self._state), {agent: dict(info) for agent in self.agents}

    def step(
        self, actions: Mapping[str, ArrayLike]
    ) -> tuple[dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Evaluate the design that all agents' choices make.

        Raises:
            InputError: an agent is missing or unknown, or chooses out of range.
            SessionOver: the budget of a shared session is used up.
        """
        if not self.agents:
            raise ResetNeeded("call reset() before step(): no episode is running")
        row = self.groups.rows({agent: np.asarray(choice)[None] for agent, choice in actions.items()})[0]
        self._state, reward, terminated, truncated, info = self._env.step(row)
        acted = self.agents
        observations = self._for_each(self._state)
        if terminated or truncated:
            self.agents = []
        return (
            observations,
            dict.fromkeys(acted, reward),
            dict.fromkeys(acted, terminated),
            dict.fromkeys(acted, truncated),
            {agent: dict(info) for agent in acted},
        )

    def state(self) -> Observation:
        """(L,) what all agents see."""
        return self._state.copy()

    def render(self) -> str | None:
        """The last design and its metrics as text, in mode ``"ansi"``."""
        return self._env.render()

    def close(self) -> None:
        self._env.close()

    def _for_each(self, observation: Observation) -> dict[str, Observation]:
        return {agent: observation.copy() for agent in self.agents}
