"""NAS-Bench-201 cells on measured devices: accuracy against latency and energy, from tables that the user imports."""

from __future__ import annotations

__all__ = ["HWNAS201Simulator"]

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

import numpy as np

from archgym_simulators.constraints import Reason
from archgym_simulators.errors import InputError, MissingData
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.nas.cells import EDGES, index_of_cells
from archgym_simulators.nas.official_nas201 import (
    ACCURATE,
    OBJECTIVES,
    NAS201Simulator,
    checked_workload,
    connected_cells,
    workload_names,
)
from archgym_simulators.nas.official_store import ImportedTable, load_table
from archgym_simulators.nearest import allowed_values, did_you_mean
from archgym_simulators.simulator import Metric, NamedObjective, Simulator, Workload
from archgym_simulators.space import Rows

_KINDS = ("hw-nas-bench", "help-latency")
"""The first has energies, and every data set; of a device in both it is believed."""
_MEASURED = {
    "latency_ms": Metric("latency_ms", "of one run of the network on the device"),
    "energy_mj": Metric("energy_mj", "of one run of the network on the device"),
}
_DISCONNECTED = Reason(
    "disconnected", "nothing reaches the cell's output, so what was measured on the device is an empty network"
)


class HWNAS201Simulator(Simulator):
    """Cells of NAS-Bench-201 with published accuracies, and latency and energy measured on a device.

    A cell whose output nothing reaches is invalid: its latency, near zero, is not that of a network. The device decides
    the metrics: only HW-NAS-Bench has energies, of some devices. HELP measured for CIFAR-10.

    Diagnostics and costs are those of `archgym/NAS201-v0`.

    Args:
        workload: as in `archgym/NAS201-v0`.
        device: such as ``"raspi4"`` or ``"titan_rtx_256"``; the imported tables decide which there are.
        epochs: as in `archgym/NAS201-v0`.
        data: folder of imported tables; the user's where empty.

    Raises:
        InputError: an unknown workload, device or epochs.
        MissingData: a table has not been imported; the message is the command.
    """

    objectives: tuple[NamedObjective, ...] = (
        *OBJECTIVES,
        NamedObjective("error-delay", "val_error * latency_ms", "error times latency"),
        NamedObjective(
            "accuracy-latency", "val_accuracy * latency_ms^0.63", "MnasNet's reward, to first order at 90 % accuracy"
        ),
        NamedObjective("latency", "latency_ms", "the emptiest cell wins", requires=ACCURATE),
    )
    default_objective = "accuracy-latency"
    pareto_objectives = ("error", "min:latency_ms")
    reasons: ClassVar[tuple[Reason, ...]] = (_DISCONNECTED,)
    diagnostic_names: ClassVar[tuple[str, ...]] = NAS201Simulator.diagnostic_names
    cost_unit = NAS201Simulator.cost_unit

    def __init__(
        self, workload: str = "cifar10", *, device: str = "raspi4", epochs: int | str = 12, data: str = ""
    ) -> None:
        images = checked_workload(workload)
        self._trained = NAS201Simulator(workload, epochs=epochs, data=data)
        table, names = _measurements(images, device, data)
        self.metrics = (*self._trained.metrics, *(_MEASURED[name] for name in names))
        self._measured = np.column_stack([table.columns[f"{images}:{device}:{name}"] for name in names])
        self._device = device
        self.space, self.baseline = self._trained.space, self._trained.baseline
        self.version = f"{self._trained.version}-{table.digest[:8]}"
        bound = self._trained.workload
        self.workload = Workload(bound.name, bound.features, bound.feature_names, f"{bound.digest}-{table.digest}")
        self._missing = (~connected_cells()).astype(np.float64)  # edges: one from the input to the output always helps

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        """Those of NAS201-v0 that some imported table has latencies for; all of them before anything is imported."""
        measured = {name.split(":")[0] for table in _tables("") for name in table.columns}
        known = workload_names()
        return {name: about for name, about in known.items() if not measured or checked_workload(name) in measured}

    def describe_options(self) -> dict[str, Any]:
        return {"device": self._device, **self._trained.describe_options()}

    def simulate(self, rows: Rows) -> Evaluation:
        trained = self._trained.simulate(rows)
        cells = index_of_cells(rows[:, : len(EDGES)])
        missing = self._missing.take(cells)
        return Evaluation.of(
            np.hstack([trained.values, self._measured.take(cells, axis=0)]),
            reasons=self.reasons,
            reason_code=np.where(missing > 0, 0, -1),
            violation=missing,
            cost=trained.cost,
            diagnostics=trained.diagnostics,
        )


def _measurements(images: str, device: str, data: str) -> tuple[ImportedTable, list[str]]:
    """The table that has the device, and the metrics that it has of it."""
    tables = _tables(data)
    if not tables:
        return load_table(_KINDS[1], data, wanted_by="latency of a device (also in hw-nas-bench)"), []
    for table in tables:
        names = [name for name in _MEASURED if f"{images}:{device}:{name}" in table.columns]
        if "latency_ms" in names:
            return table, names
    devices = sorted(
        {name.split(":")[1] for table in tables for name in table.columns if name.startswith(f"{images}:")}
    )
    if not devices:
        raise InputError(
            f"no imported table has latencies of networks for {images}; use cifar10, or import hw-nas-bench"
        )
    hint = did_you_mean(device, devices)
    raise InputError(f"unknown device {device!r} for {images}{hint}; imported: {allowed_values(devices, 40)}")


def _tables(data: str) -> list[ImportedTable]:
    found = []
    for kind in _KINDS:
        with suppress(MissingData):
            found.append(load_table(kind, data, wanted_by="latency of a device"))
    return found
