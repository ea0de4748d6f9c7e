"""Dataflows against MAESTRO 4eb08d1: its canonical ones on networks, and GAMMA's random two-level mappings."""

from __future__ import annotations

__all__ = ["CANONICAL", "GAMMA"]

from collections.abc import Mapping
from typing import Any

import numpy as np

from archgym_simulators.errors import InputError
from archgym_simulators.layers.layer import Layer, conv, gemm
from archgym_simulators.maestro.directives import Directive, parse_directives
from archgym_simulators.maestro.directives import Mapping as Dataflow
from archgym_simulators.maestro.model import Hardware, LevelMapping, MaestroDesign, simulate
from archgym_simulators.maestro.replay import replay
from archgym_simulators.maestro.workloads import DIMENSIONS
from experiments.validation._comparator import Comparator, Comparison, Metric, Table, numeric_column, require_columns

REPLAYED = {
    "cycles": "runtime_cycles",
    "l1_words": "l1_req_bytes",
    "l2_words": "l2_req_bytes",
    "l2_weight_reads": "w_l2_rd",
    "l2_input_reads": "in_l2_rd",
    "l2_output_writes": "out_l2_wr",
}
"""Our count under the tool's rules -> its column; its words are bytes."""
OWN_RULES = "cycles_own_rules"
"""The environment's model, on mappings that GAMMA's genome can express."""
_ALL = 2**31 - 1
_SIZES = ("K", "C", "R", "S", "Y", "X")
_DISAGREES = (
    "One tool, with known errors: it reports fewer MACs than the layer has on 46 of 810 canonical and 16 of 400 random "
    "rows, and its runtime there leaves work out; Timeloop and it count overlapping windows differently."
)
_NOTES = (
    "cycles, words, reads and writes: the tool's rules, replayed; those of rows with a wrong MAC count are its errors.",
    f"{OWN_RULES}: the environment's model, where partial tiles are not whole ones and what starts again is fetched.",
)


def _compare(table: Table) -> Comparison:
    require_columns(table, (*_SIZES, "mapping", "num_pes", "noc_bw", "offchip_bw", "runtime_cycles"))
    present = {ours: theirs for ours, theirs in REPLAYED.items() if theirs in table.frame}
    references = {ours: numeric_column(table, theirs) for ours, theirs in present.items()}
    records = table.frame.to_dict("records")
    found: dict[str, list[float]] = {name: [] for name in (*REPLAYED, OWN_RULES)}
    reasons = []
    for record in records:
        try:
            values, reason = _run(record), ""
        except InputError as error:
            values, reason = dict.fromkeys(found, float("nan")), str(error)
        reasons.append(reason)
        for name, value in values.items():
            found[name].append(value)
    metrics = [Metric(name, ref, np.array(found[name]), is_integer=True) for name, ref in references.items()]
    own = np.array(found[OWN_RULES])
    reference = np.where(np.isnan(own), np.nan, references["cycles"])
    metrics.append(Metric(OWN_RULES, reference, np.nan_to_num(own), is_integer=True))
    groups = [str(record.get("dataflow", record.get("layer", ""))) for record in records]
    return Comparison(groups, reasons, metrics, ("cycles", "l1_words", "l2_words", OWN_RULES), _NOTES)


def _run(record: Mapping[Any, Any]) -> dict[str, float]:
    if record.get("status", "ok") != "ok":
        raise InputError("the tool gives no finite result")
    depthwise = record.get("type") == "DSCONV"
    stride = _whole(record, "stride_x") if "stride_x" in record else 1
    sizes = {name: _whole(record, name) for name in _SIZES} | ({"K": 1} if depthwise else {})
    mapping = parse_directives(str(record["mapping"]), sizes)
    pes, noc, off_chip = (_whole(record, name) for name in ("num_pes", "noc_bw", "offchip_bw"))
    result = replay(mapping, sizes, stride=stride, depthwise=depthwise, pes=pes, noc_words=noc, off_chip_words=off_chip)
    values = {name: float(getattr(result, name)) for name in REPLAYED}
    design = _design(mapping, sizes)
    if design is None or depthwise:
        return {**values, OWN_RULES: float("nan")}
    hardware = Hardware(pes, noc, off_chip)
    return {**values, OWN_RULES: float(simulate([_layer(sizes, stride)], [design], hardware=hardware).cycles[0])}


def _layer(sizes: Mapping[str, int], stride: int) -> Layer:
    k, c, r, s, y, x = (sizes[name] for name in _SIZES)
    if r == s == x == 1:
        return gemm("row", y, k, c)
    return conv("row", ((y - r) // stride + 1, (x - s) // stride + 1), channels=(c, k), kernel=(r, s), stride=stride)


def _design(mapping: Dataflow, sizes: Mapping[str, int]) -> MaestroDesign | None:
    """The mapping in GAMMA's form, two levels of disjoint tiles in output rows and columns; None for another form."""
    levels = [_level(level, sizes) for level in mapping.levels]
    if len(levels) != 2 or levels[0] is None or levels[1] is None:
        return None
    return MaestroDesign(levels[0], levels[1], mapping.clusters[0])


def _level(level: tuple[Directive, ...], sizes: Mapping[str, int]) -> LevelMapping | None:
    spatial = [directive.dimension for directive in level if directive.spatial]
    tile = {directive.dimension: _tile(directive, sizes) for directive in level}
    if len(spatial) != 1 or None in tile.values():
        return None
    order = (*(d for d in DIMENSIONS if d not in tile), *tile)
    return LevelMapping(order, spatial[0], tuple(tile.get(d) or _ALL for d in DIMENSIONS))


def _tile(directive: Directive, sizes: Mapping[str, int]) -> int | None:
    """Words of the dimension in a tile; None where tiles overlap or lose windows."""
    filters = {"Y": sizes["R"], "X": sizes["S"]}.get(directive.dimension, 0)
    if not filters or directive.of_outputs or filters == 1:
        return directive.size if directive.size == directive.offset else None
    # A window that moves by one in the input is one output after another.
    return 1 if directive.size == filters and directive.offset == 1 else None


def _whole(record: Mapping[Any, Any], column: str) -> int:
    value = record[column]
    if value != value or float(value) != int(value) or value < 1:
        raise InputError(f"{column} {value!r} is no whole number from 1")
    return int(value)


CANONICAL = Comparator("dnn/maestro", "Maestro", "MAESTRO 4eb08d1", _DISAGREES, _compare)
GAMMA = Comparator("dnn/maestro_gamma_random", "Maestro", "MAESTRO 4eb08d1", _DISAGREES, _compare)
