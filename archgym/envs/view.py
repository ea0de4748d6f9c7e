"""What every view of a design environment shares."""

from __future__ import annotations

__all__ = ["design_env_of"]

from typing import Any

import gymnasium

from archgym.envs.design_env import DesignEnv
from archgym_simulators import InputError


def design_env_of(env: gymnasium.Env[Any, Any], view: str) -> DesignEnv:
    """The `DesignEnv` under ``env``.

    Raises:
        InputError: where there is none, or where its action space has been changed already.
    """
    base = env.unwrapped
    if not isinstance(base, DesignEnv):
        raise InputError(f"{view} is a view of an archgym environment, not of {base}")
    if env.action_space != base.action_space:
        raise InputError(f"{view} needs the actions {base.action_space}, not {env.action_space}; views do not stack")
    return base
