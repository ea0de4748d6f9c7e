"""The sections of a report, in order; each module answers one question."""

from __future__ import annotations

__all__ = ["build_sections"]

from archgym.report.charts import Section
from archgym.report.sections import (
    anytime,
    designs,
    failures,
    feasibility,
    fronts,
    importance,
    landscape,
    lottery,
    overview,
    profiles,
    ranking,
)
from archgym.report.study_data import StudyData

_ORDER = (
    overview, ranking, anytime, profiles, lottery, feasibility, fronts, importance, landscape, designs, failures,
)  # fmt: skip


def build_sections(data: StudyData) -> list[Section]:
    """Every section of a study's report."""
    return [module.build(data) for module in _ORDER]
