"""What one run found, gathered while it runs: improvements and counts, without reading the journal back."""

from __future__ import annotations

__all__ = ["Tally", "TallyingRecorder"]

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.pareto import hypervolume
from archgym.problem import Problem, ScoredEvaluation
from archgym.run_directory import JournalRecorder
from archgym_simulators import FAILED, INVALID, Evaluation
from archgym_simulators.space import Rows

_MOST_OBJECTIVES = 3  # for which hypervolume is exact


class Tally:
    """What is known of one run so far."""

    def __init__(self) -> None:
        self._rows: list[Rows] = []
        self._proposals: list[int] = []
        self._scored: list[ScoredEvaluation] = []

    def note(self, proposal: int, positions: Sequence[int], rows: Rows, scored: ScoredEvaluation) -> None:
        """Count evaluations that are on record: those of ``rows``, at ``positions`` of a call that began there."""
        self._rows.append(rows)
        self._proposals.extend(int(proposal + position + 1) for position in positions)
        self._scored.append(scored)

    def columns(
        self, problem: Problem, metric: str, reference: Sequence[float]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The run's own columns of the table of runs, and its rows of the table of improvements.

        Args:
            problem: the run's problem.
            metric: whose value is shown beside the reward.
            reference: the rewards (K,) from which hypervolume is measured.
        """
        found = _Found(self._rows, self._proposals, self._scored, problem, metric)
        steps = found.improving_steps()
        feasible = steps[found.feasible[steps]]
        best = int(feasible[np.argmax(found.reward[feasible])]) if len(feasible) else None
        run = {
            "evaluations": len(found.reward),
            "feasible": best is not None,
            "best_reward": float("nan") if best is None else float(found.reward[best]),
            "best_value": float("nan") if best is None else float(found.value[best]),
            "hypervolume": found.hypervolume(feasible, reference),
            "invalid": int(np.count_nonzero(found.status == INVALID)),
            "failed": int(np.count_nonzero(found.status == FAILED)),
        }
        return run, found.as_columns(steps, problem)


class TallyingRecorder:
    """A session's recorder that passes everything on to the journal, and counts it.

    Args:
        journal: where evaluations are written, and come from on a resume.
        tally: counts them.
        problem_of: the problem of a workload, to score what is replayed.
    """

    def __init__(self, journal: JournalRecorder, tally: Tally, problem_of: Callable[[str], Problem]) -> None:
        self._journal = journal
        self._tally = tally
        self._problem_of = problem_of

    def replay(self, proposal: int, workload: str, positions: Sequence[int], rows: Rows) -> Evaluation | None:
        """As `JournalRecorder.replay`."""
        recorded = self._journal.replay(proposal, workload, positions, rows)
        if recorded is not None:
            n = len(recorded)
            self._tally.note(proposal, positions[:n], rows[:n], self._problem_of(workload).score(recorded))
        return recorded

    def write(
        self, proposal: int, workload: str, positions: Sequence[int], rows: Rows, evaluation: ScoredEvaluation
    ) -> None:
        """As `JournalRecorder.write`."""
        self._journal.write(proposal, workload, positions, rows, evaluation)
        self._tally.note(proposal, positions, rows, evaluation)


class _Found:
    """All evaluations of a run, one entry each."""

    def __init__(
        self,
        rows: Sequence[Rows],
        proposals: Sequence[int],
        scored: Sequence[ScoredEvaluation],
        problem: Problem,
        metric: str,
    ) -> None:
        column, objectives = problem.simulator.metric_names().index(metric), len(problem.objectives)
        self.rows = _joined(rows, (0, problem.space.width))
        self.proposals = proposals
        self.rewards = _joined([one.rewards for one in scored], (0, objectives))  # (N, K)
        self.reward = _joined([one.reward for one in scored], (0,))  # (N,)
        self.feasible = _joined([one.feasible for one in scored], (0,)).astype(bool)
        self.status = _joined([one.status for one in scored], (0,))
        self.value = _joined([one.values[:, column] for one in scored], (0,))
        self.cost = np.cumsum(_joined([one.cost for one in scored], (0,)))

    def improving_steps(self) -> NDArray[np.intp]:
        """Steps at which the best so far changed, or with several objectives the front of what is feasible did."""
        known = self.status != FAILED  # what failed is unknown, so never the best
        first = int(np.argmax(self.feasible)) if self.feasible.any() else len(self.feasible)
        before = known & (np.arange(len(known)) < first)
        improves = _exceeds_all_before(self.reward, before) | _exceeds_all_before(self.reward, self.feasible)
        if self.rewards.shape[1] > 1:
            improves[self._front_steps()] = True
        return np.flatnonzero(improves)

    def hypervolume(self, feasible: NDArray[np.intp], reference: Sequence[float]) -> float:
        """Of the front, NaN for one objective or too many."""
        if not 2 <= len(reference) <= _MOST_OBJECTIVES:
            return float("nan")
        return hypervolume(self.rewards[feasible], reference)

    def as_columns(self, steps: NDArray[np.intp], problem: Problem) -> dict[str, Any]:
        return {
            "evaluation": (steps + 1).tolist(),
            "proposal": [self.proposals[step] for step in steps],
            "cost": self.cost[steps].tolist(),
            "reward": self.reward[steps].tolist(),
            "feasible": self.feasible[steps].tolist(),
            "value": self.value[steps].tolist(),
            "design": [json.dumps(problem.space.decode_row(self.rows[step])) for step in steps],
            "rewards": [json.dumps(rewards) for rewards in self.rewards[steps].tolist()],
        }

    def _front_steps(self) -> list[int]:
        """Feasible steps that no earlier one dominates or equals."""
        front, found = np.zeros((0, self.rewards.shape[1])), []
        for step in np.flatnonzero(self.feasible).tolist():
            point = self.rewards[step]
            if not (front >= point).all(axis=1).any():
                front = np.vstack([front[~(point >= front).all(axis=1)], point])
                found.append(step)
        return found


def _exceeds_all_before(reward: NDArray[np.float64], among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of some entries (N,) exceed all earlier ones of them."""
    shown = np.where(among, reward, -np.inf)
    best_before = np.concatenate(([-np.inf], np.maximum.accumulate(shown)[:-1])) if len(shown) else shown
    return np.asarray(shown > best_before)


def _joined(parts: Sequence[NDArray[Any]], empty: tuple[int, ...]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(empty)
