"""A study is believed only as far as it reproduces."""

import json
import shutil

import pandas as pd
import pytest

from archgym.studies.engine import run_study
from archgym.studies.study_file import parse_study
from archgym.studies.verification import verify_study
from archgym_simulators import InputError
from tests.archgym.studies.small_studies import BOWL, content, fragile


@pytest.fixture
def folder(tmp_path):
    """A complete study, one of whose agents crashes."""
    agents = [fragile(tmp_path), {"name": fragile(tmp_path), "settings": {"mode": "crash"}}]
    run_study(parse_study(content(tmp_path, agents=agents, seeds=2)), tmp_path / "out")
    return tmp_path / "out"


def verdicts(folder, **how):
    return {check.name: check.ok for check in verify_study(folder, **how)}


def change(file, edit):
    frame = pd.read_parquet(file)
    edit(frame)
    frame.to_parquet(file)


def test_an_honest_study_reproduces(folder):
    assert verdicts(folder, rerun=True) == {"cells": True, "designs": True, "runs": True}
    assert verdicts(folder, sample=2) == {"cells": True, "designs": True}


def test_tables_and_manifest_are_enough(folder):
    (folder / "study.journal").unlink()
    assert all(verdicts(folder, rerun=True).values())


def edit_reward(frame):
    frame.loc[frame.index[-1], "reward"] += 1e-9


def edit_design(frame):
    last = frame.index[-1]
    other = json.loads(frame.loc[0, "design"])
    frame.loc[last, "design"] = json.dumps(other)


def edit_value(frame):
    frame.loc[frame.index[-1], "design"] = frame.loc[frame.index[-1], "design"].replace('"banks": ', '"banks": 9')


@pytest.mark.parametrize("edit", [edit_reward, edit_design, edit_value])
def test_a_claimed_design_that_is_not_so_is_refused(folder, edit):
    change(folder / "improvements.parquet", edit)
    found = verify_study(folder)
    assert [check.ok for check in found] == [True, False]


def test_a_best_that_no_improvement_backs_is_refused(folder):
    change(folder / "runs.parquet", lambda frame: frame.__setitem__("best_reward", frame["best_reward"] + 0.1))
    found = verify_study(folder)
    assert not found[-1].ok
    assert "best_reward is" in found[-1].found


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    """A complete study of a problem with two objectives."""
    place = tmp_path_factory.mktemp("front")
    task = {"env": BOWL, "objective": ["time", "energy_pj"], "budget": 30, "reference_point": [-3.0, -3.0]}
    run_study(parse_study(content(place, tasks=[task], agents=[fragile(place)], seeds=2)), place / "out")
    return place / "out"


@pytest.mark.parametrize(
    ("file", "column", "value", "what"),
    [
        ("improvements", "rewards", "[1.0, 1.0]", "rewards are claimed to be [1.0, 1.0]"),
        ("runs", "hypervolume", 99.0, "hypervolume is 99.0"),
        ("runs", "best_value", 0.5, "best_value is 0.5"),
    ],
)
def test_a_front_that_is_better_than_its_designs_is_refused(front, tmp_path, file, column, value, what):
    shutil.copytree(front, tmp_path / "out")
    assert all(verdicts(tmp_path / "out").values())
    change(tmp_path / "out" / f"{file}.parquet", lambda frame: frame.__setitem__(column, [value] * len(frame)))
    found = verify_study(tmp_path / "out")
    assert not found[-1].ok
    assert what in found[-1].found


def test_a_seed_that_was_left_out_is_noticed(folder):
    frame = pd.read_parquet(folder / "runs.parquet")
    frame.drop(index=frame["best_reward"].idxmin()).to_parquet(folder / "runs.parquet")
    found = verify_study(folder)
    assert [(check.name, check.ok) for check in found] == [("cells", False)]
    assert "the study asks for 8 runs; 7 runs" in found[0].found


@pytest.mark.parametrize(
    ("column", "value"), [("proposals", 3), ("stop_reason", "agent"), ("invalid", 0), ("settings", '{"batch": 9}')]
)
def test_a_run_that_comes_out_otherwise_is_refused(folder, column, value):
    change(folder / "runs.parquet", lambda frame: frame.__setitem__(column, value))
    assert all(verdicts(folder).values())
    found = verify_study(folder, rerun=True)[-1]
    assert not found.ok
    assert f"{column} is claimed to be" in found.found


def test_improvements_that_did_not_happen_are_refused(folder):
    change(folder / "improvements.parquet", lambda frame: frame.__setitem__("evaluation", frame["evaluation"] - 1))
    assert verify_study(folder, rerun=True)[-1].found.endswith("its improvements differ in evaluation")


def test_a_study_of_another_version_cannot_be_checked(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["study"]["tasks"][0]["simulator_version"] = "0"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"tasks\.0\.simulator_version is '0' there and '1' here"):
        verify_study(folder)


def test_a_study_under_way_cannot_be_checked(folder):
    (folder / "result.json").unlink()
    with pytest.raises(InputError, match="is not complete"):
        verify_study(folder)
