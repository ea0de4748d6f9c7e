"""Yosys inside an environment, from ``gym.make`` to the metrics of a step."""

import gymnasium as gym
import numpy as np
import pytest

import archgym  # noqa: F401  (registers the environments)
from archgym_simulators.errors import InputError, MissingExtra
from archgym_simulators.external.yosys import Yosys, find_yosys
from archgym_simulators.tpe import synthesis
from archgym_simulators.tpe.liberty import liberty_file
from archgym_simulators.tpe.simulator import TpeSimulator

OPTIONS = {"area_cap": 0, "throughput_floor": 0, "timing": "report"}
WORK = "gemm:64x64x64@int4"


@pytest.fixture
def _tool():
    try:
        find_yosys()
        liberty_file("osu018")
    except (MissingExtra, InputError) as error:
        pytest.skip(str(error))


def metrics_of(rows, **options):
    """Metrics of designs, one environment step each."""
    env = gym.make("archgym/TPE-v0", workload=WORK, **OPTIONS, **options)
    found = []
    for row in rows:
        env.reset(seed=1)
        found.append(env.step(np.array(row))[4]["metrics"])
    return found


@pytest.mark.usefixtures("_tool")
def test_a_pe_is_synthesised_once_and_corrects_area_and_slack_but_not_cycles(tmp_path, monkeypatch):
    simulator = TpeSimulator(WORK, **OPTIONS)
    base = {n: c[0] for n, c in simulator.space.decode(np.array([simulator.baseline.row])).items()}
    changes = ({}, {"rows": 8}, {"engine": "systolic-os/opt1"})
    rows = [simulator.space.encode_row(base | change) for change in changes]
    folder = tmp_path / "reports"
    synthesis._reports.clear()
    model = metrics_of(rows)
    exact = metrics_of(rows, fidelity="synthesis", synthesis_cache=str(folder))
    assert len(list(folder.iterdir())) == 2  # an array's sides are no part of its PE
    assert exact[:2] == model[:2]  # of the baseline's PE, for which nothing is corrected
    assert exact[2]["area_mm2"] != model[2]["area_mm2"]
    assert exact[2]["slack_ns"] != model[2]["slack_ns"]
    assert exact[2]["cycles"] == model[2]["cycles"]
    synthesis._reports.clear()
    monkeypatch.setattr(Yosys, "run", None)  # reports that last are used
    assert metrics_of(rows, fidelity="synthesis", synthesis_cache=str(folder)) == exact
