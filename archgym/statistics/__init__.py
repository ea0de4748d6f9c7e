"""Statistics of studies: arrays in, arrays out, every random draw from the generator that is passed."""

from __future__ import annotations

__all__ = [
    "CEILING",
    "KaplanMeier",
    "RankStability",
    "TunedVersusDefault",
    "adrs",
    "area_under_log_regret",
    "bootstrap_band",
    "bootstrap_interval",
    "ecdf",
    "evaluation_grid",
    "expected_best_of",
    "holm",
    "hypervolume",
    "igd_plus",
    "improvement_interval",
    "iqm",
    "kaplan_meier",
    "lottery_odds",
    "mean",
    "median",
    "non_dominated",
    "performance_profile",
    "permutation_p_value",
    "probability_of_improvement",
    "rank_stability",
    "regret",
    "time_to_target",
    "tuned_versus_default",
    "values_at",
]

from archgym.statistics.aggregate import iqm, mean, median, performance_profile
from archgym.statistics.anytime import area_under_log_regret, ecdf, evaluation_grid, time_to_target, values_at
from archgym.statistics.bootstrap import bootstrap_band, bootstrap_interval
from archgym.statistics.comparison import (
    RankStability,
    holm,
    improvement_interval,
    permutation_p_value,
    probability_of_improvement,
    rank_stability,
)
from archgym.statistics.front_quality import adrs, hypervolume, igd_plus, non_dominated
from archgym.statistics.regrets import CEILING, regret
from archgym.statistics.survival import KaplanMeier, kaplan_meier
from archgym.statistics.tuning import TunedVersusDefault, expected_best_of, lottery_odds, tuned_versus_default
