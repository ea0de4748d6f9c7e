"""What readers of a study see."""

import json

import numpy as np
import pytest

from archgym.studies.records import IMPROVEMENT_COLUMNS, RUN_COLUMNS, RunRecord
from archgym.studies.results import load_study
from archgym.studies.tables import write_tables
from archgym_simulators import InputError

RUN = {
    "run_id": "a0",
    "task": "dram-mixed-time",
    "env_id": "archgym/DRAM-v0",
    "workload": "stream",
    "objective": '["total-time"]',
    "constraints": "[]",
    "agent": "random_search",
    "settings": '{"batch": 16}',
    "setting_id": "1f",
    "is_default": True,
    "seed": 2**47 + 1,
    "budget": 30,
    "max_proposals": 600,
    "state": "complete",
    "stop_reason": "budget",
    "evaluations": 30,
    "proposals": 31,
    "feasible": True,
    "best_reward": 0.1 + 0.2,
    "best_value": 12.5,
    "hypervolume": float("nan"),
    "invalid": 2,
    "failed": 0,
    "error": "",
    "wall_seconds": 0.25,
    "agent_seconds": 0.125,
    "problem": 0,
}
IMPROVEMENTS = {
    "evaluation": [1, 7],
    "proposal": [1, 8],
    "cost": [1.0, 7.0],
    "reward": [-31.0, 0.1 + 0.2],
    "feasible": [False, True],
    "value": [float("nan"), 12.5],
    "design": ['{"a": 1}', '{"a": 2}'],
    "rewards": ["[-31.0]", "[0.30000000000000004]"],
}
NONE = {name: [] for name in IMPROVEMENTS}


def record(**changes) -> RunRecord:
    return RunRecord({**RUN, **changes}, IMPROVEMENTS if changes.get("feasible", True) else NONE)


@pytest.fixture
def folder(tmp_path):
    """A study of three runs, one without any feasible design."""
    (tmp_path / "manifest.json").write_text(json.dumps({"study": {}, "tasks": []}))
    write_tables(
        tmp_path, [record(), record(run_id="b1", feasible=False, best_reward=float("nan")), record(run_id="c2")]
    )
    return tmp_path


def test_columns_are_the_contract(folder):
    found = load_study(folder)
    assert list(found.runs.columns) == list(RUN_COLUMNS)
    assert list(found.improvements.columns) == list(IMPROVEMENT_COLUMNS)


def test_values_come_back_to_the_bit(folder):
    found = load_study(folder)
    assert found.runs["run_id"].tolist() == ["a0", "b1", "c2"]
    row = found.runs.iloc[0]
    assert {name: row[name] for name in RUN_COLUMNS if name != "hypervolume"} == {
        name: RUN[name] for name in RUN_COLUMNS if name != "hypervolume"
    }
    assert found.runs["hypervolume"].isna().all()
    assert np.isnan(found.runs["best_reward"][1])
    assert found.runs["budget"].dtype == "int64"
    first = found.improvements[found.improvements["run_id"] == "a0"]
    assert first["reward"].tolist() == IMPROVEMENTS["reward"]
    assert found.improvements["run_id"].tolist() == ["a0", "a0", "c2", "c2"]


def test_a_record_survives_as_bytes():
    one = RunRecord(RUN, IMPROVEMENTS, b"stream")
    again = RunRecord.from_bytes(one.to_bytes())
    assert again.to_bytes() == one.to_bytes()
    assert (again.run_id, again.evaluations) == ("a0", b"stream")


def test_a_budget_in_cost_units_stays_a_fraction(tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"study": {}}))
    write_tables(tmp_path, [record(budget=0.5)])
    assert load_study(tmp_path).runs["budget"].tolist() == [0.5]


def test_a_study_without_runs_has_empty_tables_with_all_columns(tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"study": {}}))
    write_tables(tmp_path, [])
    found = load_study(tmp_path)
    assert (len(found.runs), len(found.improvements)) == (0, 0)
    assert list(found.runs.columns) == list(RUN_COLUMNS)


def test_what_is_no_study_is_one_line(tmp_path):
    with pytest.raises(InputError, match="it is no directory"):
        load_study(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"it has no manifest\.json"):
        load_study(tmp_path)
