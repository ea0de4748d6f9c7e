"""The conformance suite of agents: `check_agent`."""

from __future__ import annotations

__all__ = ["AGENT_CHECKS", "check_agent"]

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from archgym.agent import Agent, AskTell
from archgym.problem import ProblemSpec
from archgym.session import Budget
from archgym.testing._agent_elsewhere import elsewhere
from archgym.testing._agent_extent import FULL, LIGHT, Extent
from archgym.testing._agent_runs import Run, Subject, WatchedSession, judged, record, watch
from archgym_simulators import InputError

_EXTRAS = (
    *("torch", "stable_baselines3", "sb3_contrib", "optuna", "scipy", "cmaes", "smac", "sklearn", "lightgbm", "skops"),
    *("pettingzoo", "minari", "h5py", "plotly", "ray", "accelforge", "pyosys"),
)


def check_agent(
    agent: str | type[Agent],
    *,
    options: Mapping[str, Any] | None = None,
    environments: Sequence[str] = (),
    budget: int | None = None,
    seed: int = 1,
    checks: Sequence[str] | None = None,
    light: bool | None = None,
) -> None:
    """Check that an agent keeps the contract, on toys with every parameter kind, 1e24 designs, one design, failures.

    An agent that draws nothing at random says so by a class attribute ``DETERMINISTIC = True``, one that takes more
    than about a tenth of a second a proposal by ``SLOW = True``.

    Args:
        agent: a name of ``archgym list agents``, ``path/agent.py``, or a subclass of `archgym.Agent`.
        options: settings to check it with; its defaults where None.
        environments: ids of further environments to check it on; all of them with the default workload.
        budget: calls a run; 48 where None, 12 in a light check.
        seed: of its runs.
        checks: names of `AGENT_CHECKS`; all of them where None.
        light: make every check with fewer and shorter runs; where None, if the agent says that it is slow.

    Raises:
        AssertionError: with a sentence that says what is wrong.
        MissingExtra: the agent's optional dependency is not installed.

    >>> check_agent("random_search", checks=["settings", "budget"])
    """
    subject = Subject.of(agent, options or {})
    extent = LIGHT if (subject.agent.SLOW if light is None else light) else FULL
    context = _Context(subject, tuple(environments), extent, extent.budget if budget is None else budget, seed)
    for name in checks if checks is not None else AGENT_CHECKS:
        AGENT_CHECKS[name](context)


@dataclass(frozen=True)
class _Context:
    """The agent, and its runs, which several checks look at."""

    subject: Subject
    environments: tuple[str, ...]
    extent: Extent
    budget: int
    seed: int
    runs: dict[Any, Run] = field(default_factory=dict)

    def specs(self, toys: Sequence[str]) -> list[ProblemSpec]:
        return [*map(self.subject.toy, toys), *map(ProblemSpec.create, self.environments)]

    def run(self, spec: ProblemSpec, *, seed: int | None = None, again: int = 0, **budget: Any) -> Run:
        limits = Budget(**{"limit": self.budget, **budget})
        seed = self.seed if seed is None else seed
        key = (spec.env_id, limits, seed, again)
        if key not in self.runs:
            self.runs[key] = watch(self.subject, spec, seed=seed, budget=limits)
        return self.runs[key]


# ---- one check a function; its docstring says what holds -------------------------------------------------------------


def _check_settings(context: _Context) -> None:
    """Settings have help, survive JSON, refuse unknown names, and every sample of the sweep builds an agent."""
    subject, config_class = context.subject, context.subject.agent.Config
    for one in fields(config_class):
        if not one.metadata.get("help"):
            raise subject.error(
                f"has a setting {one.name!r} without help; declare it by archgym.setting(default, help)"
            )
    again = config_class.from_options(json.loads(json.dumps(subject.config.to_json())))
    if again != subject.config:
        raise subject.error(f"has settings that do not survive JSON: {subject.config} became {again}")
    try:
        config_class.from_options({"no-such-setting": 1})
    except InputError:
        pass
    else:
        raise subject.error("accepts the unknown setting 'no-such-setting'; it should raise InputError")
    sweep = config_class.hyperparameters()
    if sweep is None:
        return
    edges = [np.zeros((1, sweep.width), np.int64), sweep.nvec[None] - 1]
    for row in np.concatenate([*edges, sweep.sample(context.extent.swept, np.random.default_rng(context.seed))]):
        design = sweep.decode_row(row)
        _build_swept(subject, {name: getattr(value, "item", lambda v=value: v)() for name, value in design.items()})


def _build_swept(subject: Subject, options: dict[str, Any]) -> None:
    session = WatchedSession(subject.toy("Bowl"), budget=Budget(8))
    try:
        config = subject.agent.Config.from_options(options)
        subject.create(session, np.random.default_rng(0), config)
    except InputError as error:
        raise subject.error(f"cannot be built with {options} of its own hyperparameters: {error}") from error


def _check_objectives(context: _Context) -> None:
    """Several objectives are searched, or refused with an InputError when the agent is built."""
    spec = context.subject.toy("Bowl", "time", "energy-delay")
    session = WatchedSession(spec, budget=Budget(context.budget))
    rng = np.random.default_rng(context.seed)
    with judged(context.subject, session):
        try:
            agent = context.subject.create(session, rng)
        except InputError:
            return
        agent.run(session)


def _check_asking(context: _Context) -> None:
    """``ask(n)`` gives at most n rows: int64, (m, D), in range."""
    if not context.subject.is_ask_tell:
        return
    for toy in context.extent.toys:
        session = WatchedSession(context.subject.toy(toy), budget=Budget(context.budget))
        with judged(context.subject, session):
            agent = context.subject.create(session, np.random.default_rng(context.seed))
            assert isinstance(agent, AskTell)
            for n in context.extent.asks:
                rows = agent.ask(n)
                _check_rows(context.subject, rows, n, session)
                if not len(rows):
                    break
                agent.tell(rows, session.evaluate(rows))


def _check_rows(subject: Subject, rows: Any, n: int, session: WatchedSession) -> None:
    where = f"on {session.spec.env_id}"
    if not isinstance(rows, np.ndarray) or rows.dtype != np.int64 or rows.ndim != 2:
        shown = f"{rows.dtype} of shape {rows.shape}" if isinstance(rows, np.ndarray) else type(rows).__name__
        raise subject.error(f"asks with {shown} {where}; rows are an int64 array of shape (m, {session.space.width})")
    if rows.shape[1] != session.space.width:
        raise subject.error(f"asks for rows of {rows.shape[1]} columns {where}; the space has {session.space.width}")
    if len(rows) > n:
        raise subject.error(f"asks for {len(rows)} rows {where} where at most {n} were wanted")
    if not session.space.contains(rows).all():
        wrong = rows[~session.space.contains(rows)][0].tolist()
        raise subject.error(f"asks for the row {wrong} {where}, outside the space")


def _check_budget(context: _Context) -> None:
    """No run costs a call more than its budget, ends by an error, goes on after the end, or repeats itself for ever."""
    subject = context.subject
    for spec in context.specs(context.extent.toys):
        for limit in (*context.extent.limits, context.budget):
            session = context.run(spec, limit=limit).session
            where = f"on {spec.env_id} with a budget of {limit}"
            beyond = getattr(session.problem().simulator, "simulated", session.calls + 1) - 1 - session.calls
            if session.calls > limit or beyond:
                raise subject.error(f"simulated {session.calls + beyond} designs {where}, {session.calls} were charged")
            if subject.is_ask_tell and session.over_asked:
                raise subject.error(f"asked for {session.over_asked} {where}")
            if session.stop_reason == "max_proposals" and session.calls < limit / 2:
                calls, proposals = session.calls, session.proposals
                raise subject.error(f"repeats itself {where}: {calls} calls were made of {proposals} proposals")
            if not session.calls:
                raise subject.error(f"evaluated nothing {where}")


def _check_max_proposals(context: _Context) -> None:
    """A limit on proposals holds."""
    for toy in context.extent.large:
        session = context.run(context.subject.toy(toy), limit=10 * context.budget, max_proposals=7).session
        if session.proposals > 7:
            raise context.subject.error(f"made {session.proposals} proposals on {toy} where 7 are allowed")


def _check_seed(context: _Context) -> None:
    """The same seed gives the same rows in the same batches, another seed gives others."""
    subject = context.subject
    for spec in context.specs(context.extent.repeated):
        first, again = context.run(spec), context.run(spec, again=1)
        if first.digest != again.digest:
            raise subject.error(f"proposed other designs on {spec.env_id} when run again with seed {context.seed}")
    if subject.agent.DETERMINISTIC:
        return
    spec = context.subject.toy(context.extent.twin)
    if np.array_equal(context.run(spec).rows, context.run(spec, seed=context.seed + 1).rows):
        raise subject.error(
            f"proposed the same designs with seeds {context.seed} and {context.seed + 1}; draw from the generator that "
            "create is given, or say DETERMINISTIC = True"
        )


def _check_resume(context: _Context) -> None:
    """A recorded run that is killed anywhere and started again records what an uninterrupted one does."""
    rng = np.random.default_rng(context.seed)
    with tempfile.TemporaryDirectory() as place:
        for toy in context.extent.resumed:
            whole = Path(place, f"{toy}-whole")
            expected, _ = record(context.subject, toy, whole, seed=context.seed, budget=context.budget)
            size = (whole / "journal.bin").stat().st_size
            for cut in (0, size - 1, *rng.integers(1, size, context.extent.cuts).tolist()):
                # A process killed at any instant leaves a journal cut at some byte.
                _resume(context, toy, Path(place, f"{toy}-{cut}"), expected, whole, cut)
            for calls in rng.integers(1, context.budget, context.extent.kills).tolist():
                killed = Path(place, f"{toy}-after-{calls}")
                record(context.subject, toy, killed, seed=context.seed, budget=context.budget, kill_after=calls)
                _resume(context, toy, killed, expected)


def _resume(
    context: _Context, toy: str, directory: Path, expected: list[bytes], whole: Path | None = None, cut: int = 0
) -> None:
    if whole is not None:
        shutil.copytree(whole, directory)
        with (directory / "journal.bin").open("r+b") as journal:
            journal.truncate(cut)
    found, _ = record(context.subject, toy, directory, seed=context.seed, budget=context.budget)
    if found != expected:
        raise context.subject.error(f"recorded other evaluations on {toy} after an interruption than without one")


def _check_process(context: _Context) -> None:
    """Importing the agent imports no extra, and another process with the same seed proposes the same designs."""
    subject = context.subject
    if not subject.reach:
        return
    toy = context.extent.twin
    there = elsewhere(subject, toy, seed=context.seed, budget=context.budget, forbidden=_EXTRAS)
    if there["imported"]:
        raise subject.error(f"imports {', '.join(there['imported'])} with its module; import it inside create")
    if there["digest"] not in (None, context.run(context.subject.toy(toy)).digest):
        raise subject.error(f"proposed other designs on {toy} in another process with seed {context.seed}")


AGENT_CHECKS: dict[str, Callable[[_Context], None]] = {
    "settings": _check_settings,
    "asking": _check_asking,
    "budget": _check_budget,
    "max-proposals": _check_max_proposals,
    "objectives": _check_objectives,
    "seed": _check_seed,
    "resume": _check_resume,
    "process": _check_process,
}
"""The checks by name, in order; one column each in ``archgym doctor --matrix``."""
