"""What is run: the two searches with a model, each also without what makes it special, and the baselines."""

from __future__ import annotations

__all__ = ["BASELINES", "PAIRS", "SEARCHES"]

from collections.abc import Mapping

from experiments.nas201_baselines.searches import SEARCHES as PUBLISHED
from experiments.nas201_baselines.searches import Search
from experiments.nas201_predictors.predictor_search import PredictorSearch
from experiments.nas201_predictors.surrogate_search import SurrogateSearch

BASELINES = ("RS", "REA", "REINFORCE-0.1", "LocalSearch")
"""Of REINFORCE's learning rates the one that found the best cells."""

_MODELS: Mapping[str, Search] = {
    "Predictor": Search("predictor, pretrained", PredictorSearch),
    "PredictorAlone": Search("predictor, not pretrained", PredictorSearch, {"pretraining": 0}),
    "Surrogate": Search("gradient on a surrogate", SurrogateSearch),
    "SurrogateAlone": Search("the surrogate without gradient", SurrogateSearch, {"climbing": 0}),
}

SEARCHES: Mapping[str, Search] = {**{name: PUBLISHED[name] for name in BASELINES}, **_MODELS}

PAIRS = (
    *((model, baseline) for model in _MODELS for baseline in BASELINES),
    ("Predictor", "PredictorAlone"),
    ("Surrogate", "SurrogateAlone"),
)
"""Which search is compared with which."""
