import numpy as np

from archgym.testing.toys import Bowl, HugeSpace
from archgym_agents._untried import Untried
from archgym_simulators import Categorical, DesignSpace, InertWhen, Integer


def test_every_canonical_design_is_drawn_once_whatever_the_portions() -> None:
    space = DesignSpace(Bowl().space.parameters[:3], inert=Bowl().space.inert)
    for portion in (1, 7, 5000):
        untried, rng, found = Untried(space), np.random.default_rng(portion), []
        while len(drawn := untried.draw(portion, rng)):
            found.append(drawn)
        rows = np.concatenate(found)
        assert len(rows) == len(np.unique(rows, axis=0)) == space.canonical_size


def test_taken_designs_are_not_drawn_and_equal_designs_are_taken_once() -> None:
    space = DesignSpace(
        [Categorical("memory", ["none", "cache"]), Integer("size", 0, 3)],
        inert=[InertWhen("size", "memory", ("none",))],
    )
    untried = Untried(space)
    same = np.array([[0, 3], [0, 1], [1, 2], [1, 2]])
    assert untried.among(same).tolist() == [[0, 0], [1, 2]]
    assert untried.take(same, 1).tolist() == [[0, 0]]
    assert untried.take(same).tolist() == [[1, 2]]
    assert len(untried.take(same)) == 0
    rest = untried.draw(99, np.random.default_rng(0))
    assert sorted(rest.tolist()) == [[1, 0], [1, 1], [1, 3]]


def test_a_failed_design_comes_back_twice() -> None:
    space = DesignSpace([Integer("x", 0, 4)])
    untried, rng = Untried(space), np.random.default_rng(0)
    unlucky = np.array([[2]])
    assert len(untried.draw(5, rng)) == 5
    for comes_back in (1, 1, 0):
        assert len(untried.forget_failed(unlucky)) == comes_back
        assert len(untried.draw(5, rng)) == comes_back


def test_a_space_whose_canonical_designs_are_rare_is_drawn_from_all_the_same() -> None:
    switches = [Categorical(f"s{i}", [*range(8)]) for i in range(12)]
    values = [Integer(f"v{i}", 0, 999) for i in range(12)]
    inert = [InertWhen(f"v{i}", f"s{i}", tuple(range(7))) for i in range(12)]
    space = DesignSpace([*switches, *values], inert=inert)
    rows = Untried(space).draw(20, np.random.default_rng(0))
    assert len(rows) == 20
    assert (space.canonical(rows) == rows).all()


def test_huge_spaces_are_drawn_without_listing_them() -> None:
    rows = Untried(HugeSpace().space).draw(1000, np.random.default_rng(0))
    assert len(np.unique(rows, axis=0)) == 1000
