"""A single episode in plain numbers gives the bits that the board of many gives."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.envs.design_env import DesignEnv
from archgym.envs.design_vector_env import DesignVectorEnv

BOWL = "toy/Bowl-v0"
DRAM = "archgym/DRAM-v0"
CASES = [
    (BOWL, {"objective": "edp", "constraints": "time_ns<=120"}),
    (DRAM, {"workload": ["stream:n=64", "random:n=64"], "constraints": "power_mw<=1000"}),
]


@pytest.mark.parametrize("length", [1, 5])
@pytest.mark.parametrize(("what", "options"), CASES, ids=["toy", "dram"])
def test_one_environment_and_a_vector_of_one_see_the_same_bits(what, options, length):
    one = DesignEnv(what, horizon=length, **options)
    many = DesignVectorEnv(what, num_envs=1, horizon=length, **options)
    seen, info = one.reset(seed=3)
    np.testing.assert_array_equal(seen, many.reset(seed=3)[0][0])
    statuses = set()
    for row in one.session.space.sample(60, np.random.default_rng(0)):
        seen, reward, terminated, truncated, info = one.step(row)
        batch, rewards, *_, columns = many.step(row[None])
        ended = terminated or truncated
        np.testing.assert_array_equal(seen, columns["final_obs"][0] if ended else batch[0])
        assert reward == rewards[0]
        statuses.add((info["status"], bool(info["violations"]) and any(info["violations"].values())))
        if ended:
            np.testing.assert_array_equal(one.reset()[0], batch[0])
    assert len(statuses) > 1, "designs of several kinds must have been compared"


def test_infinite_gains_show_as_nothing():
    layout = DesignEnv(BOWL)._episode.layout
    reference = [[0.0] * 4, [1.0] * 4]
    gains = layout.gains_of_one(np.array([[np.inf, np.nan, 1.0, 1.0]]), reference)
    assert gains[:3] == [0.0, 0.0, 0.0]
    assert gains[3] == pytest.approx(0.5)
