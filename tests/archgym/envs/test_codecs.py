"""The views' codecs: bijective or surjective, in equal measure, for every parameter kind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archgym.envs.codecs import ContinuousCodec, EditCodec, NamedCodec, SequentialCodec
from archgym_simulators import Categorical, DesignSpace, Factors, InputError, Integer, Ordinal, Permutation

KINDS = (
    lambda name, n: Categorical(name, [f"v{i}" for i in range(n)]),
    lambda name, n: Ordinal(name, [2**i for i in range(n)]),
    lambda name, n: Integer(name, 3, 3 + 2 * (n - 1), 2),
    lambda name, n: Permutation(name, [f"i{i}" for i in range(1 + n % 5)]),
    lambda name, n: Factors(name, 2 ** (n % 5) * 3, 1 + n % 3),
)
SPACES = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 24)), min_size=1, max_size=5).map(
    lambda kinds: DesignSpace([kind(f"p{i}", n) for i, (kind, n) in enumerate(kinds)])
)


@given(SPACES, st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_every_codec_inverts_its_own_actions(space: DesignSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = space.sample(20, rng)
    continuous, named, edit = ContinuousCodec(space), NamedCodec(space), EditCodec(space)
    assert np.array_equal(continuous.rows(continuous.actions(rows)), rows)
    assert np.array_equal(named.rows(named.actions(rows)), rows)
    columns = rng.integers(0, space.width, 20)
    values = rows[np.arange(20), columns]
    edited = edit.apply(space.sample(20, rng), edit.actions(columns, values))
    assert np.array_equal(edited[np.arange(20), columns], values)


@given(SPACES)
@settings(max_examples=40, deadline=None)
def test_sampled_actions_of_every_codec_are_designs(space: DesignSpace) -> None:
    continuous, named, edit, sequential = (
        codec(space) for codec in (ContinuousCodec, NamedCodec, EditCodec, SequentialCodec)
    )
    for codec in (continuous, named, edit, sequential):
        codec.space().seed(0)
    points = np.stack([continuous.space().sample() for _ in range(5)])
    assert space.contains(continuous.rows(points)).all()
    action = named.space().sample()
    assert named.space().contains(action)
    assert space.contains(named.rows({name: np.asarray(digits)[None] for name, digits in action.items()})).all()
    start = np.zeros((1, space.width), dtype=np.int64)
    assert space.contains(edit.apply(start, [edit.space().sample()])).all()
    every = np.arange(sequential.choices)
    for column in range(space.width):
        reached = sequential.values(np.full(sequential.choices, column), every)
        assert sorted(set(reached.tolist())) == list(range(space.nvec[column]))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 10, 24, 100])
def test_continuous_bins_have_equal_measure_and_include_both_edges(n: int) -> None:
    codec = ContinuousCodec(DesignSpace([Integer("x", 0, n - 1)]))
    # Midpoints of a grid that is a multiple of the bins: exactly the same number in each.
    grid = (np.arange(64 * n) + 0.5) / (32 * n) - 1.0
    counts = np.bincount(codec.rows(grid[:, None])[:, 0], minlength=n)
    assert (counts == 64).all()
    assert codec.rows([[-1.0], [1.0]]).tolist() == [[0], [n - 1]]


def test_continuous_actions_are_not_rounded_before_binning() -> None:
    # ArchGym's decoder rounded to -1, 0, 1 first and reached 3 of 24 values.
    codec = ContinuousCodec(DesignSpace([Integer("x", 0, 23)]))
    uniform = np.random.default_rng(0).uniform(-1.0, 1.0, (5_000, 1)).astype(np.float32)
    assert set(codec.rows(uniform)[:, 0].tolist()) == set(range(24))


def test_a_column_too_fine_for_float32_gets_float64_and_loses_no_value() -> None:
    space = DesignSpace([Integer("x", 0, 2**26 - 1)])
    codec = ContinuousCodec(space)
    assert codec.dtype == np.float64
    rows = np.array([[0], [1], [2**25], [2**26 - 2], [2**26 - 1]])
    assert np.array_equal(codec.rows(codec.actions(rows)), rows)
    assert ContinuousCodec(DesignSpace([Integer("x", 0, 2**16 - 1)])).dtype == np.float32


def test_every_value_of_the_finest_float32_column_is_reachable() -> None:
    codec = ContinuousCodec(DesignSpace([Integer("x", 0, 2**16 - 1)]))
    rows = np.arange(2**16)[:, None]
    assert np.array_equal(codec.rows(codec.actions(rows)), rows)


@pytest.mark.parametrize("number", [1.0001, -2.0, float("nan"), float("inf")])
def test_continuous_refuses_what_lies_outside(number: float) -> None:
    codec = ContinuousCodec(DesignSpace([Integer("a", 0, 3), Integer("b", 0, 3)]))
    with pytest.raises(InputError, match=r"action 1: b must be a number in \[-1, 1\]"):
        codec.rows([[0.0, 0.0], [0.0, number]])


def test_sequential_masks_are_the_values_of_each_column() -> None:
    codec = SequentialCodec(DesignSpace([Integer("a", 0, 1), Permutation("o", ["K", "C", "X"])]))
    assert codec.masks.tolist() == [[True, True, False], [True, True, True], [True, True, False]]


def test_sequential_masked_actions_wrap_or_are_refused() -> None:
    codec = SequentialCodec(DesignSpace([Integer("a", 0, 1), Integer("b", 0, 4)]))
    assert codec.values([0, 0, 1], [2, 3, 4]).tolist() == [0, 1, 4]
    with pytest.raises(InputError, match=r"choice of a must be in 0\.\.1, not 2"):
        codec.values([0], [2], strict=True)
    with pytest.raises(InputError, match=r"choice of b must be in 0\.\.4, not 5"):
        codec.values([1], [5])
    with pytest.raises(InputError, match="whole number"):
        codec.values([1], [0.5])


def test_sequential_observes_what_is_chosen_and_where_it_stands() -> None:
    codec = SequentialCodec(DesignSpace([Integer("a", 0, 2), Integer("b", 0, 4)]))
    seen = codec.observe(np.array([[-1, -1], [1, -1]]), np.array([0, 1]))
    assert seen.tolist() == [[-1.0, -1.0, 1.0, 0.0], [0.5, -1.0, 0.0, 1.0]]
    assert seen.dtype == np.float32


def test_edit_masks_hide_what_changes_nothing() -> None:
    codec = EditCodec(DesignSpace([Integer("a", 0, 1), Integer("b", 0, 2)]))
    assert codec.masks(np.array([[0, 2]])).tolist() == [[False, True, True, True, False]]
    alone = EditCodec(DesignSpace([Categorical("only", ["choice"])]))
    assert alone.masks(np.array([[0]])).tolist() == [[True]]


def test_edits_outside_the_action_space_are_refused() -> None:
    codec = EditCodec(DesignSpace([Integer("a", 0, 1), Integer("b", 0, 2)]))
    for wrong in ([5], [-1], [0.5]):
        with pytest.raises(InputError, match=r"in 0\.\.4"):
            codec.apply(np.array([[0, 0]]), wrong)


def test_named_actions_keep_the_order_of_the_space_and_check_names() -> None:
    codec = NamedCodec(DesignSpace([Integer("z", 0, 3), Permutation("a", ["K", "C", "X"])]))
    assert list(codec.space().spaces) == ["z", "a"]
    with pytest.raises(InputError, match="lacks 'a'"):
        codec.rows({"z": [0]})
    with pytest.raises(InputError, match="unknown parameter 'zz'"):
        codec.rows({"z": [0], "a": [[0, 0]], "zz": [0]})
    with pytest.raises(InputError, match=r"a\[0\] index must be in 0\.\.2, not 3"):
        codec.rows({"z": [0], "a": [[3, 0]]})
