"""The kinds of regressor that a proxy may be made of, with their settings and what a tuner may try."""

from __future__ import annotations

__all__ = ["KINDS", "Regressor", "RegressorKind", "kind_named", "model_types"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from archgym.proxies import training
from archgym.proxies.smooth import DeepEnsemble, GaussianProcess, Line, Neighbours
from archgym.proxies.trees import Trees
from archgym_simulators import InputError
from archgym_simulators.nearest import did_you_mean

Floats = NDArray[np.float64]
Settings = Mapping[str, Any]


class Regressor(Protocol):
    """What is left of a trained regressor: arrays, and how they predict."""

    @property
    def kind(self) -> str:
        """Which of `model_types` it is."""

    def predict(self, x: Floats) -> Floats:
        """Predictions (N,) of features (N, F)."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything, to be stored."""


@dataclass(frozen=True)
class RegressorKind:
    """A way to train.

    Attributes:
        name: what a user types.
        description: a few words.
        train: from features (N, F), targets (N,), settings and a seed to what predicts, and the model in the text
            format of its library where there is one.
        settings: by default.
        suggest: settings for a trial of Optuna.
    """

    name: str
    description: str
    train: Callable[[Floats, Floats, Settings, int], tuple[Regressor, str]]
    settings: Settings
    suggest: Callable[[Any], dict[str, Any]]


def _lightgbm_trial(trial: Any) -> dict[str, Any]:
    return {
        "trees": trial.suggest_int("trees", 50, 800, log=True),
        "leaves": trial.suggest_categorical("leaves", [7, 15, 31, 63]),
        "rate": trial.suggest_float("rate", 0.02, 0.3, log=True),
        "least": trial.suggest_int("least", 1, 40, log=True),
        "ridge": trial.suggest_float("ridge", 1e-3, 10.0, log=True),
    }


def _forest_trial(trial: Any) -> dict[str, Any]:
    return {
        "trees": trial.suggest_int("trees", 20, 200, log=True),
        "least": trial.suggest_int("least", 1, 8, log=True),
        "share": trial.suggest_float("share", 0.2, 1.0),
    }


def _network_trial(trial: Any) -> dict[str, Any]:
    return {
        "members": 3,
        "units": trial.suggest_categorical("units", [32, 64, 128]),
        "epochs": trial.suggest_int("epochs", 50, 300, log=True),
        "rate": trial.suggest_float("rate", 3e-4, 1e-2, log=True),
    }


KINDS = {
    kind.name: kind
    for kind in (
        RegressorKind(
            "lightgbm",
            "gradient-boosted trees",
            training.lightgbm,
            {"trees": 300, "leaves": 31, "rate": 0.08, "least": 5, "ridge": 0.1},
            _lightgbm_trial,
        ),
        RegressorKind(
            "random-forest",
            "trees of resampled rows",
            training.random_forest,
            {"trees": 100, "least": 1, "share": 1.0},
            _forest_trial,
        ),
        RegressorKind(
            "extra-trees",
            "trees of random splits",
            training.extra_trees,
            {"trees": 100, "least": 1, "share": 1.0},
            _forest_trial,
        ),
        RegressorKind(
            "ridge",
            "a weighted sum of the features",
            training.ridge,
            {"penalty": 1.0},
            lambda trial: {"penalty": trial.suggest_float("penalty", 1e-4, 1e4, log=True)},
        ),
        RegressorKind(
            "gaussian-process",
            "smooth, for up to some thousand rows",
            training.gaussian_process,
            {"most": 1000},
            lambda trial: {"most": trial.suggest_categorical("most", [250, 500, 1000, 2000])},
        ),
        RegressorKind(
            "nearest-neighbours",
            "the mean of the nearest rows",
            training.nearest_neighbours,
            {"count": 5},
            lambda trial: {"count": trial.suggest_int("count", 1, 30, log=True)},
        ),
        RegressorKind(
            "deep-ensemble",
            "small networks; needs torch",
            training.deep_ensemble,
            {"members": 5, "units": 64, "epochs": 150, "rate": 3e-3},
            _network_trial,
        ),
    )
}


def kind_named(name: str) -> RegressorKind:
    """The kind of regressor of that name.

    Raises:
        InputError: for an unknown name, with the nearest match.
    """
    if name not in KINDS:
        raise InputError(f"unknown regressor {name!r}{did_you_mean(name, KINDS)}; allowed: {', '.join(KINDS)}")
    return KINDS[name]


def model_types() -> dict[str, Any]:
    """Classes of what is stored, by their ``kind``."""
    return {model.kind: model for model in (Trees, Line, Neighbours, GaussianProcess, DeepEnsemble)}
