"""Fused attention against the results of FuseMax's artifact: one layer on one accelerator per row."""

from __future__ import annotations

__all__ = ["FUSEMAX"]

from collections.abc import Mapping
from typing import Any

import numpy as np

from archgym_simulators.attention.model import CLOCK_MHZ, simulate
from archgym_simulators.attention.presets import preset
from archgym_simulators.attention.workloads import AttentionShape
from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean
from experiments.validation._comparator import Comparator, Comparison, Metric, Table, numeric_column, require_columns

PRESET_OF = {
    "unfused": "unfused",
    "flat": "flat",
    "cascade": "fusemax-cascade",
    "arch": "fusemax-architecture",
    "binding": "fusemax",
}
"""The artifact's accelerators -> our presets, which choose query tiles and spills themselves."""
COLUMNS = {
    "latency_s": "latency_s",
    "traffic_bytes": "traffic_bytes",
    "energy_pj": "energy_pJ",
    "utilisation_2d": "util_2d",
    "utilisation_1d": "util_1d",
}
_SIZES = ("B", "H", "M", "P", "E", "F")
_DISAGREES = (
    "One tool: the artifact calls Timeloop for parts of it. It counts energy of arithmetic, one register file and HBM; "
    "for FLAT and unfused attention it adds accesses that its tables do not show, so our energy is below it there."
)


def _compare(table: Table) -> Comparison:
    require_columns(table, ("accel", *_SIZES, "latency_s"))
    present = {ours: theirs for ours, theirs in COLUMNS.items() if theirs in table.frame}
    references = {ours: numeric_column(table, theirs) for ours, theirs in present.items()}
    records = table.frame.to_dict("records")
    found: dict[str, list[float]] = {name: [] for name in COLUMNS}
    reasons = []
    for record in records:
        try:
            values, reason = _run(record), ""
        except InputError as error:
            values, reason = dict.fromkeys(COLUMNS, np.nan), str(error)
        reasons.append(reason)
        for name, value in values.items():
            found[name].append(value)
    metrics = [Metric(name, reference, np.array(found[name])) for name, reference in references.items()]
    notes = ("Energy is promised within 1 % for arch and binding only, latency to 1e-9 for all but unfused.",)
    groups = [str(record["accel"]) for record in records]
    return Comparison(groups, reasons, metrics, ("latency_s", "traffic_bytes", "energy_pj"), notes)


def _run(record: Mapping[Any, Any]) -> dict[str, float]:
    name = str(record["accel"])
    if name not in PRESET_OF:
        raise InputError(f"unknown accelerator {name!r}{did_you_mean(name, PRESET_OF)}")
    shape = AttentionShape(*(_whole(record, size) for size in _SIZES))
    result = simulate(shape, [preset(PRESET_OF[name], shape)])
    cycles = float(result.latency_s[0]) * CLOCK_MHZ * 1e6
    return {
        "latency_s": float(result.latency_s[0]),
        "traffic_bytes": float(result.traffic_bytes[0]),
        "energy_pj": float(result.energy_pj[0]),
        "utilisation_2d": float(result.busy_2d[0]) / cycles,
        "utilisation_1d": float(result.busy_1d[0]) / cycles,
    }


def _whole(record: Mapping[Any, Any], column: str) -> int:
    value = record[column]
    try:
        whole = int(value)
    except (TypeError, ValueError):
        raise InputError(f"{column} {value!r} is no whole number") from None
    if whole != float(value):
        raise InputError(f"{column} {value!r} is no whole number")
    return whole


FUSEMAX = Comparator("dnn/fusemax_attn", "Attention", "FuseMax's artifact", _DISAGREES, _compare)
