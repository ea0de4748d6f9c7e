"""Designs as points in a cube, for agents with continuous actions."""

from __future__ import annotations

__all__ = ["ContinuousView"]

from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from archgym.envs.codecs import ContinuousCodec
from archgym.envs.design_env import Action, Observation
from archgym.envs.view import design_env_of
from archgym_simulators import InputError


class ContinuousView(
    gymnasium.ActionWrapper[Observation, NDArray[np.floating[Any]], Action],
    RecordConstructorArgs,
):
    """Actions are ``Box(-1, 1, (D,))``, a number for each index column; everything else is the environment's.

    A column of n values cuts [-1, 1] into n equal bins (`ContinuousCodec`), so every value is reachable and a uniform
    action gives a uniform design. float32, or float64 where a column has more than 65,536 values.
    """

    def __init__(self, env: gymnasium.Env[Observation, Action]) -> None:
        """Wrap ``env``, an archgym environment."""
        RecordConstructorArgs.__init__(self)
        super().__init__(env)
        self.codec = ContinuousCodec(design_env_of(env, "ContinuousView").session.space)
        self.action_space = self.codec.space()  # type: ignore[assignment]

    def action(self, action: NDArray[np.floating[Any]]) -> Action:
        """The index row (D,) of a point (D,).

        Raises:
            InputError: a wrong shape, a number outside [-1, 1], or NaN.
        """
        point = np.asarray(action)
        if point.shape != self.action_space.shape:
            raise InputError(f"an action must have shape {self.action_space.shape}, not {point.shape}")
        row: Action = self.codec.rows(point[None])[0]
        return row
