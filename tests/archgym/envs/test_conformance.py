"""`check_env` passes for every environment, and fails for broken ones."""

from collections.abc import Iterator
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import pytest

from archgym.envs.design_env import DesignEnv
from archgym.envs.design_vector_env import DesignVectorEnv
from archgym.testing import check_env
from archgym_simulators import InputError

BOWL = "toy/Bowl-v0"


def test_every_environment_conforms(env_id: str, arguments: dict[str, Any]) -> None:
    check_env(env_id, **arguments)


def test_an_environment_object_conforms() -> None:
    check_env(gym.make(BOWL, horizon=3))
    check_env(DesignEnv(BOWL))


def test_a_simulator_by_path_conforms(tmp_path) -> None:
    path = tmp_path / "chip.py"
    path.write_text("from archgym.testing.toys import Bowl\n\n\nclass Chip(Bowl):\n    pass\n")
    check_env(f"{path}:Chip")


def test_options_of_the_simulator_are_passed_on() -> None:
    check_env(BOWL, checks=["single", "vector"], scale=2.0, objective="energy-delay")


def test_an_unknown_check_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'views'"):
        check_env(BOWL, checks=["view"])


def test_something_else_than_an_archgym_environment_is_refused() -> None:
    with pytest.raises(InputError, match="CartPole"):
        check_env(gym.make("CartPole-v1"))


def test_an_environment_that_is_not_deterministic_fails() -> None:
    with pytest.raises(AssertionError, match="toy/Flaky-v0 fails 'single'"):
        check_env("toy/Flaky-v0")


# ---- broken environments ----------------------------------------------------------------------------------------


class Leaking(DesignEnv):
    def step(self, action: Any) -> Any:
        *rest, info = super().step(action)
        return (*rest, {**info, "regret": 0.5})


class Counting(DesignEnv):
    def step(self, action: Any) -> Any:
        *rest, info = super().step(action)
        return (*rest, {**info, "calls": self.session.calls})


class NotANumber(DesignEnv):
    def step(self, action: Any) -> Any:
        *rest, info = super().step(action)
        return (*rest, {**info, "metrics": dict.fromkeys(info["metrics"], float("nan"))})


class Unbounded(DesignEnv):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.observation_space = gym.spaces.Box(-5.0, 5.0, self.observation_space.shape, np.float32)

    def reset(self, **kwargs: Any) -> Any:
        observation, info = super().reset(**kwargs)
        return observation * 4.0, info


class SharedBuffer(DesignEnv):
    def step(self, action: Any) -> Any:
        _, *rest = super().step(action)
        return (self._episode.observation, *rest)

    def reset(self, **kwargs: Any) -> Any:
        _, info = super().reset(**kwargs)
        return self._episode.observation, info


class OffByOne(DesignEnv):
    def step(self, action: Any) -> Any:
        return super().step((np.asarray(action) + 1) % self.session.space.nvec)


class Endless(DesignEnv):
    def step(self, action: Any) -> Any:
        observation, reward, _, _, info = super().step(action)
        self._running = True
        return observation, reward, False, False, info


class Drifting(DesignEnv):
    drawn: ClassVar[Iterator[int]] = iter(range(10**6))

    def step(self, action: Any) -> Any:
        observation, reward, *rest = super().step(action)
        return (observation, reward + 1e-3 * next(self.drawn), *rest)


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (Leaking, "must not tell of the optimum, but has the key 'regret'"),
        (Counting, "must have the keys"),
        (NotANumber, "must be finite|info are not equivalent"),
        (Unbounded, r"must be bounded by \[-1, 1\]"),
        (SharedBuffer, "share an object"),
        (OffByOne, r"info\['design'\] must be"),
        (Endless, r"must give \(terminated, truncated\) = \(True, False\)"),
        (Drifting, "(?i)rewards? are not equivalent|differ in the reward"),
    ],
)
def test_a_broken_environment_fails_with_one_sentence(broken: type[DesignEnv], sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence) as caught:
        check_env(broken(BOWL))
    assert "\n" not in str(caught.value)


class NextStepVector(DesignVectorEnv):
    metadata: ClassVar[dict[str, Any]] = {
        **DesignVectorEnv.metadata,
        "autoreset_mode": gym.vector.AutoresetMode.NEXT_STEP,
    }


class LateVector(DesignVectorEnv):
    def step(self, actions: Any) -> Any:
        return super().step(np.roll(actions, 1, axis=0))


class NoMaskVector(DesignVectorEnv):
    def step(self, actions: Any) -> Any:
        *rest, info = super().step(actions)
        for metric in self.session.problem().simulator.metric_names():
            info["evaluated"][f"_{metric}"] = np.ones(self.num_envs, dtype=bool)
        return (*rest, info)


class ForgetfulReset(DesignVectorEnv):
    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        return super().reset(seed=seed)


class SilentVector(DesignVectorEnv):
    def step(self, actions: Any) -> Any:
        *rest, info = super().step(actions)
        if "final_info" in info:
            info["final_info"] = {}
        return (*rest, info)


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (NextStepVector, "must declare SAME_STEP"),
        (LateVector, "differ between the vector environment and single ones"),
        (NoMaskVector, "must be True exactly for designs that are ok"),
        (ForgetfulReset, "reset_mask"),
        (SilentVector, "has keys"),
    ],
)
def test_a_broken_vector_environment_fails(broken: type[DesignVectorEnv], sentence: str, registered) -> None:
    registered("toy/Broken-v0", "archgym.testing.toys:Bowl")
    gym.registry["toy/Broken-v0"].vector_entry_point = broken
    with pytest.raises(AssertionError, match=sentence):
        check_env("toy/Broken-v0", checks=["vector", "reset-mask"])


# ---- broken simulators ------------------------------------------------------------------------------------------

BATCH_DEPENDENT = """
import dataclasses
from archgym.testing.toys import Bowl


class Chip(Bowl):
    def simulate(self, rows):
        outcome = super().simulate(rows)
        return dataclasses.replace(outcome, values=outcome.values * (1.0 + 1e-9 * (len(rows) > 1)))
"""
UNBOUNDED_FEATURE = """
from archgym.testing.toys import Bowl
from archgym_simulators import Workload


class Chip(Bowl):
    def __init__(self, workload="default"):
        super().__init__(workload)
        self.workload = Workload(workload, (float("nan"),), ("log_size",))
"""
FORGETFUL_NAME = """
from archgym.testing.toys import Bowl
from archgym_simulators import Workload


class Chip(Bowl):
    def __init__(self, workload="default"):
        super().__init__(workload)
        self.workload = Workload("some workload", self.workload.features, self.workload.feature_names)
"""
INFINITE_METRIC = """
import dataclasses
import numpy as np
from archgym.testing.toys import Bowl


class Chip(Bowl):
    def simulate(self, rows):
        outcome = super().simulate(rows)
        return dataclasses.replace(outcome, values=np.where(rows[:, :1] > 0, np.inf, outcome.values))
"""


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (BATCH_DEPENDENT, "differ between the vector environment and single ones"),
        (UNBOUNDED_FEATURE, "observation"),
        (FORGETFUL_NAME, "unknown workload 'some workload'"),
        (INFINITE_METRIC, "must be finite|invalid value"),
    ],
)
def test_an_environment_of_a_broken_simulator_fails(source: str, sentence: str, tmp_path) -> None:
    path = tmp_path / "chip.py"
    path.write_text(source)
    with pytest.raises(AssertionError, match=sentence):
        check_env(f"{path}:Chip")
