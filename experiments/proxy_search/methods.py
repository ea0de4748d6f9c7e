"""One search of one method: its best true reward after so many simulations."""

from __future__ import annotations

__all__ = ["BUDGET", "CASES", "HEADER", "METHODS", "SIZES", "Case", "Method"]

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import archgym
from archgym.datasets import Dataset
from archgym.objectives import parse_objective
from archgym.problem import ProblemSpec
from archgym.proxies import fit, save_proxy, search_and_verify
from archgym_simulators import InputError

HEADER = "problem,method,seed,calls,reward,promised,gap,rank_correlation,within,outside,seconds"
BUDGET = 1_000
SIZES = (100, 170, 300, 550, BUDGET)
"""Simulations after which a proxy is fitted, searched and verified, those of the verification among them."""
VERIFIED = 10
PREDICTIONS = 5_000


@dataclass(frozen=True)
class Case:
    """A problem."""

    env_id: str
    workload: str
    objective: str

    @property
    def name(self) -> str:
        return f"{self.env_id.split('/')[1].split('-')[0]} {self.workload} {self.objective}"

    def metrics(self) -> list[str]:
        """What the objective is made of, so that a proxy learns nothing else."""
        simulator = ProblemSpec.create(self.env_id, workload=self.workload).simulator()
        objective = parse_objective(self.objective, simulator.metrics, simulator.objectives)
        return [term.metric for term in objective.terms]


@dataclass(frozen=True)
class Method:
    """An agent on the simulator alone, or one whose designs a proxy is fitted to, once.

    Attributes:
        agent: that proposes the designs that are simulated.
        with_proxy: whether a proxy of them is searched and verified at the end.
    """

    agent: str
    with_proxy: bool = False

    @property
    def name(self) -> str:
        return f"proxy of {self.agent}" if self.with_proxy else self.agent

    def lines(self, case: Case, seed: int, work: Path) -> Iterator[str]:
        """Lines of the table: where a search improved and where it ended; of a proxy, at each of `SIZES`."""
        began = time.process_time()
        data = _simulated(case, self.agent, seed, work)
        start = f"{case.name},{self.name},{seed}"
        if not self.with_proxy:
            seconds = time.process_time() - began
            yield from (f"{start},{calls},{best:.6f},,,,,,{seconds:.2f}" for calls, best in improvements(data))
            return
        for calls in SIZES:
            began = time.process_time()
            outcome = _with_proxy(case, data, calls, seed, work / f"{start}-{calls}".replace(" ", "-"))
            yield f"{start},{calls},{outcome},{time.process_time() - began:.2f}"


CASES = (
    Case("archgym/DRAM-v0", "cloud-1-like", "total-time"),
    Case("archgym/Systolic-v0", "alexnet", "energy-delay"),
    Case("archgym/Accelerator-v0", "alexnet", "energy-delay"),
)
METHODS = (
    Method("random_search"),
    Method("genetic_algorithm"),
    Method("proxy_assisted"),
    Method("random_search", with_proxy=True),
    Method("genetic_algorithm", with_proxy=True),
)


def improvements(data: Dataset) -> list[tuple[int, float]]:
    """Simulations and best reward so far, where it rose; and once more after the last one."""
    kept = np.where(data.feasible, data.reward, -np.inf)
    best = np.maximum.accumulate(kept)
    rose = np.flatnonzero(best > np.concatenate([[-np.inf], best[:-1]]))
    points = [(int(data.step[place]) + 1, float(best[place])) for place in rose]
    return points if points and points[-1][0] == BUDGET else [*points, (BUDGET, float(best[-1]))]


def _simulated(case: Case, agent: str, seed: int, work: Path) -> Dataset:
    """All designs of a run, with the metrics of its objective; agents do not know their budget, so parts are runs."""
    out = work / f"{case.name} {agent} {seed}".replace(" ", "-")
    archgym.search(
        case.env_id, agent, workload=case.workload, objective=case.objective, budget=BUDGET, seed=seed, out=out
    )
    return Dataset.load(out, metrics=case.metrics())


def _with_proxy(case: Case, data: Dataset, calls: int, seed: int, proxy: Path) -> str:
    """Best true reward of ``calls`` simulations, and what a proxy of all but the last promised; blanks without one."""
    known = data.take(data.step < calls - VERIFIED)
    begun = improvements(known)[-1][1]
    if not proxy.exists():
        try:
            save_proxy(fit(known, seed=seed), proxy)
        except InputError:  # too few valid designs, so the agent goes on instead
            return f"{improvements(data.take(data.step < calls))[-1][1]:.6f},,,,,"
    found = search_and_verify(
        case.env_id,
        str(proxy),
        budget=PREDICTIONS,
        verify=VERIFIED,
        seed=seed,
        workload=case.workload,
        objective=case.objective,
    )
    numbers = (found.promised, found.optimism_gap, found.rank_correlation, found.within, found.outside)
    return ",".join([f"{max(begun, found.reward):.6f}", *(f"{number:.6g}" for number in numbers)])
