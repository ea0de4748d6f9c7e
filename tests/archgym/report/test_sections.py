"""What the sections say is what the numbers say; other numbers, other words."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from archgym.problem import ProblemSpec
from archgym.report.charts import ALL_TASKS, Bars, Line, Points
from archgym.report.sections import failures, importance
from archgym.report.study_data import prepare
from archgym.statistics import non_dominated
from archgym_simulators import InputError
from tests.archgym.report.made_studies import BOWL, MISSING, MadeStudy, MadeTask, made_study
from tests.archgym.report.read_sections import sections_of, table_of, words


def test_explained_variance_finds_what_a_reward_is_made_of():
    rng = np.random.default_rng(0)
    designs = pd.DataFrame({name: rng.integers(0, 4, 20_000) for name in "abcd"})
    designs["constant"] = 1
    reward = 3.0 * designs["a"] + 1.0 * designs["b"] + 2.0 * (designs["c"] == designs["d"])
    parts = {"a": 9 * 1.25, "b": 1.25, "c": 0.0, "d": 0.0}
    total = sum(parts.values()) + 4.0 * 0.25 * 0.75
    found = importance.explained_shares(designs, reward.to_numpy())
    assert set(found) == set("abcd")
    assert found == pytest.approx({name: part / total for name, part in parts.items()}, abs=0.01)


def test_many_values_alone_explain_nothing():
    rng = np.random.default_rng(0)
    designs = pd.DataFrame({"many": rng.integers(0, 100, 400)})
    assert abs(importance.explained_shares(designs, rng.normal(size=400))["many"]) < 0.1
    assert importance.explained_shares(designs, np.ones(400)) == {}


def test_the_neighbourhood_is_what_the_simulator_says():
    study = made_study()
    data = prepare(study)
    problem = data.tasks[0].problem
    best = data.improvements.iloc[int(np.argmax(data.improvements["reward"].to_numpy()))]
    centre = problem.space.encode_row(json.loads(best["design"]))
    start = float(problem.evaluate(problem.space.canonical(centre[None])).reward[0])
    chart = sections_of(study)["landscape"].views[data.tasks[0].name].charts[0]
    points = [
        (x, text)
        for mark in chart.marks
        if mark.name != "infeasible"
        for x, text in zip(mark.x, mark.texts, strict=True)
    ]
    assert len(points) > 10
    seen = [problem.space.decode_row(row) for row in problem.space.sample(3000, np.random.default_rng(0))]
    for percent, text in points:
        name, value = text.split(" = ")
        meant = next(design[name] for design in seen if str(design[name]) == value)
        row = problem.space.canonical(problem.space.encode_row({**json.loads(best["design"]), name: meant})[None])
        assert percent == pytest.approx(100.0 * np.expm1(start - float(problem.evaluate(row).reward[0])), abs=1e-9)


def test_designs_stand_beside_the_baseline_with_a_star_where_they_differ():
    study = made_study()
    data = prepare(study)
    view = sections_of(study)["designs"].views[data.tasks[0].name]
    baseline = data.tasks[0].problem.baseline_design
    for row in table_of(view, "designs").rows:
        assert row[1] == str(baseline[row[0]])
        for cell in row[2:4]:
            assert cell.endswith(" *") == (cell.removesuffix(" *") != row[1])


def test_a_task_that_is_not_installed_says_so_and_the_rest_of_its_report_stands(report):
    name = f"{MISSING.rpartition('/')[2]}, default, cycles"
    assert "cannot be simulated here" in words(report["landscape"].views[name])
    assert report["anytime"].views[name].charts
    assert table_of(report["designs"].views[name], "designs").rows[0][1] == "1"


def test_fronts_are_those_of_the_points_that_were_recorded(mixed, report):
    data = prepare(mixed)
    view = report["fronts"].views[data.tasks[3].name]
    rows = data.field(data.tasks[3].name)
    for mark in view.charts[0].marks:
        if not isinstance(mark, Points):
            continue
        kept = data.improvements[data.improvements["run_no"].isin(rows[mark.agent].ravel())]
        points = np.array([json.loads(text) for text in kept["rewards"]])
        front = np.unique(points[non_dominated(points)], axis=0)
        assert np.column_stack([mark.x, mark.y]).tolist() == front.tolist()
    assert "no front" in words(report["fronts"].views[data.tasks[0].name])


def test_equal_causes_are_counted_together_whatever_their_numbers(mixed, report):
    view = report["failures"].views[ALL_TASKS]
    failed = (mixed.runs["state"] == "failed").sum()
    assert f"{failed} of {len(mixed.runs)} runs failed" in words(view)
    rows = table_of(view, "failed").rows
    assert {row[1] for row in rows} == {"ValueError: row # of ... is bad"}
    assert sum(int(row[2]) for row in rows) == failed


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("", "no reason given"),
        ("Traceback\n  File x\nKeyError: 'a'\n", "KeyError: 'a'"),
        ("OSError: /a/b/c.txt: 12 of -3.5e-7", "OSError: ...: # of #"),
    ],
)
def test_a_cause_is_the_last_line_without_what_varies(error, cause):
    assert failures.cause_of(error) == cause


def test_every_section_has_a_sentence_and_an_empty_one_no_chart():
    study = made_study(failed=1.0)
    for key, section in sections_of(study).items():
        for view in section.views.values():
            assert view.words, key
            assert key == "failures" or not view.charts, key


def test_a_single_run_has_a_report():
    study = made_study((MadeTask(),), (("alpha", 1),), seeds=1)
    report = sections_of(study)
    ranking = next(iter(report["ranking"].views.values()))
    assert "It is one run of one agent" in words(ranking)
    assert ranking.charts == ()
    assert table_of(ranking, "agents").rows[0][3] == "-"
    assert "ahead" not in words(next(iter(report["anytime"].views.values())))


def test_a_study_that_still_runs_is_said_to():
    study = dataclasses.replace(made_study(), is_complete=False)
    assert "has not ended yet" in words(next(iter(sections_of(study)["overview"].views.values())))


def test_a_study_without_runs_is_refused():
    study = made_study()
    study.runs = study.runs.head(0)
    with pytest.raises(InputError, match="holds no run yet"):
        prepare(study)


def test_no_bar_or_line_is_nameless(report):
    for section in report.values():
        for view in section.views.values():
            for chart in view.charts:
                assert chart.title
                assert all(mark.name for mark in chart.marks if isinstance(mark, Bars | Line | Points))


def test_the_problem_of_a_made_task_is_the_toy():
    assert ProblemSpec.create(BOWL, objective="time").bind().simulator.version == "1"


def test_tasks_that_differ_in_their_options_only_are_two_tasks():
    study = made_study()
    both = pd.concat([study.runs, study.runs.assign(run_id=study.runs["run_id"] + "-other")], ignore_index=True)

    class Twice(MadeStudy):
        problems = [0] * len(study.runs) + [1] * len(study.runs)

    twice = Twice(both, study.improvements, {**study.manifest, "tasks": study.manifest["tasks"] * 2})
    names = [one.name for one in prepare(twice).tasks]
    assert names == ["toys.py:Bowl, default, time (1)", "toys.py:Bowl, default, time (2)"]


def test_where_no_parameter_matters_the_words_do_not_name_one():
    study = made_study()  # designs are drawn at random, whatever their reward
    view = next(iter(sections_of(study)["importance"].views.values()))
    assert "matters most" not in words(view)


def test_a_front_whose_last_design_is_not_its_best_has_near_best_designs():
    study = made_study((MadeTask(objective=("time", "energy_pj")),), agents=(("alpha", 1),), seeds=2)
    worst = study.improvements["reward"].min()
    last = ~study.improvements.duplicated("run_id", keep="last")
    study.improvements.loc[last, "reward"] = worst - 1.0
    view = sections_of(study)["designs"].views[prepare(study).tasks[0].name]
    assert "near-best" in view.tables[0].header[-1]
