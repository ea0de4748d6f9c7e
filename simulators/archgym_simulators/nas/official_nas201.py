"""NAS-Bench-201 as published (Dong and Yang, ICLR 2020): accuracies that the user has imported, training as cost."""

from __future__ import annotations

__all__ = ["NAS201Simulator"]

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.nas.cells import EDGES, OPERATIONS, SIZE, cells_of_indices, function_groups, index_of_cells
from archgym_simulators.nas.digits_design import EDGE_NAMES, RESNET
from archgym_simulators.nas.official_nats import DATASETS, EPOCHS, TRAIN_TIME_FACTORS
from archgym_simulators.nas.official_store import load_table
from archgym_simulators.nas.skeleton import CIFAR10, CIFAR100, IMAGENET16, macs_of, parameters_of
from archgym_simulators.nearest import allowed_values, did_you_mean
from archgym_simulators.parameters import Categorical, Ordinal, Parameter
from archgym_simulators.simulator import Baseline, Metric, NamedObjective, Simulator, Workload
from archgym_simulators.space import DesignSpace, Rows

METRICS = (
    Metric("val_accuracy", "percent of the validation images after the epochs", "max", "linear", span=10.0),
    Metric("val_error", "percent of the validation images named wrongly"),
    Metric("train_s", "GPU seconds of the training, as published"),
    Metric("parameters", "trained numbers of the network, every edge counted as in the benchmark"),
    Metric("macs", "multiply-accumulates of one image, every edge counted as in the benchmark"),
)
ACCURATE = ("val_accuracy", "val_error")
OBJECTIVES = (
    NamedObjective("accuracy", "val_accuracy", "name more validation images rightly; 10 points are 1"),
    NamedObjective("error", "val_error", "name fewer wrongly, by ratio"),
    NamedObjective("parameters", "parameters", "the emptiest cell wins", requires=ACCURATE),
    NamedObjective("macs", "macs", "the emptiest cell wins", requires=ACCURATE),
)
JUDGE = "-judge"
CHOOSE = "choose"
KIND = "nats-tss"

_SKELETONS = dict(zip(DATASETS, (CIFAR10, CIFAR100, IMAGENET16), strict=True))
_IMAGES = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet16-120": "ImageNet16-120"}


class NAS201Simulator(Simulator):
    """Cells of NAS-Bench-201 with the published accuracies, which the user imports.

    An evaluation trains the cell for ``epochs`` and costs the published seconds; it gives validation accuracy. Test
    accuracy after 200 epochs is a diagnostic of the ``-judge`` workloads and nowhere else, so that nobody tunes on it.
    Every one of the 15,625 cells was trained on its own, so none is folded onto another that is the same function.

    Diagnostics: whether the output is reached, test accuracy in percent.

    Args:
        workload: ``"cifar10"``, ``"cifar100"`` or ``"imagenet16-120"``, each also with ``"-judge"``.
        epochs: 12 (what searches use) or 200; ``"choose"`` makes them a parameter of the design.
        data: folder of imported tables; the user's where empty.

    Raises:
        InputError: an unknown workload or epochs, or 200 epochs of a table without their validation accuracies.
        MissingData: the table has not been imported; the message is the command.
    """

    metrics: tuple[Metric, ...] = METRICS
    objectives: tuple[NamedObjective, ...] = OBJECTIVES
    default_objective = "accuracy"
    pareto_objectives = ("error", "min:macs")
    diagnostic_names: ClassVar[tuple[str, ...]] = ("is_connected", "test_accuracy")
    cost_unit = "s"

    def __init__(self, workload: str = "cifar10", *, epochs: int | str = 12, data: str = "") -> None:
        images = checked_workload(workload)
        chosen = _checked_epochs(epochs)
        table = load_table(KIND, data, wanted_by="NAS-Bench-201")
        self.space = cell_space(with_epochs=len(chosen) > 1)
        self.version = f"1-{table.digest[:8]}"
        self.workload = Workload(workload, _features(images), FEATURE_NAMES, table.digest)
        self._epochs = chosen
        accuracy = [table.columns[f"{images}_val_{one}"] for one in chosen]
        if any(np.isnan(one).any() for one in accuracy):
            raise InputError(
                f"the imported table has no validation accuracies after 200 epochs; use epochs=12, or import an "
                f"archive of NATS-Bench: archgym data import {KIND} PATH"
            )
        self._values = np.concatenate(
            [_metrics_of(images, chosen[i], accuracy[i], table.columns["train_s"]) for i in range(len(chosen))]
        )
        test = table.columns[f"{images}_test_200"] if workload.endswith(JUDGE) else np.full(SIZE, np.nan)
        self._diagnostics = np.column_stack([connected_cells(), test])
        self.baseline = Baseline("residual block", (*RESNET, *([0] if len(chosen) > 1 else [])))

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return workload_names()

    def describe_options(self) -> dict[str, Any]:
        return {"epochs": self._epochs[0] if len(self._epochs) == 1 else CHOOSE}

    def simulate(self, rows: Rows) -> Evaluation:
        cells = index_of_cells(rows[:, : len(EDGES)])
        trained = rows[:, len(EDGES)] * SIZE + cells if len(self._epochs) > 1 else cells
        values = self._values.take(trained, axis=0)
        return Evaluation.of(values, cost=values[:, 2], diagnostics=self._diagnostics.take(cells, axis=0))


FEATURE_NAMES = ("image_side_in_32", "log10_classes")


def checked_workload(workload: str) -> str:
    """The data set of a workload.

    Raises:
        InputError: an unknown workload, with the nearest match.
    """
    known = workload_names()
    if workload not in known:
        hint = did_you_mean(workload, known)
        raise InputError(f"unknown workload {workload!r}{hint}; allowed: {allowed_values(tuple(known))}")
    return workload.removesuffix(JUDGE)


def workload_names() -> Mapping[str, str]:
    """Data sets to search on, and the same to judge on."""
    searched = {name: f"{title}: validation accuracy, for searches" for name, title in _IMAGES.items()}
    judged = {name + JUDGE: f"{title}: with test accuracy as a diagnostic" for name, title in _IMAGES.items()}
    return {**searched, **judged}


def connected_cells() -> NDArray[np.bool_]:
    """Whether anything reaches the output of each cell by index: (15,625)."""
    groups, sums = function_groups()
    return np.asarray(groups != sums.index(()))


def cell_space(*, with_epochs: bool) -> DesignSpace:
    """Six edges, and the epochs trained where they are chosen."""
    nodes = ("the cell's input", "node 1", "node 2", "the cell's output")
    parameters: list[Parameter] = [
        Categorical(
            name,
            OPERATIONS,
            description=f"What is done on the way from {nodes[source]} to {nodes[to]}; nodes add up what arrives.",
            group="cell",
        )
        for name, (to, source) in zip(EDGE_NAMES, EDGES, strict=True)
    ]
    if with_epochs:
        about = "Epochs trained, each with a schedule of its own; 200 cost more and say more about the test."
        parameters.append(Ordinal("epochs", EPOCHS, unit="epochs", description=about, role="fidelity"))
    return DesignSpace(parameters)


def _checked_epochs(epochs: object) -> tuple[int, ...]:
    if epochs == CHOOSE:
        return EPOCHS
    if isinstance(epochs, bool) or epochs not in EPOCHS:
        raise InputError(f"epochs must be 12 or 200, whose ends are published, or {CHOOSE!r}, not {epochs!r}")
    assert isinstance(epochs, int)
    return (epochs,)


def _features(images: str) -> tuple[float, ...]:
    skeleton = _SKELETONS[images]
    return (skeleton.image / 32.0, float(np.log10(skeleton.classes)))


def _metrics_of(
    images: str, epochs: int, accuracy: NDArray[np.float64], train_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Every metric of every cell by index: (15,625, M)."""
    cells, skeleton = cells_of_indices(np.arange(SIZE)), _SKELETONS[images]
    return np.column_stack(
        [
            accuracy,
            100.0 - accuracy,
            train_s * (epochs * TRAIN_TIME_FACTORS[images]),
            parameters_of(cells, skeleton),
            macs_of(cells, skeleton),
        ]
    )
