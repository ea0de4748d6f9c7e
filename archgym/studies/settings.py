"""Settings of an agent for a study: given, crossed, or drawn from its hyperparameter space."""

from __future__ import annotations

__all__ = ["agent_settings"]

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import product
from typing import Any

import numpy as np

from archgym.agent import Settings
from archgym.registry import agent_class, source_digest
from archgym.studies.definition import AgentSetting
from archgym_simulators import InputError

_DRAWS_PER_SETTING = 200  # settings that exclude one another, or are drawn twice, are drawn again


def agent_settings(
    agent: str,
    *,
    fixed: Mapping[str, Any],
    grid: Mapping[str, Sequence[Any]],
    samples: int,
    with_base: bool,
    sampling_seed: int,
) -> list[AgentSetting]:
    """All distinct settings that one entry of a study asks for.

    Args:
        agent: name, or ``path/agent.py``.
        fixed: settings that hold throughout; the agent's defaults where not given.
        grid: values of some settings, crossed with one another.
        samples: settings drawn uniformly from the agent's hyperparameter space. Which ones depends on the agent and the
            sampling seed only, and the first of many are those of few.
        with_base: also the defaults with ``fixed`` alone.
        sampling_seed: of the draws.

    Raises:
        InputError: an unknown agent, setting or value; an agent without so many settings to draw.
    """
    configs, source = agent_class(agent).Config, source_digest(agent)
    configs.from_options(fixed)  # wrong by itself, not only beside a drawn value
    chosen: dict[str, AgentSetting] = {}

    def add(options: Mapping[str, Any]) -> None:
        config = configs.from_options({**options, **fixed})
        setting = AgentSetting(agent, config.to_json(), config == configs(), source)
        chosen.setdefault(setting.digest, setting)

    if with_base:
        add({})
    for values in product(*grid.values()) if grid else ():
        add(dict(zip(grid, values, strict=True)))
    if not chosen and not samples:
        raise InputError("nothing to run: without its defaults it needs a grid, or samples")
    wanted = len(chosen) + samples
    for options in _draws(agent, configs, samples, sampling_seed) if samples else ():
        with suppress(InputError):  # settings may exclude one another
            add(options)
        if len(chosen) == wanted:
            break
    if len(chosen) < wanted:
        found = len(chosen) - (wanted - samples)
        raise InputError(f"agent {agent!r} has only {found} other settings to draw, not {samples}")
    return list(chosen.values())


def _draws(agent: str, configs: type[Settings], samples: int, sampling_seed: int) -> Iterator[Mapping[str, Any]]:
    space = configs.hyperparameters()
    if space is None:
        raise InputError(f"agent {agent!r} has no hyperparameters to draw; leave out its samples")
    if samples > space.size:
        raise InputError(f"agent {agent!r} has only {space.size:,} settings to draw from, not {samples:,}")
    name = int.from_bytes(hashlib.sha256(agent.encode()).digest()[:8], "big")
    rng = np.random.default_rng([sampling_seed, name])
    for _ in range(_DRAWS_PER_SETTING * samples):
        yield space.decode_row(space.sample(1, rng)[0])
