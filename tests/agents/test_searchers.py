"""What each of the smaller searchers does that the others do not."""

from itertools import pairwise

import numpy as np
import pytest

import archgym
from archgym.testing.toys import Bowl

OPTIMUM = Bowl().space.canonical((Bowl().space.nvec[None] - 1) // 2)
LEARNING = (
    "ant_colony",
    "coordinate_descent",
    "cross_entropy",
    "differential_evolution",
    "regularised_evolution",
    "tabu_search",
)
CONTROLS = ("random_walk", "grid_search", "sobol_search")

LINE = '''
import numpy as np
from archgym_simulators import Baseline, Categorical, DesignSpace, Evaluation, Metric, Ordinal, Simulator, Workload

class Separable(Simulator):
    """Six parameters of eight values, each best at its own value, none depending on another."""
    metrics = (Metric("loss", "to be minimised", scale="linear", span=1.0),)
    version = "1"
    space = DesignSpace([Ordinal(f"p{i}", range(8)) for i in range(3)]
                        + [Categorical(f"c{i}", [str(v) for v in range(8)]) for i in range(3)])
    baseline = Baseline("zero", (0,) * 6)
    def __init__(self, workload="default"):
        self.workload = Workload("default")
    def simulate(self, rows):
        best = np.array([3, 5, 1, 6, 2, 4])
        steps = np.abs(rows[:, :3] - best[:3]).sum(axis=1)
        return Evaluation.of(1.0 + (steps + (rows[:, 3:] != best[3:]).sum(axis=1))[:, None].astype(float))
'''


@pytest.fixture
def separable(tmp_path):
    (tmp_path / "separable.py").write_text(LINE)
    return f"{tmp_path / 'separable.py'}:Separable"


@pytest.mark.parametrize("agent", LEARNING)
def test_learners_come_closer_to_the_bottom_of_the_bowl_than_random_search(agent):
    def median_time(name):
        runs = [archgym.search("toy/Bowl-v0", name, budget=150, seed=seed) for seed in range(8)]
        return np.median([run.metrics["time_ns"] for run in runs])

    assert median_time(agent) < median_time("random_search")


@pytest.mark.parametrize("agent", [*LEARNING, "random_walk", "sobol_search"])
def test_a_smaller_budget_is_a_prefix_of_a_larger_one(agent, proposals):
    short, _ = proposals(agent, "HugeSpace", budget=40)
    long, _ = proposals(agent, "HugeSpace", budget=90)
    assert np.array_equal(short[:40], long[:40])


@pytest.mark.parametrize("agent", [*LEARNING, *CONTROLS])
def test_nothing_is_proposed_twice(agent, proposals):
    rows, session = proposals(agent, "Bowl", budget=300)
    assert len(set(session.space.keys(session.space.canonical(rows)))) == len(rows)


def test_coordinate_descent_settles_each_parameter_in_one_visit(separable, proposals):
    options = {"starts": 1, "values": 8}
    _, session = proposals("coordinate_descent", separable, budget=1 + 6 * 7, options=options)
    assert session.best.values == (1.0,)


def test_a_grid_has_the_extremes_of_every_parameter_that_got_two_levels(separable, proposals):
    rows, _ = proposals("grid_search", separable, budget=64)
    assert {tuple(row) for row in rows[:64].tolist()} == {
        tuple(7 * ((n >> bit) & 1) for bit in range(6)) for n in range(64)
    }


def test_a_grid_of_more_columns_than_an_array_has_dimensions(tmp_path, proposals) -> None:
    wide = LINE.replace("range(8)) for i in range(3)]", "range(8)) for i in range(97)]").replace(
        "(0,) * 6", "(0,) * 100"
    )
    wide = wide.replace("rows[:, 3:]", "rows[:, 97:]")
    (tmp_path / "wide.py").write_text(wide)
    rows, _ = proposals("grid_search", f"{tmp_path / 'wide.py'}:Separable", budget=64)
    varied = [len(np.unique(column)) for column in rows[:64].T]
    assert sorted(varied) == [1] * 94 + [2] * 6


def test_sobol_points_give_every_value_its_share(separable, proposals):
    rows, _ = proposals("sobol_search", separable, budget=64)
    for column in rows[:64].T:
        assert np.bincount(column, minlength=8).tolist() == [8] * 8


def test_a_random_walk_moves_one_parameter_a_step(proposals):
    rows, _ = proposals("random_walk", "HugeSpace", budget=60, options={"restart": 0.0})
    space = archgym.make_session("toy/HugeSpace-v0").space
    moved = [len({_owner(space, column) for column in np.flatnonzero(a != b)}) for a, b in pairwise(rows)]
    assert np.mean(np.array(moved) == 1) > 0.9, "but where the step led to a known design"


def _owner(space, column):
    return next(i for i, p in enumerate(space.parameters) if column in range(*space.columns_of(p.name).indices(99)))


def test_greedy_ants_gather_where_the_pheromone_is(separable, proposals):
    careful, _ = proposals("ant_colony", separable, budget=40, options={"greediness": 0.0})
    greedy, _ = proposals("ant_colony", separable, budget=40, options={"greediness": 1.0})

    def spread(rows):
        return np.mean([len(np.unique(column)) for column in rows[8:16].T])

    assert spread(greedy) < spread(careful)


def test_the_oldest_die_however_good(separable, proposals):
    from archgym.registry import agent_class

    agent = agent_class("regularised_evolution")
    session = archgym.make_session(separable, budget=200)
    config = agent.Config.from_options({"population": 4, "children": 1})
    searcher = agent.create(session.space, config, np.random.default_rng(0), budget=200)
    born = np.zeros((0, 6), dtype=np.int64)
    for _ in range(12):
        rows = searcher.ask(100)
        searcher.tell(rows, session.evaluate(rows))
        born = np.concatenate([born, rows])
        assert np.array_equal([member.row for member in searcher._alive], born[-4:])


def test_tabu_search_goes_on_downhill_and_not_back(separable, proposals):
    rows, session = proposals("tabu_search", separable, budget=400, options={"starts": 1, "patience": 32})
    assert session.best.values == (1.0,), "it walks to the optimum of a problem without local ones"
    after = rows[np.flatnonzero((rows == session.best.row).all(axis=1))[0] + 1 :]
    assert len(after) > 8, "and then goes on"


def test_the_cross_entropy_method_learns_the_best_values(separable, proposals):
    rows, _ = proposals("cross_entropy", separable, budget=600, options={"rate": 0.5})
    assert (rows[500:600] == [3, 5, 1, 6, 2, 4]).mean() > 0.5


def test_differential_evolution_moves_ordinals_by_differences(proposals):
    rows, _ = proposals("differential_evolution", "HugeSpace", budget=400)
    first, last = rows[:16], rows[350:400]
    assert last.std(axis=0).mean() < first.std(axis=0).mean(), "the population contracts"


def test_cma_es_runs_without_a_warning_where_nothing_is_ordered(tmp_path, proposals):
    text = LINE.replace('[Ordinal(f"p{i}", range(8)) for i in range(3)]', "[]").replace("range(3)]", "range(6)]")
    (tmp_path / "unordered.py").write_text(text)
    rows, _ = proposals("cma_es", f"{tmp_path / 'unordered.py'}:Separable", budget=40)
    assert len(rows) >= 40
