"""FARSI's moves on designs, and the explorer on chips and elsewhere."""

import numpy as np
import pytest

import archgym
from archgym.registry import agent_class
from archgym_agents._batches import Outcomes
from archgym_agents._soc_choices import SocChoices
from archgym_agents._soc_moves import Blame, blames, changes, preferred
from archgym_agents.farsi_explorer import FarsiExplorer, FarsiExplorerConfig

BUDGETS = ["latency_ratio<=1", "power_ratio<=1", "area_ratio<=1"]
EDGE = "edge-detection"


@pytest.fixture(scope="module")
def space():
    return archgym.make_session("archgym/SoC-v0", workload=EDGE).space


@pytest.fixture(scope="module")
def soc(space):
    return SocChoices.of(space)


@pytest.fixture
def row(space, soc):
    """All tasks on processor 0, their data in memory 0, both on bus 0."""
    return [0] * space.width


def made(space, soc, row, blame):
    """What each move makes of a design: readable parameters that changed, by move."""
    before = space.decode_row(row)
    found = {}
    for move, options in changes(soc, row, blame, np.random.default_rng(0)).items():
        after = [space.decode_row(soc.changed(row, change)) for change in options]
        found[move] = [{k: v for k, v in one.items() if v != before[k]} for one in after]
    return found


def test_blocks_and_tasks_are_read_from_the_names_of_parameters(soc, row):
    assert soc.cpus == ("cpu0", "cpu1", "cpu2")
    assert soc.memories == ("memory0", "memory1", "memory2", "memory3")
    assert soc.buses == ("bus0", "bus1", "bus2", "bus3")
    assert {"gaussianSmoothing", "souurce"} <= set(soc.tasks)
    assert "gaussianSmoothing" in soc.tasks_on(row, "cpu0")
    assert soc.outputs_in(row, "memory1") == []
    assert soc.hangs_on(row, "bus0")[-2:] == ["cpu0_bus", "memory0_bus"]


def test_other_spaces_have_no_blocks():
    assert SocChoices.of(archgym.make_session("archgym/DRAM-v0", workload="random").space) is None
    assert SocChoices.of(archgym.make_session("archgym/SoC-v0", workload=EDGE, space="archgym").space) is None
    assert SocChoices.of(archgym.make_session("archgym/SoC-v0", workload=EDGE, space="shared").space) is not None


def test_a_processor_that_is_too_slow_is_swapped_for_hardware_or_its_tasks_are_split(space, soc, row):
    blame = Blame("latency", 3.0, "gaussianSmoothing", "cpu0", "gaussianSmoothing", contested=True)
    assert preferred(blame) == ("migrate", "split")
    moves = made(space, soc, row, blame)
    assert moves["split"] == [{"gaussianSmoothing.runs_on": "cpu1"}]
    assert moves["migrate"] == []  # no other processor is built yet
    (swap,) = moves["swap"]
    assert swap["gaussianSmoothing.runs_on"] == "accelerator"
    assert swap["gaussianSmoothing.copies"] >= 4  # the budget is missed by a factor of four


def test_an_accelerator_gets_copies_for_latency_and_loses_them_for_area(space, soc, row):
    start = soc.changed(row, soc.to("computeGradient.runs_on", "accelerator") | soc.to("computeGradient.copies", 16))
    block = "accelerator of computeGradient"
    faster = made(space, soc, start, Blame("latency", 0.5, "computeGradient", block, "computeGradient", False))
    assert {"computeGradient.copies": 32} in faster["swap"]
    assert {"computeGradient.clock": 400} in faster["swap"]
    smaller = made(space, soc, start, Blame("area", 0.5, "computeGradient", block, "computeGradient", False))
    assert {"computeGradient.copies": 8} in smaller["swap"]
    assert {"computeGradient.copies": 8, "computeGradient.clock": 400} in smaller["swap"]
    assert {"computeGradient.runs_on": "cpu0"} in [
        {k: v for k, v in one.items() if k.endswith("runs_on")} for one in smaller["migrate"]
    ]


def test_data_that_is_fought_over_moves_to_a_memory_of_its_own_near_its_reader(space, soc, row):
    change = soc.to("laplacianEstimate.runs_on", "accelerator") | soc.to("laplacianEstimate.bus", "bus2")
    start = soc.changed(row, change)
    blame = Blame("latency", 0.5, "laplacianEstimate", "memory0", "gaussianSmoothing", contested=True)
    moves = made(space, soc, start, blame)
    assert {"gaussianSmoothing.memory": "memory1"} in moves["split"]
    assert {"gaussianSmoothing.memory": "memory1", "memory1_bus": "bus2"} in moves["split"]
    wider = [one for one in moves["split-swap"] if one.get("memory1_width")]
    assert wider
    assert all(one["gaussianSmoothing.memory"] == "memory1" for one in wider)


def test_a_bus_is_relieved_by_bringing_data_and_reader_together(space, soc, row):
    change = soc.to("laplacianEstimate.runs_on", "accelerator") | soc.to("laplacianEstimate.bus", "bus2")
    start = soc.changed(row, change)
    blame = Blame("power", 0.5, "laplacianEstimate", "bus2", "gaussianSmoothing", contested=False)
    moves = made(space, soc, start, blame)
    assert {"laplacianEstimate.bus": "bus0"} in moves["migrate"]
    assert {"memory0_bus": "bus2"} in moves["migrate"]


def test_blames_come_from_what_the_session_says():
    session = archgym.make_session("archgym/SoC-v0", workload="hpvm-cava", constraints=BUDGETS, objective="energy")
    start = FarsiExplorer(session.space, FarsiExplorerConfig(), np.random.default_rng(0)).plan()
    words = session.bottlenecks(session.evaluate(start))
    worst, *others = blames(words, 0)["latency"]
    assert (worst.task, worst.block) == ("gamut_map_fxp_cloned", "cpu0")
    assert worst.excess > 1000
    assert worst.steps == 6
    assert others
    assert len({blame.task for blame in (worst, *others)}) == 1 + len(others)


def met(agent, workload, seed, budget=150, **options):
    """Whether a search meets every budget within so many evaluations."""
    session = archgym.make_session(
        "archgym/SoC-v0", workload=workload, objective="energy", constraints=BUDGETS, budget=budget, **options
    )
    built = agent_class(agent)
    built.create(session.space, built.Config(), np.random.default_rng(seed), budget=budget).run(session)
    return session.best.feasible


@pytest.mark.parametrize("workload", ["audio-decoder", "edge-detection", "hpvm-cava"])
def test_it_meets_farsis_budgets_of_every_application_within_150_evaluations(workload):
    assert sum(met("farsi_explorer", workload, seed, rules="farsi") for seed in range(10)) > 5


@pytest.mark.parametrize("workload", ["audio-decoder", "hpvm-cava"])
def test_it_meets_tight_budgets_under_realistic_rules_too_and_annealing_does_not(workload):
    assert sum(met("farsi_explorer", workload, seed) for seed in range(6)) > 3
    assert sum(met("simulated_annealing", workload, seed) for seed in range(6)) < 3


def test_without_what_the_session_says_it_is_a_plain_local_search(monkeypatch):
    monkeypatch.setattr("archgym.session.Session.bottlenecks", lambda *_: {})
    assert not any(met("farsi_explorer", "hpvm-cava", seed) for seed in range(3))


def test_it_searches_a_space_that_it_cannot_reason_about():
    def best(agent):
        runs = [
            archgym.search("archgym/DRAM-v0", agent, workload="random", objective="total-time", budget=150, seed=seed)
            for seed in range(8)
        ]
        return np.median([run.reward for run in runs])

    assert best("farsi_explorer") > best("random_search") - 0.02


def test_a_memory_that_is_too_large_is_not_mistaken_for_a_design_within_budgets():
    agent = FarsiExplorer(
        archgym.make_session("archgym/SoC-v0", workload=EDGE).space, FarsiExplorerConfig(), np.random.default_rng(0)
    )
    row = agent.plan()
    agent._is_valid = False
    missed = Outcomes(
        row, np.array([-31.0]), np.array([False]), np.array([False]), np.array([[-31.0]]), np.array([1.0])
    )
    invalid = agent._stand(missed)
    agent._is_valid = True
    valid = agent._stand(missed)
    assert invalid.worth < valid.worth
