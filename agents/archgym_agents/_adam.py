"""Adam, compiled, for the few weights of a policy that is not worth a library's overhead."""

from __future__ import annotations

__all__ = ["Adam", "Singles"]

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import kernel

Singles = NDArray[np.float32]

_FIRST_DECAY, _SECOND_DECAY = 0.9, 0.999
_TINY = 1e-8


class Adam:
    """Ascent by the means of slopes and of their squares (Kingma and Ba 2015, algorithm 1, with its constants).

    Attributes:
        weights: what moves, as it was given; all are parts of one vector.
        slopes: along which it moves, to be written into; as the weights.
    """

    def __init__(self, first: Sequence[Singles], learning_rate: float) -> None:
        """Begin at first values, which are copied."""
        self._all = np.concatenate([one.ravel() for one in first])  # (W,)
        self._slope, self._mean, self._square = (np.zeros_like(self._all) for _ in range(3))
        self.weights = _parts(self._all, first)
        self.slopes = _parts(self._slope, first)
        self._rate = learning_rate
        self._steps = 0

    def climb(self) -> None:
        """One step along the slopes."""
        self._steps += 1
        rate = self._rate / (1.0 - _FIRST_DECAY**self._steps)
        unbiased = 1.0 / (1.0 - _SECOND_DECAY**self._steps)
        _climb(self._all, self._slope, self._mean, self._square, np.float32(rate), np.float32(unbiased))


def _parts(whole: Singles, shapes: Sequence[Singles]) -> list[Singles]:
    ends = np.cumsum([one.size for one in shapes])[:-1]
    return [part.reshape(one.shape) for part, one in zip(np.split(whole, ends), shapes, strict=True)]


@kernel
def _climb(weights, slope, mean, square, rate, unbiased):  # type: ignore[no-untyped-def]
    first, tiny = np.float32(1.0 - _FIRST_DECAY), np.float32(_TINY)
    kept, second = np.float32(_SECOND_DECAY), np.float32(1.0 - _SECOND_DECAY)
    for i in range(len(weights)):
        mean[i] += first * (slope[i] - mean[i])
        square[i] = kept * square[i] + second * slope[i] * slope[i]
        weights[i] += rate * mean[i] / (np.sqrt(square[i] * unbiased) + tiny)
