"""Tree-structured Parzen estimator of Optuna: densities of good and of other designs, and where they differ most.

Algorithm: TPE (Bergstra et al. 2011; Watanabe 2023 for what Optuna does): the designs so far are split into the better
ones and the rest, a Parzen density is fitted to each, and of ``candidates`` draws from the better one's density that
with the highest ratio is tried. Multivariate, so parameters may depend on each other. Infeasible designs are on the far
side of the split. Several objectives are split by non-domination and hypervolume.

Does well: the first hundred calls on almost anything; the method to beat in hyperparameter tuning.
Does badly: it takes milliseconds a call of its own, growing with the calls; ordinals of few values are smoothed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from archgym.agent import Settings, setting
from archgym_agents._optuna import OptunaSearch

REQUIRES = "bo"


@dataclass(frozen=True)
class OptunaTpeConfig(Settings):
    """Settings of TPE."""

    startup: int = setting(10, "random designs at first", values=(5, 10, 20, 40), low=1)
    candidates: int = setting(24, "draws of which the best ratio is tried", values=(12, 24, 64), low=1)
    multivariate: bool = setting(True, "one density of all parameters, not one each", values=(True, False))
    prior: float = setting(1.0, "weight of the prior in each density", values=(0.3, 1.0, 3.0), low=1e-3)


class OptunaTpe(OptunaSearch):
    """Optuna's TPESampler."""

    REQUIRES = REQUIRES
    Config = OptunaTpeConfig
    _config: OptunaTpeConfig

    def sampler(self, seed: int, missed: Callable[[Any], Sequence[float]]) -> Any:
        return self._optuna.samplers.TPESampler(
            n_startup_trials=self._config.startup,
            n_ei_candidates=self._config.candidates,
            multivariate=self._config.multivariate,
            prior_weight=self._config.prior,
            constraints_func=missed,
            seed=seed,
        )
