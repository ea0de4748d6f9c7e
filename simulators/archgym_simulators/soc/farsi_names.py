"""Designs as FARSI's own names spell them; the reference tables do."""

from __future__ import annotations

__all__ = ["design_from_farsi"]

import re
from collections.abc import Mapping, Sequence
from typing import Any

from archgym_simulators.errors import InputError
from archgym_simulators.soc.arrays import ABSENT, ROOT
from archgym_simulators.soc.blocks import Bus, Memory, Processor, SocDesign

_ELEMENT = re.compile(r"^(?P<task>.+)_IP0_(?P<copies>\d+)_(?P<clock>\d+)_pe$")
_MEMORY = re.compile(r"^(?P<kind>[LG])MEM_(?P<width>\d)_(?P<clock>\d+)_mem$")
_BUS = re.compile(r"^LMEM_ic_(?P<width>\d)_(?P<clock>\d+)_ic$")


def design_from_farsi(description: Mapping[str, Any]) -> SocDesign:
    """A design as the reference tables spell it: FARSI's names of blocks, and the numbers of what hangs where.

    Raises:
        InputError: a missing part, or a name that is no block of FARSI's library.
    """
    for part in ("pes", "mems", "ics", "bus_bus", "pe_bus", "mem_bus", "t2pe", "t2mem"):
        if part not in description:
            raise InputError(f"the design has no {part!r}")
    parents = _parents(len(description["ics"]), description["bus_bus"])
    processors = []
    for name, bus in zip(description["pes"], description["pe_bus"], strict=True):
        found = _ELEMENT.match(name)
        if found:
            processors.append(Processor(bus, found["task"], int(found["copies"]), 100 * int(found["clock"])))
        elif name == "A53_pe":
            processors.append(Processor(bus))
        else:
            raise InputError(f"{name!r} is no processing element of FARSI's library")
    memories = []
    for name, bus in zip(description["mems"], description["mem_bus"], strict=True):
        found = _block(_MEMORY, name)
        kind = "sram" if found["kind"] == "L" else "dram"
        memories.append(Memory(bus, kind, 4 * 2 ** int(found["width"]), 100 * int(found["clock"])))
    buses = []
    for name, parent in zip(description["ics"], parents, strict=True):
        found = _block(_BUS, name)
        buses.append(Bus(4 * 2 ** int(found["width"]), 100 * int(found["clock"]), parent))
    return SocDesign(
        tuple(processors), tuple(memories), tuple(buses), dict(description["t2pe"]), dict(description["t2mem"])
    )


def _block(pattern: re.Pattern[str], name: str) -> re.Match[str]:
    found = pattern.match(name)
    if not found:
        raise InputError(f"{name!r} is no block of FARSI's library")
    return found


def _parents(count: int, links: Sequence[Sequence[int]]) -> list[int]:
    """Parent of each bus of the tree with bus 0 as root.

    Raises:
        InputError: links that form no tree.
    """
    parents = [ABSENT] * count
    reached = [0]
    parents[0] = ROOT
    for bus in reached:
        for a, b in links:
            for near, far in ((a, b), (b, a)):
                if near == bus and parents[far] == ABSENT:
                    parents[far] = bus
                    reached.append(far)
    if len(links) != count - 1 or ABSENT in parents:
        raise InputError(f"the {count} buses and {len(links)} links form no tree")
    return parents
