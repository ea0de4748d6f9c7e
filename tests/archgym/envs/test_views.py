"""The views as Gymnasium wrappers."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

import archgym
from archgym import ContinuousView, DictView, EditView, SequentialView
from archgym_simulators import InputError

BOWL = "toy/Bowl-v0"
HOT = "toy/AlwaysInvalid-v0"
IGNORE_WRAPPED = "ignore:.*is different from the unwrapped version.*:UserWarning"
DESIGN = {"memory": "scratchpad", "size_kib": 8, "banks": 3, "order": "X>K>C", "tile": "2x3x4"}


def design_reward(row: Any, env_id: str = BOWL) -> float:
    return float(archgym.make_session(env_id).evaluate([row]).reward[0])


def row_of(design: dict[str, Any]) -> list[int]:
    return archgym.make_session(BOWL).space.encode_row(design).tolist()


@pytest.mark.filterwarnings(IGNORE_WRAPPED)
def test_gymnasiums_checker_passes(env_id: str, view: str, horizon: int, arguments: dict[str, Any]) -> None:
    check_env(getattr(archgym, view)(gym.make(env_id, horizon=horizon, **arguments)), skip_render_check=True)


@pytest.mark.filterwarnings("ignore:.*action space does not inherit.*|.*Dict action.*|.*not supported.*:UserWarning")
def test_stable_baselines3_checker_passes(env_id: str, view: str, horizon: int, arguments: dict[str, Any]) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker", reason="needs the extra rl")
    env = getattr(archgym, view)(gym.make(env_id, horizon=horizon, **arguments))
    # Stable-Baselines3 has no Dict actions and says so in a warning; everything else passes with warnings on.
    checker.check_env(env, warn=view != "DictView")


def test_stable_baselines3_checker_passes_without_a_view(env_id: str, horizon: int, arguments: dict[str, Any]) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker", reason="needs the extra rl")
    checker.check_env(gym.make(env_id, horizon=horizon, **arguments))


def test_specs_survive_json(env_id: str, view: str, arguments: dict[str, Any]) -> None:
    env = getattr(archgym, view)(gym.make(env_id, horizon=3, **arguments))
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert str(again) == str(env)
    assert again.action_space == env.action_space
    assert again.unwrapped.horizon == 3


def test_views_need_an_archgym_environment_and_do_not_stack(view: str) -> None:
    make = getattr(archgym, view)
    with pytest.raises(InputError, match=f"{view} is a view of an archgym environment"):
        make(gym.make("CartPole-v1"))
    with pytest.raises(InputError, match="views do not stack"):
        make(ContinuousView(gym.make(BOWL)))


def test_views_work_in_gymnasiums_vector_environments(view: str) -> None:
    wrapper = getattr(archgym, view)
    envs = gym.make_vec(BOWL, num_envs=3, vectorization_mode="sync", wrappers=[wrapper])
    envs.reset(seed=1)
    envs.action_space.seed(1)
    for _ in range(12):
        observations, rewards, *_ = envs.step(envs.action_space.sample())
        assert np.isfinite(rewards).all()
        assert (np.abs(observations) <= 1.0).all()


# ---- sequential -------------------------------------------------------------------------------------------------


def test_sequential_pays_the_design_at_its_last_choice() -> None:
    env = SequentialView(gym.make(BOWL), strict=True)
    row = row_of(DESIGN)
    _, info = env.reset(seed=0)
    for position, value in enumerate(row):
        assert env.action_masks().tolist() == (np.arange(30) < env.unwrapped.action_space.nvec[position]).tolist()
        assert info["action_mask"].dtype == np.int8
        assert np.array_equal(info["action_mask"], env.action_masks())
        observation, reward, terminated, truncated, info = env.step(value)
        last = position == len(row) - 1
        assert (terminated, truncated) == (last, False)
        assert reward == (design_reward(row) if last else 0.0)
    assert info["design"] == DESIGN
    assert env.observation_space.contains(observation)


def test_sequential_episodes_take_a_choice_for_each_column_and_design() -> None:
    env = SequentialView(gym.make(BOWL, horizon=3))
    env.action_space.seed(0)
    env.reset(seed=0)
    steps, rewards, over = 0, [], False
    while not over:
        _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        over, steps = terminated or truncated, steps + 1
        rewards.append(reward)
    assert steps == 3 * env.codec.steps
    assert truncated
    assert np.flatnonzero(rewards).tolist() == [5, 11, 17]


def test_sequential_reaches_every_design_of_a_small_space() -> None:
    env = SequentialView(gym.make("toy/AlwaysInvalid-v0"), strict=True)
    seen = set()
    for number in range(5**4):
        env.reset(seed=0)
        for digit in np.unravel_index(number, (5, 5, 5, 5)):
            *_, info = env.step(digit)
        seen.add(tuple(info["design"].values()))
    assert len(seen) == 5**4


def test_sequential_masked_choice_is_an_error_where_strict() -> None:
    env = SequentialView(gym.make(BOWL), strict=True)
    env.reset(seed=0)
    with pytest.raises(InputError, match=r"choice of memory must be in 0\.\.2, not 3"):
        env.step(3)
    SequentialView(gym.make(BOWL)).reset(seed=0)


def test_sequential_mask_is_what_maskable_ppo_asks_for() -> None:
    pytest.importorskip("sb3_contrib", reason="needs the extra rl")
    from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported

    env = SequentialView(gym.make(BOWL))
    env.reset(seed=0)
    assert is_masking_supported(env)
    assert get_action_masks(env).sum() == 3


# ---- edits ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("env_id_", [BOWL, HOT])
def test_edit_rewards_telescope_from_the_baseline(env_id_: str) -> None:
    env = EditView(gym.make(env_id_, horizon=20))
    env.action_space.seed(1)
    env.reset(seed=0)
    start = np.array(env.unwrapped.session.problem().simulator.baseline.row)
    row, total, over = start.copy(), 0.0, False
    while not over:
        action = env.action_space.sample()
        row[env.codec.columns[action]] = env.codec.values[action]
        _, gain, terminated, truncated, info = env.step(action)
        assert np.isfinite(gain)
        total, over = total + gain, terminated or truncated
    assert info["design"] == env.unwrapped.session.space.decode_row(row)
    assert total == pytest.approx(design_reward(row, env_id_) - design_reward(start, env_id_), abs=1e-9)


def test_edit_start_is_free_of_charge() -> None:
    env = EditView(archgym.make_session(BOWL, budget=1).env())
    env.reset(seed=0)
    assert env.unwrapped.session.calls == 0
    assert env.unwrapped.session.proposals == 0


def test_edit_observes_the_current_design() -> None:
    env = EditView(gym.make(BOWL))
    env.reset(seed=0)
    observation, *_, info = env.step(env.codec.actions([1], [3])[0])
    layout = env.unwrapped._episode.layout
    assert observation[layout.design].tolist() == pytest.approx([0.0, 0.75, 0.0, 0.0, 0.0, 0.0])
    assert info["design"]["size_kib"] == 8
    assert not info["action_mask"][env.codec.actions([1], [3])[0]]
    assert env.action_masks().sum() == env.action_space.n - env.codec.columns.max() - 1


def test_edit_horizon_is_its_own_or_the_environments_or_sixteen() -> None:
    for make, expected in (
        (lambda: EditView(gym.make(BOWL)), 16),
        (lambda: EditView(gym.make(BOWL, horizon=4)), 4),
        (lambda: EditView(gym.make(BOWL, horizon=4), horizon=2), 2),
        (lambda: EditView(gym.make(BOWL), horizon=1), 1),
    ):
        env = make()
        env.reset(seed=0)
        ends = [any(env.step(0)[2:4]) for _ in range(expected)]
        assert ends == [False] * (expected - 1) + [True]
        with pytest.raises(ResetNeeded):
            env.step(0)


def test_edit_baseline_follows_the_workload() -> None:
    env = EditView(gym.make(BOWL, workload=["default", "large"], constraints="time_ns<=150"))
    firsts = set()
    for _ in range(12):
        _, info = env.reset()
        *_, reward = env.step(0)[:2]
        firsts.add((info["workload"], reward))
    assert firsts == {("default", 0.0), ("large", 0.0)}


# ---- continuous and named ---------------------------------------------------------------------------------------


def test_continuous_reaches_the_corners() -> None:
    env = ContinuousView(gym.make(BOWL))
    space = env.unwrapped.session.space
    for edge, row in ((-1.0, 0 * space.nvec), (1.0, space.nvec - 1)):
        env.reset(seed=0)
        *_, info = env.step(np.full(space.width, edge, dtype=np.float32))
        assert info["design"] == space.decode_row(row)


def test_continuous_refuses_other_shapes() -> None:
    env = ContinuousView(gym.make(BOWL))
    env.reset(seed=0)
    with pytest.raises(InputError, match=r"must have shape \(6,\)"):
        env.unwrapped.reset() and env.action(np.zeros(3))


def test_dict_view_takes_indices_by_name_and_encodes_readable_values() -> None:
    env = DictView(gym.make(BOWL))
    env.reset(seed=0)
    action = env.encode(DESIGN)
    assert env.action_space.contains(action)
    assert env.decode(action) == DESIGN
    *_, info = env.step(action)
    assert info["design"] == DESIGN
    with pytest.raises(InputError, match="memory must be one of"):
        env.encode({**DESIGN, "memory": "cash"})


def test_views_of_a_vector_reward_pay_vectors(view: str) -> None:
    env = getattr(archgym, view)(gym.make("toy/Bowl-MO-v0"))
    env.action_space.seed(0)
    env.reset(seed=0)
    for _ in range(env.unwrapped.session.space.width):
        _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        assert reward.shape == (2,)
        if terminated or truncated:
            break
