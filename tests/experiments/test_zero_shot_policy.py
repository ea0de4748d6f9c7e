"""The zero-shot experiment: its policy uses features where they matter, and its page says what its table says."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch", reason="needs the extra rl")

import archgym
from archgym_simulators import DesignSpace, Integer

PAGE = Path(__file__).parents[2] / "experiments/zero_shot_policy"


def test_a_policy_with_features_learns_what_depends_on_them_and_one_without_cannot() -> None:
    from experiments.zero_shot_policy.policy import Contextual

    space = DesignSpace([Integer("low", 0, 3, description="a number"), Integer("high", 0, 6, description="a number")])
    features = np.array([[1.0, 0.3], [-1.0, 0.3]])
    wanted = np.array([[0, 6], [3, 1]])
    right = {}
    for sees in (True, False):
        policy, rng = Contextual(space, 2, sees=sees, seed=1), np.random.default_rng(2)
        for _ in range(150):
            rows = policy.draw(features, 16, rng)
            assert space.contains(rows.reshape(-1, 2)).all()
            hits = (rows == wanted[:, None]).sum(axis=2).astype(float)
            policy.improve(features, rows, hits - hits.mean(axis=1, keepdims=True))
        right[sees] = np.mean([policy.greedy(one)[0] == goal for one, goal in zip(features, wanted, strict=True)])
    assert right[True] == 1.0
    assert right[False] <= 0.5


def test_training_is_repeatable_and_charged_by_design() -> None:
    from experiments.zero_shot_policy.policy import Contextual, train

    greedy = []
    for _ in range(2):
        session = archgym.make_session("archgym/DRAM-v0", objective="total-time")
        policy = Contextual(session.space, 16, sees=True, seed=1)
        train(policy, session, 24, 1)
        greedy.append(policy.greedy(np.zeros(16)))
    assert np.array_equal(*greedy)
    assert session.calls <= 24 * 16


def test_the_page_says_what_the_table_says() -> None:
    results = pd.read_csv(PAGE / "results.csv")
    text = (PAGE / "README.md").read_text()
    names = {"policy": "policy", "policy, best of 8 draws": "policy, best of 8 draws"}
    names |= {"policy without features": "policy without features"}
    ways = {**names, **{f"best of {n} at random": f"random designs | {n}" for n in (10, 30, 100, 300)}}
    wide = results.pivot_table(index=["seed", "split", "workload"], columns="way", values="reward")
    for way, label in ways.items():
        line = next(one for one in text.splitlines() if re.match(rf"\| {re.escape(label)} \|", one))
        cells = [cell.strip() for cell in line.strip("|").split("|")][2:]
        by_seed = wide[way].groupby(["split", "seed"])
        for column, found in enumerate((by_seed.mean(), by_seed.median())):
            for place, split in enumerate(("train", "dev")):
                assert f"{found[split].median():.4f}" == cells[2 * column + place]
        if way != "policy":
            wins = (wide["policy"] > wide[way]) + 0.5 * (wide["policy"] == wide[way])
            for place, split in enumerate(("train", "dev")):
                assert f"{wins.xs(split, level='split').mean():.3f}" == cells[4 + place]
    assert (wide["policy"] == wide["policy without features"]).all()
    assert len(wide) == 120
