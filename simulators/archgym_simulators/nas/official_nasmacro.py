"""NAS-Bench-Macro as published (Su et al., CVPR 2021): what a network's layers are, from a table the user imports."""

from __future__ import annotations

__all__ = ["NASMacroSimulator"]

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.nas.official_macro import BLOCKS, LAYERS, SIZE
from archgym_simulators.nas.official_store import load_table
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.parameters import Categorical
from archgym_simulators.simulator import Baseline, Metric, NamedObjective, Simulator, Workload
from archgym_simulators.space import DesignSpace, Rows

METRICS = (
    Metric("accuracy", "percent of CIFAR-10's test images, of one training", "max", "linear", span=10.0),
    Metric("error", "percent named wrongly"),
    Metric("parameters", "trained numbers of the network, as published"),
    Metric("macs", "multiply-accumulates of one image, as published"),
)
_ACCURATE = ("accuracy", "error")
_TRAININGS = (1, 2, 3)


class NASMacroSimulator(Simulator):
    """Eight layers, each nothing or one of two MobileNetV2 blocks, with published accuracies that the user imports.

    The benchmark has accuracies on test images only, of three trainings each. So a search sees one training, and the
    workload ``judge`` gives the mean of the two others as a diagnostic: nobody is judged on the noise that was chosen.
    Seconds of training are not published; an evaluation costs 1.

    Diagnostics: mean accuracy of the two other trainings, in percent.

    Args:
        workload: ``"cifar10"`` or ``"judge"``.
        training: which of the three trainings is seen: 1, 2 or 3.
        data: folder of imported tables; the user's where empty.

    Raises:
        InputError: an unknown workload or training.
        MissingData: the table has not been imported; the message is the command.
    """

    metrics: tuple[Metric, ...] = METRICS
    objectives: tuple[NamedObjective, ...] = (
        NamedObjective("accuracy", "accuracy", "name more images rightly; 10 points are 1"),
        NamedObjective("error-macs", "error * macs", "error times multiply-accumulates"),
        NamedObjective("macs", "macs", "the emptiest network wins", requires=_ACCURATE),
        NamedObjective("parameters", "parameters", "the emptiest network wins", requires=_ACCURATE),
    )
    default_objective = "accuracy"
    pareto_objectives = ("min:error", "min:macs")
    diagnostic_names: ClassVar[tuple[str, ...]] = ("judged_accuracy",)

    def __init__(self, workload: str = "cifar10", *, training: int = 1, data: str = "") -> None:
        if workload not in self.workload_names():
            known = self.workload_names()
            raise InputError(
                f"unknown workload {workload!r}{did_you_mean(workload, known)}; allowed: {', '.join(known)}"
            )
        if isinstance(training, bool) or training not in _TRAININGS:
            raise InputError(f"training must be one of 1, 2, 3, not {training!r}")
        table = load_table("nas-bench-macro", data, wanted_by="archgym/NASMacro-v0")
        self._training = training
        self.space = DesignSpace(
            [Categorical(f"layer_{n}", BLOCKS, description=f"Block {n} of {LAYERS}.") for n in range(1, LAYERS + 1)]
        )
        self.version = f"1-{table.digest[:8]}"
        self.workload = Workload(workload, digest=table.digest)
        seen = table.columns[f"accuracy_{training}"]
        others = [table.columns[f"accuracy_{one}"] for one in _TRAININGS if one != training]
        self._values = np.column_stack([seen, 100.0 - seen, table.columns["parameters"], table.columns["macs"]])
        judged = (others[0] + others[1]) / 2.0 if workload == "judge" else np.full(SIZE, np.nan)
        self._diagnostics = judged[:, None]
        self.baseline = Baseline("every block small", (1,) * LAYERS)

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return {
            "cifar10": "one training of each network",
            "judge": "the same, with the mean of the two other trainings as a diagnostic",
        }

    def describe_options(self) -> dict[str, Any]:
        return {"training": self._training}

    def simulate(self, rows: Rows) -> Evaluation:
        networks = self.space.integer_keys(rows)
        return Evaluation.of(self._values.take(networks, axis=0), diagnostics=self._diagnostics.take(networks, axis=0))
