"""The trained supernet in a file: weights in half precision, and the digits that it is calibrated and judged on.

``supernet_weights.npz`` is made by ``python -m experiments.supernet train``; its card is the README of that experiment.
With the digits in it, looking at a subnet needs neither torch nor scikit-learn.
"""

from __future__ import annotations

__all__ = ["CALIBRATION", "COMMITTED", "SupernetFile", "read_supernet", "write_supernet"]

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError, MissingData
from archgym_simulators.nas.digits_task import TEST_SEED, VALIDATION_SEED, Images, digits_of, fixed_images
from archgym_simulators.nas.supernet_kernel import Weights
from archgym_simulators.nas.supernet_shape import CLASSES, DEEPEST, EXPANSIONS, KERNELS, STAGES, STEM, WIDTHS

COMMITTED = Path(__file__).with_name("supernet_weights.npz")
CALIBRATION = 256
"""Training images that give a subnet's normalisation its means and deviations."""

_DIGEST = "5acf6eac12efd0c9"
_TRAIN = "python -m experiments.supernet train"
_PARTS = ("training", "validation", "test")
_GREY = 16
_DIGIT = (8, 8)
_CALIBRATION_SEED, _JUDGE_SEED = 20205, 20206
_LAYERS, _INNER, _OUTER = STAGES * DEEPEST, EXPANSIONS[-1] * max(STEM, *WIDTHS), max(STEM, *WIDTHS)


@dataclass(frozen=True, eq=False)
class SupernetFile:
    """What is needed to look at a subnet.

    Attributes:
        weights: float32, each a half-precision number.
        digits: (D, 8, 8) by part: ``"training"`` (as many as calibration takes), ``"validation"``, ``"test"``.
        about: how it was trained, JSON-able.
        digest: content hash of the arrays.
    """

    weights: Weights
    digits: Mapping[str, Images]
    about: Mapping[str, Any]
    digest: str

    def calibration(self) -> Images:
        """Images of training digits that normalisation is calibrated on."""
        return fixed_images(self.digits["training"], _CALIBRATION_SEED, count=CALIBRATION)

    def validation(self) -> Images:
        """The 2,000 validation images of the task."""
        return fixed_images(self.digits["validation"], VALIDATION_SEED)

    def judged(self) -> Images:
        """2,000 further images of the validation digits, at other places under other noise."""
        return fixed_images(self.digits["validation"], _JUDGE_SEED)

    def test(self) -> Images:
        """The 2,000 test images of the task."""
        return fixed_images(self.digits["test"], TEST_SEED)


def read_supernet(path: str | Path | None = None) -> SupernetFile:
    """The supernet in a file; the committed one where None.

    Raises:
        MissingData: there is no file.
        InputError: the file is damaged or no such supernet.
    """
    file = COMMITTED if path is None else Path(path)
    try:
        stamp = file.stat().st_mtime_ns
    except OSError:
        raise MissingData(f"no trained supernet at {str(file)!r}; run: {_TRAIN}") from None
    return _read(file, stamp)


def write_supernet(path: Path, weights: Weights, about: Mapping[str, Any]) -> str:
    """Write a file in one piece; returns the digest. Needs scikit-learn for the digits."""
    arrays = {name: value.astype("<f2") for name, value in weights._asdict().items()}
    for part in _PARTS:
        digits = digits_of(part).head(CALIBRATION) if part == "training" else digits_of(part)
        arrays[f"{part}_digits"] = np.rint(digits.pixels * _GREY).astype(np.uint8)
        arrays[f"{part}_classes"] = digits.classes.astype(np.uint8)
    arrays["about"] = np.frombuffer(json.dumps(dict(about), sort_keys=True).encode(), dtype=np.uint8)
    _check(arrays)
    unfinished = path.with_suffix(".part.npz")
    np.savez_compressed(unfinished, allow_pickle=False, **arrays)
    unfinished.replace(path)
    return _digest_of(arrays)


@cache
def _read(file: Path, stamp: int) -> SupernetFile:
    del stamp  # a file that was written anew is read anew
    try:
        with np.load(BytesIO(file.read_bytes()), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in (*_SHAPES, *_digit_arrays(), "about")}
        about = json.loads(arrays["about"].tobytes())
        _check(arrays)
        digest = _digest_of(arrays)
        if file == COMMITTED and digest != _DIGEST:
            raise ValueError(f"its content {digest} is not the committed {_DIGEST}")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{str(file)!r} is no trained supernet: {str(error).splitlines()[0]}") from None
    weights = Weights(**{name: np.ascontiguousarray(arrays[name].astype(np.float32)) for name in _SHAPES})
    return SupernetFile(weights, {part: _digits_in(arrays, part) for part in _PARTS}, about, digest)


def _digits_in(arrays: Mapping[str, NDArray[Any]], part: str) -> Images:
    pixels = (arrays[f"{part}_digits"] / float(_GREY)).astype(np.float32)
    return Images(pixels, arrays[f"{part}_classes"].astype(np.int64))


def _digit_arrays() -> list[str]:
    return [f"{part}_{what}" for part in _PARTS for what in ("digits", "classes")]


_SHAPES: dict[str, tuple[int, ...]] = {
    "stem": (STEM, 9),
    "expand": (_LAYERS, _INNER, _OUTER),
    "depthwise": (_LAYERS, _INNER, KERNELS[-1] ** 2),
    "project": (_LAYERS, _OUTER, _INNER),
    "stem_norm": (2, STEM),
    "expand_norm": (_LAYERS, 2, _INNER),
    "depthwise_norm": (_LAYERS, 2, _INNER),
    "project_norm": (_LAYERS, 2, _OUTER),
    "classifier": (CLASSES, WIDTHS[-1]),
    "bias": (CLASSES,),
}


def _check(arrays: Mapping[str, NDArray[Any]]) -> None:
    for name, shape in _SHAPES.items():
        if arrays[name].shape != shape or arrays[name].dtype != np.float16:
            raise ValueError(f"{name} must be half precision {shape}, not {arrays[name].dtype} {arrays[name].shape}")
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name} must be finite")
    for part in _PARTS:
        digits, classes = arrays[f"{part}_digits"], arrays[f"{part}_classes"]
        if digits.shape[1:] != _DIGIT or classes.shape != digits.shape[:1] or not len(digits):
            raise ValueError(f"{part} must be digits of 8 x 8 with a class each, not {digits.shape}, {classes.shape}")
        if digits.dtype != np.uint8 or digits.max() > _GREY or classes.dtype != np.uint8 or classes.max() >= CLASSES:
            raise ValueError(f"{part} must have bytes 0..{_GREY} and classes 0..{CLASSES - 1}")


def _digest_of(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Of what the arrays hold; how well they are compressed does not matter."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        found.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape}\n".encode() + arrays[name].tobytes())
    return found.hexdigest()[:16]
