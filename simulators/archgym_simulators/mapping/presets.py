"""Accelerators by name. Words have 16 bits; where a chip has others, its capacities are kept in words."""

from __future__ import annotations

__all__ = ["HARDWARE", "Preset", "hardware_named"]

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import inf

import numpy as np

from archgym_simulators.components.parts import DRAM_PJ_PER_WORD, NODES, Node, wide_sram_cost
from archgym_simulators.errors import InputError
from archgym_simulators.mapping.hardware import TENSORS, Buffer, Hardware
from archgym_simulators.nearest import did_you_mean

_HBM2_PJ_PER_WORD = 6.25 * 16


@dataclass(frozen=True)
class Preset:
    """An accelerator that can be named.

    Attributes:
        description: one sentence, with its source.
        build: makes it.
    """

    description: str
    build: Callable[[], Hardware]


@cache
def hardware_named(name: str) -> Hardware:
    """The accelerator of that name.

    Raises:
        InputError: for an unknown name, with the nearest match.
    """
    if name not in HARDWARE:
        raise InputError(f"unknown hardware {name!r}{did_you_mean(name, HARDWARE)}; allowed: {', '.join(HARDWARE)}")
    return HARDWARE[name].build()


def _dram(pj_per_word: float, bandwidth: float, width: int = 4) -> Buffer:
    return Buffer("DRAM", inf, pj_per_word, pj_per_word, bandwidth, bandwidth, width=width)


def _sram(
    name: str, node: Node, words: int, *, width: int, bandwidth: float, holds: tuple[str, ...] = TENSORS
) -> Buffer:
    """A macro of ``width`` words a row; costs of `archgym_simulators.components.parts`, by word."""
    cost = wide_sram_cost(node, np.array([words / width]), width=width)
    read, write = float(cost.read_pj[0]) / width, float(cost.write_pj[0]) / width
    return Buffer(name, words, read, write, bandwidth, bandwidth, holds, width)


def _registers(name: str, node: Node, words: int, holds: tuple[str, ...]) -> Buffer:
    return Buffer(name, words, node.register_pj, node.register_pj, 2.0, 2.0, holds)


def _reference() -> Hardware:
    return Hardware(
        "reference-256",
        16,
        16,
        (Buffer("register file", 256, 0.5, 0.5, 4.0, 4.0),),
        (Buffer("global buffer", 65_536, 9.0, 9.0, 16.0, 16.0, width=4),),
        _dram(200.0, 16.0),
        mac_pj=1.0,
    )


def _miniature() -> Hardware:
    return Hardware(
        "miniature",
        4,
        4,
        (Buffer("register file", 8, 0.5, 0.5, 2.0, 2.0),),
        (Buffer("global buffer", 48, 9.0, 9.0, 4.0, 4.0),),
        _dram(200.0, 2.0, width=1),
        mac_pj=1.0,
    )


def _eyeriss() -> Hardware:
    spads = (
        Buffer("weight scratchpad", 192, 1.976602, 1.881657, 2.0, 2.0, ("weights",)),
        Buffer("input scratchpad", 12, 0.202442, 0.176713, 2.0, 2.0, ("inputs",)),
        Buffer("partial-sum scratchpad", 16, 0.2513, 0.2191, 2.0, 2.0, ("outputs",)),
    )
    glb = Buffer("global buffer", 65_536, 18.183829 / 4, 14.137929 / 4, 16.0, 16.0, width=4)
    return Hardware("eyeriss-like", 14, 12, spads, (glb,), _dram(DRAM_PJ_PER_WORD, 4.0), mac_pj=NODES[45].mac_pj)


def _simba() -> Hardware:
    node = NODES[16]
    lane = (
        _sram("weight buffer", node, 512, width=1, bandwidth=2.0, holds=("weights",)),
        _sram("input buffer", node, 128, width=1, bandwidth=2.0, holds=("inputs",)),
        _sram("accumulation buffer", node, 16, width=1, bandwidth=2.0, holds=("outputs",)),
    )
    glb = _sram("global buffer", node, 65_536, width=8, bandwidth=64.0)
    return Hardware("simba-like", 32, 32, lane, (glb,), _dram(DRAM_PJ_PER_WORD, 16.0), mac_pj=node.mac_pj)


def _shidiannao() -> Hardware:
    node = NODES[45]
    registers = (
        _registers("weight register", node, 1, ("weights",)),
        _registers("input FIFOs", node, 16, ("inputs",)),
        _registers("output register", node, 1, ("outputs",)),
    )
    glb = (
        _sram("synapse buffer", node, 65_536, width=4, bandwidth=16.0, holds=("weights",)),
        _sram("input neuron buffer", node, 32_768, width=4, bandwidth=16.0, holds=("inputs",)),
        _sram("output neuron buffer", node, 32_768, width=4, bandwidth=16.0, holds=("outputs",)),
    )
    link_pj = 2 * node.register_pj
    return Hardware("shidiannao-like", 8, 8, registers, glb, _dram(DRAM_PJ_PER_WORD, 4.0), node.mac_pj, link_pj=link_pj)


def _tpu() -> Hardware:
    node = NODES[16]
    registers = (
        _registers("weight registers", node, 2, ("weights",)),
        _registers("input register", node, 1, ("inputs",)),
        _registers("sum register", node, 1, ("outputs",)),
    )
    glb = _sram("vector memory", node, 8 * 2**20, width=64, bandwidth=512.0)
    return Hardware(
        "tpu-like", 128, 128, registers, (glb,), _dram(_HBM2_PJ_PER_WORD, 250.0, 64), node.mac_pj, clock_mhz=700.0
    )


HARDWARE: dict[str, Preset] = {
    "reference-256": Preset(
        "16 x 16 PEs with 256 words each, global buffer of 65,536; round energies, as in comparisons with Timeloop.",
        _reference,
    ),
    "miniature": Preset(
        "4 x 4 PEs with 8 words each, global buffer of 48: small layers fill it, so their spaces can be enumerated.",
        _miniature,
    ),
    "eyeriss-like": Preset(
        "14 x 12 PEs with scratchpads of 192, 12 and 16 words, 128 KiB; energies of Accelergy's reference at 45 nm.",
        _eyeriss,
    ),
    "simba-like": Preset(
        "A Simba chiplet (Shao et al., MICRO 2019) as 32 x 32 lanes, each with its share of the PE's buffers; 16 nm.",
        _simba,
    ),
    "shidiannao-like": Preset(
        "8 x 8 PEs with registers and separate buffers of 128, 64 and 64 KiB (Du et al., ISCA 2015); at 45 nm.",
        _shidiannao,
    ),
    "tpu-like": Preset(
        "A 128 x 128 array of registers with 16 MiB and HBM, as one TPU v2 core (Jouppi et al., CACM 2020); 16 nm.",
        _tpu,
    ),
}
