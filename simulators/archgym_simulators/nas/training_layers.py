"""Layers that train themselves on the maps of a batch: normalised convolutions, a cell, the residual halving.

``forward`` writes maps, or adds to them; ``backward`` does so with the gradient of the input, and notes that of the
weights, which are parts of one vector.
"""

from __future__ import annotations

__all__ = ["CellLayer", "Convolution", "HalvingLayer", "Normalisation", "NormalisedConvolution", "Supplies"]

from math import sqrt

import numpy as np

from archgym_simulators.nas.cells import CONV_1X1, CONV_3X3, EDGES, NODES, POOL, SKIP, Cell, live_edges
from archgym_simulators.nas.convolution_kernels import convolve_1x1, convolve_3x3, gradient_of_1x1, gradient_of_3x3
from archgym_simulators.nas.map_kernels import (
    Floats,
    add_boxes,
    add_kept,
    add_maps,
    add_spread,
    add_weighted,
    dilate,
    halve,
    maps,
    normalise,
    normalise_back,
    rectify,
)


class Supplies:
    """What layers are built from: parts of one vector of weights and of its gradient, and maps shared as scratch.

    Args:
        capacity: at least the number of weights.
        rng: draws initial weights, layer by layer.
    """

    def __init__(self, capacity: int, rng: np.random.Generator) -> None:
        self._values = np.zeros(capacity, dtype=np.float32)
        self._gradients = np.zeros(capacity, dtype=np.float32)
        self._rng = rng
        self._used = 0
        self._scratch: dict[tuple[int, int], Floats] = {}

    @property
    def weights(self) -> Floats:
        return self._values[: self._used]

    @property
    def gradients(self) -> Floats:
        return self._gradients[: self._used]

    def constant(self, shape: tuple[int, ...], value: float) -> tuple[Floats, Floats]:
        """Weights of one value, and their gradient."""
        part = slice(self._used, self._used + int(np.prod(shape)))
        self._used = part.stop
        weights = self._values[part].reshape(shape)
        weights[...] = value
        return weights, self._gradients[part].reshape(shape)

    def normal(self, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
        """He's normal initialisation of weights (outputs, ...), and their gradient."""
        weights, gradients = self.constant(shape, 0.0)
        weights[...] = self._rng.normal(0.0, sqrt(2.0 / np.prod(shape[1:])), shape)
        return weights, gradients

    def scratch(self, channels: int, side: int) -> Floats:
        """Maps that hold something during one call only: they stay in the cache."""
        return self._scratch.setdefault((channels, side), maps(channels, side))


class Convolution:
    """3 x 3 or 1 x 1 convolution without bias, of stride 1 or 2."""

    def __init__(self, supplies: Supplies, before: int, after: int, kernel: int, side: int, stride: int = 1) -> None:
        shape = (after, before) if kernel == 1 else (after, before, 3, 3)
        self._weights, self._found = supplies.normal(shape)
        self._stride = stride
        self._dilated = maps(after, stride * side) if stride > 1 else None

    def forward(self, x: Floats, out: Floats) -> None:
        """Write the convolution."""
        if self._weights.ndim == 2:
            convolve_1x1(x, self._weights, True, out)
        else:
            convolve_3x3(x, self._weights, self._stride, True, out)

    def learn(self, x: Floats, gradient: Floats) -> None:
        """Write the gradient of the weights."""
        if self._weights.ndim == 2:
            gradient_of_1x1(x, gradient, self._found)
        else:
            gradient_of_3x3(x, gradient, self._stride, self._found)

    def backward(self, gradient: Floats, fresh: bool, out: Floats) -> None:
        """Write, or add where not ``fresh``, the gradient of the input."""
        if self._weights.ndim == 2:
            convolve_1x1(gradient, np.ascontiguousarray(self._weights.T), fresh, out)
            return
        if self._dilated is not None:
            dilate(gradient, self._dilated)
            gradient = self._dilated
        turned = np.ascontiguousarray(self._weights[:, :, ::-1, ::-1].swapaxes(0, 1))
        convolve_3x3(gradient, turned, 1, fresh, out)


class Normalisation:
    """Batch normalisation with gain and shift."""

    def __init__(self, supplies: Supplies, channels: int) -> None:
        self._affine, self._found = supplies.constant((2, channels), 0.0)
        self._affine[0] = 1.0
        self._moments = np.zeros((2, channels), dtype=np.float32)
        self._running = np.stack([np.zeros(channels), np.ones(channels)]).astype(np.float32)

    def forward(self, x: Floats, fresh: bool, out: Floats, *, training: bool) -> None:
        """Write, or add where not ``fresh``, the normalised maps."""
        normalise(x, self._affine, self._moments, self._running, training, fresh, out)

    def backward(self, x: Floats, gradient: Floats, out: Floats) -> None:
        """Write the gradient of the input."""
        normalise_back(x, gradient, self._affine, self._moments, self._found, out)


class NormalisedConvolution:
    """Convolution and batch normalisation, of rectified maps."""

    def __init__(self, supplies: Supplies, before: int, after: int, kernel: int, side: int, stride: int = 1) -> None:
        self._convolution = Convolution(supplies, before, after, kernel, side, stride)
        self._normalisation = Normalisation(supplies, after)
        self._convolved, self._inner = maps(after, side), supplies.scratch(after, side)

    def forward(self, x: Floats, fresh: bool, out: Floats, *, training: bool) -> None:
        self._convolution.forward(x, self._convolved)
        self._normalisation.forward(self._convolved, fresh, out, training=training)

    def backward(self, x: Floats, gradient: Floats, fresh: bool, out: Floats) -> None:
        self._normalisation.backward(self._convolved, gradient, self._inner)
        self._convolution.learn(x, self._inner)
        self._convolution.backward(self._inner, fresh, out)


class Pool:
    """Mean of the 3 x 3 pixels that lie inside the image."""

    def __init__(self, supplies: Supplies, channels: int, side: int) -> None:
        inside = np.full(side, 3.0)
        inside[[0, -1]] = 2.0
        self._shares = (1.0 / np.outer(inside, inside)).astype(np.float32)
        self._between = supplies.scratch(channels, side)

    def forward(self, x: Floats, fresh: bool, out: Floats, *, training: bool) -> None:
        add_boxes(x, True, self._between)
        add_weighted(self._between, self._shares, fresh, out)

    def backward(self, x: Floats, gradient: Floats, fresh: bool, out: Floats) -> None:
        add_weighted(gradient, self._shares, True, self._between)
        add_boxes(self._between, fresh, out)


class Skip:
    """The identity."""

    def forward(self, x: Floats, fresh: bool, out: Floats, *, training: bool) -> None:
        add_maps(x, fresh, out)

    def backward(self, x: Floats, gradient: Floats, fresh: bool, out: Floats) -> None:
        add_maps(gradient, fresh, out)


Operation = NormalisedConvolution | Pool | Skip


class CellLayer:
    """A cell; its edges that reach no output are left out.

    Attributes:
        nodes: maps of the four nodes; the first is the input, the last the output.
        gradients: the same for the gradients.
    """

    def __init__(self, supplies: Supplies, cell: Cell, width: int, side: int) -> None:
        self._edges = [(*EDGES[e], _operation(supplies, cell[e], width, side)) for e in live_edges(cell)]
        self._rectified = {
            source: maps(width, side)
            for _, source, operation in self._edges
            if isinstance(operation, NormalisedConvolution)
        }
        self._outer = maps(width, side)
        self.nodes = [maps(width, side) for _ in range(NODES)]
        self.gradients = [maps(width, side) for _ in range(NODES)]

    def forward(self, *, training: bool) -> None:
        """From the first node's maps to the last's."""
        for node in range(NODES):
            fresh = True
            for to, source, operation in self._edges:
                if to == node:
                    x = self._read_by(operation, source)
                    operation.forward(x, fresh, self.nodes[to], training=training)
                    fresh = False
            if node in self._rectified:
                rectify(self.nodes[node], self._rectified[node])

    def _read_by(self, operation: Operation, source: int) -> Floats:
        convolves = isinstance(operation, NormalisedConvolution)
        return self._rectified[source] if convolves else self.nodes[source]

    def backward(self) -> None:
        """From the last node's gradient to the first's."""
        for node in reversed(range(NODES - 1)):
            fresh = self._through_convolutions(node)
            for to, source, operation in self._edges:
                if source == node and not isinstance(operation, NormalisedConvolution):
                    operation.backward(self.nodes[source], self.gradients[to], fresh, self.gradients[source])
                    fresh = False

    def _through_convolutions(self, node: int) -> bool:
        """Write the part of a node's gradient that comes through convolutions; whether there is none."""
        if node not in self._rectified:
            return True
        fresh = True
        for to, source, operation in self._edges:
            if source == node and isinstance(operation, NormalisedConvolution):
                operation.backward(self._rectified[node], self.gradients[to], fresh, self._outer)
                fresh = False
        add_kept(self._outer, self.nodes[node], True, self.gradients[node])
        return False


def _operation(supplies: Supplies, operation: int, width: int, side: int) -> Operation:
    if operation == POOL:
        return Pool(supplies, width, side)
    if operation == SKIP:
        return Skip()
    kernels = {CONV_1X1: 1, CONV_3X3: 3}
    return NormalisedConvolution(supplies, width, width, kernels[operation], side)


class HalvingLayer:
    """The residual block between two stages: half the side, twice the channels."""

    def __init__(self, supplies: Supplies, before: int, after: int, side: int) -> None:
        self._first = NormalisedConvolution(supplies, before, after, 3, side, stride=2)
        self._second = NormalisedConvolution(supplies, after, after, 3, side)
        self._shortcut = Convolution(supplies, before, after, 1, side)
        self._input, self._input_gradient = maps(before, 2 * side), maps(before, 2 * side)
        self._between, self._rectified = maps(after, side), maps(after, side)
        self._between_gradient, self._rectified_gradient = maps(after, side), maps(after, side)
        self._halved, self._halved_gradient = maps(before, side), maps(before, side)

    def forward(self, x: Floats, out: Floats, *, training: bool) -> None:
        """Write the block's maps."""
        rectify(x, self._input)
        self._first.forward(self._input, True, self._between, training=training)
        rectify(self._between, self._rectified)
        halve(x, self._halved)
        self._shortcut.forward(self._halved, out)
        self._second.forward(self._rectified, False, out, training=training)

    def backward(self, x: Floats, gradient: Floats, out: Floats) -> None:
        """Write the gradient of the input."""
        self._second.backward(self._rectified, gradient, True, self._rectified_gradient)
        add_kept(self._rectified_gradient, self._between, True, self._between_gradient)
        self._first.backward(self._input, self._between_gradient, True, self._input_gradient)
        add_kept(self._input_gradient, x, True, out)
        self._shortcut.learn(self._halved, gradient)
        self._shortcut.backward(gradient, True, self._halved_gradient)
        add_spread(self._halved_gradient, out)
