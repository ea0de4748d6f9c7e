"""Subnets of a trained supernet as a simulator: accuracy by running them, hardware cost of our own models."""

from __future__ import annotations

__all__ = ["SupernetDigitsSimulator"]

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.nas.cell_hardware import Hardware
from archgym_simulators.nas.supernet_design import IMAGES, MIDDLE, subnets_of_rows, supernet_space
from archgym_simulators.nas.supernet_model import examination_of, seconds, slot_costs
from archgym_simulators.nas.supernet_weights import read_supernet
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.simulator import Baseline, Metric, NamedObjective, Simulator, Workload
from archgym_simulators.space import Rows

METRICS = (
    Metric("val_accuracy", "percent of the validation images looked at", "max", "linear", span=10.0),
    Metric("val_error", "percent of the validation images looked at that are named wrongly"),
    Metric("evaluate_s", "seconds of looking at them on one core, by a declared model"),
    Metric("parameters", "trained numbers of the subnet"),
    Metric("macs", "multiply-accumulates of one image"),
    Metric("latency_ns", "of one image on the hardware"),
    Metric("energy_pj", "of one image on the hardware"),
    Metric("area_mm2", "of the hardware, the same for all subnets"),
)
_ACCURATE = ("val_accuracy", "val_error")
OBJECTIVES = (
    NamedObjective("accuracy", "val_accuracy", "name more validation images rightly; 10 points are 1"),
    NamedObjective("error", "val_error", "name fewer wrongly, by ratio"),
    NamedObjective("error-delay", "val_error * latency_ns", "error times latency"),
    NamedObjective("latency", "latency_ns", "the smallest subnet wins", requires=_ACCURATE),
    NamedObjective("energy", "energy_pj", "the smallest subnet wins", requires=_ACCURATE),
    NamedObjective("parameters", "parameters", "the smallest subnet wins", requires=_ACCURATE),
    NamedObjective("macs", "macs", "the smallest subnet wins", requires=_ACCURATE),
)
WORKLOADS: Mapping[str, str] = {
    "search": "the task's validation images",
    "judge": "other images of the validation digits, and the test images as a diagnostic; for results only",
}


class SupernetDigitsSimulator(Simulator):
    """Subnets of one supernet, trained once for all of them on the jitter-digits task (`experiments.supernet`).

    A subnet is cut out, its normalisation is calibrated on training images, and it names validation images: a real
    measurement, of the shared weights. How little it says of subnets trained by themselves is on the page.

    Diagnostics: test accuracy in percent, on the workload ``judge`` and nowhere else.

    Args:
        workload: ``"search"`` or ``"judge"``.
        images: a fixed number of validation images, 500 or 2000; None makes it a parameter of the space.
        area_class: of `archgym/Systolic-v0`, whose TPU-like reference array gives latency, energy and area.
        array: its parameters to change, such as ``{"dataflow": "os", "rows": 16, "columns": 16}``.
        node_nm: technology of the array.
        bandwidth: 16-bit words a cycle off the chip.
        clock_mhz: of array and memory channel.
        weights: path of a supernet that `experiments.supernet` trained; the committed one where empty.

    Raises:
        InputError: an unknown workload, number of images or hardware, or a damaged file of weights.
        MissingData: there is no such file.
    """

    metrics: tuple[Metric, ...] = METRICS
    objectives: tuple[NamedObjective, ...] = OBJECTIVES
    default_objective = "accuracy"
    pareto_objectives = ("error", "min:latency_ns", "min:energy_pj")
    diagnostic_names: ClassVar[tuple[str, ...]] = ("test_accuracy",)
    cost_unit = "s"
    resumes = True
    rows_per_record = 16

    def __init__(
        self,
        workload: str = "search",
        *,
        images: int | None = None,
        area_class: str = "edge",
        array: Mapping[str, Any] | None = None,
        node_nm: int = 28,
        bandwidth: int = 16,
        clock_mhz: float = 1000.0,
        weights: str = "",
    ) -> None:
        if workload not in WORKLOADS:
            hint = did_you_mean(workload, WORKLOADS)
            raise InputError(f"unknown workload {workload!r}{hint}; allowed: {', '.join(WORKLOADS)}")
        self.space = supernet_space(images)
        supernet = read_supernet(weights or None)
        judges = workload == "judge"
        seen = supernet.judged() if judges else supernet.validation()
        self._examinations = {count: examination_of(supernet, seen.head(count)) for count in IMAGES}
        self._test = examination_of(supernet, supernet.test()) if judges else None
        self._images = images
        self._costs = slot_costs(Hardware(area_class, array, node_nm, bandwidth, clock_mhz))
        self.version = f"1-{supernet.digest[:8]}"
        self.workload = Workload(workload, (float(judges),), ("is_judge",), supernet.digest)
        row = (*MIDDLE, *(() if images else (len(IMAGES) - 1,)))
        self.baseline = Baseline("two layers a stage, 3 x 3, expansion 2", row)

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return WORKLOADS

    def reusable_cost(self, rows: Rows) -> NDArray[np.float64]:
        """All of it: 500 images are the first of the 2,000, and the calibration is the same."""
        return seconds(self._costs.totals(subnets_of_rows(rows)), self._images_of(rows))

    def simulate(self, rows: Rows) -> Evaluation:
        subnets, images = subnets_of_rows(rows), self._images_of(rows)
        totals = self._costs.totals(subnets)
        cost = seconds(totals, images)
        values = np.empty((len(rows), len(METRICS)))
        values[:, 0] = 100.0 * self._right(subnets, images) / images
        values[:, 1] = 100.0 - values[:, 0]
        values[:, 2] = cost
        values[:, 3] = totals[:, 0]
        values[:, 4] = totals[:, 1] + totals[:, 2]
        values[:, 5:7] = totals[:, 3:5]
        values[:, 7] = self._costs.area_mm2
        return Evaluation.of(values, cost=cost, diagnostics=self._test_accuracy(subnets)[:, None])

    def _images_of(self, rows: Rows) -> NDArray[np.int64]:
        if self._images is None:
            return np.asarray(np.array(IMAGES, dtype=np.int64)[rows[:, -1]])
        return np.full(len(rows), self._images, dtype=np.int64)

    def _right(self, subnets: NDArray[np.int64], images: NDArray[np.int64]) -> NDArray[np.int64]:
        right = np.empty(len(subnets), dtype=np.int64)
        for count, examination in self._examinations.items():
            asked = images == count
            right[asked] = examination.right(subnets[asked])
        return right

    def _test_accuracy(self, subnets: NDArray[np.int64]) -> NDArray[np.float64]:
        if self._test is None:
            return np.full(len(subnets), np.nan)
        return np.asarray(100.0 * self._test.right(subnets) / self._test.images)
