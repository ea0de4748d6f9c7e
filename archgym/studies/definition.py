"""What a study crosses: tasks, settings of agents, and seeds."""

from __future__ import annotations

__all__ = ["AgentSetting", "Replicates", "StudyDefinition", "StudyTask", "derived_seed", "setting_digest"]

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archgym.budget import Budget
from archgym.options import STAND_IN
from archgym.problem import ProblemSpec
from archgym.tasks import Task

_SEED_BYTES = 6  # seeds that people can copy, and a million replicates of a cell hardly ever share one


@dataclass(frozen=True)
class StudyTask:
    """One problem of a study.

    Attributes:
        spec: what is searched.
        task: the task of a suite that it is, None for a problem of one's own.
        limits: budget and proposals of each run: the largest budget that the study asks for.
        budgets: all of them, ascending; a smaller one is a prefix of the run at the largest.
        reference_point: for several objectives, the rewards from which hypervolume is measured.
    """

    spec: ProblemSpec
    task: Task | None
    limits: Budget
    budgets: tuple[float, ...]
    reference_point: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """The task's name, or ""."""
        return self.task.name if self.task is not None else ""

    @property
    def label(self) -> str:
        """What to call it in a message."""
        return self.name or f"{self.spec.env_id} ({self.spec.workload})"


@dataclass(frozen=True)
class AgentSetting:
    """An agent with all its settings; plain values, because an agent given by path cannot be sent as an object.

    Attributes:
        agent: name, or ``path/agent.py``.
        values: all settings, as JSON-able values.
        is_default: whether they are the agent's defaults.
        source: content hash of the agent's file where it is given by path.
    """

    agent: str
    values: Mapping[str, Any]
    is_default: bool
    source: str = ""

    @property
    def digest(self) -> str:
        """Short content hash of agent and settings."""
        return setting_digest(self.agent, self.values)


@dataclass(frozen=True)
class Replicates:
    """The seeds of a study: given ones, or so many, each derived from what it is the seed of."""

    count: int
    given: tuple[int, ...] = ()

    def seed(self, index: int, spec: ProblemSpec, setting: AgentSetting) -> int:
        """The seed of one replicate of a cell."""
        return self.given[index] if self.given else derived_seed(spec, setting, index)

    def to_json(self) -> int | list[int]:
        return list(self.given) if self.given else self.count


@dataclass(frozen=True)
class StudyDefinition:
    """What a study's file says.

    Attributes:
        name: of the study.
        description: one sentence.
        tasks: the problems.
        settings: agents with their settings, distinct.
        seeds: of each task and setting.
        record: ``"all"`` evaluations, or only ``"improvements"``.
        text: the file's own text, kept beside the results; "" where there is none.
    """

    name: str
    description: str
    tasks: tuple[StudyTask, ...]
    settings: tuple[AgentSetting, ...]
    seeds: Replicates
    record: str = "improvements"
    text: str = ""

    @property
    def size(self) -> int:
        """Number of runs."""
        return len(self.tasks) * len(self.settings) * self.seeds.count


def setting_digest(agent: str, values: Mapping[str, Any]) -> str:
    """Short content hash of an agent with its settings."""
    return _hash([agent, values]).hex()[:10]


def derived_seed(spec: ProblemSpec, setting: AgentSetting, replicate: int) -> int:
    """A seed that depends on what is run, not on its place in the study; a stand-in simulator changes nothing."""
    options = {name: value for name, value in spec.options.items() if name != STAND_IN}
    content = [{**spec.to_json(), "options": options}, setting.agent, dict(setting.values), replicate]
    return int.from_bytes(_hash(content)[:_SEED_BYTES], "big")


def _hash(content: Any) -> bytes:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()
