"""The subset of the best holds the best as often as it says, and is no larger than it must be."""

import numpy as np
import pytest

from archgym_simulators.errors import InputError
from archgym_simulators.nas.digits_table import EPOCHS, Measurements
from archgym_simulators.nas.plateau import largest_difference, plateau

SEEDS = tuple(range(100, 110))


def measured(rng, means, noise):
    percent = rng.normal(np.asarray(means)[:, None], noise, size=(len(means), len(SEEDS)))
    right = np.zeros((len(means), len(SEEDS), EPOCHS), dtype=np.uint16)
    right[:, :, -1] = np.clip(np.rint(percent * 20), 0, 2000)
    return Measurements(np.arange(len(means)) * 3, SEEDS, right, right[:, :, -1])


def test_the_truly_best_is_kept_as_often_as_promised():
    """Equal means are the worst case: any of them may be the best, and each must be kept 95 times in 100."""
    rng = np.random.default_rng(0)
    kept = [0 in plateau(measured(rng, [95.0] * 40, 0.8)).groups for _ in range(400)]
    assert 0.92 < np.mean(kept) < 0.98


def test_what_is_clearly_worse_is_left_out_and_the_order_is_by_mean():
    rng = np.random.default_rng(1)
    found = plateau(measured(rng, [*[95.0] * 5, *[90.0] * 200], 0.8))
    assert set(found.groups.tolist()) <= {0, 3, 6, 9, 12}
    assert (np.diff(found.accuracy) <= 0).all()
    assert found.accuracy[0] == found.best
    assert (found.accuracy >= found.best - found.margin).all()
    assert found.of == 205
    assert found.seed_std == pytest.approx(0.8, rel=0.1)


def test_the_margin_is_the_quantile_of_the_largest_difference():
    assert largest_difference(2, 0.95) == pytest.approx(np.sqrt(2) * 1.6448536270, abs=1e-7), "one normal difference"
    rng = np.random.default_rng(0)
    drawn = rng.standard_normal((200_000, 9)).max(axis=1) - rng.standard_normal(200_000)
    assert largest_difference(10, 0.95) == pytest.approx(np.quantile(drawn, 0.95), abs=0.02)


def test_more_confidence_keeps_more():
    data = measured(np.random.default_rng(2), np.linspace(93, 95, 60), 0.8)
    sizes = [len(plateau(data, confidence=c).groups) for c in (0.5, 0.9, 0.99)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2]


def test_wrong_requests_are_one_line():
    data = measured(np.random.default_rng(2), [95.0, 94.0], 0.8)
    with pytest.raises(InputError, match="confidence must be between 0 and 1, not 95"):
        plateau(data, confidence=95)
    with pytest.raises(InputError, match="two functions and two seeds, not 1 and 10"):
        plateau(measured(np.random.default_rng(2), [95.0], 0.8))
