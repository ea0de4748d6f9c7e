"""Successive halving and Hyperband: rungs, brackets, promotions, costs."""

import numpy as np
import pytest

import archgym
from archgym_simulators import InputError

EFFORT = "archgym.testing.toys:EffortBowl"


@pytest.fixture(autouse=True)
def registered() -> None:
    archgym.register("toy/EffortBowl-v0", EFFORT)


def levels(rows):
    return rows[:, -1].tolist()


def test_a_bracket_promotes_the_best_third_of_each_rung(proposals) -> None:
    rows, session = proposals("successive_halving", "EffortBowl", budget=40)
    assert levels(rows[:40]) == [0] * 27 + [1] * 9 + [2] * 3 + [3]
    reward = session.problem().evaluate(rows)
    rank = np.where(reward.feasible, reward.reward, -1e3 - reward.missed)
    best = rows[np.argsort(-rank[:27], kind="stable")[:9], :-1]
    assert {tuple(row) for row in rows[27:36, :-1].tolist()} == {tuple(row) for row in best.tolist()}


def test_the_brackets_of_hyperband_begin_at_each_rung_in_turn(proposals) -> None:
    rows, _ = proposals("hyperband", "EffortBowl", budget=200)
    first = [0] * 27 + [1] * 9 + [2] * 3 + [3]
    second = [1] * 12 + [2] * 4 + [3]
    third = [2] * 6 + [3] * 2
    fourth = [3] * 4
    whole = first + second + third + fourth
    assert levels(rows[: len(whole) + 27]) == [*whole, *[0] * 27]


def test_fewer_rungs_are_spread_over_the_levels(proposals) -> None:
    rows, _ = proposals("successive_halving", "EffortBowl", budget=12, options={"rungs": 2, "designs": 9})
    assert levels(rows[:12]) == [0] * 9 + [3] * 3


def test_a_budget_in_cost_is_spent_on_many_cheap_designs_and_few_dear_ones() -> None:
    def found(agent: str) -> tuple[float, int]:
        runs = [
            archgym.search("toy/EffortBowl-v0", agent, budget=150, budget_unit="cost", seed=seed) for seed in range(8)
        ]
        return float(np.median([run.reward for run in runs])), runs[0].calls

    halving, blind = found("successive_halving"), found("random_search")
    assert halving[0] > blind[0]
    assert halving[1] > blind[1]


@pytest.mark.parametrize("name", ["successive_halving", "hyperband"])
class TestBoth:
    def test_a_space_without_fidelity_is_refused_in_one_line(self, name: str) -> None:
        with pytest.raises(InputError, match=f"agent '{name}' needs a space with one fidelity parameter.* has none"):
            archgym.search("toy/Bowl-v0", name, budget=5)

    def test_several_objectives_are_refused(self, name: str) -> None:
        with pytest.raises(InputError, match="takes one objective"):
            archgym.search("toy/EffortBowl-v0", name, budget=5, objective=["time", "energy"])

    def test_no_proposal_is_wasted(self, name: str, proposals) -> None:
        _, session = proposals(name, "EffortBowl", budget=600)
        assert session.calls == session.proposals == 600

    def test_a_budget_in_cost_is_not_exceeded(self, name: str) -> None:
        session = archgym.make_session("toy/EffortBowl-v0", budget=100, budget_unit="cost")
        agent = archgym.registry.agent_class(name)
        agent.create(session.space, agent.Config(), np.random.default_rng(0), budget=session.remaining).run(session)
        assert 92.0 < session.spent <= 100.0


def test_the_mapper_effort_of_an_accelerator_is_halved() -> None:
    session = archgym.make_session("archgym/Accelerator-v0", budget=4)
    agent = archgym.registry.agent_class("successive_halving")
    config = agent.Config(designs=3, eta=3, rungs=2)
    searcher = agent.create(session.space, config, np.random.default_rng(0), budget=4)
    effort = session.space.columns_of("mapper_effort").start
    first = searcher.ask(3)
    assert first[:, effort].tolist() == [0, 0, 0]
    searcher.tell(first, session.evaluate(first))
    assert searcher.ask(1)[:, effort].tolist() == [2]
