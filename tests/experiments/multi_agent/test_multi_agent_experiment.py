"""The multi-agent experiment: arms are what they are called, reach is as described, shards are run once."""

import json
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest

import archgym
from archgym.optimum import certified_optimum
from archgym.registry import agent_class
from archgym.statistics import iqm
from archgym.studies.results import load_study
from archgym.tasks import task
from archgym_simulators import DesignSpace, Integer
from experiments.multi_agent import shards, tables
from experiments.multi_agent.arms import ARMS, CONTRASTS, MEMORY, STEPS, step_sizes
from experiments.multi_agent.csv_table import read_csv
from experiments.multi_agent.outcomes import best_size, outcomes
from experiments.multi_agent.shards import DEV_TASKS, TASKS, folder_of, run_shard
from experiments.multi_agent.spaces import RELEASED_DRAM, additive_share, reached_values

pytest.importorskip("stable_baselines3", reason="needs the extra rl")
pytest.importorskip("sb3_contrib", reason="needs the extra rl")
pytest.importorskip("pettingzoo", reason="needs the extra marl")

PLAIN = {"random_search", "coordinate_descent", "bandits", "reinforce", "reinforce_autoregressive"}
DRAM, MAPPING = "dram-mixed-time", "mapping-small-edp"


@pytest.fixture
def watched(monkeypatch):
    """What a short run of an arm on DRAM does: views of Stable-Baselines3, teams, and every row it proposes."""

    def watch(name: str, calls: int = 24):
        from archgym.envs import sb3_bridge
        from archgym_agents import _team

        seen = {"views": [], "teams": [], "rows": []}
        bridge, team = sb3_bridge.Sb3VecEnv.__init__, _team.Team.__init__

        def bridged(self, *args, view="flat", **more):
            seen["views"].append(view)
            bridge(self, *args, view=view, **more)

        def teamed(self, env, config, rng, *, central):
            team(self, env, config, rng, central=central)
            seen["teams"].append((len(env.possible_agents), len(self._critic_out), central))

        monkeypatch.setattr(sb3_bridge.Sb3VecEnv, "__init__", bridged)
        monkeypatch.setattr(_team.Team, "__init__", teamed)
        session = archgym.make_session(DRAM, budget=calls)
        evaluate = session.evaluate
        session.evaluate = lambda rows, workload=None: seen["rows"].append(np.array(rows)) or evaluate(rows, workload)
        built = agent_class(ARMS[name].agent)
        config = built.Config.from_options(ARMS[name].settings)
        with suppress(archgym.SessionOver):
            built.create(session.space, config, np.random.default_rng(1), budget=calls).run(session)
        assert session.calls == calls
        return session.space, seen, np.concatenate(seen["rows"])

    return watch


# ---- arms are what they are called -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("gaussian_ppo", "continuous"),
        ("gaussian_ppo_rounded", "continuous"),
        ("gaussian_sac", "continuous"),
        ("factorised_ppo", "flat"),
        ("autoregressive_ppo", "sequential"),
    ],
)
def test_arms_of_the_library_act_in_the_view_that_they_are_named_after(watched, name: str, view: str) -> None:
    _, seen, _ = watched(name)
    assert seen["views"] == [view]
    assert not seen["teams"]
    expected = {"continuous": "cube", "flat": "values", "sequential": "values"}[view]
    assert ARMS[name].actions.removeprefix("rounded ") == expected
    assert ARMS[name].is_joint == (view == "sequential")


@pytest.mark.parametrize(("name", "agents", "critics"), [("one_agent", 1, 1), ("ippo", 10, 10), ("mappo", 10, 1)])
def test_teams_have_as_many_agents_and_critics_as_their_names_say(watched, name: str, agents, critics) -> None:
    _, seen, _ = watched(name)
    assert seen["teams"] == [(agents, critics, name == "mappo")]
    assert not seen["views"]
    assert (ARMS[name].agents == "one a parameter") == (agents > 1)


def test_every_arm_is_watched_by_a_test_or_has_neither_library_nor_team() -> None:
    by_library = {"gaussian_ppo", "gaussian_ppo_rounded", "gaussian_sac", "factorised_ppo", "autoregressive_ppo"}
    assert {*by_library, "one_agent", "ippo", "mappo"} | PLAIN == set(ARMS)
    assert all(ARMS[name].agent == name for name in PLAIN)


def test_arms_that_learn_from_ranks_rank_among_as_many_designs() -> None:
    for arm in ARMS.values():
        has_memory = hasattr(agent_class(arm.agent).Config(), "memory")
        assert arm.settings.get("memory") == (MEMORY if has_memory else None), arm.name


def test_arms_that_learn_have_three_step_sizes_around_their_default_and_others_none() -> None:
    for arm in ARMS.values():
        sizes = step_sizes(arm)
        assert len(sizes) == (0 if arm.name in ("random_search", "coordinate_descent") else 3)
        if sizes:
            assert sizes[1] == getattr(agent_class(arm.agent).Config(), arm.step_size)
            assert sizes[0] < sizes[1] < sizes[2]


def test_steps_lead_from_the_released_agent_to_one_agent_a_parameter() -> None:
    assert STEPS[0].first == "gaussian_ppo_rounded"
    assert STEPS[-1].second == "ippo"
    assert all(one.second == other.first for one, other in pairwise(STEPS))
    assert {arm for one in CONTRASTS for arm in (one.first, one.second)} <= set(ARMS)


def test_the_control_of_many_agents_differs_in_nothing_but_who_owns_what() -> None:
    one, many = (agent_class(ARMS[name].agent).Config().to_json() for name in ("one_agent", "ippo"))
    assert many.pop("groups") == "parameter"
    assert one == many


# ---- reach -----------------------------------------------------------------------------------------------------------


def test_the_rounded_encoding_reaches_what_is_described_and_the_full_one_more(watched) -> None:
    space, _, rounded = watched("gaussian_ppo_rounded", 200)
    _, _, full = watched("gaussian_ppo", 200)
    for column, n in enumerate(space.nvec.tolist()):
        assert set(rounded[:, column].tolist()) <= set(reached_values(n)), space.columns[column]
        assert len(set(full[:, column].tolist())) > 3 or n <= 3, space.columns[column]


def test_rounded_actions_are_the_first_the_middle_and_the_last_bin() -> None:
    from archgym.envs.codecs import ContinuousCodec

    space = DesignSpace([Integer(f"p{n}", 1, n, description="a number") for n in range(2, 25)])
    points = np.repeat(np.linspace(-1.0, 1.0, 201)[:, None], space.width, axis=1)
    rows = ContinuousCodec(space).rows(np.round(points))
    for column, n in enumerate(space.nvec.tolist()):
        assert set(rows[:, column].tolist()) == set(reached_values(n))


def test_the_released_encoding_of_the_dram_controller_reaches_six_designs_in_a_hundred() -> None:
    reached = int(np.prod([len(reached_values(n)) for n in RELEASED_DRAM]))
    assert reached == 26_244
    assert int(np.prod(RELEASED_DRAM)) == 442_368
    assert reached / 442_368 == pytest.approx(0.059, abs=5e-4)


def test_reach_in_the_committed_table_is_that_of_the_spaces() -> None:
    for row in read_csv(tables.HERE / "spaces.csv"):
        space = task(row["task"]).spec().bind().space
        reached = int(np.prod([len(reached_values(n)) for n in space.nvec.tolist()]))
        assert int(row["reached_rows"]) == reached
        assert int(row["rows"]) == space.size
        drawn = float(row["reached_share_of_100000_drawn"])
        assert drawn == pytest.approx(reached / space.size, abs=4 * (reached / space.size / 1e5) ** 0.5)


# ---- coupling --------------------------------------------------------------------------------------------------------


def test_the_additive_share_is_one_of_a_sum_and_nothing_of_a_parity() -> None:
    rows = np.tile(np.indices((4, 4, 4)).reshape(3, -1).T, (60, 1))
    assert additive_share(rows, rows @ np.array([1.0, 2.0, 5.0])) == pytest.approx(1.0, abs=0.01)
    assert additive_share(rows, (rows.sum(axis=1) % 2).astype(float)) == pytest.approx(0.0, abs=0.01)
    half = rows[:, 0] - 1.5 + (rows[:, 1] - 1.5) * (rows[:, 2] - 1.5) / 1.25**0.5
    assert additive_share(rows, half) == pytest.approx(0.5, abs=0.01)


def test_many_values_explain_no_more_than_few_by_chance() -> None:
    rng = np.random.default_rng(1)
    rows, worth = rng.integers(0, 300, (2000, 4)), rng.standard_normal(2000)
    assert abs(additive_share(rows, worth)) < 0.1


# ---- runs and tables -------------------------------------------------------------------------------------------------


def test_tasks_for_tuning_and_for_judging_are_what_the_suite_says() -> None:
    assert {task(name).role for name in TASKS} == {"test"}
    assert {task(name).role for name in DEV_TASKS} == {"dev"}
    assert not set(shards.SEEDS) & set(shards.DEV_SEEDS)


@pytest.fixture
def trial(tmp_path, monkeypatch):
    """Two arms on one task, of twenty calls."""
    monkeypatch.setattr(shards, "TASKS", (MAPPING,))
    for name in ("random_search", "coordinate_descent"):
        run_shard(ARMS[name], "defaults", tmp_path, seeds=(0, 1, 2), budget=20)
    return tmp_path


def test_a_shard_that_has_ended_is_not_run_again_and_more_seeds_are_added(trial, monkeypatch) -> None:
    from archgym.studies.runner import CellRunner

    made, run = [], CellRunner.run
    monkeypatch.setattr(CellRunner, "run", lambda self, cell: made.append(cell.seed) or run(self, cell))
    assert run_shard(ARMS["random_search"], "defaults", trial, seeds=(0, 1, 2), budget=20).was_complete
    assert made == []
    run_shard(ARMS["random_search"], "defaults", trial, seeds=(0, 1, 2, 3), budget=20)
    assert made == [3]


def test_outcomes_are_those_of_searches_with_the_same_seeds(trial) -> None:
    rows = outcomes([("random_search", folder_of(trial, "defaults", 20, ARMS["random_search"]))])
    optimum = certified_optimum(task(MAPPING).spec())
    for seed in (0, 1, 2):
        alone = archgym.search(MAPPING, "random_search", budget=20, seed=seed)
        missing = (optimum.reward - alone.reward) / (optimum.reward - optimum.median_reward)
        assert rows[rows["seed"] == seed]["regret"].item() == pytest.approx(missing)


def test_tables_hold_an_arm_and_a_pair_a_row(trial, monkeypatch) -> None:
    for file in ("ARMS_FILE", "CONTRASTS_FILE", "SENSITIVITY"):
        monkeypatch.setattr(tables, file, trial / f"{file}.csv")
    monkeypatch.setattr(tables, "BUDGETS", (20,))
    monkeypatch.setattr(tables, "SUBJECTS", {"coupled": (MAPPING,)})
    monkeypatch.setattr(tables, "CONTRASTS", (tables.Contrast("x", "random_search", "coordinate_descent"),))
    tables.write_tables(trial)
    arms = {row["arm"]: row for row in read_csv(trial / "ARMS_FILE.csv")}
    assert list(arms) == ["random_search", "coordinate_descent"]
    (row,) = read_csv(trial / "CONTRASTS_FILE.csv")
    assert float(row["gain"]) == pytest.approx(
        float(arms["random_search"]["iqm"]) - float(arms["coordinate_descent"]["iqm"]), abs=1e-3
    )
    assert float(row["low"]) <= float(row["gain"]) <= float(row["high"])
    assert not (trial / "SENSITIVITY.csv").exists()


def test_the_command_tunes_an_arm_on_other_tasks_and_runs_it_at_what_it_chose(trial, monkeypatch) -> None:
    from experiments.multi_agent import __main__ as program

    monkeypatch.setattr(shards, "DEV_TASKS", ("mapping-dev-conv-edp",))
    monkeypatch.setattr(program, "TUNING_BUDGET", 20)
    monkeypatch.setattr(program, "best_size", lambda regrets, default: max(regrets))
    arguments = ["run", "--out", str(trial), "--only", "bandits", "--budgets", "20", "--seeds", "2"]
    assert program.main(arguments) == 0
    tuning, tuned = (load_study(folder_of(trial, stage, 20, ARMS["bandits"])).runs for stage in shards.STAGES[1:])
    assert set(tuning["task"]) == {"mapping-dev-conv-edp"}
    assert tuning["settings"].nunique() == 3
    assert set(tuned["task"]) == {MAPPING}
    assert {json.loads(one)["exploration"] for one in tuned["settings"]} == {1.5}
    assert set(tuned["seed"]).isdisjoint(tuning["seed"])


def test_gains_of_steps_add_up_and_their_intervals_are_of_pairs() -> None:
    rng = np.random.default_rng(3)
    one, two, three = (rng.random((8, 3)) for _ in range(3))
    parts = [tables.gain(*pair, np.random.default_rng(0))[0] for pair in ((one, two), (two, three), (one, three))]
    assert parts[0] + parts[1] == pytest.approx(parts[2])
    assert parts[2] == pytest.approx(float(iqm(one) - iqm(three)))
    shifted = tables.gain(one, one - 0.1, np.random.default_rng(0))
    assert shifted == pytest.approx((0.1, 0.1, 0.1)), "what is alike in a pair is no uncertainty of its difference"


def test_the_best_step_size_is_the_default_unless_another_is_better() -> None:
    good, bad = np.full((4, 2), 0.1), np.full((4, 2), 0.5)
    assert best_size({0.1: bad, 0.3: good, 0.9: bad}, 0.3) is None
    assert best_size({0.1: good, 0.3: good, 0.9: bad}, 0.3) is None
    assert best_size({0.1: good, 0.3: bad, 0.9: bad}, 0.3) == 0.1
