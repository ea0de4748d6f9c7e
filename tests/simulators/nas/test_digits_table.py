"""The table of measured cells: exact counts, read lazily, small, and nothing in it can run."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from archgym_simulators.errors import InputError, MissingData, MissingExtra
from archgym_simulators.nas.digits_table import COMMITTED, EPOCHS, FUNCTIONS, IMAGES, SCORE_NAMES, read_table


def test_accuracies_are_the_means_of_counts(made_up):
    table, right = made_up.table, made_up.columns["every_right"]
    percent = 100.0 * right / IMAGES
    np.testing.assert_allclose(table.every.validation(), percent.mean(axis=1))
    np.testing.assert_allclose(table.every.validation(seed=2), percent[:, 2])
    np.testing.assert_allclose(table.every.validation_spread(), percent.std(axis=1, ddof=1), atol=1e-9)
    np.testing.assert_allclose(table.every.test(), 100.0 * made_up.columns["every_right_test"].mean(axis=1) / 2000)
    assert table.missing == 0
    table.require_complete()


def test_judged_functions_are_where_they_were_measured(made_up):
    judged = made_up.table.best.validation()
    assert judged.shape == (FUNCTIONS, EPOCHS)
    assert np.flatnonzero(np.isfinite(judged[:, -1])).tolist() == made_up.columns["best_group"].tolist()


def test_a_table_with_missing_rows_says_how_many_and_what_to_do(unfinished):
    table = read_table(unfinished)
    assert table.missing == FUNCTIONS - 2300
    with pytest.raises(MissingData, match=r"holds 2,300 of 4,930 functions; run: python -m experiments") as caught:
        table.require_complete()
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, MissingExtra), "so that 'archgym doctor' counts it as missing, not as broken"


def test_no_file_is_said_in_one_line(tmp_path):
    with pytest.raises(MissingData, match=r"no table of measured cells at .*missing\.npz"):
        read_table(tmp_path / "missing.npz")


def rewritten(made_up, tmp_path, **changes):
    with np.load(made_up.path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    for name, array in changes.items():
        arrays[name] = array
    path = tmp_path / "changed.npz"
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


class Hostile:
    ran = False

    def __reduce__(self):
        return (setattr, (Hostile, "ran", True))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"train_s": None}, "train_s"),
        ({"train_s": np.zeros(FUNCTIONS, np.float32)}, "above 0"),
        ({"scores": np.full((FUNCTIONS, 6), np.nan, np.float32)}, "finite"),
        ({"evaluate_s": np.ones(3, np.float32)}, "one row a function"),
        ({"every_right": np.zeros((FUNCTIONS, 3, 5), np.uint16)}, r"\(4930, 3, 5\), not \(4930, 3, 20\)"),
        ({"every_right_test": np.full((FUNCTIONS, 3), 2001, np.uint16)}, "more images than there are"),
        ({"every_group": np.arange(FUNCTIONS, dtype=np.uint16)[::-1]}, "ascend"),
        ({"about": np.frombuffer(b"{", np.uint8)}, "no table of measured cells"),
        ({"train_s": np.array([Hostile()] * 2, dtype=object)}, "no table of measured cells"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_damaged_or_hostile_file_is_refused_in_one_line(made_up, tmp_path, changes, sentence):
    path = rewritten(made_up, tmp_path, **changes)
    with pytest.raises(InputError, match=sentence) as caught:
        read_table(path)
    assert "\n" not in str(caught.value)
    assert "changed.npz" in str(caught.value)
    assert not Hostile.ran


def test_a_truncated_file_is_refused(made_up, tmp_path):
    path = tmp_path / "cut.npz"
    path.write_bytes(Path(made_up.path).read_bytes()[:5000])
    with pytest.raises(InputError, match="no table of measured cells"):
        read_table(path)


def test_the_committed_table_is_small_and_holds_what_the_pilot_saw():
    assert COMMITTED.stat().st_size < 1_000_000
    table = read_table()
    assert (table.every.seeds, table.best.seeds) == ((0, 1, 2), tuple(range(100, 110)))
    assert table.scores.shape == (FUNCTIONS - table.missing, len(SCORE_NAMES))
    final = table.every.validation()[:, -1]
    assert np.nanmin(final) > 5.0
    assert 90.0 < np.nanmax(final) < 100.0


def test_nothing_is_read_before_it_is_needed():
    lines = (
        "import sys, archgym, archgym_simulators.nas",
        "import archgym_simulators.nas.digits_simulator as s",
        "from archgym_simulators.nas.digits_table import _read",
        "assert _read.cache_info().currsize == 0",
        "assert 'torch' not in sys.modules and 'sklearn' not in sys.modules",
    )
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True)
