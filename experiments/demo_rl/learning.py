"""Do the RL agents learn, and is it worth it? First against last proposals, and best so far, beside other agents.

``python -m experiments.demo_rl.learning --out FILE.csv`` runs every agent on the judging workloads: some minutes.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

import archgym
from archgym.registry import agent_class
from archgym_simulators import DesignSpace

ENV_ID, OBJECTIVE = "archgym/DRAM-v0", "total-time"
WORKLOADS = ("mixed", "zipf")  # the settings were chosen on toys and on bursty, copy and dnn-layer
SEEDS = {"random_search": 8, "genetic_algorithm": 8, "ppo": 8, "dqn": 5}
BUDGET, CHECKPOINTS = 1000, (100, 300, 1000)


class WatchedSession(archgym.Session):
    """A session that remembers what every proposal was worth, and the best after each call of it."""

    space: DesignSpace

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.rewards: list[NDArray[np.float64]] = []
        self.bests: list[tuple[int, float]] = []

    def evaluate(self, rows: ArrayLike, workload: str | None = None) -> archgym.ScoredEvaluation:
        scored = super().evaluate(rows, workload)
        self.rewards.append(scored.reward)
        best = self.best.reward if self.best is not None and self.best.feasible else -np.inf
        self.bests.append((self.calls, best))
        return scored


def measure(agent: str, workload: str, seed: int) -> dict[str, Any]:
    """One run: median reward of the first and the last fifth of its proposals, best so far at the checkpoints."""
    spec = archgym.ProblemSpec.create(ENV_ID, workload=workload, objective=OBJECTIVE)
    session = WatchedSession(spec, budget=archgym.Budget(BUDGET))
    built = agent_class(agent)
    started = time.process_time()
    rng = np.random.default_rng(seed)
    built.create(session.space, built.Config(), rng, budget=session.remaining).run(session)
    assert session.best is not None
    fifths = np.array_split(np.concatenate(session.rewards), 5)
    best = {n: max([b for calls, b in session.bests if calls <= n], default=-np.inf) for n in CHECKPOINTS[:-1]}
    return {
        "workload": workload,
        "agent": agent,
        "seed": seed,
        **{f"best_{n}": reward for n, reward in best.items()},
        f"best_{BUDGET}": session.best.reward,
        "median_first_fifth": float(np.median(fifths[0])),
        "median_last_fifth": float(np.median(fifths[-1])),
        "proposals": sum(map(len, session.rewards)),
        "stop_reason": session.stop_reason,
        "cpu_s": round(time.process_time() - started, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m experiments.demo_rl.learning", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("learning.csv"), help="learning.csv where not given")
    out = parser.parse_args().out
    runs = [(agent, workload, seed) for workload in WORKLOADS for agent, n in SEEDS.items() for seed in range(n)]
    frame = pd.DataFrame([measure(*run) for run in runs])
    frame.to_csv(out, index=False)
    print(frame.groupby(["workload", "agent"]).median(numeric_only=True).drop(columns="seed").round(4).to_string())


if __name__ == "__main__":
    main()
