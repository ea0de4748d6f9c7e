import json
import os
import sys
import tempfile
import textwrap

import numpy as np
import pytest

from archgym_simulators import FAILED, INVALID, OK, InputError, SimulationFailed
from archgym_simulators.dram.design import controller_space
from archgym_simulators.external.dramsys import DramSys
from archgym_simulators.external.ramulator2 import Ramulator2
from archgym_simulators.external.units import in_unit

SUMMARY = """
DRAMSys.controller0  Total Time:     {time}
DRAMSys.controller0  AVG BW:          87.97 Gb/s |  11.00 GB/s |  73.67 %
DRAMSys.controller0  AVG BW\\IDLE:     90.01 Gb/s |  11.25 GB/s |  75.67 %
DRAMSys.controller0  MAX BW:         119.40 Gb/s |  14.93 GB/s | 100.00 %
DRAMSys.dram0  Total Energy:   85114934.40 pJ
DRAMSys.dram0  Average Power:  1701.45 mW
"""
STATISTICS = """
[Ramulator::LoadStoreTrace] [info] Loaded 5 lines.
MemorySystem:
  impl: GenericDRAM
  total_num_read_requests: 5
  memory_system_cycles: 92181
  DRAM:
    impl: DDR4
  Controller:
    impl: Generic
    id: Channel 0
    avg_read_latency_0: 12.5
"""


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def trace(tmp_path):
    file = tmp_path / "small.stl"
    file.write_text("0: read 0x40\n3: write 0x2080\n9: read 0x40\n")
    return str(file)


def program(folder, body):
    """A stand-in for a simulator's binary."""
    file = folder / "stand-in"
    file.write_text(f"#!{sys.executable} -IS\nimport os, sys, time\n{textwrap.dedent(body)}")
    file.chmod(0o755)
    return str(file)


def prints(text):
    return f"sys.stdout.write({text!r})"


def outcome(simulator):
    row = np.array([simulator.baseline.row])
    evaluation = simulator.evaluate(row)
    return evaluation.status[0], evaluation.reason_name(0), evaluation.values[0].tolist()


# ---- units -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [("50300 ns", "ns", 50300.0), ("50468750 ps", "ns", 50468.75), ("  3us ", "ns", 3000.0), ("1.5e-3 s", "ns", 1.5e6),
     ("2.5 uJ", "pJ", 2.5e6), ("1 W", "mW", 1000.0), ("11 GB/s", "MB/s", 11000.0)],
)  # fmt: skip
def test_quantities_are_converted_by_their_unit(text, unit, number):
    assert in_unit(text, unit) == number


@pytest.mark.parametrize("text", ["50300", "ns", "50 parsecs", "3 pJ", "11 GB/s", "", "1 2 ns", "nan ns"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(SimulationFailed, match=r"expected|unknown unit"):
        in_unit(text, "ns")


# ---- DRAMSys ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("time", "time_ns"), [("50300 ns", 50300.0), ("50468750 ps", 50468.75), ("51 us", 51000.0)])
def test_dramsys_times_are_read_with_their_unit(tmp_path, trace, time, time_ns):
    simulator = DramSys(trace, binary=program(tmp_path, prints(SUMMARY.format(time=time))))
    assert outcome(simulator) == (OK, "", [time_ns, 85114934.4, 1701.45, 87.97])
    assert simulator.metric_names() == ("total_time_ns", "energy_pj", "power_mw", "bandwidth_gbps")


def test_dramsys_gets_the_files_that_its_manual_describes(tmp_path, trace):
    body = f"""
    import json
    simulation, resources = sys.argv[1:]
    assert resources.endswith("/") and os.getcwd() + "/" == resources
    seen = {{}}
    for folder, _, names in os.walk(resources):
        for name in names:
            seen[os.path.relpath(os.path.join(folder, name), resources)] = open(os.path.join(folder, name)).read()
    json.dump(seen, open({str(tmp_path / "seen.json")!r}, "w"))
    {prints(SUMMARY.format(time="1 us"))}
    """
    simulator = DramSys(trace, binary=program(tmp_path, body))
    design = {
        "page_policy": "ClosedAdaptive", "scheduler": "FrFcfsGrp", "scheduler_buffer": "Shared",
        "request_buffer_size": 3,
        "response_queue": "Reorder", "refresh_policy": "AllBank", "refresh_max_postponed": 2, "refresh_max_pulledin": 5,
        "arbiter": "Fifo", "max_active_transactions": 16,
    }  # fmt: skip
    assert simulator.evaluate(simulator.space.encode_row(design)[None]).status.tolist() == [OK]
    seen = json.loads((tmp_path / "seen.json").read_text())
    simulation = json.loads(seen["simulations/archgym.json"])["simulation"]
    assert simulation["tracesetup"] == [{"clkMhz": 800.0, "name": "trace.stl"}]
    assert seen["traces/trace.stl"] == "0:\tread\t0x40\n3:\twrite\t0x2080\n9:\tread\t0x40\n"
    controller = json.loads(seen[f"configs/mcconfigs/{simulation['mcconfig']}"])["mcconfig"]
    assert controller == {
        "PagePolicy": "ClosedAdaptive", "Scheduler": "FrFcfsGrp", "SchedulerBuffer": "Shared", "RequestBufferSize": 3,
        "CmdMux": "Oldest", "RespQueue": "Reorder", "RefreshPolicy": "AllBank", "RefreshMaxPostponed": 2,
        "RefreshMaxPulledin": 5, "PowerDownPolicy": "NoPowerDown", "Arbiter": "Fifo", "MaxActiveTransactions": 16,
        "RefreshManagement": False,
    }  # fmt: skip
    memory = json.loads(seen[f"configs/memspecs/{simulation['memspec']}"])["memspec"]
    assert memory["memoryType"] == "DDR3"
    assert (memory["memtimingspec"]["clkMhz"], memory["memtimingspec"]["CL"], memory["memtimingspec"]["FAW"]) == (
        800.0,
        10,
        24,
    )
    assert (memory["mempowerspec"]["idd4r"], memory["mempowerspec"]["vdd"]) == (140.0, 1.5)
    mapping = json.loads(seen[f"configs/amconfigs/{simulation['addressmapping']}"])["CONGEN"]
    assert (mapping["BYTE_BIT"], mapping["BANK_BIT"], mapping["ROW_BIT"][-1]) == ([0, 1, 2], [13, 14, 15], 29)
    settings = json.loads(seen[f"configs/simulator/{simulation['simconfig']}"])["simconfig"]
    assert (settings["PowerAnalysis"], settings["DatabaseRecording"]) == (True, False)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (prints(SUMMARY.format(time="50300")), "nonsense"),
        (prints(SUMMARY.format(time="50300 mW")), "nonsense"),
        (prints(SUMMARY.format(time="0 s")), "bad-total_time_ns"),
        (prints(SUMMARY.format(time="5 ns").replace("Energy", "Enrgy")), "nonsense"),
        ("sys.exit(1)", "crashed"),
        ("os.kill(os.getpid(), 6)", "killed"),
        ("time.sleep(30)", "timed-out"),
        ("if os.fork():\n    sys.exit(0)\ntime.sleep(30)", "nonsense"),
        ("open('result.txt', 'w').write('Total Time: 5 ns')", "nonsense"),
        ("print('Error: Parameter DQSCK does not exist')", "nonsense"),
    ],
)
def test_a_dramsys_that_misbehaves_is_a_failed_row(tmp_path, trace, body, name):
    simulator = DramSys(trace, binary=program(tmp_path, body), time_limit_s=1.0)
    status, found, values = outcome(simulator)
    assert (status, found) == (FAILED, name)
    assert np.isnan(values).all()


def test_dramsys_shares_space_workloads_and_rules_with_the_family(tmp_path):
    binary = program(tmp_path, prints(SUMMARY.format(time="5 ns")))
    simulator = DramSys("stream:n=100", binary=binary)
    assert simulator.space == controller_space("realistic")
    assert len(simulator.workload.features) == len(simulator.workload.feature_names) > 0
    design = {**simulator.space.decode_row(simulator.baseline.row), "refresh_policy": "NoRefresh"}
    row = simulator.space.canonical(simulator.space.encode_row(design)[None])
    assert simulator.evaluate(row).status.tolist() == [INVALID]
    assert DramSys("stream:n=100", binary=binary, rules="archgym").evaluate(row).status.tolist() == [OK]


def test_other_devices_come_from_the_users_own_files(tmp_path, trace):
    binary = program(tmp_path, prints(SUMMARY.format(time="5 ns")))
    shape = {"nbrOfBanks": 16, "nbrOfRows": 32768, "nbrOfColumns": 1024, "width": 8, "nbrOfDevicesOnDIMM": 8}
    (tmp_path / "memory.json").write_text(
        json.dumps({"memspec": {"memarchitecturespec": shape, "memtimingspec": {"clkMhz": 1200}}})
    )
    (tmp_path / "map.json").write_text("{}")
    files = {"memspec": str(tmp_path / "memory.json"), "address_map": str(tmp_path / "map.json")}
    assert outcome(DramSys(trace, binary=binary, **files))[0] == OK
    for options, word in [
        ({"device": "DDR4-2400"}, "DDR3-1600"),
        ({"device": "DDR3-1601"}, "did you mean"),
        ({"memspec": files["memspec"]}, "go together"),
        ({**files, "memspec": files["address_map"]}, "no memory specification"),
        ({**files, "memspec": "absent.json"}, "cannot read"),
    ]:
        with pytest.raises(InputError, match=word) as caught:
            DramSys(trace, binary=binary, **options)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("tool", [DramSys, Ramulator2])
def test_a_missing_binary_is_named(tool, tmp_path):
    for options, word in [({}, "option binary"), ({"binary": str(tmp_path / "absent")}, "no program"),
                          ({"binary": str(tmp_path)}, "is a directory")]:  # fmt: skip
        with pytest.raises(InputError, match=word):
            tool(**options)


# ---- Ramulator 2 -----------------------------------------------------------------------------------------------------


def test_ramulator_cycles_become_nanoseconds_by_the_command_clock(tmp_path, trace):
    simulator = Ramulator2(trace, binary=program(tmp_path, prints(STATISTICS)))
    status, _, values = outcome(simulator)
    assert status == OK
    assert values == pytest.approx([92181 / 1.2, 12.5 / 1.2], rel=1e-15)


@pytest.mark.parametrize(
    ("policy", "lines"), [("Open", ["impl: OpenRowPolicy"]), ("Closed", ["impl: ClosedRowPolicy", "cap: 16"])]
)
def test_ramulator_gets_the_configuration_that_its_manual_describes(tmp_path, trace, policy, lines):
    body = f"""
    assert sys.argv[1] == "-f"
    text = open(sys.argv[2]).read()
    path = [line.split()[1] for line in text.splitlines() if "path:" in line][0]
    open({str(tmp_path / "seen")!r}, "w").write(text + "---" + open(path).read())
    {prints(STATISTICS)}
    """
    simulator = Ramulator2(trace, binary=program(tmp_path, body), timing="DDR4_3200AA", clock_mhz=1600.0, ranks=2)
    design = {"page_policy": policy, "column_cap": 16, "address_map": "MOP4CLXOR", "write_low_watermark": 0.1,
              "write_high_watermark": 0.9}  # fmt: skip
    row = simulator.space.canonical(simulator.space.encode_row(design)[None])
    assert simulator.evaluate(row).status.tolist() == [OK]
    text, _, requests = (tmp_path / "seen").read_text().partition("---")
    assert requests == "LD 0x40\nST 0x2080\nLD 0x40\n"
    found = [line.strip() for line in text.splitlines()]
    start = found.index("RowPolicy:")
    assert found[start + 1 : start + 1 + len(lines)] == lines
    for line in (
        "preset: DDR4_3200AA",
        "rank: 2",
        "impl: MOP4CLXOR",
        "wr_low_watermark: 0.1",
        "wr_high_watermark: 0.9",
    ):
        assert line in found


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (prints(STATISTICS.replace("memory_system_cycles", "cycles")), "nonsense"),
        (prints(STATISTICS.replace("92181", "many")), "nonsense"),
        (prints(STATISTICS.replace("92181", "0")), "bad-total_time_ns"),
        (prints(STATISTICS.replace("12.5", "-nan")), "bad-latency_mean_ns"),
        ("sys.exit(134)", "crashed"),
        ("time.sleep(30)", "timed-out"),
    ],
)
def test_a_ramulator_that_misbehaves_is_a_failed_row(tmp_path, trace, body, name):
    simulator = Ramulator2(trace, binary=program(tmp_path, body), time_limit_s=1.0)
    assert outcome(simulator)[:2] == (FAILED, name)


def test_a_clock_that_contradicts_the_timing_preset_is_refused(tmp_path, trace):
    binary = program(tmp_path, "")
    with pytest.raises(InputError, match="DDR4_3200AA' has a clock of 1600 MHz"):
        Ramulator2(trace, binary=binary, timing="DDR4_3200AA")
    with pytest.raises(InputError, match="must be the name of"):
        Ramulator2(trace, binary=binary, organisation="DDR4: {impl: x}")
    assert os.access(binary, os.X_OK)
