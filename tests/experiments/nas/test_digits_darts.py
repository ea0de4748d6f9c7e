"""Differentiable search on digits: seeds alone and together, who moves when, verdicts, and the committed answer."""

import csv
from pathlib import Path

import numpy as np
import pytest

import archgym
from archgym_simulators import InputError
from archgym_simulators.nas.cells import cell_of_text, cells_of_indices, function_groups, text_of_cell
from archgym_simulators.nas.digits_table import read_table
from archgym_simulators.nas.digits_task import validation_images

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from experiments.digits_darts import search as search_module  # noqa: E402
from experiments.digits_darts.__main__ import RANDOM_CELLS, RANDOM_SEED, SEARCHES, SEEDS, VERDICTS, main  # noqa: E402
from experiments.digits_darts.judge import Judge, Verdict, random_cells  # noqa: E402
from experiments.digits_darts.report import Found, as_text, quantile_among  # noqa: E402
from experiments.digits_darts.search import ARMS, EPOCHS, Arm, _edge_weights, _pull, _SplitTurns, _Turns, search  # noqa: E402

HOME = Path(archgym.__file__).parents[1] / "experiments" / "digits_darts"
SKIPS = (1, 1, 1, 1, 1, 1)
CONVOLUTIONS = (3, 3, 3, 3, 3, 3)


pytestmark = pytest.mark.usefixtures("one_torch_thread")


@pytest.fixture
def short(monkeypatch):
    """Two batches an epoch."""
    whole = search_module.training_epoch
    monkeypatch.setattr(search_module, "training_epoch", lambda rng: whole(rng).head(100))


@pytest.mark.parametrize("name", ARMS)
def test_a_seed_finds_with_others_what_it_finds_alone(name, short):
    together, alone = search(ARMS[name], (0, 7), epochs=2), search(ARMS[name], (7,), epochs=2)
    assert together.cells.shape == (2, 2, 6)
    assert np.allclose(together.mixture[1], alone.mixture[0], atol=1e-4)
    assert not np.allclose(together.mixture[0], together.mixture[1], atol=1e-4)
    assert np.allclose(together.mixture.sum(axis=2), 1.0)


def test_the_same_seed_gives_the_same_bits(short):
    first, again = (search(ARMS["darts"], (1,), epochs=1) for _ in range(2))
    assert (first.mixture == again.mixture).all()


def test_the_mixture_stands_still_during_warm_up_and_moves_after(short):
    turns = _Turns(Arm("test", warm_up=0.5), (0,))
    before = turns.mixture().detach().clone()
    turns.epoch(0, 2)
    assert torch.equal(turns.mixture(), before)
    turns.epoch(1, 2)
    assert (turns.mixture() - before).abs().max() > 1e-3


def test_two_networks_learn_from_images_of_their_own_and_stay_near_each_other(short, monkeypatch):
    seen = []

    class Watched(_SplitTurns):
        def _loss(self, network, batch):
            seen.append((network is self._second, batch[0][:1].clone()))
            return super()._loss(network, batch)

    def distance(pull):
        monkeypatch.setattr(search_module, "_PULL", pull)
        turns = Watched(ARMS["rarts"], (0,))
        before = turns.mixture().detach().clone()
        for epoch in range(2):
            turns.epoch(epoch, 2)
        assert (turns.mixture() - before).abs().max() > 1e-3
        return float(_pull(turns._network, turns._second).detach()) / pull

    assert 0.0 < distance(10.0) < distance(1e-6)
    order = [is_second for is_second, _ in seen[:4]]
    assert order == [False, True, True, False], "w on training, y on validation, then the mixture on both"
    assert torch.equal(seen[0][1], seen[3][1])
    assert torch.equal(seen[1][1], seen[2][1])
    assert not torch.equal(seen[0][1], seen[1][1])


def test_the_pull_moves_one_network_only():
    turns = _SplitTurns(ARMS["rarts"], (0,))
    with torch.no_grad():
        next(turns._second.parameters()).add_(1.0)
    _pull(turns._network, turns._second).backward()
    assert next(turns._network.parameters()).grad.abs().min() > 0.9
    assert next(turns._second.parameters()).grad is None


def test_a_step_on_the_mixture_leaves_the_weights_and_one_on_the_weights_the_mixture():
    turns = _Turns(ARMS["pc_darts"], (0,))
    images = torch.randn(50, 1, 10, 10), torch.arange(50)[:, None] % 10

    def state():
        moved = [turns._alpha, turns._beta], list(turns._network.parameters())
        return [[p.detach().clone() for p in group] for group in moved]

    for optimiser, moved in ((turns._architecture, 0), (turns._weights, 1)):
        before = state()
        turns._step(optimiser, turns._loss(turns._network, images))
        after = state()
        changed = [
            any(not torch.equal(a, b) for a, b in zip(*pair, strict=True)) for pair in zip(before, after, strict=True)
        ]
        assert changed == [moved == 0, moved == 1]


def test_edges_of_a_node_weigh_one_together():
    weights = _edge_weights(torch.randn(2, 6))
    for edges in ([0], [1, 2], [3, 4, 5]):
        assert torch.allclose(weights[:, edges].sum(dim=1), torch.ones(2))


def test_steps_on_the_mixture_alone_lower_the_loss():
    turns = _Turns(Arm("fast", alpha_rate=0.1), (0,))
    drawn = validation_images().head(50)
    images = torch.from_numpy(drawn.pixels[:, None].copy()), torch.from_numpy(drawn.classes[:, None].copy())

    def loss():
        with torch.no_grad():
            logits = turns._network(images[0], turns.mixture())
        return float(torch.nn.functional.cross_entropy(logits[:, 0], images[1][:, 0]))

    before = loss()
    for _ in range(15):
        turns._step(turns._architecture, turns._loss(turns._network, images))
    assert loss() < before - 0.02


def a_measured_cell():
    group = int(read_table().every.groups[0])
    return tuple(cells_of_indices(np.array([int(np.argmax(function_groups()[0] == group))]))[0].tolist()), group


def test_the_table_is_asked_before_anything_is_trained(tmp_path, monkeypatch):
    pytest.importorskip("archgym_simulators.nas.cell_training")
    monkeypatch.setattr("archgym_simulators.nas.cell_training.train_cell", None)
    cell, group = a_measured_cell()
    verdict = Judge(tmp_path / "verdicts.csv", read_table()).verdict(cell)
    assert verdict == Verdict("table", read_table().every.validation()[group, -1], read_table().every.test()[group])


def test_what_is_not_in_the_table_is_trained_once_with_fresh_seeds(tmp_path, monkeypatch):
    calls = []

    def trained(cell, seeds):
        calls.append((cell, tuple(seeds)))
        return type("Trained", (), {"validation": np.full((3, 2), 40.0), "test": np.array([30.0, 40.0, 50.0])})

    monkeypatch.setattr("archgym_simulators.nas.cell_training.train_cell", trained)
    table, path = read_table(), tmp_path / "verdicts.csv"
    cell = next(cell for cell in random_cells(200, 0) if np.isnan(table.every.test()[_group(cell)]))
    assert Judge(path, table).verdict(cell) == Verdict("trained", 40.0, 40.0)
    assert Judge(path, table).verdict(cell) == Verdict("trained", 40.0, 40.0)
    assert calls == [(cell, (200, 201, 202))]


def _group(cell):
    return int(function_groups()[0][np.array(cell) @ (5 ** np.arange(5, -1, -1))])


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "verdicts.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="holds no verdicts"):
        Judge(tmp_path / "verdicts.csv", read_table())


def test_random_cells_let_something_pass_and_are_the_same_again():
    assert random_cells(50, 1) == random_cells(50, 1) != random_cells(50, 2)
    empty = function_groups()[1].index(())
    assert all(_group(cell) != empty for cell in random_cells(200, 3))


def test_the_report_places_a_cell_among_random_ones_and_counts_skips():
    drawn = [Verdict("table", 0.0, test) for test in (10.0, 20.0, 30.0, 40.0)]
    assert quantile_among(30.0, drawn) == 0.625
    text = as_text(
        [Found("darts", 0, 1, CONVOLUTIONS), Found("darts", 0, 2, SKIPS)],
        {("darts", 0): Verdict("trained", 0.0, 25.0)},
        Verdict("trained", 0.0, 90.0),
        drawn,
    )
    assert "50%" in text
    assert text_of_cell(SKIPS) in text
    assert "darts after 2 epochs: none 0%, skip_connect 100%" in text


def rows_of(name):
    with (HOME / name).open() as file:
        return list(csv.DictReader(file))


def test_the_committed_searches_are_whole_and_judged_and_the_page_says_so(monkeypatch):
    # Nothing is left to train.
    monkeypatch.setattr("archgym_simulators.nas.cell_training.train_cell", None)
    found, judge = rows_of(SEARCHES), Judge(HOME / VERDICTS, read_table())
    assert {(row["arm"], int(row["seed"]), int(row["epoch"])) for row in found} == {
        (arm, seed, epoch) for arm in ARMS for seed in SEEDS for epoch in range(1, EPOCHS + 1)
    }
    page = (HOME / "README.md").read_text()
    for row in found:
        if int(row["epoch"]) == EPOCHS:
            verdict = judge.verdict(cell_of_text(row["cell"]))
            assert row["cell"] in page
            # What was trained may come to be in the table later, with other seeds.
            assert verdict.source == "table" or f"{verdict.test:8.2f}" in page
    assert all(judge.verdict(cell).test > 0 for cell in random_cells(RANDOM_CELLS, RANDOM_SEED))


def test_the_program_searches_judges_and_goes_on(tmp_path, short, monkeypatch, capsys):
    trained = type("Trained", (), {"validation": np.full((3, 2), 40.0), "test": np.full(3, 41.0)})
    monkeypatch.setattr("archgym_simulators.nas.cell_training.train_cell", lambda cell, seeds: trained)
    assert main(["--epochs", "1", "--random", "3", "--out", str(tmp_path)]) == 0
    first = (tmp_path / SEARCHES).read_text()
    assert len(first.splitlines()) == 1 + len(ARMS) * len(SEEDS)
    assert main(["--epochs", "1", "--random", "3", "--out", str(tmp_path)]) == 0
    assert (tmp_path / SEARCHES).read_text() == first
    assert "residual block" in capsys.readouterr().out
