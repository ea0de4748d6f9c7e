"""Search on a forest, verified batch by batch."""

import numpy as np
import pytest

import archgym


@pytest.mark.parametrize("toy", ["Bowl", "HugeSpace"])
def test_it_beats_random_search(toy: str) -> None:
    def median_reward(agent: str) -> float:
        runs = [archgym.search(f"toy/{toy}-v0", agent, budget=80, seed=seed) for seed in range(5)]
        return float(np.median([run.reward for run in runs]))

    assert median_reward("proxy_assisted") > median_reward("random_search")


def test_doubt_proposes_designs_that_the_model_does_not_favour(proposals) -> None:
    def away(doubt: float) -> float:
        rows, _ = proposals("proxy_assisted", "HugeSpace", budget=120, options={"doubt": doubt})
        return float(np.abs(rows[40:120] - 4.0).mean())  # the best digit is 4 everywhere

    assert away(1.0) > away(0.0)


def test_no_proposal_is_wasted_and_a_small_space_is_searched_whole(proposals) -> None:
    for toy, size in (("Bowl", 150), ("AlwaysInvalid", 625)):
        rows, session = proposals("proxy_assisted", toy, budget=150 if toy == "Bowl" else 5000)
        assert session.calls == session.proposals == len(np.unique(rows[:size], axis=0)) == size
