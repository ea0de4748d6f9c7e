"""CPU seconds of looking at subnets on this machine, beside the declared model of them."""

from __future__ import annotations

__all__ = ["Clock", "clock"]

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.nas.cell_hardware import Hardware
from archgym_simulators.nas.supernet_design import subnets_of_rows, supernet_space
from archgym_simulators.nas.supernet_model import Examination, examination_of, seconds, slot_costs
from archgym_simulators.nas.supernet_weights import CALIBRATION, read_supernet

_SUBNETS, _REPEATS, _SEED = 200, 3, 20209


@dataclass(frozen=True)
class Clock:
    """What 200 random subnets take on 2,000 images, calibration included.

    Attributes:
        median_ms: CPU milliseconds of a subnet, the least of three measurements of each.
        most_ms: of the slowest.
        fitted: seconds of an image, of a multiply-accumulate of a 1 x 1 kernel, and of one of a larger kernel.
        declared_over_measured: median of the ratio to the declared model, and its 5th and 95th percentile.
    """

    median_ms: float
    most_ms: float
    fitted: tuple[float, float, float]
    declared_over_measured: tuple[float, float, float]


def clock() -> Clock:
    """Measure and fit."""
    supernet = read_supernet()
    seen = examination_of(supernet, supernet.validation())
    space = supernet_space(2000)
    subnets = subnets_of_rows(space.canonical(space.sample(_SUBNETS, np.random.default_rng(_SEED))))
    seen.right(subnets[:1])  # compiles
    measured = np.min([[_timed(seen, subnet[None]) for subnet in subnets] for _ in range(_REPEATS)], axis=0)
    totals, images = slot_costs(Hardware()).totals(subnets), CALIBRATION + seen.images
    parts = np.column_stack([np.ones(_SUBNETS), totals[:, 1], totals[:, 2]]) * images
    fitted, *_ = np.linalg.lstsq(parts / measured[:, None], np.ones(_SUBNETS))  # relative errors
    ratio = np.percentile(seconds(totals, seen.images) / measured, [50, 5, 95])
    return Clock(1e3 * float(np.median(measured)), 1e3 * float(measured.max()), _three(fitted), _three(ratio))


def _timed(seen: Examination, subnet: NDArray[np.int64]) -> float:
    started = time.process_time()
    seen.right(subnet)
    return time.process_time() - started


def _three(values: NDArray[np.float64]) -> tuple[float, float, float]:
    one, two, three = (float(value) for value in values)
    return one, two, three
