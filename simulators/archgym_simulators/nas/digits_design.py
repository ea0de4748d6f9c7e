"""The design space of measured cells: six edges and, unless it is fixed, the epochs trained."""

from __future__ import annotations

__all__ = [
    "EDGE_NAMES",
    "RESNET",
    "CellSpace",
    "cell_space",
    "classes_of_cells",
    "connected_cells",
    "convolutions_of_cells",
    "designs_of_texts",
    "live_cells",
    "texts_of_rows",
]

from collections.abc import Iterator, Sequence
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nas.cells import (
    CONV_1X1,
    CONV_3X3,
    EDGES,
    NODES,
    NONE,
    OPERATIONS,
    SIZE,
    Cell,
    cell_of_text,
    cells_of_indices,
    function_groups,
    index_of_cells,
    text_of_cell,
)
from archgym_simulators.nas.digits_table import EPOCHS
from archgym_simulators.parameters import Categorical, Integer, Parameter
from archgym_simulators.space import Design, DesignSpace, Rows

EDGE_NAMES = tuple(f"edge_{source}to{to}" for to, source in EDGES)
_NODES = ("the cell's input", "node 1", "node 2", "the cell's output")

RESNET: Cell = (3, 0, 3, 1, 0, 1)
"""Two convolutions in a row beside a skip: the residual block, which NAS-Bench-201 holds up as a reference, too."""


class CellSpace(DesignSpace):
    """Cells, folded to the first by index that is the same function of as many convolutions.

    Args:
        with_epochs: whether the epochs trained are a parameter.
    """

    def __init__(self, *, with_epochs: bool) -> None:
        parameters: list[Parameter] = [
            Categorical(
                name,
                OPERATIONS,
                description=f"What is done on the way from {_NODES[source]} to {_NODES[to]}; "
                "nodes add up what arrives, 'none' brings nothing.",
                group="cell",
            )
            for name, (to, source) in zip(EDGE_NAMES, EDGES, strict=True)
        ]
        if with_epochs:
            parameters.append(
                Integer(
                    "epochs",
                    1,
                    EPOCHS,
                    unit="epochs",
                    description=f"Epochs trained of a schedule of {EPOCHS}; more cost more and say more about the end.",
                    role="fidelity",
                    group="training",
                )
            )
        super().__init__(parameters)

    def canonical(self, rows: Rows) -> Rows:
        folded = rows.copy()
        folded[:, : len(EDGES)] = _first_cells()[index_of_cells(rows[:, : len(EDGES)])]
        return folded

    @cached_property
    def canonical_size(self) -> int:
        fidelities: int = self.size // SIZE
        return len(np.unique(classes_of_cells())) * fidelities


def cell_space(epochs: int | None) -> CellSpace:
    """The space with the epochs as a parameter (312,500 designs), or with a fixed number of them (15,625).

    Raises:
        InputError: an epoch beyond the curve.
    """
    if epochs is not None and (type(epochs) is not int or not 1 <= epochs <= EPOCHS):
        raise InputError(f"epochs must be a whole number 1..{EPOCHS}, as long as the curves are, not {epochs!r}")
    return CellSpace(with_epochs=epochs is None)


@cache
def classes_of_cells() -> NDArray[np.int64]:
    """The class (15,625) of every cell by index, in order of first occurrence: 5,260.

    Cells of a class are the same function of the same number of 1 x 1 and 3 x 3 convolutions that reach the output, so
    every metric is equal. There are fewer functions, 4,930: one convolution whose result is used twice, and two of the
    same input, are one function to `function_groups` but differ in parameters and time.
    """
    groups, _ = function_groups()
    counts = convolutions_of_cells()
    known: dict[tuple[int, ...], int] = {}
    keys = np.column_stack([groups, counts]).tolist()
    classes = np.array([known.setdefault(tuple(key), len(known)) for key in keys], dtype=np.int64)
    classes.flags.writeable = False
    return classes


@cache
def live_cells() -> NDArray[np.int64]:
    """Every cell by index (15,625, 6) with 'none' on the edges that carry nothing to the output."""
    cells = cells_of_indices(np.arange(SIZE)).astype(np.int64)
    brings = cells != NONE
    reached, needed = np.zeros((2, NODES, SIZE), dtype=bool)
    reached[0] = needed[-1] = True
    for e, (to, source) in enumerate(EDGES):  # edges come in the order of their targets
        reached[to] |= brings[:, e] & reached[source]
    for e, (to, source) in reversed(list(enumerate(EDGES))):
        needed[source] |= brings[:, e] & needed[to]
    for e, (to, source) in enumerate(EDGES):
        cells[~(reached[source] & needed[to]), e] = NONE
    cells.flags.writeable = False
    return cells


def convolutions_of_cells() -> NDArray[np.int64]:
    """How many 1 x 1 and 3 x 3 convolutions of each cell by index reach the output: (15,625, 2)."""
    return np.stack([np.count_nonzero(live_cells() == kind, axis=1) for kind in (CONV_1X1, CONV_3X3)], axis=1)


def connected_cells() -> NDArray[np.bool_]:
    """Whether something of the input reaches the output, of each cell by index (15,625,); of 341 nothing does."""
    return np.asarray((live_cells() != NONE).any(axis=1))


def designs_of_texts(texts: Sequence[str], *, epochs: int | None = EPOCHS) -> list[Design]:
    """Readable designs of architecture strings, as `archgym.evaluate` and CSV files take them.

    >>> designs_of_texts(["|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"])[0]["edge_0to1"]
    'nor_conv_3x3'

    Args:
        texts: in the form of NAS-Bench-201; other libraries' numbers of operations are no substitute.
        epochs: trained; None where the space fixes them.

    Raises:
        InputError: a malformed string, with its place counted from 1, or an epoch beyond the curve.
    """
    cell_space(epochs)
    trained = {} if epochs is None else {"epochs": epochs}
    return [{**dict(zip(EDGE_NAMES, names, strict=True)), **trained} for names in _operations(texts)]


def texts_of_rows(rows: Rows) -> list[str]:
    """Architecture strings of rows (N, D) of a `CellSpace`."""
    return [text_of_cell(tuple(cell)) for cell in rows[:, : len(EDGES)].tolist()]


def _operations(texts: Sequence[str]) -> Iterator[list[str]]:
    for number, text in enumerate(texts, start=1):
        try:
            yield [OPERATIONS[operation] for operation in cell_of_text(text)]
        except InputError as error:
            raise InputError(f"architecture {number}: {error}") from None


@cache
def _first_cells() -> NDArray[np.int64]:
    """The first cell (15,625, 6) of every cell's class."""
    classes = classes_of_cells()
    _, first = np.unique(classes, return_index=True)
    cells = cells_of_indices(first).astype(np.int64)[classes]
    cells.flags.writeable = False
    return cells
