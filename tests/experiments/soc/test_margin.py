"""The evidence that the tight budgets of edge detection can be kept."""

import csv

import numpy as np
import pytest

from experiments.soc_explorer.margin import RATIOS, TARGET, problem, ratios, slackest


def test_the_recorded_design_has_to_spare_what_is_written():
    line = next(csv.DictReader(TARGET.read_text().splitlines()))
    row = np.array(line["row"].split(), dtype=np.int64)
    found = ratios(problem(), row[None])[0]
    assert found.tolist() == pytest.approx([float(line[name]) for name in RATIOS], rel=1e-9)
    assert found.max() < 0.92


def test_annealing_returns_the_best_design_that_it_has_seen():
    searched = problem()
    starts = searched.space.sample(4, np.random.default_rng(0))
    seen = []

    class Watched:
        space, metric_names = searched.space, searched.metric_names

        def evaluate(self, rows):
            outcome = searched.evaluate(rows)
            seen.append(ratios(searched, rows).max(axis=1).min())
            return outcome

    best = slackest(Watched(), starts, np.random.default_rng(1), 200)
    assert ratios(searched, best[None]).max() == min(seen)
    assert min(seen) < ratios(searched, starts).max(axis=1).min()
