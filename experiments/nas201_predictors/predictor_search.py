"""Predictor-based search after FBNetV3 (Dai et al., CVPR 2021): what is free of every cell teaches the predictor first.

An embedding of cells is trained to predict the logarithms of MACs and parameters, which cost no training. Then, round
by round: a head on the embedding learns the accuracies seen so far, first alone, then with the embedding at a tenth of
the rate; the untried cells that it ranks first are trained. FBNetV3 searches a far larger space by evolution, under a
bound on MACs, and over training recipes; here all 15,625 cells are ranked, without a bound, and there is one recipe.
"""

from __future__ import annotations

__all__ = ["CellPredictor", "PredictorSearch", "PredictorSearchConfig"]

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from archgym.agent import Settings, setting
from archgym_agents._batches import Outcomes
from archgym_agents._search import Search
from archgym_simulators import DesignSpace, InputError
from archgym_simulators.nas.cells import SIZE, cells_of_indices
from archgym_simulators.nas.digits_design import EDGE_NAMES
from archgym_simulators.nas.skeleton import CIFAR10, macs_of, parameters_of
from archgym_simulators.space import Rows
from experiments.nas201_predictors.worth import SEEDS, one_hot, one_thread, worths_of

_PRETRAINING_BATCH = 256
_RATE = 0.01
_RATE_OF_EMBEDDING = 0.001


@dataclass(frozen=True)
class PredictorSearchConfig(Settings):
    """Settings of the predictor-based search."""

    first: int = setting(20, "random cells before the predictor is asked", low=4)
    batch: int = setting(10, "cells that are trained between two fits", low=1)
    pretraining: int = setting(300, "steps on MACs and parameters; 0 leaves it out", low=0)
    fitting: int = setting(100, "steps on the accuracies seen, half of the head alone", low=2)
    hidden: int = setting(64, "neurons of each of two layers of the embedding", low=1)


class PredictorSearch(Search):
    """Trains the cells that a predictor ranks first; for the cells of NAS-Bench-201 only, whose MACs it computes."""

    Config = PredictorSearchConfig

    def __init__(self, space: DesignSpace, config: PredictorSearchConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        if tuple(p.name for p in space.parameters) != tuple(EDGE_NAMES):
            raise InputError(f"the predictor is pretrained on cells; a space needs the parameters {EDGE_NAMES}")
        with one_thread():
            self._predictor = CellPredictor(config, int(rng.integers(SEEDS)))
        self._seen: Outcomes | None = None

    def plan(self) -> Rows:
        if self._seen is None:
            return self._untried.draw(self._config.first, self._rng)
        with one_thread():
            predicted = self._predictor.after(self._seen.rows, self._seen.reward)
        ranked = np.argsort(-predicted, kind="stable")[: len(self._seen.rows) + self._config.batch]
        return self.fresh(cells_of_indices(ranked).astype(np.int64), self._config.batch)

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        told = outcomes.take(np.flatnonzero(~outcomes.failed))
        self._seen = told if self._seen is None else self._seen.followed_by(told)


class CellPredictor:
    """An embedding of cells, pretrained once, and what a head on it says after accuracies were seen."""

    def __init__(self, config: PredictorSearchConfig, seed: int) -> None:
        self._config = config
        self._generator = torch.Generator().manual_seed(seed)
        cells = cells_of_indices(np.arange(SIZE)).astype(np.int64)
        self._inputs = one_hot(cells, np.full(len(EDGE_NAMES), 5)).flatten(1)  # (SIZE, 30)
        self._embedding = self._initialised(
            nn.Sequential(
                nn.Linear(self._inputs.shape[1], config.hidden),
                nn.ReLU(),
                nn.Linear(config.hidden, config.hidden),
                nn.ReLU(),
            )
        )
        self.pretraining_loss = self._pretrain(cells) if config.pretraining else float("nan")

    def after(self, rows: Rows, rewards: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predicted worth (SIZE,) of every cell after rewards (N,) of rows (N, 6) were seen, on no scale of its own."""
        embedding, head = deepcopy(self._embedding), self._initialised(nn.Linear(self._config.hidden, 1))
        seen = one_hot(rows, np.full(len(EDGE_NAMES), 5)).flatten(1)
        target, half = worths_of(rewards), self._config.fitting // 2
        with torch.no_grad():
            embedded = embedding(seen)
        _fit(head, embedded, target, [{"params": head.parameters(), "lr": _RATE}], half)
        both = nn.Sequential(embedding, head)
        # Without pretraining there is nothing to keep, and the embedding learns as fast as the head.
        rate = _RATE_OF_EMBEDDING if self._config.pretraining else _RATE
        groups = [{"params": head.parameters(), "lr": rate}, {"params": embedding.parameters(), "lr": rate}]
        _fit(both, seen, target, groups, self._config.fitting - half)
        with torch.no_grad():
            return np.asarray(both(self._inputs)[:, 0].numpy(), dtype=np.float64)

    def _pretrain(self, cells: NDArray[np.int64]) -> float:
        free = np.log(np.column_stack([macs_of(cells, CIFAR10), parameters_of(cells, CIFAR10)]))
        target = torch.from_numpy(((free - free.mean(axis=0)) / free.std(axis=0)).astype(np.float32))
        network = nn.Sequential(self._embedding, self._initialised(nn.Linear(self._config.hidden, 2)))
        optimiser = torch.optim.Adam(network.parameters(), lr=_RATE, fused=True)
        for _ in range(self._config.pretraining):
            batch = torch.randint(SIZE, (_PRETRAINING_BATCH,), generator=self._generator)
            _step(optimiser, nn.functional.mse_loss(network(self._inputs[batch]), target[batch]))
        with torch.no_grad():
            return float(nn.functional.mse_loss(network(self._inputs), target))

    def _initialised(self, network: nn.Module) -> nn.Module:
        """He's normal initialisation from the search's own generator."""
        for module in network.modules():
            if isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight, generator=self._generator)
                nn.init.zeros_(module.bias)
        return network


def _fit(network: nn.Module, inputs: Tensor, target: Tensor, groups: list[dict[str, object]], steps: int) -> None:
    optimiser = torch.optim.Adam(groups, fused=True, weight_decay=1e-4)
    for _ in range(steps):
        _step(optimiser, nn.functional.huber_loss(network(inputs)[:, 0], target))


def _step(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
