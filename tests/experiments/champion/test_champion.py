"""The champion's experiment: tasks in their roles, equal trials, the best trial chosen, shares of regret."""

import json

import numpy as np
import pytest

from archgym.registry import agent_class
from archgym.statistics import iqm
from archgym.tasks import task
from experiments.champion import protocol, verdict
from experiments.champion.__main__ import main
from experiments.champion.protocol import CHAMPION, DEV_TASKS, TEST_TASKS, Contender
from experiments.multi_agent.csv_table import read_csv


@pytest.fixture
def small(monkeypatch, tmp_path):
    """The experiment with quick rivals, few calls and two tasks."""
    for where in (protocol, verdict):
        monkeypatch.setattr(where, "RIVALS", ("hill_climbing",))
        monkeypatch.setattr(where, "TEST_TASKS", {"systolic": ("systolic-mixed-edp", "systolic-edge-latency")})
        monkeypatch.setattr(where, "BUDGETS", (10, 20))
    monkeypatch.setattr(protocol, "DEV_TASKS", ("systolic-dev-edp",))
    monkeypatch.setattr(protocol, "TRIAL_CALLS", 20)
    monkeypatch.setattr(protocol, "TRIALS", 3)
    for name, file in (("VERDICT", "verdict.csv"), ("FAMILIES", "families.csv"), ("TRIALS_FILE", "trials.csv")):
        monkeypatch.setattr(verdict, name, tmp_path / file)
    return tmp_path


def test_tasks_are_tuned_on_and_judged_on_by_their_roles():
    judging = [name for names in TEST_TASKS.values() for name in names]
    assert {task(name).role for name in DEV_TASKS} == {"dev"}
    assert {task(name).role for name in judging} == {"test"}
    assert len(set(judging)) == len(judging)
    assert all(task(name).standing == "headline" and len(task(name).objectives) == 1 for name in [*DEV_TASKS, *judging])


def test_every_rival_has_as_many_settings_to_try():
    for rival in protocol.RIVALS:
        assert agent_class(rival).Config.hyperparameters().size >= protocol.TRIALS


def test_rivals_are_tuned_to_the_least_regret_and_judged_beside_their_defaults(small):
    out = small / "runs"
    assert main(["tune", "--out", str(out)]) == 0
    regrets = protocol.trial_regrets("hill_climbing", out)
    assert len(regrets) == 3
    chosen = protocol.tuned_settings("hill_climbing", out)
    least = min(regrets, key=lambda settings: float(iqm(regrets[settings])))
    assert chosen == json.loads(least)
    met = [one.name for one in protocol.contenders(out)]
    is_default = chosen == agent_class("hill_climbing").Config().to_json()
    assert met == [CHAMPION, "hill_climbing", *([] if is_default else ["hill_climbing tuned"])]
    assert main(["judge", "--out", str(out), "--seeds", "2"]) == 0
    assert main(["tables", "--out", str(out)]) == 0
    rows = read_csv(small / "verdict.csv")
    assert [(row["budget"], row["contender"]) for row in rows] == [(b, name) for b in ("10", "20") for name in met]
    assert {(row["tasks"], row["seeds"]) for row in rows} == {("2", "2")}
    assert sum(row["chosen"] == "yes" for row in read_csv(small / "trials.csv")) == 1


def test_a_family_that_a_contender_has_not_finished_is_left_out(small):
    out = small / "runs"
    protocol.judge(Contender(CHAMPION, CHAMPION), "systolic", out, seeds=1)
    assert main(["tables", "--out", str(out)]) == 0
    assert not (small / "verdict.csv").exists()


def test_a_share_is_of_interquartile_means_and_lies_in_its_interval():
    rng = np.random.default_rng(1)
    rival = rng.uniform(0.4, 0.6, (8, 5))
    ratio, (low, high) = verdict.share(rival / 2, rival)
    assert ratio == pytest.approx(0.5)
    assert low < 0.5 < high
    ratio, _ = verdict.share(rival, rival / 2)
    assert ratio == pytest.approx(2.0)
