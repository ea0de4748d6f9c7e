"""Operands: formats, distributions, histograms, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from archgym_simulators.errors import InputError
from archgym_simulators.tpe.operands import code_probabilities, distribution_of, draw_codes, read_histogram
from archgym_simulators.tpe.precision import PRECISIONS, precision_of


@pytest.mark.parametrize("name", PRECISIONS)
@pytest.mark.parametrize("spec", ["normal:25", "laplace:10", "uniform"])
def test_probabilities_sum_to_one_and_draws_follow_them(name, spec):
    precision, distribution = precision_of(name), distribution_of(spec)
    probabilities = code_probabilities(distribution, precision)
    assert probabilities.shape == (2**precision.bits,)
    assert probabilities.sum() == pytest.approx(1.0)
    drawn = draw_codes(distribution, precision, n=20_000, rng=np.random.default_rng(0))
    mean = probabilities @ np.abs(np.arange(-(2 ** (precision.bits - 1)), 2 ** (precision.bits - 1)))
    assert np.abs(drawn).mean() == pytest.approx(mean, rel=0.05, abs=0.01)


@pytest.mark.parametrize(
    ("name", "largest", "shift", "count"),
    [("e2m1", 3, 2, 8), ("e4m3", 15, 14, 128), ("e5m2", 7, 29, 124), ("e2m3", 15, 2, 32)],
)
def test_minifloats_are_significands_times_powers_of_two(name, largest, shift, count):
    precision = precision_of(name)
    significands, shifts = precision.magnitudes()
    values = significands * 2.0**shifts
    assert len(values) == count
    assert (np.diff(values) > 0).all()
    assert (
        (significands.max(), shifts.max()) == (largest, shift) == (precision.largest_magnitude, precision.largest_shift)
    )


def test_e2m1_has_the_published_magnitudes():
    significands, shifts = precision_of("e2m1").magnitudes()
    assert (significands * 2.0**shifts / 2).tolist() == [0, 0.5, 1, 1.5, 2, 3, 4, 6]


def test_a_histogram_is_read_and_noticed_when_it_changes(tmp_path):
    path = tmp_path / "weights.csv"
    path.write_text("# from a network\nvalue,count\n-3,1\n0,2\n5,1\n")
    before = distribution_of(f"histogram:{path}")
    probabilities = code_probabilities(before, precision_of("int8"))
    assert probabilities[[125, 128, 133]].tolist() == [0.25, 0.5, 0.25]
    path.write_text("value,count\n0,1\n")
    assert distribution_of(f"histogram:{path}") != before


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("value,count\n0,-1\n", "row 1: count must be 0 or more, not '-1'"),
        ("value,count\n0,x\n", "row 1: count must be 0 or more, not 'x'"),
        ("value,count\n0,1\n200,1\n", "row 2: value must be in -128..127, not '200'"),
        ("value,count\n0.5,1\n", "row 1: value must be in -128..127, not '0.5'"),
        ("value,count\n0,0\n", "has no count above 0"),
        ("a,b\n0,0\n", "needs the columns value and count"),
    ],
)
def test_wrong_histograms_are_refused_in_one_line(tmp_path, text, part):
    path = tmp_path / "wrong.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_histogram(str(path), precision_of("int8"))
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        ("norml:3", "did you mean 'normal'"),
        ("normal:-3", "must be a number above 0"),
        ("normal", "must be a number above 0"),
        ("uniform:3", "takes no number"),
        ("histogram:nowhere.csv", "there is no file 'nowhere.csv'"),
    ],
)
def test_wrong_distributions_are_refused_in_one_line(spec, part):
    with pytest.raises(InputError) as caught:
        distribution_of(spec)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)
