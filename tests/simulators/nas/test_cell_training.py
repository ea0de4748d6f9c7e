"""Cells are really trained: seeds independent of each other, the same bits again, better than guessing."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from archgym_simulators.nas.cell_network import CellNetwork  # noqa: E402
from archgym_simulators.nas.cell_training import train_cell  # noqa: E402
from archgym_simulators.nas.cells import function_groups  # noqa: E402
from archgym_simulators.nas.digits_task import test_images as held_back  # noqa: E402
from archgym_simulators.nas.digits_task import training_epoch, validation_images  # noqa: E402
from archgym_simulators.nas.skeleton import DIGITS, parameters_of  # noqa: E402
from archgym_simulators.nas.zero_cost import SCORES, scores_of  # noqa: E402

CELL = (3, 1, 2, 4, 0, 1)
EMPTY = (0, 3, 3, 0, 3, 0)


def test_images_are_fixed_where_they_must_be_and_digits_are_disjoint():
    assert validation_images().pixels.shape == held_back().pixels.shape == (2000, 10, 10)
    again = validation_images.__wrapped__()
    np.testing.assert_array_equal(again.pixels, validation_images().pixels)
    one, other = (training_epoch(np.random.default_rng(seed)) for seed in (0, 1))
    assert not np.array_equal(one.pixels, other.pixels)
    assert sorted(one.classes) == sorted(other.classes)


def test_training_gives_the_same_bits_again_and_learns():
    first, second = (train_cell(CELL, (0, 7), epochs=4) for _ in range(2))
    np.testing.assert_array_equal(first.validation, second.validation)
    np.testing.assert_array_equal(first.test, second.test)
    assert first.validation[:, -1].min() > 25.0, "ten classes are guessed with 10 %"
    assert (first.validation[0] != first.validation[1]).any()


def test_a_seed_is_trained_as_it_is_alone():
    both, alone = (train_cell(CELL, seeds, epochs=1) for seeds in ((0, 7), (7,)))
    np.testing.assert_array_equal(both.validation[1], alone.validation[0])


def test_the_network_has_the_parameters_that_the_formula_counts():
    counted = sum(parameter.numel() for parameter in CellNetwork(CELL, DIGITS, 0).parameters())
    assert counted == parameters_of(np.array([CELL]), DIGITS)[0]


def test_a_cell_without_output_guesses():
    assert function_groups()[1][function_groups()[0][0]] == ()
    trained = train_cell(EMPTY, (0,), epochs=1)
    assert trained.validation[0, 0] < 15.0


def test_scores_are_finite_repeatable_and_tell_a_deep_cell_from_an_empty_one():
    deep, again, empty = scores_of((3, 3, 3, 3, 3, 3), 0), scores_of((3, 3, 3, 3, 3, 3), 0), scores_of(EMPTY, 0)
    assert deep == again
    assert set(deep) == set(SCORES)
    assert np.isfinite(list(deep.values())).all()
    assert np.isfinite(list(empty.values())).all()
    assert all(deep[name] > empty[name] for name in SCORES)
