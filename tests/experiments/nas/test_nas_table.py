"""The table's generator: blocks in, table out; what is chosen for judging; seconds by ratio; a row again."""

import numpy as np
import pytest

from archgym_simulators.nas.cells import function_groups, index_of_cells, text_of_cell
from archgym_simulators.nas.digits_design import RESNET, connected_cells, convolutions_of_cells
from archgym_simulators.nas.digits_table import FUNCTIONS, IMAGES, SCORE_NAMES, read_table
from experiments.nas_table.__main__ import BLOCKS, main
from experiments.nas_table.choose import chosen_groups
from experiments.nas_table.measure import BEST, BLOCK, CLOCK, EVERY, open_blocks
from experiments.nas_table.pack import accuracy_of_every, packed_columns


def write_block(folder, number, groups, rng, *, seeds=3, seconds=0.2):
    right = rng.integers(100, 1000, size=(len(groups), seeds, len(IMAGES)))
    columns = {
        "group": np.array(groups, dtype=np.int16),
        "validation": (100.0 * right / IMAGES).astype(np.float32),
        "test": (rng.integers(100, 2000, size=(len(groups), seeds)) / 20.0).astype(np.float32),
        "train_s": np.full(len(groups), seconds, dtype=np.float32),
        "evaluate_s": np.full(len(groups), seconds / 10, dtype=np.float32),
        **{name: rng.normal(size=len(groups)) for name in SCORE_NAMES},
    }
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / f"{number:03d}.npz", allow_pickle=False, **columns)
    return right, columns


def test_blocks_become_rows_in_order(tmp_path, capsys):
    rng = np.random.default_rng(0)
    second, _ = write_block(tmp_path / "every", 1, range(34, 68), rng)
    first, columns = write_block(tmp_path / "every", 0, range(34), rng)
    best, _ = write_block(tmp_path / "best", 0, [5, 9], rng, seeds=10)
    (tmp_path / "every" / "002.part.npz").write_bytes(b"half a block")
    assert main(["pack", "--blocks", str(tmp_path), "--table", str(tmp_path / "table.npz")]) == 0
    assert "functions 68, judged 2, seconds_of every" in capsys.readouterr().out
    table = read_table(tmp_path / "table.npz")
    assert table.every.groups.tolist() == list(range(68))
    np.testing.assert_array_equal(table.every.right, np.concatenate([first, second]))
    np.testing.assert_array_equal(table.best.right, best)
    np.testing.assert_allclose(table.scores[:34, 2], columns["synflow"], rtol=1e-6)
    assert table.missing == FUNCTIONS - 68


def test_the_same_blocks_give_the_same_file(tmp_path):
    write_block(tmp_path / "every", 0, range(34), np.random.default_rng(0))
    for name in ("one.npz", "other.npz"):
        assert main(["pack", "--blocks", str(tmp_path), "--table", str(tmp_path / name)]) == 0
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()


def test_seconds_are_ratios_to_the_reference_once_all_are_timed(tmp_path):
    rng = np.random.default_rng(0)
    write_block(tmp_path / "every", 0, range(4), rng, seconds=9.0)
    (tmp_path / "clock").mkdir()

    def clock(groups):
        load = np.array([1.0, 3.0, 1.0, 1.0])[: len(groups)]  # the machine was three times as slow for one of them
        timed = {"train_s": 0.2 * load, "evaluate_s": 0.02 * load}
        references = {f"reference_{name}": seconds * 2 for name, seconds in timed.items()}
        np.savez(tmp_path / "clock" / "000.npz", group=np.array(groups, dtype=np.int16), **timed, **references)

    clock(range(3))
    assert (packed_columns(tmp_path)[0]["train_s"] == 9.0).all(), "not all are timed"
    clock(range(4))
    columns, about = packed_columns(tmp_path)
    assert about["seconds_of"] == "clock"
    np.testing.assert_allclose(columns["train_s"], 0.2)
    np.testing.assert_allclose(columns["evaluate_s"], 0.02)


def test_the_plateau_is_printed_by_strings(tmp_path, capsys):
    write_block(tmp_path / "every", 0, range(34), np.random.default_rng(0))
    arguments = ["--blocks", str(tmp_path), "--table", str(tmp_path / "table.npz")]
    assert main(["pack", *arguments]) == 0
    assert main(["plateau", *arguments]) == 2
    assert "a plateau needs two functions and two seeds, not 0 and 10" in capsys.readouterr().err
    write_block(tmp_path / "best", 0, [5, 9, 11], np.random.default_rng(1), seeds=10)
    assert main(["pack", *arguments]) == 0
    assert main(["plateau", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert "of 3 functions within" in lines[0]
    assert len(lines) == 1 + int(lines[0].split()[0])
    assert all("|+|" in line for line in lines[1:])


def test_the_best_are_not_chosen_before_all_are_known(tmp_path, capsys):
    write_block(tmp_path / "every", 0, range(34), np.random.default_rng(0))
    assert main(["best", "--blocks", str(tmp_path)]) == 2
    assert "34 of 4,930 functions are measured" in capsys.readouterr().err
    write_block(tmp_path / "every", 1, range(34, FUNCTIONS), np.random.default_rng(0))
    assert accuracy_of_every(tmp_path).shape == (FUNCTIONS,)


def test_no_blocks_and_broken_blocks_are_one_line(tmp_path, capsys):
    assert main(["pack", "--blocks", str(tmp_path), "--table", str(tmp_path / "t.npz")]) == 2
    assert "no blocks in" in capsys.readouterr().err
    _, columns = write_block(tmp_path / "every", 0, range(4), np.random.default_rng(0))
    columns["validation"][2, 1, 7] += 0.03
    np.savez(tmp_path / "every" / "000.npz", **columns)
    assert main(["pack", "--blocks", str(tmp_path), "--table", str(tmp_path / "t.npz")]) == 2
    assert "no number of" in capsys.readouterr().err


def test_every_bound_on_cost_has_cells_that_can_be_judged():
    accuracy = np.random.default_rng(0).normal(size=FUNCTIONS)
    chosen = chosen_groups(accuracy)
    groups, _ = function_groups()
    assert set(np.argsort(-accuracy)[:300].tolist()) <= set(chosen)
    assert int(groups[index_of_cells(np.array([RESNET]))[0]]) in chosen
    assert 300 < len(chosen) < 450
    connected, pairs = connected_cells(), convolutions_of_cells()
    for most_1x1 in range(7):
        for most_3x3 in range(7):
            within = np.unique(groups[connected & (pairs <= [most_1x1, most_3x3]).all(axis=1)])
            assert within[accuracy[within].argmax()] in chosen


def test_parts_have_disjoint_seeds_and_blocks_of_equal_size(tmp_path):
    assert not set(EVERY.seeds) & set(BEST.seeds)
    assert CLOCK.seeds == EVERY.seeds
    assert len(open_blocks(tmp_path, range(FUNCTIONS))) * BLOCK == FUNCTIONS


def test_the_committed_table_is_that_of_the_committed_blocks():
    """As far as both go: blocks are measured, and come into the tree, before and after a packing."""
    if not list(BLOCKS.glob("every/*.npz")):
        pytest.skip("the blocks are not here")
    columns, _ = packed_columns(BLOCKS)
    table = read_table()
    common, ours, theirs = np.intersect1d(table.every.groups, columns["every_group"], return_indices=True)
    assert len(common)
    np.testing.assert_array_equal(table.every.right[ours], columns["every_right"][theirs])
    np.testing.assert_array_equal(table.every.right_test[ours], columns["every_right_test"][theirs])


def test_arguments_that_do_not_fit_are_refused(capsys):
    for arguments in (["again"], ["pack", text_of_cell(RESNET)]):
        with pytest.raises(SystemExit):
            main(arguments)
    assert main(["again", "|none~0|"]) == 2
    assert "3 nodes" in capsys.readouterr().err


def test_a_row_is_measured_again_and_seconds_are_taken(tmp_path, capsys, monkeypatch):
    """With one epoch only; the real thing takes five seconds."""
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    import torch

    from archgym_simulators.nas import cell_training
    from experiments.nas_table.measure import measure_block

    threads = torch.get_num_threads()
    try:
        measure_block(tmp_path / "clock" / "000.npz", [3], CLOCK)
        with np.load(tmp_path / "clock" / "000.npz") as block:
            assert 0.0 < block["evaluate_s"][0] < block["train_s"][0]
            assert block["reference_train_s"][0] > 0.0
        whole = cell_training.train_cell
        shortened = whole((0, 0, 0, 3, 0, 0), EVERY.seeds, epochs=1)
        monkeypatch.setattr(cell_training, "train_cell", lambda cell, seeds: shortened)
        table = read_table()
        cell = text_of_cell((0, 0, 0, 3, 0, 0))
        recorded = table.every.validation_by_seed(int(function_groups()[0][3]))
        assert recorded is not None
        assert main(["again", cell]) == 1, "one epoch is not twenty"
        assert "does NOT hold" in capsys.readouterr().out
    finally:
        torch.set_num_threads(threads)
