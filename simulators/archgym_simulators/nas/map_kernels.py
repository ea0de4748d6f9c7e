"""What layers do to the maps of a batch, forwards and backwards, compiled.

Maps are (C, S + 2, (S + 2) * 100) float32: C channels of S x S pixels, a frame of zeros, the 100 images of a batch
innermost. A row of pixels of all images is one contiguous run, and a 3 x 3 convolution is nine shifted runs, so every
inner loop fills whole registers whatever the number of channels. Kernels keep the frame zero.
"""

from __future__ import annotations

__all__ = [
    "BATCH",
    "Floats",
    "add_boxes",
    "add_kept",
    "add_maps",
    "add_spread",
    "add_weighted",
    "dilate",
    "halve",
    "maps",
    "normalise",
    "normalise_back",
    "rectify",
]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import reordering_kernel

Floats = NDArray[np.float32]

BATCH = 100
EPSILON = 1e-5
_FORGOTTEN = 0.1
"""Weight of a batch in the running moments that evaluation uses."""


def maps(channels: int, side: int) -> Floats:
    """Maps of zeros (C, S + 2, (S + 2) * 100)."""
    return np.zeros((channels, side + 2, (side + 2) * BATCH), dtype=np.float32)


@reordering_kernel
def normalise(
    x: Floats, affine: Floats, moments: Floats, running: Floats, training: bool, fresh: bool, out: Floats
) -> None:
    """Write, or add where not ``fresh``, the normalised maps.

    Args:
        x: maps (C, ...).
        affine: (2, C) gain and shift.
        moments: (2, C) written in training: mean and reciprocal standard deviation of this batch.
        running: (2, C) mean and variance that evaluation uses, updated in training.
        training: whether to normalise by this batch.
        fresh: whether to write.
        out: maps (C, ...).
    """
    side = x.shape[1] - 2
    inside = slice(BATCH, (side + 1) * BATCH)
    count = side * side * BATCH
    for c in range(len(x)):
        mean, variance = running[0, c], running[1, c]
        if training:
            mean, variance = _moments(x[c])
            running[0, c] += _FORGOTTEN * (mean - running[0, c])
            running[1, c] += _FORGOTTEN * (variance * count / (count - 1) - running[1, c])
        scale = np.float32(1.0 / np.sqrt(variance + EPSILON))
        moments[0, c], moments[1, c] = mean, scale
        scale *= affine[0, c]
        shift = np.float32(affine[1, c] - scale * mean)
        for y in range(1, side + 1):
            source, target = x[c, y, inside], out[c, y, inside]
            if fresh:
                for n in range(len(source)):
                    target[n] = scale * source[n] + shift
            else:
                for n in range(len(source)):
                    target[n] += scale * source[n] + shift


@reordering_kernel
def _moments(channel: Floats) -> tuple[float, float]:
    """Mean and variance of one channel's maps, summed by rows, so that single precision is enough within one."""
    side = len(channel) - 2
    inside = slice(BATCH, (side + 1) * BATCH)
    count = side * side * BATCH
    total = square = 0.0
    for y in range(1, side + 1):
        row = channel[y, inside]
        part = np.float32(0.0)
        for n in range(len(row)):
            part += row[n]
        total += float(part)
    mean = np.float32(total / count)
    for y in range(1, side + 1):
        row = channel[y, inside]
        part = np.float32(0.0)
        for n in range(len(row)):
            away = row[n] - mean
            part += away * away
        square += float(part)
    return total / count, square / count


@reordering_kernel
def normalise_back(x: Floats, gradient: Floats, affine: Floats, moments: Floats, found: Floats, out: Floats) -> None:
    """Write the gradient of a normalisation's input to ``out`` and that of gain and shift to ``found`` (2, C)."""
    side = x.shape[1] - 2
    inside = slice(BATCH, (side + 1) * BATCH)
    count = side * side * BATCH
    for c in range(len(x)):
        mean, scale = moments[0, c], moments[1, c]
        total, aligned = _sums(x[c], gradient[c], mean)
        found[0, c], found[1, c] = aligned * scale, total
        straight = np.float32(affine[0, c] * scale)
        along = np.float32(-straight * scale * scale * aligned / count)
        level = np.float32(-straight * total / count - along * mean)
        for y in range(1, side + 1):
            source, given, target = x[c, y, inside], gradient[c, y, inside], out[c, y, inside]
            for n in range(len(source)):
                target[n] = straight * given[n] + along * source[n] + level


@reordering_kernel
def _sums(channel: Floats, gradient: Floats, mean: float) -> tuple[float, float]:
    """Sums of one channel's gradient, and of its product with the distance from the mean."""
    side = len(channel) - 2
    inside = slice(BATCH, (side + 1) * BATCH)
    total = aligned = 0.0
    for y in range(1, side + 1):
        row, given = channel[y, inside], gradient[y, inside]
        one = other = np.float32(0.0)
        for n in range(len(row)):
            one += given[n]
            other += given[n] * (row[n] - mean)
        total += float(one)
        aligned += float(other)
    return total, aligned


@reordering_kernel
def rectify(x: Floats, out: Floats) -> None:
    """Write max(x, 0)."""
    source, target = x.reshape(x.size), out.reshape(out.size)
    for n in range(len(source)):
        target[n] = max(source[n], np.float32(0.0))


@reordering_kernel
def add_kept(gradient: Floats, x: Floats, fresh: bool, out: Floats) -> None:
    """Write, or add where not ``fresh``, the gradient where x is positive: `rectify`, backwards."""
    given, source, target = gradient.reshape(x.size), x.reshape(x.size), out.reshape(x.size)
    if fresh:
        target[:] = 0.0
    for n in range(len(source)):
        target[n] += given[n] if source[n] > 0.0 else np.float32(0.0)


@reordering_kernel
def add_maps(x: Floats, fresh: bool, out: Floats) -> None:
    """Write, or add where not ``fresh``, x."""
    source, target = x.reshape(x.size), out.reshape(out.size)
    if fresh:
        target[:] = source
        return
    for n in range(len(source)):
        target[n] += source[n]


@reordering_kernel
def add_boxes(x: Floats, fresh: bool, out: Floats) -> None:
    """Write, or add where not ``fresh``, the sum of every pixel's 3 x 3 neighbourhood."""
    side = x.shape[1] - 2
    length = side * BATCH
    for c in range(len(x)):
        for y in range(side):
            target = out[c, y + 1, BATCH : BATCH + length]
            if fresh:
                target[:] = 0.0
            above, middle, below = x[c, y], x[c, y + 1], x[c, y + 2]
            for n in range(length):
                left = above[n] + middle[n] + below[n]
                centre = above[n + BATCH] + middle[n + BATCH] + below[n + BATCH]
                right = above[n + 2 * BATCH] + middle[n + 2 * BATCH] + below[n + 2 * BATCH]
                target[n] += left + centre + right


@reordering_kernel
def add_weighted(x: Floats, shares: Floats, fresh: bool, out: Floats) -> None:
    """Write, or add where not ``fresh``, every pixel times its share (S, S)."""
    for c in range(len(x)):
        for y in range(len(shares)):
            for pixel in range(len(shares)):
                start = (pixel + 1) * BATCH
                share = shares[y, pixel]
                source = x[c, y + 1, start : start + BATCH]
                target = out[c, y + 1, start : start + BATCH]
                if fresh:
                    target[:] = 0.0
                for n in range(BATCH):
                    target[n] += share * source[n]


@reordering_kernel
def halve(x: Floats, out: Floats) -> None:
    """Write the means of 2 x 2 pixels."""
    side = out.shape[1] - 2
    for c in range(len(x)):
        for y in range(side):
            above, below = x[c, 2 * y + 1], x[c, 2 * y + 2]
            for pixel in range(side):
                target = out[c, y + 1, (pixel + 1) * BATCH : (pixel + 2) * BATCH]
                left = (2 * pixel + 1) * BATCH
                for n in range(BATCH):
                    pair = above[left + n] + above[left + BATCH + n]
                    target[n] = np.float32(0.25) * (pair + below[left + n] + below[left + BATCH + n])


@reordering_kernel
def add_spread(gradient: Floats, out: Floats) -> None:
    """Add a quarter of the gradient to each of its four pixels: `halve`, backwards."""
    side = gradient.shape[1] - 2
    for c in range(len(gradient)):
        for y in range(2 * side):
            for pixel in range(2 * side):
                start = (pixel // 2 + 1) * BATCH
                source = gradient[c, y // 2 + 1, start : start + BATCH]
                target = out[c, y + 1, (pixel + 1) * BATCH : (pixel + 2) * BATCH]
                for n in range(BATCH):
                    target[n] += np.float32(0.25) * source[n]


@reordering_kernel
def dilate(x: Floats, out: Floats) -> None:
    """Write x to every second pixel of every second row: what a gradient of stride 2 is at stride 1."""
    side = x.shape[1] - 2
    for c in range(len(x)):
        for y in range(side):
            for pixel in range(side):
                source = x[c, y + 1, (pixel + 1) * BATCH : (pixel + 2) * BATCH]
                start = (2 * pixel + 1) * BATCH
                out[c, 2 * y + 1, start : start + BATCH] = source
