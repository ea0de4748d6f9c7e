"""The command line on the DRAM controller: wrong traces, wrong names, and the demo for real."""

import json
import subprocess
import sys

import gymnasium as gym
import pytest

import archgym.cli.demo as demo

ENV_ID = "archgym/DRAM-v0"


@pytest.fixture
def search(cli, tmp_path):
    """A short search of the DRAM space."""
    command = ["search", ENV_ID, "--agent", "random_search", "--budget", 5, "--seed", 1, "--out", tmp_path / "run"]
    return lambda *arguments: cli(*command, *arguments)


@pytest.mark.parametrize(
    ("trace", "parts"),
    [
        ("0: read 0x0\n1: rea 0x40\n", ["line 2", "'1: rea 0x40'", "read|write"]),
        ("0: read 0x0\n-1: read 0x40\n", ["line 2", "-1", "negative"]),
        ("5: read 0x0\n1: read 0x40\n", ["line 2", "below its predecessor 5"]),
        ("0: read 0x0\n1: read 0xFFFFFFFFF0\n", ["line 2", "0xfffffffff0", "beyond the device"]),
        ("", ["no requests"]),
    ],
)
def test_a_wrong_trace_is_named_with_its_line_and_leaves_nothing(search, tmp_path, trace, parts):
    file = tmp_path / "mine.stl"
    file.write_text(trace)
    search("--workload", file).assert_is_one_line_error(str(file), *parts)
    assert not (tmp_path / "run").exists()


def test_the_archgym_rules_accept_decreasing_times(search, tmp_path):
    file = tmp_path / "mine.stl"
    file.write_text("5: read 0x0\n1: read 0xFFFFFFFFF0\n")
    assert search("--workload", file, "--option", "rules=archgym").status == 0


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--workload", "rndom"], ["'rndom'", "did you mean 'random'?"]),
        (["--workload", "random@9x"], ["@9x"]),
        (["--option", "device=DDR4-240"], ["'DDR4-240'", "did you mean 'DDR4-2400'?"]),
        (["--option", "rules=archgm"], ["'archgm'", "did you mean 'archgym'?"]),
        (["--objective", "laency"], ["'laency'", "did you mean 'latency'?"]),
        (["--objective", "power"], ["degenerate alone", "total_time_ns"]),
    ],
)
def test_an_unknown_name_is_named(search, tmp_path, arguments, parts):
    search(*arguments).assert_is_one_line_error(*parts)
    assert not (tmp_path / "run").exists()


def test_power_needs_and_takes_a_time_constraint(search):
    assert search("--objective", "power", "--constraint", "total_time_ns<=100000").status == 0


def test_describe_counts_the_designs(cli):
    about = json.loads(cli("describe", ENV_ID, "--json").out)
    assert (about["size"], about["canonical_size"]) == (1_769_472, 636_480)


def test_the_demo_runs_without_torch_and_reproduces(cli, tmp_path):
    code = (
        "import sys; from archgym.cli.main import main; "
        f"status = main(['demo', '--budget', '20', '--out', {str(tmp_path / 'demo')!r}]); "
        "assert 'torch' not in sys.modules; sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert "page_policy" in done.stdout
    for agent in demo.AGENTS:
        assert cli("verify", tmp_path / "demo" / agent, "--rerun").status == 0


def test_a_search_of_a_device_without_currents_is_reported_without_energy(cli, tmp_path):
    done = cli(
        *(
            "search",
            "archgym/DRAM-v0",
            "--agent",
            "random_search",
            "--budget",
            12,
            "--seed",
            1,
            "--out",
            tmp_path / "run",
        ),
        *("--workload", "random:n=100", "--option", "device=HBM2"),
    )
    assert (done.status, done.err) == (0, "")
    assert "total_time_ns" in done.out
    assert "energy_pj" not in done.out


def test_several_objectives_of_a_device_without_currents_are_times():
    env = gym.make("archgym/DRAM-MO-v0", device="HBM2", workload="random:n=100")
    env.reset(seed=1)
    assert env.step(env.action_space.sample())[1].shape == (2,)
