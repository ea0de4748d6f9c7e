"""Cells of NAS-Bench-201: exchange by string, functional identity, parameters and MACs."""

from pathlib import Path

import numpy as np
import pandas as pd
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
from archgym_simulators.nas.skeleton import CIFAR10, CIFAR100, DIGITS, IMAGENET16, layers_of, macs_of, parameters_of

TABLE = Path(__file__).parents[4] / "shared/refs/nas/nb201_accuracy.parquet"
ALL = cells_of_indices(np.arange(SIZE))


@pytest.fixture(scope="module")
def official():
    if not TABLE.is_file():
        pytest.skip(f"{TABLE.name} is not beside the project")
    return pd.read_parquet(TABLE)


def test_indices_and_strings_are_bijective():
    assert np.array_equal(index_of_cells(ALL), np.arange(SIZE))
    texts = [text_of_cell(tuple(cell)) for cell in ALL.tolist()]
    assert len(set(texts)) == SIZE
    assert all(list(cell_of_text(text)) == cell for text, cell in zip(texts, ALL.tolist(), strict=True))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("|none~0|+|none~0|none~1|", "3 nodes"),
        ("|none~0|+|none~0|+|none~0|none~1|none~2|", "node 2 of an architecture must have 2 edges"),
        ("|none~0|+|none~1|none~0|+|none~0|none~1|none~2|", "edge 0 of node 2"),
        ("|nor_conv_3x4~0|+|none~0|none~1|+|none~0|none~1|none~2|", "did you mean 'nor_conv_3x3'"),
    ],
)
def test_malformed_strings_are_refused_in_one_line(text, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        cell_of_text(text)
    assert "\n" not in str(caught.value)


def test_there_are_4930_functions_and_341_cells_without_an_output():
    groups, sums = function_groups()
    assert len(sums) == 4930
    empty = groups == sums.index(())
    assert np.count_nonzero(empty) == 341
    assert [not live_edges(tuple(cell)) for cell in ALL.tolist()] == empty.tolist()


def test_what_a_function_is():
    assert summands_of((1, 0, 3, 0, 0, 1)) == summands_of((0, 3, 0, 0, 0, 1)), "to skip, then convolve, is to convolve"
    assert summands_of((3, 0, 0, 0, 1, 0)) == summands_of((0, 0, 0, 3, 0, 0)), "and the other way round"
    assert summands_of((2, 0, 0, 2, 0, 0)) == summands_of((0, 0, 0, 2, 0, 0)), "what reaches no output is nothing"
    assert len(summands_of((2, 0, 0, 2, 1, 0))) == 2, "two convolutions of one source stay two"
    assert summands_of((2, 0, 3, 0, 0, 1)) != summands_of((3, 0, 2, 0, 0, 1)), "order matters"


def test_functions_parameters_and_macs_equal_the_official_ones(official):
    cells = official[[f"e{edge}" for edge in range(6)]].to_numpy()
    assert [text_of_cell(tuple(cell)) for cell in cells.tolist()] == official.arch_str.tolist()
    ours = function_groups()[0][index_of_cells(cells)]
    pairs = {(a, b) for a, b in zip(ours.tolist(), official.func_group.tolist(), strict=True)}
    assert len(pairs) == 4930, "the same partition, numbered differently"
    for skeleton, name in ((CIFAR10, "cifar10"), (CIFAR100, "cifar100"), (IMAGENET16, "in16")):
        assert np.array_equal(parameters_of(cells, skeleton), official[f"params_{name}"])
        assert np.array_equal(macs_of(cells, skeleton), official[f"flops_{name}"])


@pytest.mark.parametrize("skeleton", [CIFAR10, DIGITS])
def test_layers_do_the_macs_of_what_is_reached(skeleton):
    for cell in ALL[::997].tolist():
        reached = live_edges(tuple(cell))
        kept = np.array([[operation if e in reached else 0 for e, operation in enumerate(cell)]])
        layers = layers_of(tuple(cell), skeleton)
        assert sum(layer.total_macs for layer in layers) == macs_of(kept, skeleton)[0] - skeleton.classes
        assert len({layer.name for layer in layers}) == len(layers)
