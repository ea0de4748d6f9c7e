"""Searches with a model on NAS-Bench-201: what the models learn, how they propose, and a small run of everything."""

import csv
from pathlib import Path

import numpy as np
import pytest

import archgym
from archgym.testing import check_agent
from archgym.testing.agents import AGENT_CHECKS
from archgym_simulators import InputError
from archgym_simulators.nas.cells import SIZE, cells_of_indices
from archgym_simulators.nas.official_nas201 import cell_space
from archgym_simulators.nas.skeleton import CIFAR10, macs_of
from experiments.nas201_baselines.searches import judged, run_search

torch = pytest.importorskip("torch")

from experiments.nas201_predictors.__main__ import COMPARISONS, RESULTS, RUNS, main  # noqa: E402
from experiments.nas201_predictors.comparison import Line, comparisons  # noqa: E402
from experiments.nas201_predictors.predictor_search import (  # noqa: E402
    CellPredictor,
    PredictorSearch,
    PredictorSearchConfig,
)
from experiments.nas201_predictors.searches import BASELINES, PAIRS, SEARCHES  # noqa: E402
from experiments.nas201_predictors.surrogate_search import (  # noqa: E402
    Surrogate,
    SurrogateSearch,
    SurrogateSearchConfig,
)
from experiments.nas201_predictors.worth import one_hot, worths_of  # noqa: E402

HOME = Path(archgym.__file__).parents[1] / "experiments" / "nas201_predictors"
CELLS = cells_of_indices(np.arange(SIZE)).astype(np.int64)


pytestmark = pytest.mark.usefixtures("one_torch_thread")


def spearman(a, b):
    return np.corrcoef(np.argsort(np.argsort(a)), np.argsort(np.argsort(b)))[0, 1]


def toy_worth(cells):
    """3 x 3 convolutions on the two edges into node 3, and a penalty on pooling."""
    return (cells[:, 4:] == 3).sum(axis=1) - 0.5 * (cells == 4).sum(axis=1)


def test_one_hot_marks_the_value_of_each_parameter():
    assert one_hot(np.array([[1, 0]]), np.array([2, 3])).tolist() == [[[0, 1, 0], [1, 0, 0]]]


def test_worths_do_not_depend_on_unit_and_shift_and_cut_outliers():
    rewards = np.array([0.0, 1.0, 2.0, 3.0, -500.0])
    worths = worths_of(rewards)
    assert torch.allclose(worths, worths_of(7.0 * rewards - 30.0))
    assert worths[4] == -3.0
    assert worths.argmax() == 3
    assert torch.isfinite(worths_of(np.ones(5))).all()


def test_pretraining_teaches_macs():
    predictor = CellPredictor(PredictorSearchConfig(), seed=0)
    assert predictor.pretraining_loss < 0.05  # of a variance of 1
    assert np.isnan(CellPredictor(PredictorSearchConfig(pretraining=0), seed=0).pretraining_loss)


def test_a_pretrained_predictor_knows_more_of_what_goes_with_macs():
    seen = np.random.default_rng(0).integers(SIZE, size=12)
    macs = macs_of(CELLS, CIFAR10).astype(np.float64)
    agreement = []
    for steps in (0, 300):
        predictor = CellPredictor(PredictorSearchConfig(pretraining=steps), seed=0)
        agreement.append(spearman(predictor.after(CELLS[seen], macs[seen]), macs))
    assert agreement[1] > max(agreement[0], 0.9)


def test_a_predictor_learns_what_macs_do_not_say():
    seen = np.random.default_rng(1).integers(SIZE, size=150)
    predicted = CellPredictor(PredictorSearchConfig(), seed=0).after(CELLS[seen], toy_worth(CELLS[seen]))
    assert spearman(predicted, toy_worth(CELLS)) > 0.6


def test_the_predictor_refuses_a_space_without_cells():
    space = cell_space(with_epochs=True)
    with pytest.raises(InputError, match="pretrained on cells"):
        PredictorSearch.create(space, PredictorSearchConfig(), np.random.default_rng(0), budget=1)


def test_no_cell_is_trained_twice():
    for agent in (PredictorSearch, SurrogateSearch):
        session = archgym.make_session("archgym/NAS201-v0", budget=60)
        agent.create(session.space, agent.Config(), np.random.default_rng(0), budget=60).run(session)
        assert session.calls == session.proposals == 60


def test_the_surrogate_keeps_the_contract_of_agents():
    # An agent that ships imports its extra only when it is created; an experiment's module may do so at once.
    check_agent(SurrogateSearch, light=True, checks=[name for name in AGENT_CHECKS if name != "process"])


def fitted_surrogate(noise, seed=0):
    config = SurrogateSearchConfig(fitting=300)
    rng = np.random.default_rng(seed)
    inputs = torch.zeros(120, 4)
    inputs[:, 0] = torch.linspace(-1, 1, 120)
    target = inputs[:, 0] + torch.from_numpy((noise * rng.standard_normal(120)).astype(np.float32))
    surrogate = Surrogate(config, 4, torch.Generator().manual_seed(seed))
    surrogate.fit(inputs, target)
    return surrogate, inputs


def test_the_surrogate_tells_noise_from_ignorance():
    (calm, inputs), (noisy, _) = fitted_surrogate(0.02), fitted_surrogate(0.5)
    assert noisy.beliefs(inputs)[1].mean() > 3.0 * calm.beliefs(inputs)[1].mean()
    far = torch.full((5, 4), 3.0)
    assert calm.beliefs(far)[2].mean() > 3.0 * calm.beliefs(inputs)[2].mean()


def test_climbing_raises_the_bound_of_the_designs_it_ends_at():
    space = cell_space(with_epochs=False)
    seen = np.random.default_rng(2).integers(SIZE, size=80)
    bounds = []
    for steps in (0, 25):
        agent = SurrogateSearch.create(
            space, SurrogateSearchConfig(climbing=steps), np.random.default_rng(0), budget=100
        )
        surrogate = Surrogate(agent._config, 30, torch.Generator().manual_seed(0))
        surrogate.fit(one_hot(CELLS[seen], space.nvec).flatten(1), worths_of(toy_worth(CELLS[seen])))
        rows = agent._climbed(surrogate, space.sample(32, np.random.default_rng(3)))
        bounds.append(surrogate.bound(one_hot(rows, space.nvec).flatten(1)).mean())
    assert bounds[1] > bounds[0] + 1.0


@pytest.mark.parametrize("name", ["Predictor", "Surrogate"])
def test_a_few_runs_are_above_random_search(name):
    found = run_search(SEARCHES[name], images="cifar10", budget_s=12_000.0, runs=2)
    assert judged(found.rows)["cifar10"].mean() > 93.74


@pytest.mark.parametrize("name", ["Predictor", "Surrogate"])
def test_the_same_seed_finds_the_same_cells(name):
    first, again = (run_search(SEARCHES[name], images="cifar10", budget_s=6_000.0, runs=1) for _ in range(2))
    assert (first.rows == again.rows).all()
    assert first.evaluations == again.evaluations


def test_comparisons_say_who_is_above_whom():
    rng = np.random.default_rng(0)
    good, bad = rng.normal(94.0, 0.1, 30), rng.normal(93.0, 0.1, 30)
    lines = [Line("good", 30, 100.0, {"cifar10": good}), Line("bad", 30, 100.0, {"cifar10": bad})]
    above, same = comparisons(lines, [("good", "bad"), ("bad", "bad")])
    assert above.probability == above.low == 1.0
    assert above.p < 0.01
    assert same.probability == 0.5
    assert same.p > 0.5


def rows_of(name):
    with (HOME / name).open() as file:
        return list(csv.DictReader(file))


def test_the_page_says_what_the_committed_tables_say():
    page, results = (HOME / "README.md").read_text(), rows_of(RESULTS)
    assert [row["search"] for row in results[::3]] == list(SEARCHES)
    for row in results:
        assert int(row["runs"]) == RUNS
        assert f"{float(row['mean']):.2f} ± {float(row['std']):.2f}" in page
    compared = rows_of(COMPARISONS)
    assert {(row["search"], row["against"]) for row in compared} == set(PAIRS)
    for row in compared:
        if row["against"] == BASELINES[-1]:
            assert f"{float(row['probability']):.2f} [{float(row['low_95']):.2f}, {float(row['high_95']):.2f}]" in page


def test_the_program_writes_both_tables(tmp_path, monkeypatch):
    archgym.make_session("archgym/NAS201-v0")
    monkeypatch.setattr("experiments.nas201_predictors.comparison.BUDGET_S", 2_500.0)
    assert main(["--runs", "2", "--out", str(tmp_path)]) == 0
    assert len((tmp_path / RESULTS).read_text().splitlines()) == 1 + 3 * len(SEARCHES)
    assert len((tmp_path / COMPARISONS).read_text().splitlines()) == 1 + 3 * len(PAIRS)


def test_without_data_the_command_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ARCHGYM_DATA", str(tmp_path))
    assert main(["--runs", "2"]) == 2
    assert "archgym data import nats-tss" in capsys.readouterr().err
