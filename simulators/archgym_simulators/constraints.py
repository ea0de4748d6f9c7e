"""Named rules on designs, and what is inert in a design."""

from __future__ import annotations

__all__ = ["Constraint", "InertWhen", "Reason"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError

Columns = Mapping[str, NDArray[Any]]  # parameter name -> values (N,) or (N, items or slots)


@dataclass(frozen=True)
class Reason:
    """Why a design is invalid: a short name, and a sentence made on demand from detail numbers.

    Attributes:
        name: identifier, stable across versions; what ``status`` tables group by.
        template: ``str.format`` template over ``details`` (``"weights tile needs {need:,.0f} words"``).
        details: names of the detail numbers, in the order in which evaluations carry them.
    """

    name: str
    template: str
    details: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        try:
            sentence = self.sentence(np.zeros(len(self.details)))
        except (KeyError, IndexError, ValueError) as error:
            raise InputError(f"template {self.template!r} of reason {self.name!r} does not format: {error}") from None
        if not sentence or "\n" in sentence:
            raise InputError(f"reason {self.name!r} needs a sentence on one line, not {sentence!r}")

    def sentence(self, numbers: NDArray[np.float64]) -> str:
        """The sentence for one design's detail numbers (K,); those that are missing read "nan"."""
        given = [*numbers.tolist(), *[nan] * len(self.details)]
        return self.template.format(**dict(zip(self.details, given, strict=False)))


@dataclass(frozen=True)
class Constraint:
    """A rule on designs that can be checked without simulating.

    Attributes:
        reason: name and message.
        violation: from the space's value columns to how far each design breaks the rule: (N,) >= 0, 0 where it holds.
        details: from the value columns to the reason's detail numbers (N, K); None where the message has none.
    """

    reason: Reason
    violation: Callable[[Columns], NDArray[np.float64]]
    details: Callable[[Columns], NDArray[np.float64]] | None = None

    @property
    def name(self) -> str:
        return self.reason.name


@dataclass(frozen=True)
class InertWhen:
    """``parameter`` changes nothing, for any workload of the family, while ``condition`` has one of ``values``.

    The canonical form of such a design has index 0 there.
    """

    parameter: str
    condition: str
    values: tuple[Any, ...]
