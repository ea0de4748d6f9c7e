"""Settings that several learning agents share."""

from __future__ import annotations

__all__ = ["ClippedSettings", "EntropySettings", "OffPolicySettings"]

from dataclasses import dataclass

from archgym.agent import Settings, setting


@dataclass(frozen=True)
class EntropySettings(Settings):
    """Of policies whose entropy bonus follows the share of new designs, and whose rewards are ranks."""

    novelty: float = setting(
        0.5,
        "share of new designs below which the entropy bonus is raised, and above which it is lowered",
        values=(0.25, 0.5, 0.75),
        low=0.0,
        high=1.0,
    )
    entropy: float = setting(0.001, "smallest entropy bonus", values=(0.0001, 0.001, 0.01), low=1e-6, high=1.0)
    memory: int = setting(256, "designs among which rewards are ranked", values=(64, 256, 1024), low=1)


@dataclass(frozen=True)
class ClippedSettings(EntropySettings):
    """Of proximal policy optimisation."""

    epochs: int = setting(10, "passes over the choices of an update", values=(5, 10, 20), low=1)
    clip: float = setting(0.2, "how far an update may move a probability ratio", values=(0.1, 0.2, 0.4), low=0.01)


@dataclass(frozen=True)
class OffPolicySettings(Settings):
    """Of agents that learn again and again from everything evaluated, a point of a cube being a design."""

    envs: int = setting(8, "designs drawn at a time, between two updates", values=(4, 8, 16), low=1)
    warm_up: int = setting(32, "random designs before the policy is asked", values=(16, 32, 64), low=1)
    novelty: float = setting(
        0.5,
        "share of new designs below which it explores more, and above which it explores less",
        values=(0.25, 0.5, 0.75),
        low=0.0,
        high=1.0,
    )
    learning_rate: float = setting(0.003, "step size of Adam", values=(0.001, 0.003, 0.01), low=1e-6, high=1.0)
    updates: int = setting(8, "gradient steps an update", values=(4, 8, 16), low=1)
    batch: int = setting(64, "designs a gradient step", values=(32, 64, 128), low=1)
    hidden: int = setting(64, "neurons of each of two hidden layers", values=(32, 64, 128), low=1)
    replay: int = setting(4096, "designs that are remembered and learned from", values=(512, 4096), low=1)
    memory: int = setting(1024, "designs among which rewards are ranked", values=(256, 1024, 4096), low=1)
