"""Gradients on a surrogate of designs, in the manner of BOSHNAS (Tuli et al., FlexiBERT, 2022).

The surrogate is heteroscedastic: it predicts a mean and a variance of its own (what the inputs do not explain), and it
knows what it does not know (epistemic). A design is proposed by climbing mean + k * sigma + k * xi on relaxed inputs,
and the nearest design at the end is evaluated.

What differs from BOSHNAS: the epistemic part is the spread of an ensemble, which can be differentiated as it stands, in
place of a student network that imitates a teacher with dropout; the climb is of first order (Adam), not of second
(AdaHessian); designs are distributions over the values of each parameter, not learned embeddings of architectures.
"""

from __future__ import annotations

__all__ = ["Surrogate", "SurrogateSearch", "SurrogateSearchConfig"]

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from archgym.agent import Settings, setting
from archgym_agents._batches import Outcomes
from archgym_agents._search import Search
from archgym_simulators import DesignSpace
from archgym_simulators.space import Rows
from experiments.nas201_predictors.worth import SEEDS, one_hot, one_thread, worths_of

_RATE = 0.01
_CLIMBING_RATE = 0.3
_SHARPNESS = 2.0  # of the logits that a climb starts from
_LOG_VARIANCES = (-6.0, 2.0)


@dataclass(frozen=True)
class SurrogateSearchConfig(Settings):
    """Settings of the search by gradients on a surrogate."""

    first: int = setting(20, "random designs before the surrogate is asked", low=4)
    batch: int = setting(10, "designs evaluated between two fits", low=1)
    networks: int = setting(5, "of the ensemble", low=2)
    hidden: int = setting(48, "neurons of each of two hidden layers", low=1)
    fitting: int = setting(120, "steps of a fit", low=1)
    climbs: int = setting(32, "starts of a climb: the best designs seen, and as many random ones", low=2)
    climbing: int = setting(25, "steps of a climb; 0 leaves the gradient out", low=0)
    aleatoric: float = setting(0.5, "worth of a standard deviation that the inputs do not explain", low=0.0)
    epistemic: float = setting(0.5, "worth of a standard deviation of the ensemble", low=0.0)


class SurrogateSearch(Search):
    """Climbs an upper confidence bound of an ensemble on relaxed designs; every parameter is taken as a category."""

    Config = SurrogateSearchConfig
    SLOW = True

    def __init__(self, space: DesignSpace, config: SurrogateSearchConfig, rng: np.random.Generator) -> None:
        super().__init__(space, config, rng)
        self._generator = torch.Generator().manual_seed(int(rng.integers(SEEDS)))
        self._is_value = torch.from_numpy(np.arange(space.nvec.max()) < space.nvec[:, None])  # (D, V)
        self._seen: Outcomes | None = None

    def plan(self) -> Rows:
        if self._seen is None or not len(self._seen.rows):
            return self._untried.draw(self._config.first, self._rng)
        with one_thread():
            surrogate = Surrogate(self._config, self._is_value.numel(), self._generator)
            surrogate.fit(one_hot(self._seen.rows, self._space.nvec).flatten(1), worths_of(self._seen.reward))
            rows = self._climbed(surrogate, self._starts(self._seen))
        return self.fresh(rows, self._config.batch)

    def learn(self, outcomes: Outcomes) -> None:
        super().learn(outcomes)
        told = outcomes.take(np.flatnonzero(~outcomes.failed))
        self._seen = told if self._seen is None else self._seen.followed_by(told)

    def _starts(self, seen: Outcomes) -> Rows:
        best = seen.rows[seen.best_first()[: self._config.climbs // 2]]
        return np.concatenate([best, self._space.sample(self._config.climbs - len(best), self._rng)])

    def _climbed(self, surrogate: Surrogate, starts: Rows) -> Rows:
        """Designs nearest to where the climbs end, the highest bound first."""
        logits = _SHARPNESS * one_hot(starts, self._space.nvec)
        logits = (logits + 0.1 * torch.randn(logits.shape, generator=self._generator)).requires_grad_()
        optimiser = torch.optim.Adam([logits], lr=_CLIMBING_RATE, fused=True)
        for _ in range(self._config.climbing):
            optimiser.zero_grad()
            (-surrogate.bound(self._relaxed(logits).flatten(1)).sum()).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        with torch.no_grad():
            rows = self._space.canonical(self._relaxed(logits).argmax(dim=2).numpy())
            bounds = surrogate.bound(one_hot(rows, self._space.nvec).flatten(1))
        return rows[np.argsort(-bounds.numpy(), kind="stable")]

    def _relaxed(self, logits: Tensor) -> Tensor:
        """Distributions (S, D, V) over the values that each parameter has."""
        return torch.softmax(logits.masked_fill(~self._is_value, -torch.inf), dim=2)


class Surrogate:
    """An ensemble of K networks, each with a mean and a variance; K products of matrices at once."""

    def __init__(self, config: SurrogateSearchConfig, inputs: int, generator: torch.Generator) -> None:
        self._config = config
        widths = (inputs, config.hidden, config.hidden, 2)
        self._weights = [
            torch.randn(config.networks, before, after, generator=generator).mul_((2.0 / before) ** 0.5)
            for before, after in pairwise(widths)
        ]
        self._offsets = [torch.zeros(config.networks, 1, after) for after in widths[1:]]
        for parameter in self._parameters():
            parameter.requires_grad_()

    def fit(self, inputs: Tensor, target: Tensor) -> None:
        """Maximise the likelihood of targets (N,) of inputs (N, F) in every network alone."""
        optimiser = torch.optim.Adam(self._parameters(), lr=_RATE, weight_decay=1e-4, fused=True)
        for _ in range(self._config.fitting):
            mean, log_variance = self._outputs(inputs)
            loss = (log_variance + (target - mean) ** 2 * torch.exp(-log_variance)).mean(dim=1).sum()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        for parameter in self._parameters():
            parameter.requires_grad_(False)

    def beliefs(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean, aleatoric and epistemic standard deviation (N,) each, of inputs (N, F)."""
        mean, log_variance = self._outputs(inputs)
        # A variance of exactly 0 has no gradient of its root.
        epistemic = (mean.var(dim=0) + 1e-8).sqrt()
        return mean.mean(dim=0), torch.exp(log_variance).mean(dim=0).sqrt(), epistemic

    def bound(self, inputs: Tensor) -> Tensor:
        """What is climbed (N,)."""
        mean, aleatoric, epistemic = self.beliefs(inputs)
        return mean + self._config.aleatoric * aleatoric + self._config.epistemic * epistemic

    def _outputs(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Means and logarithms of variances (K, N) each."""
        x = inputs.expand(self._config.networks, *inputs.shape)
        last = len(self._weights) - 1
        for number, (weight, offset) in enumerate(zip(self._weights, self._offsets, strict=True)):
            x = torch.baddbmm(offset, x, weight)
            x = x if number == last else torch.relu(x)
        return x[..., 0], x[..., 1].clamp(*_LOG_VARIANCES)

    def _parameters(self) -> list[Tensor]:
        return [*self._weights, *self._offsets]
