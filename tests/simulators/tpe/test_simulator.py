"""The simulator: its space and the model agree, limits are graded, options, conformance."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.testing import check_simulator
from archgym_simulators.errors import InputError
from archgym_simulators.tpe.layout import design_table
from archgym_simulators.tpe.model import evaluate
from archgym_simulators.tpe.simulator import TpeSimulator
from archgym_simulators.tpe.space import PARAMETERS, DesignRows, design_of, tpe_space
from archgym_simulators.tpe.workloads import workload

FREE = {"area_cap": 0.0, "throughput_floor": 0.0, "timing": "report"}


def row_of(simulator, **changes):
    design = {**simulator.space.decode_row(simulator.baseline.row), **changes}
    return simulator.space.encode_row(design)[None]


def named(simulator, rows):
    values = simulator.evaluate(rows).values
    return {metric.name: values[:, m] for m, metric in enumerate(simulator.metrics)}


def test_rows_are_the_designs_that_they_read_as():
    space = tpe_space()
    rows = space.canonical(space.sample(500, np.random.default_rng(0)))
    designs = [design_of(space.decode_row(row)) for row in rows]
    assert (DesignRows.of(rows).fields == design_table(designs)).all()
    assert DesignRows.of(rows).ghz.tolist() == [design.frequency_ghz for design in designs]


@pytest.mark.parametrize("spec", ["gemm:200x100x300,gemm:7x9x65", "gemm:64x64x64@e4m3xint4;a=laplace:12"])
def test_metrics_are_those_of_the_model(spec):
    simulator = TpeSimulator(spec, library="28nm", **FREE)
    space = simulator.space
    rows = space.canonical(space.sample(300, np.random.default_rng(1)))
    metrics = named(simulator, rows)
    valid = ~np.isnan(metrics["cycles"])
    result = evaluate([design_of(space.decode_row(row)) for row in rows], workload(spec), library="28nm")
    assert valid.any()
    assert (result.column("cycles")[valid] == metrics["cycles"][valid]).all()
    assert metrics["energy_pj"][valid] == pytest.approx(result.energy_pj[valid], rel=1e-12)
    assert metrics["slack_ns"][valid] == pytest.approx(result.slack_ns[valid], rel=1e-12)
    assert metrics["power_mw"][valid] == pytest.approx((result.energy_pj / result.latency_ns)[valid], rel=1e-12)
    assert metrics["tops_per_w"][valid] == pytest.approx(1e3 * (result.tops / result.power_mw)[valid], rel=1e-12)
    parts = sum(result.part_um2().values())
    assert metrics["area_mm2"][valid] == pytest.approx(1e-6 * parts[valid], rel=1e-12)


def test_the_baseline_meets_all_limits_and_is_as_fast_as_it_can_be():
    simulator = TpeSimulator("bert-base")
    baseline = simulator.space.decode_row(simulator.baseline.row)
    assert simulator.evaluate(np.array([simulator.baseline.row])).status[0] == 0
    clocks = next(p for p in PARAMETERS if p.name == "frequency_ghz").choices
    faster = clocks[clocks.index(baseline["frequency_ghz"]) + 1]
    assert simulator.evaluate(row_of(simulator, frequency_ghz=faster)).reason_name(0) == "negative-slack"


def test_broken_limits_are_named_and_graded():
    simulator = TpeSimulator("bert-base")
    overflow = simulator.evaluate(np.concatenate([row_of(simulator, accumulator_bits=b) for b in (24, 16)]))
    assert overflow.reason(0) == "the accumulator has 24 bits, sums of this workload can need 26"
    assert 0.0 < overflow.violation[0] < overflow.violation[1]
    slack = simulator.evaluate(np.concatenate([row_of(simulator, frequency_ghz=f) for f in (0.8, 1.0)]))
    assert slack.reason(0).startswith("the longest path takes 1.621 ns, the period is 1.250: slack -0.371 ns")
    assert slack.violation[0] == pytest.approx(np.log(1.621 / 1.25), rel=1e-3)
    assert slack.violation[1] > slack.violation[0]
    large = simulator.evaluate(row_of(simulator, rows=32, columns=32))
    assert large.reason_name(0) == "area"
    slow = simulator.evaluate(row_of(simulator, rows=4, columns=4))
    assert slow.reason_name(0) == "throughput"
    assert np.isnan(slow.values).all()


def test_without_limits_only_overflow_is_invalid():
    simulator = TpeSimulator("bert-base", **FREE)
    rows = simulator.space.sample(500, np.random.default_rng(0))
    evaluation = simulator.evaluate(simulator.space.canonical(rows))
    assert {evaluation.reason_name(row) for row in range(500)} == {"", "accumulator-overflow"}
    slack = evaluation.values[:, -1]
    assert (slack[evaluation.status == 0] < 0).any()


def test_a_sensible_share_of_random_designs_is_valid():
    for spec in ("resnet18", "bert-base", "mobilenet-v2"):
        simulator = TpeSimulator(spec)
        rows = simulator.space.canonical(simulator.space.sample(4000, np.random.default_rng(0)))
        assert 0.06 < (simulator.evaluate(rows).status == 0).mean() < 0.2


def test_every_parameter_and_option_is_live():
    simulator = TpeSimulator("resnet18", **FREE)
    rows = simulator.space.canonical(simulator.space.sample(3000, np.random.default_rng(0)))
    base = simulator.evaluate(rows).values[:, 2]
    for column, size in enumerate(simulator.space.nvec.tolist()):
        moved = rows.copy()
        moved[:, column] = (moved[:, column] + 1) % size
        moved = simulator.space.canonical(moved)
        other = simulator.evaluate(moved).values[:, 2]
        compared = (moved != rows).any(axis=1) & ~np.isnan(base) & ~np.isnan(other)
        # With equal formats, a dense engine does not care which operand is encoded.
        expected = 0.3 if simulator.space.columns[column] == "encoded_operand" else 0.8
        assert (other[compared] != base[compared]).mean() > expected, simulator.space.columns[column]
    for changed in (TpeSimulator("resnet18", library="28nm", **FREE), TpeSimulator("resnet18;a=laplace:5", **FREE)):
        assert (changed.evaluate(rows).values[:, 2] != base).mean() > 0.1


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"library": "saed23"}, "did you mean 'saed32'"),
        ({"area_cap": -1}, "area_cap must be a number from 0"),
        ({"throughput_floor": "x"}, "throughput_floor must be a number from 0"),
        ({"timing": "loose"}, "timing must be strict or report"),
        ({"workload": "resnet18@e4m4"}, "unknown precision 'e4m4'"),
    ],
)
def test_wrong_options_are_refused_in_one_line(arguments, part):
    with pytest.raises(InputError) as caught:
        TpeSimulator(**arguments)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("options", [{}, {"workload": "gemm:33x17x65@int4xint8;a=uniform", "library": "28nm", **FREE}])
def test_conformance(options):
    check_simulator("archgym/TPE-v0", **options)
