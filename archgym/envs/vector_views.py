"""The views over the native vector environment: n episodes in step, one evaluation of the session a batch."""

from __future__ import annotations

__all__ = ["VIEWS", "Batch", "VectorView", "vector_view"]

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from archgym.envs.codecs import NOT_CHOSEN, ContinuousCodec, EditCodec, Mask, SequentialCodec
from archgym.envs.design_env import Observation
from archgym.envs.design_vector_env import DesignVectorEnv
from archgym_simulators import InputError
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.space import Rows


@dataclass(frozen=True, slots=True)
class Batch:
    """The outcome of one step of n episodes.

    Episodes are as long as each other and start together, so all of them end in the same step or none does.

    Attributes:
        observations: (n, L) after the step; of the next episodes where these have ended.
        rewards: (n,) float64.
        terminated: (n,) ended by their nature.
        truncated: (n,) ended by the horizon.
        last: (n, L) the last observations of episodes that have ended; None where none has.
        info: of the evaluated designs, columnar as in `DesignVectorEnv`; empty where nothing was evaluated.
    """

    observations: Observation
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    last: Observation | None
    info: dict[str, Any]


class VectorView(ABC):
    """What the wrappers `SequentialView`, `EditView`, `ContinuousView` do, for a whole batch.

    Attributes:
        envs: the native vector environment underneath.
        action_space: of one episode.
        observation_space: of one episode.
    """

    action_space: gymnasium.Space[Any]
    observation_space: gymnasium.Space[Any]

    def __init__(self, envs: DesignVectorEnv) -> None:
        self.envs = envs
        self.observation_space = envs.single_observation_space

    def reset(
        self, *, seed: Sequence[int | None] | None = None, options: Sequence[dict[str, Any]] = ()
    ) -> tuple[Observation, dict[str, Any]]:
        """Start all episodes: observations (n, L) and columnar info.

        Args:
            seed: one an episode.
            options: one mapping an episode; see `DesignVectorEnv.reset`.
        """
        given = [one for one in options if one]
        observations, info = self.envs.reset(seed=seed, options=given[0] if given else None)
        if any(one != options[0] for one in options):
            for i, one in enumerate(options):
                observations, part = self.envs.reset(options={**one, "reset_mask": np.arange(len(options)) == i})
                info["workload"][i] = part["workload"][i]
        return self.begin(observations, info), info

    def begin(self, observations: Observation, info: dict[str, Any]) -> Observation:
        """What is seen at the start of episodes, given what the environment shows and says."""
        return observations

    @abstractmethod
    def step(self, actions: ArrayLike) -> Batch:
        """One action for each episode, (n, ...).

        Raises:
            InputError: an action outside the action space.
            SessionOver: the budget is used up.
        """

    def action_masks(self) -> Mask | None:
        """(n, A) which actions are allowed, None where all are."""
        return None

    def _evaluate(self, rows: Rows) -> Batch:
        observations, rewards, terminated, truncated, info = self.envs.step(rows)
        last = np.stack(info["final_obs"]) if "final_obs" in info else None
        return Batch(observations, rewards, terminated, truncated, last, info)


class FlatView(VectorView):
    """One index row a step."""

    def __init__(self, envs: DesignVectorEnv) -> None:
        super().__init__(envs)
        self.action_space = envs.single_action_space

    def step(self, actions: ArrayLike) -> Batch:
        return self._evaluate(np.asarray(actions))


class ContinuousVectorView(VectorView):
    """One point of a cube a step."""

    def __init__(self, envs: DesignVectorEnv) -> None:
        super().__init__(envs)
        self.codec = ContinuousCodec(envs.session.space)
        self.action_space = self.codec.space()

    def step(self, actions: ArrayLike) -> Batch:
        return self._evaluate(self.codec.rows(actions))


class SequentialVectorView(VectorView):
    """One index column a step; see `SequentialView`."""

    def __init__(self, envs: DesignVectorEnv) -> None:
        super().__init__(envs)
        self.codec = SequentialCodec(envs.session.space)
        self.action_space = self.codec.space()
        length = int(np.prod(envs.single_observation_space.shape or (0,))) + 2 * self.codec.steps
        self.observation_space = spaces.Box(-1.0, 1.0, (length,), np.float32)
        self._open()

    def begin(self, observations: Observation, info: dict[str, Any]) -> Observation:
        self._open()
        self._seen = observations
        return self._beside(observations)

    def step(self, actions: ArrayLike) -> Batch:
        self._partial[:, self._position] = self.codec.values(self._positions(), actions)
        if self._position + 1 < self.codec.steps:
            self._position += 1
            nothing = np.zeros(self.envs.num_envs, dtype=bool)
            rewards = np.zeros(self.envs.num_envs)
            return Batch(self._beside(self._seen), rewards, nothing, nothing.copy(), None, {})
        rows = self._partial.copy()
        self._open()
        batch = self._evaluate(rows)
        self._seen = batch.observations
        last = None if batch.last is None else self._beside(batch.last)
        return replace(batch, observations=self._beside(batch.observations), last=last)

    def action_masks(self) -> Mask:
        return self.codec.masks[self._positions()]

    def _open(self) -> None:
        self._position = 0
        self._partial = np.full((self.envs.num_envs, self.codec.steps), NOT_CHOSEN, dtype=np.int64)

    def _positions(self) -> NDArray[np.int64]:
        return np.full(self.envs.num_envs, self._position)

    def _beside(self, seen: Observation) -> Observation:
        return np.hstack([seen, self.codec.observe(self._partial, self._positions())])


class EditVectorView(VectorView):
    """One edit of the current design a step, paid by the improvement; see `EditView`."""

    def __init__(self, envs: DesignVectorEnv) -> None:
        super().__init__(envs)
        self.codec = EditCodec(envs.session.space)
        self.action_space = self.codec.space()
        self._rows = np.zeros((envs.num_envs, envs.session.space.width), dtype=np.int64)
        self._rewards = np.zeros(envs.num_envs)
        self._starts: dict[str, tuple[NDArray[np.int64], float]] = {}

    def begin(self, observations: Observation, info: dict[str, Any]) -> Observation:
        for i, workload in enumerate(info["workload"].tolist()):
            self._rows[i], self._rewards[i] = self._start(workload)
        return observations

    def step(self, actions: ArrayLike) -> Batch:
        rows = self.codec.apply(self._rows, actions)
        batch = self._evaluate(rows)
        gains = batch.rewards - self._rewards
        self._rows, self._rewards = rows, batch.rewards
        if batch.last is not None:
            self._rows = rows.copy()
            self.begin(batch.observations, batch.info)
        return replace(batch, rewards=gains)

    def action_masks(self) -> Mask:
        return self.codec.masks(self._rows)

    def _start(self, workload: str) -> tuple[NDArray[np.int64], float]:
        """The baseline and its reward, which is known without charge to the session."""
        if workload not in self._starts:
            problem = self.envs.session.problem(workload)
            row = np.array([problem.simulator.baseline.row], dtype=np.int64)
            self._starts[workload] = row[0], float(problem.evaluate(problem.space.canonical(row)).reward[0])
        return self._starts[workload]


VIEWS: dict[str, type[VectorView]] = {
    "flat": FlatView,
    "sequential": SequentialVectorView,
    "edit": EditVectorView,
    "continuous": ContinuousVectorView,
}


def vector_view(name: str, envs: DesignVectorEnv) -> VectorView:
    """The view of that name over a fresh vector environment.

    Raises:
        InputError: for an unknown name.
    """
    check_view(name)
    return VIEWS[name](envs)


def check_view(name: object) -> None:
    """Raise for an unknown view."""
    if not isinstance(name, str) or name not in VIEWS:
        raise InputError(f"view must be one of {', '.join(VIEWS)}, not {name!r}{did_you_mean(str(name), VIEWS)}")
