"""Who chooses what in the multi-agent environment."""

from __future__ import annotations

__all__ = ["AgentGroups"]

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from archgym_simulators import DesignSpace, InputError
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.space import Rows

MODES = ("parameter", "declared")


class AgentGroups:
    """The index columns of each agent: agents are disjoint and together choose every column.

    Attributes:
        columns: agent name -> its columns (W,), in the order of the space.
    """

    def __init__(self, space: DesignSpace, groups: str | Mapping[str, Sequence[str]] | None = None) -> None:
        self._nvec = space.nvec
        self.columns: dict[str, NDArray[np.intp]] = {
            agent: np.concatenate([np.arange(space.width)[space.columns_of(name)] for name in names])
            for agent, names in _members(space, groups).items()
        }

    def action_space(self, agent: str) -> spaces.Discrete | spaces.MultiDiscrete:
        """`Discrete` for one column, `MultiDiscrete` for several."""
        nvec = self._nvec[self.columns[agent]]
        return spaces.Discrete(int(nvec[0])) if len(nvec) == 1 else spaces.MultiDiscrete(nvec)

    def rows(self, actions: Mapping[str, ArrayLike]) -> Rows:
        """Index rows (N, D) of each agent's choices: (N,), or (N, W).

        Raises:
            InputError: an agent is missing or unknown, or has the wrong number of choices.
        """
        for agent in self.columns:
            if agent not in actions:
                raise InputError(f"no action of agent {agent!r}; every one of {', '.join(self.columns)} must act")
        for agent in actions:
            if agent not in self.columns:
                raise InputError(f"unknown agent {agent!r}{did_you_mean(agent, self.columns)} among the actions")
        n = len(np.asarray(actions[next(iter(self.columns))]))
        rows = np.empty((n, len(self._nvec)), dtype=np.int64)
        for agent, columns in self.columns.items():
            chosen = np.asarray(actions[agent])
            if chosen.dtype.kind not in "iu" or chosen.size != n * len(columns):
                raise InputError(f"agent {agent!r} must choose {self.action_space(agent)}, not {actions[agent]!r}")
            rows[:, columns] = chosen.reshape(n, -1)
        return rows

    def actions(self, rows: Rows) -> dict[str, NDArray[np.int64]]:
        """Each agent's choices, (N,) or (N, W), of index rows (N, D)."""
        shares: dict[str, NDArray[Any]] = {agent: rows[:, columns] for agent, columns in self.columns.items()}
        return {agent: share[:, 0] if share.shape[1] == 1 else share for agent, share in shares.items()}


def _members(space: DesignSpace, groups: str | Mapping[str, Sequence[str]] | None) -> dict[str, list[str]]:
    if isinstance(groups, Mapping):
        members = {str(agent): list(names) for agent, names in groups.items()}
        _check_partition(space, members)
        return members
    if groups not in (None, *MODES):
        raise InputError(
            f"groups must be one of {', '.join(MODES)}, or a mapping from agents to parameters, "
            f"not {groups!r}{did_you_mean(groups, MODES)}"
        )
    members = {}
    for parameter in space.parameters:
        agent = parameter.name if groups == "parameter" else parameter.group or parameter.name
        members.setdefault(agent, []).append(parameter.name)
    return members


def _check_partition(space: DesignSpace, members: Mapping[str, Sequence[str]]) -> None:
    owner: dict[str, str] = {}
    for agent, names in members.items():
        if not names:
            raise InputError(f"agent {agent!r} chooses nothing; give it a parameter of {', '.join(space.names)}")
        for name in names:
            space.parameter(name)
            if name in owner:
                raise InputError(f"parameter {name!r} belongs to {owner[name]!r} and to {agent!r}; it needs one agent")
            owner[name] = agent
    orphans = [name for name in space.names if name not in owner]
    if orphans:
        raise InputError(f"no agent chooses {', '.join(orphans)}; every parameter needs one")
