"""ArchGym's space of Timeloop hardware: 26 parameters of an Eyeriss-like chip (Krishnan et al., ISCA 2023, its code).

Kept as they are there: values, the words of a row (block size times 16 bits), 14 dummy buffers whatever the number of
PEs, mesh and PEs that always divide. Ours are the costs, since those of its tools cannot be shipped:

- SRAM classes cost what `archgym_simulators.components.parts` says, the global buffer with its banks.
- Register files read for 0.2024 pJ (words / 12)^0.822 and write for 0.1767 pJ (words / 12)^0.853 at 45 nm: fitted to
  the three scratchpads of Accelergy's Eyeriss reference (12, 16, 192 words; within 3 %), other nodes in proportion to
  the energy of a register. Their area is that of their registers; they do not leak.
- Smart buffers add the address: a 16-bit addition an access (0.121 pJ at 45 nm, other nodes as the multiplier), and
  two registers of area.
- A port has one register for each word that it moves in a cycle.
"""

from __future__ import annotations

__all__ = ["ARCHGYM_PARAMETERS", "archgym_baseline", "archgym_space", "build_archgym_chips"]

import numpy as np

from archgym_simulators.accelerator.costs import (
    Chips,
    Floats,
    Integers,
    MacroCost,
    Memories,
    glb_cost,
    hardware_vectors,
)
from archgym_simulators.accelerator.design import area_limits
from archgym_simulators.components.parts import NODES, Node
from archgym_simulators.constraints import Columns, InertWhen
from archgym_simulators.parameters import Categorical, Integer, Ordinal, Parameter
from archgym_simulators.space import Design, DesignSpace

_CLASSES = ("regfile", "smartbuffer_SRAM", "smartbuffer_RF", "SRAM")
_DEPTHS = tuple(2**power for power in range(1, 17))
_GLB_DEPTHS = tuple(2**power for power in range(10, 17))
_PORTS = (2, 4, 8, 16)
_BLOCKS = (1, 2, 4)
_SPADS = {"weights": "weights", "ifmap": "inputs", "psum": "partial sums"}  # in the order of the tensors
_DUMMIES = 14
_READ_PJ, _WRITE_PJ = (0.2024, 0.822), (0.1767, 0.853)  # of a register file of 12 words at 45 nm, exponent of words
_ADDRESS_PJ, _ADDRESS_REGISTERS = 0.121, 2


def _memory(name: str, what: str, depths: tuple[int, ...]) -> list[Parameter]:
    return [
        Categorical(f"{name}_class", _CLASSES, description=f"How {what} is built.", group=name),
        Ordinal(f"{name}_depth", depths, "rows", description=f"Rows of {what}.", group=name),
        Ordinal(f"{name}_block", _BLOCKS, "words", description=f"16-bit words of a row of {what}.", group=name),
    ]


def _ports(name: str, what: str) -> list[Parameter]:
    return [
        Ordinal(f"{name}_{way}_bw", _PORTS, "words", description=f"Words a cycle that {what} can {way}.", group=name)
        for way in ("read", "write")
    ]


def _parameters() -> tuple[Parameter, ...]:
    genes: list[Parameter] = [
        Integer("pes", 14, 336, 14, "PEs", description="Number of PEs.", group="array"),
        Ordinal(
            "mesh_x", (2, 7, 14), "PEs", description="Columns of the array; rows are PEs over columns.", group="array"
        ),
    ]
    for name, tensor in _SPADS.items():
        what = f"each PE's scratchpad for {tensor}"
        genes += _memory(name, what, _DEPTHS) + _ports(name, what)
    genes += _memory("dummy", "the 14 buffers beside the array that hold nothing", _DEPTHS)
    genes += _memory("glb", "the global buffer", _GLB_DEPTHS)
    genes.append(
        Ordinal("glb_banks", (16, 32, 64, 128), "banks", description="Banks of the global buffer.", group="glb")
    )
    return (*genes, *_ports("glb", "the global buffer"))


ARCHGYM_PARAMETERS = _parameters()
_INERT = (InertWhen("glb_banks", "glb_class", ("regfile", "smartbuffer_RF")),)  # registers have no banks


def archgym_baseline() -> Design:
    """ArchGym's template: Eyeriss with 168 PEs and 128 KiB; depths that are no power of 2 rounded up."""
    design: Design = {"pes": 168, "mesh_x": 14}
    for name, depth in {"weights": 256, "ifmap": 16, "psum": 16}.items():
        design |= {f"{name}_class": "smartbuffer_RF", f"{name}_depth": depth, f"{name}_block": 1}
        design |= {f"{name}_read_bw": 2, f"{name}_write_bw": 2}
    design |= {"dummy_class": "regfile", "dummy_depth": 16, "dummy_block": 1}
    design |= {"glb_class": "smartbuffer_SRAM", "glb_depth": 16_384, "glb_block": 4, "glb_banks": 32}
    return design | {"glb_read_bw": 16, "glb_write_bw": 16}


def archgym_space(node: Node, area_class: str) -> DesignSpace:
    """The space: 2.155e18 rows; designs that exceed the area are invalid."""
    limits = area_limits(lambda columns: build_archgym_chips(node, columns, 1.0), area_class)
    return DesignSpace(ARCHGYM_PARAMETERS, constraints=limits, inert=_INERT)


def build_archgym_chips(node: Node, columns: Columns, dram_bandwidth: float) -> Chips:
    """Hardware of designs by value columns, each (N,)."""
    pes, side_x = columns["pes"].astype(np.int64), columns["mesh_x"].astype(np.int64)
    spads = [_built(node, columns, name) for name in _SPADS]
    pe = _beside(spads)
    dummy = _built(node, columns, "dummy")
    glb = _built(node, columns, "glb")
    memories = Memories(
        np.stack([_words(columns, name) for name in _SPADS], axis=1),
        np.stack([[columns[f"{name}_{way}_bw"] for name in _SPADS] for way in ("read", "write")]).transpose(2, 0, 1),
        np.stack([columns[f"{name}_block"] for name in _SPADS], axis=1),
        _words(columns, "glb"),
        np.stack([columns["glb_read_bw"], columns["glb_write_bw"]], axis=1),
        columns["glb_block"],
    )
    vectors = hardware_vectors(
        node,
        columns=side_x,
        rows=pes // side_x,
        memories=memories,
        pe=pe,
        glb=glb,
        dram_bandwidth=dram_bandwidth,
    )
    area_um2 = pes * node.mac_area_um2 + glb.area_um2 + _DUMMIES * dummy.area_um2
    leak_uw = pes * node.mac_leak_uw + glb.leak_uw + _DUMMIES * dummy.leak_uw
    for spad in spads:
        area_um2 = area_um2 + pes * spad.area_um2
        leak_uw = leak_uw + pes * spad.leak_uw
    return Chips(vectors, leak_uw * 1e-3, area_um2 * 1e-6)


def _words(columns: Columns, name: str) -> Floats:
    words: Floats = (columns[f"{name}_depth"] * columns[f"{name}_block"]).astype(np.float64)
    return words


def _built(node: Node, columns: Columns, name: str) -> MacroCost:
    """One memory of each design, (N,)."""
    words, kind = _words(columns, name), columns[f"{name}_class"]
    banks = columns["glb_banks"].astype(np.int64) if name == "glb" else np.ones(len(words), np.int64)
    sram = glb_cost(node, words, columns[f"{name}_block"].astype(np.int64), banks)
    registers = _register_file(node, words)
    of_registers = (kind == "regfile") | (kind == "smartbuffer_RF")
    smart = (kind == "smartbuffer_SRAM") | (kind == "smartbuffer_RF")
    read, write, area, leak = (
        np.where(of_registers, getattr(registers, part), getattr(sram, part))
        for part in ("read_pj", "write_pj", "area_um2", "leak_uw")
    )
    # A row is addressed once for all of its words.
    address_pj = smart * _ADDRESS_PJ * (node.mac_pj / NODES[45].mac_pj) / columns[f"{name}_block"]
    port = _port_words(columns, name) + smart * _ADDRESS_REGISTERS
    return MacroCost(read + address_pj, write + address_pj, area + port * node.register_area_um2, leak)


def _register_file(node: Node, words: Floats) -> MacroCost:
    scale = node.register_pj / NODES[45].register_pj
    read, write = (first * scale * (words / 12.0) ** exponent for first, exponent in (_READ_PJ, _WRITE_PJ))
    return MacroCost(read, write, words * node.register_area_um2, np.zeros_like(words))


def _port_words(columns: Columns, name: str) -> Integers | int:
    """Words that both ports move in a cycle; the dummies have none."""
    if name == "dummy":
        return 0
    words: Integers = columns[f"{name}_read_bw"] + columns[f"{name}_write_bw"]
    return words


def _beside(spads: list[MacroCost]) -> MacroCost:
    """Memories of one tensor each, as (N, 3)."""
    parts = ("read_pj", "write_pj", "area_um2", "leak_uw")
    return MacroCost(*(np.stack([getattr(spad, part) for spad in spads], axis=1) for part in parts))
