"""The trace player's clock and the controller's: time stamps count in one, commands in the other."""

from __future__ import annotations

__all__ = ["next_tick", "since", "to_cycle"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inlined
from archgym_simulators.dram import layout as lay

Ints = NDArray[np.int64]


@inlined
def to_cycle(tick: int, simple: bool, s: Ints) -> int:
    """Return the first controller cycle at or after a player clock."""
    if simple or s[lay.PLAYER_PERIOD_PS] == s[lay.PERIOD_PS]:
        return tick
    return -int((-tick * s[lay.PLAYER_PERIOD_PS]) // s[lay.PERIOD_PS])


@inlined
def next_tick(cycle: int, simple: bool, s: Ints) -> int:
    """Return the first player clock after a controller cycle."""
    if simple or s[lay.PLAYER_PERIOD_PS] == s[lay.PERIOD_PS]:
        return cycle + 1
    return int((cycle * s[lay.PERIOD_PS]) // s[lay.PLAYER_PERIOD_PS]) + 1


@inlined
def since(tick: int, cycle: int, simple: bool, s: Ints) -> int:
    """Return the time from a player clock to a controller cycle: in cycles, or in ps where the clocks differ."""
    if simple or s[lay.PLAYER_PERIOD_PS] == s[lay.PERIOD_PS]:
        return cycle - tick
    return int(cycle * s[lay.PERIOD_PS] - tick * s[lay.PLAYER_PERIOD_PS])
