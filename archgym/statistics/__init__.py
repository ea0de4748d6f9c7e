"""Statistics of studies: arrays in, arrays out, every random draw from the generator that is passed."""

from __future__ import annotations

__all__ = [
    "bootstrap_band",
    "bootstrap_interval",
    "iqm",
    "mean",
    "median",
    "performance_profile",
    "regret",
]

from archgym.statistics.aggregate import iqm, mean, median, performance_profile
from archgym.statistics.bootstrap import bootstrap_band, bootstrap_interval
from archgym.statistics.regrets import regret
