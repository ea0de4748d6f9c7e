"""Certify the optima of the DRAM tasks on the standard space: ``python -m experiments.core_1.make_optima``.

Writes ``archgym/optima/dram.json`` after every certificate; the same command goes on where it was interrupted. Traces
that are not in the user's cache of enumerations are simulated first.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from archgym.certificates import identity_of, key_of
from archgym.core_1.dram import TASKS
from archgym.fronts import find_front
from archgym.optimum import find_optimum
from archgym.run_directory import write_whole
from archgym.tasks import Task

TARGET = Path(__file__).parents[2] / "archgym" / "optima" / "dram.json"
Certificates = dict[str, list[dict[str, Any]]]


def variants() -> Iterator[Task]:
    """What is certified of each task: as searched and as judged, without bounds too, and under ArchGym's rules."""
    for task in (one for one in TASKS if one.options.get("space") != "extended"):
        yield task
        yield from _without_bounds(task)
        judged = replace(task, workload=task.judge_workload, constraints=task.judge_constraints)
        yield judged
        yield from _without_bounds(judged)
        yield replace(task, options={**task.options, "rules": "archgym"})


def _without_bounds(task: Task) -> Iterator[Task]:
    """The problem from whose optimum a bound in total time was derived."""
    if task.constraints:
        yield replace(task, objectives=("total-time",), constraints=())


def certify(task: Task, *, threads: int) -> tuple[str, dict[str, Any]]:
    """The kind of certificate, and the certificate as JSON."""
    if len(task.objectives) > 1:
        return "fronts", asdict(find_front(task, threads=threads))
    return "optima", asdict(find_optimum(task.spec(), threads=threads))


def _key(task: Task) -> str:
    spec = task.spec()
    return key_of({**identity_of(spec, spec.bind()), "reference_point": task.reference_point})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    os.nice(5)
    done = _read()
    wanted: dict[str, Task] = {}
    for task in variants():
        wanted.setdefault(_key(task), task)
    for number, (key, task) in enumerate(wanted.items(), start=1):
        if key not in done:
            done[key] = certify(task, threads=threads)
            _write({key: done[key] for key in wanted if key in done})
        print(f"{number}/{len(wanted)} {task.name}: {task.workload}, {', '.join(task.objectives)}", flush=True)
    _write({key: done[key] for key in wanted})


def _read() -> dict[str, tuple[str, dict[str, Any]]]:
    stored: Certificates = json.loads(TARGET.read_text()) if TARGET.is_file() else {}
    names = ("env_id", "workload", "objectives", "constraints", "options", "simulator_version", "space")
    found = {}
    for kind, certificates in stored.items():
        for one in certificates:
            identity = {name: one[name] for name in (*names, "workload_digest")}
            origin = one.get("reference_point", [])
            found[key_of({**identity, "reference_point": origin})] = (kind, one)
    return found


def _write(done: dict[str, tuple[str, dict[str, Any]]]) -> None:
    sorted_by_kind: Certificates = {"optima": [], "fronts": []}
    for kind, certificate in done.values():
        sorted_by_kind[kind].append(certificate)
    TARGET.parent.mkdir(exist_ok=True)
    write_whole(TARGET, json.dumps(sorted_by_kind, indent=1) + "\n")


if __name__ == "__main__":
    main()
