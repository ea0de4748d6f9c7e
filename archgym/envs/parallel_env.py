"""Several agents design one chip: the multi-agent environment, built on first use."""

from __future__ import annotations

__all__ = ["parallel_env"]

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archgym.session import Session
from archgym_simulators.errors import import_extra

if TYPE_CHECKING:
    from archgym.envs.parallel_design_env import ParallelDesignEnv


def parallel_env(
    env_id: str | None = None,
    *,
    workload: str | Sequence[str] | None = None,
    objective: str | None = None,
    constraints: str | Sequence[str] = (),
    groups: str | Mapping[str, Sequence[str]] | None = None,
    horizon: int = 1,
    session: Session | None = None,
    render_mode: str | None = None,
    **options: Any,
) -> ParallelDesignEnv:
    """A PettingZoo parallel environment: each agent chooses its share of the design, and all get its reward.

    Args:
        env_id: an id of ``archgym list``, or ``path/chip.py:Chip``; not needed with a session.
        workload: a spec, a list of specs, or the split "train", "dev" or "test"; drawn at each reset.
        objective: in the language of `archgym.objectives`; the family's default where None.
        constraints: bounds such as ``"power_mw<=900"``.
        groups: who chooses what. ``"parameter"``: an agent a parameter; ``"declared"``: an agent for each group that
            the family declares (parameters without one have an agent each); a mapping from agent names to parameter
            names; None: "declared", which is "parameter" where the family declares no groups.
        horizon: designs an episode.
        session: share this session instead of a fresh unlimited one.
        render_mode: None or ``"ansi"``.
        **options: of the simulator.

    Raises:
        MissingExtra: PettingZoo is not installed.
        InputError: for anything unknown, or groups that do not hold each parameter exactly once.
    """
    import_extra("pettingzoo", "marl")
    from archgym.envs.parallel_design_env import ParallelDesignEnv

    return ParallelDesignEnv(
        env_id,
        workload=workload,
        objective=objective,
        constraints=constraints,
        groups=groups,
        horizon=horizon,
        session=session,
        render_mode=render_mode,
        **options,
    )
