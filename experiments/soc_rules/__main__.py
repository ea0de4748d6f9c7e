"""Compare both sets of rules on random designs: ``python -m experiments.soc_rules`` prints the tables of the docs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archgym_simulators import OK, Evaluation
from archgym_simulators.soc.simulator import SocSimulator

WORKLOADS = ("audio-decoder", "edge-detection", "hpvm-cava", "three-apps")
METRICS = ("energy_uj", "power_mw", "area_mm2")
RATIOS = ("latency_ratio", "power_ratio", "area_ratio")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--designs", type=int, default=20_000)
    designs = parser.parse_args().designs
    print(f"realistic over FARSI's, {designs:,} uniform designs: 5 %, median, 95 %")
    for workload in WORKLOADS:
        print(" | ".join(compared(workload, designs)))
    print(f"valid of {designs:,} uniform designs, in ArchGym's encoding")
    for workload in WORKLOADS[:3]:
        simulator = SocSimulator(workload, space="archgym")
        outcome = sampled(simulator, designs)
        print(f"{workload} | {100 * float((outcome.status == OK).mean()):.2f} %")


def sampled(simulator: SocSimulator, designs: int) -> Evaluation:
    """Uniform random designs, the same for both sets of rules."""
    space = simulator.space
    return simulator.evaluate(space.canonical(space.sample(designs, np.random.default_rng(0))))


def compared(workload: str, designs: int) -> list[str]:
    """Ratios of the metrics, rank correlation of energy, and how many designs are valid and within the budgets."""
    simulators = [SocSimulator(workload, rules=rules) for rules in ("realistic", "farsi")]
    ours, theirs = (sampled(simulator, designs) for simulator in simulators)
    cells = [workload]
    for metric in METRICS:
        ratio = simulators[0].column(ours, metric) / simulators[1].column(theirs, metric)
        cells.append(", ".join(f"{value:.3g}" for value in np.quantile(ratio, [0.05, 0.5, 0.95])))
    energies = [simulators[0].column(one, METRICS[0]) for one in (ours, theirs)]
    cells.append(f"rank correlation {rank_correlation(energies):.2f}")
    cells.append(f"valid {float((ours.status == OK).mean()):.4f}")
    within = [
        np.all([simulator.column(outcome, ratio) <= 1.0 for ratio in RATIOS], axis=0).sum()
        for simulator, outcome in zip(simulators, (ours, theirs), strict=True)
    ]
    return [*cells, f"within tight budgets {within[0]}, within FARSI's under its rules {within[1]}"]


def rank_correlation(columns: Sequence[NDArray[np.float64]]) -> float:
    """Spearman's, without ties."""
    ranks = [column.argsort().argsort() for column in columns]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


if __name__ == "__main__":
    main()
