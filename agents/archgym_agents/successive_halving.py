"""Successive halving: many random designs at the cheapest fidelity, of which ever fewer are looked at ever better.

Algorithm: Karnin et al. (2013), Jamieson and Talwalkar (2016). A bracket begins with ``designs`` random designs at the
lowest level of the space's fidelity parameter (the mapper's effort, training epochs); the best of them, one in ``eta``,
go on to the next rung, until the highest. Then another bracket begins. A design at another level is another call, with
its own cost: compare by cost, with ``budget_unit = "cost"``.

Does well: low fidelities that cost a fraction and order designs as high ones do.
Does badly: low fidelities that mislead; and it learns nothing from one bracket for the next: new designs are random.
Refuses: spaces without a fidelity parameter.
"""

from __future__ import annotations

from dataclasses import dataclass

from archgym.agent import Settings, setting
from archgym_agents._halving import Halving


@dataclass(frozen=True)
class SuccessiveHalvingConfig(Settings):
    """Settings of successive halving."""

    designs: int = setting(27, "designs that a bracket begins with", values=(9, 16, 27, 64, 81), low=2)
    eta: int = setting(3, "of how many designs one is promoted", values=(2, 3, 4), low=2)
    rungs: int = setting(4, "levels of fidelity that are used at most", values=(2, 3, 4, 5), low=2)


class SuccessiveHalving(Halving):
    """The same bracket again and again."""

    Config = SuccessiveHalvingConfig
    _config: SuccessiveHalvingConfig

    def bracket(self) -> tuple[int, int]:
        return 0, self._config.designs
