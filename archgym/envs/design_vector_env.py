"""Many episodes in one batch: the native vector environment."""

from __future__ import annotations

__all__ = ["DesignVectorEnv"]

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from archgym.envs.design_env import Observation
from archgym.envs.episodes import EpisodeBoard
from archgym.envs.face import RENDER_MODES, check_horizon, check_render_mode, session_and_source
from archgym.envs.step_info import columnar_info, evaluated_columns
from archgym.problem import ScoredEvaluation, checked_workload
from archgym.session import Session
from archgym_simulators import InputError

Actions = NDArray[np.int64]


class DesignVectorEnv(VectorEnv[Observation, Actions, NDArray[Any]]):
    """``num_envs`` episodes over one session; a step evaluates one design of each in one batch.

    Autoreset is SAME_STEP: a finished episode starts again within the step, its last observation and info stand under
    ``final_obs`` and ``final_info``. ``info["evaluated"]`` holds every step's metrics whatever has been reset.
    Gymnasium's observation wrappers refuse SAME_STEP; use ``gym.make_vec(..., vectorization_mode="sync")`` for them.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - Gymnasium declares it so
        "render_modes": list(RENDER_MODES),
        "render_fps": 1,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }
    several: ClassVar[bool] = False
    """Whether rewards are (n, K), one column an objective."""

    def __init__(
        self,
        env_id: str | None = None,
        *,
        num_envs: int = 1,
        workload: str | Sequence[str] | None = None,
        objective: str | Sequence[str] | None = None,
        constraints: str | Sequence[str] = (),
        horizon: int | None = None,
        max_episode_steps: int | None = None,
        session: Session | None = None,
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        """As `DesignEnv`; ``max_episode_steps`` is another word for ``horizon``."""
        if horizon is not None and max_episode_steps is not None and horizon != max_episode_steps:
            raise InputError(
                f"horizon={horizon} and max_episode_steps={max_episode_steps} are the same thing; give one"
            )
        if num_envs < 1:
            raise InputError(f"num_envs must be at least 1, not {num_envs}")
        check_render_mode(render_mode)
        self.session, self._source = session_and_source(
            env_id,
            workload=workload,
            objective=objective,
            constraints=constraints,
            session=session,
            options=options,
            several=self.several,
        )
        self.horizon = horizon or max_episode_steps or 1
        check_horizon(self.horizon)
        self.num_envs = num_envs
        self.render_mode = render_mode
        self._board = EpisodeBoard(self.session, num_envs, self.horizon)
        self.single_action_space = spaces.MultiDiscrete(self.session.space.nvec)
        self.single_observation_space = self._board.layout.space()
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self._seeds: list[int] = []
        self._episodes = np.full(num_envs, -1)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start episodes, all of them or those of ``options["reset_mask"]``.

        Args:
            seed: sub-environment i gets seed + i, or its own of a list; None goes on with the sequence.
            options: ``reset_mask`` (n,) bool; ``workload`` for these episodes only; anything else is ignored.
        """
        options = dict(options or {})
        which = np.flatnonzero(self._checked_mask(options.get("reset_mask"))).tolist()
        self._seed(seed, which)
        info = self._begin(which, options.get("workload"))
        return self._board.observations.copy(), info

    def step(
        self, actions: Actions
    ) -> tuple[Observation, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Evaluate one design for each episode.

        Returns:
            observations (n, L), rewards (n,), terminations (n,), truncations (n,), info.
        """
        if not self._seeds:
            raise ResetNeeded("call reset() before step(): no episode is running")
        rows = self.session.space.as_rows(actions)
        if len(rows) != self.num_envs:
            raise InputError(f"step needs {self.num_envs} actions, not {len(rows)}")
        board = self._board
        scored = board.evaluate(rows)
        done = board.advance(rows, scored)
        problem = self.session.problem(board.workloads[0])
        blame = self._bottlenecks(scored)
        info: dict[str, Any] = {} if done.all() else columnar_info(problem, rows, scored, ~done, blame)
        if done.any():
            info |= self._final(columnar_info(problem, rows, scored, done, blame), done)
            info |= self._begin(np.flatnonzero(done).tolist(), None)
        info["evaluated"] = evaluated_columns(problem, rows, scored)
        terminated = done if self.horizon == 1 else np.zeros_like(done)
        truncated = done & ~terminated
        rewards = scored.rewards if self.several else scored.reward
        return board.observations.copy(), rewards.copy(), terminated.copy(), truncated, info

    def _bottlenecks(self, scored: ScoredEvaluation) -> dict[str, NDArray[Any]]:
        """What holds each design back, each in the words of its own workload."""
        first, *others = dict.fromkeys(self._board.workloads)
        words = dict(self.session.bottlenecks(scored, first))
        for workload in others if words else ():
            own = np.array([name == workload for name in self._board.workloads])
            for name, column in self.session.bottlenecks(scored, workload).items():
                words[name] = np.where(own, column, words[name])
        return words

    def _begin(self, which: list[int], workload: str | None) -> dict[str, Any]:
        if workload is not None or not self._source.varies:
            drawn = [checked_workload(workload, self._source.draw(0, 0))] * len(which)
        else:
            drawn = [self._source.draw(self._seeds[i], int(self._episodes[i]) + 1) for i in which]
        self._board.begin(which, drawn)
        self._episodes[which] += 1
        names = np.full(self.num_envs, None, dtype=object)
        names[which] = drawn
        mask = np.zeros(self.num_envs, dtype=bool)
        mask[which] = True
        return {"workload": names, "_workload": mask}

    def _final(self, info: dict[str, Any], done: NDArray[np.bool_]) -> dict[str, Any]:
        last = np.full(self.num_envs, None, dtype=object)
        final = self._board.observations.copy()
        for i in np.flatnonzero(done).tolist():
            last[i] = final[i]
        return {"final_obs": last, "_final_obs": done, "final_info": info, "_final_info": done}

    def _seed(self, seed: int | Sequence[int | None] | None, which: list[int]) -> None:
        if isinstance(seed, int | np.integer):
            self._np_random_seed = int(seed)
            self._np_random = np.random.default_rng(int(seed))
            seeds: list[int | None] = [int(seed) + i for i in range(self.num_envs)]
        else:
            seeds = [None] * self.num_envs if seed is None else list(seed)
        if len(seeds) != self.num_envs:
            raise InputError(f"a list of seeds needs {self.num_envs} of them, not {len(seeds)}")
        if not self._seeds:
            self._seeds = self.np_random.integers(2**31, size=self.num_envs).tolist()
        for i in which:
            if (chosen := seeds[i]) is not None:
                self._seeds[i] = chosen
                self._episodes[i] = -1

    def _checked_mask(self, mask: object) -> NDArray[np.bool_]:
        if mask is None:
            return np.ones(self.num_envs, dtype=bool)
        if not (isinstance(mask, np.ndarray) and mask.dtype == bool and mask.shape == (self.num_envs,) and mask.any()):
            raise InputError(
                f"reset_mask must be a bool array of shape ({self.num_envs},) with at least one True, not {mask!r}"
            )
        return mask
