"""Training: each function takes features (N, F), targets (N,), settings and a seed, and gives what predicts.

The second result is the model in its library's own text format, empty where it has none worth keeping. One thread, so
that the same seed gives the same bits.
"""

from __future__ import annotations

__all__ = [
    "deep_ensemble",
    "extra_trees",
    "gaussian_process",
    "lightgbm",
    "nearest_neighbours",
    "random_forest",
    "ridge",
]

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.proxies.lightgbm_text import trees_of_text
from archgym.proxies.smooth import DeepEnsemble, GaussianProcess, Line, Neighbours
from archgym.proxies.trees import Trees
from archgym_simulators.errors import import_extra

Floats = NDArray[np.float64]
Settings = Mapping[str, Any]

_MOST_NEIGHBOURS = 20_000
_BATCH = 256


def lightgbm(x: Floats, y: Floats, settings: Settings, seed: int) -> tuple[Trees, str]:
    """Gradient boosting of `settings["trees"]` trees (Ke et al., NeurIPS 2017)."""
    library = import_extra("lightgbm", "proxy")
    parameters = {
        "objective": "regression",
        "num_leaves": settings["leaves"],
        "learning_rate": settings["rate"],
        "min_data_in_leaf": min(settings["least"], max(len(y) // 10, 1)),
        "lambda_l2": settings["ridge"],
        "verbosity": -1,
        "num_threads": 1,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
    }
    names = [f"f{column}" for column in range(x.shape[1])]
    data = library.Dataset(x, y, feature_name=names, params={"verbosity": -1, "feature_pre_filter": False})
    text = library.train(parameters, data, num_boost_round=settings["trees"]).model_to_string()
    return trees_of_text(text, x.shape[1]), text


def random_forest(x: Floats, y: Floats, settings: Settings, seed: int) -> tuple[Trees, str]:
    """Trees of resampled rows (Breiman 2001)."""
    return _forest("RandomForestRegressor", x, y, settings, seed), ""


def extra_trees(x: Floats, y: Floats, settings: Settings, seed: int) -> tuple[Trees, str]:
    """Trees of random thresholds (Geurts et al. 2006)."""
    return _forest("ExtraTreesRegressor", x, y, settings, seed), ""


def _forest(name: str, x: Floats, y: Floats, settings: Settings, seed: int) -> Trees:
    ensemble = import_extra("sklearn.ensemble", "proxy")
    forest = getattr(ensemble, name)(
        settings["trees"],
        min_samples_leaf=settings["least"],
        max_features=settings["share"],
        random_state=seed,
        n_jobs=1,
    ).fit(x, y)
    trees = []
    for estimator in forest.estimators_:
        tree = estimator.tree_
        leaf = tree.children_left < 0
        columns = {"threshold": tree.threshold, "left": tree.children_left, "right": tree.children_right}
        trees.append({"feature": np.where(leaf, -1, tree.feature), "value": tree.value[:, 0, 0], **columns})
    return Trees.joined(trees, divisor=float(len(trees)), single=True)


def ridge(x: Floats, y: Floats, settings: Settings, seed: int) -> tuple[Line, str]:
    """Least squares with a penalty on the weights, in closed form."""
    scaled, target, scales = _scaled(x, y)
    gram = scaled.T @ scaled + settings["penalty"] * np.eye(x.shape[1])
    return Line(**scales, weights=np.linalg.solve(gram, scaled.T @ target)), ""


def nearest_neighbours(x: Floats, y: Floats, settings: Settings, seed: int) -> tuple[Neighbours, str]:
    """The rows themselves, a random 20,000 of them at most."""
    scaled, target, scales = _scaled(x, y)
    kept = _some(len(y), _MOST_NEIGHBOURS, seed)
    count = float(min(settings["count"], len(kept)))
    return Neighbours(**scales, known=scaled[kept], targets=target[kept], count=count), ""


def gaussian_process(x: Floats, y: Floats, settings: Settings, seed: int) -> tuple[GaussianProcess, str]:
    """Length, scale and noise of the greatest likelihood; of a random part of the rows."""
    processes = import_extra("sklearn.gaussian_process", "proxy")
    scaled, target, scales = _scaled(x, y)
    kept = _some(len(y), settings["most"], seed)
    kernels, wide = processes.kernels, np.sqrt(x.shape[1])
    kernel = kernels.ConstantKernel(1.0, (1e-3, 1e5)) * kernels.Matern(wide, (1e-2 * wide, 1e3 * wide), nu=2.5)
    kernel += kernels.WhiteKernel(1e-4, (1e-9, 1.0))
    threads = import_extra("threadpoolctl", "proxy")  # scikit-learn needs it, too
    with warnings.catch_warnings(), threads.threadpool_limits(1):
        warnings.simplefilter("ignore")  # a bound that is reached is an answer, too
        process = processes.GaussianProcessRegressor(kernel, random_state=seed).fit(scaled[kept], target[kept])
    scale, length = process.kernel_.k1.k1.constant_value, process.kernel_.k1.k2.length_scale
    weights = scale * process.alpha_
    return GaussianProcess(**scales, known=scaled[kept], weights=weights, length=float(length)), ""


def deep_ensemble(x: Floats, y: Floats, settings: Settings, seed: int) -> tuple[DeepEnsemble, str]:
    """Networks that differ by their first weights (Lakshminarayanan et al., NeurIPS 2017), trained by Adam."""
    torch = import_extra("torch", "rl")
    scaled, target, scales = _scaled(x, y)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        members = [_network(torch, scaled, target, settings, seed + 1000 * e) for e in range(settings["members"])]
    finally:
        torch.set_num_threads(threads)
    layers: dict[str, Any] = {name: np.stack([one[name] for one in members]) for name in members[0]}
    return DeepEnsemble(**scales, **layers), ""


def _network(torch: Any, x: Floats, y: Floats, settings: Settings, seed: int) -> dict[str, Floats]:
    generator = torch.Generator().manual_seed(seed)
    units, width = settings["units"], x.shape[1]
    weights = []
    for inputs, outputs in ((width, units), (units, units), (units, 1)):
        weights.append(torch.randn(inputs, outputs, generator=generator) * (2.0 / inputs) ** 0.5)
        weights.append(torch.zeros(outputs))
    for weight in weights:
        weight.requires_grad_(True)
    inputs, targets = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
    adam = torch.optim.Adam(weights, lr=settings["rate"])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, settings["epochs"])
    for _ in range(settings["epochs"]):
        for batch in torch.randperm(len(x), generator=generator).split(_BATCH):
            adam.zero_grad()
            hidden = torch.relu(inputs[batch] @ weights[0] + weights[1])
            hidden = torch.relu(hidden @ weights[2] + weights[3])
            loss = ((hidden @ weights[4] + weights[5])[:, 0] - targets[batch]).square().mean()
            loss.backward()
            adam.step()
        schedule.step()
    names = ("first", "first_bias", "second", "second_bias", "last", "last_bias")
    return {name: weight.detach().numpy().astype(np.float64) for name, weight in zip(names, weights, strict=True)}


def _scaled(x: Floats, y: Floats) -> tuple[Floats, Floats, dict[str, Any]]:
    """Features and targets of mean 0 and spread 1, and how to get there."""
    centre, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    mean, unit = float(y.mean()), float(y.std()) or 1.0
    scales = {"centre": centre, "spread": spread, "mean": mean, "unit": unit}
    return np.ascontiguousarray((x - centre) / spread), (y - mean) / unit, scales


def _some(count: int, most: int, seed: int) -> NDArray[np.int64]:
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))
