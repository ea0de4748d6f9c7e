"""Designs that FARSI has simulated, where the reference tables are present."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from archgym_simulators.soc.farsi_names import design_from_farsi
from archgym_simulators.soc.model import PreparedGraph, simulate
from archgym_simulators.soc.workloads import workload

TABLE = Path(__file__).resolve().parents[4] / "shared" / "refs" / "soc" / "farsi_dev.csv"


@pytest.fixture(scope="module")
def table():
    if not TABLE.is_file():
        pytest.skip(f"no reference table {TABLE.name} beside the repository")
    return pd.read_csv(TABLE)


@pytest.mark.parametrize(
    ("column", "prune"), [("effective_design_json", False), ("design_json", True)], ids=["as simulated", "as proposed"]
)
def test_recorded_designs_are_reproduced_to_the_last_digit(table, column, prune):
    for name, rows in table.groupby("workloads"):
        rows = rows.iloc[::7]
        designs = [design_from_farsi(json.loads(text)) for text in rows[column]]
        prepared = PreparedGraph.build(workload(name.replace("_", "-")), budgets="farsi")
        ours = simulate(prepared, designs, rules="farsi", prune=prune)
        for a, application in enumerate(prepared.graph.applications):
            expected = rows[f"lat_{application.name.replace('-', '_')}_s"]
            np.testing.assert_allclose(ours.latency_s[:, a], expected, rtol=1e-11)
        for reference, attribute in (("power_w", "power_w"), ("energy_j", "energy_j"), ("area_m2", "area_m2")):
            np.testing.assert_allclose(getattr(ours, attribute), rows[reference], rtol=1e-11)
        np.testing.assert_allclose(ours.budget_distance, rows["dist_to_budget"], rtol=1e-11)
        np.testing.assert_array_equal(ours.phases, rows["n_phases"])
