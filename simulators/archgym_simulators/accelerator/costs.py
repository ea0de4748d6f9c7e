"""Energies, bandwidths and area of N accelerators from the tables of parts; hardware vectors for the mapper."""

from __future__ import annotations

__all__ = ["AREA_CLASSES", "Chips", "MacroCost", "glb_cost", "pe_buffer_cost"]

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.components.parts import DRAM_PJ_PER_WORD, Node, sram_cost, wide_sram_cost
from archgym_simulators.mapping.hardware import HARDWARE_WIDTH
from archgym_simulators.mapping.results import (
    BANDWIDTH,
    CAPACITY,
    COLUMNS,
    DRAM,
    ENERGY,
    GLB,
    MAC_PJ,
    MEMBER,
    PE,
    ROWS,
    WIDTH,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

AREA_CLASSES = {"edge": 2.0, "mobile": 10.0, "cloud": 200.0, "any": inf}
"""Largest chip of a class in mm2."""
DRAM_WIDTH = 4  # words of an access
_BANKS_LOG2 = 5.0  # CACTI: 64 bits x 16,384 words in 32 banks instead of one
_BANKED_READ, _BANKED_WRITE, _BANKED_AREA = -0.14, 0.10, 0.24


@dataclass(frozen=True)
class MacroCost:
    """Memories by word moved, each (N,) or (N, 3)."""

    read_pj: Floats
    write_pj: Floats
    area_um2: Floats
    leak_uw: Floats


@dataclass(frozen=True, eq=False)
class Chips:
    """What the mapper needs of N accelerators.

    Attributes:
        vectors: (N, HARDWARE_WIDTH) float64: `archgym_simulators.mapping.hardware.Hardware.vector`.
        leak_mw: (N,) of the whole chip.
        area_mm2: (N,).
    """

    vectors: Floats
    leak_mw: Floats
    area_mm2: Floats


def pe_buffer_cost(node: Node, words: Floats, held: Bools) -> MacroCost:
    """One PE's buffers of 16-bit rows: ``words`` (N, 3), nothing where a PE does not hold the tensor."""
    cost = sram_cost(node, words)
    return MacroCost(
        *(np.where(held, part, 0.0) for part in (cost.read_pj, cost.write_pj, cost.area_um2, cost.leak_uw))
    )


def glb_cost(node: Node, words: Floats, width: Integers, banks: Integers) -> MacroCost:
    """A memory of ``words`` (N,) in rows of ``width`` words and in ``banks``.

    Banks change a macro as CACTI's 64 bits x 16,384 in 32 banks (45 nm): reads -14 %, writes +10 %, area +24 %, taken
    in proportion to the logarithm of their number.
    """
    parts = np.zeros((4, len(words)))
    for one in np.unique(width).tolist():
        chosen = width == one
        cost = wide_sram_cost(node, words[chosen] / one, width=one)
        parts[:, chosen] = cost.read_pj / one, cost.write_pj / one, cost.area_um2, cost.leak_uw
    share = np.log2(banks) / _BANKS_LOG2
    return MacroCost(
        parts[0] * (1.0 + _BANKED_READ * share),
        parts[1] * (1.0 + _BANKED_WRITE * share),
        parts[2] * (1.0 + _BANKED_AREA * share),
        parts[3],
    )


@dataclass(frozen=True, eq=False)
class Memories:
    """Sizes and ports of N accelerators' memories; words a cycle and words of 16 bits.

    Attributes:
        pe_words: (N, 3) of one PE, by tensor.
        pe_ports: (N, 2, 3) words a cycle that each reads, and writes.
        pe_width: (N, 3) words of an access.
        glb_words: (N,).
        glb_ports: (N, 2).
        glb_width: (N,).
    """

    pe_words: Floats
    pe_ports: Floats
    pe_width: Integers
    glb_words: Floats
    glb_ports: Floats
    glb_width: Integers


def hardware_vectors(
    node: Node,
    *,
    columns: Integers,
    rows: Integers,
    memories: Memories,
    pe: MacroCost,
    glb: MacroCost,
    dram_bandwidth: float,
) -> Floats:
    """Vectors (N, HARDWARE_WIDTH): a PE has one buffer a tensor, the global buffer is one for all."""
    n = len(columns)
    capacity = np.full((n, 2, 3), np.inf)
    capacity[:, 0], capacity[:, 1, 0] = memories.pe_words, memories.glb_words
    bandwidth = np.full((n, 2, 3, 3), np.inf)
    bandwidth[:, :, PE], bandwidth[:, :, GLB, 0], bandwidth[:, :, DRAM, 0] = (
        memories.pe_ports,
        memories.glb_ports,
        dram_bandwidth,
    )
    energy = np.full((n, 2, 3, 3), DRAM_PJ_PER_WORD)
    for access, of_pe, of_glb in ((0, pe.read_pj, glb.read_pj), (1, pe.write_pj, glb.write_pj)):
        energy[:, access, PE], energy[:, access, GLB] = of_pe, of_glb[:, None]
    member = np.zeros((n, 3, 3))
    member[:, PE] = np.arange(3)
    width = np.ones((n, 3, 3))
    width[:, PE], width[:, GLB], width[:, DRAM] = memories.pe_width, memories.glb_width[:, None], DRAM_WIDTH
    vectors = np.zeros((n, HARDWARE_WIDTH))
    vectors[:, COLUMNS], vectors[:, ROWS], vectors[:, MAC_PJ] = columns, rows, node.mac_pj
    for first, part in (
        (CAPACITY, capacity),
        (BANDWIDTH, bandwidth),
        (ENERGY, energy),
        (MEMBER, member),
        (WIDTH, width),
    ):
        count = int(np.prod(part.shape[1:]))
        vectors[:, first : first + count] = part.reshape(n, count)
    return vectors
