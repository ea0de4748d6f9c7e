"""Published baselines on NAS-Bench-201: the tests for equivalence, REINFORCE, and a small run of everything."""

import csv
from pathlib import Path

import numpy as np
import pytest

import archgym
from archgym.testing import check_agent
from experiments.nas201_baselines.__main__ import HEADER, MARGINS, PUBLISHED, TABLE, main
from experiments.nas201_baselines.equivalence import Sample, equivalence
from experiments.nas201_baselines.reinforce import Reinforce
from experiments.nas201_baselines.searches import SEARCHES, judged, run_search

HOME = Path(archgym.__file__).parents[1] / "experiments" / "nas201_baselines"


@pytest.mark.parametrize(("difference", "holds"), [(0.0, True), (0.2, True), (-0.2, True), (0.29, False), (0.4, False)])
def test_means_are_equivalent_where_the_interval_lies_within_the_margin(difference, holds):
    test = equivalence(Sample(90.0 + difference, 0.4, 500), Sample(90.0, 0.4, 500), margin=0.3)
    assert test.holds is holds
    assert (test.low > -0.3 and test.high < 0.3) is holds
    assert test.difference == pytest.approx(difference)


def test_few_runs_show_no_equivalence_however_close_the_means():
    assert not equivalence(Sample(90.0, 1.0, 5), Sample(90.0, 1.0, 5), margin=0.3).holds


def test_the_interval_is_the_one_of_welch():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.1, 1.0, 40), rng.normal(0.0, 2.0, 90)
    test = equivalence(*(Sample(x.mean(), x.std(ddof=1), len(x)) for x in (a, b)), margin=1.0)
    interval = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.9)
    assert (test.low, test.high) == pytest.approx((interval.low, interval.high))
    other = [
        stats.ttest_ind(a, b + shift, equal_var=False, alternative=side).pvalue
        for shift, side in ((-1.0, "greater"), (1.0, "less"))
    ]
    assert test.p == pytest.approx(max(other))


def test_reinforce_keeps_the_contract_of_agents():
    check_agent(Reinforce, light=True)


def test_reinforce_learns_where_there_is_time():
    session = archgym.make_session("archgym/NAS201-v0", budget=1_500, max_proposals=3_000)
    agent = Reinforce.create(session.space, Reinforce.Config(learning_rate=0.1), np.random.default_rng(0), budget=1_500)
    rewards = []
    tell = agent.tell
    agent.tell = lambda rows, scored: (rewards.append(float(scored.reward[0])), tell(rows, scored))
    agent.run(session)
    assert np.mean(rewards[-200:]) > np.mean(rewards[:200]) + 0.5


@pytest.mark.parametrize("name", SEARCHES)
def test_a_few_runs_of_each_search_are_near_the_published_means(name):
    found = run_search(SEARCHES[name], images="cifar10", budget_s=12_000.0, runs=12)
    assert (found.evaluations > 60).all()
    means, reference = judged(found.rows), PUBLISHED[name.partition("-")[0]][1]
    for images, (mean, std) in reference.items():
        assert abs(means[images].mean() - mean) < MARGINS[images] + 3.0 * std / 12**0.5


def test_the_same_seeds_find_the_same_cells():
    first, again = (run_search(SEARCHES["REA"], images="cifar100", budget_s=9_000.0, runs=3) for _ in range(2))
    assert (first.rows == again.rows).all()


def test_the_committed_table_is_whole_and_says_what_the_page_says():
    with (HOME / TABLE).open() as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == HEADER
    assert {(row["search"], row["images"]) for row in rows} == {(s, i) for s in SEARCHES for i in MARGINS}
    page = (HOME / "README.md").read_text()
    for row in rows:
        assert int(row["runs"]) == SEARCHES[row["search"]].runs
        assert f"{float(row['mean']):.2f} / {float(row['reference_mean']):.2f}" in page
        inside = abs(float(row["low_90"])) < float(row["margin"]) and abs(float(row["high_90"])) < float(row["margin"])
        assert (row["equivalent"] == "True") is inside


def test_the_program_writes_a_table_and_says_where_it_does_not_hold(tmp_path, capsys):
    archgym.make_session("archgym/NAS201-v0")
    status = main(["--runs", "3", "--out", str(tmp_path / "few.csv")])
    assert status == 1
    assert capsys.readouterr().out.count("NO") >= 1
    assert len((tmp_path / "few.csv").read_text().splitlines()) == 1 + len(SEARCHES) * len(MARGINS)


def test_without_data_the_command_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ARCHGYM_DATA", str(tmp_path))
    assert main(["--runs", "1"]) == 2
    assert "archgym data import nats-tss" in capsys.readouterr().err
