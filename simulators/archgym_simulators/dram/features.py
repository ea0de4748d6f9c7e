"""Sixteen numbers in [0, 1] that describe a trace to a learner, whatever its origin.

Row and bank features use one reference geometry for every device, that of ArchGym's DDR3-1600 DIMM with
row|bank|column addresses: 64-byte lines, 8 KiB rows, 8 banks. Addresses wrap at the device's capacity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram.trace import Trace

LINE_BITS, ROW_BITS, BANKS = 6, 13, 8
ROW_WINDOW, BANK_WINDOW, LINE_WINDOW = 64, 16, 1024


@dataclass(frozen=True, slots=True)
class _View:
    """What the features have in common, computed once."""

    trace: Trace
    due: NDArray[np.int64]  # (R,) player clocks
    line: NDArray[np.int64]  # (R,)
    step: NDArray[np.int64]  # (R - 1,) lines from one request to the next
    row: NDArray[np.int64]  # (R,) row number over all banks
    bank: NDArray[np.int64]  # (R,)
    row_age: NDArray[np.int64]  # (R,) requests since the row was last used; R where never
    line_age: NDArray[np.int64]  # (R,)
    capacity_lines: int


def trace_features(trace: Trace, *, capacity_bytes: int) -> NDArray[np.float64]:
    """Describe a trace; read-only, # (F,) in the order of `FEATURE_NAMES`, all in [0, 1]."""
    address = trace.address % capacity_bytes
    line, row = address >> LINE_BITS, address >> ROW_BITS
    view = _View(
        trace=trace,
        due=trace.due_cycle,
        line=line,
        step=np.diff(line),
        row=row,
        bank=row % BANKS,
        row_age=_age(row),
        line_age=_age(line),
        capacity_lines=max(2, capacity_bytes >> LINE_BITS),
    )
    features = np.array([feature(view) for _, _, feature in _FEATURES], dtype=np.float64)
    features = np.clip(features, 0.0, 1.0)
    features.flags.writeable = False
    return features


def _age(key: NDArray[np.int64]) -> NDArray[np.int64]:
    """(R,) requests since the same key last occurred; R where it did not."""
    order = np.argsort(key, kind="stable")
    age = np.full(key.size, key.size, dtype=np.int64)
    again = key[order[1:]] == key[order[:-1]]
    age[order[1:][again]] = (order[1:] - order[:-1])[again]
    return age


def _share(mask: NDArray[np.bool_]) -> float:
    return float(np.count_nonzero(mask)) / mask.size if mask.size else 0.0


def _injection_rate(view: _View) -> float:
    return view.due.size / float(view.due[-1] - view.due[0] + 1)


def _burstiness(view: _View) -> float:
    gaps = np.diff(view.due).astype(np.float64)
    if gaps.size == 0:
        return 0.0
    mean, spread = float(gaps.mean()), float(gaps.std())
    return spread / (spread + mean)


def _stride_size(view: _View) -> float:
    if view.step.size == 0:
        return 0.0
    return float(np.log2(1.0 + np.abs(view.step)).mean() / np.log2(view.capacity_lines))


def _row_locality(view: _View) -> float:
    order = np.argsort(view.bank, kind="stable")
    same_bank = np.diff(view.bank[order]) == 0
    return float(np.count_nonzero(same_bank & (np.diff(view.row[order]) == 0))) / view.row.size


def _bank_entropy(view: _View) -> float:
    share = np.bincount(view.bank, minlength=BANKS) / view.bank.size
    share = share[share > 0]
    return abs(float((share * np.log2(share)).sum() / np.log2(BANKS)))


def _bank_parallelism(view: _View) -> float:
    window = np.arange(view.bank.size) // BANK_WINDOW
    windows = int(window[-1]) + 1
    used = np.bincount(window * BANKS + view.bank, minlength=windows * BANKS) > 0
    return float(np.count_nonzero(used)) / (windows * BANKS)


def _footprint(view: _View) -> float:
    distinct = np.count_nonzero(view.line_age == view.line.size)
    return float(np.log2(distinct) / np.log2(view.capacity_lines))


def _extent(view: _View) -> float:
    return float(view.line.max() - view.line.min() + 1) / view.capacity_lines


_FEATURES: tuple[tuple[str, str, Callable[[_View], float]], ...] = (
    ("log_requests", "log10(R) / 7", lambda v: float(np.log10(len(v.trace))) / 7.0),
    ("write_share", "share of writes", lambda v: v.trace.write_share),
    (
        "direction_switches",
        "share of requests whose direction differs from the one before",
        lambda v: _share(v.trace.is_write[1:] != v.trace.is_write[:-1]),
    ),
    ("injection_rate", "requests per player clock, as the time stamps ask for", _injection_rate),
    (
        "burstiness",
        "s / (s + m) of the gaps between requests, m mean, s standard deviation: 0 evenly spaced, 0.5 exponential gaps",
        _burstiness,
    ),
    ("sequential_share", "share of steps to the next line", lambda v: _share(v.step == 1)),
    ("stride_regularity", "share of steps equal to the step before", lambda v: _share(np.diff(v.step) == 0)),
    ("stride_size", "mean log2(1 + |step|) over log2 of the device's lines", _stride_size),
    ("row_locality", "share of requests to the row that their bank used last", _row_locality),
    (
        "near_row_reuse",
        f"share of requests to a row used within the last {ROW_WINDOW} requests",
        lambda v: _share(v.row_age <= min(ROW_WINDOW, v.row.size - 1)),
    ),
    ("bank_entropy", "Shannon entropy of the banks' shares over log2(8)", _bank_entropy),
    (
        "bank_parallelism",
        f"mean number of banks in {BANK_WINDOW} consecutive requests, over 8",
        _bank_parallelism,
    ),
    ("line_reuse", "share of requests to a line used before", lambda v: _share(v.line_age < v.line.size)),
    (
        "near_line_reuse",
        f"share of requests to a line used within the last {LINE_WINDOW} requests",
        lambda v: _share(v.line_age <= min(LINE_WINDOW, v.line.size - 1)),
    ),
    ("footprint", "log2 of the distinct lines over log2 of the device's lines", _footprint),
    ("extent", "range of addresses over the device's capacity", _extent),
)

FEATURE_NAMES: tuple[str, ...] = tuple(name for name, _, _ in _FEATURES)
FEATURE_DESCRIPTIONS: dict[str, str] = {name: description for name, description, _ in _FEATURES}
