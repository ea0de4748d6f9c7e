"""The Python face: sessions, searches and evaluations by name."""

import numpy as np
import pandas as pd
import pytest

import archgym
from archgym_simulators import InputError
from tests.archgym import recording

DESIGN = {"memory": "cache", "size_kib": 8, "banks": 4, "order": "K>C>X", "tile": "2x3x4"}


def test_a_session_by_name(bowl):
    session = archgym.make_session(
        bowl, workload="large", objective="edp", constraints="time_ns<=900", budget=5, scale=2.0
    )
    found = session.evaluate(session.space.sample(5, np.random.default_rng(0)))
    assert found.rewards.shape == (5, 1)
    assert session.stop_reason == "budget"
    assert session.spec.options == {"scale": 2.0}


def test_designs_come_back_with_metrics_status_and_reason(bowl):
    designs = [DESIGN, {**DESIGN, "size_kib": 1, "banks": 8}]
    frame = archgym.evaluate(bowl, designs)
    assert list(frame.columns) == [*DESIGN, "time_ns", "energy_pj", "speed_mhz", "slack_ns", "status", "reason"]
    assert frame["status"].tolist() == ["ok", "invalid"]
    assert frame["reason"].tolist() == ["", "8 banks do not fit 1 KiB"]
    one = archgym.evaluate(bowl, DESIGN)
    assert one["time_ns"][0] == frame["time_ns"][0]
    again = archgym.evaluate(bowl, frame.set_index(pd.Index([7, 3])))
    assert again.index.tolist() == [7, 3]
    assert again.reset_index(drop=True).equals(frame)


@pytest.mark.parametrize(
    ("designs", "message"),
    [
        ([{**DESIGN, "memory": "cahce"}], "row 1: memory must be one of"),
        ([DESIGN, {**DESIGN, "banks": 9}], r"row 2: banks must be one of .* not 9; did you mean '8'\?"),
        ([DESIGN, {**DESIGN, "banks": float("nan")}], "row 2: banks must be one of"),
        ([{k: v for k, v in DESIGN.items() if k != "banks"}], "missing column 'banks'"),
        ([], "missing column 'memory'"),
    ],
)
def test_wrong_designs_are_one_line(bowl, designs, message):
    with pytest.raises(InputError, match=message) as caught:
        archgym.evaluate(bowl, designs)
    assert "\n" not in str(caught.value)


def test_the_same_seed_is_the_same_search_and_another_is_another(tmp_path):
    agent = str(recording.agent_file(tmp_path))
    first, again, other = (archgym.search(recording.BOWL, agent, budget=50, seed=seed) for seed in (1, 1, 2))
    summaries = [{k: v for k, v in result.summary.items() if k != "wall_s"} for result in (first, again, other)]
    assert summaries[0] == summaries[1] != summaries[2]


def test_a_search_that_proposes_nothing_has_no_design(tmp_path):
    file = tmp_path / "idle.py"
    file.write_text(
        "from archgym import AskTell\nclass Idle(AskTell):\n"
        "    @classmethod\n    def create(cls, space, config, rng, *, budget, n_objectives=1):\n        return cls()\n"
        "    def ask(self, n):\n        return []\n    def tell(self, rows, evaluation):\n        pass\n"
    )
    for out in (None, tmp_path / "run"):
        found = archgym.search(recording.BOWL, str(file), budget=5, out=out)
        assert (found.design, found.calls, found.stop_reason, found.feasible) == (None, 0, "agent", False)
    assert archgym.search(recording.BOWL, str(file), budget=5, out=tmp_path / "run").was_complete


def test_progress_sees_the_session(tmp_path):
    seen = []
    recording.search(tmp_path, "run", progress=lambda session: seen.append(session.calls))
    assert seen == sorted(seen)
    assert seen[-1] == 60
