"""Convolutions of the maps of a batch, forwards and backwards, compiled; the layout is of `map_kernels`.

A 3 x 3 convolution is nine shifted runs. Four outputs at a time: 36 products for 13 loads, which keeps a core's
multipliers busy. The gradient of the inputs is the same convolution with the weights turned round.
"""

from __future__ import annotations

__all__ = ["convolve_1x1", "convolve_3x3", "gradient_of_1x1", "gradient_of_3x3"]

import numpy as np

from archgym_simulators._jit import reordering_kernel
from archgym_simulators.nas.map_kernels import BATCH, Floats


@reordering_kernel
def convolve_3x3(x: Floats, weights: Floats, stride: int, fresh: bool, out: Floats) -> None:
    """Write, or add where not ``fresh``, the convolution with weights (Co, Ci, 3, 3); Co is a multiple of four."""
    side = out.shape[1] - 2
    runs = 1 if stride == 1 else side
    length = side * BATCH // runs
    for y in range(side):
        for run in range(runs):
            start, row, at = BATCH + run * length, stride * y, stride * run * BATCH
            for c in range(0, len(weights), 4):
                a, b = out[c, y + 1, start : start + length], out[c + 1, y + 1, start : start + length]
                d, e = out[c + 2, y + 1, start : start + length], out[c + 3, y + 1, start : start + length]
                if fresh:
                    a[:] = b[:] = d[:] = e[:] = 0.0
                for i in range(weights.shape[1]):
                    x0, x1, x2 = x[i, row, at:], x[i, row + 1, at:], x[i, row + 2, at:]
                    _add_taps(a, b, d, e, x0, x1, x2, weights[c : c + 4, i])


@reordering_kernel
def _add_taps(
    out_a: Floats, out_b: Floats, out_c: Floats, out_d: Floats, x0: Floats, x1: Floats, x2: Floats, weights: Floats
) -> None:
    """Add nine taps of three rows to four outputs; weights (4, 3, 3) as 36 scalars, for a compiler's registers."""
    a = weights[0]
    b = weights[1]
    c = weights[2]
    d = weights[3]
    a0, a1, a2 = a[0, 0], a[0, 1], a[0, 2]
    a3, a4, a5 = a[1, 0], a[1, 1], a[1, 2]
    a6, a7, a8 = a[2, 0], a[2, 1], a[2, 2]
    b0, b1, b2 = b[0, 0], b[0, 1], b[0, 2]
    b3, b4, b5 = b[1, 0], b[1, 1], b[1, 2]
    b6, b7, b8 = b[2, 0], b[2, 1], b[2, 2]
    c0, c1, c2 = c[0, 0], c[0, 1], c[0, 2]
    c3, c4, c5 = c[1, 0], c[1, 1], c[1, 2]
    c6, c7, c8 = c[2, 0], c[2, 1], c[2, 2]
    d0, d1, d2 = d[0, 0], d[0, 1], d[0, 2]
    d3, d4, d5 = d[1, 0], d[1, 1], d[1, 2]
    d6, d7, d8 = d[2, 0], d[2, 1], d[2, 2]
    for n in range(len(out_a)):
        v0, v1, v2 = x0[n], x0[n + BATCH], x0[n + 2 * BATCH]
        v3, v4, v5 = x1[n], x1[n + BATCH], x1[n + 2 * BATCH]
        v6, v7, v8 = x2[n], x2[n + BATCH], x2[n + 2 * BATCH]
        sum_a = a0 * v0 + a1 * v1 + a2 * v2 + a3 * v3 + a4 * v4 + a5 * v5 + a6 * v6 + a7 * v7 + a8 * v8
        sum_b = b0 * v0 + b1 * v1 + b2 * v2 + b3 * v3 + b4 * v4 + b5 * v5 + b6 * v6 + b7 * v7 + b8 * v8
        sum_c = c0 * v0 + c1 * v1 + c2 * v2 + c3 * v3 + c4 * v4 + c5 * v5 + c6 * v6 + c7 * v7 + c8 * v8
        sum_d = d0 * v0 + d1 * v1 + d2 * v2 + d3 * v3 + d4 * v4 + d5 * v5 + d6 * v6 + d7 * v7 + d8 * v8
        out_a[n] += sum_a
        out_b[n] += sum_b
        out_c[n] += sum_c
        out_d[n] += sum_d


@reordering_kernel
def gradient_of_3x3(x: Floats, gradient: Floats, stride: int, found: Floats) -> None:
    """Write the gradient (Co, Ci, 3, 3) of the weights from the inputs' maps and the outputs' gradient."""
    side = gradient.shape[1] - 2
    runs = 1 if stride == 1 else side
    length = side * BATCH // runs
    found[:] = 0.0
    for c in range(0, found.shape[0], 2):
        for y in range(side):
            for run in range(runs):
                start = BATCH + run * length
                one = gradient[c, y + 1, start : start + length]
                other = gradient[c + 1, y + 1, start : start + length]
                row, at = stride * y, stride * run * BATCH
                for i in range(found.shape[1]):
                    x0, x1, x2 = x[i, row, at:], x[i, row + 1, at:], x[i, row + 2, at:]
                    _add_products(one, other, x0, x1, x2, found[c, i], found[c + 1, i])


@reordering_kernel
def _add_products(
    one: Floats, other: Floats, x0: Floats, x1: Floats, x2: Floats, for_one: Floats, for_other: Floats
) -> None:
    """Add the products of two gradients with nine shifts of an input's three rows to (3, 3) each."""
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = a8 = np.float32(0.0)
    b0 = b1 = b2 = b3 = b4 = b5 = b6 = b7 = b8 = np.float32(0.0)
    for n in range(len(one)):
        g, h = one[n], other[n]
        a0 += g * x0[n]
        a1 += g * x0[n + BATCH]
        a2 += g * x0[n + 2 * BATCH]
        a3 += g * x1[n]
        a4 += g * x1[n + BATCH]
        a5 += g * x1[n + 2 * BATCH]
        a6 += g * x2[n]
        a7 += g * x2[n + BATCH]
        a8 += g * x2[n + 2 * BATCH]
        b0 += h * x0[n]
        b1 += h * x0[n + BATCH]
        b2 += h * x0[n + 2 * BATCH]
        b3 += h * x1[n]
        b4 += h * x1[n + BATCH]
        b5 += h * x1[n + 2 * BATCH]
        b6 += h * x2[n]
        b7 += h * x2[n + BATCH]
        b8 += h * x2[n + 2 * BATCH]
    for_one[:] += np.array(((a0, a1, a2), (a3, a4, a5), (a6, a7, a8)), dtype=np.float32)
    for_other[:] += np.array(((b0, b1, b2), (b3, b4, b5), (b6, b7, b8)), dtype=np.float32)


@reordering_kernel
def convolve_1x1(x: Floats, weights: Floats, fresh: bool, out: Floats) -> None:
    """Write, or add where not ``fresh``, the convolution with weights (Co, Ci); both are multiples of four."""
    side = out.shape[1] - 2
    inside = slice(BATCH, (side + 1) * BATCH)
    for y in range(1, side + 1):
        for c in range(0, len(weights), 4):
            a, b, d, e = out[c, y, inside], out[c + 1, y, inside], out[c + 2, y, inside], out[c + 3, y, inside]
            if fresh:
                a[:] = b[:] = d[:] = e[:] = 0.0
            for i in range(0, weights.shape[1], 4):
                x0, x1, x2, x3 = x[i, y, inside], x[i + 1, y, inside], x[i + 2, y, inside], x[i + 3, y, inside]
                _add_four(a, b, d, e, x0, x1, x2, x3, weights[c : c + 4, i : i + 4])


@reordering_kernel
def _add_four(
    out_a: Floats,
    out_b: Floats,
    out_c: Floats,
    out_d: Floats,
    x0: Floats,
    x1: Floats,
    x2: Floats,
    x3: Floats,
    weights: Floats,
) -> None:
    """Add four inputs to four outputs, with weights (4, 4) as scalars."""
    a0, a1, a2, a3 = weights[0, 0], weights[0, 1], weights[0, 2], weights[0, 3]
    b0, b1, b2, b3 = weights[1, 0], weights[1, 1], weights[1, 2], weights[1, 3]
    c0, c1, c2, c3 = weights[2, 0], weights[2, 1], weights[2, 2], weights[2, 3]
    d0, d1, d2, d3 = weights[3, 0], weights[3, 1], weights[3, 2], weights[3, 3]
    for n in range(len(out_a)):
        v0, v1, v2, v3 = x0[n], x1[n], x2[n], x3[n]
        sum_a = a0 * v0 + a1 * v1 + a2 * v2 + a3 * v3
        sum_b = b0 * v0 + b1 * v1 + b2 * v2 + b3 * v3
        sum_c = c0 * v0 + c1 * v1 + c2 * v2 + c3 * v3
        sum_d = d0 * v0 + d1 * v1 + d2 * v2 + d3 * v3
        out_a[n] += sum_a
        out_b[n] += sum_b
        out_c[n] += sum_c
        out_d[n] += sum_d


@reordering_kernel
def gradient_of_1x1(x: Floats, gradient: Floats, found: Floats) -> None:
    """Write the gradient (Co, Ci) of the weights from the inputs' maps and the outputs' gradient."""
    side = gradient.shape[1] - 2
    inside = slice(BATCH, (side + 1) * BATCH)
    found[:] = 0.0
    for c in range(found.shape[0]):
        for y in range(1, side + 1):
            for i in range(0, found.shape[1], 4):
                x0, x1 = x[i, y, inside], x[i + 1, y, inside]
                x2, x3 = x[i + 2, y, inside], x[i + 3, y, inside]
                _add_four_products(gradient[c, y, inside], x0, x1, x2, x3, found[c, i : i + 4])


@reordering_kernel
def _add_four_products(gradient: Floats, x0: Floats, x1: Floats, x2: Floats, x3: Floats, found: Floats) -> None:
    a = b = c = d = np.float32(0.0)
    for n in range(len(gradient)):
        g = gradient[n]
        a += g * x0[n]
        b += g * x1[n]
        c += g * x2[n]
        d += g * x3[n]
    found[0] += a
    found[1] += b
    found[2] += c
    found[3] += d
