"""Run directories: which run one is, and what is refused."""

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

import archgym
from archgym.run_directory import read_json, write_whole
from archgym.testing import toys
from archgym_simulators import InputError
from tests.archgym import recording

NOBODY = 65534


def files(folder):
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(folder.iterdir())}


def test_a_complete_run_is_left_as_it_is(tmp_path):
    first = recording.search(tmp_path, "run")
    before = files(tmp_path / "run")
    assert set(before) == {"manifest.json", "journal.bin", "evaluations.parquet", "result.json"}
    again = recording.search(tmp_path, "run")
    assert again.was_complete
    assert not first.was_complete
    assert files(tmp_path / "run") == before
    assert (again.design, again.reward, again.calls, again.stop_reason) == (
        first.design,
        first.reward,
        first.calls,
        first.stop_reason,
    )
    assert dict(again.metrics) == dict(first.metrics)


@pytest.mark.parametrize("missing", ["result.json", "evaluations.parquet"])
def test_a_run_without_its_last_files_is_finished(tmp_path, missing):
    recording.search(tmp_path, "run")
    expected = recording.outcome(tmp_path / "run")
    (tmp_path / "run" / missing).unlink()
    assert not recording.search(tmp_path, "run").was_complete
    assert recording.outcome(tmp_path / "run") == expected


def test_the_recorded_search_finds_what_the_unrecorded_one_finds(tmp_path):
    recorded = recording.search(tmp_path, "run")
    options = {"budget": 60, "seed": 5, "constraints": "energy_pj<=90"}
    free = archgym.search(recording.BOWL, str(recording.agent_file(tmp_path)), **options)
    assert (free.design, free.reward, free.calls, free.proposals) == (
        recorded.design,
        recorded.reward,
        recorded.calls,
        recorded.proposals,
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 6}, "seed is 5 there and 6 here"),
        ({"budget": 61}, "budget.limit is 60 there and 61 here"),
        ({"max_proposals": 70}, "budget.max_proposals is None there and 70 here"),
        ({"record": "improvements"}, "budget.record is 'all' there and 'improvements' here"),
        ({"workload": "large"}, "problem.workload is 'default' there and 'large' here"),
        ({"objective": "edp"}, "problem.objectives is [] there and ['edp'] here"),
        ({"constraints": "energy_pj<=80"}, "problem.constraints is ['energy_pj<=90'] there and ['energy_pj<=80'] here"),
        ({"scale": 2.0}, "problem.options.scale is None there and 2.0 here"),
        ({"agent_options": {"batch": 6}}, "agent.config.batch is 5 there and 6 here"),
    ],
)
def test_another_run_is_refused_with_what_differs_and_the_directory_is_left_alone(tmp_path, change, message):
    recording.search(tmp_path, "run")
    before = files(tmp_path / "run")
    with pytest.raises(InputError) as caught:
        recording.search(tmp_path, "run", **change)
    assert message in str(caught.value)
    assert "choose another --out" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert files(tmp_path / "run") == before


@pytest.mark.parametrize("attribute", ["version", "format"])
def test_another_version_is_refused(tmp_path, attribute):
    recording.search(tmp_path, "run")
    manifest = tmp_path / "run/manifest.json"
    found = json.loads(manifest.read_text())
    key = {"version": "simulator_version", "format": "format"}[attribute]
    found["identity"][key], found["digest"] = 0, "other"
    manifest.write_text(json.dumps(found))
    with pytest.raises(InputError, match=f"{key} is 0 there and '?1'? here"):
        recording.search(tmp_path, "run")


def test_a_changed_agent_or_simulator_file_is_another_run(tmp_path):
    recording.search(tmp_path, "run")
    agent = recording.agent_file(tmp_path)
    agent.write_text(agent.read_text() + "\n# changed\n")
    with pytest.raises(InputError, match=r"the content hash of the agent's file is"):
        recording.search(tmp_path, "run")


def test_an_agent_that_proposes_something_else_is_refused(tmp_path, monkeypatch):
    recording.search(tmp_path, "run")
    (tmp_path / "run/result.json").unlink()
    rng = np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda seed=None: rng(99 if seed == 5 else seed))
    with pytest.raises(InputError, match="cannot be resumed: the record goes on with other designs at proposal 0"):
        recording.search(tmp_path, "run")


def test_an_agent_that_ends_before_its_record_is_refused(tmp_path, monkeypatch):
    recording.search(tmp_path, "run")
    (tmp_path / "run/result.json").unlink()
    run = archgym.AskTell.run
    monkeypatch.setattr(archgym.AskTell, "run", lambda self, session: session.evaluate(self.ask(5)) and None)
    with pytest.raises(InputError, match="the agent has finished"):
        recording.search(tmp_path, "run")
    monkeypatch.setattr(archgym.AskTell, "run", lambda self, session: None)
    with pytest.raises(InputError, match="the agent has finished"):
        recording.search(tmp_path, "run")
    monkeypatch.setattr(archgym.AskTell, "run", run)
    assert recording.search(tmp_path, "run").calls == 60


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"digest": 5}', "\x00\x01", '{"identity": {}}'])
def test_a_damaged_manifest_is_one_line(tmp_path, content):
    recording.search(tmp_path, "run")
    (tmp_path / "run/manifest.json").write_text(content)
    with pytest.raises(InputError, match=r"manifest\.json") as caught:
        recording.search(tmp_path, "run")
    assert "\n" not in str(caught.value)


def test_a_damaged_result_is_one_line(tmp_path):
    recording.search(tmp_path, "run")
    (tmp_path / "run/result.json").write_text("{")
    with pytest.raises(InputError, match=r"cannot read .*result\.json"):
        recording.search(tmp_path, "run")


@pytest.mark.parametrize("stage", ["part", "journal only", "header torn"])
def test_a_run_killed_while_it_began_starts_again(tmp_path, stage):
    recording.search(tmp_path, "whole")
    run = tmp_path / "run"
    run.mkdir()
    (run / "manifest.json.part").write_text('{"half":')
    whole = (tmp_path / "whole/journal.bin").read_bytes()
    if stage == "journal only":
        (run / "journal.bin").write_bytes(whole)
    if stage == "header torn":
        (run / "journal.bin").write_bytes(whole[:30])
    recording.search(tmp_path, "run")
    assert recording.outcome(run) == recording.outcome(tmp_path / "whole")
    assert not list(run.glob("*.part"))


def test_a_directory_of_something_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match=r"holds 'thesis.tex' but no manifest.json; choose another --out"):
        recording.search(tmp_path, "run")
    assert set(files(tmp_path / "run")) == {"thesis.tex"}


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(InputError, match="exists and is not a directory"):
        recording.search(tmp_path, "run")
    with pytest.raises(InputError, match="choose another --out"):
        recording.search(tmp_path, "run/below")
    assert (tmp_path / "run").read_text() == "a file"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": -1}, "seed must be a whole number of at least 0, not -1"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"seed": "1"}, "seed must be a whole number"),
        ({"budget": 0}, "budget must be a whole number of at least 1"),
        ({"budget": "10"}, "budget must be a whole number"),
        ({"record": "some"}, "record must be all or improvements"),
        ({"workload": "lorge"}, "unknown workload 'lorge'; did you mean 'large'"),
        ({"objective": "tyme"}, "unknown objective 'tyme'; did you mean 'time'"),
        ({"objective": 5}, "objective must be text or a list of texts, not 5"),
        ({"constraints": "energy<=5"}, "did you mean 'energy_pj'"),
        ({"scael": 1.0}, "unknown option 'scael'.*did you mean 'scale'"),
        ({"scale": "big"}, "option 'scale' must be of type float, not 'big'"),
        ({"scale": np.float64(2)}, None),
        ({"scale": np.int64(2)}, "option 'scale' must be a JSON value"),
        ({"agent_options": {"bacth": 1}}, "unknown setting 'bacth'; did you mean 'batch'"),
        ({"agent_options": {"batch": "many"}}, "batch must be a whole number such as 5, not 'many'"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing_behind(tmp_path, change, message):
    if message is None:
        assert recording.search(tmp_path, "run", **change).calls == 60
        return
    with pytest.raises(InputError, match=message) as caught:
        recording.search(tmp_path, "run", **change)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


@contextlib.contextmanager
def without_privileges():
    """Root may read and write everything, so a test as root would prove nothing."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder():
    """A folder that everybody may read, with everything that a search reads."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        shutil.copy(toys.__file__, folder / "toys.py")
        recording.agent_file(folder)
        for file in folder.iterdir():
            file.chmod(0o644)
        yield folder


@pytest.mark.parametrize(
    "refused", ["unreadable", "unwritable", "no parent", "unreadable manifest", "unwritable journal"]
)
def test_a_directory_without_permission_is_one_line(open_folder, refused):
    def search(out):
        return archgym.search(
            f"{open_folder}/toys.py:Bowl", f"{open_folder}/wanderer.py", budget=9, out=open_folder / out
        )

    search("warm")  # imports what is imported late
    search("run")
    run = open_folder / "run"
    for file in run.iterdir():
        file.chmod(0o644)
    run.chmod({"unreadable": 0o000, "unwritable": 0o555}.get(refused, 0o777))
    if refused == "unwritable":
        for file in run.iterdir():
            file.unlink()
    if refused == "unreadable manifest":
        (run / "manifest.json").chmod(0o000)
    if refused == "unwritable journal":
        (run / "result.json").unlink()
    with without_privileges(), pytest.raises(InputError) as caught:
        search("none/run" if refused == "no parent" else "run")
    assert "Permission denied" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_numpy_numbers_and_paths_of_any_kind_are_the_same_run(tmp_path):
    recording.search(tmp_path, "run")
    assert recording.search(tmp_path, str(tmp_path / "run"), budget=np.int64(60), seed=np.int64(5)).was_complete


def test_files_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    write_whole(tmp_path / "f.json", '{"a": 1}')
    assert read_json(tmp_path / "f.json") == {"a": 1}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match=r"cannot write .*f\.json: No space left on device"):
        write_whole(tmp_path / "f.json", '{"a": 2}')
    assert read_json(tmp_path / "f.json") == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["f.json"]


def test_with_fsync_the_result_is_the_same(tmp_path):
    recording.search(tmp_path, "safe", fsync=True)
    recording.search(tmp_path, "fast")
    assert recording.outcome(tmp_path / "safe") == recording.outcome(tmp_path / "fast")


def test_a_run_of_another_archgym_is_not_continued(tmp_path):
    recording.search(tmp_path, "run")
    manifest = tmp_path / "run/manifest.json"
    found = json.loads(manifest.read_text())
    found["about"]["archgym"] = "0.0.1"
    manifest.write_text(json.dumps(found))
    before = files(tmp_path / "run")
    with pytest.raises(InputError, match=r"is of another version: archgym is '0\.0\.1' there and '.*' here"):
        recording.search(tmp_path, "run")
    assert files(tmp_path / "run") == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"simulator_version": "9"}, "simulator_version is '9' there and '1' here"),
        ({"extra": {"x": 1}}, "extra.x is 1 there and None here"),
    ],
)
def test_a_manifest_changed_by_hand_is_refused_with_what_differs(tmp_path, change, sentence):
    recording.search(tmp_path, "run")
    manifest = tmp_path / "run/manifest.json"
    found = json.loads(manifest.read_text())
    found["identity"].update(change)
    manifest.write_text(json.dumps(found))
    with pytest.raises(InputError, match=sentence):
        recording.search(tmp_path, "run")


def test_a_manifest_without_an_identity_is_refused(tmp_path):
    recording.search(tmp_path, "run")
    (tmp_path / "run/manifest.json").write_text('{"identity": [], "digest": "x"}')
    with pytest.raises(InputError, match="is of another run: format is None there and 1 here"):
        recording.search(tmp_path, "run")
