"""Energy and cycles of counted accesses, and whether tiles fit; compiled."""

from __future__ import annotations

__all__ = ["check", "price"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import loop_kernel
from archgym_simulators.mapping.results import (
    BANDWIDTH,
    BROKEN,
    CAPACITY,
    COLUMNS,
    ENERGY,
    EXACT,
    FILLS,
    LINK_PJ,
    MAC_PJ,
    MEMBER,
    PE,
    READS,
    ROWS,
    UPDATES,
    WIDTH,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@loop_kernel
def _rule(number: int, need: float, room: float, result: Floats) -> None:
    if need > room:
        result[BROKEN + 1] += np.log(need / room)
        if result[BROKEN] < 0.0:
            result[BROKEN], result[BROKEN + 2], result[BROKEN + 3] = number, need, room


@loop_kernel
def check(columns: int, rows: int, words: Integers, keep: NDArray[np.bool_], hardware: Floats, result: Floats) -> bool:
    """Whether a mapping fits; else the first rule that is broken, and the sum of the logs of need over room.

    Args:
        columns: of PEs in use.
        rows: of PEs in use.
        words: (6,) of the tiles, level (PE, global buffer) x tensor.
        keep: (2, 3) which of them are kept.
        hardware: vector.
        result: of the mapping.
    """
    result[BROKEN], result[BROKEN + 1], result[BROKEN + 2], result[BROKEN + 3] = -1.0, 0.0, 0.0, 0.0
    _rule(0, columns, hardware[COLUMNS], result)
    _rule(1, rows, hardware[ROWS], result)
    for level in range(2):
        for buffer in range(3):
            room = hardware[CAPACITY + 3 * level + buffer]
            if room == np.inf:
                continue
            need, kept = 0, 0
            for tensor in range(3):
                if keep[level, tensor] and hardware[MEMBER + 3 * level + tensor] == buffer:
                    need += words[3 * level + tensor]
                    kept += 1 << tensor
            _rule(2 + 8 * (3 * level + buffer) + kept, need, room, result)
    return bool(result[BROKEN] < 0.0)


@loop_kernel
def _port_cycles(hardware: Floats, ports: Floats, level: int, instances: float, steps: float, halo: int) -> float:
    """Cycles that the busiest port of a level needs, at least those of the computation."""
    busiest = 0.0
    slow = 1.0
    for i in range(6):
        if ports[i] > 0.0:
            width = hardware[BANDWIDTH + 3 * level + i + (6 if i >= 3 else 0)]
            if halo == EXACT:
                busiest = max(busiest, ports[i] / (width * instances))
            else:
                # In that tool's order: its rounding adds a cycle to some mappings.
                slow = min(slow, width / ports[i])
    return float(max(steps, np.ceil(busiest)) if halo == EXACT else np.ceil(steps / slow))


@loop_kernel
def price(hardware: Floats, counts: Integers, result: Floats, halo: int, ports: Floats) -> None:
    """Energy and cycles of ``counts``; ``result`` has the cycles of computation, PEs and words over links.

    Ports: buffers work at the same time, and each reads and writes at the same time.

    Args:
        hardware: vector.
        counts: (27,).
        result: of the mapping.
        halo: how it was counted.
        ports: (6,) scratch: what each buffer of a level reads, and writes.
    """
    steps, pes = result[1], result[8]
    result[3] = steps * pes * hardware[MAC_PJ]
    result[7] = result[9] * hardware[LINK_PJ]
    energy = result[3] + result[7]
    cycles = steps
    for level in range(3):
        instances = pes if level == PE else 1.0
        spent = 0.0
        for i in range(6):
            ports[i] = 0.0
        for tensor in range(3):
            at, one = 9 * level + 3 * tensor, 3 * level + tensor
            read, written = float(counts[at + READS]), float(counts[at + UPDATES] + counts[at + FILLS])
            buffer, width = int(hardware[MEMBER + one]), hardware[WIDTH + one]
            if halo == EXACT:
                ports[buffer], ports[3 + buffer] = ports[buffer] + read, ports[3 + buffer] + written
            else:
                ports[buffer] += read / instances / steps
                ports[3 + buffer] += written / instances / steps
            if width != 1.0:
                updated, filled = float(counts[at + UPDATES]), float(counts[at + FILLS])
                if level == PE:
                    read, updated, filled = read / pes, updated / pes, filled / pes
                part = 1.0 / width  # exact: a power of 2
                read = np.ceil(read * part) * width * instances
                written = (np.ceil(updated * part) + np.ceil(filled * part)) * width * instances
            spent += read * hardware[ENERGY + one] + written * hardware[ENERGY + 9 + one]
        result[4 + level] = spent
        energy += spent
        result[10 + level] = _port_cycles(hardware, ports, level, instances, steps, halo)
        cycles = max(cycles, result[10 + level])
    result[2] = energy
    result[0] = cycles
