"""DRAM controllers against DRAMSys 4.0: one trace, one device, one design per row."""

from __future__ import annotations

__all__ = ["COMPARATORS"]

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram.device import device_names
from archgym_simulators.dram.extended_trace import ExtendedTrace
from archgym_simulators.dram.model import ControllerDesign, PreparedTrace, prepare, simulate
from archgym_simulators.dram.trace import Trace
from archgym_simulators.dram.trace_files import read_trace
from archgym_simulators.errors import InputError
from experiments.validation._comparator import Comparator, Comparison, Metric, Table, numeric_column, require_columns

TOOLS_DISAGREE = (
    "Trusted simulators with the same device timing differ from DRAMSys 4.0 in total time by about 1 % on reads and "
    "3-5 % on mixed traffic, up to 9 % on one trace (Ramulator 2.1, DRAMsim3); DRAMSys 5.0 equals 4.0 in 229 of 300 "
    "rows and differs by at most 0.2 %."
)

# The tables' spelling of ArchGym's ten parameters.
DESIGN_COLUMNS = {
    "PagePolicy": "page_policy",
    "Scheduler": "scheduler",
    "SchedulerBuffer": "scheduler_buffer",
    "RequestBufferSize": "request_buffer_size",
    "RespQueue": "response_queue",
    "RefreshPolicy": "refresh_policy",
    "RefreshMaxPostponed": "refresh_max_postponed",
    "RefreshMaxPulledin": "refresh_max_pulledin",
    "Arbiter": "arbiter",
    "MaxActiveTransactions": "max_active_transactions",
}
SETTING_COLUMNS = ("device", "address_mapping", "player_clk_mhz")
ARCHGYM_SETTING = ("MICRON_1Gb_DDR3-1600_8bit_G", "am_ddr3_8x1Gbx8_dimm_p1KB_rbc", 800.0)
TRACE_SUFFIXES = (".stl.gz", ".stl", ".rstl.gz", ".rstl")


@dataclass(frozen=True)
class _Column:
    """A column of the tables and the number of ours that belongs beside it."""

    reference: str
    ours: str
    is_integer: bool = False
    printed_decimals: int | None = None


TOTAL_TIME = _Column("total_time_ns", "total_time_ns")
PROMISED_COLUMNS = (
    TOTAL_TIME,
    _Column("energy_pJ", "energy_pj", printed_decimals=2),
    _Column("avg_power_mW", "power_mw", printed_decimals=2),
    _Column("latency_mean_ns", "latency_mean_ns", printed_decimals=4),
    _Column("n_ACT", "activates", is_integer=True),
    _Column("n_PRE", "precharges", is_integer=True),
    _Column("n_PREA", "precharges_all", is_integer=True),
    _Column("n_RD", "reads", is_integer=True),
    _Column("n_RDA", "reads_auto", is_integer=True),
    _Column("n_WR", "writes", is_integer=True),
    _Column("n_WRA", "writes_auto", is_integer=True),
    _Column("n_REFA", "refreshes", is_integer=True),
)
FURTHER_COLUMNS = (
    _Column("latency_p50_ns", "latency_p50_ns"),
    _Column("latency_p99_ns", "latency_p99_ns"),
    _Column("latency_max_ns", "latency_max_ns"),
    _Column("banks_precharged_total", "precharged_banks", is_integer=True),
    _Column("act_cycles", "active_cycles", is_integer=True),
    _Column("pre_cycles", "precharged_cycles", is_integer=True),
)
HEADLINE = ("total_time_ns", "energy_pj", "power_mw", "latency_mean_ns", "activates")


@dataclass(frozen=True)
class _Setting:
    """What rows must share to be simulated in one call."""

    trace: str
    device: str
    address_map: str
    player_clock_mhz: float


# The designs of each setting by their row in the table.
_Batches = dict[_Setting, dict[int, ControllerDesign]]


def _compare(table: Table, *, names_device: bool) -> Comparison:
    """Simulate every row; the device is named in the row or is ArchGym's."""
    promised = (TOTAL_TIME,) if names_device else PROMISED_COLUMNS
    setting_columns = ("trace", *SETTING_COLUMNS) if names_device else ("trace",)
    require_columns(table, [*setting_columns, *DESIGN_COLUMNS, *(column.reference for column in promised)])
    columns = [column for column in (*PROMISED_COLUMNS, *FURTHER_COLUMNS) if column.reference in table.frame.columns]
    references = [numeric_column(table, column.reference) for column in columns]
    batches, skip_reasons = _batches(table.frame[[*setting_columns, *DESIGN_COLUMNS]].to_dict("records"))
    ours = _simulate(table, batches, skip_reasons, [column.ours for column in columns])
    metrics = [
        Metric(column.ours, reference, ours[column.ours], column.is_integer, column.printed_decimals)
        for column, reference in zip(columns, references, strict=True)
    ]
    groups = table.frame["device" if names_device else "trace"].astype(str).tolist()
    return Comparison(groups, list(skip_reasons.values()), metrics, HEADLINE)


def _simulate(
    table: Table, batches: _Batches, skip_reasons: dict[int, str], names: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Return our numbers by name, (N,), NaN where a row is not simulated; then its reason is added."""
    ours = {name: np.full(len(skip_reasons), np.nan) for name in names}
    traces = {setting.trace: _read_trace(table, setting.trace) for setting in batches}
    for setting, members in batches.items():
        rows, designs = list(members), list(members.values())
        try:
            prepared = _prepare(traces[setting.trace], setting)
        except InputError as error:
            skip_reasons.update(dict.fromkeys(rows, str(error)))
            continue
        result = simulate(prepared, designs, rules="archgym")
        for name, values in ours.items():
            values[rows] = getattr(result, name)
    return ours


def _batches(records: Iterable[dict[Any, Any]]) -> tuple[_Batches, dict[int, str]]:
    """Return for each setting its rows with their designs, and for every row why it is skipped, or nothing."""
    batches: _Batches = {}
    skip_reasons: dict[int, str] = {}
    for row, record in enumerate(records):
        try:
            design = ControllerDesign(**{ours: _cell(record, column) for column, ours in DESIGN_COLUMNS.items()})
            batches.setdefault(_setting(record), {})[row] = design
            skip_reasons[row] = ""
        except InputError as error:
            skip_reasons[row] = str(error)
    return batches, skip_reasons


def _setting(record: dict[Any, Any]) -> _Setting:
    name, mapping, clock = ARCHGYM_SETTING
    if "device" in record:
        name, mapping, clock = (_cell(record, column) for column in SETTING_COLUMNS)
    if not isinstance(clock, int | float):
        raise InputError(f"player_clk_mhz {clock!r} is not a number")
    return _Setting(str(_cell(record, "trace")), str(name), str(mapping), float(clock))


def _cell(record: dict[Any, Any], column: str) -> Any:
    """Return a cell; whole numbers as int, which an empty cell elsewhere in the column turns into floats."""
    value = record[column]
    if value is None or value != value:
        raise InputError(f"no {column} given")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _read_trace(table: Table, name: str) -> Trace | None:
    """Read a trace from DIR/dram/traces, or from such a folder beside the table; None where it is in neither."""
    if Path(name).name != name:
        return None
    for folder in (table.root / "dram" / "traces", table.path.parent / "traces"):
        for suffix in TRACE_SUFFIXES:
            path = folder / f"{name}{suffix}"
            if path.is_file():
                return read_trace(path, capacity_bytes=0, allow_decreasing=True, allow_beyond_device=True)
    return None


def _prepare(trace: Trace | None, setting: _Setting) -> PreparedTrace | ExtendedTrace:
    if trace is None:
        raise InputError(f"trace {setting.trace!r} is not in dram/traces")
    if setting.device not in device_names():
        raise InputError(f"device {setting.device!r} is not modelled")
    return prepare(
        trace,
        device=setting.device,
        address_map=setting.address_map,
        player_clock_mhz=setting.player_clock_mhz,
    )


def _comparator(prefix: str, *, names_device: bool) -> Comparator:
    return Comparator(
        prefix, "DRAM", "DRAMSys 4.0", TOOLS_DISAGREE, lambda table: _compare(table, names_device=names_device)
    )


COMPARATORS = (
    _comparator("dram/dramsys_other_devices", names_device=True),
    _comparator("dram/dramsys_dev", names_device=False),
    _comparator("dram/dramsys_heldout", names_device=False),
)
