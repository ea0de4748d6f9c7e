"""The systolic simulator: energy and area by hand, validity, options, conformance."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.testing import check_simulator
from archgym_simulators.components.parts import NODES, SRAM_DEPTHS, sram_cost
from archgym_simulators.errors import InputError
from archgym_simulators.systolic.costs import area_mm2
from archgym_simulators.systolic.design import AREA_CLASSES
from archgym_simulators.systolic.simulator import SystolicSimulator


def row_of(simulator, **changes):
    design = {**simulator.space.decode_row(simulator.baseline.row), **changes}
    return simulator.space.encode_row(design)[None]


def metrics_of(simulator, row):
    evaluation = simulator.evaluate(row)
    named = dict(zip(simulator.metric_names(), evaluation.values[0].tolist(), strict=True))
    return named, dict(zip(simulator.diagnostic_names, evaluation.diagnostics[0].tolist(), strict=True))


@pytest.mark.parametrize("node", NODES)
def test_tabulated_banks_cost_what_the_table_says_and_deeper_ones_more(node):
    cost = sram_cost(NODES[node], np.array(SRAM_DEPTHS))
    for name, values in NODES[node].sram.items():
        assert getattr(cost, name) == pytest.approx(values, rel=1e-12)
    deeper = sram_cost(NODES[node], np.array([4096.0, 2 * 4096.0, 65_536.0]))
    assert deeper.read_pj[1] / deeper.read_pj[0] == pytest.approx(2**0.61)
    assert (np.diff(deeper.write_pj) > 0).all()
    assert (np.diff(deeper.area_um2) > 0).all()


def test_smaller_nodes_are_smaller_and_spend_less():
    nodes = [NODES[node] for node in sorted(NODES)]
    for name in ("mac_pj", "mac_leak_uw", "mac_area_um2", "register_pj", "register_area_um2"):
        assert (np.diff([getattr(node, name) for node in nodes]) > 0).all()


def test_energy_and_area_are_the_sum_of_their_parts():
    simulator = SystolicSimulator("gemm:100x60x50", node_nm=45, bandwidth=16)
    design = {"dataflow": "os", "rows": 16, "columns": 32, "ifmap_kib": 32, "filter_kib": 64, "ofmap_kib": 16}
    named, seen = metrics_of(simulator, simulator.space.encode_row(design)[None])
    node = NODES[45]
    # Banks of 1,024 words by inputs (16), of 1,024 by weights (32), of 256 by outputs (32): all in the table.
    assert seen["compute_cycles"] == 7 * 2 * (16 + 32 - 2 + 50) - 1
    read, write = node.sram["read_pj"], node.sram["write_pj"]
    inputs, weights, outputs = 2 * 100 * 50, 7 * 50 * 60, 100 * 60
    traffic = 100 * 50 + 50 * 60 + 100 * 60
    dynamic = 100 * 60 * 50 * (3.7688 + 6 * 0.16571) + traffic * 16 * 8.0
    dynamic += inputs * read[4] + 100 * 50 * write[4] + weights * read[4] + 50 * 60 * write[4]
    dynamic += outputs * read[2] + outputs * write[2]
    leak = node.sram["leak_uw"]
    leak_mw = 1e-3 * (16 * 32 * 24.397 + (16 + 32) * leak[4] + 32 * leak[2])
    assert named["latency_ns"] == named["cycles"] == 1343.0
    assert named["energy_pj"] == pytest.approx(dynamic + leak_mw * 1343.0, rel=1e-12)
    assert named["power_mw"] == pytest.approx(named["energy_pj"] / 1343.0, rel=1e-12)
    macro = node.sram["area_um2"]
    area = 16 * 32 * (2523.35 + 3 * 139.84) + (16 + 32) * macro[4] + 32 * macro[2]
    assert named["area_mm2"] == pytest.approx(1e-6 * area, rel=1e-12)
    assert named["dram_bytes"] == 2 * traffic
    assert (named["sram_reads"], named["sram_writes"]) == (inputs + weights, outputs)


def test_the_clock_changes_time_and_leakage_only():
    slow, fast = (SystolicSimulator("gemm:64x64x64", clock_mhz=clock) for clock in (500.0, 1000.0))
    at_slow, at_fast = (metrics_of(s, np.array([s.baseline.row]))[0] for s in (slow, fast))
    assert at_slow["cycles"] == at_fast["cycles"]
    assert at_slow["latency_ns"] == 2 * at_fast["latency_ns"]
    assert at_slow["energy_pj"] > at_fast["energy_pj"]
    assert at_slow["area_mm2"] == at_fast["area_mm2"]


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("area_class", AREA_CLASSES)
def test_the_baseline_is_valid_in_every_node_and_class(node, area_class):
    simulator = SystolicSimulator("gemm:64x64x64", node_nm=node, area_class=area_class)
    assert simulator.evaluate(np.array([simulator.baseline.row])).status[0] == 0


def test_a_chip_that_is_too_large_is_invalid_by_how_much():
    simulator = SystolicSimulator("gemm:64x64x64", area_class="edge")
    evaluation = simulator.evaluate(np.concatenate([row_of(simulator, rows=128), row_of(simulator, rows=256)]))
    sizes = np.array([[64, 64, 64]])
    area = area_mm2(NODES[28], np.array([128]), np.array([32]), sizes)[0]
    assert evaluation.reason(0) == f"the chip takes {area:,.2f} mm2, the area class edge allows 2"
    assert evaluation.violation[0] == pytest.approx(np.log(area / 2.0))
    assert evaluation.violation[1] > evaluation.violation[0]
    assert np.isnan(evaluation.values).all()


@pytest.mark.parametrize(
    ("dataflow", "buffer", "valid"),
    [("ws", "filter_kib", False), ("is", "ifmap_kib", False), ("ws", "ifmap_kib", True), ("os", "filter_kib", True)],
)
def test_a_stationary_tile_must_fit_half_of_its_buffer(dataflow, buffer, valid):
    simulator = SystolicSimulator("gemm:64x64x64", area_class="cloud")
    row = row_of(simulator, **{"dataflow": dataflow, "rows": 64, "columns": 64, buffer: 8})
    evaluation = simulator.evaluate(row)
    assert (evaluation.status[0] == 0) == valid
    if not valid:
        told = "the stationary tile of 4,096 words does not fit half of its buffer, 2,048 words"
        assert evaluation.reason(0) == told
        assert evaluation.violation[0] == pytest.approx(np.log(2.0))


def test_every_parameter_and_option_is_live():
    simulator = SystolicSimulator("resnet18")
    rng = np.random.default_rng(0)
    rows = simulator.space.sample(4000, rng)
    rows = rows[simulator.evaluate(rows).status == 0][:400]
    base = simulator.evaluate(rows).values[:, 2]
    for column, size in enumerate(simulator.space.nvec.tolist()):
        moved = rows.copy()
        moved[:, column] = (moved[:, column] + 1) % size
        other = simulator.evaluate(moved).values[:, 2]
        assert (other[~np.isnan(other)] != base[~np.isnan(other)]).mean() > 0.9
    for option in ({"node_nm": 16}, {"bandwidth": 2}, {"clock_mhz": 400.0}):
        assert (SystolicSimulator("resnet18", **option).simulate(rows).values[:, 2] != base).mean() > 0.5


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"node_nm": 27}, "unknown node_nm 27; did you mean '28'?; allowed: 45, 28, 16, 7"),
        ({"area_class": "mobil"}, "did you mean 'mobile'"),
        ({"rules": "realstic"}, "did you mean 'realistic'"),
        ({"bandwidth": 0}, "bandwidth must be a whole number"),
        ({"clock_mhz": 0.0}, "clock_mhz must be a number above 0"),
        ({"workload": "resnet19"}, "did you mean 'resnet18'"),
    ],
)
def test_wrong_options_are_refused_in_one_line(arguments, part):
    with pytest.raises(InputError) as caught:
        SystolicSimulator(**arguments)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"workload": "gemm:33x17x65,conv:9x9x4x8x3x3s2", "node_nm": 7, "area_class": "edge"},
        # Replaying whole networks access by access takes hours, so not on every built-in workload.
        {"workload": "gemm:9x8x7", "rules": "scalesim", "checks": ["declarations", "outcome", "purity", "batches"]},
    ],
)
def test_conformance(options):
    check_simulator("archgym/Systolic-v0", **options)
