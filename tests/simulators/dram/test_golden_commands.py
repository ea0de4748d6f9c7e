"""Command by command as DRAMSys 4.0 issued them: cycle, command, bank, row and column."""

import numpy as np
import pytest

from archgym_simulators.dram.model import command_trace, simulate
from tests.simulators.dram import references
from tests.simulators.dram.references import FOLDER, needs_references

CASES = references.golden() if FOLDER.is_dir() else [{"case": "none"}]


@needs_references
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_every_command_of_the_golden_trace(case):
    trace = references.trace(case["trace"].removesuffix(".stl"))
    issued = command_trace(trace, references.design_of(case["design"]))
    assert len(issued.cycle) == case["commands_total"]
    expected = references.golden_commands(case["case"])
    assert len(expected) == case["commands_in_file"]
    seen = slice(len(expected))
    assert issued.command[seen].tolist() == [row["cmd"] for row in expected]
    for ours, theirs in (("cycle", "cycle"), ("rank", "rank"), ("bank", "bank"), ("row", "row"), ("column", "col")):
        np.testing.assert_array_equal(getattr(issued, ours)[seen], [int(row[theirs]) for row in expected])


@needs_references
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_totals_of_the_golden_run(case):
    trace, design = references.trace(case["trace"].removesuffix(".stl")), references.design_of(case["design"])
    ours, theirs = simulate(trace, [design], rules="archgym"), case["result"]
    assert ours.total_time_ns[0] * 1000 == theirs["total_time_ps"]
    assert ours.energy_pj[0] == pytest.approx(theirs["energy_pJ"], rel=1e-12)
    assert ours.active_cycles[0] == theirs["dp_actcycles"]
    assert ours.precharged_cycles[0] == theirs["dp_precycles"]
    assert ours.precharged_banks[0] == theirs["dp_pres"]
    assert ours.latency_p50_ns[0] == theirs["lat_p50"]
    assert ours.latency_p99_ns[0] == theirs["lat_p99"]
    assert ours.latency_max_ns[0] == theirs["lat_max"]
