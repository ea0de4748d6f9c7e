"""Systems small enough to compute by hand, under FARSI's rules unless said otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from archgym_simulators.soc.blocks import Bus, Memory, Processor, SocDesign
from archgym_simulators.soc.technology import CPU_AREA_M2, CPU_INSTRUCTIONS_PER_J, memory_table

MB = 1e6


def test_a_task_without_data_runs_at_the_speed_of_its_processor(graph, system, run):
    tiny = graph({"a": 3e6}, [])
    result = run(tiny, system(tiny, {}))
    assert result.latency_s[0, 0] == pytest.approx(3e-3, rel=1e-12)
    assert result.energy_j[0] == pytest.approx(6e6 / CPU_INSTRUCTIONS_PER_J, rel=1e-12)
    assert result.power_w[0] == pytest.approx(6e6 / CPU_INSTRUCTIONS_PER_J / 3e-3, rel=1e-12)


def test_a_slow_bus_makes_a_task_wait_for_its_data(graph, system, run):
    tiny = graph({"in": 0, "a": 1e6, "out": 0}, [("in", "a", 1 * MB), ("a", "out", 0.5 * MB)])
    result = run(tiny, system(tiny, {}))
    assert result.latency_s[0, 0] == pytest.approx(1 * MB / 4e8, rel=1e-12)  # reads and writes do not share
    read, write, area = memory_table()[0, 5]  # 1.5 MB at once: FARSI never frees what a source has written
    energy = 2e6 / CPU_INSTRUCTIONS_PER_J + 1 * MB * read + 0.5 * MB * write
    assert result.peak_bytes[0, 0] == 1.5 * MB
    assert result.energy_j[0] == pytest.approx(energy, rel=1e-12)
    assert result.area_m2[0] == pytest.approx(CPU_AREA_M2 + area, rel=1e-12)


def test_two_elements_take_turns_on_a_bus(graph, system, run):
    tiny = graph({"in": 0, "a": 1e5, "b": 1e5}, [("in", "a", 3 * MB), ("in", "b", 1 * MB)])
    result = run(tiny, system(tiny, {"b": 1}, cpus=2))
    # Half the bus each: b needs 5 ms, in which a reads a third of its 3 MB; the other 2 MB take 5 ms alone.
    assert result.latency_s[0, 0] == pytest.approx(10e-3, rel=1e-3)
    assert result.phases[0] == 4


def test_tasks_of_one_processor_run_one_after_the_other(graph, system, run):
    tiny = graph({"a": 1e6, "b": 2e6}, [])
    assert run(tiny, system(tiny, {})).latency_s[0, 0] == pytest.approx(3e-3, rel=1e-12)
    assert run(tiny, system(tiny, {"b": 1}, cpus=2)).latency_s[0, 0] == pytest.approx(2e-3, rel=1e-12)


def test_an_accelerator_is_as_fast_as_its_copies_and_clock(graph, system, run):
    entry = {"cpu_cycles": 1e6, "accelerator": {"cycles": 1e6, "energy_fj": 1e9, "area_um2": 1e6, "iterations": 8}}
    tiny = graph({"a": entry}, [])
    result = run(tiny, system(tiny, {"a": 1}, units=(Processor(0, "a", 4, 600),)))
    assert result.latency_s[0, 0] == pytest.approx(1e6 / (6e8 * 4), rel=1e-12)
    assert result.energy_processing_j[0] == pytest.approx(4 * 1e9 * 1e-15 * 0.064, rel=1e-12)
    assert result.area_accelerator_m2[0] == pytest.approx(4 * 1e6 * 1e-12 * 0.0374, rel=1e-12)
    assert result.area_cpu_m2[0] == 0.0  # the processor hosts nothing


def test_the_slowest_bus_on_the_way_limits(graph, run):
    tiny = graph({"in": 0, "a": 1e5}, [("in", "a", 1 * MB)])

    def latency(first, second):
        design = SocDesign(
            (Processor(0),),
            (Memory(1, "dram", 128, 800),),
            (Bus(first, 100), Bus(second, 100, parent=0)),
            {"in": 0, "a": 0},
            {"in": 0},
        )
        return run(tiny, design).latency_s[0, 0]

    assert latency(4, 16) == pytest.approx(latency(16, 4), rel=1e-12) == pytest.approx(2.5e-3, rel=1e-12)
    assert latency(8, 16) == pytest.approx(1.25e-3, rel=1e-12)


def test_ports_of_a_bus_get_equal_turns_whatever_is_behind_them(graph, run):
    """Two tasks behind one link share what one task on a link of its own gets."""
    tiny = graph({"in": 0, "a": 1e4, "b": 1e4, "c": 1e4}, [("in", name, 1 * MB) for name in "abc"])
    design = SocDesign(
        (Processor(0), Processor(1), Processor(1)),
        (Memory(0, "dram", 128, 800),),
        (Bus(4, 100), Bus(128, 800, parent=0)),
        {"in": 0, "a": 0, "b": 1, "c": 2},
        {"in": 0},
    )
    result = run(tiny, design)
    # a has half of 0.4 GB/s and is done in 5 ms, b and c have a quarter each; then half each of what is left.
    assert result.latency_s[0, 0] == pytest.approx(5e-3 + 0.5 * MB / 2e8, rel=1e-12)


@pytest.mark.parametrize(("rules", "peak"), [("farsi", 6 * MB), ("realistic", 5 * MB)])
def test_buffers_are_freed_when_they_have_been_read(graph, system, run, rules, peak):
    """d frees b and c; FARSI forgets c, because it has struck d off its list when it freed b."""
    tiny = graph(
        {"a": 1e3, "b": 1e3, "c": 1e3, "d": 1e3, "e": 1e3, "f": 1e3},
        [
            ("a", "b", 1 * MB),
            ("a", "c", 1 * MB),
            ("b", "d", 1 * MB),
            ("c", "d", 1 * MB),
            ("d", "e", 1 * MB),
            ("e", "f", 4 * MB),
        ],
    )
    assert run(tiny, system(tiny, {}), rules=rules).peak_bytes[0, 0] == peak


def test_farsi_takes_a_task_as_done_at_99_percent(graph, system, run):
    tiny = graph({"a": 1e6, "b": 1.005e6}, [])
    both = system(tiny, {"b": 1}, cpus=2)
    assert run(tiny, both).latency_s[0, 0] == pytest.approx(1e-3, rel=1e-12)
    assert run(tiny, both, rules="realistic").latency_s[0, 0] == pytest.approx(1.005e-3, rel=1e-9)


def test_an_empty_chain_of_buses_is_taken_out(graph, run):
    tiny = graph({"in": 0, "a": 1e5}, [("in", "a", 1 * MB)])
    buses = (Bus(16, 100), Bus(4, 100, parent=0), Bus(16, 100, parent=1), Bus(4, 100, parent=2))
    design = SocDesign((Processor(0),), (Memory(2, "dram", 128, 800),), buses, {"in": 0, "a": 0}, {"in": 0})
    # Bus 3 is an empty leaf, bus 1 joins two others; then bus 0, a leaf without a memory, moves into bus 2.
    assert run(tiny, design, prune=True).latency_s[0, 0] == pytest.approx(1 * MB / 16e8, rel=1e-12)
    assert run(tiny, design).latency_s[0, 0] == pytest.approx(1 * MB / 4e8, rel=1e-12)


def test_bottlenecks_are_named(graph, run):
    tiny = graph({"in": 0, "a": 1e5, "b": 9e6}, [("in", "a", 8 * MB), ("a", "b", 1e3)])
    design = SocDesign(
        (Processor(0), Processor(0)),
        (Memory(0, "dram", 128, 800),),
        (Bus(4, 100),),
        {"in": 0, "a": 0, "b": 1},
        {"in": 0, "a": 0},
    )
    slowest, next_slowest, third, _ = run(tiny, design).bottleneck[0].tolist()
    # a waits 20 ms for the bus: after 2 processors and 1 memory, block 3; what it waits for are the outputs of in
    assert slowest[:3] == [1, 3, 0]
    assert next_slowest[:3] == [2, 1, 2]  # b computes on processor 1
    assert third[:3] == slowest[:3]  # there are no more tasks with work, so the list begins again
    faster = SocDesign(design.processors, design.memories, (Bus(128, 800),), design.runs_on, design.memory_of)
    assert run(tiny, faster).bottleneck[0, 0, :2].tolist() == [2, 1]  # b computes for 9 ms on processor 1


def test_energy_and_area_are_blamed_by_task_and_block(graph, run):
    """Of 1 MB that b reads from DRAM and little work, the memory takes the energy, and most of the area."""
    tiny = graph({"in": 0, "a": 9e6, "b": 1e2}, [("in", "a", 8), ("a", "b", 1 * MB)])
    memories = (Memory(0, "sram", 128, 800), Memory(0, "dram", 128, 800))
    design = SocDesign((Processor(0),), memories, (Bus(128, 800),), {"in": 0, "a": 0, "b": 0}, {"in": 0, "a": 1})
    result = run(tiny, design)
    first, second, *_ = result.bottleneck[0].tolist()
    assert first[3:5] == [1, 0]  # a: 18 million instructions on the processor
    assert second[3:6] == [2, 2, 1]  # b: reading what a wrote into memory 1, after one processor and memory 0
    areas = {0: result.area_cpu_m2[0], 1: result.area_sram_m2[0], 2: result.area_dram_m2[0]}
    assert [line[7] for line in (first, second)] == sorted(areas, key=areas.get, reverse=True)[:2]


def test_power_is_the_largest_mean_over_a_window(graph, run):
    """20 ms of a processor, then 20 ms of next to nothing: the mean over the run is half of the largest window."""
    idle = {"accelerator": {"cycles": 2e6, "energy_fj": 1e-3, "area_um2": 1.0}}
    tiny = graph({"a": 20e6, "b": idle}, [("a", "b", 1)])
    design = SocDesign(
        (Processor(0), Processor(0, "b")), (Memory(0, "sram", 16, 100),), (Bus(16, 100),), {"a": 0, "b": 1}, {"a": 0}
    )
    for rules in ("farsi", "realistic"):
        result = run(tiny, design, rules=rules)
        assert result.makespan_s[0] == pytest.approx(40e-3, rel=1e-6)
        assert result.power_w[0] == pytest.approx(2e9 / CPU_INSTRUCTIONS_PER_J, rel=0.01)
        assert result.power_w[0] > 1.9 * result.energy_j[0] / result.makespan_s[0]


def test_a_memory_beyond_the_table_is_reported_not_guessed(graph, system, run):
    tiny = graph({"in": 0, "a": 1e6}, [("in", "a", 70 * MB)])
    result = run(tiny, system(tiny, {}))
    assert result.too_large[0] == 0
    assert np.isnan(result.area_m2[0])
    assert result.blocks_needed[0] == pytest.approx(70e6 / 256_000)
    wide = run(tiny, system(tiny, {}, width=32), rules="realistic")
    assert wide.too_large[0] == -1  # two arrays side by side
