"""Several agents under one budget."""

import numpy as np
import pytest

import archgym
from archgym.registry import agent_class
from archgym_simulators import InputError

PORTFOLIO = agent_class("portfolio")


def built(agents, toy="toy/Bowl-v0", budget=200, seed=0, **options):
    session = archgym.make_session(toy, budget=budget)
    config = PORTFOLIO.Config.from_options({"agents": agents, **options})
    return PORTFOLIO.create(session.space, config, np.random.default_rng(seed), budget=budget), session


def turns_of(searcher, session):
    whose = []
    while session.stop_reason is None:
        rows = searcher.ask(session.remaining)
        if not len(rows):
            break
        whose.append(searcher._whose)
        searcher.tell(rows, session.evaluate(rows))
    return whose


def test_each_agent_has_a_turn_at_first_and_the_one_that_improves_has_most_then() -> None:
    # A grid begins at the corner of the bowl and stays near it; it does not improve on what a climb finds.
    shares = []
    for seed in range(6):
        searcher, session = built("grid_search+hill_climbing", "toy/HugeSpace-v0", 240, seed, turn=4, window=12)
        whose = turns_of(searcher, session)
        assert set(whose[:4]) == {0, 1}
        shares.append(np.mean(np.array(whose[len(whose) // 3 :]) == 1))
    assert np.mean(shares) > 0.6


def test_the_one_budget_is_charged_once_for_a_design_whoever_asks() -> None:
    searcher, session = built("hill_climbing+genetic_algorithm+regularised_evolution", budget=120)
    turns_of(searcher, session)
    assert session.calls == 120
    assert session.proposals <= 130, "what others proposed is overheard, so it is hardly proposed again"


def test_an_agent_that_is_finished_leaves_its_turns_to_the_others() -> None:
    searcher, session = built("grid_search+sobol_search+hill_climbing", "toy/OneDesign-v0", 50)
    turns_of(searcher, session)
    assert session.calls == 1
    assert not len(searcher.ask(5)), "and when all are, the portfolio is"


@pytest.mark.parametrize("agent", ["genetic_algorithm", "hill_climbing", "bayesian"])
def test_what_others_found_is_gone_on_from(agent: str) -> None:
    from archgym_agents._batches import Outcomes

    session = archgym.make_session("toy/HugeSpace-v0", budget=300)
    one = agent_class(agent)
    searcher = one.create(session.space, one.Config(), np.random.default_rng(0), budget=300)
    good = np.full((12, 24), 4)
    good[np.arange(12), np.arange(12)] = 5  # one step from the bottom of the bowl, each in a parameter of its own
    searcher.overhear(Outcomes.of(good, session.evaluate(good)))
    asked = np.concatenate([_told(searcher, session) for _ in range(6)])
    assert np.abs(asked - 4).sum(axis=1).min() < 10, "random designs are sixty steps away"


def _told(searcher, session):
    rows = searcher.ask(100)
    searcher.tell(rows, session.evaluate(rows))
    return rows


@pytest.mark.parametrize(
    ("agents", "message"),
    [
        ("hill_climbing+hill_climbng", "did you mean 'hill_climbing'"),
        ("hill_climbing+hill_climbing", "each agent once, not 'hill_climbing' 2 times"),
        ("hill_climbing+portfolio", "'portfolio' has a loop of its own"),
        ("ppo", "'ppo' has a loop of its own"),
    ],
)
def test_what_cannot_take_part_is_refused_in_one_line(agents: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        built(agents)


def test_trajectories_do_not_depend_on_ask_sizes(proposals) -> None:
    whole, _ = proposals("portfolio", "Bowl", budget=90)
    pieces, _ = proposals("portfolio", "Bowl", budget=90, largest_ask=3)
    assert np.array_equal(whole[:90], pieces[:90])
