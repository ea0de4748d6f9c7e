"""What is known of a subnet: images named rightly, by running it; shape, hardware cost and seconds, by adding up."""

from __future__ import annotations

__all__ = ["Examination", "SlotCosts", "examination_of", "seconds", "slot_costs"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.layers.layer import Layer
from archgym_simulators.nas.cell_hardware import Hardware, costs_of_layers
from archgym_simulators.nas.digits_task import SIDE, Images
from archgym_simulators.nas.supernet_kernel import calibrated_scales, count_right
from archgym_simulators.nas.supernet_shape import (
    CLASSES,
    EXPANSIONS,
    KERNELS,
    STEM,
    STRIDES,
    WIDTHS,
    fixed_layers,
    slot_layers,
    slots,
)
from archgym_simulators.nas.supernet_weights import CALIBRATION, SupernetFile

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_BLOCK = 128
_CHANNELS = np.array([STEM, *WIDTHS])
_STRIDES = np.array(STRIDES)
_S_PER_IMAGE, _S_PER_POINT_MAC, _S_PER_SPATIAL_MAC = 7.0e-7, 1.06e-10, 5.8e-11


@dataclass(frozen=True, eq=False)
class Examination:
    """Images that subnets are asked about, cut into blocks that fit a cache.

    Attributes:
        supernet: whose slices they are.
        calibration: (pixels, CALIBRATION) of training digits.
        blocks: (pixels, up to 128) and their classes.
    """

    supernet: SupernetFile
    calibration: NDArray[np.float32]
    blocks: Sequence[tuple[NDArray[np.float32], Integers]]

    @property
    def images(self) -> int:
        """How many."""
        return sum(len(classes) for _, classes in self.blocks)

    def right(self, subnets: Integers) -> Integers:
        """Images named rightly (N,) by subnets (N, L, 2)."""
        return np.array([self._right_of(subnet) for subnet in subnets], dtype=np.int64)

    def _right_of(self, subnet: Integers) -> int:
        network = (self.supernet.weights, _CHANNELS, _STRIDES, subnet)
        scales = calibrated_scales(*network, self.calibration)
        return sum(count_right(*network, scales, *block) for block in self.blocks)


def examination_of(supernet: SupernetFile, images: Images) -> Examination:
    """Ask a supernet's subnets about images."""
    pixels = _columns(images)
    cuts = range(_BLOCK, len(images.classes), _BLOCK)
    blocks = zip(np.split(pixels, cuts, axis=1), np.split(images.classes, cuts), strict=True)
    whole = [(np.ascontiguousarray(block), classes) for block, classes in blocks]
    return Examination(supernet, _columns(supernet.calibration()), whole)


def _columns(images: Images) -> NDArray[np.float32]:
    """(pixels, N), so that one pixel of many images lies together."""
    return np.ascontiguousarray(images.pixels.reshape(-1, SIDE * SIDE).T)


@dataclass(frozen=True, eq=False)
class SlotCosts:
    """What every choice in every slot adds, and what all subnets have.

    Attributes:
        fixed: (F,) of stem and classifier: parameters, MACs of 1 x 1 kernels, of larger ones, nanoseconds,
            picojoules.
        table: (L, kernel + 1, expansion + 1, F) of a layer; 0 where there is none.
        area_mm2: of the hardware.
    """

    fixed: Floats
    table: Floats
    area_mm2: float

    def totals(self, subnets: Integers) -> Floats:
        """(N, F) of subnets (N, L, 2), added slot by slot."""
        found = np.tile(self.fixed, (len(subnets), 1))
        for number in range(len(self.table)):
            found += self.table[number, subnets[:, number, 0], subnets[:, number, 1]]
        return found


def slot_costs(hardware: Hardware) -> SlotCosts:
    """Simulate every choice in every slot on the hardware; layers run one after another, so their costs add up.

    Raises:
        InputError: unknown hardware, or hardware that is not allowed.
    """
    fixed, area_mm2 = _cost(fixed_layers(), 2 * STEM + CLASSES, hardware)
    table = np.zeros((len(list(slots())), KERNELS[-1] + 1, EXPANSIONS[-1] + 1, len(fixed)))
    for slot in slots():
        for kernel in KERNELS:
            for expansion in EXPANSIONS:
                layers = slot_layers(slot, kernel, expansion)
                table[slot.number, kernel, expansion], _ = _cost(
                    layers, 2 * (2 * expansion * slot.before + slot.after), hardware
                )
    return SlotCosts(fixed, table, area_mm2)


def seconds(totals: Floats, images: Integers | int) -> Floats:
    """Seconds (N,) of looking at subnets, calibration included, from their totals (N, F): a declared model of one core.

    Fitted to the CPU time of `Examination.right` on 200 random subnets (`experiments.supernet`, README).
    """
    an_image = _S_PER_IMAGE + _S_PER_POINT_MAC * totals[:, 1] + _S_PER_SPATIAL_MAC * totals[:, 2]
    return np.asarray((CALIBRATION + images) * an_image)


def _cost(layers: list[Layer], more_parameters: int, hardware: Hardware) -> tuple[Floats, float]:
    """(F,) of layers, and the area; ``more_parameters`` are those of normalisations and biases."""
    latency_ns, energy_pj, area_mm2 = costs_of_layers(layers, hardware)
    spatial = sum(layer.macs for layer in layers if layer.r > 1)
    parameters = sum(layer.weight_words for layer in layers) + more_parameters
    others = sum(layer.macs for layer in layers) - spatial
    return np.array([parameters, others, spatial, latency_ns, energy_pj]), area_mm2
