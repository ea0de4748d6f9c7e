"""The compiled event loop issues the same commands as a plain model with lists and histories."""

import numpy as np
import pytest

from archgym_simulators.dram.controller import (
    ARBITERS,
    PAGE_POLICIES,
    REFRESH_POLICIES,
    RESPONSE_QUEUES,
    SCHEDULER_BUFFERS,
    SCHEDULERS,
    ControllerDesign,
)
from archgym_simulators.dram.device import address_map, device
from archgym_simulators.dram.model import PreparedTrace, command_trace, simulate
from archgym_simulators.dram.trace import Trace
from tests.simulators.dram.plain_controller import PlainController

DEVICES = ("DDR3-1600", "DDR4-2400", "LPDDR4-3200", "HBM2", "MICRON_2GB_DDR3-1600_64bit_G_UDIMM")


def random_design(rng):
    return ControllerDesign(
        page_policy=str(rng.choice(PAGE_POLICIES)),
        scheduler=str(rng.choice(SCHEDULERS)),
        scheduler_buffer=str(rng.choice(SCHEDULER_BUFFERS)),
        request_buffer_size=int(rng.choice([1, 2, 3, 8, 32])),
        response_queue=str(rng.choice(RESPONSE_QUEUES)),
        refresh_policy=str(rng.choice(REFRESH_POLICIES, p=[0.25, 0.75])),
        refresh_max_postponed=int(rng.integers(1, 4)),
        refresh_max_pulledin=int(rng.integers(1, 4)),
        arbiter=str(rng.choice(ARBITERS)),
        max_active_transactions=int(rng.choice([1, 2, 5, 16])),
    )


def random_trace(rng, memory, *, kind):
    """Few banks and rows, so that hits, conflicts and equal addresses are frequent; gaps let refreshes in."""
    n = 150
    gap = {"saturating": 1, "sparse": 60, "bursty": 1}[kind]
    cycle = np.cumsum(rng.integers(0, 2 * gap, n))
    if kind == "bursty":
        cycle += np.repeat(np.arange(5) * memory.timing["refi"] * 3 // 4, n // 5)
    mapping = address_map(memory.default_map, memory)
    address = np.zeros(n, dtype=np.int64)
    for name, values in (("row", 3), ("column", 4), ("bank", 3), ("bank_group", 2), ("rank", 2)):
        if name in mapping.fields:
            low, high = mapping.fields[name]
            address |= rng.integers(0, min(values, 2 ** (high - low + 1)), n) << low
    relative = kind == "sparse" and bool(rng.integers(2))
    times = np.diff(cycle, prepend=0) if relative else cycle
    return Trace.build(kind, cycle=times, is_write=rng.random(n) < 0.4, address=address, relative=relative)


def trace_of_runs(rng, memory):
    """Long runs of row hits of one direction, at paces that fill the buffer, empty it, and let refreshes in."""
    mapping = address_map(memory.default_map, memory)
    address, is_write, gap = [], [], []
    for _ in range(int(rng.integers(3, 9))):
        length = int(rng.choice([1, 3, 5, 40, 120]))
        start = sum(int(rng.integers(2)) << mapping.fields[name][0] for name in ("row", "bank"))
        address += [start + 64 * (i % 16) for i in range(length)]
        is_write += [rng.random() < 0.3] * length
        gap += [int(rng.choice([0, 1, 5, 40, 700]))] + [int(rng.choice([0, 1, 4, 5, 60]))] * (length - 1)
    return Trace.build("runs", cycle=np.cumsum(gap), is_write=is_write, address=address)


@pytest.mark.parametrize("seed", range(60))
def test_runs_of_row_hits_end_as_in_the_plain_model(seed):
    memory = device("DDR3-1600")
    rng = np.random.default_rng([seed, 11])
    trace, design = trace_of_runs(rng, memory), random_design(rng)
    plain = PlainController(trace, design, memory, address_map(memory.default_map, memory)).run()
    result = simulate(trace, [design], rules="archgym")
    cycles = np.sort(np.array(plain.done) - np.array(plain.sent))
    ns = memory.period_ps * 1e-3
    assert result.total_time_ns[0] == pytest.approx(max(plain.done) * ns), design
    assert result.latency_mean_ns[0] == pytest.approx(cycles.mean() * ns), design
    assert result.latency_p50_ns[0] == pytest.approx(cycles[len(cycles) // 2] * ns), design
    issued = [command for _, command, _, _ in plain.commands]
    for count, command in (("activates", "ACT"), ("precharges", "PRE"), ("reads", "RD"), ("reads_auto", "RDA"),
                           ("writes", "WR"), ("writes_auto", "WRA"), ("refreshes", "REFA")):  # fmt: skip
        assert getattr(result, count)[0] == issued.count(command), (design, count)


@pytest.mark.parametrize("kind", ["saturating", "sparse", "bursty"])
@pytest.mark.parametrize("name", DEVICES)
def test_same_commands_times_and_latencies_as_the_plain_model(name, kind):
    memory = device(name)
    rng = np.random.default_rng([DEVICES.index(name), len(kind)])
    for _ in range(12):
        trace, design = random_trace(rng, memory, kind=kind), random_design(rng)
        plain = PlainController(trace, design, memory, address_map(memory.default_map, memory)).run()
        prepared = PreparedTrace.build(trace, device=memory)
        ours = command_trace(prepared, design)
        expected = [(cycle, command, bank) for cycle, command, bank, _ in plain.commands]
        bank = ours.rank * memory.banks + ours.bank
        assert list(zip(ours.cycle, ours.command, bank, strict=True)) == expected, design
        result = simulate(prepared, [design], rules="archgym")
        assert result.total_time_ns[0] == pytest.approx(max(plain.done) * memory.period_ps * 1e-3)
        latency = np.array(plain.done) - np.array(plain.sent)
        assert result.latency_mean_ns[0] == pytest.approx(latency.mean() * memory.period_ps * 1e-3)


@pytest.mark.parametrize("name", DEVICES)
def test_every_command_keeps_its_distance_from_every_other(name):
    memory = device(name)
    rng = np.random.default_rng(5)
    plain = PlainController(
        random_trace(rng, memory, kind="saturating"),
        ControllerDesign(),
        memory,
        address_map(memory.default_map, memory),
    ).run()
    issued = command_trace(
        random_trace(np.random.default_rng(5), memory, kind="saturating"), ControllerDesign(), device=memory
    )
    codes = {name: code for code, name in enumerate(("ACT", "PRE", "RD", "WR", "PREA", "REFA", "RDA", "WRA"))}
    bank = issued.rank * memory.banks + issued.bank
    pairs = [(i, j) for j in range(len(bank)) for i in range(max(0, j - 40), j)]
    for i, j in pairs:
        first, second = codes[issued.command[i]], codes[issued.command[j]]
        needed = plain.distance(first, bank[i], second, bank[j])
        if bank[i] == bank[j]:
            needed = max(needed, plain.tables.same_bank[first, second])
        assert issued.cycle[j] - issued.cycle[i] >= needed
