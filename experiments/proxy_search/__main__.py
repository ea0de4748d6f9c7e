"""Searches with and without a proxy at equal numbers of simulations: ``python -m experiments.proxy_search --work DIR``.

Resumable: what `results.csv` has is not run again.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import archgym
from archgym.datasets import Dataset
from archgym.objectives import parse_objective
from archgym.problem import ProblemSpec
from archgym.proxies import fit, save_proxy, search_and_verify

HERE = Path(__file__).parent
TABLE = HERE / "results.csv"
HEADER = "problem,method,simulations,seed,reward,promised,gap,rank_correlation,within,outside,seconds"
VERIFIED = 10
PREDICTIONS = 5_000
SEEDS = 5
AGENTS = ("random_search", "genetic_algorithm", "proxy_assisted")
SOURCES = ("random_search", "genetic_algorithm")


@dataclass(frozen=True)
class Case:
    """A problem, and at which numbers of simulations it is searched."""

    env_id: str
    workload: str
    objective: str
    budgets: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"{self.env_id.split('/')[1].split('-')[0]} {self.workload} {self.objective}"


CASES = (
    Case("archgym/DRAM-v0", "cloud-1-like", "total-time", (100, 300, 1000)),
    Case("archgym/Systolic-v0", "alexnet", "energy-delay", (100, 300, 1000)),
    Case("archgym/Accelerator-v0", "alexnet", "energy-delay", (100, 300)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="a folder for searches and proxies")
    parser.add_argument("--minutes", type=float, default=10.0, help="of processor time; no cell begins after them")
    arguments = parser.parse_args()
    if not TABLE.is_file():
        TABLE.write_text(HEADER + "\n")
    done = Counter(",".join(line.split(",")[:4]) for line in TABLE.read_text().splitlines())
    ends = time.process_time() + 60 * arguments.minutes
    methods = [*AGENTS, *(f"proxy of {source}" for source in SOURCES)]
    for seed in range(SEEDS):
        for case in CASES:
            for budget in case.budgets:
                for method in methods:
                    cell = f"{case.name},{method},{budget},{seed}"
                    if done[cell] or time.process_time() > ends:
                        continue
                    began = time.process_time()
                    outcome = searched(case, method, budget, seed, arguments.work)
                    with TABLE.open("a") as file:
                        file.write(f"{cell},{outcome},{time.process_time() - began:.2f}\n")


def searched(case: Case, method: str, budget: int, seed: int, work: Path) -> str:
    """Columns of one cell: the best true reward of ``budget`` simulations, and what a proxy promised."""
    problem = {"workload": case.workload, "objective": case.objective}
    if method in AGENTS:
        found = archgym.search(case.env_id, method, budget=budget, seed=seed, **problem)  # type: ignore[arg-type]
        return f"{found.reward:.6f},,,,,"
    source = method.removeprefix("proxy of ")
    out = work / f"{case.name} {source} {budget} {seed}".replace(" ", "-")
    begun = archgym.search(
        case.env_id,
        source,
        budget=budget - VERIFIED,
        seed=seed,
        out=out,
        **problem,  # type: ignore[arg-type]
    )
    proxy = out / "proxy"
    if not proxy.exists():
        metrics = _metrics(case)
        save_proxy(fit(Dataset.load(out, metrics=metrics), seed=seed), proxy)
    verified = search_and_verify(
        case.env_id,
        str(proxy),
        budget=PREDICTIONS,
        verify=VERIFIED,
        seed=seed,
        **problem,  # type: ignore[arg-type]
    )
    reward = max(begun.reward, verified.reward)
    numbers = (
        verified.promised, verified.optimism_gap, verified.rank_correlation, verified.within, verified.outside
    )  # fmt: skip
    return ",".join(f"{number:.6g}" for number in (reward, *numbers))


def _metrics(case: Case) -> list[str]:
    """The metrics that an objective is made of, so that a proxy learns nothing else."""
    simulator = ProblemSpec.create(case.env_id, workload=case.workload).simulator()
    objective = parse_objective(case.objective, simulator.metrics, simulator.objectives)
    return [term.metric for term in objective.terms]


if __name__ == "__main__":
    main()
