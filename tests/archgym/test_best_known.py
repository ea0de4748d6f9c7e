"""Best known designs: what is stored is what simulating gives, and nothing certified is called so."""

import numpy as np
import pytest

from archgym.audit import audit
from archgym.best_known import best_known
from archgym.certificates import stored_certificates
from archgym.core_1.soc import TASKS
from archgym.optimum import certified_optimum
from archgym.problem import ProblemSpec
from archgym.testing import toys

BOWL = f"{toys.__file__}:Bowl"


@pytest.mark.parametrize("one", TASKS, ids=[one.name for one in TASKS])
def test_a_stored_design_is_feasible_and_worth_what_is_said(one):
    for judge in (False, True):
        spec = one.spec(judge=judge)
        found = best_known(spec)
        assert found is not None
        problem = spec.bind()
        outcome = problem.evaluate(problem.space.canonical(problem.space.encode_row(found.design)[None]))
        assert outcome.feasible[0]
        assert outcome.reward[0] == pytest.approx(found.reward, rel=1e-12)
        assert dict(zip(problem.metric_names, outcome.values[0], strict=True)) == pytest.approx(dict(found.metrics))
        assert certified_optimum(spec) is None


def test_no_neighbour_of_a_stored_design_is_better():
    spec = TASKS[0].spec()
    problem, found = spec.bind(), best_known(spec)
    around = problem.space.canonical(problem.space.neighbours(problem.space.encode_row(found.design)))
    outcome = problem.evaluate(around)
    assert outcome.reward[outcome.feasible].max() <= found.reward


def test_another_problem_has_none():
    spec = ProblemSpec.create("archgym/SoC-v0", workload="audio-decoder", objective="latency")
    assert best_known(spec) is None
    assert len(stored_certificates()["best_known"]) >= len(TASKS)


def test_audits_measure_from_the_best_known_and_say_so():
    problem = ProblemSpec.create(BOWL, objective="time").bind()
    plain = audit(problem, np.random.default_rng(1), designs=300)
    known = audit(problem, np.random.default_rng(1), designs=300, known=plain.best_reward + 1.0)
    assert known.best_source == "best known"
    assert known.random_search[1].gap > plain.random_search[1].gap
    assert audit(problem, np.random.default_rng(1), designs=300, known=-5.0).best_source.startswith(
        "best of this audit"
    )
