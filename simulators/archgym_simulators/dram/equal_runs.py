"""Many designs with fewer runs: what one run proves of the designs that differ from it in refresh bounds only.

The refresh manager counts the refreshes that it has postponed, k (pulled-in ones count negative), and its bounds enter
a run through comparisons of k alone: k = P and k < P with the most that may be postponed, k = -Q with the most that may
be pulled in. The kernel reports the largest k that met P and the most negative one that met -Q. Where the first stays
below P, every comparison of the run comes out the same with any other bound above that k; likewise for Q. By induction
over the comparisons such a design makes the same run, cycle by cycle, so it has the same counters, the refreshes that
it owes at the end included. A bound that was reached proves nothing, and its neighbours are run.
"""

from __future__ import annotations

__all__ = ["run_once_each"]

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram.controller import PARAMETERS

POSTPONED, PULLED_IN = (PARAMETERS.index(f"refresh_max_{which}") for which in ("postponed", "pulledin"))

Ints = NDArray[np.int64]


def run_once_each(
    designs: Ints, run: Callable[[Ints], Ints], *, postponed_at_bound: int, pulledin_at_bound: int
) -> tuple[Ints, int]:
    """Counters (N, C) of all designs, and how many of them were run.

    Args:
        designs: (N, 10) codes.
        run: from designs (K, 10) to counters (K, C).
        postponed_at_bound: column of the counter with the largest k that was compared with a design's P.
        pulledin_at_bound: column with the largest -k that was compared with its Q.
    """
    others = np.delete(designs, [POSTPONED, PULLED_IN], axis=1)
    _, family = np.unique(others, axis=0, return_inverse=True)
    family = family.ravel()  # (N,) designs of a family differ in their refresh bounds only
    # The widest bounds first: they are reached least, so their runs prove most.
    waiting = np.lexsort((-designs[:, PULLED_IN], -designs[:, POSTPONED], family))
    width = run(designs[:0]).shape[1]
    counters, runs = np.empty((len(designs), width), dtype=np.int64), 0
    while len(waiting):
        _, first, of = np.unique(family[waiting], return_index=True, return_inverse=True)
        chosen = waiting[first]
        outcome = run(designs[chosen])
        runs += len(chosen)
        of = of.ravel()
        equal = _is_proven(designs[waiting], designs[chosen][of], POSTPONED, outcome[of, postponed_at_bound])
        equal &= _is_proven(designs[waiting], designs[chosen][of], PULLED_IN, outcome[of, pulledin_at_bound])
        counters[waiting[equal]] = outcome[of[equal]]
        waiting = waiting[~equal]
    return counters, runs


def _is_proven(mine: Ints, that_ran: Ints, bound: int, met: Ints) -> NDArray[np.bool_]:
    """(K,) whether a bound acts in no design's run, or is the one that ran."""
    never_acted = np.minimum(mine[:, bound], that_ran[:, bound]) > met
    return np.asarray(never_acted | (mine[:, bound] == that_ran[:, bound]))
