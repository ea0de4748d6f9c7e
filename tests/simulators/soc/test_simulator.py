"""The simulator: conformance, spaces, what is invalid and why, workloads."""

from __future__ import annotations

import json

import gymnasium
import numpy as np
import pytest

import archgym
from archgym.testing import check_env, check_simulator
from archgym.testing.environments import ENVIRONMENT_CHECKS
from archgym_simulators import InputError
from archgym_simulators.soc.design import GROUPS, group_of_rank
from archgym_simulators.soc.model import PreparedGraph
from archgym_simulators.soc.simulator import SocSimulator
from archgym_simulators.soc.technology import memory_table, relative_energy
from archgym_simulators.soc.workloads import workload

SPACES = [
    pytest.param({}, id="tasks"),
    pytest.param({"rules": "farsi"}, id="farsi rules"),
    pytest.param({"space": "shared"}, id="shared"),
    pytest.param({"space": "archgym", "workload": "edge-detection"}, id="archgym"),
]


@pytest.mark.parametrize("options", SPACES)
def test_keeps_the_contract_of_simulators(options):
    check_simulator("archgym/SoC-v0", n=128, **options)


@pytest.mark.parametrize("options", SPACES)
def test_keeps_the_contract_of_environments(options):
    # ArchGym's encoding follows the workload, so no split can have one space under it.
    checks = [name for name in ENVIRONMENT_CHECKS if not (options.get("space") == "archgym" and name == "splits")]
    check_env("archgym/SoC-v0", checks=checks, **options)


@pytest.mark.parametrize("name", ["audio-decoder", "three-apps", "generated:tasks=60"])
@pytest.mark.parametrize("space", ["tasks", "shared"])
def test_every_design_drawn_at_random_can_be_built(name, space):
    simulator = SocSimulator(name, space=space)
    rows = simulator.space.sample(300, np.random.default_rng(0))
    assert (simulator.evaluate(simulator.space.canonical(rows)).status == 0).all()


@pytest.mark.parametrize(
    ("name", "width", "size"),
    [("edge-detection", 34, 1.6e17), ("hpvm-cava", 36, 1.4e18), ("audio-decoder", 54, 5.4e26)],
)
def test_archgyms_encoding_has_its_dimensions_and_is_mostly_invalid(name, width, size):
    simulator = SocSimulator(name, space="archgym")
    assert simulator.space.width == width
    assert simulator.space.size == pytest.approx(size, rel=0.05)
    rows = simulator.space.sample(2000, np.random.default_rng(1))
    share = (simulator.evaluate(rows).status == 0).mean()
    assert 0.0 < share < 0.02


def archgym_row(simulator, **changes):
    return simulator.space.encode_row(simulator.space.decode_row(simulator.baseline.row) | changes)


@pytest.mark.parametrize(
    ("changes", "sentence", "violation"),
    [
        ({"bus_to_bus_1": 1}, "bus 1 is linked to itself", 1.0),
        ({"bus_to_bus_0": 2}, "the three buses are linked in a circle, so ways are ambiguous", 1.0),
        ({"bus_to_mem_2": 1}, "memory 1 hangs on 2 buses", 2.0),
        ({"bus_to_mem_0": -1}, "memory 0 hangs on no bus", 1.0),
        (
            {"pe_allocation_0": 1},
            "task souurce cannot run on element 0, the accelerator of gaussianSmoothing",
            7 / 8,
        ),
        (
            {"bus_to_bus_2": -1, "task_to_mem_gaussianSmoothing": 2},
            "no buses lead from the element of task laplacianEstimate to memory 2",
            None,
        ),
    ],
)
def test_what_is_wrong_with_an_archgym_design_is_named_and_graded(changes, sentence, violation):
    simulator = SocSimulator("edge-detection", space="archgym")
    outcome = simulator.evaluate(archgym_row(simulator, **changes)[None])
    if sentence.startswith("no buses"):
        assert outcome.reason(0).startswith("no buses lead from the element of task")
        assert outcome.reason(0).endswith("to memory 2")
    else:
        assert outcome.reason(0) == sentence
    assert outcome.violation[0] == pytest.approx(violation) if violation else outcome.violation[0] > 0


def test_more_broken_rules_are_worse():
    simulator = SocSimulator("edge-detection", space="archgym")
    one = simulator.evaluate(archgym_row(simulator, bus_to_mem_2=1)[None]).violation[0]
    two = simulator.evaluate(archgym_row(simulator, bus_to_mem_2=1, bus_to_bus_1=1)[None]).violation[0]
    assert two > one > 0


def test_archgyms_baseline_costs_what_the_same_system_costs_in_our_space():
    ours = SocSimulator("edge-detection", rules="farsi")
    slow = {"bus0_width": 4, "bus0_clock": 100, "memory0_width": 4, "memory0_clock": 100}
    row = ours.space.encode_row(ours.space.decode_row(ours.baseline.row) | slow)
    theirs = SocSimulator("edge-detection", rules="farsi", space="archgym")
    a = ours.column(ours.evaluate(row[None]), "latency_ms")
    b = theirs.column(theirs.evaluate(np.array([theirs.baseline.row])), "latency_ms")
    assert a[0] == pytest.approx(b[0], rel=1e-12)


def test_the_shared_space_is_one_for_all_workloads():
    spaces = [SocSimulator(name, space="shared").space for name in ("hpvm-cava", "three-apps", "generated:tasks=200")]
    assert spaces[0] == spaces[1] == spaces[2]
    groups = [group_of_rank(rank, 200) for rank in range(200)]
    assert groups == sorted(groups)
    assert set(groups) == set(range(GROUPS))
    assert groups.count(0) == 1
    assert [group_of_rank(rank, 10) for rank in range(10)] == list(range(10))


def test_a_mix_is_one_evaluation_with_a_latency_for_each_application():
    simulator = SocSimulator("audio-decoder+hpvm-cava")
    outcome = simulator.evaluate(np.array([simulator.baseline.row]))
    assert outcome.cost[0] == 1.0
    latency = dict(zip(simulator.diagnostic_names, outcome.diagnostics[0], strict=True))
    slowest = max(latency["latency_audio_decoder_ms"], latency["latency_hpvm_cava_ms"])
    assert simulator.column(outcome, "latency_ms")[0] == slowest


def test_the_bottleneck_has_a_name():
    simulator = SocSimulator("hpvm-cava")
    words = simulator.bottlenecks(simulator.evaluate(np.array([simulator.baseline.row])))
    worst = [words[name][0] for name in ("metric", "task", "block", "latency_data")]
    assert worst == ["latency", "gamut_map_fxp_cloned", "cpu0", "gamut_map_fxp_cloned"]
    assert words["latency_excess"][0] > 1000
    assert words["area_excess"][0] < 0


def test_data_in_a_narrow_memory_is_to_blame_by_its_writer():
    simulator = SocSimulator("edge-detection", rules="farsi")
    design = simulator.space.decode_row(simulator.baseline.row)
    tasks = [name.split(".")[0] for name in design if name.endswith(".memory")]
    design |= {f"{task}.memory": "memory1" for task in tasks} | {"memory1_width": 4, "memory1_clock": 100}
    design |= {"bus0_width": 128, "bus0_clock": 800, "gaussianSmoothing.runs_on": "accelerator"}
    design |= {"gaussianSmoothing.copies": 32768, "gaussianSmoothing.clock": 800}
    words = simulator.bottlenecks(simulator.evaluate(simulator.space.encode_row(design)[None]))
    assert words["latency_task"][0] != "gaussianSmoothing"  # the slow ones are those on the processor
    design |= {f"{task}.runs_on": "accelerator" for task in tasks if f"{task}.runs_on" in design}
    design |= {name: 800 for name in design if name.endswith(".clock")}
    copies = {name: simulator.space.parameter(name).values[-1] for name in design if name.endswith(".copies")}
    words = simulator.bottlenecks(simulator.evaluate(simulator.space.encode_row(design | copies)[None]))
    assert words["latency_block"][0] == "memory1"
    sources = {edge.source for edge in workload("edge-detection").edges}
    assert words["latency_data"][0] in sources


def test_info_names_task_block_and_metric():
    env = gymnasium.make("archgym/SoC-v0", workload="hpvm-cava")
    env.reset(seed=0)
    baseline = np.array(env.unwrapped.session.problem().simulator.baseline.row)
    info = env.step(baseline)[-1]
    assert info["bottleneck"]["task"] == "gamut_map_fxp_cloned"
    assert info["bottleneck"]["block"] == "cpu0"
    assert info["bottleneck"]["metric"] == "latency"
    vector = archgym.make_session("archgym/SoC-v0", workload="hpvm-cava").vector_env(2)
    vector.reset(seed=0)
    columns = vector.step(np.stack([baseline, baseline]))[-1]["final_info"]["bottleneck"]
    assert columns["task"].tolist() == ["gamut_map_fxp_cloned"] * 2


def test_in_the_shared_space_blame_goes_to_the_group_that_decides():
    simulator = SocSimulator("hpvm-cava", space="shared")
    words = simulator.bottlenecks(simulator.evaluate(np.array([simulator.baseline.row])))
    assert (words["task"][0], words["latency_task"][0]) == ("gamut_map_fxp_cloned", "group0")


def test_tight_budgets_of_a_mix_are_the_sums_and_farsis_are_three_times_that():
    graph = workload("three-apps")
    tight, loose = (PreparedGraph.build(graph, budgets=budgets) for budgets in ("tight", "farsi"))
    assert tight.power_budget_w == pytest.approx(8.737e-3)
    assert tight.area_budget_m2 == pytest.approx(17.475e-6)
    assert loose.power_budget_w == pytest.approx(3 * 8.737e-3)
    np.testing.assert_allclose(tight.latency_budget_s, [21e-3, 34e-3, 34e-3])


def test_voltage_scaling_and_the_memory_table_have_the_published_figures():
    clocks = np.array([100.0, 400.0, 600.0, 800.0])
    scale = relative_energy(clocks)
    assert scale[-1] == 1.0
    assert scale[0] == pytest.approx((1.04 / 1.33) ** 2)
    assert (np.diff(scale) > 0).all()
    table = memory_table()
    assert table.shape == (2, 260, 3)
    assert table[1, 0].tolist() == pytest.approx([2.378608e-13, 9.87752e-12, 3.344222e-08])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workload": "audio-decodr"}, ["audio-decodr", "did you mean 'audio-decoder'"]),
        ({"workload": "cava+cava"}, ["'hpvm-cava' twice"]),
        ({"space": "task"}, ["'task'", "did you mean 'tasks'"]),
        ({"rules": "realistc"}, ["did you mean 'realistic'"]),
        ({"budgets": "loose"}, ["'loose'", "tight, farsi"]),
        ({"workload": "generated:task=30"}, ["unknown argument 'task'", "did you mean 'tasks'"]),
        ({"workload": "generated:tasks=5"}, ["tasks must be a whole number 10..200, not '5'"]),
        ({"workload": "nowhere.toml"}, ["cannot read the task graph 'nowhere.toml'"]),
    ],
)
def test_wrong_options_are_one_line_with_the_nearest_match(options, words):
    with pytest.raises(InputError) as caught:
        SocSimulator(**options)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_the_headline_runs_through_the_front_door():
    session = archgym.make_session(
        "archgym/SoC-v0",
        workload="three-apps",
        objective="energy",
        constraints=["latency_ratio<=1", "power_ratio<=1", "area_ratio<=1"],
    )
    space = session.space
    scored = session.evaluate(space.sample(8, np.random.default_rng(0)))
    assert scored.reward.shape == (8,)
    assert not scored.feasible.any()  # random designs do not meet the budgets
    json.dumps(space.to_json())
