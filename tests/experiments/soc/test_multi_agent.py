"""The learners of the multi-agent comparison, and who chooses what on a chip."""

import numpy as np
import pytest

import archgym
from archgym.envs.agent_groups import AgentGroups
from experiments.soc_multi_agent.__main__ import run_team, summarised
from experiments.soc_multi_agent.learner import Settings, Team, advantages_of


def test_processors_memory_and_mapping_have_agents_of_their_own():
    space = archgym.make_session("archgym/SoC-v0", workload="audio-decoder").space
    groups = AgentGroups(space, "declared").columns
    assert list(groups) == ["memory-system", "processors", "mapping1", "mapping2", "mapping3", "mapping4"]
    names = {agent: [space.columns[c] for c in columns] for agent, columns in groups.items()}
    assert all(name.startswith(("memory", "bus")) for name in names["memory-system"])
    assert all(name.startswith("cpu") or name.endswith((".copies", ".clock", ".bus")) for name in names["processors"])
    mapped = [name for agent in groups if agent.startswith("mapping") for name in names[agent]]
    assert mapped
    assert all(name.endswith((".runs_on", ".memory")) for name in mapped)


@pytest.mark.parametrize("owner", [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 2, 3]])
def test_a_team_finds_the_best_values_from_the_reward_alone(owner):
    goal = np.array([2, 0, 4, 1])
    team = Team(np.array([3, 4, 5, 6]), np.array(owner), Settings(0.1), np.random.default_rng(0))
    for _ in range(60):
        batch = np.stack([team.act() for _ in range(16)])
        team.update(batch, advantages_of((batch == goal).sum(axis=1).astype(float)))
    final = np.stack([team.act() for _ in range(50)])
    assert (final == goal).mean() > 0.9


def test_agents_side_by_side_learn_what_each_would_alone():
    rng = np.random.default_rng(1)
    nvec = np.array([3, 4, 2, 5])
    designs, worth = rng.integers(0, nvec, (16, 4)), advantages_of(rng.random(16))
    together = Team(nvec, np.array([0, 0, 1, 1]), Settings(0.1), np.random.default_rng(2))
    together.update(designs, worth)
    for part in ([0, 1], [2, 3]):
        alone = Team(nvec[part], np.zeros(2, dtype=np.int64), Settings(0.1), np.random.default_rng(3))
        alone.update(designs[:, part], worth)
        width = alone.probabilities().shape[1]
        np.testing.assert_allclose(together.probabilities()[part, :width], alone.probabilities(), rtol=1e-9)


def test_the_limit_is_of_an_agents_whole_action():
    """With small steps, softmaxes that share one ratio stop sooner; with large ones, they have overshot by then."""
    rng = np.random.default_rng(1)
    nvec = np.full(100, 4)
    designs, worth = rng.integers(0, 4, (16, 100)), advantages_of(rng.random(16))

    def moved(owner, rate):
        team = Team(nvec, owner, Settings(rate), np.random.default_rng(2))
        team.update(designs, worth)
        return float(np.abs(team.probabilities() - 0.25).sum())

    whole, split = np.zeros(100, dtype=np.int64), np.arange(100)
    assert moved(whole, 0.01) < 0.6 * moved(split, 0.01)
    assert moved(whole, 0.3) > 1.5 * moved(split, 0.3)


def test_advantages_are_ranks():
    worth = advantages_of(np.array([5.0, -1e9, 5.0, 7.0]))
    assert worth.argmax() == 3
    assert worth.argmin() == 1
    assert worth[0] == worth[2]
    assert worth.sum() == pytest.approx(0.0)
    assert (advantages_of(np.ones(3)) == 0.0).all()


@pytest.mark.parametrize("groups", ["one", "declared", "parameter"])
def test_a_team_spends_the_budget_of_its_session(groups):
    session = archgym.make_session("archgym/SoC-v0", workload="hpvm-cava", budget=40)
    run_team(session, groups, Settings(0.1), np.random.default_rng(0))
    assert session.calls == 40
    assert session.stop_reason == "budget"


def test_wins_are_counted_against_one_agent_with_ties_half():
    lines = [
        {"workload": w, "who": who, "learning_rate": "0.1", "seed": str(s), "reward": str(r), "met": "False"}
        for w in ("audio-decoder", "hpvm-cava", "audio-decoder+edge-detection+hpvm-cava")
        for who, rewards in {
            "one agent": (1.0, 2.0),
            "six agents": (2.0, 3.0),
            "an agent a parameter": (0.0, 0.0),
            "PPO (Stable-Baselines3), one agent": (1.0, 1.0),
            "random search": (2.0, 2.0),
        }.items()
        for s, r in enumerate(rewards)
    ]
    wins = {row["who"]: row["beats_one_agent"] for row in summarised(lines) if row["workload"] == "audio-decoder"}
    assert wins["six agents"] == "0.88"
    assert wins["an agent a parameter"] == "0.00"
    assert wins["random search"] == "0.75"
