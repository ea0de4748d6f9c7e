"""FARSI's moves: swap, split, migrate and split-swap, of the block that holds a design back.

Written from the description of the moves (Boroujerdian et al., ACM TECS 22(2), 2023): a swap gives a block its next
better or cheaper variant, a split shares its tasks out over a second block of the kind, a migration moves a task or its
data to a block that is there already, and a split-swap gives it a new block that is better.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, log2
from typing import Any

import numpy as np

from archgym_agents._soc_choices import ACCELERATOR, Change, SocChoices

GOALS = ("latency", "power", "area")
MOVES = ("swap", "split", "migrate", "split-swap")
_MOST_STEPS = 6  # values that one swap may skip, where the budget is far
_OF_MEMORY = ("kind", "width", "clock", "bus")


@dataclass(frozen=True)
class Blame:
    """What holds a design back in one respect.

    Attributes:
        goal: latency, power or area.
        excess: over its budget, as a share of it; negative where the budget is kept.
        task: that suffers.
        block: that is to blame.
        data: the task whose outputs weigh most in the block.
        contested: whether another task wants the block at the same time.
    """

    goal: str
    excess: float
    task: str
    block: str
    data: str
    contested: bool

    @property
    def steps(self) -> int:
        """By how many factors of two the budget is missed, at least one."""
        return min(max(1, ceil(log2(1.0 + max(self.excess, 0.0)))), _MOST_STEPS)


def blames(words: Mapping[str, Any], row: int) -> dict[str, list[Blame]]:
    """By goal, what `archgym.Session.bottlenecks` says of one design, the worst first."""
    endings = ["", *(f"_{rank}" for rank in range(2, 10) if f"latency_task_{rank}" in words)]
    return {goal: list(dict.fromkeys(_blame(words, row, goal, end) for end in endings)) for goal in GOALS}


def _blame(words: Mapping[str, Any], row: int, goal: str, ending: str) -> Blame:
    task, block, data = (str(words[f"{goal}_{part}{ending}"][row]) for part in ("task", "block", "data"))
    contested = goal == "latency" and bool(words[f"contested{ending}"][row])
    return Blame(goal, float(words[f"{goal}_excess"][row]), task, block, data, contested)


def preferred(blame: Blame) -> tuple[str, ...]:
    """The moves that FARSI's precedence allows: where tasks compete, they are parted; else the block is exchanged."""
    if blame.goal == "latency":
        on_bus = blame.block.startswith("bus")
        if blame.contested:
            return ("swap", "split-swap") if on_bus else ("migrate", "split")
        return ("swap", "split-swap")
    return ("migrate", "swap", "split-swap", "split")


def changes(soc: SocChoices, row: list[int], blame: Blame, rng: np.random.Generator) -> dict[str, list[Change]]:
    """What each move can do about the blamed block, by move; empty lists for moves that cannot be made."""
    if blame.block.startswith("cpu"):
        found = _of_cpu(soc, row, blame, rng)
    elif blame.block.startswith("memory"):
        found = _of_memory(soc, row, blame)
    elif blame.block.startswith("bus"):
        found = _of_bus(soc, row, blame)
    else:
        found = _of_accelerator(soc, row, blame)
    if blame.goal == "power" and not blame.block.startswith("acc") and soc.place(row, blame.task) == ACCELERATOR:
        # Power is energy over time: what moves the data may also do so more slowly.
        slower = [soc.step(row, f"{blame.task}.{what}", -1) for what in ("copies", "clock")]
        found = {**found, "swap": [*found.get("swap", []), *slower]}
    return {move: [change for change in found.get(move, []) if change] for move in MOVES}


def _of_cpu(soc: SocChoices, row: list[int], blame: Blame, rng: np.random.Generator) -> dict[str, list[Change]]:
    task, here = blame.task, blame.block
    others = [cpu for cpu in soc.cpus if cpu != here]
    used = [cpu for cpu in others if soc.tasks_on(row, cpu)]
    shared = len(soc.tasks_on(row, here)) > 1
    place = f"{task}.runs_on"
    split = [soc.to(place, cpu) | soc.like(row, here, cpu, ("bus",)) for cpu in others if cpu not in used][:1]
    moved = [soc.to(place, cpu) for cpu in used]
    return {
        "swap": [_to_accelerator(soc, row, blame, rng)],
        "split": split if shared and blame.goal == "latency" else [],
        "migrate": moved if shared or blame.goal != "latency" else [],
        "split-swap": [_to_accelerator(soc, row, blame, rng)] if shared else [],
    }


def _to_accelerator(soc: SocChoices, row: list[int], blame: Blame, rng: np.random.Generator) -> Change:
    """Move a task to hardware of its own, next to its data, with copies enough for what latency lacks."""
    task = blame.task
    change = soc.to(f"{task}.runs_on", ACCELERATOR)
    if not change:
        return {}
    copies = f"{task}.copies"
    if blame.goal == "latency" and soc.has(copies):
        change |= soc.step(row, copies, blame.steps + int(rng.integers(0, 3)))
    return change | soc.to(f"{task}.bus", _bus_of_data(soc, row, blame.data))


def _of_accelerator(soc: SocChoices, row: list[int], blame: Blame) -> dict[str, list[Change]]:
    task, way = blame.block.removeprefix("accelerator of "), 1 if blame.goal == "latency" else -1
    if not soc.has(f"{task}.clock"):
        task = blame.task
    copies, clock = f"{task}.copies", f"{task}.clock"
    swaps = [soc.step(row, copies, way * size) for size in sorted({1, blame.steps})]
    swaps += [soc.step(row, clock, way)] if blame.goal != "area" else []
    used = [cpu for cpu in soc.cpus if soc.tasks_on(row, cpu)] or list(soc.cpus[:1])
    return {
        "swap": [*swaps, _traded(soc, row, copies, -1, clock, 1)],
        "migrate": [soc.to(f"{task}.runs_on", cpu) for cpu in used],
    }


def _traded(soc: SocChoices, row: list[int], one: str, steps: int, other: str, others: int) -> Change:
    """Less of one property for more of another; nothing where either is at its end."""
    first, second = soc.step(row, one, steps), soc.step(row, other, others)
    return first | second if first and second else {}


def _of_memory(soc: SocChoices, row: list[int], blame: Blame) -> dict[str, list[Change]]:
    here, data = blame.block, blame.data
    others = [memory for memory in soc.memories if memory != here]
    used = [memory for memory in others if soc.outputs_in(row, memory)]
    fresh = [memory for memory in others if memory not in used][:1]
    shared = len(soc.outputs_in(row, here)) > 1
    swaps = _better_port(soc, row, here, blame)
    if blame.goal != "latency":
        swaps.append(_other_kind(soc, row, here))
    near = soc.bus_of(row, blame.task)
    used.sort(key=lambda memory: soc.text(row, f"{memory}_bus") != near)
    place = f"{data}.memory"
    split, split_swap = [], []
    for memory in fresh if shared else []:
        same = soc.to(place, memory) | soc.like(row, here, memory, _OF_MEMORY)
        split += [same, same | soc.to(f"{memory}_bus", near)]
        for swap in swaps:
            split_swap.append(same | {name.replace(here, memory, 1): index for name, index in swap.items()})
    return {
        "swap": swaps,
        "split": split,
        "migrate": [soc.to(place, memory) for memory in used],
        "split-swap": split_swap,
    }


def _of_bus(soc: SocChoices, row: list[int], blame: Blame) -> dict[str, list[Change]]:
    here = blame.block
    memory = soc.text(row, f"{blame.data}.memory")
    swaps = _better_port(soc, row, here, blame)
    # Locality: what talks to each other comes to hang on the same bus, so that its data crosses one bus only.
    migrate = [
        soc.to(f"{blame.task}.bus", _bus_of_data(soc, row, blame.data)),
        soc.to(f"{memory}_bus", soc.bus_of(row, blame.task)),
    ]
    fresh = [bus for bus in soc.buses if bus != here and not soc.hangs_on(row, bus)][:1]
    split, split_swap = [], []
    for bus in fresh if len(soc.hangs_on(row, here)) > 2 else []:
        both = soc.to(f"{blame.task}.bus", bus) | soc.to(f"{memory}_bus", bus)
        same = both | soc.like(row, here, bus, ("width", "clock")) | soc.to(f"{bus}_parent", here) if both else {}
        split.append(same)
        for swap in swaps if same else []:
            split_swap.append(same | {name.replace(here, bus, 1): index for name, index in swap.items()})
    return {
        "swap": swaps,
        "split": split,
        "migrate": [change for change in migrate if soc.changed(row, change) != row],
        "split-swap": split_swap,
    }


def _better_port(soc: SocChoices, row: list[int], block: str, blame: Blame) -> list[Change]:
    """Wider or faster for latency; for power and area narrower, slower, or wider and slower."""
    width, clock = f"{block}_width", f"{block}_clock"
    way = 1 if blame.goal == "latency" else -1
    swaps = [soc.step(row, width, way * size) for size in sorted({1, blame.steps})]
    swaps += [soc.step(row, clock, way)] if blame.goal != "area" else []
    return [*swaps, _traded(soc, row, width, 1, clock, -1), *([soc.step(row, width, 1)] if way < 0 else [])]


def _other_kind(soc: SocChoices, row: list[int], memory: str) -> Change:
    name = f"{memory}_kind"
    return soc.step(row, name, 1) or soc.step(row, name, -1)


def _bus_of_data(soc: SocChoices, row: list[int], data: str) -> str:
    return soc.text(row, f"{soc.text(row, f'{data}.memory')}_bus")
