"""The multi-agent environment."""

import sys
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.error import ResetNeeded

import archgym
from archgym.envs.agent_groups import AgentGroups
from archgym.session import SessionOver
from archgym_simulators import DesignSpace, InputError, Integer, MissingExtra, Permutation

BOWL = "toy/Bowl-v0"
GROUPED = DesignSpace(
    [
        Integer("a", 0, 3, group="core"),
        Permutation("o", ["K", "C", "X"]),
        Integer("b", 0, 4, group="core"),
        Integer("c", 0, 1),
    ]
)


def test_groups_are_declared_or_by_parameter_or_given() -> None:
    declared = AgentGroups(GROUPED)
    assert {agent: columns.tolist() for agent, columns in declared.columns.items()} == {
        "core": [0, 3],
        "o": [1, 2],
        "c": [4],
    }
    assert list(AgentGroups(GROUPED, "parameter").columns) == ["a", "o", "b", "c"]
    given = AgentGroups(GROUPED, {"left": ["o", "a"], "right": ["c", "b"]})
    assert given.columns["left"].tolist() == [1, 2, 0]


def test_action_spaces_follow_the_number_of_columns() -> None:
    groups = AgentGroups(GROUPED)
    assert groups.action_space("c") == spaces.Discrete(2)
    assert groups.action_space("core") == spaces.MultiDiscrete([4, 5])
    assert groups.action_space("o") == spaces.MultiDiscrete([3, 2])


@pytest.mark.parametrize("groups", [None, "parameter", {"left": ["o", "a"], "right": ["c", "b"]}])
def test_every_design_is_some_joint_action(groups: Any) -> None:
    agents = AgentGroups(GROUPED, groups)
    rows = np.concatenate(list(GROUPED.chunks()))
    assert np.array_equal(agents.rows(agents.actions(rows)), rows)


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        ("parametr", "did you mean 'parameter'"),
        ({"one": ["a", "o", "b"]}, "no agent chooses c"),
        ({"one": ["a", "o", "b", "c"], "two": ["a"]}, "'a' belongs to 'one' and to 'two'"),
        ({"one": ["a", "o", "b", "cc"]}, "unknown parameter 'cc'"),
        ({"one": ["a", "o", "b", "c"], "two": []}, "'two' chooses nothing"),
    ],
)
def test_wrong_groups_are_refused(groups: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        AgentGroups(GROUPED, groups)


def test_a_missing_extra_names_the_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pettingzoo", None)
    with pytest.raises(MissingExtra, match=r"pip install 'archgym\[marl\]'"):
        archgym.parallel_env(BOWL)


class TestWithPettingZoo:
    @pytest.fixture(autouse=True)
    def _needs_pettingzoo(self) -> None:
        pytest.importorskip("pettingzoo", reason="needs the extra marl")

    @pytest.mark.parametrize("groups", ["declared", "parameter"])
    def test_pettingzoos_checkers_pass(self, env_id: str, horizon: int, groups: str, arguments: dict[str, Any]) -> None:
        from pettingzoo.test import parallel_api_test, parallel_seed_test

        def make() -> Any:
            return archgym.parallel_env(env_id, horizon=horizon, groups=groups, **arguments)

        env = make()
        parallel_api_test(env, 30)  # it and the next raise where something is wrong
        parallel_seed_test(make, 30)
        assert env.session.proposals > 0, "the checker took steps"

    def test_all_agents_together_choose_one_design_and_share_its_reward(self) -> None:
        env = archgym.parallel_env(BOWL, horizon=2)
        assert env.possible_agents == ["memory", "size_kib", "banks", "order", "tile"]
        observations, infos = env.reset(seed=0)
        assert set(observations) == set(infos) == set(env.agents)
        actions = {"memory": 1, "size_kib": 2, "banks": 3, "order": np.array([1, 0]), "tile": 14}
        observations, rewards, terminated, truncated, infos = env.step(actions)
        single = archgym.DesignEnv(BOWL, horizon=2)
        single.reset(seed=0)
        seen, reward, *_, info = single.step(np.array([1, 2, 3, 1, 0, 14]))
        assert rewards == dict.fromkeys(env.possible_agents, reward)
        assert not any(terminated.values())
        assert not any(truncated.values())
        assert all(np.array_equal(observation, seen) for observation in observations.values())
        assert np.array_equal(env.state(), seen)
        assert env.state_space.contains(env.state())
        assert infos["banks"] == info

    def test_all_agents_end_together(self) -> None:
        for horizon, name in ((1, "terminations"), (3, "truncations")):
            env = archgym.parallel_env(BOWL, horizon=horizon)
            env.reset(seed=0)
            for _ in range(horizon):
                _, _, terminations, truncations, _ = env.step({a: env.action_space(a).sample() for a in env.agents})
            assert all({"terminations": terminations, "truncations": truncations}[name].values())
            assert env.agents == []
            with pytest.raises(ResetNeeded):
                env.step({})

    def test_observations_are_the_agents_own(self) -> None:
        env = archgym.parallel_env(BOWL)
        observations, infos = env.reset(seed=0)
        observations["memory"][:] = 7.0
        infos["memory"]["workload"] = "other"
        assert (observations["banks"] <= 1.0).all()
        assert (env.state() <= 1.0).all()
        assert infos["banks"]["workload"] == "default"

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"memory": None}, "no action of agent 'memory'"),
            ({"memry": 0}, "unknown agent 'memry'; did you mean 'memory'"),
            ({"order": np.array([0])}, "agent 'order' must choose"),
            ({"banks": 8}, r"banks index must be in 0\.\.7, not 8"),
        ],
    )
    def test_wrong_actions_name_the_agent(self, change: dict[str, Any], sentence: str) -> None:
        env = archgym.parallel_env(BOWL)
        env.reset(seed=0)
        actions = {"memory": 1, "size_kib": 2, "banks": 3, "order": np.array([1, 0]), "tile": 14, **change}
        with pytest.raises(InputError, match=sentence):
            env.step({agent: action for agent, action in actions.items() if action is not None})

    def test_a_shared_session_is_charged(self) -> None:
        session = archgym.make_session(BOWL, budget=2)
        env = archgym.parallel_env(session=session, groups={"all": list(session.space.names)}, horizon=9)
        env.reset(seed=0)
        for banks in range(2):
            env.step({"all": np.array([0, 4, banks, 0, 0, 0])})
        assert session.calls == 2
        with pytest.raises(SessionOver):
            env.step({"all": np.array([0, 4, 5, 0, 0, 0])})

    def test_it_renders_text_and_names_itself(self) -> None:
        env = archgym.parallel_env(BOWL, render_mode="ansi")
        env.reset(seed=0)
        assert "no design yet" in env.render()
        assert str(env) == BOWL
        env.close()
