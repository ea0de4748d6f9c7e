"""Mappings of one layer as a simulator: `model` bound to a layer, a hardware and a space."""

from __future__ import annotations

__all__ = ["MappingSimulator"]

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from archgym_simulators.constraints import Reason
from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.layers.features import FEATURE_NAMES
from archgym_simulators.mapping.design import SPACES, MappingSpace, baseline_row, layer_space, shared_space
from archgym_simulators.mapping.hardware import TENSORS, Hardware
from archgym_simulators.mapping.layout import evaluate_rows
from archgym_simulators.mapping.model import HALOS, layer_shape
from archgym_simulators.mapping.presets import hardware_named
from archgym_simulators.mapping.results import RESULT_NAMES, RESULTS
from archgym_simulators.mapping.workloads import NAMED_LAYERS, SHARED, draw_layer, is_shared, single_layer
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.simulator import Baseline, Metric, NamedObjective, Simulator, Workload
from archgym_simulators.space import Rows

METRICS = (
    Metric("cycles", "until the last access of the slowest level; computation and transfers overlap"),
    Metric("latency_ns", "the same in time"),
    Metric("energy_pj", "of multipliers, buffers, links and memory off the chip"),
    Metric("energy_mac_pj", "of the multipliers; the same for every mapping", scale="linear"),
    Metric("energy_pe_pj", "of the buffers in the PEs", scale="linear"),
    Metric("energy_glb_pj", "of the global buffer", scale="linear"),
    Metric("energy_dram_pj", "of the memory off the chip"),
    Metric("energy_link_pj", "of links between PEs, beside the reads at their ends", scale="linear"),
    Metric("utilisation", "share of the PEs that have work", direction="max"),
    Metric("dram_words", "words that cross the chip's edge"),
)
OBJECTIVES = (
    NamedObjective("energy-delay", "energy_pj * latency_ns", "energy times latency", aliases=("edp",)),
    NamedObjective("latency", "latency_ns", "finish sooner"),
    NamedObjective("energy", "energy_pj", "spend less energy"),
)
_LEVELS = ("pe", "glb", "dram")
_ACCESSES = ("reads", "updates", "fills")
# Inputs and weights are never updated from below, nothing fills the memory off the chip.
_COUNTED = tuple(
    (9 * level + 3 * tensor + access, f"{_LEVELS[level]}_{TENSORS[tensor]}_{_ACCESSES[access]}")
    for level in range(3)
    for tensor in range(3)
    for access in range(3)
    if not (access == 1 and tensor < 2) and not (access == 2 and level == 2)
)
_FURTHER = ("compute_cycles", "pe_cycles", "glb_cycles", "dram_cycles", "link_words")
_PLACES = ("in a PE", "at the global level")


class MappingSimulator(Simulator):
    """One layer on one accelerator: the model of Timeloop with exact sliding windows.

    Diagnostics: words read, updated from below and filled from above, by level and tensor; cycles that the ports of
    each level need.

    Args:
        workload: spec of one layer, see `archgym_simulators.layers.workloads`.
        hardware: a name of `archgym_simulators.mapping.presets.HARDWARE`.
        space: ``"layer"``: all factorisations of this layer. ``"shared"``: the same space for every layer, so that one
            policy trains over many. By default ``"shared"`` for specs that begin with ``shared:``, such as those that
            are drawn from a split, else ``"layer"``.
        halo: ``"exact"`` counts every word that a sliding window needs anew; ``"timeloop"`` as that tool does.
        links: whether PEs pass inputs to their neighbours in the array; slower to evaluate.

    Raises:
        InputError: an unknown layer, hardware, space or halo, or a workload of several layers.
    """

    space: MappingSpace
    metrics: tuple[Metric, ...] = METRICS
    version = "1"
    objectives: tuple[NamedObjective, ...] = OBJECTIVES
    default_objective = "energy-delay"
    pareto_objectives = ("latency", "energy")
    diagnostic_names = (*(name for _, name in _COUNTED), *_FURTHER)

    def __init__(
        self,
        workload: str = "resnet18/conv2_1",
        *,
        hardware: str = "reference-256",
        space: str | None = None,
        halo: str = "exact",
        links: bool = False,
    ) -> None:
        space = space or ("shared" if is_shared(workload) else "layer")
        _one_of("space", space, SPACES)
        _one_of("halo", halo, HALOS)
        described, self._layer = single_layer(workload)
        self._hardware = hardware_named(hardware)
        if type(links) is not bool:
            raise InputError(f"links must be true or false, not {links!r}")
        self._halo, self._links = HALOS.index(halo), links
        self._options = {"hardware": hardware, "space": space, "halo": halo, "links": links}
        self._shape = layer_shape(self._layer)
        layer, target = self._layer, self._hardware
        self.space = layer_space(layer) if space == "layer" else shared_space(layer, target)
        prefix = SHARED if is_shared(workload) and space == "shared" else ""
        self.workload = Workload(prefix + described.name, described.features, FEATURE_NAMES, described.digest)
        numbered = list(_reasons(target))
        self.reasons = tuple(reason for _, reason in numbered)  # type: ignore[misc]
        self._code_of = np.full(
            2 + 8 * 6 + 1, -1
        )  # one more than there are rules: the last answers for -1, nothing broken
        for code, (broken, _) in enumerate(numbered):
            self._code_of[broken] = code
        row = self.space.canonical(baseline_row(self.space, layer, target)[None])[0]
        self.baseline = Baseline("weight-stationary, K x C", tuple(row.tolist()))

    def describe_options(self) -> dict[str, Any]:
        return dict(self._options)

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return NAMED_LAYERS

    @classmethod
    def draw_workload(cls, split: str, rng: np.random.Generator) -> str:
        return draw_layer(split, rng)

    def simulate(self, rows: Rows) -> Evaluation:
        results = np.zeros((len(rows), RESULTS))
        counts = np.zeros((len(rows), 27), np.int64)
        evaluate_rows(
            rows,
            self.space.layout,
            self._shape,
            self._hardware.vector,
            self._halo,
            self._links,
            results,
            counts,
        )
        found = dict(zip(RESULT_NAMES, results.T, strict=True))
        times = float(self._layer.groups * self._layer.repeat)
        dram = counts[:, 18:].sum(axis=1)  # whole numbers: any order of adding gives the same
        cycles = found["cycles"] * times
        columns = (
            cycles,
            cycles * (1e3 / self._hardware.clock_mhz),
            *(found[metric.name] * times for metric in METRICS[2:8]),
            found["pes"] / self._hardware.pes,
            dram * times,
        )
        diagnostics = (*(counts[:, at] for at, _ in _COUNTED), *(found[name] for name in _FURTHER))
        return Evaluation.of(
            np.stack(columns, axis=1),
            reasons=self.reasons,
            reason_code=self._code_of[found["broken"].astype(np.int64)],
            violation=found["violation"],
            reason_detail=np.stack([found["need"], found["room"]], axis=1),
            diagnostics=np.stack(diagnostics, axis=1) * times,
        )


def _reasons(hardware: Hardware) -> Iterator[tuple[int, Reason]]:
    """What can break, with the kernel's number of it."""
    details = ("need", "room")
    for number, side in enumerate(("columns", "rows")):
        sentence = f"the mapping spreads over {{need:,.0f}} {side} of PEs, the array has {{room:,.0f}}"
        yield number, Reason(f"array-{side}", sentence, details)
    for level, buffers in enumerate((hardware.pe, hardware.glb)):
        for at, buffer in enumerate(buffers):
            for kept in range(1, 8):
                names = [tensor for bit, tensor in enumerate(TENSORS) if kept >> bit & 1]
                if all(name in buffer.holds for name in names):
                    several = len(names) > 1
                    listed = f"{', '.join(names[:-1])} and {names[-1]}" if several else names[0]
                    tiles, verb = (f"{listed} tiles", "need") if several else (f"{listed} tile", "needs")
                    sentence = f"{tiles} {_PLACES[level]} {verb} {{need:,.0f}} words, {buffer.name} has {{room:,.0f}}"
                    yield (
                        2 + 8 * (3 * level + at) + kept,
                        Reason(f"{_LEVELS[level]}-{'+'.join(names)}", sentence, details),
                    )


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"unknown {what} {value!r}{did_you_mean(value, allowed)}; allowed: {', '.join(allowed)}")
