"""A design as a sequence of choices, one parameter a step."""

from __future__ import annotations

__all__ = ["SequentialView"]

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from archgym.envs.codecs import NOT_CHOSEN, SequentialCodec
from archgym.envs.design_env import Action, Observation
from archgym.envs.view import design_env_of
from archgym_simulators import InputError


class SequentialView(gymnasium.Wrapper[Observation, Any, Observation, Action], RecordConstructorArgs):
    """Choose one index column a step; the design is evaluated, and rewarded, at the last choice.

    ## Action space
    ``Discrete(max(nvec))``. Columns with fewer values mask the rest: `action_masks` (for MaskablePPO) and
    ``info["action_mask"]``. Agents without masks may use every action all the same: a masked one counts modulo the
    column's number of values. With ``strict=True`` it is an error. Columns that are inert in the design so far are
    asked like the others, so that every design takes the same D steps.

    ## Observation space
    The environment's observation (L), then the design so far (D; index / (values - 1), -1 where open), then the column
    to choose (D, one-hot). All in [-1, 1].

    ## Rewards
    0 until the last choice, then the design's reward. Info is that of the environment at the last choice; before it
    only ``action_mask``.

    ## Episode end
    An episode of horizon H takes H * D steps.
    """

    def __init__(self, env: gymnasium.Env[Observation, Action], *, strict: bool = False) -> None:
        """Wrap ``env``, an archgym environment; ``strict`` refuses masked actions."""
        RecordConstructorArgs.__init__(self, strict=strict)
        super().__init__(env)
        base = design_env_of(env, "SequentialView")
        self.codec = SequentialCodec(base.session.space)
        self._strict = strict
        self._no_reward = base.no_reward()
        self.action_space = self.codec.space()
        length = int(np.prod(env.observation_space.shape or (0,))) + 2 * self.codec.steps
        self.observation_space = spaces.Box(-1.0, 1.0, (length,), np.float32)
        self._position = np.zeros(1, dtype=np.int64)
        self._partial = np.full((1, self.codec.steps), NOT_CHOSEN, dtype=np.int64)
        self._seen: Observation | None = None  # None: no episode is running

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode with no choice made; see `DesignEnv.reset`."""
        self._seen, info = self.env.reset(seed=seed, options=options)
        self._open()
        return self._observation(self._seen), self._with_mask(info)

    def step(self, action: int) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """Choose the value of one column.

        Raises:
            InputError: an action outside the action space, or a masked one where the view is strict.
        """
        if self._seen is None:
            raise ResetNeeded("call reset() before step(): no episode is running")
        position = int(self._position[0])
        self._partial[0, position] = self.codec.values(self._position, _one(action), strict=self._strict)[0]
        if position + 1 < self.codec.steps:
            self._position[0] += 1
            return self._observation(self._seen), self._no_reward, False, False, self._with_mask({})
        row = self._partial[0].copy()
        self._open()
        seen, reward, terminated, truncated, info = self.env.step(row)
        self._seen = None if terminated or truncated else seen
        return self._observation(seen), reward, terminated, truncated, self._with_mask(info)

    def action_masks(self) -> NDArray[np.bool_]:
        """(max nvec,) which actions are values of the column to choose."""
        mask: NDArray[np.bool_] = self.codec.masks[self._position[0]]
        return mask.copy()

    def _open(self) -> None:
        self._position[0] = 0
        self._partial[:] = NOT_CHOSEN

    def _observation(self, seen: Observation) -> Observation:
        return np.concatenate([seen, self.codec.observe(self._partial, self._position)[0]])

    def _with_mask(self, info: dict[str, Any]) -> dict[str, Any]:
        return {**info, "action_mask": self.action_masks().astype(np.int8)}


def _one(action: object) -> NDArray[Any]:
    chosen = np.asarray(action)
    if chosen.size != 1:
        raise InputError(f"a choice must be one whole number, not {action!r}")
    return chosen.reshape(1)
