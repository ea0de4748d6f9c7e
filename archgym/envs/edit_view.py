"""Search by edits: change one parameter of the current design."""

from __future__ import annotations

__all__ = ["EditView"]

from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from archgym.envs.codecs import EditCodec
from archgym.envs.design_env import Action, Observation
from archgym.envs.view import design_env_of
from archgym_simulators import InputError
from archgym_simulators.space import Rows

DEFAULT_EDITS = 16


class EditView(gymnasium.Wrapper[Observation, Any, Observation, Action], RecordConstructorArgs):
    """Set one index column of the current design to one of its values; be paid the improvement.

    ## Action space
    ``Discrete(sum(nvec))``: one action for each (column, value), by column, then value (`EditCodec`). Setting the value
    that stands already is allowed; `action_masks` and ``info["action_mask"]`` mask it.

    ## Observation space
    The environment's: its "last design" is the current one.

    ## Rewards
    The reward of the new design minus that of the one before. They telescope: an episode's sum is the reward of its
    last design minus that of its first. Invalid designs have a finite reward too (`archgym.scoring`), so an edit into
    one costs, and the edit out of it pays back, finite amounts; the edited design stands, valid or not.

    ## Starting state
    The baseline, whose reward is known without charge to the session.

    ## Episode end
    After ``horizon`` edits: as given here; else that of the environment; else, where that is 1, 16, because a single
    edit is no search. The view sets the horizon of the environment that it wraps.
    """

    def __init__(self, env: gymnasium.Env[Observation, Action], *, horizon: int | None = None) -> None:
        """Wrap ``env``, an archgym environment; ``horizon`` is the number of edits an episode."""
        RecordConstructorArgs.__init__(self, horizon=horizon)
        super().__init__(env)
        self._base = design_env_of(env, "EditView")
        if horizon is not None or self._base.horizon == 1:
            self._base.set_horizon(DEFAULT_EDITS if horizon is None else horizon)
        self.codec = EditCodec(self._base.session.space)
        self.action_space = self.codec.space()
        self._row: Rows | None = None  # (1, D); None: no episode is running
        self._reward: Any = self._base.no_reward()
        self._start_rewards: dict[str, Any] = {}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode at the baseline; see `DesignEnv.reset`."""
        observation, info = self.env.reset(seed=seed, options=options)
        problem = self._base.session.problem(info["workload"])
        self._row = np.array([problem.simulator.baseline.row], dtype=np.int64)
        if info["workload"] not in self._start_rewards:
            scored = problem.evaluate(problem.space.canonical(self._row))
            self._start_rewards[info["workload"]] = self._base.reward_of(scored)
        self._reward = self._start_rewards[info["workload"]]
        return observation, self._with_mask(info)

    def step(self, action: int) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """Apply one edit and evaluate the design.

        Raises:
            InputError: an action outside the action space.
        """
        if self._row is None:
            raise ResetNeeded("call reset() before step(): no episode is running")
        chosen = np.asarray(action)
        if chosen.size != 1:
            raise InputError(f"an edit must be one whole number, not {action!r}")
        row = self.codec.apply(self._row, chosen.reshape(1))
        observation, reward, terminated, truncated, info = self.env.step(row[0])
        gain = reward - self._reward
        self._row, self._reward = row, reward
        info = self._with_mask(info)
        if terminated or truncated:
            self._row = None
        return observation, gain, terminated, truncated, info

    def action_masks(self) -> NDArray[np.bool_]:
        """(sum of nvec,) which edits change the current design; all of them where none does."""
        if self._row is None:
            return np.ones(len(self.codec.values), dtype=bool)
        mask: NDArray[np.bool_] = self.codec.masks(self._row)[0]
        return mask

    def _with_mask(self, info: dict[str, Any]) -> dict[str, Any]:
        return {**info, "action_mask": self.action_masks().astype(np.int8)}
