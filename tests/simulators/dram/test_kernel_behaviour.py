"""What must hold of the model whatever the reference says."""

import numpy as np
import pytest

from archgym_simulators.dram.controller import ControllerDesign, DesignArrays
from archgym_simulators.dram.device import device
from archgym_simulators.dram.model import METRICS, PreparedTrace, SimulationResult, command_trace, simulate
from archgym_simulators.dram.trace import Trace
from archgym_simulators.errors import InputError
from tests.simulators.dram.test_kernel_plain import random_design, random_trace


def designs(count, seed=0):
    rng = np.random.default_rng(seed)
    return [random_design(rng) for _ in range(count)]


def mixed_trace(seed=1):
    return random_trace(np.random.default_rng(seed), device("DDR3-1600"), kind="bursty")


def reads(cycle, address, **options):
    return Trace.build("reads", cycle=cycle, is_write=np.zeros(len(cycle), bool), address=address, **options)


def assert_same_bits(one: SimulationResult, other: SimulationResult):
    for name in vars(one):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_do_not_change_a_bit(threads):
    trace, many = PreparedTrace.build(mixed_trace()), designs(100)
    assert_same_bits(simulate(trace, many), simulate(trace, many, threads=threads))


def test_batches_do_not_change_a_bit():
    trace, many = PreparedTrace.build(mixed_trace()), designs(40)
    order = np.random.default_rng(0).permutation(len(many))
    together, shuffled = simulate(trace, many), simulate(trace, [many[i] for i in order])
    one_by_one = [simulate(mixed_trace(), [design]) for design in many]
    for name in METRICS:
        np.testing.assert_array_equal(getattr(together, name)[order], getattr(shuffled, name))
        np.testing.assert_array_equal(getattr(together, name), [getattr(one, name)[0] for one in one_by_one])


def test_traces_of_different_length_take_turns():
    short, long = PreparedTrace.build(reads([0, 1], [0, 64])), PreparedTrace.build(mixed_trace())
    first = simulate(long, designs(3))
    simulate(short, designs(3))
    assert_same_bits(first, simulate(long, designs(3)))


def test_one_read_of_an_idle_memory_takes_activation_and_read_latency():
    result = simulate(reads([0], [0]), [ControllerDesign()], rules="archgym")
    t = device("DDR3-1600").timing
    assert result.total_time_ns[0] == 1.25 * (t["rcd"] + t["rl"] + 4)
    assert result.latency_mean_ns[0] == result.latency_max_ns[0] == result.total_time_ns[0]


def test_percentiles_are_those_of_the_sorted_latencies():
    rng = np.random.default_rng(3)
    # Behind a Fifo arbiter one conflict after the other: latencies grow beyond the histogram's bins.
    address = (rng.integers(0, 2**14, 2500) << 16).tolist()
    trace = reads(np.zeros(2500, dtype=int), address)
    design = ControllerDesign(arbiter="Reorder", max_active_transactions=4096, page_policy="Closed")
    result = simulate(trace, [design], rules="archgym")
    assert result.latency_max_ns[0] > 2048 * 1.25
    issued = command_trace(trace, design)
    t = device("DDR3-1600").timing
    ready = issued.cycle[issued.command == "RDA"] + t["rl"] + 4
    # Accepted one a cycle; returned in order, one a cycle. Requests to one bank are served in order.
    done = np.maximum.accumulate(ready - np.arange(2500)) + np.arange(2500)
    latency = np.sort(done - np.arange(2500)) * 1.25
    assert result.latency_p50_ns[0] == latency[1250]
    assert result.latency_p99_ns[0] == latency[2475]
    assert result.latency_mean_ns[0] == pytest.approx(latency.mean())


def test_realistic_rules_charge_the_refreshes_owed():
    trace = reads([0, 4 * 6240], [0, 1 << 16])
    design = ControllerDesign(refresh_policy="NoRefresh")
    free, charged = (simulate(trace, [design], rules=rules) for rules in ("archgym", "realistic"))
    assert charged.refreshes_owed[0] == 4
    assert charged.total_time_ns[0] - free.total_time_ns[0] == 4 * 88 * 1.25
    # 15 pJ units: refresh 88 x (170 - 45), background 88 x 45, each four times.
    assert charged.energy_pj[0] - free.energy_pj[0] == pytest.approx(15 * 4 * (88 * 125 + 88 * 45))
    assert charged.energy_refresh_pj[0] == pytest.approx(15 * 4 * 88 * 125)
    assert charged.latency_mean_ns[0] == free.latency_mean_ns[0]


def test_refreshes_done_early_pay_for_the_run_only():
    idle = reads([0, 20 * 6240], [0, 1 << 16])
    eager = simulate(idle, [ControllerDesign(refresh_max_pulledin=8)], rules="realistic")
    assert eager.refreshes[0] > 20
    assert eager.refreshes_owed[0] == 0
    assert eager.total_time_ns[0] == simulate(idle, [ControllerDesign()], rules="archgym").total_time_ns[0]


def test_a_run_with_every_refresh_in_time_owes_nothing():
    trace = mixed_trace()
    result = simulate(trace, [ControllerDesign(refresh_max_postponed=1)], rules="realistic")
    assert result.refreshes_owed[0] <= 1


def test_inert_parameters_do_nothing():
    trace = PreparedTrace.build(mixed_trace())
    simple = [ControllerDesign(arbiter="Simple", max_active_transactions=n) for n in (1, 128)]
    unrefreshed = [
        ControllerDesign(refresh_policy="NoRefresh", refresh_max_postponed=n, refresh_max_pulledin=9 - n)
        for n in (1, 8)
    ]
    for pair in (simple, unrefreshed):
        result = simulate(trace, pair)
        assert all(getattr(result, name)[0] == getattr(result, name)[1] for name in METRICS)


@pytest.mark.parametrize("size", [32, 64])
def test_buffers_beyond_the_index_space(size):
    trace = PreparedTrace.build(mixed_trace())
    small, large = (
        simulate(trace, [ControllerDesign(request_buffer_size=n, scheduler_buffer="Shared")]) for n in (1, size)
    )
    assert large.total_time_ns[0] <= small.total_time_ns[0]


def test_every_request_is_served_once():
    trace = mixed_trace()
    result = simulate(trace, designs(30), device="LPDDR4-3200")
    writes = int(trace.is_write.sum())
    assert (result.reads + result.reads_auto == len(trace) - writes).all()
    assert (result.writes + result.writes_auto == writes).all()
    assert (result.activates >= result.precharged_banks).all()


def test_a_faster_player_clock_sends_earlier():
    trace = reads(np.arange(200) * 40, np.arange(200) << 13)
    design = ControllerDesign(refresh_policy="NoRefresh")
    for clock, period_ns in ((400, 2.5), (800, 1.25), (1600, 0.625)):
        result = simulate(trace, [design], player_clock_mhz=clock, rules="archgym")
        assert result.total_time_ns[0] == pytest.approx(199 * 40 * period_ns, rel=0.01)


def test_player_clock_of_the_same_length_is_the_same_bits():
    trace = mixed_trace()
    assert_same_bits(simulate(trace, designs(5)), simulate(trace, designs(5), player_clock_mhz=800.0))


def test_relative_time_stamps_count_from_the_previous_send():
    apart = reads([0, 100, 100, 100], [0, 1 << 16, 2 << 16, 3 << 16], relative=True)
    absolute = reads([0, 100, 200, 300], [0, 1 << 16, 2 << 16, 3 << 16])
    assert_same_bits(simulate(apart, designs(5)), simulate(absolute, designs(5)))


def test_no_designs_give_empty_arrays():
    result = simulate(mixed_trace(), [])
    assert all(getattr(result, name).shape == (0,) for name in METRICS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"page_policy": "Opne"}, r"page_policy 'Opne' is unknown.*did you mean 'Open'"),
        ({"request_buffer_size": 0}, r"request_buffer_size 0 is out of range; allowed are whole numbers 1\.\."),
        ({"max_active_transactions": 2.5}, r"max_active_transactions 2\.5 is out of range"),
    ],
)
def test_wrong_design_values_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        ControllerDesign(**change)


def test_wrong_columns_are_refused_with_row_and_nearest_match():
    columns = {name: [getattr(ControllerDesign(), name)] * 2 for name in vars(ControllerDesign())}
    with pytest.raises(InputError, match=r"design 1: arbiter 'Fifoo' is unknown; .*did you mean 'Fifo'"):
        DesignArrays.from_columns(columns | {"arbiter": ["Fifo", "Fifoo"]})
    with pytest.raises(InputError, match="column 'arbiter' is missing"):
        DesignArrays.from_columns({name: value for name, value in columns.items() if name != "arbiter"})
    with pytest.raises(InputError, match=r"design 1: request_buffer_size 0 is out of range"):
        simulate(mixed_trace(), DesignArrays.from_columns(columns | {"request_buffer_size": [1, 0]}))


def test_wrong_options_are_refused():
    with pytest.raises(InputError, match=r"unknown rules 'realisitc'.*did you mean 'realistic'"):
        simulate(mixed_trace(), designs(1), rules="realisitc")
    with pytest.raises(InputError, match="threads 0 is out of range"):
        simulate(mixed_trace(), designs(1), threads=0)
    with pytest.raises(InputError, match=r"player_clock_mhz -1 is out of range"):
        simulate(mixed_trace(), designs(1), player_clock_mhz=-1)
    with pytest.raises(InputError, match="too many for one simulation"):
        PreparedTrace.build(reads(np.arange(5000) * 2**27, np.zeros(5000, dtype=int)))


def test_columns_and_objects_are_the_same_designs():
    many = designs(20)
    columns = {name: [getattr(design, name) for design in many] for name in vars(many[0])}
    np.testing.assert_array_equal(DesignArrays.of(many).stack(), DesignArrays.from_columns(columns).stack())
