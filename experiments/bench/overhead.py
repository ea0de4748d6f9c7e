"""What the layers between a simulator and an agent add to a design: space, scoring, session, journal.

A simulator that costs next to nothing stands below; its own time is subtracted.
"""

from __future__ import annotations

__all__ = ["Free", "measure"]

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from archgym.budget import Budget
from archgym.problem import Problem, ProblemSpec
from archgym.run_directory import JournalRecorder, RunDirectory, RunManifest
from archgym.session import Session
from archgym.testing.toys import Bowl
from archgym_simulators import DesignSpace, Evaluation
from archgym_simulators.space import Rows
from experiments.bench.timing import cpu_timing

BATCHES = (1, 16, 256)
DESIGNS = 1536
"""Designs in one timed call, all new to the session."""
REPEATS = 9
_SPEC = ProblemSpec(f"{__file__}:Free", "default", ("edp",), ("time_ns<=120",))


class Free(Bowl):
    """The toy's space without its constraint, and metrics that cost nothing."""

    def make_space(self) -> DesignSpace:
        space = super().make_space()
        return DesignSpace(space.parameters, inert=space.inert)

    def simulate(self, rows: Rows) -> Evaluation:
        n = len(rows)
        return Evaluation(
            values=np.full((n, 4), 110.0),
            status=np.zeros(n, np.int8),
            violation=np.zeros(n),
            reason_code=np.full(n, -1, np.int16),
            reason_detail=np.zeros((n, 2)),
            cost=np.ones(n),
            reasons=self.reasons,
            diagnostics=np.zeros((n, 1)),
        )


def measure() -> Iterator[dict[str, Any]]:
    """One row a layer and batch size: CPU microseconds a design beyond the simulator, beside the reference loop.

    Layers contain those above them, but for the journal-free session. ``designs per reference`` is how many designs a
    layer handles in the time of the reference loop, which does not depend on the machine's load.
    """
    problem = _SPEC.bind()
    with tempfile.TemporaryDirectory() as place:
        for batch in BATCHES:
            rounds = _rounds(problem, batch)
            floor = scoring = 0.0
            for layer, make in _layers(problem, Path(place) / str(batch), batch).items():
                seconds, ratio = _time(make(), rounds)
                if layer == "simulator":
                    floor = seconds
                    continue
                beyond = seconds - (0.0 if layer == "canonical and keys" else floor)
                scoring = beyond if layer == "scoring" else scoring
                yield {
                    "layer": layer,
                    "batch": batch,
                    "us a design": 1e6 * beyond / DESIGNS,
                    "us beyond objective": 1e6 * (beyond - scoring) / DESIGNS if scoring else None,
                    "designs per reference": DESIGNS / (ratio * beyond / seconds),
                }


def _layers(problem: Problem, folder: Path, batch: int) -> dict[str, Callable[[], Callable[[Rows], object]]]:
    space, simulator = problem.space, problem.simulator
    return {
        "simulator": lambda: simulator.evaluate,
        "canonical and keys": lambda: lambda rows: space.keys(space.canonical(rows)),
        "scoring": lambda: problem.evaluate,
        "session": lambda: Session(_SPEC, budget=Budget(10**9), problem=problem).evaluate,
        "session with journal": lambda: _recorded(problem, folder / "session").evaluate,
        "environment with journal": lambda: _environment(_recorded(problem, folder / "environment"), batch),
    }


def _environment(session: Session, batch: int) -> Callable[[Rows], object]:
    """Steps of an environment, with the reset that each needs, or from batch 2 of a vector of environments."""
    if batch > 1:
        envs = session.vector_env(batch)
        envs.reset(seed=0)
        return envs.step
    env = session.env()
    env.reset(seed=0)

    def episode(rows: Rows) -> object:
        env.reset()
        return env.step(rows[0])

    return episode


def _recorded(problem: Problem, folder: Path) -> Session:
    manifest = RunManifest.create(problem, spec=_SPEC.to_json(), agent={}, seed=0, budget={})
    directory = RunDirectory(folder, manifest)
    directory.start()
    return Session(_SPEC, budget=Budget(10**9), recorder=JournalRecorder(directory, problem), problem=problem)


def _rounds(problem: Problem, batch: int) -> list[Sequence[Rows]]:
    """Canonical rows, none twice: one list of batches a timed call."""
    rows = np.concatenate(list(problem.space.chunks(canonical=True)))
    chosen = np.random.default_rng(0).permutation(rows)[: (REPEATS + 1) * DESIGNS]
    if len(chosen) < (REPEATS + 1) * DESIGNS:
        raise RuntimeError(f"the toy has only {len(rows)} designs")
    return [list(part.reshape(-1, batch, part.shape[1])) for part in np.split(chosen, REPEATS + 1)]


def _time(take: Callable[[Rows], object], rounds: list[Sequence[Rows]]) -> tuple[float, float]:
    calls = iter(rounds)

    def run() -> None:
        for rows in next(calls):
            take(rows)

    run()
    timing = cpu_timing(run, repeats=REPEATS)
    return timing.cpu_s, timing.ratio
