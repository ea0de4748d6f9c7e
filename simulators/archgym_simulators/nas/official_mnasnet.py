"""MnasNet-like networks on six accelerators: a surrogate of Accel-NASBench, fitted when the user imports its table."""

from __future__ import annotations

__all__ = ["MnasNetAccelSimulator"]

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.nas.official_accel import surrogate_of
from archgym_simulators.nas.official_store import ImportedTable, load_table
from archgym_simulators.nas.official_surrogate import (
    BLOCKS,
    EXPANSIONS,
    KERNELS,
    LAYERS,
    TARGETS,
    Tables,
    predict,
    settings_of_block,
)
from archgym_simulators.parameters import Integer, Ordinal, Parameter
from archgym_simulators.simulator import Baseline, Metric, NamedObjective, Simulator, Workload
from archgym_simulators.space import DesignSpace, Rows

_SPEED = "images a second on {}, predicted"
METRICS = (
    Metric("top1_accuracy", "percent of ImageNet's validation images, short schedule", "max", "linear", span=10.0),
    Metric("latency_zcu102_ms", "of one image on a Xilinx ZCU102, predicted"),
    Metric("latency_vck190_ms", "of one image on a Xilinx VCK190, predicted"),
    Metric("throughput_a100_per_s", _SPEED.format("an A100"), "max"),
    Metric("throughput_rtx3090_per_s", _SPEED.format("an RTX 3090"), "max"),
    Metric("throughput_tpuv2_per_s", _SPEED.format("a TPUv2"), "max"),
    Metric("throughput_tpuv3_per_s", _SPEED.format("a TPUv3"), "max"),
    Metric("throughput_zcu102_per_s", _SPEED.format("a ZCU102"), "max"),
    Metric("throughput_vck190_per_s", _SPEED.format("a VCK190"), "max"),
    Metric("macs_m", "millions of multiply-accumulates of one image"),
    Metric("parameters_m", "millions of trained numbers"),
)
_ACCURATE = ("top1_accuracy",)
_FIELDS = ("expansion", "kernel", "layers", "squeeze")
_BASELINE = {"expansion": 6, "kernel": 3, "layers": 2, "squeeze": 0}
_SLICE = 4096


class MnasNetAccelSimulator(Simulator):
    """1.04e11 networks of seven blocks; ImageNet accuracy and speed by a surrogate of 5,138 measured ones.

    Its errors on networks that it was not fitted to are in ``held_out_errors`` and on the page. Beyond what was
    measured it extrapolates: least and most of the space are within 1.8 times of the least and most measured.
    An evaluation costs the predicted seconds of the short training.

    Args:
        workload: ``"imagenet"``.
        data: folder of imported tables; the user's where empty.

    Raises:
        InputError: an unknown workload.
        MissingData: the table has not been imported; the message is the command.
    """

    metrics: tuple[Metric, ...] = METRICS
    objectives: tuple[NamedObjective, ...] = (
        NamedObjective("accuracy", "top1_accuracy", "name more images rightly; 10 points are 1"),
        NamedObjective(
            "accuracy-latency", "top1_accuracy * latency_zcu102_ms^0.42", "MnasNet's reward, to first order at 60 %"
        ),
        NamedObjective("latency", "latency_zcu102_ms", "the smallest network wins", requires=_ACCURATE),
        NamedObjective("throughput", "throughput_a100_per_s", "the smallest network wins", requires=_ACCURATE),
    )
    default_objective = "accuracy-latency"
    pareto_objectives = ("accuracy", "min:latency_zcu102_ms")
    cost_unit = "s"
    diagnostic_names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, workload: str = "imagenet", *, data: str = "") -> None:
        if workload not in self.workload_names():
            raise InputError(f"unknown workload {workload!r}; allowed: imagenet")
        table = load_table("accel-nasbench", data, wanted_by="archgym/MnasNetAccel-v0")
        self._tables = _tables_of(table)
        self._errors = table.manifest["errors"]
        self.space = DesignSpace(list(_parameters()))
        self.version = f"1-{table.digest[:8]}"
        self.workload = Workload(workload, digest=table.digest)
        design = {f"block_{block}_{field}": _BASELINE[field] for block in range(1, BLOCKS + 1) for field in _FIELDS}
        self.baseline = Baseline("every block of MBConv6, two layers", tuple(self.space.encode_row(design).tolist()))
        self._strides = np.stack([_strides(block) for block in range(BLOCKS)])

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return {"imagenet": "ImageNet, the short schedule of Accel-NASBench"}

    def describe_options(self) -> dict[str, Any]:
        return {}

    @property
    def held_out_errors(self) -> Mapping[str, Any]:
        """Rows, R2, Kendall's tau and mean absolute error of every target on the tenth that was kept back."""
        return dict(self._errors)

    def settings_of(self, rows: Rows) -> NDArray[np.int64]:
        """Index (N, 7) of each block's setting in `settings_of_block`."""
        return np.asarray((rows.reshape(len(rows), BLOCKS, len(_FIELDS)) * self._strides).sum(axis=2))

    def simulate(self, rows: Rows) -> Evaluation:
        values = np.empty((len(rows), len(METRICS)))
        cost = np.empty(len(rows))
        settings = self.settings_of(rows)
        for start in range(0, len(rows), _SLICE):  # what fits the cache is faster
            part = slice(start, start + _SLICE)
            fitted = predict(self._tables, settings[part])
            for number, target in enumerate(TARGETS.values()):
                column = target.back(fitted[:, number])
                if number < len(METRICS):
                    values[part, number] = column
                else:
                    cost[part] = column
        return Evaluation.of(values, cost=cost)


@lru_cache(maxsize=2)
def _tables_of(table: ImportedTable) -> Tables:
    return surrogate_of(table.columns).tables()


def _parameters() -> Iterator[Parameter]:
    for block in range(1, BLOCKS + 1):
        name, group = f"block_{block}", f"block {block}"
        most = max(setting[2] for setting in settings_of_block(block - 1))
        yield Ordinal(
            f"{name}_expansion", EXPANSIONS, description="Channels inside over channels outside.", group=group
        )
        yield Ordinal(f"{name}_kernel", KERNELS, description="Side of the depthwise convolution.", group=group)
        yield Integer(f"{name}_layers", LAYERS[0], most, description="Layers in a row.", group=group)
        yield Integer(
            f"{name}_squeeze", 0, 1, description="Whether channels are weighed by squeeze-and-excitation.", group=group
        )


def _strides(block: int) -> NDArray[np.int64]:
    most = max(setting[2] for setting in settings_of_block(block))
    return np.array([len(KERNELS) * most * 2, most * 2, 2, 1], dtype=np.int64)
