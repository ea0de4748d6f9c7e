"""The contract of a search agent, and how its settings are declared."""

from __future__ import annotations

__all__ = ["Agent", "AgentFailed", "AskTell", "Settings", "setting"]

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from math import isfinite
from typing import Any, ClassVar, Self

import numpy as np

from archgym.problem import ScoredEvaluation
from archgym.session import Session, SessionOver
from archgym_simulators import ArchgymError, DesignSpace, InputError, Ordinal
from archgym_simulators.nearest import allowed_values, did_you_mean
from archgym_simulators.space import Rows


class AgentFailed(ArchgymError):
    """What an agent relies on outside itself has failed: one line. What was evaluated until then is kept."""


def setting(
    default: Any,
    help: str,
    *,
    values: Sequence[Any] = (),
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[Any] | None = None,
) -> Any:
    """One field of an agent's `Settings`.

    Args:
        default: used where the user says nothing.
        help: one sentence; it is the help text.
        values: what a hyperparameter sweep tries, in order; empty for settings that are not swept.
        low: smallest allowed value.
        high: largest allowed value.
        choices: the only allowed values.
    """
    metadata = {"help": help, "values": tuple(values), "low": low, "high": high, "choices": choices}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """Base of an agent's ``Config``: a frozen dataclass whose fields are made by `setting`."""

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field, getattr(self, field.name))

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Build from what a user typed.

        Raises:
            InputError: unknown setting, wrong type, or a value out of range.
        """
        known = {field.name: field for field in fields(cls)}
        values = {}
        for name, value in options.items():
            key = name.replace("-", "_")
            if key not in known:
                raise InputError(
                    f"unknown setting {name!r}{did_you_mean(name, known)}; allowed: {', '.join(known) or 'none'}"
                )
            values[key] = _converted(known[key], value)
        return cls(**values)

    @classmethod
    def hyperparameters(cls) -> DesignSpace | None:
        """The space a hyperparameter sweep searches: one ordinal a swept setting; None where nothing is swept."""
        swept = [f for f in fields(cls) if f.metadata.get("values")]
        ordinals = [Ordinal(f.name, f.metadata["values"], description=f.metadata["help"]) for f in swept]
        return DesignSpace(ordinals) if ordinals else None

    def to_json(self) -> dict[str, Any]:
        """All settings as JSON-able values."""
        return dataclasses.asdict(self)


class Agent(ABC):
    """A search algorithm. It sees a session, never a simulator.

    A module of ``archgym_agents`` defines one subclass and, where it has settings, a ``Config``. ``REQUIRES`` names the
    optional dependency group that `create` imports from; importing the module never imports it.
    """

    REQUIRES: ClassVar[str] = ""
    DETERMINISTIC: ClassVar[bool] = False
    """Whether it draws nothing at random, so that every seed gives the same designs."""
    NEEDS_FIDELITY: ClassVar[bool] = False
    """Whether it refuses spaces without a parameter of role fidelity; conformance suites then add one to their toys."""
    SLOW: ClassVar[bool] = False
    """Whether a proposal takes it more than about a tenth of a second; conformance suites then check it lightly."""
    Config: ClassVar[type[Settings]] = Settings

    @classmethod
    @abstractmethod
    def create(
        cls,
        space: DesignSpace,
        config: Any,
        rng: np.random.Generator,
        *,
        budget: int,
        n_objectives: int = 1,
    ) -> Self:
        """Build an agent for a space.

        Args:
            space: what to search.
            config: an instance of ``Config``.
            rng: the only source of randomness.
            budget: new designs that may be simulated.
            n_objectives: rewards a design.

        Raises:
            InputError: a vector objective for an agent that takes one.
            MissingExtra: an optional dependency is missing.
        """

    @abstractmethod
    def run(self, session: Session) -> None:
        """Search until the session is over or the agent is finished. `SessionOver` may escape or be caught."""


class AskTell(Agent):
    """An agent that proposes batches and hears what they are worth."""

    @abstractmethod
    def ask(self, n: int) -> Rows:
        """Between 1 and ``n`` index rows (m, D); 0 rows when the agent is finished."""

    @abstractmethod
    def tell(self, rows: Rows, evaluation: ScoredEvaluation) -> None:
        """Learn the outcome of ``rows``, all of those asked last, in order."""

    def run(self, session: Session) -> None:
        """Ask, evaluate and tell until the session is over or `ask` returns nothing."""
        try:
            while True:
                if session.stop_reason is not None:
                    return
                rows = self.ask(max(session.remaining, 1))
                if not len(rows):
                    session.stop("agent")
                    return
                self.tell(rows, session.evaluate(rows))
        except SessionOver:
            return


def refuse_several_objectives(agent: str, n_objectives: int) -> None:
    """Raise for an agent of one objective that is given several."""
    if n_objectives != 1:
        raise InputError(
            f"agent {agent!r} takes one objective, not {n_objectives}; scalarise, or use an agent for several, such as "
            "nsga2"
        )


def _check(field: dataclasses.Field[Any], value: Any) -> None:
    limits = field.metadata
    choices = limits.get("choices")
    if choices is not None and value not in choices:
        raise InputError(
            f"{field.name} must be one of {allowed_values(choices)}, not {value!r}{did_you_mean(value, choices)}"
        )
    low, high = limits.get("low"), limits.get("high")
    if value is None and field.default is None:
        return
    if isinstance(value, float) and not isfinite(value):
        raise InputError(f"{field.name} must be a finite number, not {value!r}")
    if (low is not None and value < low) or (high is not None and value > high):
        top = "" if high is None else f" and at most {high}"
        raise InputError(f"{field.name} must be at least {low}{top}, not {value!r}")


_KINDS: dict[type, str] = {bool: "true or false,", int: "a whole number", float: "a number", str: "text"}


def _converted(field: dataclasses.Field[Any], value: Any) -> Any:
    example = None if field.default is MISSING else field.default
    if isinstance(example, bool) or example is None or isinstance(example, str):
        matches = example is None or isinstance(value, type(example))
    elif isinstance(example, int):
        matches = isinstance(value, int) and not isinstance(value, bool)
    elif isinstance(example, float):
        matches = isinstance(value, int | float) and not isinstance(value, bool)
        value = float(value) if matches else value
    else:
        matches = True
    if not matches:
        raise InputError(f"{field.name} must be {_KINDS[type(example)]} such as {example!r}, not {value!r}")
    return value
