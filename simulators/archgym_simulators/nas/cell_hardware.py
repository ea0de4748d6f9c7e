"""What networks of cells cost on a systolic array: latency, energy and area by the simulator of `archgym/Systolic-v0`.

Layers run one after another, so a network costs what its layers cost. A skeleton's fixed layers, a cell's 1 x 1
convolution and its 3 x 3 convolution are simulated once each; a network is their sum. Additions, pooling, rectifiers
and skips are left out, as in the layer tables of that simulator.
"""

from __future__ import annotations

__all__ = ["CellCosts", "Hardware", "cell_costs", "costs_of_layers"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.layers.inline import spell_inline
from archgym_simulators.layers.layer import Layer
from archgym_simulators.nas.cells import CONV_1X1, CONV_3X3, SKIP
from archgym_simulators.nas.skeleton import Skeleton, layers_of
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.systolic.simulator import SystolicSimulator

_PARTS = (SKIP, CONV_1X1, CONV_3X3)
"""Operations of the one live edge, 3<-0, whose network gives the fixed layers, and those of a convolution."""


@dataclass(frozen=True)
class Hardware:
    """An array that runs the networks.

    Attributes:
        area_class: of `archgym/Systolic-v0`, whose TPU-like reference array runs them unless ``array`` changes it.
        array: parameters of that family to change, such as ``{"dataflow": "os", "rows": 16}``.
        node_nm: technology node.
        bandwidth: 16-bit words a cycle off the chip.
        clock_mhz: of array and memory channel.
    """

    area_class: str = "edge"
    array: Mapping[str, Any] | None = None
    node_nm: int = 28
    bandwidth: int = 16
    clock_mhz: float = 1000.0


@dataclass(frozen=True, eq=False)
class CellCosts:
    """Costs of one image through the network: of the fixed layers, and of one 1 x 1 and one 3 x 3 convolution a cell.

    Attributes:
        latency_ns: (3,).
        energy_pj: (3,).
        area_mm2: of the array.
    """

    latency_ns: NDArray[np.float64]
    energy_pj: NDArray[np.float64]
    area_mm2: float

    def latencies(self, convolutions: NDArray[np.int64]) -> NDArray[np.float64]:
        """Nanoseconds (N,) of networks with so many 1 x 1 and 3 x 3 convolutions a cell, (N, 2)."""
        return _summed(self.latency_ns, convolutions)

    def energies(self, convolutions: NDArray[np.int64]) -> NDArray[np.float64]:
        """Picojoules (N,) of networks with so many 1 x 1 and 3 x 3 convolutions a cell, (N, 2)."""
        return _summed(self.energy_pj, convolutions)


def cell_costs(skeleton: Skeleton, hardware: Hardware) -> CellCosts:
    """Simulate the three kinds of layers on the array.

    Raises:
        InputError: an unknown area class, node or parameter, or an array that the area class does not allow.
    """
    fixed = set(layers_of((0, 0, 0, SKIP, 0, 0), skeleton))
    found = []
    for operation in _PARTS:
        layers = layers_of((0, 0, 0, operation, 0, 0), skeleton)
        found.append(costs_of_layers([one for one in layers if operation == SKIP or one not in fixed], hardware))
    latency_ns, energy_pj, area_mm2 = np.array(found).T
    return CellCosts(latency_ns, energy_pj, float(area_mm2[0]))


def costs_of_layers(layers: list[Layer], hardware: Hardware) -> tuple[float, float, float]:
    """Nanoseconds, picojoules and mm2 of layers that run one after another.

    Raises:
        InputError: an unknown area class, node or parameter, or an array that the area class does not allow.
    """
    if hardware.array is not None and not isinstance(hardware.array, Mapping):
        raise InputError(f"array must be a mapping such as {{'rows': 16}}, not {hardware.array!r}")
    spec = ",".join(spell_inline(layer) for layer in layers for _ in range(layer.repeat))
    simulator = SystolicSimulator(
        spec,
        node_nm=hardware.node_nm,
        area_class=hardware.area_class,
        bandwidth=hardware.bandwidth,
        clock_mhz=hardware.clock_mhz,
    )
    space = simulator.space
    design = space.decode_row(simulator.baseline.row)
    for name, value in (hardware.array or {}).items():
        if name not in design:
            raise InputError(
                f"unknown parameter {name!r} of array{did_you_mean(name, design)}; allowed: {', '.join(design)}"
            )
        design[name] = value
    outcome = simulator.evaluate(space.encode_row(design)[None])
    if outcome.status[0]:
        raise InputError(f"array {design} is invalid: {outcome.reason(0)}")
    latency_ns, energy_pj, area_mm2 = (
        float(simulator.column(outcome, name)[0]) for name in ("latency_ns", "energy_pj", "area_mm2")
    )
    return latency_ns, energy_pj, area_mm2


def _summed(parts: NDArray[np.float64], convolutions: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(parts[0] + convolutions[:, 0] * parts[1] + convolutions[:, 1] * parts[2])
