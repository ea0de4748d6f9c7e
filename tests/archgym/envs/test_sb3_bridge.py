"""Stable-Baselines3 on the native vector environment, and on the plain environments."""

import subprocess
import sys
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import archgym
from archgym import ContinuousView, EditView, SequentialView
from archgym_simulators import InputError

pytest.importorskip("stable_baselines3", reason="needs the extra rl")
pytest.importorskip("sb3_contrib", reason="needs the extra rl")

from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3 import A2C, DQN, PPO, SAC
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor, VecNormalize

from archgym.envs.sb3_bridge import Sb3VecEnv

BOWL = "toy/Bowl-v0"
WRAPPERS = {"flat": lambda env: env, "sequential": SequentialView, "edit": EditView, "continuous": ContinuousView}
HAS_MASKS = ("sequential", "edit")
SMALL = {"n_steps": 8, "batch_size": 32, "n_epochs": 2}
ALGORITHMS = {
    "PPO flat": (PPO, "flat", SMALL),
    "A2C flat": (A2C, "flat", {}),
    "PPO continuous": (PPO, "continuous", SMALL),
    "SAC continuous": (SAC, "continuous", {"learning_starts": 60, "policy_kwargs": {"net_arch": [16]}}),
    "DQN sequential": (DQN, "sequential", {"learning_starts": 60}),
    "DQN edit": (DQN, "edit", {"learning_starts": 60}),
    "MaskablePPO sequential": (MaskablePPO, "sequential", SMALL),
    "MaskablePPO edit": (MaskablePPO, "edit", SMALL),
}


@pytest.fixture(autouse=True)
def one_thread():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def comparable(info: dict[str, Any]) -> dict[str, Any]:
    own = ("episode", "action_mask", "terminal_observation")
    return {name: value for name, value in info.items() if name not in own}


@pytest.mark.parametrize("way", WRAPPERS)
def test_a_batch_is_what_single_environments_are(env_id: str, way: str, horizon: int, arguments: dict) -> None:
    def make() -> gym.Env:
        return WRAPPERS[way](gym.make(env_id, horizon=horizon, **arguments))

    # An edit view takes 16 edits where its environment has a horizon of 1.
    singles = DummyVecEnv([make] * 3)
    batch = Sb3VecEnv(env_id, 3, view=way, horizon=None if horizon == 1 else horizon, **arguments)
    assert (batch.observation_space, batch.action_space) == (singles.observation_space, singles.action_space)
    singles.seed(5)
    batch.seed(5)
    assert np.array_equal(batch.reset(), singles.reset())
    rng = np.random.default_rng(1)
    batch.action_space.seed(1)
    for _ in range(40):
        if way in HAS_MASKS:
            masks = np.stack(singles.env_method("action_masks"))
            assert np.array_equal(get_action_masks(batch), masks)
            actions = (rng.random(masks.shape) * masks).argmax(axis=1)
        else:
            actions = np.stack([batch.action_space.sample() for _ in range(3)])
        ours, theirs = batch.step(actions), singles.step(actions)
        for mine, other in zip(ours[:3], theirs[:3], strict=True):
            assert mine.dtype == other.dtype
            assert np.array_equal(mine, other)
        for mine, other in zip(ours[3], theirs[3], strict=True):
            assert comparable(mine) == comparable(other)
            assert np.array_equal(mine.get("terminal_observation"), other.get("terminal_observation"))


@pytest.mark.parametrize("way", WRAPPERS)
def test_workloads_are_drawn_as_in_single_environments(way: str) -> None:
    def make() -> gym.Env:
        return WRAPPERS[way](gym.make(BOWL, horizon=2, workload="train"))

    singles, batch = DummyVecEnv([make] * 4), Sb3VecEnv(BOWL, 4, view=way, horizon=2, workload="train")
    singles.seed(3)
    batch.seed(3)
    assert np.array_equal(batch.reset(), singles.reset())
    names = set()
    for _ in range(30):
        actions = np.zeros((4, *batch.action_space.shape), dtype=batch.action_space.dtype)
        ours, theirs = batch.step(actions), singles.step(actions)
        assert np.array_equal(ours[0], theirs[0])
        assert np.array_equal(ours[1], theirs[1])
        assert batch.reset_infos == [comparable(info) for info in singles.reset_infos]
        names |= {info["workload"] for info in batch.reset_infos}
    assert names == {"default", "large"}


def test_options_choose_the_workload_of_the_first_episodes() -> None:
    envs = Sb3VecEnv(BOWL, 2)
    envs.set_options({"workload": "large"})
    envs.reset()
    assert [info["workload"] for info in envs.reset_infos] == ["large", "large"]
    envs.set_options([{"workload": "large"}, {}])
    observations = envs.reset()
    assert [info["workload"] for info in envs.reset_infos] == ["large", "default"]
    assert not np.array_equal(observations[0], observations[1])
    envs.reset()
    assert [info["workload"] for info in envs.reset_infos] == ["default", "default"]


def test_a_step_is_one_evaluation_of_the_session() -> None:
    batches = []
    session = archgym.make_session(BOWL, progress=lambda session: batches.append(session.proposals))
    for view, steps in (("flat", 1), ("continuous", 1), ("sequential", session.space.width), ("edit", 1)):
        envs = Sb3VecEnv(session, 5, view=view)
        envs.reset()
        batches.clear()
        for _ in range(2 * steps):
            envs.step(np.zeros((5, *envs.action_space.shape), dtype=envs.action_space.dtype))
        assert len(batches) == 2


def test_finished_episodes_have_return_and_length_and_no_time() -> None:
    envs = Sb3VecEnv(BOWL, 2, horizon=3)
    envs.reset()
    steps = [envs.step(np.stack([envs.action_space.sample()] * 2)) for _ in range(6)]
    for last in (2, 5):
        paid = sum(float(step[1][0]) for step in steps[last - 2 : last + 1])
        assert steps[last][3][0]["episode"] == {"r": pytest.approx(paid, rel=1e-6), "l": 3}
    assert not any("episode" in info for step in (*steps[:2], *steps[3:5]) for info in step[3])


@pytest.mark.parametrize("name", ALGORITHMS)
def test_training_evaluates_and_changes_the_policy(name: str) -> None:
    algorithm, view, settings = ALGORITHMS[name]
    envs = Sb3VecEnv(BOWL, 4, view=view)
    model = algorithm("MlpPolicy", envs, seed=1, device="cpu", **settings)
    before = [parameter.detach().clone() for parameter in model.policy.parameters()]
    model.learn(160)
    steps = envs.session.space.width if view == "sequential" else 1
    assert envs.session.proposals >= 160 // (4 * steps) * 4
    assert any(not (old == new).all() for old, new in zip(before, model.policy.parameters(), strict=True))
    assert len(model.ep_info_buffer) > 0
    mean, _ = evaluate_policy(model, envs, n_eval_episodes=4)
    assert np.isfinite(mean)


@pytest.mark.parametrize("way", ["flat", "continuous"])
def test_ppo_learns_in_some_hundred_steps(way: str) -> None:
    envs = Sb3VecEnv("toy/HugeSpace-v0", 16, view=way)
    model = PPO("MlpPolicy", envs, n_steps=2, batch_size=32, learning_rate=0.01, seed=1, device="cpu")
    before, _ = evaluate_policy(model, envs, n_eval_episodes=32, deterministic=False)
    model.learn(800)
    after, _ = evaluate_policy(model, envs, n_eval_episodes=32, deterministic=False)
    assert after > before + 0.2


def test_same_seed_same_training() -> None:
    def trained() -> list[float]:
        model = PPO("MlpPolicy", Sb3VecEnv(BOWL, 4, workload="train"), seed=3, device="cpu", **SMALL).learn(160)
        return [info["r"] for info in model.ep_info_buffer]

    assert trained() == trained()


def test_training_ends_where_the_budget_does() -> None:
    session = archgym.make_session("toy/HugeSpace-v0", budget=100)
    model = PPO("MlpPolicy", Sb3VecEnv(session, 8), device="cpu", **SMALL)
    with pytest.raises(archgym.SessionOver, match="budget"):
        model.learn(10_000)
    assert session.calls == 100
    assert session.stop_reason == "budget"


def step_for_ever(envs: Sb3VecEnv, actions: np.ndarray) -> None:
    while True:
        envs.step(actions)


def test_one_design_for_ever_ends_at_max_proposals() -> None:
    session = archgym.make_session("toy/HugeSpace-v0", budget=30)
    envs = Sb3VecEnv(session, 7)
    envs.reset()
    with pytest.raises(archgym.SessionOver, match="max_proposals"):
        step_for_ever(envs, np.zeros((7, session.space.width), dtype=np.int64))
    assert (session.calls, session.proposals) == (1, 600)


def test_masks_are_there_where_the_view_has_them() -> None:
    for view in WRAPPERS:
        envs = Sb3VecEnv(BOWL, 3, view=view)
        envs.reset()
        assert is_masking_supported(envs) == (view in HAS_MASKS)
        if view in HAS_MASKS:
            assert np.array_equal(envs.action_masks(), get_action_masks(VecNormalize(envs)))
            assert len(envs.env_method("action_masks", indices=[0, 2])) == 2
        else:
            with pytest.raises(AttributeError, match="no action masks; use view='sequential'"):
                envs.action_masks()


def test_vector_wrappers_of_the_library_fit(tmp_path) -> None:
    with pytest.warns(UserWarning, match="will be *overwritten"):  # of the Monitor that the bridge stands for
        envs = VecNormalize(VecMonitor(Sb3VecEnv(BOWL, 4)))
    model = PPO("MlpPolicy", envs, seed=1, device="cpu", **SMALL).learn(64)
    assert {"r", "l", "t"} <= set(model.ep_info_buffer[-1])
    model.save(tmp_path / "model")
    again = PPO.load(tmp_path / "model", env=Sb3VecEnv(BOWL, 4), device="cpu")
    seen = envs.reset()
    assert np.array_equal(again.predict(seen, deterministic=True)[0], model.predict(seen, deterministic=True)[0])


def test_attributes_are_the_environments_and_are_not_set() -> None:
    envs = Sb3VecEnv(BOWL, 2, horizon=4)
    assert envs.get_attr("horizon") == [4, 4]
    assert envs.get_attr("horizon", 1) == [4]
    with pytest.raises(AttributeError, match="cannot set 'horizon'"):
        envs.set_attr("horizon", 5)
    assert not envs.has_attr("nonsense")
    envs.close()


def test_wrong_arguments_are_input_errors() -> None:
    with pytest.raises(InputError, match=r"view must be one of flat, .* not 'sequental'; did you mean 'sequential'"):
        Sb3VecEnv(BOWL, view="sequental")
    with pytest.raises(InputError, match="brings its own objective"):
        Sb3VecEnv(archgym.make_session(BOWL), objective="energy")
    with pytest.raises(InputError, match="num_envs must be at least 1"):
        Sb3VecEnv(BOWL, 0)


# ---- scripts of users, without the bridge ---------------------------------------------------------------------------


def test_ppo_trains_on_what_gym_make_gives() -> None:
    model = PPO("MlpPolicy", gym.make(BOWL), n_steps=16, batch_size=16, device="cpu").learn(32)
    assert len(model.ep_info_buffer) == 32


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_trains_on_a_wrapped_environment(name: str) -> None:
    algorithm, view, settings = ALGORITHMS[name]
    if "batch_size" in settings:
        settings = {**settings, "batch_size": 8}
    env = WRAPPERS[view](gym.make(BOWL))
    model = algorithm("MlpPolicy", env, seed=1, device="cpu", **settings).learn(80)
    assert model.num_timesteps >= 80


@pytest.mark.filterwarnings("ignore:.*render_mode='rgb_array' that is not in the possible render_modes")
def test_the_librarys_own_vector_environment_works_by_id() -> None:
    envs = make_vec_env(BOWL, n_envs=3, seed=1, env_kwargs={"horizon": 2}, wrapper_class=SequentialView)
    model = MaskablePPO("MlpPolicy", envs, device="cpu", **SMALL).learn(48)
    assert model.num_timesteps >= 48


def test_without_the_extra_the_install_command_is_the_message() -> None:
    script = "import sys; sys.modules['stable_baselines3'] = None; import archgym.envs.sb3_bridge"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert last.endswith("is not installed; run: pip install 'archgym[rl]'")
