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
