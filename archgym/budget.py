"""What a session may spend, and how it ends."""

from __future__ import annotations

__all__ = ["Budget", "SessionOver"]

from dataclasses import dataclass
from functools import cached_property
from math import inf, isfinite

import numpy as np

from archgym_simulators import ArchgymError, InputError

PROPOSALS_PER_CALL = 20
_FIRST_CALLS = (
    1000  # with a budget in cost units nobody knows the number of calls; proposals count as if at least these
)


class SessionOver(ArchgymError):
    """The session's budget, proposals or designs are used up; ``stop_reason`` says which."""

    def __init__(self, stop_reason: str) -> None:
        super().__init__(f"the session is over: {stop_reason}")
        self.stop_reason = stop_reason

    def __reduce__(self) -> tuple[type[SessionOver], tuple[str]]:
        return SessionOver, (self.stop_reason,)


@dataclass(frozen=True)
class Budget:
    """What a session may spend.

    Attributes:
        limit: simulator calls (new canonical designs, valid or not), or cost units; None for no limit.
        unit: ``"calls"``, or ``"cost"`` for the simulator's deterministic cost.
        max_proposals: proposals including repeats; where not given, 20 x limit in calls, 20 x the calls made (at least
            20,000) for a limit in cost, none without a limit.

    Raises:
        InputError: a limit that is no number above 0, or no whole one where calls are counted.
    """

    limit: float | None = None
    unit: str = "calls"
    max_proposals: int | None = None

    def __post_init__(self) -> None:
        if self.unit not in ("calls", "cost"):
            raise InputError(f"budget unit must be calls or cost, not {self.unit!r}")
        if self.limit is not None:
            object.__setattr__(self, "limit", _positive("budget", self.limit, whole=self.unit == "calls"))
        if self.max_proposals is not None:
            object.__setattr__(self, "max_proposals", _positive("max_proposals", self.max_proposals, whole=True))

    @cached_property
    def calls(self) -> float:
        """Calls allowed, infinite where they are not limited."""
        return self.limit if self.unit == "calls" and self.limit is not None else inf

    @cached_property
    def cost(self) -> float:
        """Cost allowed, infinite where it is not limited."""
        return self.limit if self.unit == "cost" and self.limit is not None else inf

    def proposals(self, calls: int) -> float:
        """Proposals allowed once ``calls`` designs have been simulated, infinite where they are not limited."""
        if self.max_proposals is not None:
            return self.max_proposals
        if self.unit == "cost" and self.limit is not None:
            return PROPOSALS_PER_CALL * max(calls, _FIRST_CALLS)
        return PROPOSALS_PER_CALL * self.calls


def _positive(name: str, value: object, *, whole: bool) -> int | float:
    what = "a whole number of at least 1" if whole else "a number above 0"
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not is_number or not isfinite(value) or not value > 0 or (whole and value != int(value)):  # type: ignore[arg-type, operator, call-overload]
        raise InputError(f"{name} must be {what}, not {value!r}")
    return int(value) if whole else float(value)  # type: ignore[call-overload, arg-type]
