"""What agents cost of their own: CPU microseconds a proposed design, beyond what the session takes to evaluate it."""

from __future__ import annotations

__all__ = ["measure"]

import time
from collections.abc import Iterator
from contextlib import suppress
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

import archgym
from archgym import SessionOver
from archgym.agent import Agent, AskTell
from archgym.problem import ScoredEvaluation
from archgym.registry import agent_class, agent_names
from archgym_simulators import MissingExtra

ENV_ID, EFFORT_ID = "bench/Huge-v0", "bench/EffortHuge-v0"
CALLS, SLOW_CALLS = 300, 15
REPEATS = 5
ENOUGH_S = 0.5
"""CPU seconds of an agent's runs after which no other is begun."""
LIMIT_US = 50.0
"""What an own searcher may take a design."""


def measure() -> Iterator[dict[str, Any]]:
    """One row an agent: median of up to 5 runs of 300 calls (slow ones: 15) on 24 integers of ten values.

    A run before them is not counted: it compiles and imports. Agents with a loop of their own drive an environment,
    whose part cannot be told from theirs and is in their figure.
    """
    archgym.register(ENV_ID, "archgym.testing.toys:HugeSpace")
    archgym.register(EFFORT_ID, "archgym.testing.toys:EffortHugeSpace")
    for name in agent_names():
        agent = agent_class(name)
        is_asked = issubclass(agent, AskTell) and agent.run is AskTell.run
        row = {
            "agent": name,
            "us a design": None,
            "within 50 us": "no",
            "of": "ask and tell" if is_asked else "its loop",
        }
        calls, repeats = (SLOW_CALLS, 1) if agent.SLOW and is_asked else (CALLS, REPEATS)
        try:
            _own_time(agent, calls // 10, seed=0)
        except MissingExtra as error:
            yield {**row, "within 50 us": str(error), "calls": calls}
            continue
        runs: list[_OwnTime] = []
        while len(runs) < repeats and sum(run.seconds for run in runs) < ENOUGH_S:
            runs.append(_own_time(agent, calls, seed=1 + len(runs)))
        us = 1e6 * median(run.seconds / run.designs for run in runs)
        yield {**row, "us a design": us, "within 50 us": "yes" if us <= LIMIT_US else "no", "calls": calls}


class _OwnTime(NamedTuple):
    """CPU seconds that an agent took of its own, for so many designs that it proposed."""

    seconds: float
    designs: int


def _own_time(agent: type[Agent], calls: int, *, seed: int) -> _OwnTime:
    """Of one run, all but what is inside the session's `evaluate`."""
    session = archgym.make_session(EFFORT_ID if agent.NEEDS_FIDELITY else ENV_ID, budget=calls)
    searcher = agent.create(session.space, agent.Config(), np.random.default_rng(seed), budget=calls)
    evaluate, inside = session.evaluate, 0.0

    def timed(rows: ArrayLike, workload: str | None = None) -> ScoredEvaluation:
        nonlocal inside
        began = time.process_time()
        try:
            return evaluate(rows, workload)
        finally:
            inside += time.process_time() - began

    session.evaluate = timed  # type: ignore[method-assign]
    began = time.process_time()
    with suppress(SessionOver):
        searcher.run(session)
    return _OwnTime(time.process_time() - began - inside, session.proposals)
