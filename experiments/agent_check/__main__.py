"""Run a part of the check, or write its tables from what has been run.

python -m experiments.agent_check run --out DIR [--groups G ...] [--agents A ...] [--seeds N] [--cpu-seconds S]
python -m experiments.agent_check tables --out DIR
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from archgym.registry import agent_names
from archgym_simulators import MissingExtra
from experiments.agent_check.shards import groups, run_shard
from experiments.agent_check.tables import write_tables

SEEDS = 20


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m experiments.agent_check", description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "tables"))
    parser.add_argument("--out", type=Path, required=True, help="where the studies are: DIR/GROUP/AGENT")
    parser.add_argument("--groups", nargs="+", choices=list(groups()), default=list(groups()), help="all by default")
    parser.add_argument("--agents", nargs="+", choices=agent_names(), default=agent_names(), help="all by default")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"runs of each agent and task; {SEEDS}")
    parser.add_argument("--cpu-seconds", type=float, default=float("inf"), help="after which no study is begun")
    chosen = parser.parse_args(arguments)
    if chosen.what == "tables":
        write_tables(chosen.out)
        return 0
    return _run(chosen)


def _run(chosen: argparse.Namespace) -> int:
    for group in chosen.groups:
        for agent in chosen.agents:
            if time.process_time() > chosen.cpu_seconds:
                print("out of time; the same command goes on", file=sys.stderr)
                return 1
            began = time.process_time()
            try:
                done = run_shard(group, agent, seeds=chosen.seeds, out=chosen.out)
            except MissingExtra as error:
                print(f"{group}/{agent}: {error}", file=sys.stderr)
                continue
            found = "takes none of the tasks" if done is None else f"{done.runs} runs, {done.failed} failed"
            print(f"{group}/{agent}: {found}, {time.process_time() - began:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
