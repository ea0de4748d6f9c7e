"""Independent bandits, and the value tables that they choose from."""

import numpy as np
import pytest

import archgym
from archgym_agents._values import ValueTable
from archgym_simulators import DesignSpace, Integer

SPACE = DesignSpace([Integer("a", 0, 2), Integer("b", 0, 0), Integer("c", 0, 3)])


def test_the_highest_score_of_each_column_is_found_row_by_row() -> None:
    table, rng = ValueTable(SPACE), np.random.default_rng(0)
    scores = rng.random((50, table.size))
    expected = np.stack([scores[:, 0:3].argmax(1), np.zeros(50, int), scores[:, 4:8].argmax(1)], axis=1)
    assert np.array_equal(table.highest(scores, rng), expected)
    assert np.array_equal(table.highest(np.zeros((2, table.size)), rng), np.zeros((2, 3)))


def test_sums_and_maxima_are_by_column() -> None:
    table = ValueTable(SPACE)
    weights = np.array([1.0, 5.0, 2.0, 7.0, 0.0, 4.0, 3.0, 1.0])
    assert table.column_sums(weights).tolist() == [8.0] * 3 + [7.0] + [8.0] * 4
    assert table.column_maxima(weights).tolist() == [5.0] * 3 + [7.0] + [4.0] * 4
    assert table.places(np.array([[2, 0, 1]])).tolist() == [[2, 3, 5]]


@pytest.mark.parametrize("rule", ["ucb", "thompson", "exp3"])
def test_bandits_learn_parameters_that_do_not_interact(rule: str, proposals) -> None:
    rows, _ = proposals("bandits", "HugeSpace", budget=800, options={"rule": rule, "exploration": 0.25})
    away = np.abs(rows - 4.0).mean(axis=1)  # the best digit is 4 everywhere
    assert away[-100:].mean() < away[:100].mean() - 0.3


def test_ranks_put_infeasible_designs_below_feasible_ones(proposals) -> None:
    def feasible_share(agent: str) -> float:
        rows, _ = proposals(agent, "Bowl", budget=200)
        return float(archgym.make_session("toy/Bowl-v0").evaluate(rows).feasible[-100:].mean())

    assert feasible_share("bandits") > feasible_share("random_search")
