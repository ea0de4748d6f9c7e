"""NSGA-III: a population that follows given directions towards the front between many objectives.

Algorithm: Deb & Jain (2014). Survivors come front by front; of the front that does not fit whole, designs are taken
for the reference directions that have fewest so far, the one nearest to its direction first. Directions lie evenly on
the simplex (Das & Dennis 1998); rewards are scaled by the ideal and the worst point of the survivors' first front. No
design is tried twice.

Does well: three objectives and more.
Does badly: fronts that are far from a simplex: most directions then point at nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from archgym.agent import Settings, setting
from archgym.pareto import non_dominated
from archgym_agents._fronts import FrontEvolution, Positions
from archgym_simulators import DesignSpace

_TINY = 1e-12


@dataclass(frozen=True)
class NSGA3Config(Settings):
    """Settings of NSGA-III."""

    population: int = setting(20, "designs that survive; as many children", values=(12, 20, 36, 64), low=2)
    mutation: float = setting(
        0.15, "probability that a parameter of a child is moved", values=(0.05, 0.1, 0.15, 0.3), low=0.0, high=1.0
    )
    crossover: float = setting(
        0.9, "probability that a child has two parents", values=(0.0, 0.5, 0.9), low=0.0, high=1.0
    )


class NSGA3(FrontEvolution):
    """Fronts thinned by reference directions."""

    Config = NSGA3Config
    _config: NSGA3Config

    def __init__(self, space: DesignSpace, config: NSGA3Config, rng: np.random.Generator, n_objectives: int) -> None:
        super().__init__(space, config, rng, n_objectives)
        self._directions = reference_directions(n_objectives, config.population)

    def thin(self, rewards: NDArray[np.float64], whole: int, keep: int) -> Positions:
        nearest, distance = self._associated(rewards)
        crowd = np.bincount(nearest[:whole], minlength=len(self._directions)).astype(np.float64)
        left = np.arange(whole, len(rewards))
        chosen: list[int] = []
        while len(chosen) < keep:
            served = np.unique(nearest[left])
            # Ties between directions are drawn, so that none is favoured by its number.
            least = served[crowd[served] == crowd[served].min()]
            direction = int(self._rng.choice(least))
            members = left[nearest[left] == direction]
            taken = int(members[distance[members].argmin()])
            chosen.append(taken)
            crowd[direction] += 1
            left = left[left != taken]
        return np.array(chosen, dtype=np.intp)

    def _associated(self, rewards: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The nearest direction of each point (N,), and the distance to its line."""
        front = rewards[non_dominated(rewards)]
        ideal, worst = front.max(axis=0), front.min(axis=0)
        losses = (ideal - rewards) / np.maximum(ideal - worst, _TINY)
        along = losses @ self._directions.T  # (N, R)
        squared = np.maximum((losses**2).sum(axis=1)[:, None] - along**2, 0.0)
        nearest = squared.argmin(axis=1)
        return nearest, np.sqrt(squared[np.arange(len(rewards)), nearest])


def reference_directions(n_objectives: int, most: int) -> NDArray[np.float64]:
    """Unit vectors (R, K) towards the points of the finest simplex lattice of at most ``most`` points, at least K."""
    divisions = 1
    while n_objectives > 1 and comb(divisions + n_objectives, n_objectives - 1) <= most:
        divisions += 1
    bars = combinations(range(divisions + n_objectives - 1), n_objectives - 1)
    edges = np.array([[-1, *places, divisions + n_objectives - 1] for places in bars])
    points = np.diff(edges, axis=1) - 1.0
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True))
