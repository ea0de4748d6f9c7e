"""Softmaxes by column, in single precision, and the slopes of what policies are improved by."""

from __future__ import annotations

__all__ = ["PaddedColumns", "free_slope", "log_softmax"]

import numpy as np

from archgym_agents._adam import Singles
from archgym_agents._values import ValueTable

_NEVER = -1e9


class PaddedColumns:
    """The values of each of D columns beside each other, padded to C, the most that any has.

    Attributes:
        firsts: (D,) place of each column's first value in the table.
        is_value: (D, C) what is no padding.
        padding: (D, 1, C) 0 for a value; else what makes a logit's chance 0.
    """

    def __init__(self, table: ValueTable) -> None:
        sizes = np.bincount(table.column_of())
        self.firsts = np.cumsum(sizes) - sizes
        self.is_value = np.arange(sizes.max()) < sizes[:, None]
        self.padding = np.where(self.is_value, 0.0, _NEVER).astype(np.float32)[:, None]


def log_softmax(logits: Singles) -> Singles:
    """Of logits (..., C)."""
    # NumPy takes a maximum along a short last axis several times as long as copying it to the front.
    rest = logits - np.ascontiguousarray(np.moveaxis(logits, -1, 0)).max(axis=0)[..., None]
    return np.asarray(rest - np.log(np.einsum("...c->...", np.exp(rest)))[..., None])


def free_slope(logs: Singles, gains: Singles, entropy: Singles) -> Singles:
    """The part of the slope by logits (D, N, C) that does not depend on what was chosen.

    With p the chances that logits give, and x a choice of gain g, that of ``g log p(x)`` is ``g (1[x] - p)``, without
    its first term; that of the entropy ``-p (log p - sum(p log p))``.

    Args:
        logs: logarithms of the chances.
        gains: (N,) or (D, N).
        entropy: (N,) or (1,) what the entropy counts.
    """
    chances = np.exp(logs)
    expected = np.einsum("dnc,dnc->dn", chances, logs)
    free = (entropy * expected - gains)[:, :, None] - entropy[:, None] * logs
    return np.asarray(chances * free)
