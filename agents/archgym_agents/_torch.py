"""torch by the rules of the house. Importing this module needs torch; agents import it when they run."""

from __future__ import annotations

__all__ = ["isolated", "log_softmax_by_column", "one_thread"]

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor


@contextmanager
def one_thread() -> Iterator[None]:
    """One torch thread; two change bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def isolated() -> Iterator[None]:
    """One thread, and the global generators that libraries seed left as they were."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    try:
        with one_thread():
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])


def log_softmax_by_column(logits: Tensor, column_of: Tensor, columns: int) -> Tensor:
    """Logarithms (N, V) of what each value's logit (N, V) gives it among the values of its column.

    Args:
        logits: of all values of all columns, end to end.
        column_of: (V,) column of each value.
        columns: how many there are.
    """
    rest = logits - logits.detach().amax(dim=1, keepdim=True)
    sums = torch.zeros(len(logits), columns).index_add(1, column_of, rest.exp())
    return rest - sums.clamp_min(1e-30).log()[:, column_of]
