"""Regressors that are no trees: a line, neighbours, a Gaussian process, small networks. All of them are arrays."""

from __future__ import annotations

__all__ = ["DeepEnsemble", "GaussianProcess", "Line", "Neighbours"]

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from archgym_simulators import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Scaled(ABC):
    """Works on features (N, F) less ``centre`` (F,) over ``spread`` (F,); its targets less ``mean`` over ``unit``."""

    kind: ClassVar[str] = ""
    centre: Floats
    spread: Floats
    mean: float
    unit: float

    def predict(self, x: Floats) -> Floats:
        """Predictions (N,) of features (N, F)."""
        return self.mean + self.unit * self._raw(np.ascontiguousarray((x - self.centre) / self.spread))

    @abstractmethod
    def _raw(self, x: Floats) -> Floats:
        """Scaled predictions (N,) of scaled features (N, F)."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything, to be stored."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], width: int) -> Self:
        """The inverse of `arrays`, for features (N, ``width``).

        Raises:
            InputError: arrays of other shapes, or numbers that are none.
        """
        made: dict[str, Any] = {}
        try:
            for field in fields(cls):
                array = np.asarray(arrays[field.name], np.float64)
                made[field.name] = np.ascontiguousarray(array) if array.ndim else float(array)
                if not np.isfinite(array).all():
                    raise ValueError(f"{field.name} is not finite")
            model = cls(**made)
            model._check(width)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError(f"no {cls.kind}: {type(error).__name__} {error}") from error
        return model

    def _check(self, width: int) -> None:
        if self.centre.shape != (width,) or self.spread.shape != (width,) or not (self.spread > 0).all():
            raise ValueError(f"features are not {width}")


@dataclass(frozen=True, eq=False)
class Line(_Scaled):
    """A weighted sum of the features (ridge regression)."""

    kind: ClassVar[str] = "line"
    weights: Floats  # (F,)

    def _raw(self, x: Floats) -> Floats:
        from archgym.proxies._kernels import dense

        return dense(x, self.weights[:, None], np.zeros(1), False)[:, 0]

    def _check(self, width: int) -> None:
        super()._check(width)
        _shaped("weights", self.weights, (width,))


@dataclass(frozen=True, eq=False)
class Neighbours(_Scaled):
    """The mean of the nearest known designs, weighted by inverse distance."""

    kind: ClassVar[str] = "neighbours"
    known: Floats  # (K, F), scaled
    targets: Floats  # (K,), scaled
    count: float

    def _raw(self, x: Floats) -> Floats:
        from archgym.proxies._kernels import nearest_means

        return nearest_means(x, self.known, self.targets, int(self.count))

    def _check(self, width: int) -> None:
        super()._check(width)
        _shaped("known", self.known, (len(self.targets), width))
        _shaped("targets", self.targets, (len(self.known),))
        if not 1 <= self.count <= len(self.known) or self.count != int(self.count):
            raise ValueError(f"{self.count} neighbours of {len(self.known)}")


@dataclass(frozen=True, eq=False)
class GaussianProcess(_Scaled):
    """The mean of a Gaussian process with a Matern 5/2 kernel."""

    kind: ClassVar[str] = "gaussian-process"
    known: Floats  # (K, F), scaled
    weights: Floats  # (K,)
    length: float

    def _raw(self, x: Floats) -> Floats:
        from archgym.proxies._kernels import matern_sums

        return matern_sums(x, self.known, self.weights, self.length)

    def _check(self, width: int) -> None:
        super()._check(width)
        _shaped("known", self.known, (len(self.weights), width))
        _shaped("weights", self.weights, (len(self.known),))
        if self.length <= 0:
            raise ValueError(f"length is {self.length}")


@dataclass(frozen=True, eq=False)
class DeepEnsemble(_Scaled):
    """The mean of E networks with two hidden layers of H rectified units."""

    kind: ClassVar[str] = "deep-ensemble"
    first: Floats  # (E, F, H)
    first_bias: Floats  # (E, H)
    second: Floats  # (E, H, H)
    second_bias: Floats  # (E, H)
    last: Floats  # (E, H, 1)
    last_bias: Floats  # (E, 1)

    def _raw(self, x: Floats) -> Floats:
        from archgym.proxies._kernels import dense

        total = np.zeros(len(x))
        for e in range(len(self.first)):
            hidden = dense(x, self.first[e], self.first_bias[e], True)
            hidden = dense(hidden, self.second[e], self.second_bias[e], True)
            total += dense(hidden, self.last[e], self.last_bias[e], False)[:, 0]
        return total / len(self.first)

    def _check(self, width: int) -> None:
        super()._check(width)
        members, _, units = self.first.shape
        shapes = {
            "first": (members, width, units),
            "first_bias": (members, units),
            "second": (members, units, units),
            "second_bias": (members, units),
            "last": (members, units, 1),
            "last_bias": (members, 1),
        }
        for name, shape in shapes.items():
            _shaped(name, getattr(self, name), shape)


def _shaped(name: str, array: Floats, shape: tuple[int, ...]) -> None:
    if array.shape != shape or 0 in shape:
        raise ValueError(f"{name} has the shape {array.shape}, not {shape}")
