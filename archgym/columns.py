"""The columns of a run's table that say where a row comes from, and what may not be named like them."""

from __future__ import annotations

__all__ = ["PROVENANCE", "check_names"]

import re

from archgym_simulators import InputError, Simulator

PROVENANCE = (
    "reward",
    "feasible",
    "status",
    "reason",
    "violation",
    "design_key",
    "cost",
    "workload",
    "step",
    "proposal",
    "wall_s",
    "agent",
    "seed",
    "simulator_version",
    "fidelity",
    "run_id",
)
_REWARD = re.compile(r"reward_\d+")


def check_names(simulator: Simulator) -> None:
    """Refuse parameters, metrics and diagnostics that would share a column of a run's table.

    Raises:
        InputError: naming the column.
    """
    taken = dict.fromkeys(PROVENANCE, "a column of every record")
    kinds = {
        "parameter": simulator.space.names,
        "metric": simulator.metric_names(),
        "diagnostic": simulator.diagnostic_names,
    }
    for kind, names in kinds.items():
        for name in names:
            owner = "a column of every record" if _REWARD.fullmatch(name) else taken.get(name)
            if owner is not None:
                raise InputError(f"{kind} {name!r} of {type(simulator).__name__} is {owner}; rename it")
            taken[name] = f"a {kind}, too"
