"""What a report says of regret, ranks and tuning."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from archgym.best_known import best_known
from archgym.report.charts import ALL_TASKS, Line, Points
from archgym.report.sections import lottery
from archgym.report.study_data import prepare
from archgym.statistics import CEILING, hypervolume, iqm
from archgym.tasks import task
from tests.archgym.report.made_studies import MadeTask, made_study
from tests.archgym.report.read_sections import sections_of, table_of, words


def test_regret_is_0_at_the_best_known_and_1_at_the_median_of_random_designs():
    data = prepare(made_study())
    scale = data.tasks[0].reference
    assert not scale.is_certified
    rewards = data.runs["best_reward"].to_numpy()
    assert scale.best == rewards.max()
    expected = (scale.best - rewards) / (scale.best - scale.median)
    assert data.runs["regret"].to_numpy() == pytest.approx(expected)
    problem = data.tasks[0].problem
    sample = problem.space.canonical(problem.space.sample(512, np.random.default_rng(0)))
    scored = problem.evaluate(sample)
    assert scale.median == np.median(scored.reward[scored.feasible])


def suite_task(best):
    spec = task("dram-dev-time").spec()
    return MadeTask("dram-dev-time", spec.env_id, spec.workload, spec.objectives, best=best, role="dev")


def test_a_task_of_the_suite_is_measured_against_its_certificate():
    data = prepare(made_study((suite_task(best=0.1),), seeds=2))
    assert data.tasks[0].reference.is_certified
    assert data.tasks[0].role == "dev"
    assert data.runs["regret"].min() > 0.0


def test_a_study_that_beats_a_certificate_says_that_one_of_them_is_wrong():
    scale = prepare(made_study((suite_task(best=9.0),), seeds=2)).tasks[0].reference
    assert "one of them is wrong" in scale.best_source


def test_runs_without_a_feasible_design_have_the_ceiling_and_are_counted_in_words():
    study = made_study(nothing_feasible=0.4)
    data = prepare(study)
    nothing = ~study.runs["feasible"]
    assert (data.runs.loc[nothing, "regret"] == CEILING).all()
    view = sections_of(study)["ranking"].views[data.tasks[0].name]
    default = study.runs["is_default"]
    assert f"{(nothing & default).sum()} of these {default.sum()} runs found nothing feasible" in words(view)


def test_regret_of_several_objectives_is_the_share_of_hypervolume_that_is_missing(mixed):
    data = prepare(mixed)
    one = data.tasks[3]
    points = np.array(
        [json.loads(text) for text in data.improvements.loc[data.improvements["task_no"] == 3, "rewards"]]
    )
    union = hypervolume(points, [0.0, 0.0])
    assert one.reference.best == pytest.approx(union)
    mine = data.runs[data.runs["task_no"] == 3]
    assert mine["regret"].to_numpy() == pytest.approx(1.0 - mine["hypervolume"].fillna(0.0).to_numpy() / union)


def test_failed_runs_stand_for_no_agent(mixed):
    data = prepare(mixed)
    failed = set(data.runs.index[data.runs["state"] == "failed"])
    assert failed
    for scope in data.scopes():
        for rows in data.field(scope).values():
            assert not failed & set(rows.ravel().tolist())


def test_the_leader_is_the_agent_with_the_least_regret_and_changes_with_the_numbers():
    study = made_study((MadeTask(),), (("alpha", 1), ("beta", 1)), seeds=10)
    for winner, sign in (("alpha", 1.0), ("beta", -1.0)):
        shifted = study.runs.assign(
            best_reward=study.runs["best_reward"] + sign * np.where(study.runs["agent"] == "alpha", 1.0, -1.0)
        )
        changed = dataclasses.replace(study, runs=shifted)
        view = next(iter(sections_of(changed)["ranking"].views.values()))
        assert view.words[0].startswith(f"{winner} is ahead")
        assert f"{winner} is clearly better than every other agent" in words(view)
        assert table_of(view, "agents").rows[0][1] == winner


def test_agents_that_are_alike_are_not_told_apart():
    study = made_study((MadeTask(),), (("alpha", 1),), seeds=10)
    twins = {"agent": "beta", "setting_id": "beta-0", "run_id": study.runs["run_id"] + "-twin"}
    study.runs = pd.concat([study.runs, study.runs.assign(**twins)], ignore_index=True)
    view = next(iter(sections_of(study)["ranking"].views.values()))
    assert "do not tell" in words(view)
    assert "is level with it" in words(view)


def test_the_words_of_the_table_of_pairs_are_explained(report):
    view = next(iter(report["ranking"].views.values()))
    assert "p (permutation, Holm)" in table_of(view, "pairs").header
    explained = next(sentence for sentence in view.words if "p is the chance of" in sentence)
    assert "(permutation)" in explained
    assert "(Holm)" in explained


def test_the_ranking_under_proposals_is_the_regret_after_as_many_proposals_as_the_budget():
    study = made_study((MadeTask(),), (("alpha", 1), ("beta", 1)), seeds=10)
    data = prepare(study)
    view = next(iter(sections_of(study)["ranking"].views.values()))
    for row in table_of(view, "agents").rows:
        rows = data.runs.index[data.runs["agent"] == row[1]]
        kept = data.improvements[data.improvements["run_no"].isin(rows) & (data.improvements["proposal"] <= 100)]
        after = kept.groupby("run_no")["regret"].min().reindex(rows, fill_value=CEILING)
        assert float(row[5]) == pytest.approx(float(iqm(after.to_numpy()[:, None])), rel=0.01)


def test_curves_end_at_the_final_regret_and_never_rise():
    study = made_study((MadeTask(),), (("alpha", 1), ("beta", 1)), seeds=10)
    data = prepare(study)
    (curve,) = [c for c in next(iter(sections_of(study)["anytime"].views.values())).charts if c.key == "simulations"]
    for line in curve.marks:
        assert isinstance(line, Line)
        rows = data.field(data.tasks[0].name)[line.agent]
        assert line.y[-1] == pytest.approx(float(iqm(data.regrets(rows))))
        assert (np.diff(line.y) <= 1e-12).all()
        assert all(
            low <= y + 1e-9 and y <= high + 1e-9 for low, y, high in zip(line.low, line.y, line.high, strict=True)
        )


def test_tasks_that_not_every_agent_ran_are_left_out_of_the_joint_ranking_and_that_is_said():
    study = made_study((MadeTask(), MadeTask(workload="large")), (("alpha", 1), ("beta", 1)))
    study.runs = study.runs[~((study.runs["agent"] == "beta") & (study.runs["workload"] == "large"))]
    view = sections_of(study)["ranking"].views[ALL_TASKS]
    assert "Only 1 of 2 tasks were run by all agents" in words(view)


def with_roles(*roles):
    return tuple(MadeTask(workload=name, role=role) for name, role in zip(("default", "large"), roles, strict=True))


def test_settings_are_compared_by_their_own_runs():
    study = made_study((MadeTask(),), (("alpha", 1), ("beta", 4)), seeds=5)
    data = prepare(study)
    view = lottery.build(data).views[data.tasks[0].name]
    (boxes,) = [chart for chart in view.charts if chart.key == "boxes"]
    settings = [mark for mark in boxes.marks if isinstance(mark, Points) and mark.name == "beta: settings"]
    expected = sorted(
        float(iqm(mine["regret"].to_numpy()[:, None]))
        for _, mine in data.runs[data.runs["agent"] == "beta"].groupby("setting_id")
    )
    assert sorted(settings[0].x) == pytest.approx(expected)
    assert sorted(settings[0].texts) == ["size=1", "size=2", "size=4", "size=8"]
    assert "without several" not in words(view)
    assert all(mark.agent != "alpha" for mark in boxes.marks)  # one setting is no lottery


def test_the_protocol_tunes_on_dev_tasks_with_equal_trials_and_prints_its_cost():
    study = made_study(with_roles("dev", "test"), (("alpha", 2), ("beta", 6)), seeds=5)
    view = sections_of(study)["lottery"].views[ALL_TASKS]
    rows = {row[0]: row for row in table_of(view, "tuned").rows}
    assert {row[1] for row in rows.values()} == {"2"}
    assert {row[2] for row in rows.values()} == {f"{2 * 5 * 100:,}"}  # trials, seeds, budget
    assert "beta was tuned with 1,000 simulations" in words(view)


def test_without_dev_tasks_tuning_is_not_judged():
    study = made_study(with_roles("test", "test"), (("alpha", 2),), seeds=3)
    assert "no dev task, so the worth of tuning cannot be judged" in words(
        sections_of(study)["lottery"].views[ALL_TASKS]
    )


def test_with_several_objectives_a_run_starts_with_all_of_the_hypervolume_missing(mixed, report):
    data = prepare(mixed)
    name = data.tasks[3].name
    curve = next(chart for chart in report["anytime"].views[name].charts if chart.key == "simulations")
    assert max(y for line in curve.marks for y in line.y) <= 1.0
    assert "share of the best hypervolume" in words(report["overview"].views[name])
    assert "largest mean of their rewards" in words(report["designs"].views[name])


def test_rewards_that_are_differences_are_not_read_as_ratios():
    study = made_study((MadeTask(objective=("slack_ns",)),))
    report = sections_of(study)
    (name,) = report["designs"].views
    assert "times as good" not in words(report["designs"].views[name])
    assert "hundredths of reward worse" in report["landscape"].views[name].charts[0].x.label
    problem = prepare(study).tasks[0].problem
    assert not prepare(study).tasks[0].is_ratio
    assert {metric.scale for metric in problem.simulator.metrics} == {"log", "linear"}


def test_stored_best_known_designs_are_the_best_where_no_optimum_is_certified():
    spec = task("soc-three-apps").spec()
    mine = MadeTask("soc-three-apps", spec.env_id, spec.workload, spec.objectives, spec.constraints, best=0.1)
    scale = prepare(made_study((mine,), seeds=2)).tasks[0].reference
    known = best_known(spec)
    assert known is not None
    assert scale.best == known.reward
    assert scale.best_source.startswith("best known: ")
    assert "this study" not in scale.best_source
