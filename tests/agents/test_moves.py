import numpy as np
import pytest

from archgym_agents._moves import Moves
from archgym_simulators import Categorical, DesignSpace, Factors, Integer, Ordinal, Permutation

MIXED = DesignSpace(
    [
        Factors("tile", 360, 3),
        Categorical("memory", ["cache", "scratchpad", "none"]),
        Permutation("outer", "KCX"),
        Ordinal("size", [1, 2, 4, 8, 16, 32, 64]),
        Factors("prime", 7, 4),
        Permutation("inner", "KCXY"),
        Integer("banks", 1, 9),
        Permutation("again", "abc"),
    ]
)
ONE_VALUE = DesignSpace(
    [
        Categorical("c", ["x"]),
        Integer("i", 3, 3),
        Permutation("p", "A"),
        Factors("unit", 1, 3),
        Factors("one-slot", 8, 1),
        Ordinal("two", [1, 2]),
    ]
)


def moved_alone(space: DesignSpace, row: np.ndarray, name: str, draws: int, seed: int = 0) -> set[tuple[int, ...]]:
    chosen = np.zeros((draws, len(space.names)), dtype=bool)
    chosen[:, space.names.index(name)] = True
    moved = Moves(space).mutate(np.tile(row, (draws, 1)), chosen, np.random.default_rng(seed))
    return {tuple(found) for found in moved.tolist()}


def natural_steps(space: DesignSpace, row: np.ndarray, name: str) -> set[tuple[int, ...]]:
    where = space.columns_of(name)
    return {tuple(other) for other in space.neighbours(row).tolist() if tuple(other[where]) != tuple(row[where])}


@pytest.mark.parametrize("name", ["tile", "prime", "memory", "outer", "inner", "again"])
def test_unordered_kinds_move_to_exactly_their_neighbours(name: str) -> None:
    for row in MIXED.sample(8, np.random.default_rng(3)):
        assert moved_alone(MIXED, row, name, 2000) == natural_steps(MIXED, row, name)


@pytest.mark.parametrize("name", ["size", "banks"])
def test_ordered_kinds_reach_every_other_value_and_prefer_the_next(name: str) -> None:
    size = MIXED.parameter(name).size
    column = MIXED.columns_of(name).start
    for start in range(size):
        row = np.zeros(MIXED.width, np.int64)
        row[column] = start
        values = {found[column] for found in moved_alone(MIXED, row, name, 3000)}
        assert values == set(range(size)) - {start}
    chosen = np.zeros((4000, len(MIXED.names)), dtype=bool)
    chosen[:, MIXED.names.index(name)] = True
    rows = np.full((4000, MIXED.width), 0)
    rows[:, column] = size // 2
    steps = np.abs(Moves(MIXED).mutate(rows, chosen, np.random.default_rng(0))[:, column] - size // 2)
    assert 0.4 < (steps == 1).mean() < 0.6


def test_only_chosen_parameters_move() -> None:
    rng = np.random.default_rng(1)
    rows = MIXED.sample(500, rng)
    chosen = Moves(MIXED).choose(500, 0.4, rng)
    before = rows.copy()
    moved = Moves(MIXED).mutate(rows, chosen, rng)
    assert (rows == before).all()
    assert MIXED.contains(moved).all()
    for p, name in enumerate(MIXED.names):
        where = MIXED.columns_of(name)
        changed = (moved[:, where] != rows[:, where]).any(axis=1)
        assert (changed == chosen[:, p]).all()


def test_one_value_parameters_stay_and_the_rest_moves() -> None:
    rows = np.zeros((50, ONE_VALUE.width), np.int64)
    moved = Moves(ONE_VALUE).mutate(rows, np.ones((50, 6), bool), np.random.default_rng(0))
    assert (moved == [0, 0, 0, 0, 0, 1]).all()
    assert (Moves(ONE_VALUE).cross(rows, moved, np.random.default_rng(0))[:, :5] == 0).all()


def test_exactly_one_parameter_is_chosen() -> None:
    chosen = Moves(MIXED).choose_one(200, np.random.default_rng(0))
    assert (chosen.sum(axis=1) == 1).all()
    assert chosen.any(axis=0).all()


def test_children_are_valid_and_made_of_their_parents() -> None:
    rng = np.random.default_rng(5)
    mothers, fathers = MIXED.sample(400, rng), MIXED.sample(400, rng)
    children = Moves(MIXED).cross(mothers, fathers, rng)
    assert MIXED.contains(children).all()
    for name in ("memory", "size", "banks"):
        column = MIXED.columns_of(name).start
        either = (children[:, column] == mothers[:, column]) | (children[:, column] == fathers[:, column])
        assert either.all()
        assert (children[:, column] != mothers[:, column]).any()
        assert (children[:, column] != fathers[:, column]).any()
    values = [MIXED.values(rows) for rows in (children, mothers, fathers)]
    for name in ("outer", "inner", "again"):
        child, mother, father = (v[name] for v in values)
        assert (np.sort(child, axis=1) == np.arange(child.shape[1])).all()
        assert (child != mother).any()
        assert (child != father).any()
    for prime in (2, 3, 5):
        child, mother, father = (exponents(v["tile"], prime) for v in values)
        assert ((child == mother).all(axis=1) | (child == father).all(axis=1)).all()


def test_order_crossover_keeps_a_stretch_of_one_parent_and_the_order_of_the_other() -> None:
    space = DesignSpace([Permutation("order", "ABCDEF")])
    rng = np.random.default_rng(2)
    mothers, fathers = space.sample(300, rng), space.sample(300, rng)
    children = Moves(space).cross(mothers, fathers, rng)
    orders = [space.values(rows)["order"].tolist() for rows in (children, mothers, fathers)]
    for child, mother, father in zip(*orders, strict=True):
        assert any(is_order_crossover(child, mother, father, a, b) for a in range(7) for b in range(a, 7))


def test_parents_that_agree_have_children_like_them() -> None:
    rows = MIXED.sample(100, np.random.default_rng(7))
    assert (Moves(MIXED).cross(rows, rows, np.random.default_rng(8)) == rows).all()


def test_crossover_of_one_parameter_takes_each_side_equally_often() -> None:
    space = DesignSpace([Integer("x", 0, 1)])
    mothers, fathers = np.zeros((4000, 1), np.int64), np.ones((4000, 1), np.int64)
    assert 0.45 < Moves(space).cross(mothers, fathers, np.random.default_rng(0)).mean() < 0.55


def exponents(factors: np.ndarray, prime: int) -> np.ndarray:
    return np.stack([(factors % prime**power == 0) for power in (1, 2, 3)]).sum(axis=0)


def is_order_crossover(child: list[int], mother: list[int], father: list[int], a: int, b: int) -> bool:
    kept = mother[a:b]
    rest = [item for item in father if item not in kept]
    return child == [*rest[:a], *kept, *rest[a:]]


@pytest.mark.parametrize("space", [MIXED, ONE_VALUE])
def test_a_single_step_moves_each_parameter_as_often_and_to_the_same_values_as_a_batch(space: DesignSpace) -> None:
    moves, rng, draws = Moves(space), np.random.default_rng(5), 1000 * len(space.names)
    row = space.sample(1, rng)[0]
    before = row.copy()
    singly = np.array([moves.step(row, rng) for _ in range(draws)])
    together = moves.mutate(np.tile(row, (draws, 1)), moves.choose_one(draws, rng), rng)
    assert np.array_equal(row, before)
    assert {tuple(found) for found in singly.tolist()} == {tuple(found) for found in together.tolist()}
    for column in range(space.width):
        shares = [np.bincount(found[:, column], minlength=space.nvec[column]) / draws for found in (singly, together)]
        np.testing.assert_allclose(*shares, atol=0.02)
