"""What is compared: agents with their settings, and the pairs of them that differ in one thing."""

from __future__ import annotations

__all__ = ["ARMS", "CONTRASTS", "STEPS", "Arm", "Contrast", "step_sizes"]

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archgym.registry import agent_class

MEMORY = 1024
"""Designs among which rewards are ranked: the same for every arm that has the setting, so that all hear one scale."""

_FACTORS = (1 / 3, 1.0, 3.0)


@dataclass(frozen=True)
class Arm:
    """One way to search.

    Attributes:
        name: of the arm.
        agent: name of the agent.
        settings: those that make it this arm; all others are the agent's defaults.
        step_size: the setting whose size is the declared sensitivity; "" for arms that learn nothing.
        actions: what is chosen: ``"values"`` of parameters, ``"cube"`` (a point), or ``"rounded cube"``.
        agents: how many choose: ``"one"``, ``"one a parameter"``, or ``""`` where there is nothing to call an agent.
        is_joint: whether a choice can depend on another's.
    """

    name: str
    agent: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    step_size: str = ""
    actions: str = "values"
    agents: str = ""
    is_joint: bool = False


def _learner(name: str, agent: str, *, agents: str = "one", **more: Any) -> Arm:
    settings = {"memory": MEMORY, **more.pop("settings", {})}
    return Arm(name, agent, settings, "learning_rate", agents=agents, **more)


_ALL = (  # cheapest first: a run that is stopped has whole arms
    Arm("random_search", "random_search"),
    Arm("coordinate_descent", "coordinate_descent"),
    Arm("bandits", "bandits", step_size="exploration", agents="one a parameter"),
    _learner("reinforce", "reinforce"),
    _learner("reinforce_autoregressive", "reinforce_autoregressive", is_joint=True),
    _learner("gaussian_ppo", "gaussian_ppo", actions="cube", settings={"reach": "all"}),
    _learner("gaussian_ppo_rounded", "gaussian_ppo", actions="rounded cube", settings={"reach": "rounded"}),
    _learner("factorised_ppo", "ppo"),
    _learner("one_agent", "joint_ppo"),
    _learner("ippo", "ippo", agents="one a parameter", settings={"groups": "parameter"}),
    _learner("mappo", "mappo", agents="one a parameter", settings={"groups": "parameter"}),
    _learner("gaussian_sac", "sac", actions="cube"),
    _learner("autoregressive_ppo", "maskable_ppo", is_joint=True),
)
ARMS: Mapping[str, Arm] = {arm.name: arm for arm in _ALL}


@dataclass(frozen=True)
class Contrast:
    """What changes from one arm to another.

    Attributes:
        part: the one thing, or what is asked.
        first: the arm without it.
        second: the arm with it; a positive gain speaks for it.
    """

    part: str
    first: str
    second: str


STEPS = (
    Contrast("reach", "gaussian_ppo_rounded", "gaussian_ppo"),
    Contrast("factorisation", "gaussian_ppo", "factorised_ppo"),
    Contrast("another code", "factorised_ppo", "one_agent"),
    Contrast("many agents", "one_agent", "ippo"),
)
"""From the single agent as released to one agent a parameter: gains of the steps add up to that of the whole."""

CONTRASTS = (
    *STEPS,
    Contrast("all four", "gaussian_ppo_rounded", "ippo"),
    Contrast("the claim, PPO of full reach", "gaussian_ppo", "ippo"),
    Contrast("the claim, SAC of full reach", "gaussian_sac", "ippo"),
    Contrast("a central critic", "ippo", "mappo"),
    Contrast("a joint policy, PPO", "factorised_ppo", "autoregressive_ppo"),
    Contrast("a joint policy, REINFORCE", "reinforce", "reinforce_autoregressive"),
    Contrast("networks in place of bandits", "bandits", "ippo"),
    Contrast("learning in place of descent", "coordinate_descent", "ippo"),
    Contrast("anything at all", "random_search", "ippo"),
)


def step_sizes(arm: Arm) -> list[float]:
    """A third of the default, the default and three times it; nothing for an arm that does not learn."""
    if not arm.step_size:
        return []
    default = float(getattr(agent_class(arm.agent).Config(), arm.step_size))
    return [factor * default for factor in _FACTORS]
