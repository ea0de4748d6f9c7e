"""The longest way through an engine: what lies on it, in numbers of delays that a library prices.

Which logic counts, and the factors below, follow from synthesis of the PEs that `archgym_simulators.tpe.verilog`
writes: delays of 300 random units with the cells of OSU018 (``experiments/tpe_synthesis``), none of which is judged on.
"""

from __future__ import annotations

__all__ = ["LEVELS", "adder_path", "candidate_path", "encoder_path", "ready_adder", "select_path"]

from math import log2

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel
from archgym_simulators.tpe.dots import RIPPLE, adder_delay
from archgym_simulators.tpe.layout import LARGEST_DIGIT

Floats = NDArray[np.float64]

LEVELS = (
    "encode",
    "encode_carry",
    "encode_ripple",
    "select",
    "candidates",
    "candidates_ripple",
    "fanout",
    "digit_fanout",
    "adders",
    "mux",
    "carry",
    "ripple",
    "chains",
    "loop_adders",
    "loop_carry",
    "loop_ripple",
)
"""Columns of the path, all but the last three of the way to the loop; ``adders`` are of the whole way.

Bits of ripple adders are those of the longest, since one that follows another starts while that one still runs;
``chains`` are how many adders there are before the loop.
"""
L_ENCODE, L_ENCODE_CARRY, L_ENCODE_RIPPLE, L_SELECT, L_CANDIDATES, L_CANDIDATES_RIPPLE = range(6)
L_FANOUT, L_DIGIT_FANOUT, L_ADDERS, L_MUX, L_CARRY, L_RIPPLE, L_CHAINS = range(6, 13)
LOOP_ADDERS, LOOP_CARRY, LOOP_RIPPLE = range(13, 16)

BOOTH, ENT, NAF, TC_SERIAL = 0, 1, 2, 4
# Encoders in those of Booth, which look at three bits: a magnitude takes as long (its carry runs while bits are
# selected); EN-T a carry from digit to digit besides.
ENT_ENCODERS, ENT_CARRY_PER_DIGIT = 3.0, 0.4
# Selections in those of digits up to 2: a digit of one bit needs a gate less, a bit of two's complement an AND.
SELECT_ONE_BIT, SELECT_AND = 0.3, 0.1
NEGATE_CARRY = 0.8  # of a prefix adder: an incrementer


@inner_kernel
def ready_adder(path: Floats, width: float, kind: int) -> None:
    """An adder before the loop."""
    path[L_CHAINS] += 1.0
    if kind == RIPPLE:
        path[L_RIPPLE] = max(path[L_RIPPLE], adder_delay(width, kind))
    else:
        path[L_CARRY] += adder_delay(width, kind)


@inner_kernel
def adder_path(path: Floats, width: float, kind: int, carry: int, ripple: int) -> None:
    """An adder at the place of its kind, if it is longer than what is there."""
    place = ripple if kind == RIPPLE else carry
    path[place] = max(path[place], adder_delay(width, kind))


@inner_kernel
def encoder_path(path: Floats, encoding: int, bits: float, digits: float, adder: int) -> None:
    """An encoder in the PE; NAF adds a number to its double."""
    if encoding == TC_SERIAL:
        return
    path[L_ENCODE] = ENT_ENCODERS if encoding == ENT else 1.0
    if encoding == ENT:
        path[L_ENCODE_CARRY] = ENT_CARRY_PER_DIGIT * digits
    if encoding == NAF:
        adder_path(path, bits, adder, L_ENCODE_CARRY, L_ENCODE_RIPPLE)


@inner_kernel
def candidate_path(path: Floats, encoding: int, bits: float, negated: bool, adder: int) -> None:
    """Multiples of the other operand, which are made while digits are: its negative, three times it, or both."""
    if negated:
        path[L_CANDIDATES] += NEGATE_CARRY * max(log2(bits) - 1.0, 0.0)
    if LARGEST_DIGIT[encoding] == 3:
        if adder == RIPPLE:
            path[L_CANDIDATES_RIPPLE] = adder_delay(bits, adder)
        else:
            path[L_CANDIDATES] += adder_delay(bits, adder)


@inner_kernel
def select_path(path: Floats, encoding: int, digits: float) -> None:
    """Choice of a candidate, each of which is offered to ``digits`` digits."""
    path[L_SELECT] = 1.0
    if LARGEST_DIGIT[encoding] == 1:
        path[L_SELECT] = SELECT_AND if encoding == TC_SERIAL else SELECT_ONE_BIT
    path[L_DIGIT_FANOUT] = log2(digits)
