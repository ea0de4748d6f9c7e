"""Several objectives at once: a vector of rewards, with MO-Gymnasium's conventions."""

from __future__ import annotations

__all__ = ["MultiObjectiveDesignEnv", "MultiObjectiveDesignVectorEnv"]

from typing import Any

import numpy as np
from gymnasium import spaces

from archgym.envs.design_env import DesignEnv
from archgym.envs.design_vector_env import DesignVectorEnv
from archgym.session import Session


class MultiObjectiveDesignEnv(DesignEnv):
    """As `DesignEnv`, with one reward an objective.

    ``objective`` is a list; the default is what the family declares as ``pareto_objectives``, else its first two.
    Everything but the reward is the same: the "best so far" in observations goes by the mean reward.

    Attributes:
        reward_space: ``Box(-inf, inf, (K,), float64)``; rewards are finite.
    """

    several = True

    def __init__(self, env_id: str | None = None, **arguments: Any) -> None:
        """See `DesignEnv.__init__`; ``objective`` is a list."""
        super().__init__(env_id, **arguments)
        self.reward_space = _reward_space(self.session)


class MultiObjectiveDesignVectorEnv(DesignVectorEnv):
    """As `DesignVectorEnv`, with rewards (n, K).

    Attributes:
        reward_space: of one environment, ``Box(-inf, inf, (K,), float64)``.
    """

    several = True

    def __init__(self, env_id: str | None = None, **arguments: Any) -> None:
        """See `DesignVectorEnv.__init__`; ``objective`` is a list."""
        super().__init__(env_id, **arguments)
        self.reward_space = _reward_space(self.session)


def _reward_space(session: Session) -> spaces.Box:
    return spaces.Box(-np.inf, np.inf, (len(session.problem().objectives),), np.float64)
