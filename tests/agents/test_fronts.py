"""NSGA-II and NSGA-III: fronts, crowding, reference directions."""

import numpy as np
import pytest

import archgym
from archgym.pareto import hypervolume, non_dominated
from archgym.registry import agent_class
from archgym_agents._batches import Outcomes
from archgym_agents._fronts import ranked_fronts
from archgym_agents.nsga2 import crowding
from archgym_agents.nsga3 import reference_directions


def outcomes(rewards, feasible=None):
    rewards = np.array(rewards, dtype=float)
    feasible = np.ones(len(rewards), dtype=bool) if feasible is None else np.array(feasible)
    none_failed = np.zeros(len(rewards), dtype=bool)
    missed = np.where(feasible, 0.0, 1.0 / np.abs(rewards).sum(axis=1))
    return Outcomes(np.arange(len(rewards))[:, None], rewards.mean(axis=1), feasible, none_failed, rewards, missed)


def test_fronts_are_peeled_and_infeasible_designs_come_last_by_what_they_miss():
    of = outcomes([[2, 1], [1, 2], [1, 1], [9, 9], [8, 8]], [True, True, True, False, False])
    assert [sorted(front.tolist()) for front in ranked_fronts(of)] == [[0, 1], [2], [3], [4]]


@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_every_front_is_what_is_not_dominated_without_those_before(objectives):
    rewards = np.random.default_rng(objectives).integers(1, 7, (60, objectives))  # equal points among them
    left = np.arange(60)
    for front in ranked_fronts(outcomes(rewards)):
        expected = non_dominated(rewards[left])
        assert front.tolist() == left[expected].tolist()
        left = left[~expected]
    assert not len(left)


def test_crowding_keeps_the_ends_and_favours_room():
    room = crowding(np.array([[0.0, 4.0], [1.0, 3.0], [1.2, 2.8], [4.0, 0.0]]))
    assert np.isinf(room[[0, 3]]).all()
    assert room[2] > room[1], "the next one is further away from it"


@pytest.mark.parametrize(("objectives", "most", "expected"), [(2, 9, 9), (3, 15, 15), (3, 20, 15), (1, 20, 1)])
def test_directions_lie_evenly_and_fit(objectives, most, expected):
    directions = reference_directions(objectives, most)
    assert directions.shape == (expected, objectives)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1.0)
    assert (directions >= 0.0).all()


CORNERS = """
import numpy as np
from archgym_simulators import Baseline, DesignSpace, Evaluation, Metric, Ordinal, Simulator, Workload

class Corners(Simulator):
    'How far a design is from one corner of a cube of twelve dimensions, and how far from another.'
    metrics = tuple(Metric(name, "a loss", scale="linear", span=10.0) for name in ("left", "right"))
    version = "1"
    space = DesignSpace([Ordinal(f"p{i}", range(16)) for i in range(12)])
    baseline = Baseline("middle", (8,) * 12)
    def __init__(self, workload="default"):
        self.workload = Workload("default")
    def simulate(self, rows):
        left = np.abs(rows - 2).sum(axis=1) + 1.0
        right = np.abs(rows - np.where(np.arange(12) < 6, 2, 13)).sum(axis=1) + 1.0
        return Evaluation.of(np.stack([left, right], axis=1))
"""


@pytest.fixture
def corners(tmp_path):
    (tmp_path / "corners.py").write_text(CORNERS)
    return f"{tmp_path / 'corners.py'}:Corners"


def volume(session, searcher):
    """Hypervolume of what a searcher finds until the session is over; None draws at random."""
    rewards, rng = [], np.random.default_rng(1)
    while session.stop_reason is None:
        rows = session.space.sample(session.remaining, rng) if searcher is None else searcher.ask(session.remaining)
        scored = session.evaluate(rows)
        rewards.append(scored.rewards)
        if searcher is not None:
            searcher.tell(rows, scored)
    return hypervolume(np.concatenate(rewards), [-1.0, -1.0])


@pytest.mark.parametrize("agent", ["nsga2", "nsga3", "optuna_tpe"])
def test_they_cover_more_than_random_designs(agent, corners):
    pytest.importorskip("optuna" if agent.startswith("optuna") else "numpy")

    def session():
        return archgym.make_session(corners, objective=["left", "right"], budget=240)

    built = agent_class(agent)
    found = []
    for seed in range(3):
        opened = session()
        searcher = built.create(opened.space, built.Config(), np.random.default_rng(seed), budget=240, n_objectives=2)
        found.append(volume(opened, searcher))
    assert min(found) > volume(session(), None)
