"""Task graphs: built in, generated, from files; and what is wrong with them."""

from __future__ import annotations

import numpy as np
import pytest

from archgym_simulators import InputError
from archgym_simulators.soc.generator import generate, generated_spec
from archgym_simulators.soc.graph_files import graph_from_description, read_graph
from archgym_simulators.soc.simulator import SocSimulator
from archgym_simulators.soc.splits import GRIDS, draw
from archgym_simulators.soc.workloads import canonical_name, workload
from archgym_simulators.splits import part_of_grid

GOOD = """
name = "radio"
last = "decode"
[budget]
latency_ms = 20
[[tasks]]
name = "in"
cpu_cycles = 0
[[tasks]]
name = "fft"
cpu_cycles = 400000
accelerator = { cycles = 17503, energy_fj = 4.4, area_um2 = 5500, iterations = 64 }
[[tasks]]
name = "decode"
[tasks.accelerator]
cycles = 900000
energy_fj = 100
area_um2 = 9000
[[edges]]
from = "in"
to = "fft"
bytes = 4096
[[edges]]
from = "fft"
to = "decode"
bytes = 1024
"""


def test_a_file_is_read_and_runs(tmp_path):
    path = tmp_path / "radio.toml"
    path.write_text(GOOD)
    graph = read_graph(path)
    assert [task.name for task in graph.tasks] == ["in", "fft", "decode"]
    assert graph.tasks[1].accelerator.copies == (1, 2, 4, 8, 16, 32, 64)
    assert graph.applications[0].budget.latency_ms == 20
    simulator = SocSimulator(str(path))
    rows = simulator.space.sample(50, np.random.default_rng(0))
    outcome = simulator.evaluate(simulator.space.canonical(rows))
    assert (outcome.status == 0).all()
    # decode has no processor version, so it runs on its accelerator in every design
    assert "decode.runs_on" not in simulator.space.names
    assert (simulator.column(outcome, "area_accelerator_mm2") > 0).all()


def test_a_file_mixes_with_a_built_in_application(tmp_path):
    path = tmp_path / "radio.toml"
    path.write_text(GOOD)
    graph = workload(f"hpvm-cava+{path}")
    assert {application.name for application in graph.applications} == {"radio", "hpvm-cava"}


TASKS = [{"name": "a", "cpu_cycles": 10}, {"name": "b", "cpu_cycles": 10}, {"name": "c", "cpu_cycles": 10}]


def edges(*pairs):
    return [{"from": a, "to": b, "bytes": 8} for a, b in pairs]


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ({"tasks": TASKS, "edges": edges("ab", "bc", "ca")}, ["has a cycle: b -> c -> a -> b"]),
        ({"tasks": TASKS, "edges": edges("ab", "bx")}, ["edge 'b' -> 'x': unknown task 'x'"]),
        ({"tasks": TASKS, "edges": edges("aa")}, ["edge 'a' -> 'a'", "cannot wait for itself"]),
        ({"tasks": TASKS, "edges": edges("ab", "ab")}, ["two edges 'a' -> 'b'"]),
        ({"tasks": [*TASKS, {"name": "a", "cpu_cycles": 1}]}, ["two tasks named 'a'"]),
        ({"tasks": [{"name": "a"}]}, ["task 'a' has no implementation"]),
        ({"tasks": [{"name": "a", "cpu_cycles": -5}]}, ["task 'a': cpu_cycles must be at least 0, not -5"]),
        ({"tasks": [{"name": "a", "cpu_cycles": float("nan")}]}, ["task 'a': cpu_cycles must be finite, not nan"]),
        ({"tasks": [{"name": "a", "cpu_cycles": True}]}, ["task 'a': cpu_cycles must be a number, not True"]),
        ({"tasks": [{"name": "a", "cycles": 5}]}, ["task 1: unknown key 'cycles'", "did you mean 'cpu_cycles'"]),
        ({"tasks": [{"name": "a", "cpu_cycles": 0}]}, ["no task with work"]),
        (
            {"tasks": [{"name": "a", "accelerator": {"cycles": 5, "energy_fj": 1, "area_um2": -2}}]},
            ["task 'a': the accelerator's area_um2 must be above 0, not -2"],
        ),
        ({"tasks": [{"name": "a", "accelerator": {"cycles": 5}}]}, ["accelerator of task 'a' has no 'energy_fj'"]),
        ({"tasks": TASKS, "edges": [{"from": "a", "to": "b", "bytes": -1}]}, ["bytes must be above 0, not -1"]),
        (
            {"tasks": [{"name": "a", "accelerator": {"cycles": 1e-300, "energy_fj": 1, "area_um2": 2}}]},
            ["task 'a': the accelerator's cycles must be within 1e-06..1e+15, not 1e-300"],
        ),
        ({"tasks": TASKS, "edges": [{"from": "a", "to": "b", "bytes": 1e200}]}, ["bytes must be within", "1e+200"]),
        ({"tasks": TASKS, "last": "d"}, ["unknown last task 'd'"]),
        ({"tasks": TASKS, "budget": {"power_mw": 0}}, ["power_mw must be above 0, not 0"]),
        ({}, ["no [[tasks]]"]),
    ],
)
def test_a_malformed_graph_is_one_line_with_names(description, words):
    with pytest.raises(InputError) as caught:
        graph_from_description(description, "mine")
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_a_file_that_is_no_toml_is_named(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("tasks = [")
    with pytest.raises(InputError, match=r"broken\.toml.* is no TOML"):
        read_graph(path)


def test_a_graph_that_no_memory_can_hold_is_refused(tmp_path):
    path = tmp_path / "big.toml"
    path.write_text(GOOD.replace("bytes = 4096", "bytes = 9e7"))
    with pytest.raises(InputError, match=r"holds 90\.0 MB at once in one memory; the largest of the library has 66\.6"):
        SocSimulator(str(path))


def test_mixes_have_one_spelling():
    assert canonical_name("three-apps") == "audio-decoder+edge-detection+hpvm-cava"
    assert canonical_name("cava+audio-decoder") == "audio-decoder+hpvm-cava"
    assert len(workload("three-apps").tasks) == 31  # the source and the sink once


@pytest.mark.parametrize("tasks", [10, 57, 200])
def test_generated_graphs_follow_their_spec(tasks):
    spec = f"generated:tasks={tasks},seed=9,width=4"
    graph = generate(spec)
    assert len(graph.tasks) == tasks
    assert graph == generate(spec)
    assert graph != generate(spec.replace("seed=9", "seed=8"))
    assert sum(edge.bytes for edge in graph.edges) <= 60e6 + len(graph.edges)
    read = {edge.target for edge in graph.edges}
    written = {edge.source for edge in graph.edges}
    assert all(task.name in read for task in graph.tasks[1:])
    assert all(task.name in written for task in graph.tasks[:-1])


def test_generated_specs_have_one_spelling():
    assert generated_spec("generated:seed=1,tasks=30") == "generated"
    assert generated_spec("generated:traffic=0.5,tasks=40") == "generated:tasks=40,traffic=0.5"


def test_no_value_of_a_parameter_is_in_two_splits():
    for name in GRIDS:
        parts = [set(part_of_grid(GRIDS[name], split)) for split in ("train", "dev", "test")]
        assert all(parts)
        assert not parts[0] & parts[1]
        assert not parts[0] & parts[2]
        assert not parts[1] & parts[2]


def test_splits_draw_graphs_by_the_generator(monkeypatch):
    monkeypatch.delenv("ARCHGYM_TEST_SEED", raising=False)
    drawn = [draw("train", np.random.default_rng(3)) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert draw("train", np.random.default_rng(4)) != drawn[0]
    assert 10 <= len(workload(drawn[0]).tasks) <= 200
    with pytest.raises(InputError, match="the test split is closed"):
        draw("test", np.random.default_rng(0))
