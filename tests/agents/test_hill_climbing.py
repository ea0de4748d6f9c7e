import numpy as np
import pytest

import archgym
from archgym.testing.toys import Bowl
from archgym_simulators import DesignSpace

OPTIMUM = Bowl().space.canonical((Bowl().space.nvec[None] - 1) // 2)


def steps_from_neighbours(space: DesignSpace, rows: np.ndarray, starts: int) -> bool:
    known = {tuple(row) for row in rows[:starts].tolist()}
    for row in rows[starts:]:
        around = {tuple(other) for other in space.canonical(space.neighbours(row)).tolist()}
        if not around & known:
            return False
        known.add(tuple(row.tolist()))
    return True


@pytest.mark.parametrize("improvement", ["first", "best"])
def test_it_reaches_the_bottom_of_the_bowl(improvement: str) -> None:
    options = {"improvement": improvement}
    runs = [
        archgym.search("toy/Bowl-v0", "hill_climbing", budget=500, seed=seed, agent_options=options)
        for seed in range(10)
    ]
    assert all(run.feasible for run in runs)
    best = archgym.evaluate("toy/Bowl-v0", Bowl().space.decode_row(OPTIMUM[0]))["time_ns"][0]
    assert np.median([run.metrics["time_ns"] for run in runs]) == pytest.approx(best, rel=0.01)


def test_after_the_start_every_proposal_is_a_neighbour_of_a_known_design(proposals) -> None:
    rows, session = proposals("hill_climbing", "HugeSpace", budget=100, options={"starts": 8})
    assert steps_from_neighbours(session.space, rows[:100], 8)


def test_a_climb_that_is_stuck_starts_again_elsewhere(proposals) -> None:
    rows, session = proposals("hill_climbing", "Bowl", budget=400, options={"starts": 2})
    assert not steps_from_neighbours(session.space, rows[:400], 2)


def test_a_sample_limits_the_neighbours_tried(proposals) -> None:
    options = {"improvement": "best", "starts": 1, "sample": 3}
    rows, _ = proposals("hill_climbing", "HugeSpace", budget=200, options=options)
    space = archgym.make_session("toy/HugeSpace-v0").space
    first = {tuple(row) for row in space.neighbours(rows[0]).tolist()}
    assert sum(tuple(row) in first for row in rows[1:5].tolist()) == 3


@pytest.mark.parametrize("sideways", [0, 3, 20])
def test_equal_designs_are_accepted_as_often_as_set(sideways: int, tmp_path, proposals) -> None:
    (tmp_path / "plain.py").write_text(PLAIN)
    options = {"starts": 1, "batch": 1, "sideways": sideways}
    rows, _ = proposals("hill_climbing", f"{tmp_path / 'plain.py'}:Plain", budget=40, options=options)
    # On a line without slope a climb goes one way, one step a move, and one look further; or looks both ways and stays.
    climb = sideways + 2 if sideways else 3
    distance = np.abs(rows[:40, 0] - rows[0, 0])
    assert distance[:climb].max() == sideways + 1
    assert distance[climb] > 100


PLAIN = """
import numpy as np
from archgym_simulators import Baseline, DesignSpace, Evaluation, Integer, Metric, Simulator, Workload


class Plain(Simulator):
    metrics = (Metric("time_ns", "the same everywhere"),)
    version = "1"

    def __init__(self, workload="default"):
        self.space = DesignSpace([Integer("x", 0, 1_000_000)])
        self.workload = Workload(workload)
        self.baseline = Baseline("origin", (0,))

    def simulate(self, rows):
        return Evaluation.of(np.ones((len(rows), 1)))
"""
