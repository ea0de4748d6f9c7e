"""PEs that take one digit after another and skip zeros: registers, gates and the longest way."""

from __future__ import annotations

__all__ = ["count_digit_serial"]

from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel
from archgym_simulators.tpe.dots import (
    MOST_COLUMNS,
    put_rows,
)
from archgym_simulators.tpe.layout import (
    ACCUMULATOR,
    COLUMNS,
    CUTS,
    ENCODING,
    FIFO,
    GROUP,
    IN_PE,
    LANES,
    OPERAND,
    PLACEMENT,
    ROWS,
)
from archgym_simulators.tpe.parts import (
    CODE_BITS,
    COMPRESS,
    ENCODE,
    FETCH,
    FULL_ADDER,
    MUX,
    REGISTERS,
    SKIP_PER_NEIGHBOUR,
    count_compressor,
    count_encoders,
    count_selection,
    count_shifters,
    digit_words,
    shared_encoders,
)
from archgym_simulators.tpe.paths import (
    L_ADDERS,
    L_FANOUT,
    LOOP_ADDERS,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@inner_kernel
def count_digit_serial(design: Integers, formats: Integers, gates: Floats, path: Floats, bare: bool) -> None:
    """PEs that add the digits that are not zero, one a cycle and lane, selected by encoders that search groups."""
    rows, columns, lanes = float(design[ROWS]), float(design[COLUMNS]), float(design[LANES])
    pes, group = rows * columns, float(design[GROUP])
    _, product, _ = digit_words(design, formats)
    width = float(design[ACCUMULATOR])
    other = float(formats[1 - design[OPERAND], 1])
    code = float(CODE_BITS[design[ENCODING]] - 1 + formats[design[OPERAND], 1] - formats[design[OPERAND], 0])
    count_selection(design, formats, gates, path, lanes, lanes)
    count_shifters(formats, width, gates, path, lanes)
    if design[LANES] == 1:
        gates[COMPRESS] += width * FULL_ADDER
        path[L_ADDERS] += 1.0
    else:
        heights = np.zeros(MOST_COLUMNS, np.int64)
        word = int(width) if formats[0, 2] + formats[1, 2] > 0 else product
        put_rows(heights, design[LANES], 0, word)
        put_rows(heights, 1, word, int(width) - word)  # their signs, summed up beforehand
        if design[CUTS] > 0:
            count_compressor(design, heights, gates, path, 1.0)
            heights[:] = 0
            put_rows(heights, 2, 0, int(width))
        put_rows(heights, 2, 0, int(width))
        count_compressor(design, heights, gates, path, 1.0)
    path[LOOP_ADDERS] = 2.0 if design[LANES] > 1 else 1.0
    gates[REGISTERS] += 2.0 * width + lanes * (code + other) + design[CUTS] * lanes * product
    gates *= pes
    encoders = lanes * shared_encoders(design, pes)
    path[L_FANOUT] += 0.0 if design[PLACEMENT] == IN_PE else log2(pes / shared_encoders(design, pes))
    count_encoders(design, formats, gates, path, encoders * group)
    gates[ENCODE] += encoders * group * SKIP_PER_NEIGHBOUR
    index = ceil(log2(group))
    state = group * (CODE_BITS[design[ENCODING]] - 1) + (2.0 * group - 1.0) + index
    gates[REGISTERS] += encoders * (state + (design[FIFO] - 1) * group * CODE_BITS[design[ENCODING]])
    if not bare:
        gates[REGISTERS] += encoders * group * formats[design[OPERAND], 1]
        gates[FETCH] += pes * lanes * (group - 1.0) * other * MUX
        windows = columns if design[OPERAND] == 0 else rows
        gates[REGISTERS] += windows * lanes * group * design[FIFO] * other
