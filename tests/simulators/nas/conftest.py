"""A whole table of made-up measurements: every function, and a few judged."""

from types import SimpleNamespace

import numpy as np
import pytest

from archgym_simulators.nas.digits_table import EPOCHS, FUNCTIONS, IMAGES, read_table, write_table

JUDGED = np.arange(40, FUNCTIONS, 97)


def measured(rng, functions, seeds):
    """Images named rightly (R, S, E) and (R, S): curves that rise towards the end."""
    share = rng.uniform(0.3, 0.95, size=(functions, 1, 1)) * np.linspace(0.4, 1.0, EPOCHS)
    noise = rng.normal(0.0, 0.01, size=(functions, seeds, EPOCHS))
    right = np.clip(np.rint((share + noise) * IMAGES), 0, IMAGES)
    return right, np.clip(np.rint((share[..., -1] + noise[..., 0]) * IMAGES[-1]), 0, IMAGES[-1])


def columns(rng, groups, judged=JUDGED):
    right, right_test = measured(rng, len(groups), 3)
    best, best_test = measured(rng, len(judged), 10)
    return {
        "every_group": groups,
        "every_right": right,
        "every_right_test": right_test,
        "best_group": judged,
        "best_right": best,
        "best_right_test": best_test,
        "train_s": rng.uniform(0.05, 0.3, len(groups)),
        "evaluate_s": rng.uniform(0.01, 0.03, len(groups)),
        "scores": rng.normal(size=(len(groups), 6)),
    }


ABOUT = {"every_seeds": [0, 1, 2], "best_seeds": list(range(100, 110))}


@pytest.fixture(scope="session")
def made_up(tmp_path_factory):
    """A complete table: ``path``, ``columns`` as written, and the ``table`` as read."""
    path = tmp_path_factory.mktemp("nas") / "table.npz"
    written = columns(np.random.default_rng(0), np.arange(FUNCTIONS))
    write_table(path, written, ABOUT)
    return SimpleNamespace(path=str(path), columns=written, table=read_table(path))


@pytest.fixture(scope="session")
def unfinished(tmp_path_factory):
    """Path of a table without the last functions and without any judged one."""
    path = tmp_path_factory.mktemp("nas") / "unfinished.npz"
    write_table(path, columns(np.random.default_rng(0), np.arange(2300), JUDGED[:0]), ABOUT)
    return str(path)
