"""The trained supernet's file: the task's images without scikit-learn, small, hash checked, and nothing in it runs."""

import numpy as np
import pytest

from archgym_simulators.errors import InputError, MissingData
from archgym_simulators.nas import digits_task, supernet_weights
from archgym_simulators.nas.supernet_weights import CALIBRATION, COMMITTED, read_supernet


def test_its_images_are_those_of_the_task():
    pytest.importorskip("sklearn")
    supernet = read_supernet()
    for mine, of_the_task in (
        (supernet.validation(), digits_task.validation_images()),
        (supernet.test(), digits_task.test_images()),
    ):
        np.testing.assert_array_equal(mine.pixels, of_the_task.pixels)
        np.testing.assert_array_equal(mine.classes, of_the_task.classes)
    training = digits_task.digits_of("training").head(CALIBRATION)
    np.testing.assert_array_equal(supernet.digits["training"].pixels, training.pixels)


def test_calibration_and_judging_use_images_of_their_own():
    supernet = read_supernet()
    assert len(supernet.calibration().classes) == CALIBRATION
    assert not np.array_equal(supernet.judged().pixels, supernet.validation().pixels)
    np.testing.assert_array_equal(supernet.judged().classes, supernet.validation().classes)


def test_the_file_is_small_and_says_how_it_was_made():
    assert COMMITTED.stat().st_size < 200_000
    assert {"seed", "epochs", "rate", "sampled"} <= set(read_supernet().about)


def changed(tmp_path, **changes):
    with np.load(COMMITTED) as archive:
        arrays = {name: archive[name] for name in archive.files} | changes
    path = tmp_path / "changed.npz"
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def test_another_supernet_has_another_digest(tmp_path):
    with np.load(COMMITTED) as archive:
        bias = archive["bias"].copy()
    assert read_supernet(changed(tmp_path)).digest == read_supernet().digest, "however well it is compressed"
    bias[3] += 1
    assert read_supernet(changed(tmp_path, bias=bias)).digest != read_supernet().digest


def test_a_committed_file_that_changed_is_refused(tmp_path, monkeypatch):
    path = changed(tmp_path, bias=np.zeros(10, dtype=np.float16))
    monkeypatch.setattr(supernet_weights, "COMMITTED", path)
    with pytest.raises(InputError, match=r"its content .* is not the committed") as caught:
        read_supernet()
    assert "\n" not in str(caught.value)


class Hostile:
    ran = False

    def __reduce__(self):
        return (setattr, (Hostile, "ran", True))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"bias": None}, "bias"),
        ({"bias": np.zeros(9, dtype=np.float16)}, "bias must be half precision"),
        ({"bias": np.zeros(10)}, "bias must be half precision"),
        ({"bias": np.full(10, np.nan, dtype=np.float16)}, "bias must be finite"),
        ({"bias": np.array([Hostile()], dtype=object)}, "allow_pickle"),
        ({"test_digits": np.full((397, 8, 8), 17, dtype=np.uint8)}, "test must have bytes"),
        ({"validation_classes": np.zeros(3, dtype=np.uint8)}, "validation must be digits"),
        ({"about": np.frombuffer(b"{", dtype=np.uint8)}, "is no trained supernet"),
    ],
)
def test_damaged_and_hostile_files_are_refused_in_one_line(tmp_path, changes, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        read_supernet(changed(tmp_path, **changes))
    assert "\n" not in str(caught.value)
    assert not Hostile.ran


def test_a_torn_file_and_no_file_are_said_in_one_line(tmp_path):
    torn = tmp_path / "torn.npz"
    torn.write_bytes(COMMITTED.read_bytes()[:-100])
    with pytest.raises(InputError, match="is no trained supernet"):
        read_supernet(torn)
    with pytest.raises(MissingData, match=r"no trained supernet at .*; run: python -m experiments.supernet train"):
        read_supernet(tmp_path / "missing.npz")
