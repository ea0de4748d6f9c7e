"""The extended space: equal to the standard one where nothing is added, and lawful where something is."""

from dataclasses import asdict, fields

import numpy as np
import pytest

from archgym.testing import check_env, check_simulator
from archgym_simulators import OK, InputError
from archgym_simulators.dram.device import device
from archgym_simulators.dram.extended_design import ExtendedDesign
from archgym_simulators.dram.extended_model import ExtendedTraces, extended_command_trace, simulate_extended
from archgym_simulators.dram.model import prepare, simulate
from archgym_simulators.dram.results import SimulationResult
from archgym_simulators.dram.simulator import DramSimulator
from archgym_simulators.dram.workloads import workload
from tests.simulators.dram.references import design_of, needs_references, table, trace
from tests.simulators.dram.test_extended_plain import DEVICES, random_extended_design, with_silences
from tests.simulators.dram.test_kernel_plain import random_design, random_trace

NAMES = [field.name for field in fields(SimulationResult)]
BACKGROUND = ("energy_pj", "energy_background_pj", "power_mw", "active_cycles", "precharged_cycles")


def trace_of(spec, capacity=2**30):
    return workload(spec, capacity_bytes=capacity).trace


# ---- equal where nothing is added ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rules", ["realistic", "archgym"])
@pytest.mark.parametrize("name", ["DDR3-1600", "DDR4-2400", "LPDDR4-3200", "HBM2"])
def test_a_design_that_adds_nothing_is_the_standard_one_to_the_bit(name, rules):
    memory, rng = device(name), np.random.default_rng(len(name))
    requests = random_trace(rng, memory, kind="bursty")
    designs = [random_design(rng) for _ in range(25)]
    same = [ExtendedDesign(**asdict(design)) for design in designs]
    standard = simulate(requests, designs, device=memory, address_map="row-bank-column", rules=rules)
    extended = simulate_extended(requests, same, device=memory, rules=rules, charge_queues=False)
    # The accounts of several ranks end together here, and each with its last command there.
    names = [n for n in NAMES if memory.ranks == 1 or n not in BACKGROUND]
    for field in names:
        np.testing.assert_array_equal(getattr(extended, field), getattr(standard, field), err_msg=field)


def test_queues_cost_area_and_energy_and_nothing_else():
    designs = [ExtendedDesign(request_buffer_size=size) for size in (1, 8, 64)]
    requests = trace_of("mixed:n=800")
    free = simulate_extended(requests, designs, charge_queues=False)
    charged = simulate_extended(requests, designs)
    for name in set(NAMES) - {"energy_pj", "power_mw"}:
        np.testing.assert_array_equal(getattr(free, name), getattr(charged, name), err_msg=name)
    np.testing.assert_array_equal(charged.energy_pj, free.energy_pj + charged.energy_queue_pj)
    assert (np.diff(charged.queue_area_um2) > 0).all()
    assert not free.queue_area_um2.any()
    # Flip-flops of 64 bits and, of eight banks with one entry each, comparators of 14 row bits.
    assert charged.queue_area_um2[0] == pytest.approx(8 * (64 * 4.522 + 14 * (1.596 + 0.798)))


def test_deeper_queues_than_requests_change_nothing_but_their_cost():
    requests = trace_of("mixed:n=30")
    two = simulate_extended(requests, [ExtendedDesign(request_buffer_size=n) for n in (48, 64)], charge_queues=False)
    assert two.total_time_ns[0] == two.total_time_ns[1]
    assert two.latency_p99_ns[0] == two.latency_p99_ns[1]


# ---- channels --------------------------------------------------------------------------------------------------------


def test_regions_of_an_address_space_that_is_used_in_one_are_one_channel():
    requests = trace_of("mixed:n=500", capacity=2**24)
    one, two = (
        simulate_extended(requests, [ExtendedDesign(channels=n, channel_interleaving="region")]) for n in (1, 2)
    )
    assert two.total_time_ns[0] == one.total_time_ns[0]
    assert two.latency_mean_ns[0] == one.latency_mean_ns[0]
    # The other channel stands by.
    assert two.energy_background_pj[0] > 1.5 * one.energy_background_pj[0]


def test_channels_serve_a_stream_side_by_side():
    requests = trace_of("random:n=2000")
    result = simulate_extended(requests, [ExtendedDesign(channels=n) for n in (1, 2, 4)])
    assert (np.diff(result.total_time_ns) < 0).all()
    assert result.bandwidth_gbps[2] > 1.5 * result.bandwidth_gbps[0]
    assert (result.reads + result.reads_auto == 2000).all()


def test_more_channels_than_fit_are_refused_by_number():
    with pytest.raises(InputError, match=r"channels 4 is out of range for HBM2; allowed are at most 2"):
        simulate_extended(trace_of("stream:n=10"), [ExtendedDesign(channels=4)], device="HBM2")


@needs_references
def test_four_channels_of_wideio_take_as_long_as_in_dramsys():
    rows = [row for row in table("dramsys_other_devices_dev") if "WIDEIO" in row["device"]]
    assert len(rows) == 70
    errors = []
    for name in sorted({row["trace"] for row in rows}):
        mine = [row for row in rows if row["trace"] == name]
        prepared = prepare(trace(name), device="WideIO-266", player_clock_mhz=266.0)
        ours = simulate(prepared, [design_of(row) for row in mine], rules="archgym")
        for metric in ("total_time_ns", "latency_mean_ns"):
            theirs = np.array([float(row[metric]) for row in mine])
            errors.append((metric, np.abs(getattr(ours, metric) / theirs - 1.0)))
    time = np.concatenate([error for metric, error in errors if metric == "total_time_ns"])
    latency = np.concatenate([error for metric, error in errors if metric == "latency_mean_ns"])
    assert np.count_nonzero(time < 1e-9) >= 68
    assert time.max() < 2e-4
    assert latency.max() < 4e-3


# ---- power-down ------------------------------------------------------------------------------------------------------


def idle_run(**choice):
    requests = with_silences(trace_of("random:n=500"), device("DDR3-1600"))
    return simulate_extended(requests, [ExtendedDesign(**choice)], charge_queues=False)


def test_sleep_saves_background_energy_and_costs_latency():
    awake, asleep = idle_run(), idle_run(power_down="PrechargeIdle")
    assert asleep.energy_background_pj[0] < 0.7 * awake.energy_background_pj[0]
    assert asleep.latency_mean_ns[0] > awake.latency_mean_ns[0]
    assert asleep.precharge_down_cycles[0] > 0
    assert asleep.active_down_cycles[0] == 0


def test_every_state_has_its_current():
    memory = device("DDR3-1600")
    run = idle_run(power_down="SelfRefreshIdle", power_down_exit="Slow")
    assert run.self_refresh_cycles[0] > 0
    milliamperes = {
        "active_cycles": "i3n",
        "precharged_cycles": "i2n",
        "active_down_cycles": "i3p1",
        "precharge_down_cycles": "i2p0",
        "self_refresh_cycles": "i6",
    }
    charge = sum(getattr(run, cycles)[0] * memory.power[current] for cycles, current in milliamperes.items())
    assert run.energy_background_pj[0] == pytest.approx(charge * memory.power["vdd"] * 1.25 * memory.devices)


def test_self_refresh_pays_for_the_refreshes_of_its_time():
    owed = {policy: idle_run(power_down=policy).refreshes_owed[0] for policy in ("PrechargeIdle", "SelfRefreshIdle")}
    assert owed["SelfRefreshIdle"] == 0
    fewer = idle_run(power_down="SelfRefreshIdle").refreshes[0]
    assert fewer < idle_run(power_down="PrechargeIdle").refreshes[0]


# ---- every command in its time ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DEVICES)
def test_commands_keep_the_distances_of_the_standard(name):
    memory, rng = device(name), np.random.default_rng(len(name))
    for kind in ("sparse", "bursty"):
        requests = with_silences(random_trace(rng, memory, kind=kind), memory)
        for _ in range(6):
            issued = extended_command_trace(ExtendedTraces(requests, memory), random_extended_design(rng, memory))
            check_distances(issued, memory)


def check_distances(issued, memory):
    t, column = memory.timing, ("RD", "WR", "RDA", "WRA")
    last = {}  # (command, rank or (rank, bank)) -> cycle
    asleep = {}  # rank -> since
    for cycle, command, rank, bank in zip(issued.cycle, issued.command, issued.rank, issued.bank, strict=True):
        here = (rank, bank)

        def since(name, where, cycle=cycle):
            return cycle - last.get((name, where), -(10**9))

        if command in ("PDEA", "PDEP", "SREN"):
            assert rank not in asleep
            asleep[rank] = cycle
            assert command != "PDEP" or since("REFA", rank) >= t["rfc"]
        elif command in ("PDX", "SREX"):
            shortest = t["cke"] if command == "PDX" else t.get("ckesr", t.get("sr", t["cke"]))
            assert cycle - asleep.pop(rank) >= shortest
        else:
            assert rank not in asleep
            assert since("PDX", rank) >= t["xp"]
            assert since("SREX", rank) >= t["xs"]
            if command in column and "xsdll" in t:
                assert since("SREX", rank) >= t["xsdll"]
        if command in (*column, "ACT", "REFB"):
            assert since("REFA", rank) >= t["rfc"] - 2
        if command == "ACT":
            assert since("REFB", here) >= t.get("rfc_pb", 0) - 2
            assert since("ACT", here) >= t["rc"]
        if command == "REFB":
            assert since("REFB", here) >= t["rfc_pb"]
            assert since("ACT", here) >= t["rc"]
        last[command, rank] = last[command, here] = cycle


def test_per_bank_refreshes_take_turns():
    memory = device("LPDDR4-3200")
    requests = trace_of("random:n=3000@0.02")
    design = ExtendedDesign(refresh_policy="PerBank", refresh_max_postponed=1, refresh_max_pulledin=1)
    issued = extended_command_trace(ExtendedTraces(requests, memory), design)
    banks = issued.bank[issued.command == "REFB"]
    assert len(banks) > 3 * memory.banks
    for start in range(0, len(banks) - memory.banks, memory.banks):
        assert sorted(banks[start : start + memory.banks]) == list(range(memory.banks))
    cycles = issued.cycle[issued.command == "REFB"]
    late = cycles - memory.timing["refi_pb"] * np.arange(1, len(cycles) + 1)
    assert np.abs(late).max() <= memory.timing["refi_pb"] * (memory.banks + 1)


def test_per_bank_refresh_answers_sooner_than_refresh_of_all_banks():
    requests = trace_of("random:n=4000@0.05")
    designs = [ExtendedDesign(refresh_policy=policy, refresh_max_postponed=1) for policy in ("AllBank", "PerBank")]
    together, apart = simulate_extended(requests, designs, device="LPDDR4-3200").latency_p99_ns
    assert apart < together


def test_hashing_spreads_the_rows_of_a_bank_conflict():
    requests = trace_of("stride:65536,n=2000")
    plain, spread = simulate_extended(
        requests, [ExtendedDesign(bank_hashing=choice) for choice in ("Off", "On")]
    ).total_time_ns
    assert spread < 0.7 * plain


def test_the_standard_space_takes_a_device_of_several_channels():
    simulator = DramSimulator("mixed:n=500", device="WideIO-266")
    outcome = simulator.evaluate(np.array([simulator.baseline.row]))
    assert outcome.status[0] == OK
    assert np.isfinite(outcome.values).all()


def test_a_map_is_not_an_option_of_a_space_in_which_designs_choose_it():
    with pytest.raises(InputError, match=r"address_map 'bank-row-column': designs of the extended space choose it"):
        DramSimulator("stream:n=10", space="extended", address_map="bank-row-column")
    with pytest.raises(InputError, match=r"unknown space 'extendd'; did you mean 'extended'\?"):
        DramSimulator("stream:n=10", space="extendd")


@pytest.mark.parametrize("name", ["DDR3-1600", "DDR3-1866", "DDR4-2400", "LPDDR4-3200", "HBM2", "WideIO-266"])
def test_the_simulator_keeps_the_contract(name):
    check_simulator("archgym/DRAM-v0", workload="mixed:n=300", n=48, device=name, space="extended")


def test_the_environment_keeps_the_contract():
    check_env("archgym/DRAM-v0", workload="mixed:n=200", space="extended")


def test_what_a_device_cannot_do_is_not_in_its_space():
    parameters = {
        name: {p.name: p for p in DramSimulator("stream:n=4", device=name, space="extended").space.parameters}
        for name in ("DDR3-1600", "DDR3-1866", "LPDDR4-3200", "WideIO-266")
    }
    assert "power_down" not in parameters["DDR3-1866"]  # no tXP in its table
    assert "power_down_exit" not in parameters["LPDDR4-3200"]
    assert "PerBank" in parameters["LPDDR4-3200"]["refresh_policy"].choices
    assert "PerBank" not in parameters["DDR3-1600"]["refresh_policy"].choices
    assert parameters["WideIO-266"]["channels"].choices == (4,)
