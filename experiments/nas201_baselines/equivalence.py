"""Are two means equal for practical purposes? Two one-sided tests (Schuirmann 1987), degrees of freedom by Welch."""

from __future__ import annotations

__all__ = ["Equivalence", "Sample", "equivalence"]

from dataclasses import dataclass
from math import sqrt

from archgym_simulators.errors import import_extra

LEVEL = 0.05


@dataclass(frozen=True)
class Sample:
    """What is known of a set of runs.

    Attributes:
        mean: of the runs.
        std: between the runs.
        runs: how many.
    """

    mean: float
    std: float
    runs: int


@dataclass(frozen=True)
class Equivalence:
    """The outcome.

    Attributes:
        difference: ours minus theirs.
        low: end of the 90 % interval of the difference; the other is ``high``.
        high: see ``low``.
        margin: what counts as equal.
        p: the larger p-value of the two tests; small where the means are equal to within the margin.
    """

    difference: float
    low: float
    high: float
    margin: float
    p: float

    @property
    def holds(self) -> bool:
        """Whether both tests reject at 5 %, which is when the interval lies within the margin."""
        return self.p < LEVEL


def equivalence(ours: Sample, theirs: Sample, *, margin: float) -> Equivalence:
    """Test that the means differ by less than ``margin``."""
    t = import_extra("scipy.stats", "nas").t
    variances = [one.std**2 / one.runs for one in (ours, theirs)]
    error = sqrt(sum(variances))
    freedom = sum(variances) ** 2 / sum(v**2 / (one.runs - 1) for v, one in zip(variances, (ours, theirs), strict=True))
    difference = ours.mean - theirs.mean
    p = max(t.sf((margin + difference) / error, freedom), t.sf((margin - difference) / error, freedom))
    reach = t.ppf(1.0 - LEVEL, freedom) * error
    return Equivalence(difference, float(difference - reach), float(difference + reach), margin, float(p))
