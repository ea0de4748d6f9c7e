"""What a two-level mapping costs on layers, for any mapping and hardware."""

from __future__ import annotations

__all__ = ["Hardware", "LevelMapping", "MaestroDesign", "MaestroResult", "design_table", "simulate", "simulate_table"]

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.layers.layer import Layer
from archgym_simulators.maestro.kernel import COUNTS, mapping_counts
from archgym_simulators.maestro.workloads import DIMENSIONS, nests
from archgym_simulators.nearest import did_you_mean

Integers = NDArray[np.int64]

_LARGEST_TILE = 2**31 - 1


@dataclass(frozen=True)
class Hardware:
    """What mappings run on.

    Attributes:
        pes: processing elements, each one multiply-accumulate a cycle.
        noc_words: words a cycle between a buffer and its sub-clusters, each way.
        off_chip_words: words a cycle between L2 and memory, each way.
    """

    pes: int = 256
    noc_words: int = 64
    off_chip_words: int = 16

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not int or not 1 <= value <= 2**30:
                raise InputError(f"{field.name} must be a whole number 1..2^30, not {value!r}")


@dataclass(frozen=True)
class LevelMapping:
    """Loops of one level.

    Attributes:
        order: the six dimensions, outermost loop first.
        parallel: the dimension that is spread over sub-clusters.
        tiles: words of each dimension in the tile of one sub-cluster, in the order of `DIMENSIONS`.
    """

    order: tuple[str, ...]
    parallel: str
    tiles: tuple[int, ...]

    def __post_init__(self) -> None:
        if sorted(self.order) != sorted(DIMENSIONS):
            raise InputError(f"order must hold each of {', '.join(DIMENSIONS)} once, not {'>'.join(self.order)!r}")
        if self.parallel not in DIMENSIONS:
            hint = did_you_mean(self.parallel, DIMENSIONS)
            raise InputError(f"parallel must be one of {', '.join(DIMENSIONS)}, not {self.parallel!r}{hint}")
        if len(self.tiles) != len(DIMENSIONS):
            raise InputError(f"tiles must be one number for each of {', '.join(DIMENSIONS)}, not {len(self.tiles)}")
        for dimension, tile in zip(DIMENSIONS, self.tiles, strict=True):
            if type(tile) is not int or not 1 <= tile <= _LARGEST_TILE:
                raise InputError(f"tile of {dimension} must be a whole number from 1, not {tile!r}")


@dataclass(frozen=True)
class MaestroDesign:
    """A mapping: clusters work on tiles of the layer (``outer``), PEs of a cluster on tiles of these (``inner``).

    Tiles above what is there to cut mean all of it.

    Attributes:
        outer: L2 to clusters.
        inner: L1s of a cluster's PEs.
        cluster: PEs of a cluster.
    """

    outer: LevelMapping
    inner: LevelMapping
    cluster: int

    def __post_init__(self) -> None:
        if type(self.cluster) is not int or self.cluster < 1:
            raise InputError(f"cluster must be a whole number of PEs from 1, not {self.cluster!r}")


@dataclass(frozen=True, eq=False)
class MaestroResult:
    """Counts of N mappings, summed over layers, groups, images and repetitions; int64 (N,), accesses in words.

    Attributes:
        cycles: from the first word that arrives to the last multiply-accumulate.
        l2_weight_reads: L2 to clusters, multicast counted once.
        l2_input_reads: the same; rows that a tile shares with the one before are not read again.
        l2_output_writes: clusters to L2; partial sums included.
        l2_output_reads: partial sums that come back to be added to.
        l1_weight_writes: into L1s, every copy counted.
        l1_input_writes: the same.
        macs: multiply-accumulates, the same for all mappings.
        l1_words: of a PE's tiles, double-buffered; the largest of all layers.
        l2_words: of all clusters' tiles, double-buffered; the largest of all layers.
    """

    cycles: Integers
    l2_weight_reads: Integers
    l2_input_reads: Integers
    l2_output_writes: Integers
    l2_output_reads: Integers
    l1_weight_writes: Integers
    l1_input_writes: Integers
    macs: Integers
    l1_words: Integers
    l2_words: Integers

    @property
    def off_chip_words(self) -> Integers:
        """Words that cross the chip's edge: L2 holds only the tiles at work, so all that it hands out comes in."""
        return self.l2_weight_reads + self.l2_input_reads + self.l2_output_writes + self.l2_output_reads


def simulate(
    layers: Sequence[Layer], designs: Sequence[MaestroDesign], *, hardware: Hardware | None = None
) -> MaestroResult:
    """Run every layer with every mapping.

    The loop nest of a level is a set of cases: which loop advanced, and which loops are at a partial tile. A case takes
    the longest of its busiest sub-cluster, new words in, and words out, each over its bandwidth; the first iteration of
    a level waits for its words before it computes (MAESTRO; Kwon et al., MICRO 2019), in a cluster once for every outer
    iteration.

    Args:
        layers: at least one.
        designs: N mappings.
        hardware: PEs and bandwidths; 256, 64 and 16 by default.

    Raises:
        InputError: a cluster of more PEs than there are.
    """
    return simulate_table(nests(layers), design_table(designs), hardware=hardware or Hardware())


def design_table(designs: Sequence[MaestroDesign]) -> Integers:
    """Mappings as the kernel takes them: (N, 27)."""
    rows = [[*_level(design.outer), *_level(design.inner), design.cluster] for design in designs]
    return np.array(rows, dtype=np.int64).reshape(len(rows), 27)


def simulate_table(nest_table: Integers, table: Integers, *, hardware: Hardware) -> MaestroResult:
    """As `simulate`, for nests (L, 9) and mappings (N, 27)."""
    if len(table) and table[:, 26].max() > hardware.pes:
        raise InputError(f"cluster must be at most the {hardware.pes} PEs, not {table[:, 26].max()}")
    limits = np.array([hardware.pes, hardware.noc_words, hardware.off_chip_words], dtype=np.int64)
    counts = mapping_counts(table, nest_table, limits)  # (N, 10)
    return MaestroResult(**{name: counts[:, column].copy() for column, name in enumerate(COUNTS)})


def _level(level: LevelMapping) -> list[int]:
    return [*(DIMENSIONS.index(d) for d in level.order), DIMENSIONS.index(level.parallel), *level.tiles]
