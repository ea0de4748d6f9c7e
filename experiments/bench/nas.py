"""Lookups of measured cells, subnets of the supernet and zero-cost scores of a cell per CPU second, on one core."""

from __future__ import annotations

__all__ = ["measure"]

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from archgym.registry import environments, simulator_class
from experiments.bench.timing import cpu_timing

ENV_ID = "archgym/NAS201Digits-v0"
SUPERNET_ID = "archgym/SupernetDigits-v0"
SUBNETS = 32
BATCH = 65_536
SCORED = 16


def measure() -> Iterator[dict[str, Any]]:
    """One row a kind of work: what one takes, and how many in a second and in a reference loop."""
    if ENV_ID not in environments():
        return
    simulator: Any = simulator_class(ENV_ID)("search", partial=True)  # type: ignore[call-arg]
    rng = np.random.default_rng(0)
    for batch in (1, 256, BATCH):
        rows, times = simulator.space.canonical(simulator.space.sample(batch, rng)), max(1, 256 // batch)
        yield _row(f"lookup, batches of {batch:,}", partial(_repeat, simulator.evaluate, rows, times), batch * times)
    yield from _subnets(rng)
    yield from _scores(rng)


def _repeat(take: Callable[[Any], object], rows: Any, times: int) -> None:
    for _ in range(times):
        take(rows)


def _row(what: str, call: Callable[[], object], designs: int) -> dict[str, Any]:
    timing = cpu_timing(call)
    return {
        "what": what,
        "us each": 1e6 * timing.cpu_s / designs,
        "each second": designs / timing.cpu_s,
        "each reference loop": designs / timing.ratio,
    }


def _subnets(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for images in (500, 2000):
        simulator: Any = simulator_class(SUPERNET_ID)("search", images=images)  # type: ignore[call-arg]
        rows = simulator.space.canonical(simulator.space.sample(SUBNETS, rng))
        simulator.evaluate(rows[:1])
        yield _row(f"subnets on {images:,} images", partial(simulator.evaluate, rows), SUBNETS)


def _scores(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    try:
        import torch

        from archgym_simulators.nas.zero_cost import scores_of
    except ModuleNotFoundError:
        return
    from archgym_simulators.nas.cells import SIZE, cells_of_indices

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    cells = [tuple(cell) for cell in cells_of_indices(rng.integers(SIZE, size=SCORED)).tolist()]
    scores_of(cells[0], 0)
    yield _row("six zero-cost scores", lambda: [scores_of(cell, 0) for cell in cells], SCORED)
    torch.set_num_threads(threads)
