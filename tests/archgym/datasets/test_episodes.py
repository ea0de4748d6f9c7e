"""One run is one episode: for Minari, and as RLDS steps."""

import json
import os
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from archgym.datasets import Dataset
from archgym.datasets.episodes import episodes, observation_names, rlds_episodes, write_steps
from archgym.datasets.export import write_dataset
from archgym.datasets.minari_export import MINARI_FORMATS, default_minari_id, write_minari
from archgym_simulators import OK, InputError
from tests.archgym.datasets import made_data
from tests.archgym.datasets.made_data import made


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = made_data.study(tmp_path_factory.mktemp("runs") / "study")
    return Dataset.load(folder, duplicates="keep")


def rows_of(data, place):
    mine = np.flatnonzero(data.run_index == place)
    return mine[np.argsort(data.step[mine])]


def test_an_episode_is_a_run_in_the_order_of_its_steps(data):
    found = list(episodes(data))
    assert [one.run for one in found] == list(data.runs)
    for place, one in enumerate(found):
        rows = rows_of(data, place)
        assert len(one) == len(rows) == 40
        np.testing.assert_array_equal(one.actions, data.designs[rows])
        np.testing.assert_array_equal(one.rewards, data.reward[rows])
        np.testing.assert_array_equal(one.metrics[1:], data.values[rows])
        np.testing.assert_array_equal(one.status[1:], data.status[rows])
        assert np.isnan(one.metrics[0]).all()
        assert one.status[0] == -1


def test_an_observation_is_what_became_of_the_design_before(data):
    names = list(observation_names(data))
    one = next(episodes(data))
    rows = rows_of(data, 0)
    assert one.observations.shape == (41, len(names))
    assert one.observations.dtype == np.float32
    assert np.isfinite(one.observations).all()
    valid = data.status[rows] == OK
    assert not valid.all()
    np.testing.assert_array_equal(one.observations[1:, names.index("valid")], valid)
    np.testing.assert_array_equal(one.observations[1:, names.index("feasible")], data.feasible[rows])
    time = np.where(valid, np.log(data.column("time_ns")[rows]), 0.0)
    np.testing.assert_allclose(one.observations[1:, names.index("log time_ns")], time, rtol=1e-6)
    slack = np.where(valid, data.column("slack_ns")[rows], 0.0)  # a linear metric
    np.testing.assert_allclose(one.observations[1:, names.index("slack_ns")], slack, rtol=1e-6)
    column = data.space.columns.index("banks")
    share = data.rows[rows, column] / (data.space.nvec[column] - 1)
    np.testing.assert_allclose(one.observations[1:, names.index("banks")], share, rtol=1e-6)
    features = len(data.schema.feature_names)
    np.testing.assert_allclose(one.observations[:, :features], np.tile(data.features[0], (41, 1)), rtol=1e-6)
    assert not one.observations[0, features:].any(), "before the first step nothing has been seen"


def test_rlds_steps_have_one_more_than_actions_and_mark_both_ends(data):
    for place, episode in enumerate(rlds_episodes(data)):
        steps = episode["steps"]
        assert {len(values) for values in steps.values()} == {41}
        assert np.flatnonzero(steps["is_first"]).tolist() == [0]
        assert np.flatnonzero(steps["is_last"]).tolist() == [40]
        assert not steps["is_terminal"].any(), "a search is cut off, it does not come to an end"
        np.testing.assert_array_equal(steps["action"][:-1], data.designs[rows_of(data, place)])
        np.testing.assert_array_equal(steps["reward"][:-1], data.reward[rows_of(data, place)])
        assert not steps["action"][-1].any()
        assert (episode["agent"], episode["seed"]) == (data.runs[place].agent, data.runs[place].seed)


def test_a_file_of_steps_says_what_it_holds(data, tmp_path):
    write_steps(data, tmp_path / "steps.parquet")
    table = pq.read_table(tmp_path / "steps.parquet")
    about = json.loads(table.schema.metadata[b"archgym steps"])
    whole = list(rlds_episodes(data))
    for name, values in whole[0]["steps"].items():
        together = np.concatenate([one["steps"][name] for one in whole])
        np.testing.assert_array_equal(np.array(table.column(name).to_pylist(), values.dtype), together)
    assert about["observation"] == list(observation_names(data))
    assert about["action_sizes"] == data.space.nvec.tolist()
    assert len(set(table.column("run_id").to_pylist())) == len(data.runs)


def test_runs_that_have_lost_rows_are_no_episodes(data, tmp_path):
    for lost in (data.valid(), Dataset.load(write_dataset(data, tmp_path / "whole"))):
        with pytest.raises(InputError, match="lost rows of them; load the runs with duplicates='keep'"):
            episodes(lost)
    again = Dataset.load(tmp_path / "whole", duplicates="keep")
    np.testing.assert_array_equal(next(episodes(again)).observations, next(episodes(data)).observations)
    write_dataset(Dataset.load(tmp_path / "whole"), tmp_path / "thin")
    with pytest.raises(InputError, match="lost rows"):
        episodes(Dataset.load(tmp_path / "thin", duplicates="keep"))


@pytest.mark.parametrize("data_format", MINARI_FORMATS)
def test_minari_loads_what_was_written(data, tmp_path, monkeypatch, data_format):
    minari = pytest.importorskip("minari", reason="the extra 'data' is not installed")
    pytest.importorskip("h5py", reason="the extra 'data' is not installed")
    monkeypatch.delenv("MINARI_DATASETS_PATH", raising=False)
    made_id = write_minari(data, tmp_path / "root", data_format=data_format)
    assert "MINARI_DATASETS_PATH" not in os.environ
    assert made_id == "archgym/bowl/search-v0"
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "root"))
    found = minari.load_dataset(made_id)
    assert (found.total_episodes, found.total_steps) == (len(data.runs), len(data))
    assert (found.action_space.nvec == data.space.nvec).all()
    assert set(found.storage.metadata["algorithm_name"].split(", ")) == {"random_search", "hill_climbing"}
    for one, episode, about in zip(episodes(data), found, found.storage.get_episode_metadata(range(4)), strict=True):
        np.testing.assert_array_equal(episode.observations, one.observations)
        np.testing.assert_array_equal(episode.actions, one.actions)
        np.testing.assert_array_equal(episode.rewards, one.rewards)
        assert not episode.terminations.any()
        assert np.flatnonzero(episode.truncations).tolist() == [39]
        for place, name in enumerate(data.schema.metric_names):
            np.testing.assert_array_equal(episode.infos[name][:, 0], one.metrics[:, place])
        np.testing.assert_array_equal(episode.infos["status"][:, 0], one.status)
        assert found.action_space.contains(episode.actions[0])
        assert found.observation_space.contains(episode.observations[0])
        assert about["seed"] == one.run.seed
        assert about["options"] == {"run_id": one.run.run_id, "agent": one.run.agent}


@pytest.mark.parametrize("data_format", MINARI_FORMATS)
def test_minari_takes_a_relative_path(data, tmp_path, monkeypatch, data_format):
    minari = pytest.importorskip("minari", reason="the extra 'data' is not installed")
    monkeypatch.chdir(tmp_path)
    made_id = write_minari(data, "root", data_format=data_format)
    assert [path.name for path in tmp_path.iterdir()] == ["root"]
    monkeypatch.setenv("MINARI_DATASETS_PATH", "root")
    assert minari.load_dataset(made_id).total_steps == len(data)


def test_a_minari_export_that_fails_leaves_nothing(data, tmp_path):
    pytest.importorskip("minari", reason="the extra 'data' is not installed")
    with pytest.raises(InputError, match="Minari id 'x' must read 'namespace/environment/name-v0'"):
        write_minari(data, tmp_path / "root", dataset_id="x")
    with pytest.raises(InputError, match="hdf5, arrow, parquet, not 'hdf'; did you mean 'hdf5'"):
        write_minari(data, tmp_path / "root", data_format="hdf")
    with pytest.raises(InputError, match="lost rows"):
        write_minari(data.valid(), tmp_path / "root")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").touch()
    with pytest.raises(InputError, match="exists already"):
        write_minari(data, tmp_path / "there")


def test_environments_give_minari_ids():
    assert default_minari_id("archgym/TPE-Power-v0") == "archgym/tpe-power/search-v0"
    assert default_minari_id("C:\\models\\my chip.py:My Chip") == "archgym/my-chip/search-v0"


def test_features_that_nobody_knows_are_0_in_observations():
    data = made(30)
    unknown = tuple(replace(one, features=()) for one in data.workloads)
    one = next(episodes(replace(data, workloads=unknown)))
    assert np.isfinite(one.observations).all()
