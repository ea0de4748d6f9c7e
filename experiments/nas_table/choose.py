"""Which functions are trained again with the seeds for judging."""

from __future__ import annotations

__all__ = ["chosen_groups"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.nas.cells import function_groups, index_of_cells
from archgym_simulators.nas.digits_design import RESNET, connected_cells, convolutions_of_cells

BEST_OF_ALL = 300
BEST_OF_A_COST = 5


def chosen_groups(accuracy: NDArray[np.float64]) -> list[int]:
    """The 300 best of all, the five best of each cost, and the reference cell; ascending.

    Hardware tells cells apart by their numbers of 1 x 1 and 3 x 3 convolutions only. So the best cell within any bound
    on latency, energy, parameters or MACs is among the best of some pair of numbers, and can be judged.

    Args:
        accuracy: (functions,) percent at the end, the mean of the seeds that searches see.
    """
    groups, _ = function_groups()
    ranked = np.argsort(-accuracy, kind="stable").tolist()
    chosen = {int(groups[index_of_cells(np.array([RESNET]))[0]]), *ranked[:BEST_OF_ALL]}
    of_cells = convolutions_of_cells()
    place = np.argsort(ranked)
    for pair in np.unique(of_cells, axis=0):
        mine = np.unique(groups[(of_cells == pair).all(axis=1) & connected_cells()])
        chosen |= set(mine[np.argsort(place[mine], kind="stable")][:BEST_OF_A_COST].tolist())
    return sorted(chosen)
