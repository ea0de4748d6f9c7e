"""Quantities with units, as programs print them."""

from __future__ import annotations

__all__ = ["in_unit", "name_in_other_unit"]

import re
from collections.abc import Iterable

from archgym_simulators.errors import SimulationFailed
from archgym_simulators.nearest import allowed_values

_POWERS = {"f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12}
_BASES = ("b/s", "B/s", "Hz", "s", "J", "W")
_QUANTITY = re.compile(r"\s*(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(?P<unit>\S+)\s*")


def in_unit(text: str, unit: str) -> float:
    """The number of a printed quantity, in another unit of the same kind.

    Powers of ten are multiplied or divided whole, so that 50468750 ps is 50468.75 ns to the last bit.

    >>> in_unit("50300 ns", "ns"), in_unit("50468750 ps", "ns"), in_unit(" 1.5us", "ns"), in_unit("2 Gb/s", "Mb/s")
    (50300.0, 50468.75, 1500.0, 2000.0)

    Raises:
        SimulationFailed: no number with a unit, or a unit of another kind.
    """
    found = _QUANTITY.fullmatch(text)
    if not found:
        raise SimulationFailed(f"expected a number and a unit, such as '1.5 {unit}', not {text.strip()!r}")
    (power, base), (target, kind) = _parsed(found["unit"]), _parsed(unit)
    if base != kind:
        raise SimulationFailed(f"expected a quantity in {unit}, not {text.strip()!r}")
    shift, number = power - target, float(found["number"])
    return number * 10.0**shift if shift >= 0 else number / 10.0**-shift


def name_in_other_unit(metric: str, names: Iterable[str]) -> bool:
    """Whether a metric occurs under its name with another unit: ``time_us`` for ``time_ns``."""
    stem = metric.rpartition("_")[0]
    return any(stem and name != metric and name.rpartition("_")[0] == stem for name in names)


def _parsed(unit: str) -> tuple[int, str]:
    for base in _BASES:
        if unit.endswith(base) and unit.removesuffix(base) in _POWERS:
            return _POWERS[unit.removesuffix(base)], base
    raise SimulationFailed(f"unknown unit {unit!r}; known: f, p, n, u, m, k, M, G, T before {allowed_values(_BASES)}")
