"""SCALE-Sim 3.0.0's output buffer, word by word; an inner kernel of `replay`.

- Words fill lines of ``bandwidth`` words. Once less than half of the buffer is free and no drain is under way, the line
  being filled is closed, and as many lines as hold half a buffer start to leave, one a cycle.
- They count as free at once, and as written: as full lines, but for the last of a drain, of which only its words count.
  So a line that was closed early mostly makes more room than it took.
- A word that takes the last free place waits until the drain under way is over; the array stalls for as long. The next
  drain may start in the last cycle of this one.
"""

from __future__ import annotations

__all__ = ["OutputBuffer", "new_output_buffer", "words_counted", "write_words"]

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import kernel

Integers = NDArray[np.int64]

# Places in the state: free words, words of a half, words of a line, lines of a drain, words in the open line, lines
# closed, drains started, the cycle in which the last drain is over, words that lines miss, words that the last misses.
FREE, HALF, LINE, DRAIN_LINES, IN_LINE, LINES, DRAINS, OVER, MISSING, LAST_MISSES = range(10)


class OutputBuffer(NamedTuple):
    """The output buffer.

    Attributes:
        state: (10,) see above; changes.
        misses: words that the last line of each drain misses; changes.
    """

    state: Integers
    misses: Integers


def new_output_buffer(buffer: int, bandwidth: int, words: int) -> OutputBuffer:
    """An empty buffer of ``buffer`` words, for a run that writes ``words``."""
    state = np.zeros(10, np.int64)
    half = max(buffer // 2, 1)
    state[FREE], state[HALF], state[LINE], state[DRAIN_LINES] = 2 * half, half, bandwidth, -(-half // bandwidth)
    return OutputBuffer(state, np.zeros(words // int(state[DRAIN_LINES]) + 2, np.int64))


def words_counted(output: OutputBuffer, words: int) -> int:
    """Words that the tool says to have left after ``words`` were written; the rest leaves in one drain."""
    state = output.state
    is_open = state[IN_LINE] > 0 or state[LINES] == state[DRAINS] * state[DRAIN_LINES]
    return words + int(state[MISSING] - (0 if is_open else state[LAST_MISSES]))


@kernel
def _close_line(output: OutputBuffer) -> None:
    state, misses = output
    missing = state[LINE] - state[IN_LINE]
    state[IN_LINE] = 0
    state[LINES] += 1
    state[MISSING] += missing
    state[LAST_MISSES] = missing
    if state[LINES] % state[DRAIN_LINES] == 0:
        misses[state[LINES] // state[DRAIN_LINES] - 1] = missing


@kernel
def _start_drain(output: OutputBuffer, now: int) -> None:
    state, misses = output
    missing = misses[state[DRAINS]]
    state[DRAINS] += 1
    state[MISSING] -= missing
    state[FREE] += state[DRAIN_LINES] * state[LINE] - missing
    state[OVER] = now + state[DRAIN_LINES] - 1


@kernel
def write_words(output: OutputBuffer, words: int, now: int) -> int:
    """Take the ``words`` of one cycle; returns for how many cycles they wait."""
    state = output.state
    wait = 0
    for _ in range(words):
        state[FREE] -= 1
        state[IN_LINE] += 1
        if state[IN_LINE] == state[LINE]:
            _close_line(output)
        if state[FREE] < state[HALF] and now + wait >= state[OVER]:
            if state[IN_LINE] > 0:
                _close_line(output)
            _start_drain(output, now + wait)
        elif state[FREE] == 0:
            wait = state[OVER] - now
    return wait
