"""The design space of subnets: depth of every stage, kernel and expansion of every layer, and images looked at."""

from __future__ import annotations

__all__ = ["BIGGEST", "IMAGES", "MIDDLE", "SMALLEST", "row_of_subnet", "subnets_of_rows", "supernet_space"]

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.constraints import InertWhen
from archgym_simulators.errors import InputError
from archgym_simulators.nas.supernet_shape import DEEPEST, EXPANSIONS, KERNELS, STAGES
from archgym_simulators.parameters import Integer, Ordinal, Parameter
from archgym_simulators.space import DesignSpace, Rows

IMAGES = (500, 2000)
_GENES = STAGES + 2 * STAGES * DEEPEST

SMALLEST: tuple[int, ...] = (0,) * _GENES
MIDDLE: tuple[int, ...] = (1, *(0, 1), *(0, 1), *(0, 0)) * STAGES
BIGGEST: tuple[int, ...] = (DEEPEST - 1, *(len(KERNELS) - 1, len(EXPANSIONS) - 1) * DEEPEST) * STAGES
"""Index rows without images; the middle has two layers a stage, kernels of 3 and expansions of 2."""


def supernet_space(images: int | None) -> DesignSpace:
    """Subnets, 17,173,512 distinct of 272,097,792, with the validation images as a fidelity or a fixed number of them.

    Raises:
        InputError: a number of images that is not one of `IMAGES`.
    """
    if images is not None and (type(images) is not int or images not in IMAGES):
        raise InputError(f"images must be one of {', '.join(map(str, IMAGES))}, not {images!r}")
    parameters = list(_genes())
    if images is None:
        parameters.append(
            Ordinal(
                "images",
                IMAGES,
                "images",
                description="Validation images looked at; more cost more and leave less to luck.",
                role="fidelity",
                group="evaluation",
            )
        )
    return DesignSpace(parameters, inert=list(_inert()))


def subnets_of_rows(rows: Rows) -> NDArray[np.int64]:
    """Kernel and expansion (N, stages x deepest, 2) of every layer of rows (N, D); 0 where there is no layer."""
    stages = rows[:, :_GENES].reshape(len(rows), STAGES, 1 + 2 * DEEPEST)
    choices = stages[:, :, 1:].reshape(len(rows), STAGES, DEEPEST, 2)
    settings = np.stack([np.array(KERNELS)[choices[..., 0]], np.array(EXPANSIONS)[choices[..., 1]]], axis=-1)
    there = np.arange(DEEPEST) <= stages[:, :, :1]  # (N, S, deepest)
    return np.where(there[..., None], settings, 0).reshape(len(rows), STAGES * DEEPEST, 2).astype(np.int64)


def row_of_subnet(subnet: NDArray[np.int64]) -> tuple[int, ...]:
    """The canonical row, without images, of kernel and expansion (stages x deepest, 2) of every layer."""
    row: list[int] = []
    for stage in subnet.reshape(STAGES, DEEPEST, 2).tolist():
        present = [layer for layer in stage if layer[0]]
        row.append(len(present) - 1)
        for kernel, expansion in present:
            row += [KERNELS.index(kernel), EXPANSIONS.index(expansion)]
        row += [0, 0] * (DEEPEST - len(present))
    return tuple(row)


def _genes() -> Iterator[Parameter]:
    for stage in range(1, STAGES + 1):
        group = f"stage {stage}"
        yield Integer(f"depth_{stage}", 1, DEEPEST, description=f"Layers of stage {stage}.", group=group)
        for layer in range(1, DEEPEST + 1):
            where = f"of layer {layer} of stage {stage}"
            yield Ordinal(
                f"kernel_{stage}_{layer}",
                KERNELS,
                "pixels",
                description=f"Side of the depthwise convolution {where}.",
                group=group,
            )
            yield Ordinal(
                f"expansion_{stage}_{layer}",
                EXPANSIONS,
                description=f"Channels inside over channels coming in, {where}.",
                group=group,
            )


def _inert() -> Iterator[InertWhen]:
    for stage in range(1, STAGES + 1):
        for layer in range(2, DEEPEST + 1):
            for name in ("kernel", "expansion"):
                yield InertWhen(f"{name}_{stage}_{layer}", f"depth_{stage}", tuple(range(1, layer)))
