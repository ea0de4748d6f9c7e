"""The door to the compiled kernels: one design after another over one prepared trace."""

from __future__ import annotations

__all__ = ["COMMANDS_ISSUED", "COUNTERS", "COUNTER_NAMES", "simulate_slice"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, kernel
from archgym_simulators.dram import layout as lay
from archgym_simulators.dram.account import BINS, COUNTER_NAMES, HISTOGRAMS, fill_counters
from archgym_simulators.dram.event_loop import run

Ints = NDArray[np.int64]
Flags = NDArray[np.uint8]

COUNTERS = len(COUNTER_NAMES)
COMMANDS_ISSUED = COUNTER_NAMES.index("commands")

ALL_BANK = 1
LONG_AGO = -(2**40)


@kernel
def simulate_slice(
    low: int, high: int, designs: Ints, template: Ints, packed: Ints, arrival: Ints, twin: Ints, first: Ints,
    log: Ints, out: Ints,
) -> None:  # fmt: skip
    """Simulate designs ``low`` to ``high - 1``.

    Args:
        low: First row.
        high: One past the last row.
        designs: (N, 10), the columns of `controller.DesignArrays`.
        template: (layout.SIZE,) state before a run, with the device's figures.
        packed: (R + 2,) links of the requests, see `layout`.
        arrival: (R,) time stamps in player clocks.
        twin: (R + 2,) previous request to the same address, R + 1 if there is none.
        first: (banks,) name of the first request of each bank.
        log: (L, 4) receives cycle, command, bank and request (-1: refresh) of the first L commands of each run.
        out: (N, COUNTERS) receives the counters.
    """
    requests = arrival.size
    state = template.copy()
    served = np.empty(requests + 2, np.uint8)
    due = np.empty(requests, np.int64)
    delivered = np.empty(requests, np.int64)
    stamps = np.empty(2 * requests, np.int64)
    bins = np.empty(BINS * HISTOGRAMS, np.int32)
    for row in range(low, high):
        reset(designs[row], state, first, served, due)
        end = run(designs[row], state, packed, arrival, twin, served, due, delivered, stamps, log)
        fill_counters(end, state, stamps, delivered, bins, out[row])


@inner_kernel
def reset(design: Ints, s: Ints, first: Ints, served: Flags, due: Ints) -> None:
    """Return everything but the device's figures to where a run starts."""
    s[lay.LIVE : lay.BANKS] = 0
    s[lay.BOUND : lay.RELATION_OF] = 0
    s[lay.OWN : lay.OWN + s[lay.BANKS] * lay.BANK_FIELDS] = 0
    per_rank = s[lay.BANKS] // s[lay.RANKS]
    per_group = s[lay.BANKS] // s[lay.GROUPS]
    for bank in range(s[lay.BANKS]):
        at = bank << 4
        s[lay.HEAD + at] = first[bank]
        s[lay.HIT + at] = lay.CLOSED
        s[lay.RANK + at] = bank // per_rank
        s[lay.BASE + at] = bank | (bank // per_group) << lay.GROUP_AT
    s[lay.RECENT : lay.RECENT + lay.MOST_RANKS * 4] = -lay.INF
    s[lay.LAST : lay.LAST + lay.MOST_RANKS * 8] = LONG_AGO
    interval = s[lay.REFRESH_INTERVAL]
    for rank in range(s[lay.RANKS]):
        s[lay.WANTED + rank] = -1
        # Ranks take their turns evenly spread over an interval.
        spread = interval - rank * (interval // s[lay.RANKS])
        s[lay.TRIGGER + rank] = spread if design[5] == ALL_BANK else (lay.INF >> s[lay.SHIFT]) - 64
    served[:] = 0
    served[-1] = 1
    due[:] = -1
