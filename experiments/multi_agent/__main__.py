"""Run a part of the comparison, measure the spaces, or write the tables from what has been run.

python -m experiments.multi_agent run --out DIR [--only ARM ...] [--stages S ...] [--budgets B ...] [--seeds N]
python -m experiments.multi_agent tables --out DIR
python -m experiments.multi_agent spaces
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import product
from pathlib import Path

from experiments.multi_agent.arms import ARMS, Arm, step_sizes
from experiments.multi_agent.outcomes import best_size, size_regrets
from experiments.multi_agent.shards import (
    BUDGETS,
    DEV_SEEDS,
    SEEDS,
    STAGES,
    TUNING_BUDGET,
    folder_of,
    run_shard,
)
from experiments.regrets_of_runs import is_run


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m experiments.multi_agent", description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "tables", "spaces"))
    parser.add_argument("--out", type=Path, default=Path("runs/multi_agent"), help="where the studies are")
    parser.add_argument("--only", nargs="+", choices=list(ARMS), default=list(ARMS), metavar="ARM", help="some arms")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES), help="all by default")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help=f"runs of each arm and task; {len(SEEDS)}")
    parser.add_argument("--budgets", type=int, nargs="+", default=list(BUDGETS), help="calls a run; 300 and 2000")
    parser.add_argument("--cpu-seconds", type=float, default=float("inf"), help="after which no study is begun")
    chosen = parser.parse_args(arguments)
    if chosen.what == "run":
        return _run(chosen)
    if chosen.what == "tables":
        from experiments.multi_agent.tables import write_tables

        write_tables(chosen.out)
    else:
        from experiments.multi_agent.spaces import write_spaces

        write_spaces()
    return 0


def _run(chosen: argparse.Namespace) -> int:
    for budget, stage in product(chosen.budgets, chosen.stages):
        for arm in (ARMS[name] for name in chosen.only):
            if time.process_time() > chosen.cpu_seconds:
                print("out of time; the same command goes on", file=sys.stderr)
                return 1
            began = time.process_time()
            found = _shard(stage, budget, arm, chosen)
            print(f"{stage}/{budget}/{arm.name}: {found}, {time.process_time() - began:.1f} s", flush=True)
    return 0


def _shard(stage: str, budget: int, arm: Arm, chosen: argparse.Namespace) -> str:
    """Run an arm's part of a stage, and say what there was to do."""
    seeds, size = SEEDS[: chosen.seeds], None
    if stage != "defaults" and not arm.step_size:
        return "learns nothing, so has no step size"
    if stage == "sensitivity":
        seeds, budget = DEV_SEEDS, TUNING_BUDGET
    elif stage == "tuned":
        tuning = folder_of(chosen.out, "sensitivity", TUNING_BUDGET, arm)
        if not is_run(tuning):
            return "waits for its sensitivity"
        size = best_size(size_regrets(arm, tuning), step_sizes(arm)[1])
        if size is None:
            return "is best at its default"
    done = run_shard(arm, stage, chosen.out, seeds=seeds, budget=budget, size=size)
    return f"{done.runs} runs, {done.failed} failed{', were there already' if done.was_complete else ''}"


if __name__ == "__main__":
    sys.exit(main())
