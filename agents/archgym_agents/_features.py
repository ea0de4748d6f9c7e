"""Designs as numbers that a surrogate can learn from."""

from __future__ import annotations

__all__ = ["Features"]

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from archgym_simulators import Categorical, DesignSpace, Factors, Parameter, Permutation
from archgym_simulators.space import Rows

Floats = NDArray[np.float64]


class Features:
    """The columns of a design as a model sees them, F of them, each from 0 to 1 unless it is a category.

    Ordinals and integers are their index; an order is the place of each item, not its Lehmer digits, whose meaning
    depends on those before; a factorisation is the logarithm of each factor. Parameters of one value are left out.

    Attributes:
        is_category: (F,) whether only equality of its values means anything.
        count: number of columns, F.
    """

    def __init__(self, space: DesignSpace) -> None:
        varied = [p for p in space.parameters if p.size > 1]
        firsts = np.cumsum([0, *(_width(p) for p in varied)]).tolist()
        self.count: int = firsts[-1]
        parts = [
            (p, space.columns_of(p.name), slice(first, last))
            for p, (first, last) in zip(varied, pairwise(firsts), strict=True)
        ]
        self._composed = [(p, columns, spots) for p, columns, spots in parts if isinstance(p, Permutation | Factors)]
        scalars = [(p, columns, spots) for p, columns, spots in parts if not isinstance(p, Permutation | Factors)]
        self._columns = np.array([columns.start for _, columns, _ in scalars], dtype=np.intp)
        self._spots = np.array([spots.start for _, _, spots in scalars], dtype=np.intp)
        kinds = np.array([isinstance(p, Categorical) for p, _, _ in scalars], dtype=np.bool_)
        self._largest = np.where(kinds, 1, np.array([p.size - 1 for p, _, _ in scalars], dtype=np.int64))
        self.is_category = np.zeros(self.count, dtype=np.bool_)
        self.is_category[self._spots] = kinds

    def of(self, rows: Rows) -> Floats:
        """Rows (N, D) as columns (N, F)."""
        found = np.empty((len(rows), self.count))
        found[:, self._spots] = rows[:, self._columns] / self._largest
        for parameter, span, spots in self._composed:
            found[:, spots] = _composed(parameter, rows[:, span])
        return found


def _width(parameter: Parameter) -> int:
    if isinstance(parameter, Permutation):
        return len(parameter.items)
    return parameter.slots if isinstance(parameter, Factors) else 1


def _composed(parameter: Permutation | Factors, digits: NDArray[np.int64]) -> Floats:
    values = parameter.values_of(digits)
    if isinstance(parameter, Permutation):
        return np.argsort(values, axis=1) / (len(parameter.items) - 1)
    return np.asarray(np.log(values) / np.log(parameter.n))
