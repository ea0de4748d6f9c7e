"""Results as MAESTRO would give them: what its rules count otherwise, replayed design by design (slow)."""

from __future__ import annotations

__all__ = ["as_maestro"]

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.maestro.directives import Directive, Mapping
from archgym_simulators.maestro.model import Hardware, MaestroResult
from archgym_simulators.maestro.replay import ReplayResult, replay
from archgym_simulators.maestro.workloads import DIMENSIONS

Integers = NDArray[np.int64]

_SUMMED = ("cycles", "l2_weight_reads", "l2_input_reads", "l2_output_writes")
_LARGEST = ("l1_words", "l2_words")


def as_maestro(result: MaestroResult, nests: Integers, table: Integers, hardware: Hardware) -> MaestroResult:
    """``result`` of the designs ``table`` (N, 27) with the tool's cycles, requirements and accesses of L2.

    Accesses of L1 stay ours: the tool's are not recorded where there are clusters.
    """
    columns = {name: np.zeros(len(table), dtype=np.int64) for name in (*_SUMMED, *_LARGEST)}
    for design, row in enumerate(table.tolist()):
        for nest in nests.tolist():
            one = _on_nest(row, nest, hardware)
            for name in _SUMMED:
                columns[name][design] += nest[8] * getattr(one, name)
            for name in _LARGEST:
                columns[name][design] = max(columns[name][design], getattr(one, name))
    results = result.l2_output_writes - result.l2_output_reads
    return replace(result, **columns, l2_output_reads=np.maximum(columns["l2_output_writes"] - results, 0))


def _on_nest(row: list[int], nest: list[int], hardware: Hardware) -> ReplayResult:
    k, c, y, x, r, s, stride, depthwise, _ = nest
    sizes = {"K": k, "C": c, "Y": (y - 1) * stride + r, "X": (x - 1) * stride + s, "R": r, "S": s}
    limits = {"pes": hardware.pes, "noc_words": hardware.noc_words, "off_chip_words": hardware.off_chip_words}
    # A tile larger than what there is to cut means all of it; the tool would not cut all of them to size.
    outer = [min(sides) for sides in zip(row[7:13], nest[:6], strict=True)]
    inner = [min(sides) for sides in zip(row[20:26], outer, strict=True)]
    mapping = Mapping((_level(row[:7], outer), _level(row[13:20], inner)), (row[26],))
    return replay(mapping, sizes, stride=stride, depthwise=bool(depthwise), **limits)


def _level(genes: list[int], tiles: list[int]) -> tuple[Directive, ...]:
    """Loops of one level from its order and parallel dimension (7 genes)."""
    return tuple(Directive(d == genes[6], tiles[d], tiles[d], DIMENSIONS[d], True) for d in genes[:6])
