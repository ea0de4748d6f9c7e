"""What holds for every agent of the project."""

import numpy as np
import pytest

import archgym
from archgym.registry import agent_class, agent_names
from archgym.testing import check_agent
from archgym_simulators import InputError, MissingExtra

OWN = ("random_search", "hill_climbing", "genetic_algorithm", "simulated_annealing", "farsi_explorer")


@pytest.mark.parametrize("name", agent_names())
def test_every_agent_keeps_the_contract(name: str) -> None:
    try:
        check_agent(name)
    except MissingExtra as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", agent_names())
def test_every_agent_is_documented_and_its_settings_have_help(name: str) -> None:
    module = __import__(f"archgym_agents.{name}", fromlist=[name])
    assert "Algorithm:" in module.__doc__
    assert "Does well:" in module.__doc__
    assert "Does badly:" in module.__doc__


@pytest.mark.parametrize("toy", ["Bowl", "HugeSpace", "AlwaysInvalid"])
@pytest.mark.parametrize("name", OWN)
def test_trajectories_do_not_depend_on_ask_sizes(name: str, toy: str, proposals) -> None:
    whole, _ = proposals(name, toy, budget=150)
    for largest in (1, 3):
        pieces, _ = proposals(name, toy, budget=150, largest_ask=largest)
        assert np.array_equal(pieces[:150], whole[:150])


@pytest.mark.parametrize("name", OWN)
def test_a_small_budget_is_a_prefix_of_a_large_one(name: str, proposals) -> None:
    large, _ = proposals(name, "Bowl", budget=200)
    for budget in (1, 17, 90):
        small, _ = proposals(name, "Bowl", budget=budget)
        assert np.array_equal(small[:budget], large[:budget])


@pytest.mark.parametrize("toy", ["Bowl", "HugeSpace", "AlwaysInvalid"])
@pytest.mark.parametrize("name", OWN)
def test_no_proposal_is_wasted(name: str, toy: str, proposals) -> None:
    _, session = proposals(name, toy, budget=400)
    assert session.calls == session.proposals == 400


@pytest.mark.parametrize("name", OWN)
def test_small_spaces_are_searched_whole_and_then_left(name: str, proposals) -> None:
    for toy, size in (("OneDesign", 1), ("AlwaysInvalid", 625)):
        rows, session = proposals(name, toy, budget=5000)
        assert len(np.unique(rows, axis=0)) == session.calls == session.proposals == size


@pytest.mark.parametrize("name", OWN)
def test_failed_designs_are_tried_again_but_not_for_ever(name: str, proposals) -> None:
    rows, _ = proposals(name, "Flaky", budget=4000)
    _, times = np.unique(rows, axis=0, return_counts=True)
    assert times.max() in (2, 3)


@pytest.mark.parametrize("name", ["hill_climbing", "genetic_algorithm", "simulated_annealing"])
def test_violations_lead_through_invalid_regions(name: str) -> None:
    # A space without a valid design: what is learned can only come from graded violations.
    def nearest(agent: str) -> float:
        runs = [archgym.search("toy/AlwaysInvalid-v0", agent, budget=60, seed=seed) for seed in range(10)]
        return float(np.median([run.summary["nearest"]["reward"] for run in runs]))

    assert nearest(name) > nearest("random_search")


@pytest.mark.parametrize("budget", [100, 300])
@pytest.mark.parametrize("toy", ["Bowl", "HugeSpace"])
@pytest.mark.parametrize("name", ["hill_climbing", "genetic_algorithm", "simulated_annealing"])
def test_learners_beat_random_search(name: str, toy: str, budget: int) -> None:
    def median_reward(agent: str) -> float:
        runs = [archgym.search(f"toy/{toy}-v0", agent, budget=budget, seed=seed) for seed in range(12)]
        return float(np.median([run.reward for run in runs]))

    assert median_reward(name) > median_reward("random_search")


def test_learners_beat_random_search_on_the_dram_controller() -> None:
    def median_reward(agent: str) -> float:
        task = {"workload": "random", "objective": "total-time", "budget": 200}
        return float(np.median([archgym.search("archgym/DRAM-v0", agent, seed=s, **task).reward for s in range(10)]))

    blind = median_reward("random_search")
    assert median_reward("hill_climbing") > blind
    assert median_reward("genetic_algorithm") > blind


@pytest.mark.parametrize("name", OWN)
def test_several_objectives_are_refused_in_one_line(name: str) -> None:
    with pytest.raises(InputError, match=f"agent '{name}' takes one objective, not 2"):
        archgym.search("toy/Bowl-v0", name, budget=5, objective=["time", "energy-delay"])


@pytest.mark.parametrize(
    ("name", "option", "value", "message"),
    [
        ("random_search", "batch", 0, "batch must be at least 1"),
        ("hill_climbing", "improvement", "frist", "did you mean 'first'"),
        ("genetic_algorithm", "mutation", 1.5, "at most 1.0"),
        ("genetic_algorithm", "popluation", 4, "did you mean 'population'"),
        ("genetic_algorithm", "population", "many", "population must be a whole number such as 8"),
    ],
)
def test_wrong_settings_are_refused(name: str, option: str, value: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        agent_class(name).Config.from_options({option: value})
