"""The design space of an attention accelerator: its schedule, its arrays and its memory."""

from __future__ import annotations

__all__ = ["AREA_CLASSES", "PARAMETERS", "attention_space", "baseline_design", "table_of"]

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.attention.kernel import COLUMNS
from archgym_simulators.attention.model import (
    ARRAYS,
    CASCADES,
    FUSIONS,
    SCORES,
    STATIONARITIES,
)
from archgym_simulators.attention.parts import area_mm2
from archgym_simulators.constraints import Columns, Constraint, InertWhen, Reason
from archgym_simulators.parameters import Categorical, Ordinal, Parameter
from archgym_simulators.space import Design, DesignSpace, Rows

AREA_CLASSES = {"edge": 50.0, "cloud": 1400.0}
"""Largest chip of a class in mm2 at 45 nm; FuseMax takes 1,309, FLAT's edge platform 15."""

_SIDES = (16, 24, 32, 48, 64, 80, 96, 128, 160, 192, 224, 256, 288, 320, 384, 448, 512)
_LANES = (16, 32, 48, 64, 96, 128, 192, 256, 320, 384, 512, 768, 1024, 1536, 2048)
_KIBIBYTES = tuple(2**k * base for k in range(8, 17) for base in (1, 1.5) if 2**k * base <= 65_536)
_BANDWIDTHS = (25, 50, 75, 100, 150, 200, 300, 400, 600, 800, 1200, 1600)
_QUERY_TILES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)

PARAMETERS: tuple[Parameter, ...] = (
    Categorical(
        "cascade",
        CASCADES,
        description="Passes of softmax over a row of scores: fewer passes compute more and store less.",
        group="schedule",
    ),
    Categorical(
        "softmax_on",
        ARRAYS,
        description="The array that does softmax: the 1D array, or the 2D array (with larger PEs), after the products "
        "or interleaved with them.",
        group="schedule",
    ),
    Categorical(
        "fusion",
        FUSIONS,
        description="What passes through QK, softmax and AV together: nothing, a whole head, or some tiles of rows.",
        group="schedule",
    ),
    Categorical(
        "scores",
        SCORES,
        description="Where scores wait between passes; what has no room on the chip spills at every pass.",
        group="schedule",
    ),
    Categorical(
        "qk_stationarity",
        STATIONARITIES,
        description="weight: queries stay on the chip while keys stream; output: both stream for every tile.",
        group="schedule",
    ),
    Categorical(
        "av_stationarity",
        STATIONARITIES,
        description="weight: results stay on the chip while values stream; output: values stream for every tile.",
        group="schedule",
    ),
    Ordinal("pe_dim", _SIDES, "PEs", description="Rows and columns of the 2D array.", group="arrays"),
    Ordinal("lanes", _LANES, "PEs", description="Width of the 1D array.", group="arrays"),
    Ordinal("l3_kib", tuple(int(k) for k in _KIBIBYTES), "KiB", description="On-chip memory.", group="memory"),
    Ordinal("bandwidth", _BANDWIDTHS, "GiB/s", description="Off the chip.", group="memory"),
    Ordinal(
        "query_tiles",
        _QUERY_TILES,
        description="Tiles of pe_dim query rows on the chip together: more of them read keys and values less often.",
        group="schedule",
    ),
)
_INERT = (
    InertWhen("scores", "cascade", ("1-pass",)),
    InertWhen("scores", "fusion", ("none",)),
    InertWhen("query_tiles", "fusion", ("head",)),
)


def attention_space(area_class: str) -> DesignSpace:
    """The space of an area class; every workload has the same."""
    return DesignSpace(PARAMETERS, constraints=_constraints(AREA_CLASSES[area_class], area_class), inert=_INERT)


def baseline_design(area_class: str) -> Design:
    """FLAT's cloud or edge platform with four query tiles, the same for every layer so that layers can be averaged."""
    side, kibibytes, bandwidth = (32, 512, 50) if area_class == "edge" else (256, 32 * 1024, 400)
    schedule = {"cascade": "3-pass", "softmax_on": "1d", "fusion": "row", "scores": "on-chip"}
    schedule |= {"qk_stationarity": "weight", "av_stationarity": "weight"}
    arrays = {"pe_dim": side, "lanes": side, "l3_kib": kibibytes, "bandwidth": bandwidth}
    return {**schedule, **arrays, "query_tiles": 4}


def table_of(rows: Rows) -> NDArray[np.int64]:
    """Index rows (N, 11) as the kernel takes designs: (N, 11), columns `kernel.COLUMNS`."""
    table = np.empty((len(rows), len(COLUMNS)), dtype=np.int64)
    for column, values in enumerate(_VALUES):
        table[:, column] = values[rows[:, column]]
    return table


def _values() -> list[NDArray[np.int64]]:
    """By parameter: what the model computes with for each index."""
    tables = []
    for parameter in PARAMETERS:
        is_code = isinstance(parameter, Categorical)
        values = range(parameter.size) if is_code else parameter.readable(np.arange(parameter.size)[:, None]).tolist()
        scale = 1024 if parameter.name == "l3_kib" else 1
        tables.append(np.array(list(values), dtype=np.int64) * scale)
    return tables


_VALUES = _values()


def _constraints(limit: float, area_class: str) -> Sequence[Constraint]:
    area = Constraint(
        Reason("area", f"the chip takes {{area:,.1f}} mm2, the area class {area_class} allows {limit:,g}", ("area",)),
        lambda columns: np.maximum(np.log(_area(columns) / limit), 0.0),
        lambda columns: _area(columns)[:, None],
    )
    fusion = Constraint(
        Reason(
            "needs-fusion",
            "cascade 1-pass and softmax_on 2d-interleaved need fusion head or row: none separates their products",
        ),
        lambda columns: _unfusable(columns).astype(np.float64),
    )
    return (area, fusion)


def _area(columns: Columns) -> NDArray[np.float64]:
    plain = columns["softmax_on"] == ARRAYS[0]
    return area_mm2(plain, columns["pe_dim"], columns["lanes"], columns["l3_kib"] * 1024, columns["bandwidth"])


def _unfusable(columns: Columns) -> NDArray[np.int64]:
    """How many choices (N,) need a fusion that is not there."""
    needs = (columns["cascade"] == CASCADES[0]).astype(np.int64) + (columns["softmax_on"] == ARRAYS[2])
    missing: NDArray[np.int64] = needs * (columns["fusion"] == FUSIONS[0])
    return missing
