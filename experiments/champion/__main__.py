"""Tune the rivals, judge all, or write the tables from what has been run.

python -m experiments.champion tune   --out DIR [--only RIVAL ...]
python -m experiments.champion judge  --out DIR [--only CONTENDER ...] [--families F ...] [--seeds N] [--cpu-seconds S]
python -m experiments.champion tables --out DIR
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from archgym.studies.engine import StudySummary
from experiments.champion import protocol

SEEDS = 5


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m experiments.champion", description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("tune", "judge", "tables"))
    parser.add_argument("--out", type=Path, default=Path("runs/champion"), help="where the studies are")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="rivals to tune, or contenders to judge; all")
    parser.add_argument(
        "--families", nargs="+", choices=list(protocol.TEST_TASKS), default=list(protocol.TEST_TASKS), help="all"
    )
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"runs of each contender and task; {SEEDS}")
    parser.add_argument("--cpu-seconds", type=float, default=float("inf"), help="after which no study is begun")
    chosen = parser.parse_args(arguments)
    if chosen.what == "tables":
        from experiments.champion.verdict import write_tables

        write_tables(chosen.out)
        return 0
    return _run(_work(chosen), chosen.cpu_seconds)


def _work(chosen: argparse.Namespace) -> dict[str, Callable[[], StudySummary]]:
    if chosen.what == "tune":
        rivals = chosen.only or protocol.RIVALS
        return {f"trials of {rival}": partial(protocol.tune, rival, chosen.out) for rival in rivals}
    met = [one for one in protocol.contenders(chosen.out) if not chosen.only or one.name in chosen.only]
    return {
        f"{family}, {one.name}": partial(protocol.judge, one, family, chosen.out, seeds=chosen.seeds)
        for family in chosen.families
        for one in met
    }


def _run(work: dict[str, Callable[[], StudySummary]], cpu_seconds: float) -> int:
    for name, do in work.items():
        if time.process_time() > cpu_seconds:
            print("out of time; the same command goes on", file=sys.stderr)
            return 1
        began = time.process_time()
        done = do()
        print(f"{name}: {done.runs} runs, {done.failed} failed, {time.process_time() - began:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
