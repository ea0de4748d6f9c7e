"""Design spaces: rows, keys, canonical forms, readable columns."""

import copy
import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archgym_simulators import (
    Categorical,
    Constraint,
    DesignSpace,
    Factors,
    InertWhen,
    InputError,
    Integer,
    Ordinal,
    Permutation,
    Reason,
)

MEMORY = Categorical("memory", ["cache", "scratchpad", "none"])
SIZE = Ordinal("size_kib", [1, 2, 4, 8], "KiB")
WAYS = Integer("ways", 1, 4)
ORDER = Permutation("order", ["K", "C", "X"])
TILE = Factors("tile", 12, 2)

PLAIN = DesignSpace([MEMORY, SIZE, ORDER, TILE])
CHAINED = DesignSpace(
    [WAYS, SIZE, MEMORY, ORDER],
    # Given in the wrong order on purpose: 'ways' depends on 'size_kib', which is inert without memory.
    inert=[InertWhen("ways", "size_kib", (1,)), InertWhen("size_kib", "memory", ("none",))],
)
SHARED = DesignSpace(
    [MEMORY, SIZE, WAYS, ORDER, TILE, Integer("free", 0, 4)],
    inert=[
        InertWhen("size_kib", "memory", ("none",)),
        InertWhen("ways", "memory", ("none", "scratchpad")),
        InertWhen("order", "ways", (1, 2)),
        InertWhen("order", "tile", ("1x12",)),
    ],
)
HUGE = DesignSpace([Integer(f"x{i}", 0, 9) for i in range(24)])
SPACES = [PLAIN, CHAINED, SHARED, HUGE, DesignSpace([Categorical("only", ["choice"])])]


def rows_of(space, n=300, seed=0):
    return space.sample(n, np.random.default_rng(seed))


def everything(space):
    return np.concatenate(list(space.chunks(97)))


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_readable_columns_and_single_designs_round_trip(space):
    rows = rows_of(space)
    columns = space.decode(rows)
    assert list(columns) == list(space.names)
    assert np.array_equal(space.encode(columns), rows)
    for i in range(5):
        design = space.decode_row(rows[i])
        assert design == {name: column[i] for name, column in columns.items()}
        assert np.array_equal(space.encode_row(design), rows[i])


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_samples_lie_in_the_space_and_repeat_with_the_seed(space):
    rows = rows_of(space)
    assert space.contains(rows).all()
    assert np.array_equal(rows, rows_of(space))
    assert space.sample(0, np.random.default_rng(0)).shape == (0, space.width)


def test_samples_are_uniform_over_every_column():
    rows = rows_of(SHARED, 20_000)
    for column, radix in zip(rows.T, SHARED.nvec, strict=True):
        counts = np.bincount(column, minlength=radix)
        expected = len(rows) / radix
        assert (np.abs(counts - expected) < 6 * np.sqrt(expected)).all()


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_keys_are_equal_exactly_where_rows_are(space):
    rows = rows_of(space, 2000)
    rows = np.concatenate([rows, rows[:50]])
    keys = space.keys(rows)
    assert len(set(keys)) == len(np.unique(rows, axis=0))
    assert keys[-50:] == keys[:50]
    assert all(type(key) is (int if space.has_integer_keys else bytes) for key in keys)
    assert [space.keys(row[None])[0] for row in rows[:20]] == keys[:20]
    assert space.keys(rows[:0]) == []


def test_keys_of_more_than_255_values_a_column_stay_apart():
    space = DesignSpace([Integer(f"x{i}", 0, 999) for i in range(8)])
    rows = np.zeros((2, 8), dtype=np.int64)
    rows[1, 0] = 256
    assert len(set(space.keys(rows))) == 2
    assert all(len(key) == 16 for key in space.keys(rows))


@pytest.mark.parametrize("space", [PLAIN, CHAINED, SHARED], ids=repr)
def test_integer_keys_number_the_rows_in_order(space):
    rows = everything(space)
    assert np.array_equal(space.integer_keys(rows), np.arange(space.size))
    assert np.array_equal(space.rows_of_keys(np.arange(space.size)), rows)


def test_integer_keys_reach_the_edge_of_63_bits():
    space = DesignSpace([Integer("a", 0, 2**31 - 1), Integer("b", 0, 2**32 - 2)])
    assert space.has_integer_keys
    top = space.nvec[None] - 1
    assert space.integer_keys(top)[0] == space.size - 1
    assert np.array_equal(space.rows_of_keys(space.integer_keys(top)), top)


def test_a_space_of_1e24_designs_counts_exactly_and_enumerates_nothing():
    assert HUGE.size == HUGE.canonical_size == 10**24
    for call in (lambda: next(HUGE.chunks()), lambda: HUGE.integer_keys(rows_of(HUGE))):
        with pytest.raises(InputError, match=r"1e\+24 designs"):
            call()


@pytest.mark.parametrize("key", [-1, PLAIN.size])
def test_a_key_that_is_no_row_is_refused(key):
    with pytest.raises(InputError, match=rf"key {key} must be in 0\.\.{PLAIN.size - 1}"):
        PLAIN.rows_of_keys(np.array([0, key]))


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_folding_twice_changes_nothing_and_one_row_folds_as_in_a_batch(space):
    rows = rows_of(space, 2000)
    kept = rows.copy()
    folded = space.canonical(rows)
    assert np.array_equal(rows, kept)
    assert np.array_equal(space.canonical(folded), folded)
    assert np.array_equal(np.concatenate([space.canonical(row[None]) for row in rows[:200]]), folded[:200])
    assert space.canonical(rows[:0]).shape == (0, space.width)


def test_folding_changes_inert_columns_only():
    rows = everything(SHARED)
    folded, values = SHARED.canonical(rows), SHARED.decode(rows)
    none = values["memory"] == "none"
    column = {name: SHARED.columns_of(name).start for name in SHARED.names}
    assert (folded[none, column["size_kib"]] == 0).all()
    assert np.array_equal(folded[~none, column["size_kib"]], rows[~none, column["size_kib"]])
    for untouched in ("memory", "tile", "free"):
        assert np.array_equal(folded[:, column[untouched]], rows[:, column[untouched]])
    ways = SHARED.decode(folded)["ways"]
    live = (ways > 2) & (values["tile"] != "1x12")
    order = SHARED.columns_of("order")
    assert np.array_equal(folded[live][:, order], rows[live][:, order])
    assert (folded[~live][:, order] == 0).all()


@pytest.mark.parametrize("space", [PLAIN, CHAINED, SHARED], ids=repr)
def test_canonical_designs_are_counted_exactly(space):
    counted = len(np.unique(space.canonical(everything(space)), axis=0))
    assert space.canonical_size == counted
    assert sum(len(chunk) for chunk in space.chunks(101, canonical=True)) == counted


def test_counting_needs_no_enumeration():
    wide = [Integer(f"w{i}", 0, 999) for i in range(12)]
    space = DesignSpace([MEMORY, *wide], inert=[InertWhen(p.name, "memory", ("none",)) for p in wide])
    assert space.canonical_size == 2 * 1000**12 + 1


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_rules_without_a_circle_fold_to_a_fixed_point_and_count(data):
    sizes = data.draw(st.lists(st.integers(1, 3), min_size=2, max_size=5))
    names = [f"p{i}" for i in range(len(sizes))]
    parameters = [Integer(name, 0, size - 1) for name, size in zip(names, sizes, strict=True)]
    rules = []
    for _ in range(data.draw(st.integers(0, 5))):
        a, b = sorted(data.draw(st.permutations(range(len(sizes))))[:2])
        value = data.draw(st.integers(0, sizes[a] - 1))
        rules.append(InertWhen(names[b], names[a], (value,)))
    space = DesignSpace(data.draw(st.permutations(parameters)), inert=rules)
    rows = everything(space)
    folded = space.canonical(rows)
    assert np.array_equal(space.canonical(folded), folded)
    assert space.canonical_size == len(np.unique(folded, axis=0))


@pytest.mark.parametrize(
    "rules",
    [
        [InertWhen("ways", "ways", (1,))],
        [InertWhen("ways", "size_kib", (1,)), InertWhen("size_kib", "ways", (1,))],
    ],
)
def test_inert_parameters_in_a_circle_are_refused(rules):
    with pytest.raises(InputError, match="circle"):
        DesignSpace([SIZE, WAYS], inert=rules)


def test_neighbours_are_symmetric_and_differ_in_one_parameter():
    for row in rows_of(PLAIN, 20):
        near = PLAIN.neighbours(row)
        assert len(np.unique(near, axis=0)) == len(near)
        for other in near:
            changed = [n for n in PLAIN.names if (row[PLAIN.columns_of(n)] != other[PLAIN.columns_of(n)]).any()]
            assert len(changed) == 1
            assert (PLAIN.neighbours(other) == row).all(axis=1).any()
    assert DesignSpace([Categorical("only", ["x"])]).neighbours([0]).shape == (0, 1)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_a_description_gives_the_same_space_back(space):
    again = DesignSpace.from_json(json.loads(json.dumps(space.to_json())))
    assert again == space
    assert hash(again) == hash(space)
    rows = rows_of(space)
    assert np.array_equal(again.canonical(rows), space.canonical(rows))
    assert pickle.loads(pickle.dumps(space)) == copy.deepcopy(space) == space


def test_spaces_that_differ_in_anything_are_unequal():
    others = [
        DesignSpace([MEMORY, SIZE]),
        DesignSpace([SIZE, MEMORY]),
        DesignSpace([MEMORY, SIZE], inert=[InertWhen("size_kib", "memory", ("none",))]),
        DesignSpace([Categorical("memory", ["cache", "scratchpad", "off"]), SIZE]),
        DesignSpace([MEMORY, Ordinal("size_kib", [1, 2, 4, 8], "MiB")]),
    ]
    assert len({space.digest for space in others}) == len(others)


def test_constraints_are_graded_and_ask_only_for_what_they_need():
    asked = []

    def violation(columns):
        asked.extend(name for name in ("ways",) if len(columns[name]))
        assert list(columns) == ["size_kib", "ways", "tile"]
        return np.maximum(columns["ways"] - columns["size_kib"], 0)

    space = DesignSpace([SIZE, WAYS, TILE], constraints=[Constraint(Reason("r", "too many ways"), violation)])
    rows = everything(space)
    found = space.violations(rows)
    values = space.values(rows)
    assert found.shape == (len(rows), 1)
    assert np.array_equal(found[:, 0], np.maximum(values["ways"] - values["size_kib"], 0.0))
    assert asked
    assert PLAIN.violations(rows_of(PLAIN)).shape == (300, 0)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[0, 0, 0, 0, 0], [0, 4, 0, 0, 0]], r"^row 1: size_kib index must be in 0\.\.3, not 4$"),
        ([[0, 0, -1, 0, 0]], r"^row 0: order\[0\] index must be in 0\.\.2, not -1$"),
        ([[0, 0, 0, 0]], r"shape \(N, 5\), not \(1, 4\)"),
        ([0, 0, 0, 0, 0], r"shape \(N, 5\), not \(5,\)"),
        ([[0.0, 0, 0, 0, 0]], "integers, not float64"),
        ([[True] * 5], "integers, not bool"),
        ([["0"] * 5], "integers"),
    ],
)
def test_wrong_rows_are_named(rows, message):
    with pytest.raises(InputError, match=message) as caught:
        PLAIN.as_rows(rows)
    assert "\n" not in str(caught.value)


def test_rows_of_any_integer_type_and_order_are_taken():
    rows = rows_of(PLAIN)
    for other in (rows.astype(np.uint8), rows.astype(np.int32), np.asfortranarray(rows), rows.tolist(), rows[::-1]):
        checked = PLAIN.as_rows(other)
        assert checked.dtype == np.int64
        assert checked.flags.c_contiguous
        assert np.array_equal(checked, np.asarray(other))
    with pytest.raises(InputError):
        PLAIN.as_rows(np.full((1, 5), 2**64 - 1, dtype=np.uint64))


def test_contains_says_no_to_what_is_no_row():
    assert PLAIN.contains([[0, 0, 0, 0, 0], [0, 4, 0, 0, 0], [0, -1, 0, 0, 0]]).tolist() == [True, False, False]
    assert PLAIN.contains([[0.5, 0, 0, 0, 0]]).tolist() == [False]
    with pytest.raises(InputError, match="shape"):
        PLAIN.contains([[0, 0]])


COLUMNS = {"memory": ["cache", "none"], "size_kib": [1, 2], "order": ["K>C>X"] * 2, "tile": ["3x4"] * 2}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"memory": ["cache", "cahce"]}, r"^row 2: memory must be one of .* not 'cahce'; did you mean 'cache'\?"),
        ({"size_kib": [1]}, "column 'size_kib' has 1 values, 'memory' has 2"),
        ({"memory": "cache"}, "column 'memory' must be a list"),
        ({"size_kib": 4}, "column 'size_kib' must be a list"),
        ({"tile": None}, "missing column 'tile'"),
    ],
)
def test_wrong_columns_are_named(change, message):
    columns = {k: v for k, v in {**COLUMNS, **change}.items() if v is not None}
    with pytest.raises(InputError, match=message) as caught:
        PLAIN.encode(columns)
    assert "\n" not in str(caught.value)


def test_a_missing_column_names_the_nearest_there_is():
    with pytest.raises(InputError, match=r"missing column 'size_kib'; did you mean 'size_kb'\?"):
        PLAIN.encode({"size_kb": [1, 2], **{k: v for k, v in COLUMNS.items() if k != "size_kib"}})


def test_a_design_names_what_is_missing_or_unknown():
    design = PLAIN.decode_row([0, 0, 0, 0, 0])
    with pytest.raises(InputError, match=r"unknown parameter 'tlie'; did you mean 'tile'\?"):
        PLAIN.encode_row({**design, "tlie": "3x4"})
    del design["tile"]
    with pytest.raises(InputError, match="missing parameter 'tile'"):
        PLAIN.encode_row(design)


@pytest.mark.parametrize(
    "make",
    [
        lambda: DesignSpace([]),
        lambda: DesignSpace([SIZE, SIZE]),
        lambda: DesignSpace([Integer("a", 0, 1), Integer("A", 0, 1)]),
        lambda: DesignSpace([SIZE], inert=[InertWhen("size_kib", "memroy", ("none",))]),
        lambda: DesignSpace([SIZE, MEMORY], inert=[InertWhen("size_kib", "memory", ("nothing",))]),
        lambda: DesignSpace([SIZE, ORDER], inert=[InertWhen("size_kib", "order", ("K>C>X",))]),
    ],
)
def test_a_space_that_makes_no_sense_is_refused_in_one_line(make):
    with pytest.raises(InputError) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_space_beyond_the_largest_float_is_refused_in_words():
    vast = DesignSpace([Integer(f"p{i}", 0, 9) for i in range(400)])
    with pytest.raises(InputError, match=r"a space of 1e\+400 designs"):
        vast.integer_keys(np.zeros((1, 400), dtype=np.int64))


def test_a_rule_may_ask_whether_a_parameter_exists():
    seen = []

    def rule(columns):
        seen.append(["a" in columns, "b" in columns])
        return np.zeros(len(columns["a"]))

    space = DesignSpace([Integer("a", 0, 3)], constraints=[Constraint(Reason("never", "never"), rule)])
    space.violations(np.zeros((2, 1), dtype=np.int64))
    assert seen == [[True, False]]
