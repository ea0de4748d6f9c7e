"""The Stable-Baselines3 bridge: its vector environment over a session, one evaluation call a batch.

Importing this module needs the extra ``rl``; nothing else of archgym imports it.
"""

from __future__ import annotations

__all__ = ["Sb3VecEnv"]

from collections.abc import Iterable, Sequence
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from archgym.envs.design_env import Observation
from archgym.envs.design_vector_env import DesignVectorEnv
from archgym.envs.edit_view import DEFAULT_EDITS
from archgym.envs.vector_views import check_view, vector_view
from archgym.session import Session
from archgym_simulators.errors import import_extra

try:
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.vec_env import VecEnv
except ModuleNotFoundError:
    import_extra("stable_baselines3", "rl")  # says how to install it
    raise

Indices = int | Iterable[int] | None


class Sb3VecEnv(VecEnv):
    """``num_envs`` episodes of a session for Stable-Baselines3 and sb3-contrib, evaluated as one batch a step.

    >>> from stable_baselines3 import PPO  # doctest: +SKIP
    >>> envs = Sb3VecEnv("archgym/DRAM-v0", 16, workload="mixed")  # doctest: +SKIP
    >>> PPO("MlpPolicy", envs, n_steps=4, batch_size=64).learn(1000)  # doctest: +SKIP

    Views: ``"flat"`` (`MultiDiscrete`: PPO, A2C), ``"sequential"`` (`Discrete`, masks: MaskablePPO, DQN), ``"edit"``
    (`Discrete`, masks: DQN), ``"continuous"`` (`Box`: SAC, TD3, PPO). Same spaces, rewards and info as the wrappers of
    a single environment. Episodes restart by themselves; a finished one has ``terminal_observation``,
    ``TimeLimit.truncated`` and ``episode`` (return "r", length "l"; no wall time, so runs can be compared) in its info,
    as if a Monitor were there. Where the session's budget ends, `step` and so ``model.learn`` raise `SessionOver`.
    """

    def __init__(
        self,
        source: Session | str,
        num_envs: int = 1,
        *,
        view: str = "flat",
        horizon: int | None = None,
        workload: str | Sequence[str] | None = None,
        objective: str | None = None,
        constraints: str | Sequence[str] = (),
        **options: Any,
    ) -> None:
        """Build the environment.

        Args:
            source: a session, whose budget, cache and journal are shared; or an id of ``archgym list``.
            num_envs: episodes side by side, designs a batch.
            view: ``"flat"``, ``"sequential"``, ``"edit"`` or ``"continuous"``.
            horizon: designs an episode; 1 where None, and 16 edits in the edit view.
            workload: a spec, a list of specs, or the split "train", "dev" or "test"; drawn at each reset.
            objective: in the language of `archgym.objectives`; the family's default where None. Not with a session.
            constraints: bounds such as ``"power_mw<=900"``. Not with a session.
            **options: of the simulator. Not with a session.

        Raises:
            InputError: for anything unknown or contradictory.
        """
        check_view(view)
        self.envs = DesignVectorEnv(
            None if isinstance(source, Session) else source,
            session=source if isinstance(source, Session) else None,
            num_envs=num_envs,
            horizon=horizon or (DEFAULT_EDITS if view == "edit" else 1),
            workload=workload,
            objective=objective,
            constraints=constraints,
            **options,
        )
        self.session = self.envs.session
        self._view = vector_view(view, self.envs)
        self._actions: NDArray[Any] | None = None
        self._returns = np.zeros(num_envs)
        self._length = 0
        super().__init__(num_envs, self._view.observation_space, self._view.action_space)

    def reset(self) -> Observation:
        """Start all episodes, with the seeds and options that `seed` and `set_options` have left."""
        observations, info = self._view.reset(seed=self._seeds, options=self._options)
        self._reset_seeds()
        self._reset_options()
        self._begin(info)
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        self._actions = actions

    def step_wait(self) -> tuple[Observation, NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Evaluate what `step_async` was given.

        Raises:
            SessionOver: the session's budget is used up.
        """
        assert self._actions is not None, "step_async comes before step_wait"
        batch = self._view.step(self._actions)
        self._returns += batch.rewards
        self._length += 1
        infos = split_info(batch.info if batch.last is None else batch.info["final_info"], self.num_envs)
        for info, truncated in zip(infos, batch.truncated.tolist(), strict=True):
            info["TimeLimit.truncated"] = truncated
        if batch.last is not None:
            for info, last, total in zip(infos, batch.last, self._returns.tolist(), strict=True):
                info["terminal_observation"] = last
                info["episode"] = {"r": total, "l": self._length}
            self._begin(batch.info)
        done = batch.terminated | batch.truncated
        return batch.observations, batch.rewards.astype(np.float32), done, infos

    def action_masks(self) -> NDArray[np.bool_]:
        """(n, A) which actions are allowed now; sequential and edit views only.

        Raises:
            AttributeError: in a view without masks.
        """
        masks = self._view.action_masks()
        if masks is None:
            raise AttributeError("this view has no action masks; use view='sequential' or view='edit'")
        return masks

    def close(self) -> None:
        self.envs.close()

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """An attribute of the vector environment, once for each index; ``action_masks`` is a method."""
        return [self._attribute(attr_name, i) for i in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        """Refused: the episodes of a batch share everything.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(f"cannot set {attr_name!r}: the episodes share one environment; build another")

    def env_method(
        self, method_name: str, *method_args: Any, indices: Indices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method; ``action_masks`` gives the mask (A,) of each index."""
        methods = self.get_attr(method_name, indices)
        return [method(*method_args, **method_kwargs) for method in methods]

    def env_is_wrapped(
        self, wrapper_class: type[gymnasium.Wrapper[Any, Any, Any, Any]], indices: Indices = None
    ) -> list[bool]:
        """True for `Monitor`, whose part of the info is here already; False for every other wrapper."""
        return [issubclass(wrapper_class, Monitor) for _ in self._get_indices(indices)]

    def _attribute(self, name: str, index: int) -> Any:
        if name != "action_masks":
            return getattr(self.envs, name)
        self.action_masks()  # so that views without masks say that they have none
        return lambda: self.action_masks()[index]

    def _begin(self, info: dict[str, Any]) -> None:
        self.reset_infos = [{"workload": workload} for workload in info["workload"].tolist()]
        self._returns[:] = 0.0
        self._length = 0


def split_info(columns: dict[str, Any], n: int) -> list[dict[str, Any]]:
    """Columnar info, with masks under ``_name``, as n infos of single environments."""
    infos: list[dict[str, Any]] = [{} for _ in range(n)]
    for name, column in columns.items():
        mask = columns.get(f"_{name}")
        if mask is None:  # a mask itself, or something of the batch as a whole
            continue
        values = split_info(column, n) if isinstance(column, dict) else column.tolist()
        for i in np.flatnonzero(mask).tolist():
            infos[i][name] = values[i]
    return infos
