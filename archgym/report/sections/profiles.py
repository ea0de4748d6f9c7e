"""How reliable agents are: the share of runs within each regret."""

from __future__ import annotations

__all__ = ["build"]

import numpy as np
from numpy.typing import NDArray

from archgym.report.charts import Axis, Chart, Line, Section, View
from archgym.report.fields import FLOOR
from archgym.report.study_data import StudyData
from archgym.statistics import bootstrap_band, performance_profile

_SEED, _RESAMPLES = 3, 400
_THRESHOLDS = np.geomspace(FLOOR, 3.0, 40)
_NEAR = 0.1


def build(data: StudyData) -> Section:
    """One line an agent."""
    return Section("profiles", "How reliable agents are", {scope: _view(data, scope) for scope in data.scopes()})


def _view(data: StudyData, scope: str) -> View:
    finals = {name: data.regrets(rows) for name, rows in data.field(scope).items()}
    if not finals:
        return View(("No run has ended as it should, so there is no profile.",))
    chart = Chart(
        key="profile",
        title="Share of runs within a regret",
        x=Axis("regret at the whole budget", log=True),
        y=Axis("share of runs", limits=(0.0, 1.0)),
        marks=[_line(name, regrets) for name, regrets in finals.items()],
        note=f"Higher is better; 95 % interval over runs; the left end ({FLOOR:g}) holds all runs at the best design.",
    )
    return View(_words(finals), (chart,))


def _line(name: str, regrets: NDArray[np.float64]) -> Line:
    rng = np.random.default_rng(_SEED)

    def profile(scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return performance_profile(scores, _THRESHOLDS)

    low, high = bootstrap_band(regrets, profile, rng, resamples=_RESAMPLES)
    x, y = _THRESHOLDS.tolist(), profile(regrets).tolist()
    return Line(name=name, agent=name, x=x, y=y, low=low.tolist(), high=high.tolist())


def _words(finals: dict[str, NDArray[np.float64]]) -> list[str]:
    shares = {name: float((regrets <= _NEAR).mean()) for name, regrets in finals.items()}
    best, worst = max(shares, key=lambda name: shares[name]), min(shares, key=lambda name: shares[name])
    if len(finals) == 1:
        return [f"{shares[best]:.0%} of the runs of {best} end within a regret of {_NEAR:g}."]
    if shares[best] == shares[worst]:
        return [f"{shares[best]:.0%} of the runs of every agent end within a regret of {_NEAR:g}."]
    text = (
        f"A run of {best} ends within a regret of {_NEAR:g} with a chance of {shares[best]:.0%}, a run of {worst} with "
        f"{shares[worst]:.0%}."
    )
    return [text, _dominance(finals)]


def _dominance(finals: dict[str, NDArray[np.float64]]) -> str:
    profiles = {name: performance_profile(regrets, _THRESHOLDS) for name, regrets in finals.items()}
    for name, mine in profiles.items():
        if all((mine >= other).all() for other in profiles.values()):
            return f"The line of {name} is nowhere below another: the safer choice whatever regret will do."
    return "Lines cross: which agent is the safer choice depends on the regret that will do."
