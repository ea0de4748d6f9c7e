"""The evidence of an audit against the definitions of its numbers."""

import numpy as np
import pytest

from archgym.audit import as_json, audit, audit_problem
from archgym.enumerations import enumerated
from archgym.optimum import find_optimum
from archgym.pareto import hypervolume
from archgym.problem import ProblemSpec
from archgym.tasks import Task
from archgym.testing import toys
from archgym_simulators import InputError

BOWL, NEVER, ONE = (f"{toys.__file__}:{name}" for name in ("Bowl", "AlwaysInvalid", "OneDesign"))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))


def spec_of(env_id=BOWL, objective="time", constraints=()):
    return ProblemSpec.create(env_id, objective=objective, constraints=list(constraints))


def report_of(spec, **how):
    return audit(spec.bind(), np.random.default_rng(1), **{"designs": 3000, **how})


def test_the_same_seed_gives_the_same_report():
    assert report_of(spec_of()) == report_of(spec_of())


def test_gaps_are_of_random_search_and_shrink_with_the_budget():
    spec = spec_of()
    best = find_optimum(spec)
    report = report_of(spec, certified=best.reward)
    assert (report.best_source, report.best_reward) == ("certified", best.reward)
    gaps = [one.gap for one in report.random_search]
    assert [one.budget for one in report.random_search] == [30, 100, 300, 1000]
    assert gaps == sorted(gaps, reverse=True)
    # Real runs of random search: draws from the space, repeats free.
    problem, finals = spec.bind(), []
    for seed in range(60):
        rows = problem.space.canonical(problem.space.sample(300, np.random.default_rng(seed)))
        first = list(dict.fromkeys(map(tuple, rows.tolist())))[:100]
        scored = problem.evaluate(np.array(first))
        finals.append(np.expm1(best.reward - scored.reward[scored.feasible].max()))
    low, high = np.quantile(finals, [0.3, 0.7])
    assert low <= gaps[1] <= high


def test_descents_find_the_best_of_a_bowl_from_most_designs():
    spec = spec_of()
    report = report_of(spec)
    assert report.best_reward == find_optimum(spec).reward
    assert report.local_optima < 0.2


def test_descents_find_a_best_at_the_edge_of_the_valid_designs_too():
    problem = spec_of(objective="energy", constraints=["time_ns<=190"]).bind()
    rows = np.concatenate(list(problem.space.chunks(canonical=True)))
    scored = problem.evaluate(rows)
    best = scored.reward[scored.feasible].max()
    assert audit(problem, np.random.default_rng(1), designs=500).best_reward == best


def test_shares_are_those_of_the_space():
    spec = spec_of()
    problem = spec.bind()
    rows = np.concatenate(list(problem.space.chunks(canonical=True)))
    invalid = (problem.evaluate(rows).status != 0).mean()
    assert report_of(spec).invalid == pytest.approx(invalid, abs=0.05)


def test_parameters_that_matter_and_metrics_that_rank_alike():
    report = report_of(spec_of())
    effects = {one.name: one for one in report.parameters}
    assert all(not one.is_dead for one in effects.values())
    assert (
        0.0 <= min(one.explained for one in effects.values()) <= max(one.explained for one in effects.values()) <= 1.0
    )
    assert report.correlations["time_ns ~ speed_mhz"] == pytest.approx(-1.0)


def test_a_dead_parameter_is_found():
    problem = spec_of().bind()
    heard, tile = problem.simulator.simulate, problem.space.columns_of("tile")

    def deaf(rows):
        rows = rows.copy()
        rows[:, tile] = problem.simulator.baseline.row[tile]
        return heard(rows)

    problem.simulator.simulate = deaf
    report = audit(problem, np.random.default_rng(1), designs=500)
    assert [one.name for one in report.parameters if one.is_dead] == ["tile"]


def test_nothing_feasible_is_infinitely_far():
    report = report_of(spec_of(NEVER), designs=200)
    assert (report.feasible, report.invalid) == (0.0, 1.0)
    assert all(one.gap == np.inf and one.infeasible == 1.0 for one in report.random_search)
    assert not report.is_smoke_test


def test_a_space_of_one_design_is_a_smoke_test():
    assert report_of(spec_of(ONE), designs=50).is_smoke_test


def test_a_constraint_that_few_designs_meet_shows_as_infeasible_runs():
    report = report_of(spec_of(constraints=["time_ns<=3"]))
    free = report_of(spec_of())
    assert report.feasible < free.feasible
    assert [one.infeasible for one in report.random_search] == sorted(
        (one.infeasible for one in report.random_search), reverse=True
    )


def toy_task(**changes):
    named = {"name": "toy", "description": "", "env_id": BOWL, "workload": "default", "judge_workload": "large"}
    return Task(**{**named, "objectives": ("time", "energy_pj"), "reference_point": (-1.0, -1.0), **changes})


def test_several_objectives_are_measured_by_hypervolume():
    task = toy_task()
    report = audit_problem(task.spec(), task, designs=2000)
    assert report.objectives == 2
    gaps = [one.gap for one in report.random_search]
    assert gaps == sorted(gaps, reverse=True)
    problem = task.spec().bind()
    scored = problem.evaluate(problem.space.canonical(problem.space.sample(2000, np.random.default_rng(0))))
    sampled = hypervolume(scored.rewards[scored.feasible], task.reference_point)
    assert sampled > 0.0
    assert report.random_search[-1].gap < gaps[0]


def test_several_objectives_need_a_reference_point():
    with pytest.raises(InputError, match="needs a reference point of as many rewards"):
        audit_problem(spec_of(objective=["time", "energy_pj"]))


def test_an_enumeration_answers_with_the_same_numbers():
    spec = spec_of()
    modelled = audit_problem(spec, designs=1000)
    enumerated(spec.bind().simulator, {})
    assert audit_problem(spec, designs=1000) == modelled


def test_a_report_is_json_able_and_says_whether_it_is_a_smoke_test():
    assert as_json(report_of(spec_of(ONE), designs=20))["is_smoke_test"] is True


def test_where_no_random_design_is_feasible_descents_go_towards_what_is():
    problem = spec_of(objective="energy", constraints=["time_ns<=105"]).bind()
    rows = np.concatenate(list(problem.space.chunks(canonical=True)))
    scored = problem.evaluate(rows)
    report = audit(problem, np.random.default_rng(1), designs=12)
    assert report.feasible == 0.0
    assert report.best_reward == pytest.approx(scored.reward[scored.feasible].max(), abs=0.01)


def test_wide_spaces_get_fewer_descents(monkeypatch):
    problem = ProblemSpec.create("archgym/SoC-v0", workload="three-apps").bind()
    simulated = []
    evaluate = problem.evaluate
    monkeypatch.setattr(problem, "evaluate", lambda rows: (simulated.append(len(rows)), evaluate(rows))[1])
    assert len(problem.space.neighbours(problem.space.sample(1, np.random.default_rng(0))[0])) > 300
    audit(problem, np.random.default_rng(0), designs=20)
    assert simulated[1] <= 64 * 50
