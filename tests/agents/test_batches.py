"""What designs are compared by."""

import numpy as np

from archgym_agents._batches import Outcomes


def test_infeasible_designs_are_compared_by_what_they_miss_and_not_by_their_reward():
    reward = np.array([-2.0, 5.0, 4.0, -1.0, 9.0])
    feasible = np.array([True, False, False, True, False])
    failed = np.array([False, False, False, False, True])
    missed = np.array([0.0, 2.0, 0.1, 0.0, 0.0])
    found = Outcomes(np.arange(5)[:, None], reward, feasible, failed, reward[:, None], missed)
    assert found.best_first().tolist() == [3, 0, 2, 1]
    assert found.rank(2) > found.rank(1)
    assert found.rank(0) > found.rank(2)
