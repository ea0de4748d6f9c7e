"""Subnets as rows: what is there, what is inert, how many there are."""

import numpy as np
import pytest

from archgym_simulators.errors import InputError
from archgym_simulators.nas.supernet_design import (
    BIGGEST,
    MIDDLE,
    SMALLEST,
    row_of_subnet,
    subnets_of_rows,
    supernet_space,
)


def test_a_stage_has_258_forms_and_the_space_their_cube():
    space = supernet_space(2000)
    assert sum(6**depth for depth in (1, 2, 3)) == 258
    assert (space.size, space.canonical_size) == (3**3 * 6**9, 258**3)
    assert supernet_space(None).canonical_size == 2 * 258**3


def test_named_subnets_are_what_they_are_called():
    smallest, middle, biggest = (subnets_of_rows(np.array([row]))[0].tolist() for row in (SMALLEST, MIDDLE, BIGGEST))
    assert smallest == [[3, 1], [0, 0], [0, 0]] * 3
    assert middle == [[3, 2], [3, 2], [0, 0]] * 3
    assert biggest == [[5, 3]] * 9


def test_rows_of_one_subnet_fold_to_one_row_and_back():
    space = supernet_space(2000)
    rows = space.sample(500, np.random.default_rng(0))
    folded = space.canonical(rows)
    assert (folded != rows).any()
    np.testing.assert_array_equal(subnets_of_rows(folded), subnets_of_rows(rows))
    for row, subnet in zip(folded.tolist(), subnets_of_rows(rows), strict=True):
        assert row_of_subnet(subnet) == tuple(row)


def test_a_readable_design_is_the_subnet_that_it_says():
    space = supernet_space(None)
    design = space.decode_row((*SMALLEST, 0))
    design.update(depth_2=2, kernel_2_2=5, expansion_2_2=3, kernel_2_3=5, images=2000)
    subnet = subnets_of_rows(space.encode_row(design)[None])[0]
    assert subnet[3:6].tolist() == [[3, 1], [5, 3], [0, 0]]


@pytest.mark.parametrize("images", [0, 1000, "500", True, 500.0])
def test_other_numbers_of_images_are_refused(images):
    with pytest.raises(InputError, match="images must be one of 500, 2000, not"):
        supernet_space(images)
