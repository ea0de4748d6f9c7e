"""Accelerators for neural networks against the tools that architects use: one layer, one design per row."""

from __future__ import annotations

__all__ = ["COMPARATORS"]

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.layers.layer import Layer, conv, gemm
from archgym_simulators.systolic.model import SystolicDesign, SystolicResult, simulate
from experiments.validation._attention import FUSEMAX
from experiments.validation._comparator import Comparator, Comparison, Metric, Table, numeric_column, require_columns
from experiments.validation._maestro import CANONICAL, GAMMA
from experiments.validation._mapping import MAPPING_REF, MAPPING_REF_NOLINK

# ---- dnn/scalesim ----------------------------------------------------------------------------------------------------

SCALESIM_DISAGREES = (
    "Counts of the array follow from the mapping alone; its memory is one tool's: on these rows its prefetch fetches "
    "up to 100 times the distinct words, so stalls say how well that memory is replayed, not how a chip would wait."
)
# Ours -> the tool's column, whole numbers.
SCALESIM_COUNTS = {
    "compute_cycles": "compute_cycles",
    "ifmap_reads": "sram_ifmap_reads",
    "filter_reads": "sram_filter_reads",
    "ofmap_writes": "sram_ofmap_writes",
}
SCALESIM_LIMITED = {
    "stall_cycles": "stall_cycles",
    "dram_ifmap_reads": "dram_ifmap_reads",
    "dram_filter_reads": "dram_filter_reads",
    "dram_ofmap_writes": "dram_ofmap_writes",
}
SCALESIM_COLUMNS = (
    *("kind", "M", "N", "K", "array_h", "array_w", "dataflow", "bw_mode", "bandwidth"),
    *("sram_ifmap_kB", "sram_filter_kB", "sram_ofmap_kB", "total_cycles", "stall_cycles", "overall_util_pct"),
    *("sram_ifmap_reads", "sram_filter_reads", "sram_ofmap_writes"),
)
_CONV = ("H", "W", "R", "S", "C", "Kf", "stride")


def _compare_scalesim(table: Table) -> Comparison:
    """Run every row; rows with unlimited bandwidth have no stalls, so the memory is compared on the others."""
    require_columns(table, SCALESIM_COLUMNS)
    for column in (*SCALESIM_COLUMNS, *_CONV):
        if column not in ("kind", "dataflow", "bw_mode") and column in table.frame.columns:
            numeric_column(table, column)
    records = table.frame.to_dict("records")
    ours = {name: np.full(len(records), np.nan) for name in (*SCALESIM_COUNTS, *SCALESIM_LIMITED, *_FURTHER)}
    reasons = []
    for row, record in enumerate(records):
        try:
            for name, value in _run_scalesim(record).items():
                ours[name][row] = value
            reasons.append("")
        except InputError as error:
            reasons.append(str(error))
    groups = [f"{record['dataflow']} {record['bw_mode']}" for record in records]
    notes = (
        "ofmap_writes: the tool's count, with rows + columns more for every OS fold; ofmap_writes_corrected: ours.",
        "Stalls, DRAM reads and writes of bandwidth-limited rows: the tool's memory, replayed access by access.",
        "stall_cycles_ideal: our default double buffer on one channel of that bandwidth, which does not thrash.",
    )
    headline = ("total_cycles", "ifmap_reads", "filter_reads", "ofmap_writes", "utilisation", "stall_cycles")
    return Comparison(groups, reasons, _scalesim_metrics(table, ours), headline, notes)


_FURTHER = ("total_cycles", "utilisation", "ofmap_writes_corrected", "stall_cycles_ideal")


def _scalesim_metrics(table: Table, ours: Mapping[str, NDArray[np.float64]]) -> list[Metric]:
    frame = table.frame
    total, stalls = numeric_column(table, "total_cycles"), numeric_column(table, "stall_cycles")
    limited = (frame["bw_mode"] == "USER").to_numpy()
    references = {name: numeric_column(table, column) for name, column in SCALESIM_COUNTS.items() if column in frame}
    references |= {"compute_cycles": total - stalls, "total_cycles": total}
    metrics = [Metric(name, reference, ours[name], is_integer=True) for name, reference in references.items()]
    for name, column in SCALESIM_LIMITED.items():
        if column in frame:
            reference = np.where(limited, numeric_column(table, column), np.nan)
            metrics.append(Metric(name, reference, ours[name], is_integer=True))
    # Its utilisation includes the stalls; the last cycle's write-back is outside its total.
    utilisation = numeric_column(table, "overall_util_pct") / 100.0 * total / (total - stalls)
    metrics.append(Metric("utilisation", utilisation, ours["utilisation"]))
    writes = numeric_column(table, "sram_ofmap_writes")
    metrics.append(Metric("ofmap_writes_corrected", writes, ours["ofmap_writes_corrected"], is_integer=True))
    bound = np.where(limited & (stalls > 0), stalls, np.nan)
    metrics.append(Metric("stall_cycles_when_bound", bound, ours["stall_cycles"], is_integer=True))
    metrics.append(Metric("stall_cycles_ideal", bound, ours["stall_cycles_ideal"], is_integer=True))
    return metrics


def _run_scalesim(record: Mapping[Any, Any]) -> dict[str, float]:
    layer, design = _scalesim_layer(record), _scalesim_design(record)
    limited = record["bw_mode"] == "USER"
    bandwidth = _whole(record, "bandwidth") if limited else None
    plain = simulate([layer], [design], bandwidth=bandwidth)
    as_tool = simulate([layer], [design], bandwidth=bandwidth, rules="scalesim")
    found = {name: _first(as_tool, name) for name in (*SCALESIM_COUNTS, *SCALESIM_LIMITED, "total_cycles")}
    found["utilisation"] = float(as_tool.utilisation[0])
    found["ofmap_writes_corrected"] = _first(plain, "ofmap_writes")
    found["stall_cycles_ideal"] = _first(plain, "stall_cycles")
    return found


def _first(result: SystolicResult, name: str) -> float:
    return float(getattr(result, name)[0])


def _scalesim_design(record: Mapping[Any, Any]) -> SystolicDesign:
    # Its words are bytes.
    ifmap, weights, ofmap = (1024 * _whole(record, f"sram_{name}_kB") for name in ("ifmap", "filter", "ofmap"))
    return SystolicDesign(
        str(record["dataflow"]), _whole(record, "array_h"), _whole(record, "array_w"), ifmap, weights, ofmap
    )


def _scalesim_layer(record: Mapping[Any, Any]) -> Layer:
    if record["kind"] == "gemm":
        return gemm("row", _whole(record, "M"), _whole(record, "N"), _whole(record, "K"))
    if record["kind"] != "conv":
        raise InputError(f"kind {record['kind']!r} is neither gemm nor conv")
    height, width, r, s, c, k, stride = (_whole(record, name) for name in _CONV)
    # The tool rounds up: a window that hangs over the edge counts.
    outputs = (-(-(height - r + stride) // stride), -(-(width - s + stride) // stride))
    return conv("row", outputs, channels=(c, k), kernel=(r, s), stride=stride)


def _whole(record: Mapping[Any, Any], column: str) -> int:
    value = record.get(column)
    if value is None or value != value:
        raise InputError(f"no {column} given")
    if float(value) != int(value) or value < 1:
        raise InputError(f"{column} {value!r} is no whole number from 1")
    return int(value)


COMPARATORS = (
    Comparator("dnn/scalesim", "Systolic", "SCALE-Sim 3.0.0", SCALESIM_DISAGREES, _compare_scalesim),
    FUSEMAX,
    CANONICAL,
    GAMMA,
    MAPPING_REF_NOLINK,
    MAPPING_REF,
)
