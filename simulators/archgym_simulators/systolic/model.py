"""What a systolic array costs on layers, for any design: the closed form, and SCALE-Sim's own rules."""

from __future__ import annotations

__all__ = ["RULES", "DesignArrays", "SystolicDesign", "SystolicResult", "simulate"]

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.layers.layer import Layer
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.systolic.kernel import COUNTS, network_counts
from archgym_simulators.systolic.workloads import LARGEST_SIDE, products

Integers = NDArray[np.int64]

RULES = ("realistic", "scalesim")
_DATAFLOWS = ("os", "ws", "is")
_UNLIMITED = 2**61  # more than the words of any workload, and small enough to be added to them


@dataclass(frozen=True)
class SystolicDesign:
    """One array with its buffers; any positive sizes, inside the index space or not.

    Attributes:
        dataflow: what stays in the array: ``"os"`` outputs, ``"ws"`` weights, ``"is"`` inputs.
        rows: of the array.
        columns: of the array.
        ifmap_words: of the whole input buffer; half of it is in use while the other half is filled.
        filter_words: of the whole weight buffer.
        ofmap_words: of the whole output buffer.
    """

    dataflow: str
    rows: int
    columns: int
    ifmap_words: int
    filter_words: int
    ofmap_words: int

    def __post_init__(self) -> None:
        if self.dataflow not in _DATAFLOWS:
            hint = did_you_mean(self.dataflow, _DATAFLOWS)
            raise InputError(f"dataflow must be one of {', '.join(_DATAFLOWS)}, not {self.dataflow!r}{hint}")
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            high = LARGEST_SIDE if field.name in ("rows", "columns") else 2**40
            if type(value) is not int or not 1 <= value <= high:
                raise InputError(f"{field.name} must be a whole number 1..{high}, not {value!r}")


@dataclass(frozen=True, eq=False)
class DesignArrays:
    """N designs as the kernel takes them.

    Attributes:
        table: (N, 6) int64: dataflow code, rows, columns, words of half of the input, weight and output buffer.
    """

    table: Integers

    @classmethod
    def of(cls, designs: Sequence[SystolicDesign]) -> DesignArrays:
        rows = [
            (
                _DATAFLOWS.index(design.dataflow),
                design.rows,
                design.columns,
                design.ifmap_words // 2,
                design.filter_words // 2,
                design.ofmap_words // 2,
            )
            for design in designs
        ]
        return cls(np.array(rows, dtype=np.int64).reshape(len(rows), 6))


@dataclass(frozen=True, eq=False)
class SystolicResult:
    """Counts of N designs, summed over layers, groups and repetitions; int64 (N,), accesses in words.

    Attributes:
        compute_cycles: of the array without waiting for the memory.
        total_cycles: with waiting.
        ifmap_reads: input buffer to array.
        filter_reads: weight buffer to array.
        ofmap_writes: array to output buffer, partial sums included.
        ofmap_reads: partial sums read back to be added to.
        dram_ifmap_reads: off the chip into the input buffer.
        dram_filter_reads: off the chip into the weight buffer.
        dram_ofmap_reads: partial sums that come back.
        dram_ofmap_writes: outputs, and partial sums that the output buffer cannot hold.
        macs: multiply-accumulates, the same for all designs.
        utilisation: multiply-accumulates per PE and compute cycle.
    """

    compute_cycles: Integers
    total_cycles: Integers
    ifmap_reads: Integers
    filter_reads: Integers
    ofmap_writes: Integers
    ofmap_reads: Integers
    dram_ifmap_reads: Integers
    dram_filter_reads: Integers
    dram_ofmap_reads: Integers
    dram_ofmap_writes: Integers
    macs: int
    utilisation: NDArray[np.float64]

    @property
    def stall_cycles(self) -> Integers:
        """Cycles in which the array waits for the memory."""
        return self.total_cycles - self.compute_cycles

    @property
    def dram_words(self) -> Integers:
        """Words that cross the chip's edge, in both directions."""
        reads = self.dram_ifmap_reads + self.dram_filter_reads + self.dram_ofmap_reads
        return reads + self.dram_ofmap_writes


def simulate(
    layers: Sequence[Layer],
    designs: Sequence[SystolicDesign] | DesignArrays,
    *,
    bandwidth: int | None,
    rules: str = "realistic",
) -> SystolicResult:
    """Run every layer on every design.

    Array (SCALE-Sim; Samajdar et al., ISPASS 2020): a layer is a product M x N x K, mapped to rows and columns as
    (M, N) for OS, (K, N) for WS, (K, M) for IS, with T = K, M, N steps. With F folds, cycles are F (p + T) - 1,
    p = R + C - 2 for OS and 2R + C - 2 for WS and IS.

    Args:
        layers: at least one; groups and repetitions run one after another.
        designs: N designs; under ``rules="scalesim"`` they must be given one by one.
        bandwidth: words a cycle off the chip: shared by all transfers, or by operand under ``rules="scalesim"``; None
            for a memory that never lets the array wait.
        rules: ``"realistic"``, or ``"scalesim"`` to replay the tool: its prefetch (slow) and its count of OS writes.

    Raises:
        InputError: unknown rules, or a bandwidth below 1.
    """
    if rules not in RULES:
        raise InputError(f"unknown rules {rules!r}{did_you_mean(rules, RULES)}; allowed: {', '.join(RULES)}")
    if bandwidth is not None and (type(bandwidth) is not int or not 1 <= bandwidth < 2**31):
        raise InputError(f"bandwidth must be a whole number of words a cycle from 1, not {bandwidth!r}")
    arrays = designs if isinstance(designs, DesignArrays) else DesignArrays.of(designs)
    counts = network_counts(arrays.table, products(layers), bandwidth or _UNLIMITED)  # (N, COUNTS)
    columns = {name: counts[:, position].copy() for position, name in enumerate(COUNTS)}
    if rules == "scalesim":
        from archgym_simulators.systolic.scalesim import as_scalesim

        columns = as_scalesim(columns, layers, arrays, bandwidth)
    macs = sum(layer.total_macs for layer in layers)
    pes = arrays.table[:, 1] * arrays.table[:, 2]
    # A single PE that does a single product is over before the first cycle ends.
    slots = np.maximum(columns["compute_cycles"], 1) * pes.astype(np.float64)
    return SystolicResult(**columns, macs=macs, utilisation=macs / slots)
