"""The extended event loop issues the same commands as a plain model with lists, histories and power states."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from archgym_simulators.dram.device import device
from archgym_simulators.dram.extended_design import POWER_DOWN, REFRESH, ExtendedDesign
from archgym_simulators.dram.extended_model import ExtendedTraces, extended_command_trace, simulate_extended
from archgym_simulators.dram.extended_trace import has_bank_refresh, has_slow_exit, most_channels
from archgym_simulators.dram.interleaving import INTERLEAVINGS, hashed, interleaved, orders_of
from tests.simulators.dram.plain_memory import PlainMemory
from tests.simulators.dram.plain_power import ACTIVE_DOWN, PRECHARGE_DOWN, SELF
from tests.simulators.dram.test_kernel_plain import random_design, random_trace

DEVICES = ("DDR3-1600", "DDR4-2400", "LPDDR4-3200", "HBM2", "MICRON_2GB_DDR3-1600_64bit_G_UDIMM", "WideIO-266")


def random_extended_design(rng, memory):
    base = random_design(rng)
    refresh = str(rng.choice(REFRESH if has_bank_refresh(memory) else REFRESH[:2]))
    counts = [n for n in (1, 2, 4) if n <= most_channels(memory) and n >= memory.channels]
    return ExtendedDesign(
        **(asdict(base) | {"refresh_policy": refresh}),
        power_down=str(rng.choice(POWER_DOWN)),
        power_down_after=int(rng.choice([0, 5, 40, 300])),
        power_down_exit=str(rng.choice(["Fast", "Slow"])) if has_slow_exit(memory) else "Fast",
        address_map=str(rng.choice(orders_of(memory))),
        bank_hashing=str(rng.choice(["Off", "On"])),
        channels=int(rng.choice(counts)),
        channel_interleaving=str(rng.choice(INTERLEAVINGS)),
    )


def plain_run(trace, design, memory):
    mapping = interleaved(
        design.address_map, memory, channels=design.channels, interleaving=design.channel_interleaving
    )
    mapping = hashed(mapping, memory) if design.bank_hashing == "On" else mapping
    return PlainMemory(trace, design, memory, mapping, design.channels).run()


def with_silences(trace, memory):
    """The trace with gaps of several refresh intervals, for self-refresh."""
    gaps = np.repeat(np.arange(5) * 5 * memory.timing["refi"] // 2, len(trace) // 5)
    return replace(trace, cycle=trace.cycle + gaps)


@pytest.mark.parametrize("kind", ["saturating", "sparse", "bursty", "silent"])
@pytest.mark.parametrize("name", DEVICES)
def test_same_commands_times_and_states_as_the_plain_model(name, kind):
    memory = device(name)
    rng = np.random.default_rng([DEVICES.index(name), len(kind), 7])
    for _ in range(5):
        trace = random_trace(rng, memory, kind="saturating" if kind == "silent" else kind)
        trace = with_silences(trace, memory) if kind == "silent" else trace
        design = random_extended_design(rng, memory)
        plain = plain_run(trace, design, memory)
        end = max(plain.done)
        traces = ExtendedTraces(trace, memory)
        ours = extended_command_trace(traces, design)
        bank = ours.rank * memory.banks + ours.bank
        # What happens to a rank after the last response depends on where a run is cut off.
        issued = zip(ours.cycle.tolist(), ours.command.tolist(), bank.tolist(), strict=True)
        issued = [one for one in issued if one[0] <= end]
        assert sorted(issued) == sorted(one[:3] for one in awake_commands(plain, end)), design
        result = simulate_extended(traces, [design], rules="archgym")
        assert result.total_time_ns[0] == pytest.approx(end * memory.period_ps * 1e-3)
        latency = np.array(plain.done) - np.array(plain.sent)
        assert result.latency_mean_ns[0] == pytest.approx(latency.mean() * memory.period_ps * 1e-3)
        for state, cycles in states_of(result).items():
            assert cycles >= sum(rank.cycles[state] for rank in plain.ranks)


def awake_commands(plain, end):
    """The plain model's commands up to the end, without the entry of a power-down that nothing ended."""
    asleep = {(rank.since, rank.state, n * plain.device.banks) for n, rank in enumerate(plain.ranks)}
    unended = {one for one in asleep if one[1] in (ACTIVE_DOWN, PRECHARGE_DOWN)}
    return [one for one in plain.commands if one[0] <= end and one[:3] not in unended]


def states_of(result):
    return {
        ACTIVE_DOWN: result.active_down_cycles[0],
        PRECHARGE_DOWN: result.precharge_down_cycles[0],
        SELF: result.self_refresh_cycles[0],
    }
