"""How evaluations-to-feasible are counted and summarised."""

import numpy as np
import pytest

from archgym.core_1.soc import BUDGETS, SOC
from archgym.problem import ProblemSpec
from archgym.registry import agent_class
from archgym.session import Budget, SessionOver
from archgym.statistics import kaplan_meier
from experiments.soc_explorer.__main__ import CAPS, Run, UntilMet, interval_of_median, is_over, runs, search, summarised

CAP = CAPS["audio-decoder"]


def test_a_session_ends_with_the_first_feasible_design():
    spec = ProblemSpec.create(SOC, workload="hpvm-cava", objective="energy", constraints=["latency_ratio<=1000"])
    space = spec.bind().space
    rows = space.sample(200, np.random.default_rng(0))
    feasible = spec.bind().evaluate(space.canonical(rows)).feasible
    first = int(feasible.argmax())
    assert feasible.any()
    session = UntilMet(spec, budget=Budget(1000))
    session.evaluate(rows[:first]) if first else None
    session.evaluate(rows[first:])
    assert session.met == first + 1
    with pytest.raises(SessionOver):
        session.evaluate(rows)


def test_a_search_counts_what_it_took():
    evaluations, met = search(Run("farsi", "audio-decoder", "explorer", 0))
    spec = ProblemSpec.create(
        SOC,
        workload="audio-decoder",
        objective="energy",
        constraints=BUDGETS,
        options={"rules": "farsi", "space": "tasks"},
    )
    session = UntilMet(spec, budget=Budget(evaluations - 1))
    built = agent_class("farsi_explorer")
    built.create(session.space, built.Config(), np.random.default_rng(0), budget=CAP).run(session)
    assert met
    assert session.met is None  # one evaluation less does not do


def test_runs_that_never_meet_the_budgets_are_censored_not_left_out():
    lines = [
        {"rules": "farsi", "workload": "audio-decoder", "agent": agent, "seed": str(s), "evaluations": str(n), "met": m}
        for agent, ends in {
            "explorer": ((10, "True"), (20, "True"), (30, "True")),
            "annealing": ((100, "True"), (CAP, "False"), (CAP, "False")),
        }.items()
        for s, (n, m) in enumerate(ends)
    ]
    explorer, annealing = summarised(lines)
    assert (explorer["median"], explorer["met"], explorer["times_the_explorer"]) == ("20", 3, "1.0")
    assert (annealing["median"], annealing["met"]) == (f">{CAP}", 1)
    assert annealing["times_the_explorer"] == f">{CAP / 20:.1f}"


def test_where_the_explorer_does_not_finish_nothing_is_said_about_ratios():
    ends = {"explorer": (CAP, "False"), "annealing": (CAP, "False")}
    lines = [
        {"rules": "farsi", "workload": "audio-decoder", "agent": agent, "seed": "0", "evaluations": str(n), "met": m}
        for agent, (n, m) in ends.items()
    ]
    assert [row["times_the_explorer"] for row in summarised(lines)] == ["", ""]


def test_every_search_is_listed_once():
    keys = [run.key for run in runs()]
    assert len(keys) == len(set(keys))
    assert len({run.seed for run in runs()}) >= 10


def test_a_search_that_ended_at_a_lower_cap_is_made_again():
    line = {"workload": "audio-decoder", "evaluations": "600", "met": "False"}
    assert not is_over(None)
    assert not is_over(line)
    assert is_over(line | {"met": "True"})
    assert is_over(line | {"evaluations": str(CAP)})


def test_the_interval_of_a_median_is_open_where_too_few_runs_finished():
    everyone = interval_of_median(kaplan_meier(np.arange(10, 110, 10), np.ones(10, dtype=bool)))
    assert everyone[0] < 50 < everyone[1] < 110
    one = interval_of_median(kaplan_meier([100, *[CAP] * 9], [True, *[False] * 9]))
    assert one == (100, float("inf"))
    assert interval_of_median(kaplan_meier([CAP] * 10, [False] * 10)) == (float("inf"), float("inf"))
    half = interval_of_median(kaplan_meier([*range(100, 600, 100), *[CAP] * 5], [True] * 5 + [False] * 5))
    assert half[0] < 500
    assert half[1] == float("inf")
