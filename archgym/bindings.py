"""Problems by workload, bound when they are needed."""

from __future__ import annotations

__all__ = ["Bindings"]

from archgym.problem import Problem, ProblemSpec
from archgym_simulators import InputError

_KEPT = 64


class Bindings:
    """The problems of one specification. The first stays; of the others the most recently used are kept.

    A policy trains over thousands of drawn workloads, each with a trace of its own, so keeping all would fill the
    memory. Binding is deterministic, so binding again gives the same problem.
    """

    def __init__(self, spec: ProblemSpec, first: Problem | None = None) -> None:
        self._spec = spec
        self._first = first or spec.bind()
        self._recent: dict[str, Problem] = {}

    def problem(self, workload: str) -> Problem:
        """The problem of a workload.

        Raises:
            InputError: an unknown workload, or one with another design space than the first.
        """
        if workload in (self._spec.workload, self._first.simulator.workload.name):
            return self._first
        problem = self._recent.pop(workload, None) or self._bind(workload)
        self._recent[workload] = problem
        if len(self._recent) > _KEPT:
            del self._recent[next(iter(self._recent))]
        return problem

    def _bind(self, workload: str) -> Problem:
        problem = self._spec.bind(workload)
        if problem.space != self._first.space:
            raise InputError(
                f"workload {workload!r} has another design space than {self._spec.workload!r}; "
                f"use gym.make({self._spec.env_id!r}, workload={workload!r}), or space='shared' where offered"
            )
        theirs, ours = problem.simulator.metric_names(), self._first.simulator.metric_names()
        if theirs != ours:
            raise InputError(
                f"workload {workload!r} has the metrics {', '.join(theirs)}, but {self._spec.workload!r} has "
                f"{', '.join(ours)}; name the same metrics for both"
            )
        return problem
