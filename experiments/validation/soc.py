"""Systems on chip against FARSI: one workload or mix, one design per row."""

from __future__ import annotations

__all__ = ["COMPARATORS"]

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.soc.blocks import SocDesign, pack
from archgym_simulators.soc.farsi_names import design_from_farsi
from archgym_simulators.soc.model import PreparedGraph, SocResult, simulate
from archgym_simulators.soc.workloads import workload
from experiments.validation._comparator import Comparator, Comparison, Metric, Table, numeric_column, require_columns

TOOLS_DISAGREE = (
    "FARSI's authors report 98.5 % agreement with Synopsys Platform Architect, the tool that FARSI stands in for; "
    "nobody has repeated that here."
)

Floats = NDArray[np.float64]

LATENCY_COLUMNS = {
    "lat_audio_decoder_s": "audio-decoder",
    "lat_edge_detection_s": "edge-detection",
    "lat_hpvm_cava_s": "hpvm-cava",
}
RESULT_COLUMNS = {"power_w": "power_w", "energy_j": "energy_j", "area_m2": "area_m2"}
FURTHER_COLUMNS = {
    "area_gpp": "area_cpu_m2",
    "area_ip": "area_accelerator_m2",
    "area_sram": "area_sram_m2",
    "area_dram": "area_dram_m2",
    "dist_to_budget": "budget_distance",
    "n_phases": "phases",
}
HEADLINE = (
    *(f"latency_{name.replace('-', '_')}_s" for name in LATENCY_COLUMNS.values()),
    *RESULT_COLUMNS.values(),
)


def _compare(table: Table) -> Comparison:
    """Simulate the designs that FARSI simulated, after its pruning of buses, under its rules and budgets."""
    frame = table.frame
    require_columns(table, ["workloads", "effective_design_json", *RESULT_COLUMNS])
    shown = {**RESULT_COLUMNS, **{column: ours for column, ours in FURTHER_COLUMNS.items() if column in frame}}
    latencies = {column: app for column, app in LATENCY_COLUMNS.items() if column in frame}
    groups = frame["workloads"].astype(str).tolist()
    ours = {column: np.full(len(frame), np.nan) for column in (*latencies, *shown)}
    skip_reasons = [""] * len(frame)
    for name in dict.fromkeys(groups):
        rows = [row for row, group in enumerate(groups) if group == name]
        _simulate(name, rows, frame["effective_design_json"].tolist(), ours, skip_reasons, latencies, shown)
    metrics = []
    for column in (*latencies, *shown):
        label = f"latency_{latencies[column].replace('-', '_')}_s" if column in latencies else shown[column]
        reference = numeric_column(table, column)
        metrics.append(Metric(label, reference, ours[column], is_integer=column == "n_phases"))
    return Comparison(groups, skip_reasons, metrics, HEADLINE)


def _simulate(
    name: str,
    rows: Sequence[int],
    designs: Sequence[Any],
    ours: Mapping[str, Floats],
    skip_reasons: list[str],
    latencies: Mapping[str, str],
    shown: Mapping[str, str],
) -> None:
    """Fill in our numbers for the rows of one workload, or why they are skipped."""
    try:
        prepared = PreparedGraph.build(workload(name.replace("_", "-")), budgets="farsi")
    except InputError as error:
        for row in rows:
            skip_reasons[row] = str(error)
        return
    chosen: dict[int, SocDesign] = {}
    for row in rows:
        try:
            design = design_from_farsi(_parse(designs[row]))
            pack(prepared.graph, [design], realistic=False)
            chosen[row] = design
        except InputError as error:
            skip_reasons[row] = str(error)
    result = simulate(prepared, list(chosen.values()), rules="farsi")
    _note(prepared, list(chosen), result, ours, latencies, shown)


def _note(
    prepared: PreparedGraph,
    rows: Sequence[int],
    result: SocResult,
    ours: Mapping[str, Floats],
    latencies: Mapping[str, str],
    shown: Mapping[str, str],
) -> None:
    names = [application.name for application in prepared.graph.applications]
    for column, application in latencies.items():
        if application in names:
            ours[column][rows] = result.latency_s[:, names.index(application)]
    for column, attribute in shown.items():
        ours[column][rows] = getattr(result, attribute)


def _parse(text: object) -> Mapping[str, Any]:
    try:
        description = json.loads(str(text))
    except json.JSONDecodeError as error:
        raise InputError(f"effective_design_json is no JSON: {error}") from None
    if not isinstance(description, dict):
        raise InputError(f"effective_design_json must be an object, not {type(description).__name__}")
    return description


COMPARATORS = tuple(
    Comparator(prefix, "SoC", "FARSI", TOOLS_DISAGREE, _compare) for prefix in ("soc/farsi_dev", "soc/farsi_heldout")
)
