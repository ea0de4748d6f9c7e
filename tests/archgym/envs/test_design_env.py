"""The single environment."""

import copy
import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded

import archgym
from archgym.session import SessionOver
from archgym.testing.toys import Bowl
from archgym_simulators import InputError

BOWL = "toy/Bowl-v0"


def test_one_step_episodes_terminate_and_longer_ones_truncate() -> None:
    for horizon, last in ((1, (True, False)), (4, (False, True))):
        env = gym.make(BOWL, horizon=horizon)
        env.reset(seed=0)
        ends = [env.step(env.action_space.sample())[2:4] for _ in range(horizon)]
        assert ends == [(False, False)] * (horizon - 1) + [last]


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "5"])
def test_a_horizon_is_a_positive_whole_number(wrong: Any) -> None:
    with pytest.raises(InputError, match="horizon must be a whole number of at least 1"):
        archgym.DesignEnv(BOWL, horizon=wrong)


def test_stepping_needs_a_running_episode() -> None:
    env = archgym.DesignEnv(BOWL)
    with pytest.raises(ResetNeeded):
        env.step(env.action_space.sample())
    env.reset(seed=0)
    env.step(env.action_space.sample())
    with pytest.raises(ResetNeeded):
        env.step(env.action_space.sample())


def test_an_index_out_of_range_names_its_parameter() -> None:
    env = archgym.DesignEnv(BOWL)
    env.reset(seed=0)
    with pytest.raises(InputError, match=r"banks index must be in 0\.\.7, not 8"):
        env.step(np.array([0, 0, 8, 0, 0, 0]))


def test_info_reads_as_a_person_would_write_it() -> None:
    env = archgym.DesignEnv(BOWL, constraints="time_ns<=110")
    env.reset(seed=0)
    *_, info = env.step(np.array([1, 2, 3, 1, 0, 14]))
    assert info["design"] == {"memory": "scratchpad", "size_kib": 4, "banks": 4, "order": "C>K>X", "tile": "6x1x4"}
    assert set(info["metrics"]) == {"time_ns", "energy_pj", "speed_mhz", "slack_ns"}
    assert (info["status"], info["reason"]) == ("ok", "")
    assert info["violations"] == {"time_ns<=110": 0.0}
    env.reset()
    *_, info = env.step(np.array([0, 0, 7, 0, 0, 0]))
    assert info["metrics"] == {}
    assert info["reason"] == "8 banks do not fit 1 KiB"
    assert info["violations"] == {"too-many-banks": 4.0}


def test_rewards_are_relative_to_the_baseline() -> None:
    env = archgym.DesignEnv(BOWL, objective="time_ns")
    env.reset(seed=0)
    baseline = env.session.problem().simulator.baseline.row
    assert env.step(np.array(baseline))[1] == 0.0


def test_observations_say_what_they_hold() -> None:
    env = archgym.DesignEnv(BOWL, horizon=4)
    first, _ = env.reset(seed=0)
    layout = env._episode.layout
    assert len(layout.names) == len(first) == layout.length
    assert first[layout.steps_left] == 1.0
    row = np.array([1, 2, 3, 1, 0, 14])
    seen, reward, *_ = env.step(row)
    assert seen[layout.design].tolist() == pytest.approx((row / (env.session.space.nvec - 1)).tolist())
    assert seen[layout.steps_left] == 0.75
    assert seen[layout.best_reward] == pytest.approx(reward / (1 + abs(reward)))
    worse, *_ = env.step(np.array([0, 0, 0, 0, 0, 0]))
    assert worse[layout.best_reward] == seen[layout.best_reward]
    assert worse[layout.best_metrics].tolist() == seen[layout.metrics].tolist()
    assert worse[layout.design].tolist() == [0.0] * 6


def test_workloads_are_drawn_by_seed_and_episode() -> None:
    def drawn(seed: int, n: int = 8) -> list[str]:
        env = archgym.DesignEnv(BOWL, workload="train")
        return [env.reset(seed=seed if i == 0 else None)[1]["workload"] for i in range(n)]

    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(seed)) for seed in range(6)}) > 1
    assert set(drawn(1, 30)) == {"default", "large"}


def test_a_list_of_workloads_is_drawn_from() -> None:
    env = archgym.DesignEnv(BOWL, workload=["default", "large"])
    assert {env.reset()[1]["workload"] for _ in range(30)} == {"default", "large"}


def test_the_same_workload_looks_the_same_whatever_was_bound_first() -> None:
    row = np.array([1, 2, 3, 1, 0, 14])
    seen = []
    for first in ("default", "large"):
        env = archgym.DesignEnv(BOWL, workload=first)
        start, _ = env.reset(seed=0, options={"workload": "large"})
        seen.append((start.tolist(), env.step(row)[0].tolist()))
    assert seen[0] == seen[1]


def test_a_workload_given_at_reset_holds_for_one_episode() -> None:
    env = gym.make(BOWL)
    assert env.reset(seed=0, options={"workload": "large", "unknown": 1})[1] == {"workload": "large"}
    assert env.reset()[1] == {"workload": "default"}


@pytest.mark.parametrize("workload", ["", 5, [""], [5]])
def test_a_workload_that_is_no_text_is_refused(workload) -> None:
    with pytest.raises(InputError, match="workload must be a spec"):
        archgym.DesignEnv(BOWL, workload=workload)
    for env in (archgym.DesignEnv(BOWL), archgym.DesignVectorEnv(BOWL, num_envs=2)):
        with pytest.raises(InputError, match="workload must be a name, spec or path such as 'default'"):
            env.reset(options={"workload": workload})


def test_a_failed_reset_changes_nothing() -> None:
    one, other = (archgym.DesignEnv(BOWL, workload="train") for _ in range(2))
    one.reset(seed=3)
    other.reset(seed=3)
    with pytest.raises(InputError, match="unknown workload 'larg'; did you mean 'large'"):
        one.reset(options={"workload": "larg"})
    assert [one.reset()[1] for _ in range(6)] == [other.reset()[1] for _ in range(6)]


GROWING = """
from archgym.testing.toys import Bowl
from archgym_simulators import DesignSpace, Integer


class Chip(Bowl):
    def __init__(self, workload="default"):
        self.grown = workload == "large"
        super().__init__(workload)

    def make_space(self):
        return DesignSpace([Integer("x", 0, 9 + self.grown)])
"""


def test_a_workload_with_another_space_is_refused_with_the_line_that_works(tmp_path) -> None:
    path = tmp_path / "chip.py"
    path.write_text(GROWING)
    env = archgym.DesignEnv(f"{path}:Chip")
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"gym\.make\(.*workload='large'\)"):
        env.reset(options={"workload": "large"})
    assert archgym.DesignEnv(f"{path}:Chip", workload="large").action_space.nvec.tolist() == [11]


def test_rendering_is_text() -> None:
    env = gym.make(BOWL, render_mode="ansi")
    env.reset(seed=0)
    assert "no design yet" in env.render()
    env.step(np.array([1, 2, 3, 1, 0, 14]))
    assert "memory=scratchpad" in env.render()
    assert "time_ns=" in env.render()
    with pytest.raises(InputError, match="render_mode must be None or 'ansi'"):
        archgym.DesignEnv(BOWL, render_mode="human")


def test_the_caller_may_reuse_its_action() -> None:
    env = archgym.DesignEnv(BOWL, render_mode="ansi", horizon=2)
    env.reset(seed=0)
    action = np.zeros(6, dtype=np.int64)
    env.step(action)
    before = env.render()
    action[0] = 2
    assert env.render() == before


def test_two_environments_share_no_state() -> None:
    one, other, alone = (gym.make(BOWL, horizon=3) for _ in range(3))
    for env in (one, other, alone):
        env.reset(seed=0)
        env.action_space.seed(0)
    expected = [alone.step(alone.action_space.sample()) for _ in range(3)]
    for step in range(3):
        action = one.action_space.sample()
        other.step(np.array([0, 0, step, 0, 0, 0]))
        observation, reward, *_ = one.step(action)
        assert np.array_equal(observation, expected[step][0])
        assert reward == expected[step][1]
    assert one.unwrapped.session.calls + other.unwrapped.session.calls >= 4


def test_a_shared_session_is_charged_and_ends_the_environment() -> None:
    session = archgym.make_session(BOWL, budget=3)
    env = session.env(horizon=10)
    env.reset(seed=0)
    for banks in range(3):
        env.step(np.array([0, 4, banks, 0, 0, 0]))
    assert session.calls == 3
    with pytest.raises(SessionOver, match="budget"):
        env.step(np.array([0, 4, 3, 0, 0, 0]))


def test_a_shared_session_brings_its_own_problem() -> None:
    session = archgym.make_session(BOWL)
    with pytest.raises(InputError, match="a shared session brings its own objective"):
        session.env(objective="energy-delay")


def test_an_environment_needs_an_id_or_a_session() -> None:
    with pytest.raises(InputError, match="needs an env_id"):
        archgym.DesignEnv()


def test_specs_copy_and_pickle() -> None:
    spec = gym.make(BOWL, horizon=3, objective="energy-delay").spec
    for again in (copy.deepcopy(spec), pickle.loads(pickle.dumps(spec))):
        assert gym.make(again).unwrapped.horizon == 3


def test_unknown_arguments_name_the_nearest() -> None:
    with pytest.raises(InputError, match=r"unknown option 'scal'.*did you mean 'scale'"):
        gym.make(BOWL, scal=2.0)
    with pytest.raises(InputError, match="did you mean 'large'"):
        gym.make(BOWL, workload="larg")


def test_the_best_so_far_prefers_feasible_designs() -> None:
    env = archgym.DesignEnv(BOWL, horizon=3, constraints="energy_pj<=60")
    env.reset(seed=0)
    layout = env._episode.layout
    rows = env.session.space.sample(400, np.random.default_rng(0))
    scored = env.session.evaluate(rows)
    ok = scored.status == 0
    infeasible = rows[ok & ~scored.feasible][scored.reward[ok & ~scored.feasible].argmax()]
    feasible = rows[scored.feasible][scored.reward[scored.feasible].argmin()]
    env.step(infeasible)
    seen, reward, *_ = env.step(feasible)
    assert seen[layout.best_reward] == pytest.approx(reward / (1 + abs(reward)))


def test_toys_are_what_the_tests_think() -> None:
    assert Bowl().baseline.row == (0,) * 6
