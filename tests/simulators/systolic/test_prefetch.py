"""SCALE-Sim's prefetch replayed: its printed DRAM reads and stalls."""

from __future__ import annotations

import pytest

from archgym_simulators.layers.layer import conv, gemm
from archgym_simulators.systolic.model import SystolicDesign, simulate
from archgym_simulators.systolic.prefetch import prefetch_run

SMALL = gemm("g33_17_65", 33, 17, 65)
CUBE = gemm("g64", 64, 64, 64)
STRIDED = conv("small_conv_s2", 8, channels=(16, 30), kernel=3, stride=2)
# SCALE-Sim 3.0.0, USER bandwidth: layer, dataflow, rows, columns, kB of each buffer, words a cycle, stall cycles, DRAM
# reads of inputs and of weights as printed. The last figure is how far our stalls may be off.
PRINTED = [
    (SMALL, "os", 8, 8, 2, 16, 100, 9216, 2048, 0),
    (SMALL, "ws", 16, 16, 2, 16, 84, 7168, 2048, 0),
    (SMALL, "is", 32, 32, 2, 16, 488, 5120, 16384, 0),
    (SMALL, "os", 12, 14, 64, 4, 0, 2340, 1820, 0),
    (SMALL, "is", 16, 16, 16, 16, 0, 3120, 1360, 0),
    (STRIDED, "os", 16, 16, 16, 4, 19738, 90112, 4608, 0),
    (STRIDED, "ws", 16, 16, 16, 4, 19068, 90112, 4608, 0),
    (STRIDED, "is", 32, 32, 16, 4, 2110, 16384, 4800, 0),
    (STRIDED, "ws", 8, 8, 2, 4, 5280, 46080, 26624, 0),
    (CUBE, "ws", 12, 14, 2, 4, 7276, 40960, 24576, 0.002),
]


@pytest.mark.parametrize("row", PRINTED, ids=lambda row: f"{row[0].name}-{row[1]}-{row[2]}-{row[4]}kB-{row[5]}")
def test_dram_reads_are_those_printed_and_stalls_nearly_so(row):
    layer, dataflow, rows, columns, size, bandwidth, stalls, inputs, weights, tolerance = row
    words = 1024 * size
    run = prefetch_run(
        layer,
        dataflow=dataflow,
        rows=rows,
        columns=columns,
        ifmap_words=words,
        filter_words=words,
        bandwidth=bandwidth,
    )
    assert (run.dram_ifmap_reads, run.dram_filter_reads) == (inputs, weights)
    assert run.stall_cycles == pytest.approx(stalls, rel=tolerance, abs=0)


def test_the_rules_of_the_tool_reach_the_result_with_groups_and_repetitions():
    design = SystolicDesign("os", 8, 8, 2048, 2048, 2048)
    one = simulate([SMALL], [design], bandwidth=16, rules="scalesim")
    assert one.stall_cycles[0] == 100
    assert one.total_cycles[0] == 1184 + 100
    assert one.dram_words[0] == 9216 + 2048 + one.ofmap_writes[0]
    six = gemm("six", 33, 17, 65, groups=6)
    assert simulate([six], [design], bandwidth=16, rules="scalesim").stall_cycles[0] == 600


def test_the_default_rules_do_not_thrash():
    design = SystolicDesign("is", 8, 8, 16384, 16384, 16384)
    layer = gemm("g100_70_130", 100, 70, 130)
    tool = simulate([layer], [design], bandwidth=4, rules="scalesim")
    ours = simulate([layer], [design], bandwidth=4)
    assert tool.dram_filter_reads[0] == 933_888  # as printed; 103 times the weights
    assert ours.dram_filter_reads[0] == 13 * 9_100
