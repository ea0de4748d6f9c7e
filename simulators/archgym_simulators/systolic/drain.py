"""SCALE-Sim 3.0.0's output buffer, word by word; an inner kernel of `replay`.

- Once less than half of the buffer is free and no drain is under way, half a buffer starts to leave, a line of
  ``bandwidth`` words a cycle, and counts as free at once. The next drain may start in the last cycle of this one.
- A drain closes the line that is being filled: the rest of it is counted as written.
- A word that takes the last free place waits until the drain under way is over; the array stalls for as long.
"""

from __future__ import annotations

__all__ = ["PADDED", "new_output_buffer", "write_words"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import kernel

Integers = NDArray[np.int64]

# Places in the state: free words, words of a half, words a cycle, words in the open line, the cycle in which the drain
# under way is over, and words that only fill up lines.
FREE, HALF, LINE, IN_LINE, OVER, PADDED = range(6)


@kernel
def new_output_buffer(buffer: int, bandwidth: int) -> Integers:
    """State of an empty buffer of ``buffer`` words."""
    state = np.zeros(6, np.int64)
    state[HALF], state[LINE] = buffer // 2, bandwidth
    state[FREE] = 2 * state[HALF]
    return state


@kernel
def write_words(state: Integers, words: int, now: int) -> int:
    """Take the ``words`` of one cycle; returns for how many cycles they wait."""
    wait = 0
    for _ in range(words):
        state[FREE] -= 1
        state[IN_LINE] = (state[IN_LINE] + 1) % state[LINE]
        if state[FREE] < state[HALF] and now + wait >= state[OVER]:
            state[PADDED] += -state[IN_LINE] % state[LINE]
            state[IN_LINE] = 0
            state[OVER] = now + wait + (state[HALF] + state[LINE] - 1) // state[LINE] - 1
            state[FREE] += state[HALF]
        elif state[FREE] == 0:
            wait = state[OVER] - now
    return wait
