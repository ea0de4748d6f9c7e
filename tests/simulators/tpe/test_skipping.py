"""Digits skipped: counts, bubbles, barriers and queues, against published figures and seeded Monte Carlo."""

from __future__ import annotations

import numpy as np
import pytest

from archgym_simulators.tpe.encodings import ENCODINGS, digit_counts, digits
from archgym_simulators.tpe.operands import code_probabilities, distribution_of, draw_codes
from archgym_simulators.tpe.precision import precision_of
from archgym_simulators.tpe.skipping import (
    fifo_cycles,
    group_moments,
    operand_moments,
    slowest_quantile,
    synchronised_utilisation,
)

INT8 = precision_of("int8")


def normal(sigma):
    return code_probabilities(distribution_of(f"normal:{sigma}"), INT8)


def nonzero_digits(sigma, shape, encoding="ent", seed=0):
    """(*shape, D) booleans of drawn operands."""
    rng = np.random.default_rng(seed)
    codes = draw_codes(distribution_of(f"normal:{sigma}"), INT8, n=int(np.prod(shape)), rng=rng)
    return (digits(codes, encoding, 8) != 0).reshape(*shape, -1)


# README of the HPCA 2025 seed repository, K = 128.
@pytest.mark.parametrize(("sigma", "published"), [(10, 1.75), (20, 2.10), (30, 2.32), (40, 2.48), (50, 2.60)])
def test_mean_digits_are_the_published_ones(sigma, published):
    mean = float(normal(sigma) @ digit_counts("ent", 8))
    assert mean == pytest.approx(published, rel=0.01)


def test_the_share_of_booth_codes_with_three_digits_at_most_is_exact():
    assert (digit_counts("booth", 8) <= 3).mean() == 175 / 256


# Its OPT3 test bench under a Verilog simulator, with a cycle counter.
@pytest.mark.parametrize(("sigma", "measured"), [(10, 2.076), (30, 2.467), (50, 2.635)])
def test_cycles_with_bubbles_are_those_of_the_rtl(sigma, measured):
    assert group_moments(normal(sigma), "ent", bits=8, size=4).total_mean / 4 == pytest.approx(measured, rel=0.01)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("size", [1, 4, 8])
def test_moments_of_a_group_are_those_of_drawn_groups(encoding, size):
    counts = nonzero_digits(25, (60_000, size), encoding).sum(axis=1)  # (groups, D)
    cycles = np.maximum(counts, 1)
    moments = group_moments(normal(25), encoding, bits=8, size=size)
    assert moments.mean == pytest.approx(cycles.mean(axis=0), rel=0.01)
    assert moments.deviation == pytest.approx(cycles.std(axis=0), abs=0.02)
    assert moments.total_deviation == pytest.approx(cycles.sum(axis=1).std(), rel=0.02, abs=0.01)


@pytest.mark.parametrize(("operands", "columns"), [(16, 4), (16, 32), (64, 16), (256, 32), (768, 4)])
def test_the_closed_form_of_the_barrier_is_within_1_5_percent(operands, columns):
    trials = max(200, 400_000 // (operands * columns))
    found = nonzero_digits(25, (trials, columns, operands // 4, 4), seed=operands + columns)
    times = np.maximum(found.sum(axis=3), 1).sum(axis=(2, 3))  # (trials, columns)
    simulated = times.mean() / times.max(axis=1).mean()
    moments = group_moments(normal(25), "ent", bits=8, size=4)
    closed = synchronised_utilisation(
        moments.total_mean / 4, moments.total_deviation / 2, operands=operands, columns=columns
    )
    assert closed == pytest.approx(simulated, rel=0.015)


def test_operands_one_by_one_take_a_cycle_at_least():
    counts = np.maximum(nonzero_digits(10, (200_000,)).sum(axis=1), 1)
    moments = operand_moments(normal(10), "ent", bits=8)
    assert moments.mean == pytest.approx(counts.mean(), rel=0.005)
    assert moments.deviation == pytest.approx(counts.std(), rel=0.01)


def queue(probability, size, depth, groups=60_000):
    """Cycles a group of an encoder that is ahead of its PEs by up to ``depth`` groups, step by step."""
    left = np.random.default_rng(1).binomial(size, probability, groups).tolist()
    waiting, cycles, taken = [], 0, 0
    while taken < groups or waiting:
        cycles += 1
        if waiting:
            waiting[0] -= 1
            if waiting[0] == 0:
                waiting.pop(0)
        if taken < groups and len(waiting) < depth:
            if left[taken]:
                waiting.append(left[taken])
            taken += 1
    return cycles / groups


@pytest.mark.parametrize(("probability", "size", "depth"), [(0.3, 4, 1), (0.3, 4, 2), (0.15, 8, 4), (0.5, 8, 2)])
def test_a_queue_hides_bubbles_as_it_does_step_by_step(probability, size, depth):
    assert fifo_cycles(probability, size, depth) == pytest.approx(queue(probability, size, depth), rel=0.01)


def test_a_deeper_queue_never_costs_cycles_and_never_saves_digits():
    cycles = [fifo_cycles(0.2, 4, depth) for depth in (1, 2, 4, 8)]
    assert cycles == sorted(cycles, reverse=True)
    assert cycles[-1] >= max(1.0, 0.8) - 1e-9


def test_alone_nobody_waits():
    assert slowest_quantile(1) == 0.0
    assert synchronised_utilisation(2.0, 0.7, operands=16, columns=1) == 1.0


@pytest.mark.parametrize("probability", [0.0, 1e-300, 1e-20, 1e-10, 1.0 - 1e-16, 1.0])
def test_digits_that_are_nearly_always_or_never_zero_have_their_limits(probability):
    assert fifo_cycles(probability, 4, 4) == pytest.approx(max(1.0, 4.0 * probability), abs=1e-6)


def test_operands_near_zero_in_wide_formats_take_a_cycle_a_group():
    wide = precision_of("int16")
    moments = group_moments(
        code_probabilities(distribution_of("laplace:0.01"), wide), "ent", bits=16, size=8, fifo_depth=4
    )
    assert np.isfinite(moments.total_deviation)
    assert moments.total_mean < 16.0
    assert (moments.mean[4:] == 1.0).all()
