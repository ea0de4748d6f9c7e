"""Rewards: finite, graded, relative to the baseline, and the same bits for any batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from archgym.objectives import INVALID_REWARD, parse_constraint, parse_objective
from archgym.problem import ProblemSpec
from archgym.scoring import Scorer
from archgym_simulators import FAILED, INVALID, OK, Evaluation, InputError, Metric

METRICS = (
    Metric("time_ns", "time"),
    Metric("energy_pj", "energy"),
    Metric("speed_mhz", "speed", direction="max"),
    Metric("slack_ns", "slack", direction="max", scale="linear", span=10.0),
    Metric("delta_ns", "in units of the baseline", scale="linear"),
)
BASELINE = np.array([100.0, 50.0, 1000.0, 20.0, 4.0])


def scorer(*objectives, constraints=()):
    bounds = [parse_constraint(text, METRICS) for text in constraints]
    return Scorer(METRICS, [parse_objective(text, METRICS) for text in objectives], bounds, BASELINE)


def ok(*rows):
    return Evaluation.of(np.array(rows, dtype=float).reshape(len(rows), len(METRICS)))


def reward(text, values, constraints=()):
    return scorer(text, constraints=constraints).rewards(ok(values))[0][0, 0]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("time_ns", BASELINE, 0.0),
        ("time_ns", [50, 50, 1000, 20, 4], np.log(2)),
        ("max:time_ns", [50, 50, 1000, 20, 4], -np.log(2)),
        ("speed_mhz", [100, 50, 2000, 20, 4], np.log(2)),
        ("time_ns * energy_pj^2", [50, 25, 1000, 20, 4], 3 * np.log(2)),
        ("slack_ns", [100, 50, 1000, 35, 4], 1.5),
        ("slack_ns", [100, 50, 1000, -20, 4], -4.0),
        ("delta_ns", [100, 50, 1000, 20, 2], 0.5),
    ],
)
def test_rewards_are_relative_to_the_baseline(text, values, expected):
    assert reward(text, values) == pytest.approx(expected, abs=1e-12)


def test_a_target_is_met_or_exceeded_never_hit():
    values = [[t, 50, 1000, 20, 4] for t in (1.0, 50.0, 80.0, 80.1, 160.0, 320.0)]
    found = scorer("time_ns<=80").rewards(ok(*values))[0][:, 0]
    assert (found[:3] == 0.0).all(), "a plateau at 0 once it is met, however far it is exceeded"
    assert not np.signbit(found[:3]).any(), "0, not -0"
    assert found[3] < 0
    assert found[4] == pytest.approx(-np.log(2))
    assert found[5] == pytest.approx(-np.log(4))
    up = scorer("slack_ns>=30").rewards(ok([1, 1, 1, 40, 1], [1, 1, 1, 20, 1]))[0][:, 0]
    assert up.tolist() == [0.0, -1.0]


@given(st.floats(1e-280, 1e280), st.integers(1, 9))
def test_a_bound_that_is_just_met_is_met_and_the_baseline_is_worth_exactly_nothing(value, n):
    values = np.full((n, 5), value)
    at_baseline = Scorer(METRICS, [parse_objective("time_ns * energy_pj^.3", METRICS)], [], values[0])
    assert (at_baseline.rewards(ok(*values))[0] == 0.0).all()
    for operator in ("<=", ">="):
        just = scorer(
            f"speed_mhz{operator}{value!r}", constraints=[f"time_ns{operator}{value!r}", f"slack_ns{operator}{value!r}"]
        )
        rewards, feasible, _ = just.rewards(ok(*values))
        assert feasible.all()
        assert (rewards == 0.0).all()


def test_a_constraint_subtracts_how_far_it_is_missed_and_makes_infeasible():
    values = [[100, e, 1000, 20, 4] for e in (50, 60, 120, 240)]
    found = scorer("time_ns", constraints=["energy_pj<=60"])
    rewards, feasible, missed = found.rewards(ok(*values))
    assert feasible.tolist() == [True, True, False, False]
    assert missed == pytest.approx([0, 0, np.log(2), np.log(4)])
    assert rewards[:, 0] == pytest.approx([0, 0, -np.log(2), -np.log(4)], abs=1e-12)
    assert found.violations(np.array(values, dtype=float))[:, 0] == pytest.approx([0, 0, np.log(2), np.log(4)])
    two = scorer("time_ns", constraints=["energy_pj<=60", "slack_ns>=30"])
    assert two.rewards(ok(values[2]))[0][0, 0] == pytest.approx(-np.log(2) - 1.0)


def test_a_pole_peaks_at_its_target_as_published_and_stays_finite():
    at = scorer("pole(time_ns, 80)").rewards(ok(*[[t, 1, 1, 1, 1] for t in (80, 80 + 1e-9, 100, 60, 1e300)]))[0][:, 0]
    assert at[0] == at[1] == pytest.approx(1e6)
    assert at[2] == at[3] == 4.0
    assert at[4] > 0
    both = scorer("pole(time_ns, 80) * pole(energy_pj, 10)").rewards(ok([80, 10, 1, 1, 1], [100, 20, 1, 1, 1]))[0]
    assert both[:, 0] == pytest.approx([1e6, 4.0])


def mixed(violation):
    return Evaluation.of(
        np.array([[100.0, 50, 1000, 20, 4]] * 4),
        reason_code=np.array([-1, 0, 0, 0]),
        violation=np.array([0.0, 0.5, violation, 3.0]),
        failed=np.array([False, False, False, True]),
    )


@pytest.mark.parametrize("violation", [2.0, 1e300, np.inf, np.nan, -5.0])
def test_rewards_of_designs_that_are_not_ok_are_finite_and_graded(violation):
    found = mixed(violation)
    assert found.status.tolist() == [OK, INVALID, INVALID, FAILED]
    rewards, feasible, missed = scorer("time_ns", "pole(energy_pj, 50)").rewards(found)
    assert np.isfinite(rewards).all()
    assert np.isfinite(missed).all()
    assert missed[0] == 0.0
    assert (missed[1:] >= 1e3).all(), "further off than a design that only misses a bound"
    assert feasible.tolist() == [True, False, False, False]
    assert (rewards[1:] <= -INVALID_REWARD).all()
    assert (rewards[1] == -INVALID_REWARD - 0.5).all()
    assert (rewards[3] == -INVALID_REWARD).all()
    assert (rewards[0] > -INVALID_REWARD).all()


@given(hnp.arrays(float, (3, 5), elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_rewards_of_valid_designs_are_finite_and_above_invalid_whatever_a_model_says(values):
    every = scorer("time_ns", "speed_mhz", "slack_ns", "pole(time_ns, 5)", "energy_pj<=3", constraints=["delta_ns<=1"])
    with np.errstate(all="ignore"):
        rewards, feasible, _ = every.rewards(Evaluation.of(values))
    assert np.isfinite(rewards).all()
    assert (rewards > -INVALID_REWARD).all()
    assert not feasible[np.isnan(values[:, 4])].any()


@pytest.mark.parametrize("extreme", [0.0, 1e-300, 1e300])
def test_extreme_metrics_are_clipped_above_invalid_without_a_warning(extreme):
    for text in ("time_ns", "max:time_ns", "time_ns^1000", "max:time_ns^1000"):
        assert -INVALID_REWARD < reward(text, [extreme, 50, 1000, 20, 4]) < 1e9


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_a_log_metric_that_is_not_positive_at_the_baseline_is_no_objective(value):
    baseline = BASELINE.copy()
    baseline[0] = value
    with pytest.raises(InputError, match=r"'time_ns' is .* at the baseline"):
        Scorer(METRICS, [parse_objective("time_ns", METRICS)], [], baseline)
    Scorer(METRICS, [parse_objective("energy_pj", METRICS)], [], baseline)


EVERY = ("time_ns", "time_ns * energy_pj^.3 * speed_mhz * slack_ns", "pole(time_ns, 80)", "energy_pj<=40", "delta_ns")


def test_rewards_are_the_same_bits_for_any_batch_size_offset_and_memory_order():
    rng = np.random.default_rng(0)
    values = np.exp(rng.normal(3.0, 4.0, size=(700, 5)))
    every = scorer(*EVERY, constraints=["energy_pj<=60", "slack_ns>=3"])
    whole = every.rewards(Evaluation.of(values))[0]
    for size in (1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 64, 100, 255, 699):
        for start in (0, 1, 3):
            part = every.rewards(Evaluation.of(values[start : start + size]))[0]
            assert np.array_equal(part, whole[start : start + size]), (size, start)
    wide = np.zeros((700, 37))
    wide[:, ::7][:, :5] = values
    strided = Evaluation.of(values)
    object.__setattr__(strided, "values", wide[:, ::7][:, :5])
    assert np.array_equal(every.rewards(strided)[0], whole)
    object.__setattr__(strided, "values", np.asfortranarray(values))
    assert np.array_equal(every.rewards(strided)[0], whole)


def test_the_mean_of_many_objectives_is_the_same_bits_for_any_batch_size(bowl):
    texts = ["time", *(f"time_ns^{k} * energy_pj" for k in range(1, 20))]
    problem = ProblemSpec.create(bowl, objective=texts).bind()
    rows = problem.space.canonical(problem.space.sample(300, np.random.default_rng(0)))
    whole = problem.evaluate(rows)
    single = np.concatenate([problem.evaluate(rows[i : i + 1]).reward for i in range(len(rows))])
    assert whole.rewards.shape == (300, 20)
    assert np.array_equal(single, whole.reward)
