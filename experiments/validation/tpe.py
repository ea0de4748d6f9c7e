"""Tensor engines at bit level against published tables and synthesis reports: one design per row."""

from __future__ import annotations

__all__ = ["COMPARATORS", "WIRE_STRETCH", "saed32_design", "saed32_family"]

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.tpe.design import TpeDesign
from archgym_simulators.tpe.libraries import library_of
from archgym_simulators.tpe.mhe import PUBLISHED_TILE_UM2, MheArray, dense_systolic, mhe_costs
from archgym_simulators.tpe.model import evaluate
from archgym_simulators.tpe.operands import code_probabilities, distribution_of
from archgym_simulators.tpe.precision import PRECISIONS, precision_of
from archgym_simulators.tpe.skipping import group_moments, operand_moments, synchronised_utilisation
from archgym_simulators.tpe.workloads import workload
from experiments.validation._comparator import Comparator, Comparison, Metric, Table, numeric_column, require_columns

Record = Mapping[Any, Any]
NO_SECOND_TOOL = "No second tool: published figures of one design each, from one synthesis flow."


def _rows(
    table: Table,
    columns: Mapping[str, str],
    run: Callable[[Record], Mapping[str, float]],
    *,
    group: Callable[[Record], str],
) -> tuple[list[str], list[str], dict[str, Metric]]:
    """Groups, reasons and metrics of a table, of which ``columns`` says which of ours stands beside which of its."""
    names = list(columns)
    ours: dict[str, NDArray[np.float64]] = {name: np.full(len(table.frame), np.nan) for name in names}
    groups, reasons = [], []
    for row, record in enumerate(table.frame.to_dict("records")):
        groups.append(group(record))
        try:
            found = run(record)
            for name in names:
                ours[name][row] = found.get(name, np.nan)
            reasons.append("")
        except InputError as error:
            reasons.append(str(error))
    metrics = {name: Metric(name, numeric_column(table, columns[name]), ours[name]) for name in names}
    return groups, reasons, metrics


def _where_ours(metric: Metric) -> Metric:
    """The metric on the rows for which we have a figure by its nature."""
    return Metric(metric.name, np.where(np.isnan(metric.ours), np.nan, metric.reference), metric.ours)


def _whole(record: Record, column: str) -> int:
    value = record[column]
    if value != value or float(value) != int(value):
        raise InputError(f"{column} {value!r} is no whole number")
    return int(value)


# ---- tpe/mhe_tpe_table5, 6, 8 ----------------------------------------------------------------------------------------

TILE = {
    "lookup_um2": "area_mhdlut_um2",
    "tree_um2": "area_tree_um2",
    "tile_um2": "area_total_um2",
    "lookup_mw": "p_mhdlut_mW",
    "tree_mw": "p_tree_mW",
    "tile_mw": "p_total_mW",
    "tops": "TOPS",
}
ARRAY = {
    "tiles_um2": "area_tpe",
    "tiles_as_published_um2": "area_tpe",
    "encoder_um2": "area_mhe",
    "local_um2": "area_lrm",
    "area_um2": "area_total",
    "power_mw": "p_total",
    "tops": "TOPS",
}
DENSE = {
    "tops_per_mm2": "systolic_TOPS_mm2",
    "tops_per_mm2_by_gates": "systolic_TOPS_mm2",
    "tops_per_w": "systolic_TOPS_W",
}


def _compare_tiles(table: Table) -> Comparison:
    require_columns(table, ("mhd", "tree", *TILE.values()))

    def run(record: Record) -> Mapping[str, float]:
        costs = mhe_costs(MheArray(_whole(record, "mhd"), _whole(record, "tree")))
        return {name: getattr(costs, name) for name in TILE}

    groups, reasons, metrics = _rows(table, TILE, run, group=lambda record: f"tree {record['tree']}")
    notes = (
        "Constants of look-up table, decoder, full adder and their power were fitted on 26 of its 36 rows: "
        "on those rows this is no evidence.",
    )
    return Comparison(groups, reasons, list(metrics.values()), ("tile_um2", "tree_um2", "tile_mw", "tops"), notes)


def _compare_arrays(table: Table) -> Comparison:
    require_columns(table, ("mhd", "tree", "NT", *ARRAY.values()))

    def run(record: Record) -> Mapping[str, float]:
        mhd, tree, count = (_whole(record, name) for name in ("mhd", "tree", "NT"))
        costs = mhe_costs(MheArray(mhd, tree, count))
        found = {name: float(getattr(costs, name)) for name in ARRAY if hasattr(costs, name)}
        found["tiles_um2"] = count * costs.tile_um2
        found["tiles_as_published_um2"] = count * PUBLISHED_TILE_UM2.get((mhd, tree), np.nan)
        return found

    groups, reasons, metrics = _rows(table, ARRAY, run, group=lambda record: f"mhd {record['mhd']}")
    metrics["tiles_as_published_um2"] = _where_ours(metrics["tiles_as_published_um2"])
    notes = (
        "tiles_as_published_um2: number of tiles times the tile's published area, which is printed in whole um2.",
        "Local row and encoder constants were fitted on this table.",
    )
    return Comparison(groups, reasons, list(metrics.values()), tuple(ARRAY), notes)


def _compare_dense(table: Table) -> Comparison:
    require_columns(table, ("A_bits", "B_bits", *DENSE.values()))

    def run(record: Record) -> Mapping[str, float]:
        a, b = _whole(record, "A_bits"), _whole(record, "B_bits")
        engine = dense_systolic(a, b)
        found = {"tops_per_mm2": 2e3 / engine.area_um2, "tops_per_w": 2e3 / engine.energy_fj}
        if {f"int{a}", f"int{b}"} <= set(PRECISIONS):
            design = TpeDesign(rows=1, columns=1, accumulator_bits=engine.accumulator_bits)
            bound = workload(f"gemm:1x1x1024@int{a}xint{b}")
            found["tops_per_mm2_by_gates"] = 2e3 / float(evaluate([design], bound, library="umc22").area_um2[0])
        return found

    def group(record: Record) -> str:
        return "one precision" if record["A_bits"] == record["B_bits"] and record["A_bits"] <= 16 else "others"

    groups, reasons, metrics = _rows(table, DENSE, run, group=group)
    metrics["tops_per_mm2_by_gates"] = _where_ours(metrics["tops_per_mm2_by_gates"])  # no 32-bit operands
    notes = (
        "tops_per_mm2: published multipliers and registers; accumulator widths and the area of its adder are inferred "
        "from the three rows with one precision, the others are a test.",
        "tops_per_mm2_by_gates: the environment's own gates; the area of a gate was fitted on the same three rows.",
    )
    return Comparison(groups, reasons, list(metrics.values()), tuple(DENSE), notes)


# ---- tpe/sync_utilisation --------------------------------------------------------------------------------------------

SYNC = {"utilisation": "util_mc", "mean_cycles": "mean_cycles_per_operand"}


def _compare_synchronisation(table: Table) -> Comparison:
    require_columns(table, ("sigma", "mode", "K", "MP", *SYNC.values()))

    def run(record: Record) -> Mapping[str, float]:
        operands, columns = _whole(record, "K"), _whole(record, "MP")
        probabilities = code_probabilities(distribution_of(f"normal:{record['sigma']}"), precision_of("int8"))
        if record["mode"] == "operand_min1":
            one = operand_moments(probabilities, "ent", bits=8)
            mean, deviation = one.mean, one.deviation
        elif str(record["mode"]).startswith("bwgroup"):
            mean, deviation = _groups(probabilities, operands, int(str(record["mode"])[len("bwgroup") :]))
        else:
            raise InputError(f"mode {record['mode']!r} is neither operand_min1 nor bwgroupN")
        utilisation = synchronised_utilisation(mean, deviation, operands=operands, columns=columns)
        return {"utilisation": utilisation, "mean_cycles": mean}

    groups, reasons, metrics = _rows(table, SYNC, run, group=lambda record: f"{record['mode']} sigma {record['sigma']}")
    notes = ("Closed form with exact moments of the digits against Monte Carlo; nothing was fitted.",)
    return Comparison(groups, reasons, list(metrics.values()), tuple(SYNC), notes)


def _groups(probabilities: NDArray[np.float64], operands: int, size: int) -> tuple[float, float]:
    """Mean and deviation of an operand's cycles where ``operands`` come in groups, the last of which may be short."""
    mean, variance = 0.0, 0.0
    for length, count in ((size, operands // size), (operands % size, 1)):
        if length and count:
            moments = group_moments(probabilities, "ent", bits=8, size=length)
            mean += count * moments.total_mean
            variance += count * moments.total_deviation**2
    return mean / operands, float((variance / operands) ** 0.5)


# ---- tpe/hptpe_saed32 ------------------------------------------------------------------------------------------------

WIRE_STRETCH = 3.2
"""Delays of the flattened systolic and cube arrays over those of their PEs: the wire-load model of that synthesis."""
REPORT = {
    "area_um2": "cell_area_um2",
    "register_area_um2": "seq_area_um2",
    "gate_area_um2": "comb_area_um2",
    "dynamic_uw": "dynamic_uW",
    "leakage_uw": "leakage_uW",
}


def saed32_family(record: Record) -> str:
    """Which of the designs of the HPCA 2025 seed repository a report is on."""
    parts = str(record["design_dir"]).split("/")
    if parts[0] == "OPT1":
        return {"mac_pe": "mac_pe", "opt1_pe": "opt1_pe"}.get(parts[-1], parts[1])
    return parts[0].lower()


def saed32_design(record: Record) -> TpeDesign:
    """The design of a report; adders are the fast ones that synthesis takes for such periods.

    Raises:
        InputError: a design that is not known, or without a period.
    """
    family, top = saed32_family(record), str(record["top"])
    clock: dict[str, Any] = {"frequency_ghz": 1.0 / float(record["clock_period_ns"]), "final_adder": "sklansky"}
    opt1 = "opt1" in top
    if family in ("mac_pe", "opt1_pe"):
        return TpeDesign(rows=1, columns=1, opt1=opt1, **clock)
    if family == "systolic_array_os":
        return TpeDesign(opt1=opt1, **clock)
    if family == "systolic_array_ws":
        return TpeDesign(architecture="systolic-ws", opt1=opt1, **clock)
    if family == "cube":
        return TpeDesign(architecture="cube", rows=8, columns=8, depth=8, opt1=opt1, **clock)
    shared: dict[str, Any] = {"encoding": "ent", "encoder_placement": "column", "rows": 1, **clock}
    if family == "opt2":
        tree: dict[str, Any] = {"architecture": "tree", "depth": 16, "opt2": True, "pipeline_cuts": 2}
        return TpeDesign(columns=_pes(top), **tree, **shared)
    if family == "opt3_opt4c":
        skipping: dict[str, Any] = {"architecture": "matrix", "opt1": True, "opt2": True, "opt3": True}
        return TpeDesign(columns=_pes(top), accumulator_bits=26, **skipping, **shared)
    raise InputError(f"no design stands for {record['design_dir']!r}")


def _pes(top: str) -> int:
    digits = top.rpartition("_n")[2]
    if not digits.isdigit():
        raise InputError(f"no number of PEs in {top!r}")
    return int(digits)


def _compare_reports(table: Table) -> Comparison:
    require_columns(table, ("design_dir", "top", "clock_period_ns", "slack_status", *REPORT.values()))
    bound = workload("gemm:64x64x1024;a=uniform")

    def run(record: Record) -> Mapping[str, float]:
        if record["slack_status"] == "VIOLATED":
            raise InputError("its timing is violated")
        if record["cell_area_um2"] != record["cell_area_um2"]:
            raise InputError("it has no area")
        design = saed32_design(record)
        flat = saed32_family(record) in ("systolic_array_os", "systolic_array_ws", "cube")
        result = evaluate([design], bound, bare=True, wire=WIRE_STRETCH if flat else 1.0)
        return _report_of(result.part_um2(), design)

    groups, reasons, metrics = _rows(table, REPORT, run, group=saed32_family)
    notes = (
        "In-sample: four constants of area, two of power and one of leakage were fitted on these reports. With every "
        "family held out in turn: python -m experiments.tpe_paper.",
        "Registers are those of the architecture; synthesis moved some (retiming), on average what the model says.",
        "Power is vectorless: the tool assumed activities, no operands were simulated.",
    )
    return Comparison(groups, reasons, list(metrics.values()), ("area_um2", "dynamic_uw", "leakage_uw"), notes)


def _report_of(areas: Mapping[str, NDArray[np.float64]], design: TpeDesign) -> dict[str, float]:
    library = library_of("saed32")
    registers = float(areas["registers"][0])
    gates = sum(float(area[0]) for name, area in areas.items() if name != "registers")
    switched_fj = registers / library.register_um2 * library.register_fj + gates * library.gate_fj_per_um2
    return {
        "area_um2": registers + gates,
        "register_area_um2": registers,
        "gate_area_um2": gates,
        "dynamic_uw": switched_fj * design.frequency_ghz,
        "leakage_uw": (registers + gates) * library.leakage_nw_per_um2 * 1e-3,
    }


def _comparators() -> Sequence[Comparator]:
    mhe = "MHE-TPE (MICRO 2025), UMC 22 nm"
    return (
        Comparator("tpe/mhe_tpe_table5", "TPE", mhe, NO_SECOND_TOOL, _compare_tiles),
        Comparator("tpe/mhe_tpe_table6", "TPE", mhe, NO_SECOND_TOOL, _compare_arrays),
        Comparator("tpe/mhe_tpe_table8", "TPE", mhe, NO_SECOND_TOOL, _compare_dense),
        Comparator(
            "tpe/sync_utilisation",
            "TPE",
            "Monte Carlo",
            "The Monte Carlo itself is sure to 0.3 %.",
            _compare_synchronisation,
        ),
        Comparator("tpe/hptpe_saed32", "TPE", "Design Compiler L-2016.03, SAED32", NO_SECOND_TOOL, _compare_reports),
    )


COMPARATORS = _comparators()
