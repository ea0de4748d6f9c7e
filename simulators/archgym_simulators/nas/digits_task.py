"""The jitter-digits task: handwritten digits at random places of a small canvas, under noise.

The 1,797 digits of 8 x 8 pixels that scikit-learn ships (UCI Optical Recognition of Handwritten Digits, test part) are
too easy: every network reaches 98 %. On a canvas of 10 x 10 pixels, at one of nine places and with noise, networks
differ. Training images are drawn anew in every epoch; validation and test images are fixed, and come from other digits.
"""

from __future__ import annotations

__all__ = [
    "CLASSES",
    "NOISE",
    "SIDE",
    "TEST_SEED",
    "VALIDATION_SEED",
    "Images",
    "digits_of",
    "fixed_images",
    "test_images",
    "training_epoch",
    "validation_images",
]

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import import_extra

SIDE = 10
CLASSES = 10
NOISE = 0.15
_DIGIT_SIDE = 8
_PLACES = SIDE - _DIGIT_SIDE + 1
_EVALUATED = 2000
_DIGITS_OF = {"training": (0, 1000), "validation": (1000, 1400), "test": (1400, 1797)}
_SPLIT_SEED, VALIDATION_SEED, TEST_SEED = 20201, 20202, 20203


@dataclass(frozen=True)
class Images:
    """Images (N, 10, 10) float32, about 0, and their classes (N,) int64."""

    pixels: NDArray[np.float32]
    classes: NDArray[np.int64]

    def head(self, n: int) -> Images:
        """The first ``n``."""
        return Images(self.pixels[:n], self.classes[:n])


@cache
def validation_images() -> Images:
    """2,000 fixed images of 400 digits, five of each."""
    return fixed_images(digits_of("validation"), VALIDATION_SEED)


@cache
def test_images() -> Images:
    """2,000 fixed images of 397 digits that no training or search sees."""
    return fixed_images(digits_of("test"), TEST_SEED)


def training_epoch(rng: np.random.Generator) -> Images:
    """The 1,000 training digits in a new order, each at a new place under new noise."""
    digits = digits_of("training")
    order = rng.permutation(len(digits.classes))
    return _jittered(digits, order, rng)


def fixed_images(digits: Images, seed: int, *, count: int = _EVALUATED) -> Images:
    """Read-only images of digits (D, 8, 8), each in turn, at places and under noise that the seed gives."""
    which = np.arange(count) % len(digits.classes)
    images = _jittered(digits, which, np.random.default_rng(seed))
    images.pixels.flags.writeable = images.classes.flags.writeable = False
    return images


def _jittered(digits: Images, which: NDArray[np.int64], rng: np.random.Generator) -> Images:
    places = rng.integers(_PLACES, size=(2, len(which), 1))
    canvas = rng.normal(0.0, NOISE, size=(len(which), SIDE, SIDE)).astype(np.float32)
    rows, columns = places + np.arange(_DIGIT_SIDE)  # (N, 8) each
    image = np.arange(len(which))[:, None, None]
    canvas[image, rows[:, :, None], columns[:, None, :]] += digits.pixels[which]
    return Images(canvas, digits.classes[which])


@cache
def digits_of(part: str) -> Images:
    """The digits (D, 8, 8) from 0 to 1 of ``"training"``, ``"validation"`` or ``"test"``, in a fixed random order.

    Raises:
        MissingExtra: scikit-learn, which ships them, is not installed.
    """
    bunch = import_extra("sklearn.datasets", "nas").load_digits()
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(bunch.target))[slice(*_DIGITS_OF[part])]
    return Images((bunch.images[order] / 16.0).astype(np.float32), bunch.target[order].astype(np.int64))
