"""The space of cells: what folds, what is disconnected, and architecture strings in and out."""

import numpy as np
import pytest

from archgym_simulators.errors import InputError
from archgym_simulators.nas.cells import (
    SIZE,
    cell_of_text,
    cells_of_indices,
    function_groups,
    index_of_cells,
    live_edges,
    summands_of,
    text_of_cell,
)
from archgym_simulators.nas.digits_design import (
    EDGE_NAMES,
    RESNET,
    cell_space,
    classes_of_cells,
    connected_cells,
    convolutions_of_cells,
    designs_of_texts,
    live_cells,
    texts_of_rows,
)
from archgym_simulators.nas.skeleton import DIGITS, layers_of

ALL = cells_of_indices(np.arange(SIZE)).astype(np.int64)


def test_sizes_are_exact():
    assert (cell_space(20).size, cell_space(20).canonical_size) == (15_625, 5_260)
    assert (cell_space(None).size, cell_space(None).canonical_size) == (312_500, 105_200)
    for epochs in (20, None):
        space = cell_space(epochs)
        assert sum(len(chunk) for chunk in space.chunks(canonical=True)) == space.canonical_size


def test_what_folds_is_the_same_function_of_the_same_layers():
    space = cell_space(20)
    folded = space.canonical(ALL)
    np.testing.assert_array_equal(space.canonical(folded), folded)
    groups, convolutions = function_groups()[0], convolutions_of_cells()
    there = index_of_cells(folded)
    np.testing.assert_array_equal(groups[there], groups)
    np.testing.assert_array_equal(convolutions[there], convolutions)
    assert (there <= np.arange(SIZE)).all(), "the first of its class"
    for cell, other in zip(ALL[::619].tolist(), folded[::619].tolist(), strict=True):
        assert summands_of(tuple(cell)) == summands_of(tuple(other))
        shapes = [sorted(map(str, (one.shape for one in layers_of(tuple(c), DIGITS)))) for c in (cell, other)]
        assert shapes[0] == shapes[1]


def test_live_cells_are_those_of_live_edges():
    for index, cell in enumerate(ALL[::37].tolist()):
        kept = [operation if e in live_edges(tuple(cell)) else 0 for e, operation in enumerate(cell)]
        assert live_cells()[37 * index].tolist() == kept


def test_a_result_used_twice_and_two_convolutions_are_one_function_and_two_designs():
    once, twice = (3, 1, 0, 0, 1, 1), (3, 0, 0, 3, 1, 0)
    shared = (3, 0, 1, 0, 1, 1)
    assert summands_of(shared) == summands_of(twice) != summands_of(once)
    classes = classes_of_cells()[index_of_cells(np.array([shared, twice]))]
    assert classes[0] != classes[1]
    assert convolutions_of_cells()[index_of_cells(np.array([shared, twice]))].tolist() == [[0, 1], [0, 2]]


def test_epochs_survive_folding():
    space = cell_space(None)
    rows = space.sample(500, np.random.default_rng(0))
    np.testing.assert_array_equal(space.canonical(rows)[:, 6], rows[:, 6])
    assert space.parameter("epochs").role == "fidelity"


def test_341_cells_are_disconnected_and_one_design():
    connected = connected_cells()
    assert np.count_nonzero(~connected) == 341
    np.testing.assert_array_equal(~connected, function_groups()[0] == function_groups()[1].index(()))
    assert (cell_space(20).canonical(ALL[~connected]) == 0).all()


def test_strings_and_designs_are_bijective():
    texts = [text_of_cell(tuple(cell)) for cell in ALL[::97].tolist()]
    space = cell_space(None)
    rows = np.array([space.encode_row(design) for design in designs_of_texts(texts, epochs=7)])
    assert texts_of_rows(rows) == texts
    assert (rows[:, 6] == 6).all()
    assert set(designs_of_texts(texts, epochs=None)[0]) == set(EDGE_NAMES)
    assert cell_of_text("|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|") == RESNET


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("|none~0|+|none~0|none~1|", "architecture 2: .*3 nodes"),
        ("|3~0|+|0~0|0~1|+|1~0|0~1|1~2|", "architecture 2: unknown operation '3'"),
        ("|sep_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|", "did you mean 'nor_conv_3x3'"),
        ("|none~0|+|none~1|none~0|+|none~0|none~1|none~2|", "edge 0 of node 2"),
    ],
)
def test_malformed_strings_are_refused_with_their_place(text, sentence):
    good = text_of_cell(RESNET)
    with pytest.raises(InputError, match=sentence) as caught:
        designs_of_texts([good, text])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("epochs", [0, 21, -1, True])
def test_an_epoch_beyond_the_curve_is_refused(epochs):
    with pytest.raises(InputError, match=r"epochs must be a whole number 1\.\.20, as long as the curves are"):
        cell_space(epochs)
    with pytest.raises(InputError, match=r"1\.\.20"):
        designs_of_texts([text_of_cell(RESNET)], epochs=epochs)
