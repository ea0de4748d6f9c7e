"""Cycles and accesses against a demand matrix written out cycle by cycle, and against SCALE-Sim's printed figures."""

from __future__ import annotations

import numpy as np
import pytest

from archgym_simulators.errors import InputError
from archgym_simulators.layers.layer import conv, gemm
from archgym_simulators.layers.workloads import workload
from archgym_simulators.systolic.model import SystolicDesign, simulate


def design(dataflow="os", rows=8, columns=8, words=65_536):
    return SystolicDesign(dataflow, rows, columns, words, words, words)


def walk(dataflow, rows, columns, m, n, k):
    """Cycles, input reads, weight reads and output writes, by asking every edge of the array in every cycle."""
    across, along, steps = {"os": (m, n, k), "ws": (k, n, m), "is": (k, m, n)}[dataflow]
    load = 0 if dataflow == "os" else rows
    cycles = streamed = second = results = 0
    for first_column in range(0, along, columns):
        for first_row in range(0, across, rows):
            width = min(columns, along - first_column)
            height = min(rows, across - first_row)
            for cycle in range(load + rows + columns + steps - 2):
                cycles += 1
                streamed += sum(0 <= cycle - load - row < steps for row in range(height))
                if dataflow == "os":
                    second += sum(0 <= cycle - column < steps for column in range(width))
                elif cycle < load:  # one row of the stationary tile a cycle
                    second += width if cycle < height else 0
            results += width * height if dataflow == "os" else width * steps
    inputs, weights = (second, streamed) if dataflow == "is" else (streamed, second)
    return cycles - 1, inputs, weights, results


@pytest.mark.parametrize("dataflow", ["os", "ws", "is"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 7, 3), (9, 4, 17), (3, 20, 2), (16, 8, 8)])
@pytest.mark.parametrize("sides", [(1, 1), (4, 3), (2, 8), (16, 16)])
def test_counts_are_those_of_the_array_walked_cycle_by_cycle(dataflow, shape, sides):
    result = simulate([gemm("g", *shape)], [design(dataflow, *sides)], bandwidth=None)
    found = (result.compute_cycles[0], result.ifmap_reads[0], result.filter_reads[0], result.ofmap_writes[0])
    assert found == walk(dataflow, *sides, *shape)
    m, n, k = shape
    assert result.utilisation[0] == m * n * k / (max(found[0], 1) * sides[0] * sides[1])
    assert result.stall_cycles[0] == (found[0] == 0)  # one word still takes one cycle


# SCALE-Sim 3.0.0: M, N, K, rows, columns, dataflow, cycles, input reads, weight reads, output writes as printed.
PRINTED = [
    (33, 17, 65, 12, 14, "os", 533, 4290, 3315, 717),
    (33, 17, 65, 32, 8, "os", 617, 6435, 2210, 801),
    (33, 17, 65, 8, 8, "ws", 1484, 6435, 1105, 5049),
    (33, 17, 65, 32, 32, "is", 665, 2145, 2210, 1683),
    (100, 70, 130, 16, 16, "is", 7307, 13000, 63700, 63000),
    (100, 70, 130, 12, 14, "ws", 7479, 65000, 9100, 77000),
]


@pytest.mark.parametrize("row", PRINTED)
def test_counts_are_those_that_scalesim_prints(row):
    m, n, k, rows, columns, dataflow, *expected = row
    result = simulate([gemm("g", m, n, k)], [design(dataflow, rows, columns)], bandwidth=None)
    counts = [result.compute_cycles[0], result.ifmap_reads[0], result.filter_reads[0]]
    assert counts == expected[:3]
    assert result.stall_cycles[0] == 0
    if dataflow == "os":  # the tool adds rows + columns for every fold; ours are the outputs
        folds = -(-m // rows) * -(-n // columns)
        assert result.ofmap_writes[0] == m * n == expected[3] - folds * (rows + columns)
    else:
        assert result.ofmap_writes[0] == expected[3]
    as_tool = simulate([gemm("g", m, n, k)], [design(dataflow, rows, columns)], bandwidth=None, rules="scalesim")
    assert as_tool.ofmap_writes[0] == expected[3]


def test_a_network_is_the_sum_of_its_layers_with_groups_and_repetitions():
    designs = [design(dataflow, 12, 20, 4096) for dataflow in ("os", "ws", "is")]
    network = workload("mobilenet-v2").layers
    whole = simulate(network, designs, bandwidth=4)
    for name in ("compute_cycles", "total_cycles", "ifmap_reads", "ofmap_reads", "dram_words", "dram_ofmap_writes"):
        parts = sum(
            layer.repeat * layer.groups * getattr(simulate([_one_group(layer)], designs, bandwidth=4), name)
            for layer in network
        )
        assert np.array_equal(getattr(whole, name), parts)
    assert whole.macs == workload("mobilenet-v2").total_macs


def _one_group(layer):
    return type(layer)(**{**vars(layer), "groups": 1, "repeat": 1, "kind": "conv"})


def test_what_fits_is_fetched_once_and_what_does_not_comes_anew():
    layer = gemm("g", 100, 70, 130)  # 13,000 inputs, 9,100 weights
    roomy = simulate([layer], [design("os", 10, 10, 2 * 13_000)], bandwidth=4)
    assert (roomy.dram_ifmap_reads[0], roomy.dram_filter_reads[0], roomy.dram_ofmap_writes[0]) == (13_000, 9_100, 7_000)
    tight = simulate([layer], [design("os", 10, 10, 2 * 13_000 - 2)], bandwidth=4)
    assert tight.dram_ifmap_reads[0] == 7 * 13_000  # once for each of 7 column folds
    assert tight.dram_filter_reads[0] == 9_100  # a fold of 10 columns needs 1,300 words
    tiny = simulate([layer], [design("os", 10, 10, 2 * 1_300 - 2)], bandwidth=4)
    assert tiny.dram_filter_reads[0] == 10 * 9_100


def test_partial_sums_that_do_not_fit_go_off_the_chip_and_back():
    layer = gemm("g", 50, 8, 24)  # 3 folds of K on 8 rows; a fold makes 8 x 50 sums
    fits = simulate([layer], [SystolicDesign("ws", 8, 8, 9999, 9999, 800)], bandwidth=4)
    spills = simulate([layer], [SystolicDesign("ws", 8, 8, 9999, 9999, 798)], bandwidth=4)
    assert (fits.dram_ofmap_reads[0], fits.dram_ofmap_writes[0]) == (0, 400)
    assert (spills.dram_ofmap_reads[0], spills.dram_ofmap_writes[0]) == (800, 1200)
    assert fits.ofmap_reads[0] == spills.ofmap_reads[0] == 800


def test_windows_that_overlap_are_fetched_as_pixels():
    layer = conv("c", 14, channels=(8, 4), kernel=3)
    result = simulate([layer], [design("os", 8, 8, 10**6)], bandwidth=1)
    assert result.dram_ifmap_reads[0] == 8 * 16 * 16
    strided = conv("c", 14, channels=(8, 4), kernel=1, stride=2)  # most pixels are read by no window
    assert simulate([strided], [design("os", 8, 8, 10**6)], bandwidth=1).dram_ifmap_reads[0] == 8 * 14 * 14


def test_the_memory_bounds_the_time_when_it_is_slower_than_the_array():
    layer = gemm("g", 64, 64, 64)
    fast, slow = (simulate([layer], [design("ws", 32, 32)], bandwidth=b) for b in (10_000, 3))
    assert fast.total_cycles[0] == fast.compute_cycles[0]
    assert slow.total_cycles[0] == -(-slow.dram_words[0] // 3) > slow.compute_cycles[0]
    assert slow.stall_cycles[0] == slow.total_cycles[0] - slow.compute_cycles[0]


def test_larger_buffers_never_cost_traffic_and_more_bandwidth_never_costs_time():
    rng = np.random.default_rng(5)
    for dataflow in ("os", "ws", "is"):
        sizes = [2 ** int(power) for power in range(8, 20)]
        layer = gemm("g", *(int(x) for x in rng.integers(1, 600, 3)))
        words = simulate([layer], [design(dataflow, 24, 40, size) for size in sizes], bandwidth=8).dram_words
        assert (np.diff(words) <= 0).all()
        times = [simulate([layer], [design(dataflow)], bandwidth=b).total_cycles[0] for b in (1, 2, 8, 64)]
        assert (np.diff(times) <= 0).all()


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (lambda: SystolicDesign("wss", 8, 8, 9, 9, 9), "did you mean 'ws'"),
        (lambda: SystolicDesign("ws", 0, 8, 9, 9, 9), "rows must be a whole number"),
        (lambda: SystolicDesign("ws", 8, -8, 9, 9, 9), "columns must be a whole number 1..4096, not -8"),
        (lambda: simulate([gemm("g", 1, 1, 1)], [design()], bandwidth=0), "bandwidth must be a whole number"),
        (lambda: simulate([gemm("g", 1, 1, 1)], [design()], bandwidth=1, rules="scale"), "did you mean 'scalesim'"),
        (lambda: simulate([gemm("g", 2**20, 2**20, 2**10)], [design()], bandwidth=1), "needs 1.13e+15 MACs; at most"),
    ],
)
def test_wrong_designs_and_options_are_refused_in_one_line(make, part):
    with pytest.raises(InputError) as caught:
        make()
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)
