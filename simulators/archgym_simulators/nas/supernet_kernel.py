"""Subnets of the supernet on images, compiled: sums in a fixed order, without fused operations.

Maps are (channels, pixels, images) float32, images innermost: convolutions are sums of rows of images, which vectorise
without changing the order of any sum. Four terms are added at once; a kernel's last group is filled up with zeros.
"""

from __future__ import annotations

__all__ = ["Weights", "calibrated_scales", "count_right"]

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym_simulators._jit import inner_kernel, kernel

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

EPSILON = 1e-5
_TILE = 512


class Weights(NamedTuple):
    """The supernet's weights, layer by layer (L = stages x deepest), filled up with zeros.

    Attributes:
        stem: (width, 9) 3 x 3 kernels.
        expand: (L, inner, outer) first pointwise convolution.
        depthwise: (L, inner, 25) 5 x 5 kernels; the 3 x 3 kernel is its middle.
        project: (L, outer, inner) second pointwise convolution.
        stem_norm: (2, width) gain and shift of the normalisation.
        expand_norm: (L, 2, inner).
        depthwise_norm: (L, 2, inner).
        project_norm: (L, 2, outer).
        classifier: (classes, width).
        bias: (classes,).
    """

    stem: Floats
    expand: Floats
    depthwise: Floats
    project: Floats
    stem_norm: Floats
    expand_norm: Floats
    depthwise_norm: Floats
    project_norm: Floats
    classifier: Floats
    bias: Floats


@kernel
def calibrated_scales(
    weights: Weights, widths: Integers, strides: Integers, subnet: Integers, images: Floats
) -> Floats:
    """Scale and shift (1 + 3 L, 2, C) of every normalisation, so that these images' maps have mean 0 and variance 1.

    Args:
        weights: of the supernet.
        widths: (S + 1,) channels of the stem and of each stage.
        strides: (S,) of each stage's first layer.
        subnet: (L, 2) kernel and expansion of each layer, 0 where there is none.
        images: (pixels, N) of a square image.
    """
    scales = np.zeros((1 + 3 * len(subnet), 2, weights.depthwise.shape[1]), dtype=np.float32)
    _features(weights, widths, strides, subnet, images, scales, True)
    return scales


@kernel
def count_right(
    weights: Weights,
    widths: Integers,
    strides: Integers,
    subnet: Integers,
    scales: Floats,
    images: Floats,
    classes: Integers,
) -> int:
    """How many images (pixels, N) of classes (N,) the subnet names rightly; of equal scores the first counts."""
    x = _features(weights, widths, strides, subnet, images, scales, False)
    channels, pixels, n = x.shape
    means = np.zeros((channels, n), dtype=np.float32)
    for c in range(channels):
        for p in range(pixels):
            for i in range(n):
                means[c, i] += x[c, p, i]
    right = 0
    for i in range(n):
        best, named = np.float32(-np.inf), -1
        for k in range(len(weights.bias)):
            score = np.float32(0.0)
            for c in range(channels):
                score += weights.classifier[k, c] * means[c, i]
            score = score / np.float32(pixels) + weights.bias[k]
            if score > best:
                best, named = score, k
        right += named == classes[i]
    return right


@inner_kernel
def _features(
    weights: Weights,
    widths: Integers,
    strides: Integers,
    subnet: Integers,
    images: Floats,
    scales: Floats,
    calibrate: bool,
) -> Floats:
    """Maps (width, pixels, N) after the last layer."""
    side = round(np.sqrt(len(images)))
    x = _spatial(images.reshape(1, len(images), -1), weights.stem, side, 3, 1)
    _normalise(x, weights.stem_norm, scales[0], calibrate, True)
    deepest = len(subnet) // len(strides)
    for layer in range(len(subnet)):
        size, expansion = subnet[layer]
        if size == 0:
            continue
        stage = layer // deepest
        first = layer % deepest == 0
        stride = strides[stage] if first else 1
        before = widths[stage] if first else widths[stage + 1]
        inner = expansion * before
        at = 1 + 3 * layer
        y = _pointwise(x, weights.expand[layer, :inner, :before])
        _normalise(y, weights.expand_norm[layer], scales[at], calibrate, True)
        y = _spatial(y, weights.depthwise[layer, :inner], side, size, stride)
        _normalise(y, weights.depthwise_norm[layer], scales[at + 1], calibrate, True)
        y = _pointwise(y, weights.project[layer, : widths[stage + 1], :inner])
        _normalise(y, weights.project_norm[layer], scales[at + 2], calibrate, False)
        if not first:
            _add(y, x)
        x = y
        side = (side + stride - 1) // stride
    return x


@inner_kernel
def _pointwise(x: Floats, weights: Floats) -> Floats:
    """(K, pixels, N) of (C, pixels, N) and weights (K, C); C a multiple of 4."""
    channels, pixels, n = x.shape
    length = pixels * n
    flat = x.reshape(channels, length)
    found = np.zeros((len(weights), length), dtype=np.float32)
    for start in range(0, length, _TILE):
        end = min(start + _TILE, length)
        for k in range(len(weights)):
            out = found[k, start:end]
            w = weights[k]
            for c in range(0, channels, 4):
                _add_four(
                    out,
                    w[c],
                    flat[c, start:end],
                    w[c + 1],
                    flat[c + 1, start:end],
                    w[c + 2],
                    flat[c + 2, start:end],
                    w[c + 3],
                    flat[c + 3, start:end],
                )
    return found.reshape(len(weights), pixels, n)


@inner_kernel
def _spatial(x: Floats, weights: Floats, side: int, size: int, stride: int) -> Floats:
    """(C, pixels / stride^2, N) of (C or 1, pixels, N): one kernel (C, taps) a channel, zeros around the image.

    Of kernels that are larger than ``size`` the middle counts.
    """
    held = round(np.sqrt(weights.shape[1]))
    margin, reach, out_side = (held - size) // 2, size // 2, (side + stride - 1) // stride
    found = np.zeros((len(weights), out_side * out_side, x.shape[2]), dtype=np.float32)
    taps = np.zeros(size * size + 3, dtype=np.float32)
    sources = np.zeros(size * size + 3, dtype=np.int64)
    for k in range(len(weights)):
        source = x[min(k, len(x) - 1)]
        for out_pixel in range(out_side * out_side):
            top = out_pixel // out_side * stride - reach
            left = out_pixel % out_side * stride - reach
            used = 0
            for row in range(max(0, -top), min(size, side - top)):
                for column in range(max(0, -left), min(size, side - left)):
                    taps[used] = weights[k, (row + margin) * held + column + margin]
                    sources[used] = (top + row) * side + left + column
                    used += 1
            taps[used : used + 3] = 0.0
            sources[used : used + 3] = sources[0]
            out = found[k, out_pixel]
            for t in range(0, used, 4):
                _add_four(
                    out,
                    taps[t],
                    source[sources[t]],
                    taps[t + 1],
                    source[sources[t + 1]],
                    taps[t + 2],
                    source[sources[t + 2]],
                    taps[t + 3],
                    source[sources[t + 3]],
                )
    return found


@inner_kernel
def _add_four(out: Floats, a: float, p: Floats, b: float, q: Floats, c: float, r: Floats, d: float, s: Floats) -> None:
    for i in range(len(out)):
        out[i] += (a * p[i] + b * q[i]) + (c * r[i] + d * s[i])


@inner_kernel
def _normalise(x: Floats, norm: Floats, scales: Floats, calibrate: bool, rectify: bool) -> None:
    """X * scale + shift in place, by channel; ``scales`` (2, C) is written first where ``calibrate``."""
    channels, pixels, n = x.shape
    for c in range(channels):
        if calibrate:
            _calibrate(x[c], norm[0, c], norm[1, c], scales[:, c])
        scale, shift = scales[0, c], scales[1, c]
        low = np.float32(0.0) if rectify else np.float32(-np.inf)
        row = x[c].reshape(pixels * n)
        for i in range(pixels * n):
            row[i] = max(row[i] * scale + shift, low)


@inner_kernel
def _calibrate(x: Floats, gain: float, shift: float, scale: Floats) -> None:
    """Write the scale and the shift after which maps (pixels, N) have mean ``shift`` and deviation ``gain``."""
    total = square = 0.0
    for i in range(x.shape[1]):
        for p in range(x.shape[0]):
            value = np.float64(x[p, i])
            total += value
            square += value * value
    mean = total / x.size
    scale[0] = gain / np.sqrt(square / x.size - mean * mean + EPSILON)
    scale[1] = shift - mean * scale[0]


@inner_kernel
def _add(x: Floats, y: Floats) -> None:
    one, other = x.reshape(x.size), y.reshape(y.size)
    for i in range(len(one)):
        one[i] += other[i]
