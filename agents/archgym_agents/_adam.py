"""Adam, for the few weights of a policy that is not worth a library's overhead."""

from __future__ import annotations

__all__ = ["Adam", "Singles"]

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]

_FIRST_DECAY, _SECOND_DECAY = 0.9, 0.999
_TINY = 1e-8


class Adam:
    """Ascent by the means of slopes and of their squares (Kingma and Ba 2015, algorithm 1, with its constants).

    Attributes:
        weights: what moves, as it was given; all are parts of one vector, so that a step is a few operations.
    """

    def __init__(self, first: Sequence[Singles], learning_rate: float) -> None:
        """Begin at first values, which are copied."""
        self._all = np.concatenate([one.ravel() for one in first])  # (W,)
        ends = np.cumsum([one.size for one in first])[:-1]
        self.weights = [part.reshape(one.shape) for part, one in zip(np.split(self._all, ends), first, strict=True)]
        self._mean, self._square = np.zeros_like(self._all), np.zeros_like(self._all)
        self._rate = learning_rate
        self._steps = 0

    def climb(self, slopes: Sequence[Singles]) -> None:
        """One step along slopes, one for each of the weights, of any shape."""
        slope = np.concatenate([one.ravel() for one in slopes])
        self._steps += 1
        self._mean += (1.0 - _FIRST_DECAY) * (slope - self._mean)
        self._square += (1.0 - _SECOND_DECAY) * (slope * slope - self._square)
        unbiased = self._square / (1.0 - _SECOND_DECAY**self._steps)
        rate = self._rate / (1.0 - _FIRST_DECAY**self._steps)
        self._all += rate * self._mean / (np.sqrt(unbiased) + _TINY)
