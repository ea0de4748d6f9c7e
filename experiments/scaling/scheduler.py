"""A study's scheduler with many workers, simulated: ``python -m experiments.scaling.scheduler`` writes its table.

One parent serves its workers in turn: it takes what a task has finished, records it and hands out the next task. As on
Ray, runs of less than a second share a task that takes about a second, of at most 64 runs. The parent takes ``TASK_S``
a task and ``RECORD_S`` a run (as measured, ``costs.json``), a message ``LATENCY_S`` each way, and one task waits at
each worker beside the one that runs. Times of runs are lognormal with a coefficient of variation of 0.5.
"""

from __future__ import annotations

import csv
import heapq
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archgym.run_directory import write_whole

TABLE = Path(__file__).with_name("scheduler.csv")
WORKERS = (1, 10, 30, 100, 300, 1000, 3000)
RUN_S = (0.01, 0.1, 1.0, 10.0, 100.0)
TASK_S, RECORD_S, LATENCY_S, VARIATION, SEED = 0.0012, 0.0003, 0.001, 0.5, 0
SHARED_S, MOST_SHARED = 1.0, 64


@dataclass(frozen=True)
class Outcome:
    """What a simulated study came to.

    All but ``tail`` is of the time until the last task is handed out; then workers fall idle one by one.

    Attributes:
        busy: share of the workers' time that is spent on tasks.
        rate: tasks recorded a second.
        parent: share of the parent's time that is spent on serving.
        tail: seconds from the last hand-out to the end.
    """

    busy: float
    rate: float
    parent: float
    tail: float


def simulate(
    workers: int,
    task: float,
    *,
    service: float,
    latency: float = LATENCY_S,
    variation: float = VARIATION,
    waiting: int = 1,
    tasks_each: int = 50,
    seed: int = SEED,
) -> Outcome:
    """Simulate a study.

    Args:
        workers: number of them.
        task: mean seconds of a task.
        service: of the parent, a task.
        latency: of a message, one way.
        variation: standard deviation of a task's seconds over their mean.
        waiting: tasks that wait at a worker beside the one that runs.
        tasks_each: tasks a worker on average.
        seed: of the durations.
    """
    rng = np.random.default_rng(seed)
    sigma = np.sqrt(np.log1p(variation**2))
    tasks = iter(rng.lognormal(np.log(task) - sigma**2 / 2, sigma, workers * tasks_each).tolist())
    free_at = [0.0] * workers
    arrivals: list[tuple[float, int]] = []  # of results at the parent: time, worker
    parent = last_hand_out = 0.0

    def hand_out(worker: int) -> None:
        nonlocal last_hand_out
        seconds = next(tasks, None)
        if seconds is not None:
            last_hand_out = parent
            free_at[worker] = max(parent + latency, free_at[worker]) + seconds
            heapq.heappush(arrivals, (free_at[worker] + latency, worker))

    for _ in range(1 + waiting):
        for worker in range(workers):
            parent += service
            hand_out(worker)
    recorded = 0
    while arrivals:
        arrived, worker = heapq.heappop(arrivals)
        parent = max(parent, arrived) + service
        hand_out(worker)
        recorded += parent <= last_hand_out
    rate = recorded / last_hand_out
    return Outcome(min(rate * task / workers, 1.0), rate, min(rate * service, 1.0), parent - last_hand_out)


def of_runs(workers: int, run: float) -> tuple[Outcome, int]:
    """A study whose runs take ``run`` seconds on average, and how many of them share a task."""
    shared = int(min(max(SHARED_S / run, 1), MOST_SHARED))
    service = TASK_S + shared * RECORD_S
    return simulate(workers, run * shared, service=service, variation=VARIATION / shared**0.5), shared


def main() -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run_s", "workers", "busy", "runs_per_s", "parent_busy", "tail_s"])
    for run in RUN_S:
        for workers in WORKERS:
            found, shared = of_runs(workers, run)
            numbers = (found.busy, found.rate * shared, found.parent, found.tail)
            writer.writerow([run, workers, *(f"{number:.4g}" for number in numbers)])
    write_whole(TABLE, text.getvalue())
    print(text.getvalue())


if __name__ == "__main__":
    main()
