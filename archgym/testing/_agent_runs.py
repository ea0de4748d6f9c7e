"""Watched runs of an agent on toys: what the conformance suite of agents looks at."""

from __future__ import annotations

__all__: list[str] = []

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.agent import Agent, AskTell
from archgym.problem import Problem, ProblemSpec, ScoredEvaluation
from archgym.registry import agent_class
from archgym.run_directory import JournalRecorder, RunDirectory, RunManifest
from archgym.session import Budget, Session, SessionOver
from archgym.testing import toys
from archgym_simulators import Evaluation, InputError, MissingExtra, Simulator
from archgym_simulators.space import Rows

_CALLS_AFTER_THE_END = 100
_IDLE_CALLS = 10_000


class Verdict(AssertionError):
    """What the suite found, as distinct from an assertion of the agent's own."""


class Runaway(BaseException):
    """An agent that does not end; no ``except Exception`` of the agent may catch it."""


@dataclass(frozen=True)
class Subject:
    """The agent under test.

    Attributes:
        agent: the class.
        name: what messages call it.
        options: settings it is tested with.
        reach: name, file or ``"module:Class"`` from which another process can load it; empty where there is none.
    """

    agent: type[Agent]
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    reach: str = ""

    @classmethod
    def of(cls, agent: str | type[Agent], options: Mapping[str, Any]) -> Subject:
        if isinstance(agent, str):
            return cls(agent_class(agent), agent, options, agent)
        return cls(agent, agent.__name__, options, _reach(agent))

    @cached_property
    def config(self) -> Any:
        return self.agent.Config.from_options(self.options)

    @property
    def is_ask_tell(self) -> bool:
        return issubclass(self.agent, AskTell) and self.agent.run is AskTell.run

    def create(self, session: Session, rng: np.random.Generator, config: Any = None) -> Agent:
        objectives = len(session.problem().objectives)
        return self.agent.create(
            session.space, config or self.config, rng, budget=session.remaining, n_objectives=objectives
        )

    def toy(self, name: str, *objectives: str) -> ToySpec:
        """A toy; for an agent that needs a fidelity, with one."""
        return ToySpec(f"Effort{name}" if self.agent.NEEDS_FIDELITY else name, "default", objectives)

    def error(self, sentence: str) -> AssertionError:
        return Verdict(f"agent {self.name!r} {sentence}")


class WatchedSession(Session):
    """A session that remembers every batch it was asked for and stops agents that would never end."""

    def __init__(self, spec: ProblemSpec, **options: Any) -> None:
        super().__init__(spec, **options)
        self.asked: list[Rows] = []
        self.over_asked = ""
        self._after_the_end = 0
        self._idle = 0

    def evaluate(self, rows: ArrayLike, workload: str | None = None) -> ScoredEvaluation:
        given = np.array(rows)
        self._guard(given)
        self.asked.append(given)
        if len(given) > max(self.remaining, 1) and not self.over_asked:
            self.over_asked = f"{len(given)} rows where {self.remaining} were left"
        return super().evaluate(rows, workload)

    def _guard(self, rows: NDArray[Any]) -> None:
        self._after_the_end += self.stop_reason is not None
        self._idle = 0 if len(rows) else self._idle + 1
        if self._after_the_end > _CALLS_AFTER_THE_END:
            raise Runaway(f"goes on after the session is over ({self.stop_reason}); let SessionOver end the run")
        if self._idle > _IDLE_CALLS:
            raise Runaway("evaluates empty batches for ever; return from run, or 0 rows from ask, when finished")


class _Counted(Simulator):
    """Counts the designs that reach the simulator, by whatever way."""

    simulated = 0

    def evaluate(self, rows: Rows) -> Evaluation:
        self.simulated += len(rows)
        return super().evaluate(rows)


@dataclass(frozen=True)
class ToySpec(ProblemSpec):
    """A toy by class name, outside the registry; its simulator counts."""

    def bind(self, workload: str | None = None) -> Problem:
        from archgym.objectives import parse_objective

        plain = self.env_id.removeprefix("Effort")
        toy = getattr(toys, plain) if plain == self.env_id else toys.with_effort(getattr(toys, plain))
        simulator = type(toy.__name__, (_Counted, toy), {})(workload or self.workload)
        texts = self.objectives or (simulator.default_objective,)
        return Problem(simulator, [parse_objective(t, simulator.metrics, simulator.objectives) for t in texts], [])


@dataclass(frozen=True)
class Run:
    """What one watched run did."""

    session: WatchedSession
    rng_was_used: bool

    @property
    def asked(self) -> list[Rows]:
        return self.session.asked

    @property
    def rows(self) -> Rows:
        """All proposals in order: (N, D)."""
        return np.concatenate([np.zeros((0, self.session.space.width), np.int64), *self.asked])

    @property
    def digest(self) -> str:
        """Equal for equal trajectories, batch by batch."""
        content = hashlib.sha256()
        for rows in self.asked:
            content.update(f"{rows.shape}{rows.dtype}".encode() + np.ascontiguousarray(rows).tobytes())
        return content.hexdigest()


def watch(subject: Subject, spec: ProblemSpec, *, seed: int, budget: Budget, recorder: Any = None) -> Run:
    """Run an agent to its end.

    Raises:
        AssertionError: it raised something else than `SessionOver`, or did not end.
    """
    session = WatchedSession(spec, budget=budget, recorder=recorder)
    rng = np.random.default_rng(seed)
    before = repr(rng.bit_generator.state)
    _to_the_end(subject, session, rng)
    return Run(session, repr(rng.bit_generator.state) != before)


def _to_the_end(subject: Subject, session: Session, rng: np.random.Generator) -> None:
    with judged(subject, session):
        subject.create(session, rng).run(session)
    session.stop("agent")


@contextmanager
def judged(subject: Subject, session: Session) -> Iterator[None]:
    """Let `SessionOver` end the block quietly, and turn what else the agent raises into a sentence."""
    objectives = len(session.problem().objectives)
    where = f"on {session.spec.env_id} with " + (f"{objectives} objectives and " if objectives > 1 else "")
    where += f"a budget of {session.budget.limit:g}"
    try:
        yield
    except SessionOver:
        pass
    except (MissingExtra, Verdict):
        raise
    except Runaway as runaway:
        raise subject.error(f"{runaway} ({where})") from None
    except Exception as error:
        if isinstance(error, InputError) and "cannot be resumed" in str(error):
            raise subject.error("asks for other designs when a run is resumed than it asked for at first") from error
        raise subject.error(f"raised {type(error).__name__} {where}: {error}") from error


def record(
    subject: Subject, toy: str, directory: Path, *, seed: int, budget: int, kill_after: int | None = None
) -> tuple[list[bytes], int]:
    """A recorded run, resumed where the directory holds one; what it recorded, and how many designs were replayed.

    Args:
        subject: the agent.
        toy: class name of a toy.
        directory: of the run.
        seed: of the agent.
        budget: in calls.
        kill_after: end abruptly once that many calls were made.
    """
    spec = subject.toy(toy)
    problem = spec.bind()
    about = {"agent": {"name": subject.name, "config": subject.config.to_json()}, "budget": {"limit": budget}}
    run_directory = RunDirectory(directory, RunManifest.create(problem, spec=spec.to_json(), seed=seed, **about))
    run_directory.start()
    recorder = JournalRecorder(run_directory, problem)
    session = WatchedSession(spec, budget=Budget(budget), recorder=recorder, progress=_killer(kill_after))
    try:
        _to_the_end(subject, session, np.random.default_rng(seed))
    except KeyboardInterrupt:
        pass
    finally:
        records = [b"".join(_recorded(one)) for one in recorder.records()]
        recorder.close()
    return records, recorder.replayed


def _recorded(one: Any) -> list[bytes]:
    numbers = (one.positions, one.rows, one.numbers, one.codes)
    return [f"{one.proposal} {one.workload}".encode(), *(array.tobytes() for array in numbers)]


def _killer(kill_after: int | None) -> Callable[[Session], None] | None:
    def kill(session: Session) -> None:
        if kill_after is not None and session.calls >= kill_after:
            raise KeyboardInterrupt

    return None if kill_after is None else kill


def _reach(agent: type[Agent]) -> str:
    """``"module:Class"``, or empty where another process cannot import it: a script, or a class made in a function."""
    if agent.__module__ == "__main__" or "<locals>" in agent.__qualname__:
        return ""
    return f"{agent.__module__}:{agent.__qualname__}"
