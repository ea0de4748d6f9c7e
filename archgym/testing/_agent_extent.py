"""How much of everything `check_agent` runs: in full, and lightly for agents that take long to think."""

from __future__ import annotations

__all__ = ["FULL", "LIGHT", "Extent"]

from dataclasses import dataclass

_TOYS = ("Bowl", "HugeSpace", "OneDesign", "AlwaysInvalid", "Flaky")
_LARGE = ("Bowl", "HugeSpace")


@dataclass(frozen=True)
class Extent:
    """How much is run.

    Attributes:
        budget: calls a run.
        toys: where rows and budgets are checked.
        repeated: where a seed is used twice.
        large: where a limit on proposals is checked.
        twin: where another seed, and another process, are compared.
        resumed: where runs are killed and resumed.
        asks: what ``ask`` is given, one after the other.
        limits: budgets that are tried besides ``budget``.
        cuts: how many places a journal is cut at, besides its two ends.
        kills: how many calls a run is killed after.
        swept: settings drawn from the hyperparameter space, besides its two ends.
    """

    budget: int
    toys: tuple[str, ...] = _TOYS
    repeated: tuple[str, ...] = _TOYS
    twin: str = "HugeSpace"
    large: tuple[str, ...] = _LARGE
    resumed: tuple[str, ...] = _LARGE
    asks: tuple[int, ...] = (1, 2, 1, 7, 1, 64)
    limits: tuple[int, ...] = (1, 2)
    cuts: int = 4
    kills: int = 2
    swept: int = 12


FULL = Extent(48)
LIGHT = Extent(
    # Model-based agents begin with about ten designs at random; they have to think at least twice.
    budget=12,
    repeated=("Bowl", "Flaky"),
    twin="Bowl",
    resumed=("Bowl",),
    asks=(1, 2, 64, *(1,) * 9),
    limits=(1,),
    cuts=0,
    kills=1,
    swept=3,
)
