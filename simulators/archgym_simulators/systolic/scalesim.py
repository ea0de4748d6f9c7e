"""SCALE-Sim 3.0.0's own rules where they differ from ours: its memory, and its count of OS writes."""

from __future__ import annotations

__all__ = ["as_scalesim"]

from collections.abc import Mapping, Sequence
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.layers.layer import Layer
from archgym_simulators.systolic.kernel import OS
from archgym_simulators.systolic.model import DesignArrays
from archgym_simulators.systolic.replay import replay_memory

Columns = dict[str, NDArray[np.int64]]

_NAMES = ("os", "ws", "is")


def as_scalesim(
    columns: Mapping[str, NDArray[np.int64]], layers: Sequence[Layer], designs: DesignArrays, bandwidth: int | None
) -> Columns:
    """Counts (N,) by name as the tool would print them.

    - An OS fold counts rows + columns writes beyond its outputs: the tool pads with both.
    - Partial sums are written off the chip as they come, and never read back.
    - Stalls, DRAM reads and DRAM writes are those of its memory, replayed access by access; without a ``bandwidth``
      there are no stalls, DRAM reads stay as they are, and every write leaves the chip once.
    """
    changed = {name: column.copy() for name, column in columns.items()}
    changed["dram_ofmap_writes"] = columns["ofmap_writes"].copy()
    changed["ofmap_writes"] += _padding_writes(layers, designs)
    changed["ofmap_reads"][:] = 0
    changed["dram_ofmap_reads"][:] = 0
    changed["total_cycles"] = changed["compute_cycles"].copy()
    if bandwidth is not None:
        replayed = _replayed(layers, designs, bandwidth)  # (N, 4)
        changed["total_cycles"] += replayed[:, 0]
        for position, name in enumerate(("dram_ifmap_reads", "dram_filter_reads", "dram_ofmap_writes")):
            changed[name] = replayed[:, 1 + position].copy()
    return changed


def _padding_writes(layers: Sequence[Layer], designs: DesignArrays) -> NDArray[np.int64]:
    code, rows, columns = designs.table[:, 0], designs.table[:, 1], designs.table[:, 2]
    writes = np.zeros(len(code), dtype=np.int64)
    for layer in layers:
        m, n, _ = layer.gemm_mnk
        writes += layer.groups * layer.repeat * -(-m // rows) * -(-n // columns) * (rows + columns)
    return np.where(code == OS, writes, 0)


def _replayed(layers: Sequence[Layer], designs: DesignArrays, bandwidth: int) -> NDArray[np.int64]:
    """Stall cycles, words read off the chip for inputs and weights, and words written off it: (N, 4)."""
    totals = []
    for code, rows, columns, ifmap, weights, ofmap in designs.table.tolist():
        total = np.zeros(4, dtype=np.int64)
        for layer in layers:
            run = replay_memory(
                layer,
                dataflow=_NAMES[code],
                rows=rows,
                columns=columns,
                ifmap_words=2 * ifmap,
                filter_words=2 * weights,
                ofmap_words=2 * ofmap,
                bandwidth=bandwidth,
            )
            total += layer.groups * layer.repeat * np.array(astuple(run), dtype=np.int64)
        totals.append(total)
    return np.array(totals, dtype=np.int64).reshape(len(totals), 4)
