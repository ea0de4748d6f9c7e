"""One design a step, as a Gymnasium environment."""

from __future__ import annotations

__all__ = ["DesignEnv"]

from collections.abc import Sequence
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from archgym.envs.episode import Episode
from archgym.envs.face import RENDER_MODES, check_horizon, check_render_mode, session_and_source
from archgym.envs.step_info import step_info
from archgym.problem import ScoredEvaluation, checked_workload
from archgym.session import Session

Observation = NDArray[np.float32]
Action = NDArray[np.int64]


class DesignEnv(gymnasium.Env[Observation, Action]):
    """Choose a design, see its metrics.

    ## Description
    Every step evaluates one design of the family's design space on the episode's workload. With the default horizon of
    1 this is a (contextual) bandit; with a longer one, an episode is a search of that many designs.

    ## Action space
    ``MultiDiscrete(nvec)``: the index of each parameter's value, from 0. See the views for other shapes.

    ## Observation space
    ``Box(-1, 1, (L,), float32)``: workload features, last design, its metrics against the baseline, the best in this
    episode, steps left; see `archgym.envs.observation.ObservationLayout`.

    ## Rewards
    The objective against the baseline: log(baseline / x) for "minimise x" (`archgym.scoring.Scorer`). A missed
    constraint costs its logarithmic excess; an invalid design gets -30 minus its graded violation.

    ## Starting state
    The baseline design, with gains 0.

    ## Episode end
    At horizon 1 every step terminates; a longer horizon truncates, and is the only limit.

    ## Info
    ``design``, ``metrics`` (raw, empty for an invalid design), ``status``, ``reason``, ``violations``; after `reset`
    the ``workload``.

    ## Arguments
    See `__init__`. ``gym.make("archgym/DRAM-v0", workload="random", objective="energy-delay", horizon=1)``.

    ## Version history
    * v0: initial version.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - Gymnasium declares it so
        "render_modes": list(RENDER_MODES),
        "render_fps": 1,
    }
    several: ClassVar[bool] = False
    """Whether rewards are vectors, one entry an objective."""

    def __init__(
        self,
        env_id: str | None = None,
        *,
        workload: str | Sequence[str] | None = None,
        objective: str | Sequence[str] | None = None,
        constraints: str | Sequence[str] = (),
        horizon: int = 1,
        session: Session | None = None,
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        """Build the environment.

        Args:
            env_id: id of the family; ``gym.make`` gives it.
            workload: a spec, a list of specs, or the split "train", "dev" or "test"; drawn at each reset.
            objective: in the language of `archgym.objectives`; the family's default where None.
            constraints: bounds such as ``"power_mw<=900"``.
            horizon: designs an episode.
            session: share this session (its budget, cache and journal) instead of a fresh unlimited one. Never through
                ``gym.make``, whose spec is copied.
            render_mode: None or ``"ansi"``.
            **options: of the simulator, such as ``rules`` or ``device``.
        """
        self.session, self._source = session_and_source(
            env_id,
            workload=workload,
            objective=objective,
            constraints=constraints,
            session=session,
            options=options,
            several=self.several,
        )
        check_horizon(horizon)
        check_render_mode(render_mode)
        self.render_mode = render_mode
        self.horizon = horizon
        self._episode = Episode(self.session, horizon)
        self.action_space = spaces.MultiDiscrete(self.session.space.nvec)
        self.observation_space: spaces.Space[Observation] = self._episode.layout.space()
        self._seed: int | None = None
        self._episodes = 0  # since the last seed
        self._running = False
        self._last: tuple[list[int], ScoredEvaluation] | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: starts a new sequence of workload draws.
            options: ``{"workload": spec}`` for this episode only; anything else is ignored.

        Raises:
            InputError: a workload that is unknown or has another design space.
        """
        super().reset(seed=seed)
        if seed is not None or self._seed is None:
            self._seed = seed if seed is not None else int(self.np_random.integers(2**31))
            self._episodes = 0
        drawn = self._source.draw(self._seed, self._episodes)
        workload = checked_workload((options or {}).get("workload"), drawn)
        self._episode.begin(workload)
        self._episodes += 1
        self._running, self._last = True, None
        return self._episode.observation.copy(), {"workload": workload}

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Evaluate one design.

        Raises:
            ResetNeeded: before the first reset, or after the end of an episode.
            InputError: an index out of range.
            SessionOver: the budget of a shared session is used up.
        """
        if not self._running:
            raise ResetNeeded("call reset() before step(): no episode is running")
        rows = np.array(action).reshape(1, -1)
        scored = self._episode.evaluate(rows)
        row = rows[0].tolist()
        done = self._episode.advance(row, scored)
        self._running = not done
        self._last = (row, scored)
        terminated = done and self.horizon == 1
        info = step_info(self.session.problem(self._episode.workload), row, scored)
        return self._episode.observation.copy(), self.reward_of(scored), terminated, done and not terminated, info

    def set_horizon(self, horizon: int) -> None:
        """Change the designs an episode; a running episode ends without another step."""
        check_horizon(horizon)
        self.horizon = self._episode.horizon = horizon
        self._running = False

    def reward_of(self, scored: ScoredEvaluation) -> Any:
        """What `step` pays for a scored design."""
        return scored.rewards[0].copy() if self.several else float(scored.reward[0])

    def no_reward(self) -> Any:
        """What a view pays while no design is evaluated."""
        return np.zeros(len(self.session.problem().objectives)) if self.several else 0.0

    def render(self) -> str | None:
        """The last design and its metrics as text, in mode ``"ansi"``."""
        if self.render_mode is None:
            return None
        problem = self.session.problem(self._episode.workload)
        if self._last is None:
            return f"{self.session.spec.env_id} on {self._episode.workload}: no design yet"
        row, scored = self._last
        info = step_info(problem, row, scored)
        design = "  ".join(f"{name}={value}" for name, value in info["design"].items())
        metrics = "  ".join(f"{name}={value:.6g}" for name, value in info["metrics"].items())
        return f"{design}\n{metrics or info['reason']}\nreward={scored.reward[0]:.4f}"
