"""Loop-nest mappings against Timeloop's model: one layer, one hardware, one mapping per row."""

from __future__ import annotations

__all__ = ["MAPPING_REF", "MAPPING_REF_NOLINK"]

import json
from collections.abc import Mapping
from functools import partial
from math import inf
from typing import Any

import numpy as np

from archgym_simulators.errors import InputError
from archgym_simulators.layers.layer import Layer
from archgym_simulators.mapping.hardware import TENSORS, Buffer, Hardware
from archgym_simulators.mapping.model import DIMS, LayerMapping, simulate
from experiments.validation._comparator import Comparator, Comparison, Metric, Table, numeric_column, require_columns

DISAGREES = (
    "One tool, and energies that its tables were given: for the same buffer (64 bits x 16,384, 32 banks, 45 nm) a read "
    "costs 18.2 pJ in Accelergy's reference output and 27.8 pJ in CACTI, so absolute energies are no better than that."
)
LEVELS = {"pe": "RF", "glb": "GLB", "dram": "DRAM"}
ACCESSES = ("reads", "updates", "fills")
_HARDWARE = ("pes", "meshx", "glb_words", "rf_words_per_pe", "bw_dram", "bw_glb", "bw_rf")
_ENERGIES = ("e_dram_vec4", "e_glb_vec4", "e_rf_word", "e_mac")
_COLUMNS = (*DIMS, "stride", *_HARDWARE, *_ENERGIES, "mapping_json", "compute_cycles", "cycles", "energy_uJ")
_VECTOR = 4  # words of a vector off the chip and at the global buffer


def _compare(table: Table, *, links: bool) -> Comparison:
    """Run every row as the tool counts, and once more as we do by default."""
    require_columns(table, _COLUMNS)
    for column in _COLUMNS:
        if column != "mapping_json":
            numeric_column(table, column)
    names = [f"{level}_{tensor}_{access}" for level in LEVELS for tensor in TENSORS for access in ACCESSES]
    given = {name: _reference(table, name) for name in names if _column_of(name) in table.frame.columns}
    ours = {name: np.full(len(table.frame), np.nan) for name in ("cycles", "energy_uj", *_FURTHER, *names)}
    reasons = []
    for row, record in enumerate(table.frame.to_dict("records")):
        try:
            for name, value in _run(record, links=links).items():
                ours[name][row] = value
            reasons.append("")
        except InputError as error:
            reasons.append(str(error))
    energy, cycles = numeric_column(table, "energy_uJ"), numeric_column(table, "cycles")
    metrics = [
        Metric("cycles", cycles, ours["cycles"], is_integer=True),
        Metric("energy_uj", energy, ours["energy_uj"]),
        Metric("compute_cycles", numeric_column(table, "compute_cycles"), ours["compute_cycles"], is_integer=True),
        *(Metric(name, reference, ours[name], is_integer=True) for name, reference in given.items()),
        Metric("cycles_default", cycles, ours["cycles_default"], is_integer=True),
        Metric("energy_uj_default", energy, ours["energy_uj_default"]),
    ]
    notes = (
        'cycles, energy and counts: with halo="timeloop"' + (" and links." if links else "."),
        'cycles_default, energy_uj_default: with halo="exact" and no links, which is what searches see.',
        "Counts of PEs are of one PE, as the tool prints them.",
    )
    groups = [str(layer) for layer in table.frame["layer"]] if "layer" in table.frame else ["all"] * len(reasons)
    return Comparison(groups, reasons, metrics, ("cycles", "energy_uj"), notes)


_FURTHER = ("compute_cycles", "cycles_default", "energy_uj_default")


def _column_of(name: str) -> str:
    level, tensor, access = name.split("_")
    return f"{LEVELS[level]}_{tensor.capitalize()}_{access}"


def _reference(table: Table, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    # A tensor that passes a level by has no entry there.
    return np.nan_to_num(numeric_column(table, _column_of(name)))


def _run(record: Mapping[Any, Any], *, links: bool) -> dict[str, float]:
    layer, hardware, mapping = _layer(record), _hardware(record), _mapping(record)
    as_tool = simulate(layer, hardware, [mapping], halo="timeloop", links=links)
    plain = simulate(layer, hardware, [mapping], count=False)
    if as_tool["broken"][0] >= 0:
        raise InputError(
            f"the mapping needs {as_tool['need'][0]:,.0f} where there is room for {as_tool['room'][0]:,.0f}"
        )
    counts = as_tool.counts[0].astype(np.float64)
    counts[0] /= as_tool["pes"][0]
    found = {
        f"{level}_{tensor}_{access}": counts[at, t, a]
        for at, level in enumerate(LEVELS)
        for t, tensor in enumerate(TENSORS)
        for a, access in enumerate(ACCESSES)
    }
    return found | {
        "cycles": as_tool["cycles"][0],
        "compute_cycles": as_tool["compute_cycles"][0],
        "energy_uj": as_tool["energy_pj"][0] * 1e-6,
        "cycles_default": plain["cycles"][0],
        "energy_uj_default": plain["energy_pj"][0] * 1e-6,
    }


def _layer(record: Mapping[Any, Any]) -> Layer:
    dims = {dim.lower(): _whole(record, dim) for dim in DIMS}
    return Layer("row", "conv", **dims, stride=_whole(record, "stride"))


def _hardware(record: Mapping[Any, Any]) -> Hardware:
    columns = _whole(record, "meshx")

    def buffer(name: str, words: float, energy: str, bandwidth: str, vector: int) -> Buffer:
        pj = float(record[energy]) / vector
        return Buffer(name, words, pj, pj, float(record[bandwidth]), float(record[bandwidth]), width=vector)

    return Hardware(
        "row",
        columns,
        _whole(record, "pes") // columns,
        (buffer("register file", _whole(record, "rf_words_per_pe"), "e_rf_word", "bw_rf", 1),),
        (buffer("global buffer", _whole(record, "glb_words"), "e_glb_vec4", "bw_glb", _VECTOR),),
        buffer("DRAM", inf, "e_dram_vec4", "bw_dram", _VECTOR),
        float(record["e_mac"]),
    )


def _mapping(record: Mapping[Any, Any]) -> LayerMapping:
    try:
        given = json.loads(record["mapping_json"])
        kept = {level: [tensor.lower() for tensor in given[f"keep_{level}"]] for level in ("GLB", "RF")}
        return LayerMapping(
            dram=given["dram"],
            glb=given["glb"],
            x=given["sx"],
            y=given["sy"],
            pe=given["rf"],
            dram_order=given["perm_dram"][::-1],
            glb_order=given["perm_glb"][::-1],
            keep_glb=kept["GLB"],
            keep_pe=kept["RF"],
            array_order=given["perm_sp"][::-1],
        )
    except (TypeError, KeyError, AttributeError, json.JSONDecodeError) as error:
        raise InputError(f"mapping_json is no mapping: {type(error).__name__} {error}") from None


def _whole(record: Mapping[Any, Any], column: str) -> int:
    value = float(record[column])
    if value != value or value != int(value) or value < 1:
        raise InputError(f"{column} {record[column]!r} is no whole number from 1")
    return int(value)


MAPPING_REF_NOLINK = Comparator(
    "dnn/mapping_ref_nolink", "Mapping", "Timeloop 3.0.3, links off", DISAGREES, partial(_compare, links=False)
)
MAPPING_REF = Comparator("dnn/mapping_ref", "Mapping", "Timeloop 3.0.3", DISAGREES, partial(_compare, links=True))
