"""What agents cost of their own: CPU microseconds a proposed design, beyond session and simulator."""

from __future__ import annotations

__all__ = ["measure"]

import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import numpy as np

import archgym
from archgym.agent import AskTell
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

    A run before them is not counted: it compiles and imports. Agents that drive an environment by a loop of their own
    cannot be timed apart from it and are left out.
    """
    archgym.register(ENV_ID, "archgym.testing.toys:HugeSpace")
    archgym.register(EFFORT_ID, "archgym.testing.toys:EffortHugeSpace")
    for name in agent_names():
        agent = agent_class(name)
        if not issubclass(agent, AskTell) or agent.run is not AskTell.run:
            continue
        calls, repeats = (SLOW_CALLS, 1) if agent.SLOW else (CALLS, REPEATS)
        try:
            _own_seconds(agent, calls // 10, seed=0)
        except MissingExtra as error:
            yield {"agent": name, "us a design": None, "within 50 us": str(error), "calls": calls}
            continue
        seconds: list[float] = []
        while len(seconds) < repeats and sum(seconds) < ENOUGH_S:
            seconds.append(_own_seconds(agent, calls, seed=1 + len(seconds)))
        us = 1e6 / calls * median(seconds)
        yield {"agent": name, "us a design": us, "within 50 us": "yes" if us <= LIMIT_US else "no", "calls": calls}


def _own_seconds(agent: type[AskTell], calls: int, *, seed: int) -> float:
    """CPU seconds in ``ask`` and ``tell`` of one run."""
    session = archgym.make_session(EFFORT_ID if agent.NEEDS_FIDELITY else ENV_ID, budget=calls)
    searcher = agent.create(session.space, agent.Config(), np.random.default_rng(seed), budget=calls)
    own = 0.0
    while session.stop_reason is None:
        began = time.process_time()
        rows = searcher.ask(max(session.remaining, 1))
        own += time.process_time() - began
        if not len(rows):
            break
        found = session.evaluate(rows)
        began = time.process_time()
        searcher.tell(rows, found)
        own += time.process_time() - began
    return own
