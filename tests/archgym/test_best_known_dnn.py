"""Best known and certified designs of the DNN tasks: what is stored is what simulating gives."""

from __future__ import annotations

import pytest

from archgym.best_known import best_known
from archgym.core_1 import accelerator, attention, maestro, systolic
from archgym.optimum import certified_optimum

TASKS = [
    one for family in (systolic, attention, maestro, accelerator) for one in family.TASKS if len(one.objectives) == 1
]


@pytest.mark.parametrize("one", TASKS, ids=[one.name for one in TASKS])
def test_a_stored_design_is_feasible_worth_what_is_said_and_at_most_the_certified_optimum(one):
    spec = one.spec()
    found, certified = best_known(spec), certified_optimum(spec)
    assert found is not None
    problem = spec.bind()
    outcome = problem.evaluate(problem.space.canonical(problem.space.encode_row(found.design)[None]))
    assert outcome.feasible[0]
    assert outcome.reward[0] == pytest.approx(found.reward, rel=1e-9)
    assert dict(zip(problem.metric_names, outcome.values[0], strict=True)) == pytest.approx(dict(found.metrics))
    if certified is not None:
        assert found.reward <= certified.reward * (1 + 1e-12)
