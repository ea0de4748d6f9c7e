"""The door to the compiled kernels: one design after another over one prepared trace."""

from __future__ import annotations

__all__ = ["COMMANDS_ISSUED", "COUNTERS", "COUNTER_NAMES", "simulate_slice", "workspace"]

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, kernel
from archgym_simulators.dram import layout as lay
from archgym_simulators.dram.account import BINS, COUNTER_NAMES, HISTOGRAMS, fill_counters
from archgym_simulators.dram.event_loop import event_loop
from archgym_simulators.dram.scheduler import REORDER_RESPONSES

Ints = NDArray[np.int64]
Flags = NDArray[np.uint8]

COUNTERS = len(COUNTER_NAMES)
COMMANDS_ISSUED = COUNTER_NAMES.index("commands")

ALL_BANK = 1
REORDER_ARBITER = 2
LONG_AGO = -(2**40)


def simulate_slice(
    low: int, high: int, designs: Ints, trace: tuple[Ints, Ints, Ints, Ints, Ints, Ints], log: Ints, out: Ints
) -> None:
    """Simulate designs ``low`` to ``high - 1``, without the interpreter's lock.

    Args:
        low: First row.
        high: One past the last row.
        designs: (N, 10), the columns of `controller.DesignArrays`.
        trace: `PreparedTrace.kernel_arguments`.
        log: (L, 4) receives cycle, command, bank and request (-1: refresh) of the first L commands of each run.
        out: (N, COUNTERS) receives the counters.
    """
    template, packed, arrival, twin, run_end, first = trace
    state, served, due, delivered, latency, bins = workspace(len(arrival))
    simulate = _simulate_simple if template[lay.SIMPLE] == 1 else _simulate_general
    simulate(
        low, high, designs, template, packed, arrival, twin, run_end, first,
        state, served, due, delivered, latency, bins, log, out,
    )  # fmt: skip


run_simple = event_loop(simple=True)
run_general = event_loop(simple=False)


def _compiled_slice(simple: bool) -> Callable[..., None]:
    @kernel
    def simulate(
        low: int, high: int, designs: Ints, template: Ints, packed: Ints, arrival: Ints, twin: Ints, run_end: Ints,
        first: Ints, state: Ints, served: Flags, due: Ints, delivered: Ints, latency: Ints,
        bins: NDArray[np.int32], log: Ints, out: Ints,
    ) -> None:  # fmt: skip
        state[:] = template
        for row in range(low, high):
            design = designs[row]
            # Responses return in the order of requests, by the response queue or by the arbiter.
            in_order = design[4] == REORDER_RESPONSES or design[8] == REORDER_ARBITER
            reset(design[5], in_order, state, first, served, due)
            if simple:
                end = run_simple(
                    design, in_order, state, packed, arrival, twin, run_end, served, due, delivered, latency, log
                )
            else:
                end = run_general(
                    design, in_order, state, packed, arrival, twin, run_end, served, due, delivered, latency, log
                )
            fill_counters(end, state, latency, bins, out[row])

    return simulate


_simulate_simple = _compiled_slice(simple=True)
_simulate_general = _compiled_slice(simple=False)


def workspace(requests: int) -> tuple[Ints, Flags, Ints, Ints, Ints, NDArray[np.int32]]:
    """Working memory for traces of this length; the thread that asks again gets the same.

    Fresh arrays of this size come from the operating system, page by page, at the price of a tenth of a run.
    """
    if getattr(_memory, "requests", None) != requests:
        _memory.requests = requests
        _memory.arrays = (
            np.empty(lay.SIZE, dtype=np.int64),
            np.empty(requests + 2, dtype=np.uint8),
            np.empty(requests, dtype=np.int64),
            np.empty(requests, dtype=np.int64),
            np.empty(requests, dtype=np.int64),
            np.empty(2 * BINS * HISTOGRAMS, dtype=np.int32),
        )
    return _memory.arrays  # type: ignore[no-any-return]


_memory = threading.local()


@inner_kernel
def reset(refresh_policy: int, in_order: bool, s: Ints, first: Ints, served: Flags, due: Ints) -> None:
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
        s[lay.TRIGGER + rank] = spread if refresh_policy == ALL_BANK else (lay.INF >> s[lay.SHIFT]) - 64
    served[:] = 0
    served[-1] = 1
    if in_order:
        due[:] = -1
