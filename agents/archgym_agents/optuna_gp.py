"""Gaussian-process optimisation of Optuna: a model of reward and constraints, and where it promises most.

Algorithm: Optuna's GPSampler: a Matern-5/2 Gaussian process on the columns (categories by Hamming distance) with fitted
length scales, one more for the constraint, log expected improvement (expected hypervolume improvement for several
objectives), optimised over the mixed space.

Does well: 30 to 150 calls on smooth objectives of few parameters.
Does badly: time: seconds a call beyond a hundred; plateaus and many categories.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from archgym.agent import Settings, setting
from archgym_agents._optuna import OptunaSearch
from archgym_simulators.errors import import_extra
from archgym_simulators.space import Rows

REQUIRES = "bo"


@dataclass(frozen=True)
class OptunaGpConfig(Settings):
    """Settings of Optuna's Gaussian process."""

    startup: int = setting(10, "random designs at first", values=(5, 10, 20), low=1)
    deterministic: bool = setting(True, "simulators without noise: no noise in the model", values=(True, False))


class OptunaGp(OptunaSearch):
    """Optuna's GPSampler."""

    REQUIRES = REQUIRES
    SLOW = True
    Config = OptunaGpConfig
    _config: OptunaGpConfig

    def sampler(self, seed: int, missed: Callable[[Any], Sequence[float]]) -> Any:
        return self._optuna.samplers.GPSampler(
            n_startup_trials=self._config.startup,
            deterministic_objective=self._config.deterministic,
            constraints_func=missed,
            seed=seed,
        )

    def plan(self) -> Rows:
        with _one_thread():
            return super().plan()


@contextmanager
def _one_thread() -> Iterator[None]:
    """One torch thread inside: sums of two are grouped differently, and change bits."""
    torch = import_extra("torch", OptunaGp.REQUIRES)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
