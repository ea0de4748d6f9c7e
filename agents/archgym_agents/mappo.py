"""MAPPO: an agent for each parameter, and one critic for all of them (PettingZoo).

Algorithm: multi-agent proximal policy optimisation (Yu et al. 2022): as `ippo`, but what all agents' choices are judged
by is one central critic of the environment's state, so that every agent has the same advantages.

Does well: as `ippo`.
Does badly: as `ippo`. All agents of this environment see the whole state, so that the critic knows no more than one of
theirs would: at horizon 1 and on one workload the two differ in little but chance.
"""

from __future__ import annotations

from typing import ClassVar

from archgym_agents.ippo import IPPO


class MAPPO(IPPO):
    """Independent policies, a central critic."""

    REQUIRES: ClassVar[str] = "marl"
    SLOW: ClassVar[bool] = True  # not quite, but what a full check of it would show, that of `ippo` shows
    CENTRAL: ClassVar[bool] = True
