"""Studies on a Ray cluster: nothing is lost and nothing counted twice, whatever goes."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from archgym.studies.engine import run_study
from archgym.studies.plan import Cell
from archgym.studies.ray_cluster import _Supply
from archgym.studies.store import recorded_runs
from archgym.studies.study_file import parse_study
from archgym_simulators import InputError, MissingExtra
from tests.archgym.recording import ROOT
from tests.archgym.studies.small_studies import assert_same_study, content, fragile, tables, toml

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="ray is not installed: pip install 'archgym[cluster]'"
)


@pytest.fixture(autouse=True)
def _no_connection_of_another_test():
    """A study uses a connection that is there, and calls of Ray's functions outside of a cluster open one."""
    if importlib.util.find_spec("ray") is None:
        yield
        return
    import ray

    ray.shutdown()
    yield
    ray.shutdown()


@pytest.fixture
def environment():
    """A home, temporary files and a token of its own; short, because paths of sockets are."""
    home = tempfile.mkdtemp(prefix="ray")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    yield {**inherited, **dict.fromkeys(("HOME", "RAY_TMPDIR", "TMPDIR"), home), "RAY_USAGE_STATS_ENABLED": "0"}
    shutil.rmtree(home, ignore_errors=True)


def run(environment, *command: object) -> str:
    path = {**environment, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, *map(str, command)], env=path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@needs_ray
def test_a_cluster_that_loses_a_node_gives_the_table_of_the_serial_run(tmp_path, environment):
    target = tmp_path / "node"
    agents = [{"name": fragile(tmp_path), "settings": {"mode": "hang-on", "marker": str(target)}}]
    file = toml(tmp_path, agents=agents)
    marker = str(tmp_path / "died")
    deadly = [{"name": fragile(tmp_path), "settings": {"mode": "die-once", "marker": marker}}]
    deadly_file = toml(tmp_path, "deadly.toml", agents=deadly, seeds=1)
    script = Path(__file__).with_name("on_ray.py")
    outs = tmp_path / "ray", tmp_path / "ray-deadly"
    found = json.loads(run(environment, script, file, outs[0], target, deadly_file, outs[1]).splitlines()[-1])
    assert found["runs"] == 6
    assert found["lost"] >= 1
    assert found["lost_later"] >= 1
    assert Path(marker).exists()
    for name, definition in (("ray", file), ("ray-deadly", deadly_file)):
        run_study(definition, tmp_path / "serial" / name)
        assert tables(tmp_path / name)[0]["state"].eq("complete").all()
        assert_same_study(tmp_path / "serial" / name, tmp_path / name)
        ids = [record.run_id for record in recorded_runs(tmp_path / name)]
        assert len(ids) == len(set(ids))


@needs_ray
def test_a_cluster_of_its_own_is_started_by_one_word(tmp_path, environment):
    agents = [fragile(tmp_path), {"name": fragile(tmp_path), "settings": {"mode": "crash"}}]
    file = toml(tmp_path, agents=agents)
    run(environment, "-m", "archgym", "study", file, "--out", tmp_path / "ray", "--ray", "local")
    run_study(file, tmp_path / "serial")
    assert tables(tmp_path / "ray")[0]["state"].eq("failed").sum() == 6
    assert_same_study(tmp_path / "serial", tmp_path / "ray")


@needs_ray
@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "cannot reach Ray at '127.0.0.1:1': .*refused"),
        ("no-such-host.invalid:6379", "cannot reach Ray at 'no-such-host.invalid:6379'"),
        ("locl", r"a Ray address reads local, auto or HOST:PORT, not 'locl'; did you mean 'local'\?"),
        ("host:port", "a Ray address reads"),
    ],
)
def test_a_cluster_that_does_not_answer_is_one_line_and_leaves_nothing(tmp_path, address, message):
    with pytest.raises(InputError, match=message) as caught:
        run_study(parse_study(content(tmp_path)), tmp_path / "out", ray=address)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@needs_ray
def test_where_no_cluster_runs_auto_is_one_line_too(tmp_path, monkeypatch):
    for name in ("HOME", "RAY_TMPDIR", "TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(
        InputError, match="cannot reach Ray at 'auto': Could not find any running Ray instance"
    ) as caught:
        run_study(parse_study(content(tmp_path)), tmp_path / "out", ray="auto")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_short_runs_share_a_task_and_lost_ones_come_back_alone():
    cells = [Cell(0, 0, seed, f"{seed:016x}") for seed in range(100)]
    supply = _Supply(iter(cells))
    first = list(supply.batches(2))
    assert first == [[cells[0]], [cells[1]]]
    supply.note(1, 0.1)
    ten = next(supply.batches(1))
    assert ten == cells[2:12]
    supply.note(10, 1e-9)
    assert len(next(supply.batches(1))) == 64
    assert supply.take_back(ten) == []
    assert list(supply.batches(10)) == [[cell] for cell in ten]
    supply.note(1, 50.0)
    assert list(supply.batches(99)) == [[cell] for cell in cells[76:]]
    for _ in range(3):
        assert supply.take_back([cells[2]]) == []
    assert supply.take_back([cells[2]]) == [cells[2]]  # lost for the fifth time


def test_without_ray_the_error_is_the_line_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"run: pip install 'archgym\[cluster\]'"):
        run_study(parse_study(content(tmp_path)), tmp_path / "out", ray="local")
    assert not (tmp_path / "out").exists()


def test_workers_and_ray_exclude_one_another(tmp_path):
    with pytest.raises(InputError, match="not both"):
        run_study(parse_study(content(tmp_path)), tmp_path / "out", workers=2, ray="local")
