"""The supernet's experiment: trained by a command, trainings from scratch resumed, the committed figures recomputed."""

import numpy as np
import pytest

from archgym_simulators.errors import InputError
from archgym_simulators.nas.supernet_training import Recipe
from archgym_simulators.nas.supernet_weights import COMMITTED, read_supernet
from experiments.supernet import clock as clock_module
from experiments.supernet import rank
from experiments.supernet.__main__ import main
from experiments.supernet.recipes import SCRATCH, SEED, SUPERNET

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")


@pytest.fixture(autouse=True)
def _threads_as_before():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_the_committed_weights_are_of_the_recipe():
    about = read_supernet(COMMITTED).about
    recipe = (about["epochs"], about["rate"], about["sampled"])
    assert (about["seed"], *recipe) == (SEED, SUPERNET.epochs, SUPERNET.rate, SUPERNET.sampled)


def test_train_writes_a_supernet_and_says_its_digest(tmp_path, capsys):
    file = tmp_path / "own.npz"
    assert main(["train", "--epochs", "1", "--weights", str(file)]) == 0
    supernet = read_supernet(file)
    assert supernet.digest in capsys.readouterr().out
    assert supernet.about["epochs"] == 1
    assert supernet.digest != read_supernet().digest


@pytest.mark.parametrize("epochs", SCRATCH)
def test_every_subnet_was_trained_with_every_seed(epochs):
    assert rank.open_trainings(epochs) == []
    trained = [one for one in rank.read_trained() if one.epochs == epochs]
    assert len(trained) == rank.SUBNETS * len(rank.SEEDS[epochs])


@pytest.mark.parametrize(("epochs", "supernet", "macs", "seeds"), [(12, 0.326, 0.471, 0.373), (30, 0.291, 0.156, None)])
def test_the_readmes_correlations_follow_from_the_committed_trainings(epochs, supernet, macs, seeds):
    found = rank.agreement(rank.read_trained(), epochs)
    assert (found.supernet, found.macs) == pytest.approx((supernet, macs), abs=6e-4)
    assert found.seeds == (None if seeds is None else pytest.approx(seeds, abs=6e-4))
    assert found.interval[0] < found.supernet < found.interval[1]


def test_a_perfect_ranking_would_be_seen():
    """Trainings whose accuracy is the supernet's own correlate fully."""
    bound = rank._bound()
    cut = bound.column(bound.evaluate(rank.rows_of_subnets()), "val_accuracy")
    perfect = [rank.Trained(12, i, seed, float(a) - 5.0, 1.0) for seed in (0, 1) for i, a in enumerate(cut)]
    found = rank.agreement(perfect, 12)
    assert (found.supernet, found.seeds) == (pytest.approx(1.0), pytest.approx(1.0))
    with pytest.raises(InputError, match="needs three subnets trained with every seed, not 0"):
        rank.agreement(perfect, 30)


def test_trainings_go_on_where_they_were(tmp_path, monkeypatch):
    monkeypatch.setitem(SCRATCH, 12, Recipe(epochs=1, rate=0.1))
    file = tmp_path / "scratch.csv"
    first, second = rank.train_next(12, file), rank.train_next(12, file)
    assert [(one.subnet, one.seed) for one in (first, second)] == [(0, 0), (1, 0)]
    assert rank.read_trained(file) == [first, second]
    assert rank.open_trainings(12, file)[0] == (2, 0)
    assert len(rank.open_trainings(30, file)) == rank.SUBNETS * len(rank.SEEDS[30])


def test_the_clock_measures_and_compares(monkeypatch):
    monkeypatch.setattr(clock_module, "_SUBNETS", 6)
    found = clock_module.clock()
    assert 0.0 < found.median_ms <= found.most_ms
    assert found.declared_over_measured[1] <= found.declared_over_measured[0] <= found.declared_over_measured[2]
    assert np.isfinite(found.fitted).all()


def test_other_epochs_are_refused_in_one_line(capsys):
    assert main(["rank", "--epochs", "7"]) == 2
    assert capsys.readouterr().err == "error: epochs from scratch must be one of 12, 30, not 7\n"
