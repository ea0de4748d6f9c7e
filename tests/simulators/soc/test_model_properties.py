"""Properties of the model on designs drawn at random."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from archgym_simulators.soc.arrays import scratch
from archgym_simulators.soc.blocks import Bus, Memory, Processor, SocDesign
from archgym_simulators.soc.model import PreparedGraph, _rules, simulate
from archgym_simulators.soc.pricing import windowed_power
from archgym_simulators.soc.simulator import SocSimulator
from archgym_simulators.soc.technology import CLOCKS_MHZ, WIDTHS_BYTES
from archgym_simulators.soc.workloads import workload


def random_design(graph, rng):
    """Processors and accelerators, memories and buses of any kind, in a random tree."""
    buses = [
        Bus(int(rng.choice(WIDTHS_BYTES)), int(rng.choice(CLOCKS_MHZ)), -1 if b == 0 else int(rng.integers(b)))
        for b in range(int(rng.integers(1, 5)))
    ]
    memories = [
        Memory(
            int(rng.integers(len(buses))),
            ("sram", "dram")[rng.integers(2)],
            int(rng.choice(WIDTHS_BYTES)),
            int(rng.choice(CLOCKS_MHZ)),
        )
        for _ in range(int(rng.integers(1, 4)))
    ]
    processors = [Processor(int(rng.integers(len(buses)))) for _ in range(2)]
    runs_on = {task.name: int(rng.integers(2)) for task in graph.tasks}
    for task in graph.tasks:
        if task.accelerator and rng.random() < 0.6:
            copies = int(rng.choice(task.accelerator.copies))
            runs_on[task.name] = len(processors)
            clock = int(rng.choice(CLOCKS_MHZ))
            processors.append(Processor(int(rng.integers(len(buses))), task.name, copies, clock))
    memory_of = {task.name: int(rng.integers(len(memories))) for task in graph.tasks}
    return SocDesign(tuple(processors), tuple(memories), tuple(buses), runs_on, memory_of)


def shuffled(design, rng):
    """The same system with its blocks in another order."""
    p, m, b = (rng.permutation(len(part)) for part in (design.processors, design.memories, design.buses))
    new_p, new_m, new_b = (np.argsort(order).tolist() for order in (p, m, b))
    root = [-1]
    return SocDesign(
        tuple(replace(design.processors[i], bus=new_b[design.processors[i].bus]) for i in p),
        tuple(replace(design.memories[i], bus=new_b[design.memories[i].bus]) for i in m),
        tuple(replace(design.buses[i], parent=(new_b + root)[design.buses[i].parent]) for i in b),
        {task: new_p[place] for task, place in design.runs_on.items()},
        {task: new_m[place] for task, place in design.memory_of.items()},
    )


@pytest.fixture(scope="module")
def designs():
    graph = workload("three-apps")
    rng = np.random.default_rng(11)
    return PreparedGraph.build(graph), [random_design(graph, rng) for _ in range(40)]


@pytest.mark.parametrize("rules", ["farsi", "realistic"])
def test_the_order_of_blocks_does_not_matter(designs, rules):
    prepared, drawn = designs
    rng = np.random.default_rng(5)
    one = simulate(prepared, drawn, rules=rules)
    other = simulate(prepared, [shuffled(design, rng) for design in drawn], rules=rules)
    for name in ("latency_s", "energy_j", "power_w", "area_m2", "budget_distance"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9, err_msg=name)


def test_under_realistic_rules_every_instruction_and_byte_is_paid_for_once(designs):
    prepared, drawn = designs
    result = simulate(prepared, drawn, rules="realistic")
    parts = result.energy_processing_j + result.energy_memory_j + result.energy_bus_j + result.energy_idle_j
    np.testing.assert_allclose(result.energy_j, parts, rtol=1e-12)
    for n, design in enumerate(drawn):
        processing = sum(_energy_of(prepared.graph.tasks[t], design) for t in range(len(prepared.graph.tasks)))
        assert result.energy_processing_j[n] == pytest.approx(processing, rel=1e-9)


def _energy_of(task, design):
    unit = design.processors[design.runs_on[task.name]]
    if not unit.task:
        return task.work / 47_019_607_843
    volts = {100: 1.04, 400: 1.04 + 0.05 * 168 / 297, 600: 1.09 + 0.09 * 171 / 231, 800: 1.33}[unit.clock_mhz]
    return unit.copies * task.accelerator.energy_fj * 1e-15 * 0.064 * (volts / 1.33) ** 2


def test_farsi_gives_buses_and_leakage_away_and_realistic_rules_do_not(designs):
    prepared, drawn = designs
    free, paid = (simulate(prepared, drawn, rules=rules) for rules in ("farsi", "realistic"))
    assert not free.energy_bus_j.any()
    assert not free.energy_idle_j.any()
    assert not free.area_bus_m2.any()
    assert (paid.energy_bus_j > 0).all()
    assert (paid.energy_idle_j > 0).all()
    assert (paid.area_bus_m2 > 0).all()


@pytest.mark.parametrize("part", ["buses", "memories"])
def test_a_chain_never_gets_slower_on_wider_blocks(part):
    graph = workload("hpvm-cava")  # a chain: nothing runs in parallel, so there are no scheduling anomalies
    prepared, rng = PreparedGraph.build(graph), np.random.default_rng(2)
    for _ in range(10):
        design = random_design(graph, rng)
        latencies = []
        for width in WIDTHS_BYTES:
            wider = tuple(replace(block, width_bytes=width) for block in getattr(design, part))
            latencies.append(simulate(prepared, [replace(design, **{part: wider})], rules="farsi").latency_s[0, 0])
        assert all(a >= b * (1 - 1e-12) for a, b in pairwise(latencies))


def test_a_faster_clock_costs_energy_and_a_wider_bus_area_only_under_realistic_rules():
    graph = workload("hpvm-cava")
    prepared, design = PreparedGraph.build(graph), random_design(graph, np.random.default_rng(8))

    def cost(rules, **change):
        buses = tuple(replace(bus, **change) for bus in design.buses)
        result = simulate(prepared, [replace(design, buses=buses)], rules=rules)
        return result.energy_bus_j[0], result.area_bus_m2[0]

    assert cost("realistic", clock_mhz=800)[0] > cost("realistic", clock_mhz=100)[0]
    assert cost("realistic", width_bytes=128)[1] > cost("realistic", width_bytes=4)[1]
    assert cost("farsi", clock_mhz=800) == cost("farsi", clock_mhz=100) == (0.0, 0.0)


def test_windowed_power_is_the_largest_of_all_windows():
    rules, rng = _rules("realistic"), np.random.default_rng(4)
    for _ in range(30):
        s = scratch(20, 1, 1, 1).record
        phases = int(rng.integers(3, 20))
        s.phase_s[:phases] = rng.exponential(3e-3, phases) * (rng.random(phases) < 0.8)
        s.phase_j[:phases] = s.phase_s[:phases] * rng.exponential(1.0, phases)
        assert windowed_power(rules, s, phases) == pytest.approx(_by_hand(s, phases), rel=1e-9)


def _by_hand(s, phases):
    edges = np.concatenate([[0.0], np.cumsum(s.phase_s[:phases])])
    energy = np.concatenate([[0.0], np.cumsum(s.phase_j[:phases])])
    if edges[-1] <= 10e-3:
        return energy[-1] / edges[-1]
    starts = np.concatenate([edges, edges - 10e-3, np.linspace(0, edges[-1] - 10e-3, 500)])
    starts = starts[(starts >= 0) & (starts + 10e-3 <= edges[-1] + 1e-12)]
    return ((np.interp(starts + 10e-3, edges, energy) - np.interp(starts, edges, energy)) / 10e-3).max()


def test_rows_and_design_objects_agree():
    """What a row of the task space means, spelt out block by block."""
    simulator = SocSimulator("edge-detection", rules="farsi")
    row = simulator.space.encode_row(
        simulator.space.decode_row(simulator.baseline.row)
        | {
            "gaussianSmoothing.runs_on": "accelerator",
            "gaussianSmoothing.copies": 128,
            "gaussianSmoothing.clock": 600,
            "gaussianSmoothing.bus": "bus1",
            "gaussianSmoothing.memory": "memory2",
            "memory2_kind": "sram",
            "memory2_width": 64,
            "memory2_clock": 800,
            "memory2_bus": "bus1",
            "bus1_width": 32,
            "bus1_clock": 100,
        }
    )
    graph = workload("edge-detection")
    others = {task.name: 0 for task in graph.tasks}
    design = SocDesign(
        (Processor(0), Processor(1, "gaussianSmoothing", 128, 600)),
        (Memory(0, "dram", 16, 400), Memory(1, "sram", 64, 800)),
        (Bus(16, 400), Bus(32, 100, parent=0)),
        others | {"gaussianSmoothing": 1},
        others | {"gaussianSmoothing": 1},
    )
    by_object = simulate(PreparedGraph.build(graph, budgets="farsi"), [design], rules="farsi")
    by_row = simulator.evaluate(row[None])
    values = dict(zip(simulator.metric_names(), by_row.values[0], strict=True))
    assert values["latency_ms"] == pytest.approx(by_object.latency_s[0, 0] * 1e3, rel=1e-12)
    assert values["energy_uj"] == pytest.approx(by_object.energy_j[0] * 1e6, rel=1e-12)
    assert values["area_mm2"] == pytest.approx(by_object.area_m2[0] * 1e6, rel=1e-12)
    assert values["budget_distance"] == pytest.approx(by_object.budget_distance[0], rel=1e-12)
