"""How the committed supernet, and subnets from scratch, are trained."""

from __future__ import annotations

__all__ = ["SCRATCH", "SEED", "SUPERNET"]

from archgym_simulators.nas.supernet_training import Recipe

SEED = 0
SUPERNET = Recipe(epochs=80, rate=0.25)
SCRATCH = {epochs: Recipe(epochs=epochs, rate=SUPERNET.rate) for epochs in (12, 30)}
"""By epochs."""
