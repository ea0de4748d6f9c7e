"""Designs as numbers that a surrogate can learn from."""

from __future__ import annotations

__all__ = ["Features"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators import Categorical, DesignSpace, Factors, Permutation
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
        self._parts = [(p, space.columns_of(p.name)) for p in space.parameters if p.size > 1]
        shape = [len(self._columns_of(p, np.zeros((1, len(p.radices)), np.int64))) for p, _ in self._parts]
        kinds = [isinstance(p, Categorical) for p, _ in self._parts]
        self.is_category = np.repeat(np.array(kinds, dtype=np.bool_), shape)
        self.count = len(self.is_category)

    def of(self, rows: Rows) -> Floats:
        """Rows (N, D) as columns (N, F)."""
        columns = [column for p, span in self._parts for column in self._columns_of(p, rows[:, span])]
        return np.ascontiguousarray(np.stack(columns, axis=1)) if columns else np.zeros((len(rows), 0))

    @staticmethod
    def _columns_of(parameter: object, digits: NDArray[np.int64]) -> list[Floats]:
        if isinstance(parameter, Permutation):
            places = np.argsort(parameter.values_of(digits), axis=1) / (len(parameter.items) - 1)
            return list(places.T)
        if isinstance(parameter, Factors):
            factors = np.log(parameter.values_of(digits)) / np.log(parameter.n)
            return list(factors.T)
        if isinstance(parameter, Categorical):
            return [digits[:, 0].astype(np.float64)]
        return [digits[:, 0] / (parameter.size - 1)]  # type: ignore[attr-defined]
