"""Actions by parameter name."""

from __future__ import annotations

__all__ = ["DictView"]

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from archgym.envs.codecs import NamedCodec
from archgym.envs.design_env import Action, Observation
from archgym.envs.view import design_env_of
from archgym_simulators import Design

NamedAction = Mapping[str, Any]


class DictView(gymnasium.ActionWrapper[Observation, NamedAction, Action], RecordConstructorArgs):
    """Actions are ``Dict(name: Discrete(n))``, with ``MultiDiscrete`` digits for a permutation.

    Actions hold indices only, because ``2`` could mean the value 2 as well as the third value. For readable values go
    through `encode`::

        env.step(env.encode({"banks": 4, "policy": "Open"}))
    """

    def __init__(self, env: gymnasium.Env[Observation, Action]) -> None:
        """Wrap ``env``, an archgym environment."""
        RecordConstructorArgs.__init__(self)
        super().__init__(env)
        self._space = design_env_of(env, "DictView").session.space
        self.codec = NamedCodec(self._space)
        self.action_space = self.codec.space()

    def action(self, action: NamedAction) -> Action:
        """The index row (D,) of an action.

        Raises:
            InputError: a missing or unknown name, or an index out of range.
        """
        row: Action = self.codec.rows({name: np.asarray(digits)[None] for name, digits in action.items()})[0]
        return row

    def encode(self, design: Mapping[str, Any]) -> dict[str, Any]:
        """The action of a readable design.

        Raises:
            InputError: a missing or unknown parameter, or a wrong value.
        """
        named = self.codec.actions(self._space.encode_row(design)[None])
        return {name: digits[0] for name, digits in named.items()}

    def decode(self, action: NamedAction) -> Design:
        """The readable design of an action."""
        return self._space.decode_row(self.action(action))
