"""The accelerator simulator: costs by hand, validity, live parameters, options, both spaces, conformance."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from archgym.testing import check_simulator
from archgym_simulators.accelerator.archgym_space import build_archgym_chips
from archgym_simulators.accelerator.costs import AREA_CLASSES
from archgym_simulators.accelerator.design import build_chips
from archgym_simulators.accelerator.simulator import AcceleratorSimulator
from archgym_simulators.components.parts import DRAM_PJ_PER_WORD, NODES
from archgym_simulators.errors import InputError
from archgym_simulators.layers.workloads import workload
from archgym_simulators.mapping.hardware import Buffer, Hardware

ARCHGYM_MOBILE = {"space": "archgym", "area_class": "mobile"}
SMALL = "conv:14x14x32x48x3x3,gemm:64x96x80"


def row_of(simulator, **changes):
    design = {**simulator.space.decode_row(simulator.baseline.row), **changes}
    return simulator.space.canonical(simulator.space.encode_row(design)[None])


def metrics_of(simulator, row):
    evaluation = simulator.evaluate(row)
    return dict(zip(simulator.metric_names(), evaluation.values[0].tolist(), strict=True))


CHECKS = ("declarations", "objectives", "space", "outcome", "purity", "batches", "threads")


@pytest.mark.parametrize("options", [{"area_class": "edge", "node_nm": 45}, ARCHGYM_MOBILE])
def test_keeps_the_contract_with_options(options):
    # The suite over all environments checks the defaults, with every network.
    check_simulator("archgym/Accelerator-v0", workload=SMALL, n=24, checks=CHECKS, **options)


def test_archgyms_space_keeps_the_contract():
    check_simulator("archgym/Accelerator-v0", workload=SMALL, n=16, checks=(*CHECKS, "folding"), space="archgym")


def test_a_design_is_the_hardware_that_a_person_would_write():
    node = NODES[28]
    simulator = AcceleratorSimulator(SMALL)
    row = row_of(
        simulator,
        dataflow="eyeriss",
        rows=12,
        columns=14,
        pe_weights_words=256,
        pe_inputs_words=16,
        pe_outputs_words=64,
        glb_kib=128,
        glb_banks=32,
        glb_width=4,
    )
    chips = build_chips(node, simulator.space.values(row), 16.0)
    sram, wide = node.sram, node.wide_sram
    spads = tuple(
        Buffer(name, words, sram["read_pj"][at], sram["write_pj"][at], 2.0, 2.0, (name,))
        for name, words, at in (("weights", 256, 2), ("inputs", 16, 0), ("outputs", 64, 1))
    )
    # 64 bits x 16,384 in 32 banks, and half of 12 rows of registers to pass.
    bus = 6 * node.register_pj
    read, write = wide["read_pj"][2] * 0.86 / 4 + bus, wide["write_pj"][2] * 1.10 / 4 + bus
    glb = Buffer("global buffer", 65_536, read, write, 64.0, 64.0, width=4)
    dram = Buffer("DRAM", inf, DRAM_PJ_PER_WORD, DRAM_PJ_PER_WORD, 16.0, 16.0, width=4)
    written = Hardware("by hand", 14, 12, spads, (glb,), dram, node.mac_pj)
    np.testing.assert_allclose(chips.vectors[0], written.vector, rtol=1e-12)
    pe_um2 = node.mac_area_um2 + sram["area_um2"][2] + sram["area_um2"][0] + sram["area_um2"][1]
    bus_um2 = 12 * 32 * 4 * node.register_area_um2
    area = 168 * pe_um2 + wide["area_um2"][2] * 1.24 + bus_um2
    assert chips.area_mm2[0] == pytest.approx(area * 1e-6, rel=1e-12)
    leak = 168 * (node.mac_leak_uw + sum(sram["leak_uw"][at] for at in (2, 0, 1))) + wide["leak_uw"][2]
    assert chips.leak_mw[0] == pytest.approx(leak * 1e-3, rel=1e-12)


def test_metrics_follow_from_their_parts():
    simulator = AcceleratorSimulator(SMALL, clock_mhz=500.0)
    named = metrics_of(simulator, row_of(simulator))
    parts = ("mac", "pe", "glb", "dram", "leak")
    assert named["energy_pj"] == pytest.approx(sum(named[f"energy_{part}_pj"] for part in parts), rel=1e-12)
    assert named["latency_ns"] == 2 * named["cycles"]
    assert named["power_mw"] == pytest.approx(named["energy_pj"] / named["latency_ns"], rel=1e-12)
    macs = workload(SMALL).total_macs
    pes = np.prod([simulator.space.decode_row(simulator.baseline.row)[side] for side in ("rows", "columns")])
    assert named["utilisation"] == pytest.approx(macs / named["cycles"] / pes, rel=1e-12)
    assert named["energy_mac_pj"] >= macs * NODES[28].mac_pj
    least = sum(layer.words for layer in workload(SMALL).layers)
    assert named["dram_bytes"] >= 2 * least


def test_a_repeated_layer_costs_as_often():
    once, twice = (AcceleratorSimulator(spec) for spec in ("gemm:64x96x80", "gemm:64x96x80,gemm:64x96x80"))
    first, second = (metrics_of(s, row_of(s)) for s in (once, twice))
    assert second["cycles"] == 2 * first["cycles"]
    assert second["energy_pj"] == pytest.approx(2 * first["energy_pj"])


@pytest.mark.parametrize("node_nm", NODES)
@pytest.mark.parametrize("area_class", AREA_CLASSES)
def test_the_baseline_is_valid_in_every_node_and_class(node_nm, area_class):
    simulator = AcceleratorSimulator("gemm:64x64x64", node_nm=node_nm, area_class=area_class)
    assert simulator.evaluate(np.array([simulator.baseline.row])).status[0] == 0


def test_a_chip_that_is_too_large_is_invalid_by_how_much():
    simulator = AcceleratorSimulator("gemm:64x64x64", area_class="edge")
    rows = np.concatenate([row_of(simulator, rows=128, columns=128), row_of(simulator, rows=256, columns=256)])
    evaluation = simulator.evaluate(rows)
    area = build_chips(NODES[28], simulator.space.values(rows), 1.0).area_mm2
    assert evaluation.reason(0) == f"the chip takes {area[0]:,.2f} mm2, the area class edge allows 2"
    assert evaluation.violation.tolist() == pytest.approx(np.log(area / 2.0).tolist())
    assert np.isnan(evaluation.values).all()


@pytest.mark.parametrize("space", ["templates", "archgym"])
def test_every_parameter_is_live(space):
    simulator = AcceleratorSimulator("conv:14x14x32x48x3x3", space=space, area_class="any")
    rows = simulator.space.canonical(simulator.space.sample(48, np.random.default_rng(0)))
    base = np.nan_to_num(simulator.evaluate(rows).values)
    for column, size in enumerate(simulator.space.nvec.tolist()):
        moved = rows.copy()
        moved[:, column] = (moved[:, column] + 1) % size
        moved = simulator.space.canonical(moved)
        changed = (np.nan_to_num(simulator.evaluate(moved).values) != base).any(axis=1)
        differs = (moved != rows).any(axis=1)
        share = changed.sum() / differs.sum()
        # A change of effort often finds the same mapping.
        assert share >= (0.1 if simulator.space.names[column] == "mapper_effort" else 0.6), simulator.space.names[
            column
        ]


def test_buffers_that_a_template_does_not_hold_are_folded():
    simulator = AcceleratorSimulator(SMALL)
    rows = np.concatenate([row_of(simulator, dataflow="tpu", pe_inputs_words=words) for words in (16, 512)])
    assert (rows[0] == rows[1]).all()
    held = np.concatenate([row_of(simulator, dataflow="simba", pe_inputs_words=words) for words in (16, 512)])
    assert (held[0] != held[1]).any()


def test_effort_is_a_fidelity_that_costs_evaluations():
    simulator = AcceleratorSimulator("resnet18")
    assert simulator.space.parameter("mapper_effort").role == "fidelity"
    rows = np.concatenate([row_of(simulator, mapper_effort=effort) for effort in ("quick", "normal", "thorough")])
    evaluation = simulator.evaluate(rows)
    assert (np.diff(evaluation.cost) > 0).all()
    edp = evaluation.values[:, 1] * evaluation.values[:, 2]
    assert edp[2] < edp[0]


def test_less_bandwidth_is_never_faster():
    rows = None
    cycles = []
    for bandwidth in (2, 16, 128):
        simulator = AcceleratorSimulator("bert-base", bandwidth=bandwidth)
        rows = row_of(simulator, dataflow="simba") if rows is None else rows
        cycles.append(metrics_of(simulator, rows)["cycles"])
    assert cycles[0] > cycles[1] >= cycles[2]


def test_archgyms_space_has_its_size_and_its_template_its_cycles():
    simulator = AcceleratorSimulator("alexnet", space="archgym")
    assert len(simulator.space.parameters) == 26
    assert simulator.space.size == 24 * 3 * (4 * 16 * 3 * 4 * 4) ** 3 * (4 * 16 * 3) * (4 * 7 * 4 * 3 * 4 * 4)
    chips = build_archgym_chips(NODES[45], simulator.space.values(np.array([simulator.baseline.row])), 16.0)
    assert chips.vectors[0, :2].tolist() == [14, 12]
    # Scratchpads of Accelergy's Eyeriss reference: 16 words read for 0.2513 pJ there, before the address.
    assert chips.vectors[0, 29] == pytest.approx(0.2513 + 0.121, rel=0.03)


def test_a_scratchpad_below_a_row_of_taps_is_explained_and_graded():
    simulator = AcceleratorSimulator("conv:14x14x32x48x5x5", space="archgym")
    rows = np.concatenate([row_of(simulator, weights_depth=depth, weights_block=1) for depth in (2, 4, 8)])
    evaluation = simulator.evaluate(rows)
    assert evaluation.status.tolist() == [1, 1, 0]
    assert evaluation.reason(0) == "layer 1 of the workload has no mapping: a tile needs 5 words, its buffer has 2"
    assert evaluation.violation[0] > evaluation.violation[1] > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"node_nm": 32}, "unknown node_nm 32.*allowed: 45, 28, 16, 7"),
        ({"area_class": "egde"}, "unknown area_class 'egde'.*edge.*allowed: edge, mobile, cloud, any"),
        ({"space": "archgm"}, "unknown space 'archgm'.*archgym.*allowed: templates, archgym"),
        ({"bandwidth": 0}, "bandwidth must be a number above 0 and below 1e6, not 0"),
        ({"clock_mhz": "fast"}, "clock_mhz must be a number above 0 and below 1e6, not 'fast'"),
        ({"workload": "resnet19"}, "unknown workload 'resnet19'"),
    ],
)
def test_bad_input_is_one_line(options, message):
    with pytest.raises(InputError, match=message) as caught:
        AcceleratorSimulator(**options)
    assert "\n" not in str(caught.value)
