"""Agents of Optuna and SMAC."""

import os

import numpy as np
import pytest

import archgym
from archgym.pareto import hypervolume
from archgym_simulators import InputError

pytest.importorskip("optuna")


def test_tpe_searches_several_objectives_and_finds_larger_fronts_than_chance(proposals) -> None:
    objectives = {"objective": ["time", "energy-delay"]}

    def volume(agent: str, seed: int) -> float:
        rows, _ = proposals(agent, "Bowl", seed=seed, budget=60, **objectives)
        found = archgym.make_session("toy/Bowl-v0", **objectives).evaluate(rows)
        return hypervolume(found.rewards[found.feasible], [-1.0, -1.0])

    tpe, blind = (np.median([volume(agent, seed) for seed in range(5)]) for agent in ("optuna_tpe", "random_search"))
    assert tpe > blind


def gain_by_model(agent: str, budget: int, proposals) -> float:
    """How much better designs proposed from a model are than the ten random ones it began with, on average."""
    rows, session = proposals(agent, "Bowl", budget=budget)
    assert session.calls == session.proposals  # no repeats
    reward = archgym.make_session("toy/Bowl-v0").evaluate(rows).reward
    return float(reward[10:].mean() - reward[:10].mean())


def test_the_gaussian_process_of_optuna_learns(proposals) -> None:
    pytest.importorskip("torch")
    assert gain_by_model("optuna_gp", 18, proposals) > 0.1 > gain_by_model("random_search", 100, proposals)


def test_the_gaussian_process_of_optuna_leaves_the_number_of_threads_as_it_was() -> None:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    archgym.search("toy/Bowl-v0", "optuna_gp", budget=11, seed=0)
    assert torch.get_num_threads() == before


class TestSmac:
    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("smac")

    def test_it_learns(self, proposals) -> None:
        assert gain_by_model("smac", 25, proposals) > 0.1

    def test_it_writes_nothing_where_it_runs_and_says_nothing(self, tmp_path, monkeypatch, capfd) -> None:
        monkeypatch.chdir(tmp_path)
        archgym.search("toy/Bowl-v0", "smac", budget=13, seed=0)
        assert os.listdir(tmp_path) == []
        assert capfd.readouterr() == ("", "")

    def test_several_objectives_are_refused(self) -> None:
        with pytest.raises(InputError, match="agent 'smac' takes one objective"):
            archgym.search("toy/Bowl-v0", "smac", budget=5, objective=["time", "energy-delay"])
