"""Searches with and without proxies: simulations are counted alike, and the README says what the table has."""

import csv

import numpy as np
import pytest

import archgym
from archgym.datasets import Dataset
from experiments.proxy_search import methods
from experiments.proxy_search.answers import TABLE, calls_until, printed, read_runs, targets
from experiments.proxy_search.methods import HEADER, Case, Method, improvements
from tests.archgym.datasets.made_data import BOWL

CASE = Case(BOWL, "default", "time")


@pytest.fixture
def quick(monkeypatch):
    """A small budget, and proxies that are quickly searched."""
    for name, value in {"BUDGET": 300, "SIZES": (30, 300), "PREDICTIONS": 60, "VERIFIED": 5}.items():
        monkeypatch.setattr(methods, name, value)


def rows_of(lines):
    return list(csv.DictReader([HEADER, *lines]))


def test_an_agent_alone_is_its_recorded_run(quick, tmp_path):
    found = rows_of(Method("random_search").lines(CASE, 3, tmp_path))
    result = archgym.search(BOWL, "random_search", objective="time", workload="default", budget=300, seed=3)
    rewards = [float(row["reward"]) for row in found]
    assert rewards == sorted(rewards)
    assert (int(found[-1]["calls"]), rewards[-1]) == (300, pytest.approx(result.reward, abs=1e-6))
    assert {row["seed"] for row in found} == {"3"}


def test_a_proxy_counts_what_it_was_fitted_to_and_what_verifies_it(quick, tmp_path, monkeypatch):
    fitted = []
    original = methods.fit
    monkeypatch.setattr(methods, "fit", lambda data, **how: fitted.append(data) or original(data, **how))
    few, many = rows_of(Method("random_search", with_proxy=True).lines(CASE, 3, tmp_path))
    assert [int(row["calls"]) for row in (few, many)] == [30, 300]
    assert [int(data.step.max()) + 1 for data in fitted] == [25, 295], "the rest verifies"
    assert few["promised"] == "", "25 designs are too few for a proxy, so the agent goes on"
    run = Dataset.load(tmp_path / f"{CASE.name} random_search 3".replace(" ", "-"))
    best = {calls: float(run.reward[(run.step < calls) & run.feasible].max()) for calls in (30, 295)}
    assert float(few["reward"]) == pytest.approx(best[30], abs=1e-6)
    assert float(many["reward"]) >= best[295] - 1e-6
    favourite = float(many["promised"]) - float(many["gap"])
    assert favourite <= float(many["reward"]) + 1e-6, "it was among the verified"


def test_infeasible_designs_are_no_improvement(quick, tmp_path):
    archgym.search(BOWL, "random_search", budget=300, seed=1, out=tmp_path / "run")
    data = Dataset.load(tmp_path / "run")
    assert not data.feasible.all()
    points = improvements(data)
    best = np.maximum.accumulate(np.where(data.feasible, data.reward, -np.inf))
    assert all(best[calls - 1] == reward for calls, reward in points)
    assert points[-1] == (300, best[-1])


def test_simulations_until_a_reward():
    points = [(5, 0.1), (40, 0.3), (methods.BUDGET, 0.3)]
    assert [calls_until(points, reward) for reward in (0.0, 0.1, 0.2, 0.3)] == [5, 5, 40, 40]
    assert calls_until(points, 0.31) == methods.BUDGET + 1


def test_the_reference_has_what_is_asked_for_after_each_stage():
    runs = read_runs(TABLE)
    for problem in {key[0] for key in runs}:
        for stage, target in targets(runs, problem).items():
            calls = [calls_until(points, target) for points in runs[problem, "genetic_algorithm"]]
            assert np.mean(np.array(calls) <= stage) >= 0.5


def test_the_readme_has_the_tables_of_the_results():
    readme = (TABLE.parent / "README.md").read_text()
    assert [line for line in printed(TABLE) if line.startswith("|") and line not in readme] == []
