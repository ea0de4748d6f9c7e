"""Arrays of MHE-TPE (Wu et al., MICRO 2025), whose components at UMC 22 nm are published: area, power, throughput.

One tile multiplies 2-bit A by 4-bit B: ``tree`` in-ports, each with one look-up table of B's multiples that ``mhd``
decoders read, and an adder tree for each of the 4 x mhd outputs; an array has several tiles and shared encoders. It is
no design of `archgym_simulators.tpe.design`, but dot diagrams and components are the same.
"""

from __future__ import annotations

__all__ = ["PUBLISHED_TILE_UM2", "DenseSystolic", "MheArray", "MheCosts", "dense_systolic", "mhe_costs"]

from dataclasses import dataclass

import numpy as np

from archgym_simulators._jit import kernel
from archgym_simulators.errors import InputError
from archgym_simulators.tpe.dots import MOST_COLUMNS, compress, put_rows
from archgym_simulators.tpe.libraries import library_of

# Fitted on the 26 rows of table 5 at hand (areas in um2, power in mW); the rest of that table was not seen.
LOOKUP_UM2, DECODER_UM2 = 98.2, 100.6  # an in-port; each decoder: two of the 48.70 um2 of table 4
LOOKUP_MW, DECODER_MW = 0.0440, 0.1568
FULL_ADDER_UM2, FULL_ADDER_LEVEL_UM2 = 2.135, 0.063  # larger in deeper trees, which have the same 1 ns
TREE_MW = 0.01443  # per full adder of the four trees of a decoder
PRODUCT_BITS = 6  # of 2 x 4 bits
# Fitted on table 6.
LOCAL_ROW_UM2, LOCAL_ROW_MW = 122.83, 0.0931  # per output of a tile
ENCODER_UM2, ENCODER_MW = 41.34, 0.115  # per in-port and decoder, once an array; 40.37 um2 in table 4
# Published tiles that arrays of table 6 are made of (table 5; the first from table 6): um2 by mhd and tree.
PUBLISHED_TILE_UM2 = {(8, 16): 20784.0, (10, 16): 25632.0, (12, 16): 30531.0}
# Published multipliers (table 1): um2 by bits.
MULTIPLIER_UM2 = {4: 23.32, 8: 94.86, 16: 394.54}
REGISTER_UM2 = 1.47
ACCUMULATE_UM2 = 1.5  # a bit of the accumulating adder; fitted on the systolic arrays INT4, INT8, INT16 of table 8


@dataclass(frozen=True)
class MheArray:
    """``tiles`` tiles with ``mhd`` decoders a look-up table and ``tree`` in-ports.

    Raises:
        InputError: a number that is not from 1 to 4096.
    """

    mhd: int
    tree: int
    tiles: int = 1

    def __post_init__(self) -> None:
        for name in ("mhd", "tree", "tiles"):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= 4096:
                raise InputError(f"{name} must be a whole number 1..4096, not {value!r}")
        if self.tree > MOST_COLUMNS:
            raise InputError(f"tree must be at most {MOST_COLUMNS}, not {self.tree}")


@dataclass(frozen=True)
class MheCosts:
    """Costs of an array; tile figures are of one tile."""

    lookup_um2: float
    tree_um2: float
    lookup_mw: float
    tree_mw: float
    local_um2: float
    encoder_um2: float
    local_mw: float
    encoder_mw: float
    tiles: int
    tops: float

    @property
    def tile_um2(self) -> float:
        """Look-up tables, decoders and trees of one tile."""
        return self.lookup_um2 + self.tree_um2

    @property
    def tile_mw(self) -> float:
        """Power of the same."""
        return self.lookup_mw + self.tree_mw

    @property
    def area_um2(self) -> float:
        """Of the array."""
        return self.tiles * self.tile_um2 + self.local_um2 + self.encoder_um2

    @property
    def power_mw(self) -> float:
        """Of the array."""
        return self.tiles * self.tile_mw + self.local_mw + self.encoder_mw


@dataclass(frozen=True)
class DenseSystolic:
    """One multiply-accumulate: area, energy a cycle, and the accumulator that was assumed."""

    area_um2: float
    energy_fj: float
    accumulator_bits: int


def mhe_costs(array: MheArray) -> MheCosts:
    """Costs at 1 GHz (decoders at 4 GHz): operations are two for each of M = 4 mhd by K = 2 tree products a cycle."""
    adders, levels = _tree_adders(array.tree, PRODUCT_BITS)
    outputs = 4.0 * array.mhd * array.tiles
    return MheCosts(
        lookup_um2=array.tree * (LOOKUP_UM2 + DECODER_UM2 * array.mhd),
        tree_um2=4.0 * array.mhd * adders * (FULL_ADDER_UM2 + FULL_ADDER_LEVEL_UM2 * levels),
        lookup_mw=array.tree * (LOOKUP_MW + DECODER_MW * array.mhd),
        tree_mw=array.mhd * adders * TREE_MW,
        local_um2=outputs * LOCAL_ROW_UM2,
        encoder_um2=ENCODER_UM2 * array.tree * array.mhd,
        local_mw=outputs * LOCAL_ROW_MW,
        encoder_mw=ENCODER_MW * array.tree * array.mhd,
        tiles=array.tiles,
        tops=2.0 * (4 * array.mhd) * (2 * array.tree) * array.tiles * 1e-3,
    )


def dense_systolic(bits_a: int, bits_b: int) -> DenseSystolic:
    """One multiply-accumulate of an output-stationary array of its own precision at 1 GHz.

    A published multiplier, or one of a_bits x b_bits at the area per bit pair of the nearest published one; registers
    for both operands and the accumulator, and an adder for it. Accumulators of 24, 32 and 64 bits for INT4, INT8 and
    INT16 are our inference from the areas; others have 16 bits more than a product.
    """
    nearest = min(MULTIPLIER_UM2, key=lambda bits: abs(bits * bits - bits_a * bits_b))
    accumulator = {4: 24, 8: 32, 16: 64}.get(bits_a if bits_a == bits_b else 0, bits_a + bits_b + 16)
    gates = MULTIPLIER_UM2[nearest] * (bits_a * bits_b / nearest**2) + ACCUMULATE_UM2 * accumulator
    registers = bits_a + bits_b + accumulator
    library = library_of("umc22")
    energy = registers * library.register_fj + gates * library.gate_fj_per_um2
    return DenseSystolic(gates + REGISTER_UM2 * registers, energy, accumulator)


@kernel
def _tree_adders(words: int, bits: int) -> tuple[float, float]:
    """Full adders, a final ripple adder included, and levels of a tree of 4:2 compressors over words of ``bits``."""
    heights = np.zeros(MOST_COLUMNS, np.int64)
    put_rows(heights, words, 0, bits)
    full, half, levels = compress(heights, MOST_COLUMNS, 2, 2)
    width = 0
    for column in range(MOST_COLUMNS):
        if heights[column] > 0:
            width += 1
    return full + 0.5 * half + width, levels
