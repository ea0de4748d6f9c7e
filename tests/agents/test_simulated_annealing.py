import numpy as np
import pytest

import archgym
from archgym.registry import agent_class
from archgym_agents._batches import Outcomes
from archgym_agents.simulated_annealing import SimulatedAnnealing, SimulatedAnnealingConfig


def walk(rewards, *, config=None, feasible=None):
    """The designs that the walk stands on after a start and each of the rewards: 0 for the start, then 1, 2, ..."""
    space = archgym.make_session("toy/HugeSpace-v0").space
    agent = SimulatedAnnealing(space, config or SimulatedAnnealingConfig(), np.random.default_rng(3))
    stands = []
    feasible = feasible or [True] * len(rewards)
    for number, (reward, is_feasible) in enumerate(zip(rewards, feasible, strict=True)):
        rows = agent.plan()
        agent.learn(outcomes(rows, [reward] * len(rows) if number else first_rewards(len(rows), reward), is_feasible))
        stands.append(float(agent._here.reward))
    return stands


def first_rewards(n, best):
    return [best - 10.0 * i for i in range(n)]


def outcomes(rows, rewards, feasible):
    n = len(rows)
    worth = np.array(rewards, dtype=float)
    missed = np.zeros(n) if feasible else np.maximum(1e3 - worth, 0.0)
    return Outcomes(rows, worth, np.full(n, feasible), np.zeros(n, dtype=bool), worth[:, None], missed)


def test_better_designs_are_always_accepted_and_much_worse_ones_not():
    assert walk([0.0, 1.0, 2.0, -1e6, 3.0]) == [0.0, 1.0, 2.0, 2.0, 3.0]


def test_without_temperature_nothing_worse_is_accepted_and_with_a_high_one_nearly_everything():
    slightly_worse = [0.0, *(-0.001 * k for k in range(1, 40))]
    cold = walk(slightly_worse, config=SimulatedAnnealingConfig(temperature=0.0))
    hot = walk(slightly_worse, config=SimulatedAnnealingConfig(temperature=100.0))
    assert cold == [0.0] * 40
    assert hot == slightly_worse


def test_a_feasible_design_is_not_left_for_an_infeasible_one_with_a_better_reward():
    config = SimulatedAnnealingConfig(temperature=1e-6)
    assert walk([0.0, 50.0, 60.0], config=config, feasible=[True, False, True]) == [0.0, 0.0, 60.0]


def test_the_walk_cools_down_and_is_heated_again_at_the_best_design():
    config = SimulatedAnnealingConfig(temperature=1.0, halving=2)
    falling = walk([0.0, *(-0.5 * k for k in range(1, 30))], config=config)
    # Six and a half halvings to a hundredth: after 14 steps or so the walk is back at its best, the start.
    assert falling[1] < 0.0
    assert falling[13] == 0.0


@pytest.mark.parametrize("moves", [1, 2, 3])
def test_a_move_changes_at_most_so_many_parameters(moves, proposals):
    rows, session = proposals("simulated_annealing", "HugeSpace", budget=60, options={"starts": 2, "moves": moves})
    space = session.space
    known = [space.decode_row(row) for row in rows[:60]]
    nearest = [
        min(sum(design[name] != other[name] for name in design) for other in known[:n])
        for n, design in enumerate(known)
        if n >= 2
    ]
    assert max(nearest) <= moves
    assert max(nearest) == moves


def test_it_is_found_by_name_and_takes_one_objective():
    assert agent_class("simulated_annealing") is SimulatedAnnealing


def test_what_is_missed_counts_ever_more_where_the_best_rewards_are_out_of_bounds() -> None:
    # The least tail latencies are just beyond the bound on total time; one random design in a hundred is feasible.
    best = [archgym.search("dram-dev-p99", "simulated_annealing", budget=300, seed=seed).reward for seed in range(6)]
    assert np.isfinite(best).all()
