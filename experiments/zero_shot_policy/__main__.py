"""``python -m experiments.zero_shot_policy [--workloads N] [--seeds S] [--unseen U]`` writes ``results.csv``."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

import archgym
from archgym.envs.workload_source import WorkloadSource
from experiments.zero_shot_policy.policy import Contextual, train

ENV_ID, OBJECTIVE = "archgym/DRAM-v0", "total-time"
UNSEEN_SEED = 1_000_003  # of workloads that are judged on; training draws with seeds below
BLIND_BUDGETS = (1, 10, 30, 100, 300)
DRAWS = 8
RESULTS = Path(__file__).with_name("results.csv")
Outcome = tuple[int, str, str, str, float]


def main() -> None:
    """Train, judge on unseen workloads of both splits, and write one row a seed, split, workload and way."""
    parser = argparse.ArgumentParser(description="A policy trained over workloads, on unseen ones.")
    parser.add_argument("--workloads", type=int, default=800, help="of the split train, 16 designs each")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--unseen", type=int, default=30, help="workloads of each split to judge on")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found = [
        outcome
        for seed in range(arguments.seeds)
        for outcome in judged(seed, _trained(seed, arguments.workloads), arguments.unseen)
    ]
    with RESULTS.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["seed", "split", "workload", "way", "reward"])
        writer.writerows(found)


def _trained(seed: int, workloads: int) -> dict[str, Contextual]:
    policies = {}
    for name, sees in (("policy", True), ("policy without features", False)):
        session = archgym.make_session(ENV_ID, objective=OBJECTIVE)
        features = len(session.problem().simulator.workload.features)
        policies[name] = Contextual(session.space, features, sees=sees, seed=seed)
        train(policies[name], session, workloads, seed)
    return policies


def judged(seed: int, policies: dict[str, Contextual], unseen: int) -> Iterator[Outcome]:
    """What each way reaches on each unseen workload: rewards are logarithms of the speed-up over the baseline."""
    session, rng = archgym.make_session(ENV_ID, objective=OBJECTIVE), np.random.default_rng(seed)
    for split in ("train", "dev"):
        source = WorkloadSource(ENV_ID, split)
        for i in range(unseen):
            name = source.draw(UNSEEN_SEED, i)
            features = np.array(session.problem(name).simulator.workload.features)
            for way, policy in policies.items():
                yield seed, split, name, way, float(session.evaluate(policy.greedy(features), name).reward[0])
                draws = session.evaluate(policy.draw(features[None], DRAWS, rng)[0], name).reward
                yield seed, split, name, f"{way}, best of {DRAWS} draws", float(draws.max())
            blind = session.evaluate(session.space.sample(max(BLIND_BUDGETS), rng), name).reward
            for budget in BLIND_BUDGETS:
                yield seed, split, name, f"best of {budget} at random", float(blind[:budget].max())


if __name__ == "__main__":
    main()
