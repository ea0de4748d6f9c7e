"""NSGA-II: a population that spreads along the front between several objectives.

Algorithm: Deb et al. (2002). Survivors are taken front by front; of the front that does not fit whole, the designs with
most room around them stay (crowding distance), and the ends of the front always. Parents win tournaments of two;
children are crossed and mutated by operators that know what a parameter is. No design is tried twice.

Does well: two or three objectives, some hundred calls; with one objective it is a plain genetic algorithm.
Does badly: four objectives and more, where almost every design is on the first front: see `nsga3`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym.agent import Settings, setting
from archgym_agents._fronts import FrontEvolution, Positions


@dataclass(frozen=True)
class NSGA2Config(Settings):
    """Settings of NSGA-II."""

    population: int = setting(16, "designs that survive; as many children", values=(8, 16, 32, 64), low=2)
    mutation: float = setting(
        0.15, "probability that a parameter of a child is moved", values=(0.05, 0.1, 0.15, 0.3), low=0.0, high=1.0
    )
    crossover: float = setting(
        0.9, "probability that a child has two parents", values=(0.0, 0.5, 0.9), low=0.0, high=1.0
    )


class NSGA2(FrontEvolution):
    """Fronts thinned by crowding."""

    Config = NSGA2Config
    _config: NSGA2Config

    def thin(self, rewards: NDArray[np.float64], whole: int, keep: int) -> Positions:
        room = crowding(rewards[whole:])
        return np.asarray(whole + np.argsort(-room, kind="stable")[:keep])


def crowding(rewards: NDArray[np.float64]) -> NDArray[np.float64]:
    """Room around each point (N, K) of a front: (N,), infinite at its ends."""
    room = np.zeros(len(rewards))
    for column in rewards.T:
        order = np.argsort(column, kind="stable")
        sorted_column = column[order]
        span = sorted_column[-1] - sorted_column[0]
        room[order[[0, -1]]] = np.inf
        if span > 0.0:
            room[order[1:-1]] += (sorted_column[2:] - sorted_column[:-2]) / span
    return room
