"""GAMMA's genome as a design space: loop orders, parallel dimensions and tiles of two levels, and the cluster size."""

from __future__ import annotations

__all__ = ["AREA_CLASSES", "LEVELS", "SPACES", "baseline_row", "maestro_space", "table_of"]

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.maestro.workloads import DIMENSIONS
from archgym_simulators.parameters import Categorical, Ordinal, Parameter
from archgym_simulators.space import DesignSpace, Rows
from archgym_simulators.structured_parameters import Permutation

SPACES = ("layer", "shared")
LEVELS = ("outer", "inner")
AREA_CLASSES = {"edge": 2.0, "mobile": 10.0, "cloud": 200.0}
"""Largest chip of a class in mm2."""

_WHAT = {
    "K": "output channels",
    "C": "input channels",
    "Y": "output rows",
    "X": "output columns",
    "R": "filter rows",
    "S": "filter columns",
}
_SHARED = {
    "K": (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024),
    "C": (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024),
    "Y": (1, 2, 3, 4, 6, 7, 8, 12, 14, 16, 28, 32, 56, 64, 112, 128, 256, 512),
    "X": (1, 2, 3, 4, 6, 7, 8, 12, 14, 16, 28, 32, 56, 64, 112, 128, 256, 512),
    "R": (1, 2, 3, 4, 5, 6, 7, 11),
    "S": (1, 2, 3, 4, 5, 6, 7, 11),
}
"""Tiles of the space that all workloads share."""
_CLUSTERS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096)
_NVDLA = {"K": 1, "C": 64, "Y": 1, "X": 1, "R": 2**31 - 1, "S": 2**31 - 1}


def maestro_space(sizes: Sequence[int] | None, pes: int) -> DesignSpace:
    """The space of a layer of ``sizes`` (K, C, Y, X, R, S), or that of all layers where it is None.

    A layer's tiles are those that differ in their number of steps, ceil(size / steps).
    """
    tiles = _SHARED if sizes is None else {d: _steps(n) for d, n in zip(DIMENSIONS, sizes, strict=True)}
    clusters = Ordinal(
        "cluster",
        [size for size in _CLUSTERS if size <= pes],
        "PEs",
        description="PEs that work on one tile of the outer level together.",
        group="cluster",
    )
    return DesignSpace([*_level("outer", tiles), *_level("inner", tiles), clusters])


def baseline_row(space: DesignSpace) -> tuple[int, ...]:
    """NVDLA's dataflow: K over clusters, C over the PEs of a cluster, rows and columns one by one; 64 PEs a cluster."""
    values: dict[str, object] = {"outer_order": "K>C>R>S>Y>X", "inner_order": "C>Y>X>R>S>K"}
    values |= {"outer_parallel": "K", "inner_parallel": "C", "cluster": _largest(space, "cluster", 64)}
    for dimension in DIMENSIONS:
        values[f"outer_{dimension}"] = _largest(space, f"outer_{dimension}", _NVDLA[dimension])
        inner = 1 if dimension == "C" else _NVDLA[dimension]
        values[f"inner_{dimension}"] = _largest(space, f"inner_{dimension}", inner)
    return tuple(space.encode_row(values).tolist())


def table_of(space: DesignSpace, rows: Rows) -> NDArray[np.int64]:
    """Index rows (N, D) as the kernel takes mappings: (N, 27)."""
    columns = []
    for level in LEVELS:
        columns.append(_values(space, f"{level}_order", rows))
        columns.append(rows[:, space.columns_of(f"{level}_parallel")])
        columns += [_values(space, f"{level}_{dimension}", rows)[:, None] for dimension in DIMENSIONS]
    columns.append(_values(space, "cluster", rows)[:, None])
    return np.concatenate(columns, axis=1)


def _values(space: DesignSpace, name: str, rows: Rows) -> NDArray[np.int64]:
    values: NDArray[np.int64] = space.parameter(name).values_of(rows[:, space.columns_of(name)])
    return values


def _level(level: str, tiles: Mapping[str, tuple[int, ...]]) -> list[Parameter]:
    who = "clusters" if level == "outer" else "PEs of a cluster"
    order = Permutation(
        f"{level}_order",
        DIMENSIONS,
        description=f"Order of the {level} loops, outermost first; what the inner ones do not change stays in place.",
        group=level,
    )
    parallel = Categorical(
        f"{level}_parallel",
        DIMENSIONS,
        description=f"The dimension whose tiles go to different {who} at the same time.",
        group=level,
    )
    above = "the layer" if level == "outer" else "the outer tile"
    sizes = [
        Ordinal(
            f"{level}_{dimension}",
            tiles[dimension],
            description=f"Tile of {_WHAT[dimension]} for each of the {who}; more than {above} has means all of it.",
            group=level,
        )
        for dimension in DIMENSIONS
    ]
    return [order, parallel, *sizes]


def _steps(size: int) -> tuple[int, ...]:
    return tuple(sorted({-(-size // steps) for steps in range(1, size + 1)}))


def _largest(space: DesignSpace, name: str, limit: int) -> int:
    parameter = space.parameter(name)
    assert isinstance(parameter, Ordinal)
    return max(int(value) for value in parameter.values if value <= limit)
