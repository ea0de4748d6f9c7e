"""Measured cells as a simulator: accuracies of the table, seconds of training as cost, hardware of our own models."""

from __future__ import annotations

__all__ = ["NAS201DigitsSimulator"]

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.constraints import Reason
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.nas.cell_hardware import Hardware, cell_costs
from archgym_simulators.nas.cells import EDGES, cells_of_indices, index_of_cells
from archgym_simulators.nas.digits_design import RESNET, cell_space
from archgym_simulators.nas.digits_model import DISCONNECTED, known_cells
from archgym_simulators.nas.digits_table import EPOCHS, SCORE_NAMES, read_table
from archgym_simulators.nas.digits_workloads import WORKLOADS, seeds_of
from archgym_simulators.nas.skeleton import DIGITS
from archgym_simulators.simulator import Baseline, Metric, NamedObjective, Simulator, Workload
from archgym_simulators.space import Rows

_SCORES_ARE = "zero-cost score of the untrained network, seed 0"
METRICS = (
    Metric("val_accuracy", "percent of the validation images after the epochs", "max", "linear", span=10.0),
    Metric("val_error", "percent of the validation images named wrongly"),
    Metric("train_s", "CPU seconds of one network's training, all its epochs"),
    Metric("evaluate_s", "CPU seconds of one evaluation on the validation images"),
    Metric("parameters", "trained numbers of the network, without edges that reach no output"),
    Metric("macs", "multiply-accumulates of one image, without edges that reach no output"),
    Metric("latency_ns", "of one image on the hardware"),
    Metric("energy_pj", "of one image on the hardware"),
    Metric("area_mm2", "of the hardware, the same for all cells"),
    *(Metric(name, _SCORES_ARE, "max", "linear") for name in SCORE_NAMES),
)
_ACCURATE = ("val_accuracy", "val_error")
OBJECTIVES = (
    NamedObjective("accuracy", "val_accuracy", "name more validation images rightly; 10 points are 1"),
    NamedObjective("error", "val_error", "name fewer wrongly, by ratio"),
    NamedObjective("error-delay", "val_error * latency_ns", "error times latency"),
    NamedObjective("latency", "latency_ns", "the emptiest cell wins", requires=_ACCURATE),
    NamedObjective("energy", "energy_pj", "the emptiest cell wins", requires=_ACCURATE),
    NamedObjective("parameters", "parameters", "the emptiest cell wins", requires=_ACCURATE),
    NamedObjective("macs", "macs", "the emptiest cell wins", requires=_ACCURATE),
)
_TRAIN_S = 2
"""Column of the seconds of training; those before it come from curves, those after it do not depend on the epochs."""
_EDGES = len(EDGES)


class NAS201DigitsSimulator(Simulator):
    """Cells of NAS-Bench-201 on the jitter-digits task, really trained (`experiments.nas_table`).

    A cell whose output nothing reaches is invalid: its latency is not that of a network. An evaluation costs the
    seconds of its trainings and of one validation each; the same cell asked again with more epochs goes on where it
    was. Test accuracy is a diagnostic of the workload ``judge`` and nowhere else.

    Diagnostics: whether the output is reached, standard deviation between the seeds, test accuracy in percent.

    Args:
        workload: ``"search"``, ``"search-seed-0"`` to ``"-2"``, or ``"judge"``.
        epochs: a fixed number 1..20, where the space has the six edges only; None makes them a parameter.
        area_class: of `archgym/Systolic-v0`, whose TPU-like reference array gives latency, energy and area.
        array: its parameters to change, such as ``{"dataflow": "os", "rows": 16, "columns": 16}``.
        node_nm: technology of the array.
        bandwidth: 16-bit words a cycle off the chip.
        clock_mhz: of array and memory channel.
        table: path of a table of `experiments.nas_table`; the committed one where empty.
        partial: allow a table with missing rows; such cells are invalid.

    Raises:
        InputError: an unknown workload, hardware or epoch, or a damaged table.
        MissingData: the table is missing, or has missing rows and ``partial`` is not given.
    """

    metrics: tuple[Metric, ...] = METRICS
    objectives: tuple[NamedObjective, ...] = OBJECTIVES
    default_objective = "accuracy"
    pareto_objectives = ("error", "min:latency_ns", "min:energy_pj")
    reasons: ClassVar[tuple[Reason, ...]] = (
        Reason("disconnected", "nothing of the cell's input reaches its output"),
        Reason("not-measured", "the table does not hold function {group:.0f} yet", ("group",)),
        Reason(
            "not-judged",
            "the cell was not trained with the seeds for judging: on the others it is at {accuracy:.2f} %",
            ("accuracy",),
        ),
    )
    diagnostic_names = ("is_connected", "seed_spread", "test_accuracy")
    cost_unit = "s"
    resumes = True

    def __init__(
        self,
        workload: str = "search",
        *,
        epochs: int | None = None,
        area_class: str = "edge",
        array: Mapping[str, Any] | None = None,
        node_nm: int = 28,
        bandwidth: int = 16,
        clock_mhz: float = 1000.0,
        table: str = "",
        partial: bool = False,
    ) -> None:
        measured = read_table(table or None)
        if not partial:
            measured.require_complete()
        seeds = seeds_of(workload, measured, partial=partial)
        self.space = cell_space(epochs)
        self.version = f"1-{measured.digest[:8]}"
        self.workload = Workload(workload, (seeds.count / 10.0,), ("seeds_in_tens",), measured.digest)
        self._epochs = epochs
        hardware = Hardware(area_class, array, node_nm, bandwidth, clock_mhz)
        self._cells = known_cells(measured, seeds, cell_costs(DIGITS, hardware))
        self.baseline = self._reference()

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return WORKLOADS

    def reusable_cost(self, rows: Rows) -> NDArray[np.float64]:
        cells = index_of_cells(rows[:, :_EDGES])
        return np.where(self._cells.code.take(cells) < 0, self._cells.training_s(cells, self._epochs_of(rows)), 0.0)

    def simulate(self, rows: Rows) -> Evaluation:
        known, epochs = self._cells, self._epochs_of(rows)
        cells = index_of_cells(rows[:, :_EDGES])
        functions = known.groups.take(cells)
        curve = functions * EPOCHS + epochs - 1
        values = np.empty((len(rows), len(METRICS)))
        values[:, 0] = known.accuracy.take(curve)
        values[:, 1] = 100.0 - values[:, 0]
        values[:, _TRAIN_S:] = known.fixed.take(cells, axis=0)
        values[:, _TRAIN_S] *= epochs
        code = known.code.take(cells)
        cost = known.training_s(cells, epochs) + known.evaluation_s(cells)
        diagnostics = (code != DISCONNECTED, known.spread.take(curve), known.test.take(functions))
        return Evaluation.of(
            values,
            reasons=self.reasons,
            reason_code=code,
            violation=known.violation.take(cells),
            reason_detail=known.detail.take(cells)[:, None],
            cost=np.where(code < 0, cost, 0.0),
            diagnostics=np.stack(diagnostics, axis=1),
        )

    def _epochs_of(self, rows: Rows) -> NDArray[np.int64] | int:
        return rows[:, _EDGES] + 1 if self._epochs is None else self._epochs

    def _reference(self) -> Baseline:
        """The residual block, fully trained; in a table without it, the first cell that is valid."""
        name, cell = "residual block", np.array(RESNET)
        valid = np.flatnonzero(self._cells.code < 0)
        if len(valid) and self._cells.code[index_of_cells(cell[None])[0]] >= 0:
            name, cell = "first cell measured", cells_of_indices(valid[:1])[0]
        row = [*cell.tolist(), *([EPOCHS - 1] if self._epochs is None else [])]
        return Baseline(name, tuple(self.space.canonical(np.array([row], dtype=np.int64))[0].tolist()))
