"""SCALE-Sim's memory replayed: its printed stalls, DRAM reads and DRAM writes, and its output buffer by hand."""

from __future__ import annotations

import csv
from dataclasses import fields
from pathlib import Path

import pytest

from archgym_simulators.layers.inline import parse_inline
from archgym_simulators.layers.layer import conv, gemm
from archgym_simulators.systolic.drain import new_output_buffer, words_counted, write_words
from archgym_simulators.systolic.model import SystolicDesign, simulate
from archgym_simulators.systolic.replay import MemoryRun, replay_memory

SMALL = gemm("g33_17_65", 33, 17, 65)
CUBE = gemm("g64", 64, 64, 64)
WIDE = gemm("g100_70_130", 100, 70, 130)
STRIDED = conv("small_conv_s2", 8, channels=(16, 30), kernel=3, stride=2)
# SCALE-Sim 3.0.0, USER bandwidth: layer, dataflow, rows, columns, kB of each buffer, words a cycle, stall cycles, DRAM
# reads of inputs and of weights, DRAM writes as printed. The last five wait for the output buffer.
PRINTED = [
    (SMALL, "os", 8, 8, 2, 16, 100, 9216, 2048, 561),
    (SMALL, "ws", 16, 16, 2, 16, 84, 7168, 2048, 2820),
    (SMALL, "is", 32, 32, 2, 16, 488, 5120, 16384, 1698),
    (SMALL, "os", 12, 14, 64, 4, 0, 2340, 1820, 561),
    (STRIDED, "os", 16, 16, 16, 4, 19738, 90112, 4608, 1920),
    (STRIDED, "ws", 16, 16, 16, 4, 19068, 90112, 4608, 17283),
    (STRIDED, "is", 32, 32, 16, 4, 2110, 16384, 4800, 9603),
    (STRIDED, "ws", 8, 8, 2, 4, 5280, 46080, 26624, 34575),
    (CUBE, "ws", 32, 32, 2, 4, 4021, 16384, 16384, 8195),
    (CUBE, "is", 12, 14, 2, 4, 7276, 24576, 40960, 24583),
    (STRIDED, "ws", 12, 14, 2, 4, 5530, 36864, 13312, 23055),
    (WIDE, "ws", 16, 16, 16, 4, 19080, 106496, 16384, 63014),
    (WIDE, "is", 12, 14, 2, 4, 97227, 414720, 163840, 77011),
]


@pytest.mark.parametrize("row", PRINTED, ids=lambda row: f"{row[0].name}-{row[1]}-{row[2]}-{row[4]}kB-{row[5]}")
def test_stalls_and_transfers_are_those_printed(row):
    layer, dataflow, rows, columns, size, bandwidth, *printed = row
    buffers = dict.fromkeys(("ifmap_words", "filter_words", "ofmap_words"), 1024 * size)
    run = replay_memory(layer, dataflow=dataflow, rows=rows, columns=columns, **buffers, bandwidth=bandwidth)
    assert run == MemoryRun(*printed)


def test_half_a_buffer_drains_while_the_rest_fills():
    output = new_output_buffer(16, 4, 80)  # halves of 8 words, two cycles each
    assert [write_words(output, 4, now) for now in range(20)] == [0] * 20  # as fast as it drains
    # The ninth word closed a line, of which it alone was full; from there on drains start on full lines.
    assert words_counted(output, 80) == 80 + 3


def test_the_word_that_fills_the_buffer_waits_for_the_drain():
    output = new_output_buffer(16, 1, 64)  # halves of 8 words, eight cycles each
    assert write_words(output, 8, 0) == 0
    assert write_words(output, 15, 1) == 0  # the first of them starts a drain, over in cycle 8
    assert write_words(output, 1, 2) == 6
    assert write_words(output, 7, 9) == 0  # the first of them starts the next drain, over in cycle 16
    assert write_words(output, 1, 10) == 6


def test_a_full_buffer_that_is_left_alone_does_not_wait():
    output = new_output_buffer(16, 1, 64)
    write_words(output, 8, 0)
    write_words(output, 15, 1)
    assert write_words(output, 1, 8) == 0


def test_of_the_last_line_of_a_drain_only_its_words_count():
    output = new_output_buffer(16, 6, 64)  # drains of two lines, for 8 words and more
    assert write_words(output, 9, 0) == 0  # the ninth word closes the second line: three of its six places are taken
    assert words_counted(output, 9) == 9
    write_words(output, 2, 5)
    assert words_counted(output, 11) == 11


# 125 runs of SCALE-Sim 3.0.0 (PyPI, numpy 2.2.6) on random products and convolutions, one bank of ``bandwidth`` words a
# buffer. "seen": looked at when the rules were made; "unseen": run when they stood.
RUNS = list(csv.DictReader((Path(__file__).parent / "scalesim_runs.csv").read_text().splitlines()))


@pytest.mark.parametrize("run", RUNS, ids=lambda run: "-".join(list(run.values())[:6]))
def test_runs_of_the_tool_are_met(run):
    words = {f"{name}_words": 1024 * int(run[f"{name}_kb"]) for name in ("ifmap", "filter", "ofmap")}
    sides = {name: int(run[name]) for name in ("rows", "columns", "bandwidth")}
    found = replay_memory(parse_inline(run["layer"]), dataflow=run["dataflow"], **sides, **words)
    assert found == MemoryRun(*(int(run[field.name]) for field in fields(MemoryRun)))


def test_the_rules_of_the_tool_reach_the_result_with_groups_and_repetitions():
    design = SystolicDesign("os", 8, 8, 2048, 2048, 2048)
    one = simulate([SMALL], [design], bandwidth=16, rules="scalesim")
    assert one.stall_cycles[0] == 100
    assert one.total_cycles[0] == 1184 + 100
    assert one.dram_words[0] == 9216 + 2048 + 33 * 17  # no padding leaves the chip
    six = gemm("six", 33, 17, 65, groups=6)
    assert simulate([six], [design], bandwidth=16, rules="scalesim").stall_cycles[0] == 600


def test_the_default_rules_do_not_thrash():
    design = SystolicDesign("is", 8, 8, 16384, 16384, 16384)
    tool = simulate([WIDE], [design], bandwidth=4, rules="scalesim")
    ours = simulate([WIDE], [design], bandwidth=4)
    assert tool.dram_filter_reads[0] == 933_888  # as printed; 103 times the weights
    assert ours.dram_filter_reads[0] == 13 * 9_100
