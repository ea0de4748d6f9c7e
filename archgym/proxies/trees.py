"""Sums of regression trees as flat arrays: what gradient boosting and forests come to once they are trained."""

from __future__ import annotations

__all__ = ["MaskedTrees", "Trees"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from archgym.proxies.features import DesignFeatures
from archgym_simulators import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_MOST_MASKS = 1 << 19  # words of 8 bytes: beyond a few MiB they no longer stay in a core's cache


@dataclass(frozen=True, eq=False)
class Trees:
    """A sum of trees over a divisor. Children stand after their parents, trees one after the other.

    Attributes:
        roots: (T,) first node of each tree.
        feature: (K,) column that a node tests; -1 at leaves.
        threshold: (K,) rows go left where the feature is at most this.
        left: (K,) child.
        right: (K,) child.
        value: (K,) of leaves.
        divisor: 1 for boosting, the number of trees for forests.
        single: whether features are rounded to single precision, as scikit-learn's forests do.
    """

    kind: ClassVar[str] = "trees"
    roots: Ints
    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    value: Floats
    divisor: float = 1.0
    single: bool = False

    def predict(self, x: Floats) -> Floats:
        """Predictions (N,) of features (N, F), to the bit those of the library that trained the trees."""
        from archgym.proxies._kernels import tree_sums

        seen = self.rounded(x)
        return tree_sums(seen, self.roots, *self._nodes, self.value) / self.divisor

    def rounded(self, x: Floats) -> Floats:
        """Features in the precision that the trees compare."""
        return x.astype(np.float32).astype(np.float64) if self.single else x

    @property
    def _nodes(self) -> tuple[Ints, Floats, Ints, Ints]:
        return self.feature, self.threshold, self.left, self.right

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything, to be stored."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], width: int) -> Self:
        """The inverse of `arrays`, for features (N, ``width``).

        Raises:
            InputError: arrays that are no trees: a walk through them might never end, or leave them.
        """
        try:
            roots, feature, left, right = (
                np.ascontiguousarray(arrays[name], np.int64) for name in ("roots", "feature", "left", "right")
            )
            threshold, value = (np.ascontiguousarray(arrays[name], np.float64) for name in ("threshold", "value"))
            divisor, single = float(arrays["divisor"]), bool(arrays["single"])
            made = cls(roots, feature, threshold, left, right, value, divisor, single)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"trees that are none: {type(error).__name__} {error}") from error
        made._check(width)
        return made

    @classmethod
    def joined(cls, trees: Sequence[Mapping[str, NDArray[Any]]], **about: Any) -> Self:
        """Of single trees, whose children count from their own first node, -1 at leaves."""
        sizes = [len(tree["feature"]) for tree in trees]
        roots = np.cumsum([0, *sizes[:-1]]).astype(np.int64)

        def column(name: str) -> NDArray[Any]:
            return np.concatenate([tree[name] for tree in trees])

        leaf = column("feature") < 0
        start = np.repeat(roots, sizes)
        left, right = (np.where(leaf, 0, column(name) + start).astype(np.int64) for name in ("left", "right"))
        threshold, value = (column(name).astype(np.float64) for name in ("threshold", "value"))
        return cls(
            roots, np.where(leaf, -1, column("feature")).astype(np.int64), threshold, left, right, value, **about
        )

    def _check(self, width: int) -> None:
        if not (self._has_shape() and self._is_forest() and self._has_numbers(width)):
            raise InputError("trees that are none: damaged")

    def _has_shape(self) -> bool:
        k, roots = len(self.feature), self.roots
        flat = all(column.shape == (k,) for column in (*self._nodes, self.value)) and roots.ndim == 1
        return flat and len(roots) > 0 and roots[0] == 0 and roots[-1] < k and bool((np.diff(roots) > 0).all())

    def _is_forest(self) -> bool:
        """Whether every node but the roots has one parent, which stands before it in the same tree."""
        k = len(self.feature)
        ends = np.append(self.roots[1:], k)
        inner = np.flatnonzero(self.feature >= 0)
        end = np.repeat(ends, ends - self.roots)[inner]
        children = np.stack([self.left[inner], self.right[inner]])
        if not ((children > inner) & (children < end)).all():
            return False
        parents = np.bincount(children.ravel(), minlength=k)
        parents[self.roots] += 1
        return bool((parents == 1).all())

    def _has_numbers(self, width: int) -> bool:
        leaf = self.feature < 0
        finite = np.isfinite(self.threshold[~leaf]).all() and np.isfinite(self.value[leaf]).all()
        return bool(finite and (self.feature < width).all()) and 0 < self.divisor < np.inf


@dataclass(frozen=True, eq=False)
class MaskedTrees:
    """The same trees over the levels of a design's parameters, for one workload: some ten times as fast."""

    offsets: Ints  # (G,)
    masks: NDArray[np.uint64]  # (L, W)
    start: NDArray[np.uint64]  # (W,)
    leaves: Floats  # (W, 64)
    divisor: float

    @classmethod
    def of(cls, trees: Trees, features: DesignFeatures, workload: Floats) -> Self | None:
        """The trees for a workload's features (W,); None where the masks would not fit into a cache."""
        from archgym.proxies import _kernels

        nodes = trees._nodes
        first, last, tree = _kernels.trees_of_leaves(
            trees.roots, len(trees.feature), trees.feature, trees.left, trees.right
        )
        words = -(-last[trees.roots] // _kernels.LEAVES_A_WORD)
        starts = np.cumsum([0, *words[:-1]]).astype(np.int64)
        total, levels = int(words.sum()), sum(features.level_counts)
        if total * max(levels, 1) > _MOST_MASKS:
            return None
        leaf = np.flatnonzero(trees.feature < 0)
        word = starts[tree]
        place, bit = word[leaf] + first[leaf] // _kernels.LEAVES_A_WORD, first[leaf] % _kernels.LEAVES_A_WORD + 1
        start = np.zeros(total, np.uint64)
        np.bitwise_or.at(start, place, np.uint64(1) << bit.astype(np.uint64))
        leaves = np.zeros((total, 64))
        leaves[place, _kernels.hashed(bit)] = trees.value[leaf]
        masks = np.full((levels, total), ~np.uint64(0))
        offsets = np.cumsum([0, *features.level_counts[:-1]]).astype(np.int64)[: len(features.groups)]
        column = 0
        for group, offset in zip(features.groups, offsets.tolist(), strict=True):
            table = trees.rounded(group.levels)
            _kernels.exit_masks(masks, table, offset, column, nodes[0], nodes[1], first, last, *nodes[2:], word)
            column += table.shape[1]
        fixed = np.full((1, total), ~np.uint64(0))
        if len(workload):
            own = trees.rounded(workload[None])
            _kernels.exit_masks(fixed, own, 0, column, nodes[0], nodes[1], first, last, *nodes[2:], word)
        return cls(offsets, masks, start & fixed[0], leaves, trees.divisor)

    def predict(self, codes: Ints) -> Floats:
        """Predictions (N,) of levels (N, G), to the bit those of the trees."""
        from archgym.proxies._kernels import leaf_sums

        return leaf_sums(codes, self.offsets, self.masks, self.start, self.leaves) / self.divisor
