"""Settings of a regressor, found by Optuna within a time limit."""

from __future__ import annotations

__all__ = ["Tuned", "tune"]

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.proxies.regressors import RegressorKind
from archgym_simulators.errors import import_extra

Floats = NDArray[np.float64]
_MOST_TRIALS = 1000
_SHARE_TRAINED = 0.75


@dataclass(frozen=True)
class Tuned:
    """What tuning came to.

    Attributes:
        settings: the best.
        trials: settings tried, the defaults among them.
        error: of the best on rows held out, RMSE on the regressor's scale.
        default_error: of the defaults.
    """

    settings: Mapping[str, Any]
    trials: int
    error: float
    default_error: float


def tune(kind: RegressorKind, x: Floats, y: Floats, *, seconds: float, trials: int = 0, seed: int = 0) -> Tuned:
    """Try settings on a quarter of the rows held out, the defaults first, then what Optuna's TPE suggests.

    The suggestions follow from the seed; how many fit into the time does not. A trial that has begun is finished.

    Args:
        kind: of regressor.
        x: features (N, F).
        y: targets (N,).
        seconds: no trial begins after them.
        trials: at most; 0 for as many as there is time for.
        seed: of the split, the suggestions and the training.
    """
    order = np.random.default_rng(seed).permutation(len(y))
    train, test = np.split(order, [int(_SHARE_TRAINED * len(y))])

    def error_of(settings: Mapping[str, Any]) -> float:
        model, _ = kind.train(x[train], y[train], settings, seed)
        return float(np.sqrt(np.mean((model.predict(x[test]) - y[test]) ** 2)))

    ends = time.monotonic() + seconds
    default_error = error_of(kind.settings)
    best, best_error, done = dict(kind.settings), default_error, 1
    optuna = import_extra("optuna", "proxy")
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        while done < (trials or _MOST_TRIALS) and time.monotonic() < ends:
            trial = study.ask()
            settings = {**kind.settings, **kind.suggest(trial)}
            error = error_of(settings)
            study.tell(trial, error)
            done += 1
            if error < best_error:
                best, best_error = settings, error
    finally:
        optuna.logging.set_verbosity(verbosity)
    return Tuned(best, done, best_error, default_error)
