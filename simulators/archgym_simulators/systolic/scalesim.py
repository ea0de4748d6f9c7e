"""SCALE-Sim 3.0.0's own rules where they differ from ours: its prefetch, and its count of OS writes."""

from __future__ import annotations

__all__ = ["as_scalesim"]

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.layers.layer import Layer
from archgym_simulators.systolic.kernel import OS
from archgym_simulators.systolic.model import DesignArrays
from archgym_simulators.systolic.prefetch import prefetch_run

Columns = dict[str, NDArray[np.int64]]

_NAMES = ("os", "ws", "is")


def as_scalesim(
    columns: Mapping[str, NDArray[np.int64]], layers: Sequence[Layer], designs: DesignArrays, bandwidth: int
) -> Columns:
    """Counts (N,) by name as the tool would print them.

    - An OS fold counts rows + columns writes beyond its outputs: the tool pads with both.
    - Partial sums are written off the chip as they come, and never read back.
    - Stalls and DRAM reads are those of its prefetch, replayed access by access.
    """
    changed = {name: column.copy() for name, column in columns.items()}
    for name in ("ofmap_reads", "dram_ofmap_reads", "dram_ifmap_reads", "dram_filter_reads"):
        changed[name][:] = 0
    changed["total_cycles"][:] = changed["compute_cycles"]
    for i, (code, rows, array_columns, ifmap, weights, _) in enumerate(designs.table.tolist()):
        for layer in layers:
            times = layer.groups * layer.repeat
            if code == OS:
                m, n, _ = layer.gemm_mnk
                changed["ofmap_writes"][i] += times * -(-m // rows) * -(-n // array_columns) * (rows + array_columns)
            run = prefetch_run(
                layer,
                dataflow=_NAMES[code],
                rows=rows,
                columns=array_columns,
                ifmap_words=2 * ifmap,
                filter_words=2 * weights,
                bandwidth=bandwidth,
            )
            changed["total_cycles"][i] += times * run.stall_cycles
            changed["dram_ifmap_reads"][i] += times * run.dram_ifmap_reads
            changed["dram_filter_reads"][i] += times * run.dram_filter_reads
    changed["dram_ofmap_writes"] = changed["ofmap_writes"].copy()
    return changed
