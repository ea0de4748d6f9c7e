import csv
from pathlib import Path

import numpy as np
import pytest

from archgym_simulators.tpe.synthesis import ModuleReport, SynthesisReport
from experiments import tpe_synthesis
from experiments.tpe_synthesis.comparison import compared, rank_correlation
from experiments.tpe_synthesis.designs import draw_units
from experiments.tpe_synthesis.library import component_library


def measured():
    """The committed figures as reports."""
    file = Path(tpe_synthesis.__file__).with_name("units.csv")
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_committed_figures_are_of_the_units_that_the_seed_gives():
    units, rows = draw_units(150, 4), measured()
    assert [unit.kind for unit in units] == [row["kind"] for row in rows]
    assert [unit.design.accumulator_bits for unit in units] == [int(row["accumulator_bits"]) for row in rows]


def test_model_and_synthesis_order_areas_and_delays_alike():
    units = draw_units(150, 4)
    reports = [
        SynthesisReport(
            ModuleReport(float(row["area_um2"]), float(row["delay_ns"]), {}, 0, None), None, 0, "0.70", "cells.lib"
        )
        for row in measured()
    ]
    area, delay = compared(units, reports, component_library("saed32")).correlations()
    assert area >= 0.95
    assert delay >= 0.95
    _, fitted = compared(units, reports, component_library("osu018")).correlations()
    assert fitted >= 0.95


def test_rank_correlation_shares_ranks_among_equals():
    x, y = np.array([1.0, 2.0, 2.0, 3.0]), np.array([10.0, 20.0, 30.0, 40.0])
    assert rank_correlation(x, x) == pytest.approx(1.0)
    assert rank_correlation(x, -x) == pytest.approx(-1.0)
    # Ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3.
    assert rank_correlation(x, y) == pytest.approx(4.5 / np.sqrt(4.5 * 5.0))
