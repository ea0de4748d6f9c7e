"""What the models of both searches learn from: one-hot designs, and rewards on a scale that outliers do not set."""

from __future__ import annotations

__all__ = ["SEEDS", "one_hot", "one_thread", "worths_of"]

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from archgym_simulators.space import Rows

SEEDS = 1 << 62
_REACH = 3.0
_INTERQUARTILE = 1.349  # of a normal distribution with standard deviation 1


def one_hot(rows: Rows, nvec: NDArray[np.int64]) -> Tensor:
    """Rows (N, D) as (N, D, V) with V the largest number of values, float32."""
    return torch.from_numpy((rows[:, :, None] == np.arange(nvec.max())).astype(np.float32))


def worths_of(rewards: NDArray[np.float64]) -> Tensor:
    """Rewards (N,) about their median, in robust standard deviations, cut at three: (N,) float32.

    A tenth of the cells of NAS-Bench-201 are tens of points worse than the rest. How much worse does not matter to a
    search, and would set the scale of an ordinary standardisation.
    """
    low, middle, high = np.quantile(rewards, [0.25, 0.5, 0.75])
    spread = max((high - low) / _INTERQUARTILE, 1e-9)
    return torch.from_numpy(np.clip((rewards - middle) / spread, -_REACH, _REACH).astype(np.float32))


@contextmanager
def one_thread() -> Iterator[None]:
    """Several threads add up in other orders, and the same seed would not give the same bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
