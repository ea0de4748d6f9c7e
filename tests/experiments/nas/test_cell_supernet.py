"""Supernets that rank cells: samplers, splits by gradients, what a step trains, and the committed figures."""

import csv
from pathlib import Path

import numpy as np
import pytest

import archgym
from archgym_simulators import InputError
from archgym_simulators.nas.skeleton import DIGITS, macs_of

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("scipy")

from experiments.cell_supernet.__main__ import ARMS, RESULTS, SEEDS, main  # noqa: E402
from experiments.cell_supernet.sampling import ShiftedSampler, UniformSampler, cells_within  # noqa: E402
from experiments.cell_supernet.splitting import (  # noqa: E402
    Split,
    agreement_of,
    best_cut,
    split_allowed,
    splits_of,
)
from experiments.cell_supernet.supernet import Supernet  # noqa: E402
from experiments.digits_darts.judge import HEADER as VERDICTS_HEADER  # noqa: E402

HOME = Path(archgym.__file__).parents[1] / "experiments" / "cell_supernet"
ALL = [tuple(range(5))] * 6
CELL = (3, 1, 2, 4, 0, 1)


pytestmark = pytest.mark.usefixtures("one_torch_thread")


def test_cells_within_hold_only_what_is_allowed_and_let_something_pass():
    assert len(cells_within(ALL)) == 15_625 - 341
    few = cells_within([(3,), (0, 1), (2, 4), *ALL[3:]])
    assert set(few[:, 0]) == {3}
    assert set(few[:, 1]) == {0, 1}
    with pytest.raises(InputError, match="lets anything pass"):
        cells_within([(0,)] * 6)


def shares_of_macs(sampler, draws=600):
    macs = macs_of(np.array([sampler.draw() for _ in range(draws)]), DIGITS)
    every = macs_of(cells_within(ALL), DIGITS)
    edges = np.linspace(every.min(), every.max(), ShiftedSampler.CLASSES + 1)[1:-1]
    return np.bincount(np.digitize(macs, edges), minlength=ShiftedSampler.CLASSES) / draws


def test_uniform_cells_are_of_middling_complexity_and_shifted_ones_of_all():
    uniform = shares_of_macs(UniformSampler(ALL, np.random.default_rng(0)))
    shifted = shares_of_macs(ShiftedSampler(ALL, np.random.default_rng(0)))
    assert uniform[-1] < 0.02
    assert np.allclose(shifted, 0.2, atol=0.06)


def test_complexities_whose_loss_moves_come_more_often():
    sampler = ShiftedSampler(ALL, np.random.default_rng(0))
    largest = macs_of(cells_within(ALL), DIGITS).max()
    for step in range(300):
        is_big = macs_of(np.array([sampler.draw()]), DIGITS)[0] > 0.8 * largest
        sampler.hear(300.0 - step if is_big else 1.0)
    assert sampler.chances()[-1] > 0.5
    assert sampler.chances().min() >= ShiftedSampler.FLOOR / ShiftedSampler.CLASSES - 1e-12
    assert sampler.chances().sum() == pytest.approx(1.0)


class Always:
    def __init__(self, cell):
        self._cell, self.heard = cell, []

    def draw(self):
        return self._cell

    def hear(self, loss):
        self.heard.append(loss)


def test_a_step_trains_the_operations_of_its_cell_only():
    supernet = Supernet([0])
    before = {name: p.detach().clone() for name, p in supernet.network.named_parameters()}
    supernet.train(Always(CELL), 1)
    moved = {name for name, p in supernet.network.named_parameters() if not torch.equal(p, before[name])}
    assert {name for name in moved if ".operations." in name} == {
        f"blocks.{block}.edges.{edge}.operations.{operation}.1.weight"
        for block in (0, 2)
        for edge, operation in ((0, 3), (2, 2))
    }
    assert "stem.weight" in moved


def test_training_one_cell_makes_it_better_and_the_same_again():
    first, again = Supernet([0, 1]), Supernet([0, 1])
    samplers = Always(CELL), Always(CELL)
    for supernet, sampler in zip((first, again), samplers, strict=True):
        supernet.train(sampler, 60)
    heard = samplers[0].heard
    assert heard == samplers[1].heard
    assert np.mean(heard[-10:]) < np.mean(heard[:10]) - 0.2
    assert (first.accuracy(CELL) > 20.0).all()


def test_agreement_is_a_cosine_between_operations():
    agreement = agreement_of(Supernet([0, 1]), 3, np.random.default_rng(0), contexts=2)
    assert agreement.shape == (5, 5)
    assert np.allclose(np.diag(agreement), 1.0, atol=1e-5)
    assert np.allclose(agreement, agreement.T, atol=1e-6)
    assert agreement.min() < 0.9


def test_the_best_cut_parts_those_who_disagree():
    agreement = np.full((5, 5), -0.5)
    for group in ((0, 3), (1, 2, 4)):
        agreement[np.ix_(group, group)] = 1.0
    assert best_cut(2, agreement) == Split(2, ((0, 3), (1, 2, 4)), -0.5)


def test_edges_are_split_in_the_order_of_their_disagreement():
    found = splits_of(Supernet([0]), np.random.default_rng(0), contexts=1)
    assert sorted(split.edge for split in found) == list(range(6))
    assert [split.agreement for split in found] == sorted(split.agreement for split in found)


def test_the_parts_of_a_supernet_hold_every_cell_once():
    splits = [Split(1, ((0, 2), (1, 3, 4)), 0.0), Split(4, ((0, 1), (2, 3, 4)), 0.0)]
    parts = split_allowed(splits)
    assert len(parts) == 4
    cells = np.concatenate([cells_within(allowed) for allowed in parts])
    assert len(np.unique(cells, axis=0)) == len(cells) == 15_625 - 341


def test_the_program_trains_every_arm_and_goes_on(tmp_path, monkeypatch, capsys):
    tests = iter(range(100))
    monkeypatch.setattr(
        "archgym_simulators.nas.cell_training.train_cell",
        lambda cell, seeds: type("T", (), {"validation": np.zeros((3, 1)), "test": np.full(3, float(next(tests)))}),
    )
    monkeypatch.setattr("experiments.cell_supernet.__main__.CONTEXTS", 1)
    arguments = ["--steps", "1", "--cells", "6", "--out", str(tmp_path), "--verdicts", str(tmp_path / "verdicts.csv")]
    assert main(arguments) == 0
    assert (tmp_path / "verdicts.csv").read_text().startswith(",".join(VERDICTS_HEADER))
    first = (tmp_path / RESULTS).read_text()
    assert len(first.splitlines()) == 1 + len(ARMS) * len(SEEDS)
    assert main(arguments) == 0
    assert (tmp_path / RESULTS).read_text() == first
    capsys.readouterr()
    assert main(["--cells", "2", "--out", str(tmp_path)]) == 2
    assert "--cells must be at least 3" in capsys.readouterr().err


def test_the_page_says_what_the_committed_table_says():
    with (HOME / RESULTS).open() as file:
        rows = list(csv.DictReader(file))
    page = (HOME / "README.md").read_text()
    assert {row["arm"] for row in rows} == set(ARMS)
    for arm in ARMS:
        mine = [float(row["kendall"]) for row in rows if row["arm"] == arm]
        assert len(mine) == len(SEEDS)
        assert f"{np.mean(mine):.2f}" in page
