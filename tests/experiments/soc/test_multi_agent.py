"""The learners of the multi-agent comparison, and who chooses what on a chip."""

import numpy as np
import pytest

import archgym
from archgym.envs.agent_groups import AgentGroups
from experiments.soc_multi_agent.__main__ import COLUMNS, DEV_SEEDS, SEEDS, TEAMS, WORKLOADS, Log, run_team, summarised
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


def test_a_batch_is_worth_what_the_environment_of_several_agents_gives_for_it():
    session = archgym.make_session("archgym/SoC-v0", workload="hpvm-cava")
    rows = session.space.canonical(session.space.sample(5, np.random.default_rng(0)))
    env = archgym.parallel_env("archgym/SoC-v0", workload="hpvm-cava")
    groups = AgentGroups(session.space, "declared")
    for row, reward in zip(rows, session.evaluate(rows).reward.tolist(), strict=True):
        env.reset(seed=0)
        chosen = {agent: share[0] for agent, share in groups.actions(row[None]).items()}
        assert set(env.step(chosen)[1].values()) == {reward}


def test_with_nothing_to_clip_it_makes_no_difference_who_owns_what():
    rng = np.random.default_rng(1)
    nvec = np.array([3, 4, 2, 5])
    batches = [(rng.integers(0, nvec, (16, 4)), advantages_of(rng.random(16))) for _ in range(5)]

    def learned(owner):
        team = Team(nvec, np.array(owner), Settings(0.3, epochs=1), np.random.default_rng(2))
        for designs, worth in batches:
            team.update(designs, worth)
        return team.probabilities()

    alone = learned([0, 0, 0, 0])
    for owner in ([0, 0, 1, 1], [0, 1, 2, 3]):
        assert (learned(owner) == alone).all()
    assert (alone != Team(nvec, np.zeros(4, dtype=int), Settings(0.3), rng).probabilities()).any()


def test_everyone_is_tuned_alike_on_seeds_that_judge_nobody():
    assert {len(settings) for _, settings in TEAMS.values()} == {6}
    assert not set(DEV_SEEDS) & set(SEEDS)
    assert len(SEEDS) >= 10


def test_a_run_that_is_logged_is_not_made_again(tmp_path):
    path = tmp_path / "runs.csv"
    line = dict.fromkeys(COLUMNS, "") | {"workload": "no such", "who": "random search", "seed": "3", "reward": "1.5"}
    path.write_text(",".join(line) + "\n" + ",".join(line.values()) + "\n")
    assert Log(path).runs("no such", "random search", None, [3]) == [line]
    with pytest.raises(ValueError, match="no such"):
        Log(path).runs("no such", "random search", None, [4])


def test_wins_are_counted_against_one_agent_and_only_the_whole_is_tested():
    rewards = {"one agent": range(10), "six agents": range(10, 20), "random search": range(10)}
    judged = {
        (workload, who): [{"reward": str(reward), "met": str(reward >= 15)} for reward in own]
        for workload in WORKLOADS
        for who, own in rewards.items()
    }
    rows = {(row["workload"], row["who"]): row for row in summarised(dict.fromkeys(rewards), judged)}
    better, same = rows["all", "six agents"], rows["all", "random search"]
    assert (better["beats_one_agent"], better["low"], better["high"]) == ("1.00", "1.00", "1.00")
    assert float(better["p"]) < 0.01
    assert (same["beats_one_agent"], float(same["p"])) == ("0.50", 1.0)
    assert (better["runs"], better["met"], better["iqm"]) == (30, 15, "")
    single = rows[WORKLOADS[0], "one agent"]
    assert (single["iqm"], single["p"], single["beats_one_agent"]) == ("4.500", "", "")
    assert float(single["iqm_low"]) < 4.5 < float(single["iqm_high"])
