"""Edits of a cell named as in network morphism (Chen et al., Net2Net; Cai et al., EAS, AAAI 2018).

A morphism changes a network and keeps what it computes, so that training goes on instead of starting anew. In a cell of
fixed size there are three kinds of edits, one edge each:

- ``deepen``: a skip becomes a convolution (Net2DeeperNet: it starts as the identity).
- ``widen``: an edge that brought nothing brings something (it starts at weight 0), or a
  1 x 1 convolution becomes a 3 x 3 (its kernel starts with zeros around). Net2WiderNet itself, more channels, has no
  place here: a cell has the channels of its stage.
- ``change``: any other change of one edge, which keeps nothing.

The accuracies of the table are of trainings from scratch; the names order moves, they carry no weights over.
"""

from __future__ import annotations

__all__ = ["EDITS", "Edit", "edit_mask", "edits_of", "kind_of_edit"]

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nas.cells import CONV_1X1, CONV_3X3, EDGES, NONE, OPERATIONS, SKIP, Cell
from archgym_simulators.nearest import allowed_values, did_you_mean

EDITS = ("deepen", "widen", "change")


@dataclass(frozen=True)
class Edit:
    """One edge of a cell set to another operation.

    Attributes:
        kind: one of `EDITS`.
        edge: its number, in the order of `archgym_simulators.nas.cells.EDGES`.
        operation: what it does afterwards.
        cell: the cell afterwards.
    """

    kind: str
    edge: int
    operation: int
    cell: Cell


def kind_of_edit(before: int, after: int) -> str:
    """What it is called to change an edge's operation."""
    if before == SKIP and after in (CONV_1X1, CONV_3X3):
        return "deepen"
    if (before == NONE and after != NONE) or (before, after) == (CONV_1X1, CONV_3X3):
        return "widen"
    return "change"


def edits_of(cell: Cell, kinds: Collection[str] = EDITS) -> list[Edit]:
    """Every edit of the given kinds, by edge, then operation; all 24 of them where no kind is left out.

    >>> [edit.operation for edit in edits_of((1, 4, 4, 4, 4, 4), ("deepen",))]
    [2, 3]

    Raises:
        InputError: an unknown kind.
    """
    for kind in kinds:
        if kind not in EDITS:
            raise InputError(f"unknown edit {kind!r}{did_you_mean(kind, EDITS)}; allowed: {allowed_values(EDITS)}")
    found = []
    for edge in range(len(EDGES)):
        for operation in range(len(OPERATIONS)):
            kind = kind_of_edit(cell[edge], operation)
            if operation != cell[edge] and kind in kinds:
                found.append(Edit(kind, edge, operation, (*cell[:edge], operation, *cell[edge + 1 :])))
    return found


def edit_mask(cell: Cell, kinds: Collection[str] = EDITS) -> NDArray[np.bool_]:
    """Which actions (30,) of `archgym.envs.edit_view.EditView` are such edits: action 5 * edge + operation.

    Where epochs are a parameter, their actions follow these.
    """
    mask = np.zeros(len(EDGES) * len(OPERATIONS), dtype=bool)
    mask[[edit.edge * len(OPERATIONS) + edit.operation for edit in edits_of(cell, kinds)]] = True
    return mask
