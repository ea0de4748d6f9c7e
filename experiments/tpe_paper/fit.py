"""The constants of the SAED32 library: fitted on its reports, and with every family held out in turn."""

from __future__ import annotations

__all__ = ["AREA_CONSTANTS", "Reports", "areas", "fit_area", "fit_energy", "read_reports"]

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.tpe.design import TpeDesign
from archgym_simulators.tpe.libraries import Library, library_of
from archgym_simulators.tpe.model import evaluate
from archgym_simulators.tpe.workloads import workload
from experiments.validation.tpe import WIRE_STRETCH, saed32_design, saed32_family

Floats = NDArray[np.float64]

AREA_CONSTANTS = ("gate_um2", "gate_growth", "register_growth", "register_decay")
_FLAT = ("systolic_array_os", "systolic_array_ws", "cube")


@dataclass(frozen=True, eq=False)
class Reports:
    """Reports without a timing violation: families, designs, and areas and power as reported (N,)."""

    families: tuple[str, ...]
    designs: tuple[TpeDesign, ...]
    cell_um2: Floats
    register_um2: Floats
    gate_um2: Floats
    dynamic_uw: Floats
    leakage_uw: Floats


def read_reports(refs: Path) -> Reports:
    """The reports of ``refs/tpe/hptpe_saed32_reports.csv``."""
    import pandas as pd

    frame = pd.read_csv(refs / "tpe" / "hptpe_saed32_reports.csv", comment="#")
    frame = frame[(frame["slack_status"] != "VIOLATED") & frame["cell_area_um2"].notna()]
    records = frame.to_dict("records")
    columns = ("cell_area_um2", "seq_area_um2", "comb_area_um2", "dynamic_uW", "leakage_uW")
    return Reports(
        tuple(saed32_family(record) for record in records),
        tuple(saed32_design(record) for record in records),
        *(frame[column].to_numpy(dtype=np.float64) for column in columns),
    )


def areas(reports: Reports, library: Library) -> tuple[Floats, Floats]:
    """Area of registers and of gates by the model (N,), (N,)."""
    bound = workload("gemm:1x1x1")
    found = []
    for family, design in zip(reports.families, reports.designs, strict=True):
        wire = WIRE_STRETCH if family in _FLAT else 1.0
        result = evaluate([design], bound, library=library, bare=True, wire=wire)
        registers = float(result.part_um2()["registers"][0])
        found.append((registers, float(result.area_um2[0]) - registers))
    table = np.array(found)
    return table[:, 0], table[:, 1]


def fit_area(reports: Reports, keep: NDArray[np.bool_]) -> Library:
    """Least squares of logarithms on the reports ``keep`` (N,): total area, and at half its weight both parts."""
    library = library_of("saed32")

    def misses(values: Floats) -> Floats:
        registers, gates = areas(reports, replace(library, **dict(zip(AREA_CONSTANTS, values.tolist(), strict=True))))
        total = np.log((registers + gates) / reports.cell_um2)
        parts = (0.5 * np.log(registers / reports.register_um2), 0.5 * np.log(gates / reports.gate_um2))
        return np.concatenate([total[keep], *(part[keep] for part in parts)])

    start = np.array([getattr(library, name) for name in AREA_CONSTANTS])
    values = least_squares(misses, start)
    return replace(library, **dict(zip(AREA_CONSTANTS, values.tolist(), strict=True)))


def fit_energy(reports: Reports, library: Library) -> Library:
    """Energy of a register bit and of gates, and leakage, on the reports with power."""
    registers, gates = areas(reports, library)
    has = ~np.isnan(reports.dynamic_uw)
    period = np.array([1.0 / design.frequency_ghz for design in reports.designs])[has]
    bits, gates_um2 = registers[has] / library.register_um2, gates[has]
    energy = reports.dynamic_uw[has] * period  # uW x ns = fJ

    def misses(values: Floats) -> Floats:
        missed: Floats = np.log((values[0] * bits + values[1] * gates_um2) / energy)
        return missed

    values = least_squares(misses, np.array([library.register_fj, library.gate_fj_per_um2]))
    leak = np.exp(np.mean(np.log(1e3 * reports.leakage_uw[has] / (registers + gates)[has])))
    return replace(
        library, register_fj=float(values[0]), gate_fj_per_um2=float(values[1]), leakage_nw_per_um2=float(leak)
    )


def least_squares(misses: Callable[[Floats], Floats], start: Floats, *, steps: int = 40) -> Floats:
    """Levenberg-Marquardt with numeric derivatives: few parameters, smooth functions."""
    values, damping = start.astype(np.float64), 1e-3
    now = misses(values)
    for _ in range(steps):
        slopes = np.empty((len(now), len(values)))
        for i, value in enumerate(values.tolist()):
            moved, step = values.copy(), 1e-5 * max(abs(value), 1e-3)
            moved[i] += step
            slopes[:, i] = (misses(moved) - now) / step
        square = slopes.T @ slopes
        move = np.linalg.solve(square + damping * np.diag(np.diag(square) + 1e-12), -slopes.T @ now)
        there = misses(values + move)
        if there @ there < now @ now:
            values, now, damping = values + move, there, 0.5 * damping
        else:
            damping *= 4.0
    result: Floats = values
    return result
