"""The memory of a session."""

import numpy as np
import pytest

from archgym.problem import ProblemSpec
from archgym.store import DesignStore
from archgym_simulators import FAILED

FIELDS = ("values", "status", "violation", "reason_code", "reason_detail", "cost", "diagnostics", "rewards", "feasible")


@pytest.mark.parametrize("sizes", [[1] * 200, [1, 64, 3, 500, 1, 1], [300]])
@pytest.mark.parametrize("name", ["Bowl", "Flaky", "HugeSpace"])
def test_what_is_stored_in_any_pieces_is_gathered_in_any_order(toy, name, sizes):
    problem = ProblemSpec.create(toy(name)).bind()
    store = DesignStore(problem)
    rows = problem.space.canonical(problem.space.sample(sum(sizes), np.random.default_rng(0)))
    parts = np.split(rows, np.cumsum(sizes)[:-1])
    scored = [problem.evaluate(part) for part in parts]
    number = 0
    for i, part in enumerate(scored):
        store.append(list(range(number, number + len(part))), part)
        number += len(part)
        if i % 7 == 0:
            store.gather([number - 1])  # reading in between changes nothing
    order = np.random.default_rng(1).integers(0, number, 50).tolist()
    found = store.gather(order)
    for field in FIELDS:
        whole = np.concatenate([getattr(part, field) for part in scored])
        assert np.array_equal(getattr(found, field), whole[order], equal_nan=whole.dtype.kind == "f"), field
        assert getattr(found, field).dtype == whole.dtype
        assert not getattr(found, field).flags.writeable
    failed = np.concatenate([part.status for part in scored]) == FAILED
    assert store.count == number
    assert store.resolved() == number - failed.sum()
    assert not any(key in store.slot_of for key in np.flatnonzero(failed).tolist())
    assert all(store.slot_of[key] == key for key in np.flatnonzero(~failed).tolist())
