"""The tensor engine as a simulator: the model bound to a workload, a technology and limits taken from a baseline."""

from __future__ import annotations

__all__ = ["TpeSimulator"]

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.constraints import Reason
from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import Evaluation
from archgym_simulators.simulator import Baseline, Metric, NamedObjective, Simulator, Workload
from archgym_simulators.space import Rows
from archgym_simulators.tpe.encodings import ENCODINGS
from archgym_simulators.tpe.engine import OUTPUTS, run_designs
from archgym_simulators.tpe.layout import FIELDS, format_table
from archgym_simulators.tpe.libraries import library_of
from archgym_simulators.tpe.model import TpeResult, operand_group_moments, slowest_quantiles, zero_shares
from archgym_simulators.tpe.refinement import SynthesisedUnits
from archgym_simulators.tpe.space import GROUP_SIZES, PARAMETERS, DesignRows, tpe_space
from archgym_simulators.tpe.workloads import FEATURES, draw_tpe_workload, workload_descriptions
from archgym_simulators.tpe.workloads import workload as make_workload

Floats = NDArray[np.float64]

METRICS = (
    Metric("cycles", "of all products, from filling to draining"),
    Metric("latency_ns", "the same in time"),
    Metric("energy_pj", "of all products, leakage included; memories are not in it"),
    Metric("area_mm2", "of all parts"),
    Metric("power_mw", "energy over latency"),
    Metric("tops", "tera-operations a second on this workload, two a multiply-accumulate", direction="max"),
    Metric("tops_per_w", "operations over energy", direction="max"),
    Metric("tops_per_mm2", "throughput over area", direction="max"),
    Metric("utilisation", "share of cycles in which a PE has work", direction="max"),
    Metric("slack_ns", "period less the longest path", direction="max", scale="linear", span=1.0),
)
OBJECTIVES = (
    NamedObjective("energy", "energy_pj", "spend less energy on the workload, within the limits"),
    NamedObjective("area-efficiency", "tops_per_mm2", "more throughput for an area"),
    NamedObjective("energy-delay", "energy_pj * latency_ns", "energy times latency", aliases=("edp",)),
    NamedObjective("latency", "latency_ns", "finish sooner, within the area"),
    NamedObjective("area", "area_mm2", "a smaller engine with the throughput of the limits"),
)
DIAGNOSTICS = ("needed_accumulator_bits", *OUTPUTS[6:14])

_OVERFLOW, _SLACK, _AREA, _THROUGHPUT, _SYNTHESIS = range(5)
REASONS = (
    Reason(
        "accumulator-overflow",
        "the accumulator has {have:.0f} bits, sums of this workload can need {need:.0f}",
        ("have", "need"),
    ),
    Reason(
        "negative-slack",
        "the longest path takes {path:.3f} ns, the period is {period:.3f}: slack {slack:.3f} ns",
        ("path", "period", "slack"),
    ),
    Reason("area", "the engine takes {area:.4f} mm2, at most {limit:.4f} are allowed", ("area", "limit")),
    Reason("throughput", "the engine reaches {tops:.4f} TOPS, at least {floor:.4f} are asked for", ("tops", "floor")),
    Reason("synthesis", "the synthesis of the PE failed, or took longer than {limit:g} s", ("limit",)),
)
FIDELITIES = ("model", "synthesis")
_SIDE = 16


class TpeSimulator(Simulator):
    """A tensor engine at bit level: architecture, digits, accumulation, clock.

    Args:
        workload: spec of `archgym_simulators.tpe.workloads`: layers, precision and operands.
        library: technology, a key of `archgym_simulators.tpe.libraries.LIBRARIES`.
        area_cap: largest area, in areas of the baseline; 0 for none.
        throughput_floor: least throughput on the workload, in throughputs of the baseline; 0 for none.
        timing: ``"strict"``, or ``"report"`` to give designs with negative slack their metrics.
        fidelity: ``"model"``, or ``"synthesis"`` to correct areas and periods by Yosys (`SynthesisedUnits`).
        liberty: cell library of the synthesis: a path, or the name of one that Debian has.
        yosys: program, by name or path; "" for the one that is there.
        synthesis_limit_s: of one synthesis.
        synthesis_cache: folder of its reports that last; "" for none.

    Raises:
        InputError: for an unknown workload, library, timing or fidelity, or a negative limit.
        MissingExtra: fidelity synthesis without Yosys.
    """

    metrics: tuple[Metric, ...] = METRICS
    version = "2"
    objectives: tuple[NamedObjective, ...] = OBJECTIVES
    default_objective = "energy"
    pareto_objectives = ("energy", "latency", "area_mm2")
    reasons = REASONS
    diagnostic_names = DIAGNOSTICS

    def __init__(
        self,
        workload: str = "resnet18",
        *,
        library: str = "saed32",
        area_cap: float = 2.0,
        throughput_floor: float = 0.5,
        timing: str = "strict",
        fidelity: str = "model",
        liberty: str = "osu018",
        yosys: str = "",
        synthesis_limit_s: float = 120.0,
        synthesis_cache: str = "",
    ) -> None:
        _check_limits(area_cap=area_cap, throughput_floor=throughput_floor, synthesis_limit_s=synthesis_limit_s)
        if timing not in ("strict", "report"):
            raise InputError(f"timing must be strict or report, not {timing!r}")
        if fidelity not in FIDELITIES:
            raise InputError(f"fidelity must be {' or '.join(FIDELITIES)}, not {fidelity!r}")
        self._library = library_of(library).numbers()
        self._bound = make_workload(workload)
        self._formats = format_table(*self._bound.precisions)
        self._zeros = zero_shares(self._bound)
        self._products = self._bound.products()
        self._moments = np.full((int(np.prod(GROUP_SIZES)), 4), np.nan)
        self._strict = timing == "strict"
        self.space = tpe_space()
        self.workload = Workload(self._bound.name, self._bound.features, FEATURES, self._bound.digest)
        row, result = self._reference()
        self.baseline = Baseline(f"systolic array of {_SIDE} x {_SIDE} MACs", row)
        self._cap_um2 = area_cap * float(result.area_um2[0]) if area_cap > 0.0 else np.inf
        self._floor_tops = throughput_floor * float(result.tops[0])
        self._synthesised: SynthesisedUnits | None = None
        self._limit_s = synthesis_limit_s
        if fidelity == "synthesis":
            self._synthesised = SynthesisedUnits(
                library_of(library),
                self._bound.precisions,
                liberty=liberty,
                program=yosys,
                time_limit_s=synthesis_limit_s,
                cache_folder=synthesis_cache,
            )
            self.version = f"{self.version}, yosys {self._synthesised.tool}"

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return workload_descriptions()

    @classmethod
    def draw_workload(cls, split: str, rng: np.random.Generator) -> str:
        return draw_tpe_workload(split, rng)

    def simulate(self, rows: Rows) -> Evaluation:
        designs = DesignRows.of(rows)
        result, failed = self._at_fidelity(designs)
        area, tops = result.area_um2 * 1e-6, result.tops
        columns = (
            result.column("cycles"),
            result.latency_ns,
            result.energy_pj,
            area,
            result.power_mw,
            tops,
            2.0 * result.macs / result.energy_pj,
            tops / area,
            result.column("utilisation"),
            result.slack_ns,
        )
        violations, details = self._broken(designs, result)
        diagnostics = np.stack([result.column(name) for name in DIAGNOSTICS], axis=1)
        broken = np.greater(violations, 0.0)
        first = broken.argmax(axis=1)
        valid: NDArray[np.bool_] = np.asarray(~broken.any(axis=1))
        valid &= ~failed
        first[failed] = _SYNTHESIS
        return Evaluation.of(
            np.stack(columns, axis=1),
            reasons=self.reasons,
            reason_code=np.where(valid, -1, first),
            violation=violations[:, 0] + violations[:, 1] + violations[:, 2] + violations[:, 3],
            reason_detail=np.where(valid[:, None], 0.0, details[np.arange(len(rows)), first]),
            failed=failed,
            diagnostics=np.where(valid[:, None], diagnostics, np.nan),
        )

    def _broken(self, designs: DesignRows, result: TpeResult) -> tuple[Floats, Floats]:
        """How far each design breaks each limit (N, 4), and the numbers of each sentence (N, 5, 3)."""
        have = designs.fields[:, FIELDS.index("accumulator_bits")].astype(np.float64)
        need = result.column("needed_accumulator_bits")
        path, period = result.column("shortest_period_ns"), 1.0 / designs.ghz
        area, tops = result.area_um2, result.tops
        violations = np.zeros((len(have), 4))
        violations[:, _OVERFLOW] = np.maximum(need - have, 0.0) / 8.0
        if self._strict:
            violations[:, _SLACK] = _excess(path / period)
        violations[:, _AREA] = _excess(area / self._cap_um2)
        violations[:, _THROUGHPUT] = _excess(self._floor_tops / tops)
        details = np.zeros((len(have), 5, 3))
        details[:, _OVERFLOW, 0], details[:, _OVERFLOW, 1] = have, need
        details[:, _SLACK] = np.stack([path, period, period - path], axis=1)
        details[:, _AREA, 0], details[:, _AREA, 1] = area * 1e-6, self._cap_um2 * 1e-6
        details[:, _THROUGHPUT, 0], details[:, _THROUGHPUT, 1] = tops, self._floor_tops
        details[:, _SYNTHESIS, 0] = self._limit_s
        return violations, details

    def _at_fidelity(self, designs: DesignRows) -> tuple[TpeResult, NDArray[np.bool_]]:
        """Results, and for which designs a synthesis failed: (N,)."""
        result = self._run(designs)
        if self._synthesised is None:
            return result, np.zeros(len(designs.fields), dtype=np.bool_)
        reference = DesignRows.of(np.array([self.baseline.row], dtype=np.int64)).fields[0]
        return self._synthesised.corrected(designs.fields, result, reference)

    def _run(self, designs: DesignRows) -> TpeResult:
        moments = np.zeros((len(designs.fields), 4))
        if designs.skipping.any():
            needed = designs.groups[designs.skipping]
            self._learn(needed)
            moments[designs.skipping] = self._moments[needed]
        table = run_designs(
            designs.fields,
            designs.ghz,
            self._formats,
            self._library,
            moments,
            self._zeros,
            slowest_quantiles(),
            self._products,
            False,
            1.0,
        )
        return TpeResult(table, designs.ghz, self._bound.total_macs)

    def _learn(self, groups: NDArray[np.int64]) -> None:
        """Work out the moments of groups that have not been seen; they depend on nothing else."""
        for code in np.unique(groups[np.isnan(self._moments[groups, 0])]).tolist():
            side, encoding, size, depth = np.unravel_index(code, GROUP_SIZES)
            self._moments[code] = operand_group_moments(
                self._bound.distributions[side],
                self._bound.precisions[side],
                encoding=tuple(ENCODINGS)[encoding],
                size=_choices("skip_group")[size],
                fifo_depth=_choices("fifo_depth")[depth],
            )

    def _reference(self) -> tuple[tuple[int, ...], TpeResult]:
        """The baseline: an array of plain MACs, as wide as its sums need and as fast as its path allows."""
        widths, clocks = _choices("accumulator_bits"), _choices("frequency_ghz")
        rows = np.array([self.space.encode_row(_plain_design(w, f)) for w, f in product(widths, clocks)])
        designs = DesignRows.of(rows)
        result = self._run(designs)
        have = designs.fields[:, FIELDS.index("accumulator_bits")]
        fits: NDArray[np.bool_] = (have >= result.column("needed_accumulator_bits")) & np.greater_equal(
            result.slack_ns, 0.0
        )
        # Fields in the order of widths, then clocks: the last fitting clock of the first fitting width.
        width = int(np.argmax(fits)) // len(clocks)
        chosen = width * len(clocks) + int(np.flatnonzero(fits[width * len(clocks) :][: len(clocks)])[-1])
        one = TpeResult(result.table[chosen : chosen + 1], designs.ghz[chosen : chosen + 1], result.macs)
        return tuple(rows[chosen].tolist()), one


def _check_limits(*, synthesis_limit_s: float, **relative: float) -> None:
    """Limits in figures of the baseline, by name, and the time of a synthesis."""
    for name, limit in relative.items():
        if type(limit) not in (int, float) or not 0.0 <= limit < 1e6:
            raise InputError(f"{name} must be a number from 0 (no limit) to 1e6, not {limit!r}")
    if type(synthesis_limit_s) not in (int, float) or not 0.0 < synthesis_limit_s < 1e6:
        raise InputError(f"synthesis_limit_s must be above 0 and below 1e6, not {synthesis_limit_s!r}")


def _plain_design(accumulator_bits: int, frequency_ghz: float) -> dict[str, Any]:
    first = {parameter.name: parameter.readable_one([0] * len(parameter.radices)) for parameter in PARAMETERS}
    return first | {
        "rows": _SIDE,
        "columns": _SIDE,
        "final_adder": "sklansky",
        "accumulator_bits": accumulator_bits,
        "frequency_ghz": frequency_ghz,
        "k_tile": 1024,
    }


def _choices(name: str) -> list[Any]:
    parameter = next(parameter for parameter in PARAMETERS if parameter.name == name)
    values: list[Any] = parameter.readable(np.arange(parameter.size)[:, None]).tolist()
    return values


def _excess(ratio: Floats) -> Floats:
    """Natural logarithm of ratios above 1, 0 below."""
    excess: Floats = np.log(np.maximum(ratio, 1.0))
    return excess
