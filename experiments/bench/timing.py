"""CPU time of a call beside a fixed reference loop, so that figures survive a busy or another machine."""

from __future__ import annotations

__all__ = ["Timing", "WallTime", "cpu_timing", "reference_loop", "wall_time"]

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

REFERENCE_STEPS = 50_000


@dataclass(frozen=True)
class Timing:
    """What one call costs.

    Attributes:
        cpu_s: median CPU seconds of the call.
        reference_s: median CPU seconds of `reference_loop`, run in turns with it.
        repeats: how often each was run.
    """

    cpu_s: float
    reference_s: float
    repeats: int

    @property
    def ratio(self) -> float:
        """The call in units of the reference loop."""
        return self.cpu_s / self.reference_s


@dataclass(frozen=True)
class WallTime:
    """Wall and CPU seconds of one call; a single thread on a quiet machine has a share of almost 1."""

    wall_s: float
    cpu_s: float

    @property
    def share(self) -> float:
        """CPU seconds a wall second."""
        return self.cpu_s / self.wall_s


def reference_loop() -> int:
    """A fixed amount of plain Python work: 50,000 steps of a linear congruential generator."""
    state = 1
    for _ in range(REFERENCE_STEPS):
        state = (1103515245 * state + 12345) & 0x7FFFFFFF
    return state


def cpu_timing(call: Callable[[], object], *, repeats: int = 7, limit_s: float = 2.0) -> Timing:
    """Time a call that is warm already.

    Args:
        call: what is timed; short calls should loop inside.
        repeats: most repeats.
        limit_s: CPU seconds after which no repeat is started; at least one is made.
    """
    own: list[float] = []
    reference: list[float] = []
    while len(own) < repeats and (not own or sum(own) < limit_s):
        reference.append(_cpu(reference_loop))
        own.append(_cpu(call))
    return Timing(median(own), median(reference), len(own))


def wall_time(call: Callable[[], object]) -> WallTime:
    """Time one call by the wall clock; only for what CPU time cannot tell, such as scaling over threads."""
    start, cpu_start = time.perf_counter(), time.process_time()
    call()
    return WallTime(time.perf_counter() - start, time.process_time() - cpu_start)


def _cpu(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start
