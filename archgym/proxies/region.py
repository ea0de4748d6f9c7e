"""Where a proxy has been: which values of parameters, and of pairs of them, its training set has.

A proxy knows how parameters interact where it has seen them together. The measure is that of combinatorial testing
(share of pairs of values that are covered; Kuhn et al., NIST IR 7878): few table lookups a design, and a person can say
which pair is missing. A design is outside where more of its pairs are unseen than of all but one in a hundred designs
that training did not see either but that come from the same source.
"""

from __future__ import annotations

__all__ = ["Region"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import combinations_with_replacement
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from archgym_simulators import InputError

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

_BINS = 16
_MOST_PAIRS = 300
_SHARE_INSIDE = 0.99
_SLACK = 1e-9


@dataclass(frozen=True, eq=False)
class Region:
    """Pairs of values that training has seen.

    Attributes:
        bins: (G, L) bin of each level of each group of features; more than 16 levels share 16 bins.
        pairs: (P, 2) pairs of groups, a group with itself among them; 300 at most, evenly chosen.
        seen: (P, B, B) whether training has the two bins together.
        limit: share of unseen pairs up to which a design is inside.
        low: (W,) least feature of the workloads of training.
        high: (W,) greatest.
    """

    bins: NDArray[np.int64]
    pairs: NDArray[np.int64]
    seen: NDArray[np.bool_]
    limit: float
    low: Floats
    high: Floats

    @classmethod
    def of(cls, train: Codes, held_out: Codes, levels: Sequence[int], workload: Floats) -> Self:
        """The region of levels (N, G), its limit set on others (K, G); ``workload`` (V, W) are features seen."""
        bins = np.zeros((len(levels), max(levels, default=1)), np.int64)
        for g, count in enumerate(levels):
            bins[g, :count] = np.arange(count) * min(count, _BINS) // count
        pairs = np.array(list(combinations_with_replacement(range(len(levels)), 2)), np.int64).reshape(-1, 2)
        if len(pairs) > _MOST_PAIRS:
            pairs = pairs[np.linspace(0, len(pairs) - 1, _MOST_PAIRS).astype(np.int64)]
        seen = np.zeros((len(pairs), _BINS, _BINS), bool)
        for p, (a, b) in enumerate(pairs.tolist()):
            seen[p, bins[a, train[:, a]], bins[b, train[:, b]]] = True
        made = cls(bins, pairs, seen, 0.0, workload.min(axis=0), workload.max(axis=0))
        limit = float(np.quantile(made.unseen(held_out), _SHARE_INSIDE, method="higher")) if len(held_out) else 0.0
        return cls(bins, pairs, seen, limit, made.low, made.high)

    def unseen(self, codes: Codes) -> Floats:
        """Share (N,) of the pairs of values of each design that training has not seen."""
        from archgym.proxies._kernels import unseen_shares

        return unseen_shares(codes, self.pairs, self.bins, self.seen) if len(self.pairs) else np.zeros(len(codes))

    def outside(self, unseen: Floats) -> NDArray[np.bool_]:
        """Which shares (N,) are too large."""
        return unseen > self.limit + _SLACK

    def has_workload(self, features: Floats) -> bool:
        """Whether a workload's features (W,) lie between those of training."""
        return bool(((features >= self.low - _SLACK) & (features <= self.high + _SLACK)).all())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything, to be stored."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], levels: Sequence[int], width: int) -> Self:
        """The inverse of `arrays`, for groups of ``levels`` (G,) and workloads of ``width`` features.

        Raises:
            InputError: arrays of other shapes.
        """
        try:
            bins, pairs = (np.ascontiguousarray(arrays[name], np.int64) for name in ("bins", "pairs"))
            seen = np.ascontiguousarray(arrays["seen"], np.bool_)
            low, high = (np.ascontiguousarray(arrays[name], np.float64) for name in ("low", "high"))
            limit = float(arrays["limit"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"no region: {type(error).__name__} {error}") from error
        g = len(levels)
        sound = bins.shape == (g, max(levels, default=1)) and pairs.shape == (len(pairs), 2)
        sound = sound and seen.shape == (len(pairs), _BINS, _BINS) and low.shape == high.shape == (width,)
        sound = sound and bool(((bins >= 0) & (bins < _BINS)).all() and ((pairs >= 0) & (pairs < g)).all())
        if not sound:
            raise InputError("no region: damaged")
        return cls(bins, pairs, seen, limit, low, high)
