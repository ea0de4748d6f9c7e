"""The multi-agent experiment: arms are what they are called, and reach is as described."""

from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest

import archgym
from archgym.registry import agent_class
from archgym.tasks import task
from archgym_simulators import DesignSpace, Integer
from experiments.multi_agent import tables
from experiments.multi_agent.arms import ARMS, CONTRASTS, MEMORY, STEPS, step_sizes
from experiments.multi_agent.csv_table import read_csv
from experiments.multi_agent.spaces import RELEASED_DRAM, reached_values

pytest.importorskip("stable_baselines3", reason="needs the extra rl")
pytest.importorskip("sb3_contrib", reason="needs the extra rl")
pytest.importorskip("pettingzoo", reason="needs the extra marl")

PLAIN = {"random_search", "coordinate_descent", "bandits", "reinforce", "reinforce_autoregressive"}
DRAM = "dram-mixed-time"


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
