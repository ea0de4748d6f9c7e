"""The jitter-digits network around a cell, for training: compiled layers, softmax loss, stochastic gradient descent."""

from __future__ import annotations

__all__ = ["TrainingNetwork"]

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.nas.cells import Cell
from archgym_simulators.nas.map_kernels import BATCH, Floats, add_kept, maps, rectify
from archgym_simulators.nas.skeleton import DIGITS, parameters_of
from archgym_simulators.nas.training_layers import CellLayer, Convolution, HalvingLayer, Normalisation, Supplies

_MOMENTUM, _DECAY = 0.9, 5e-4


class TrainingNetwork:
    """Stem, cell, residual halving, cell, pooling, classifier; a batch has 100 images.

    Args:
        cell: its edges that reach no output are left out.
        rng: draws the initial weights.
    """

    def __init__(self, cell: Cell, rng: np.random.Generator) -> None:
        (narrow, wide), (large, small) = DIGITS.widths(), DIGITS.sides()
        self.supplies = Supplies(int(parameters_of(np.array([cell]), DIGITS)[0]), rng)
        self._velocity = np.zeros(0, dtype=np.float32)
        self._images = maps(1, large)
        self._stem = Convolution(self.supplies, 1, narrow, 3, large)
        self._stem_normalisation = Normalisation(self.supplies, narrow)
        self._first = CellLayer(self.supplies, cell, narrow, large)
        self._halving = HalvingLayer(self.supplies, narrow, wide, small)
        self._second = CellLayer(self.supplies, cell, wide, small)
        self._last_normalisation = Normalisation(self.supplies, wide)
        self._classifier, self._classifier_found = self.supplies.normal((DIGITS.classes, wide))
        self._bias, self._bias_found = self.supplies.constant((DIGITS.classes,), 0.0)
        self._stem_maps, self._stem_gradient = maps(narrow, large), maps(narrow, large)
        self._normalised, self._rectified = maps(wide, small), maps(wide, small)
        self._rectified_gradient, self._normalised_gradient = maps(wide, small), maps(wide, small)
        self._velocity = np.zeros_like(self.supplies.weights)

    def logits(self, pixels: Floats, *, training: bool = False) -> Floats:
        """Logits (100, classes) of images (100, S, S)."""
        side = DIGITS.image
        self._images.reshape(1, side + 2, side + 2, BATCH)[0, 1:-1, 1:-1] = pixels.transpose(1, 2, 0)
        self._stem.forward(self._images, self._stem_maps)
        self._stem_normalisation.forward(self._stem_maps, True, self._first.nodes[0], training=training)
        self._first.forward(training=training)
        self._halving.forward(self._first.nodes[-1], self._second.nodes[0], training=training)
        self._second.forward(training=training)
        self._last_normalisation.forward(self._second.nodes[-1], True, self._normalised, training=training)
        rectify(self._normalised, self._rectified)
        return np.asarray((self._classifier @ self._features()).T + self._bias)

    def _features(self) -> Floats:
        """Means (C, 100) over an image's pixels; the frame is zero."""
        small = DIGITS.sides()[-1]
        total = self._rectified.reshape(len(self._rectified), -1, BATCH).sum(axis=1)
        return np.asarray(total / np.float32(small * small))

    def learn(self, pixels: Floats, classes: NDArray[np.int64]) -> None:
        """Write the gradient of the mean cross-entropy of images (100, S, S) with classes (100,) for all weights."""
        logits = self.logits(pixels, training=True)
        likely = np.exp(logits - logits.max(axis=1, keepdims=True))
        error = likely / likely.sum(axis=1, keepdims=True)
        error[np.arange(BATCH), classes] -= 1.0
        error /= BATCH
        self._classifier_found[...] = error.T @ self._features().T
        self._bias_found[...] = error.sum(axis=0)
        self._spread((error @ self._classifier).T)
        add_kept(self._rectified_gradient, self._normalised, True, self._normalised_gradient)
        self._last_normalisation.backward(self._second.nodes[-1], self._normalised_gradient, self._second.gradients[-1])
        self._second.backward()
        self._halving.backward(self._first.nodes[-1], self._second.gradients[0], self._first.gradients[-1])
        self._first.backward()
        self._stem_normalisation.backward(self._stem_maps, self._first.gradients[0], self._stem_gradient)
        self._stem.learn(self._images, self._stem_gradient)

    def _spread(self, gradient: Floats) -> None:
        """Give every pixel its part of the features' gradient (C, 100)."""
        small = DIGITS.sides()[-1]
        pixels = self._rectified_gradient.reshape(len(gradient), small + 2, small + 2, BATCH)[:, 1:-1, 1:-1]
        pixels[...] = gradient[:, None, None] / np.float32(small * small)

    def step(self, rate: float) -> None:
        """Descend along the gradient, with Nesterov's momentum and weight decay."""
        gradients = self.supplies.gradients + np.float32(_DECAY) * self.supplies.weights
        self._velocity *= np.float32(_MOMENTUM)
        self._velocity += gradients
        gradients += np.float32(_MOMENTUM) * self._velocity
        self.supplies.weights[...] -= np.float32(rate) * gradients
