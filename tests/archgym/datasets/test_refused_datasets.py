"""What does not go together, and what is broken, is refused; nothing in a file is executed."""

import json
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import archgym
from archgym.datasets import Dataset, DatasetWorkload
from archgym.datasets.export import write_dataset
from archgym.testing import toys
from archgym_simulators import OK, InputError
from tests.archgym.datasets import made_data
from tests.archgym.datasets.made_data import made


def written(folder, name, **changes):
    """A dataset of which something is changed, as a directory."""
    data = made(20)
    schema = {
        k: v
        for k, v in changes.items()
        if k in ("env_id", "options", "simulator_version", "metrics", "source", "space_digest")
    }
    rest = {k: v for k, v in changes.items() if k not in schema}
    return write_dataset(replace(data, schema=replace(data.schema, **schema), **rest), folder / name)


def renamed(data, **names):
    return tuple(replace(metric, name=names.get(metric.name, metric.name)) for metric in data.metrics)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metrics": renamed(made(), time_ns="time_us")}, r"mixed units, 'time_ns' in .*one.* and 'time_us' in .*two"),
        ({"metrics": renamed(made(), time_ns="speed")}, r"metrics is \('time_ns', 'energy_pj'\) in .* and \('speed', "),
        ({"simulator_version": "8"}, "simulator version is '7' in .*one.* and '8' in .*two"),
        ({"env_id": "my/Chop-v0"}, "environment is 'my/Chip-v0' in .* and 'my/Chop-v0' in"),
        ({"options": {"rules": "y"}}, "options of the simulator is {'rules': 'x'} in .* and {'rules': 'y'} in"),
        ({"options": {"rules": "x", "simulator": "proxy:p"}}, "options of the simulator is"),
        ({"space_digest": "abc"}, "content hash of the design space is 'space' in .* and 'abc' in"),
        ({"source": "abc"}, "content hash of the simulator's file is '' in .* and 'abc' in"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path, changes, message):
    one, two = written(tmp_path, "one"), written(tmp_path, "two", **changes)
    with pytest.raises(InputError, match=f"cannot merge: {message}") as refused:
        Dataset.load([one, two])
    assert "\n" not in str(refused.value)


def test_a_table_answers_as_its_simulator_does(tmp_path):
    one, two = written(tmp_path, "one"), written(tmp_path, "two", options={"rules": "x", "simulator": "table"})
    assert len(Dataset.load([one, two])) == len(Dataset.load(one))


def test_the_same_design_in_two_units_is_noticed(tmp_path):
    """What no name tells: seconds in one log, milliseconds in the other."""
    one, two = written(tmp_path, "one"), written(tmp_path, "two", values=made(20).values * [1000.0, 1.0])
    with pytest.raises(InputError, match=r"time_ns of the same design and workload is .* in .*one.* and .*two.*units"):
        Dataset.load([one, two])
    assert len(Dataset.load([one, written(tmp_path, "three", values=made(20).values * (1 + 1e-13))])) > 0


def test_a_workload_that_has_changed_under_its_name_is_refused(tmp_path):
    other = (DatasetWorkload("a", (0.0,), "other"), DatasetWorkload("b", (0.5,), "b"))
    one, two = written(tmp_path, "one"), written(tmp_path, "two", workloads=other)
    with pytest.raises(InputError, match="workload 'a' is another one in"):
        Dataset.load([one, two])


def table_of(folder):
    return pq.read_table(folder / "data.parquet")


def rewritten(tmp_path, change):
    """The Parquet file of a dataset, changed, on its own."""
    table = table_of(written(tmp_path, "data"))
    metadata = table.schema.metadata
    path = tmp_path / "changed.parquet"
    pq.write_table(change(table).replace_schema_metadata(metadata), path)
    return path


def with_value(name, row, value):
    def change(table):
        values = table.column(name).to_pylist()
        values[row] = value
        return table.set_column(table.column_names.index(name), name, pa.array(values))

    return change


OK_ROW = int(np.flatnonzero(made(20).status == OK)[2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_value("time_ns", OK_ROW, float("nan")), f"row {OK_ROW + 1}: time_ns is nan although the status is ok"),
        (with_value("time_ns", OK_ROW, None), f"row {OK_ROW + 1}: time_ns is nan although the status is ok"),
        (with_value("time_ns", OK_ROW, float("inf")), f"row {OK_ROW + 1}: time_ns is inf although the status is ok"),
        (lambda t: t.drop_columns(["time_ns"]), "no column 'time_ns'"),
        (lambda t: t.drop_columns(["status"]), "no column 'status'"),
        (lambda t: t.drop_columns(["reward"]), "no column 'reward'"),
        (lambda t: t.rename_columns({"banks": "bank"}), "no column 'banks'.*did you mean 'bank'"),
        (lambda t: t.rename_columns({"time_ns": "time_ms"}), "mixed units: a column 'time_ms', where 'time_ns'"),
        (with_value("banks", 4, 3), "row 5: banks must be one of 1, 2, 4, 8, not 3"),
        (with_value("policy", 6, None), "row 7: policy is missing"),
        (with_value("status", 0, "fine"), "status must be one of ok, invalid, failed, not 'fine'"),
        (with_value("simulator_version", 3, "8"), "mixed versions: rows of simulator version '8', described as.*'7'"),
        (with_value("run_id", 3, "nobody"), "run 'nobody' is not described in the file"),
        (lambda t: t.set_column(t.column_names.index("time_ns"), "time_ns", pa.array(["x"] * 20)), "column of numbers"),
        (
            lambda t: t.set_column(t.column_names.index("step"), "step", pa.array(["x"] * 20)),
            "'step' must be of.*integer",
        ),
        (with_value("step", 2, None), "row 3: step is missing"),
        (with_value("reward", 2, None), "row 3: reward is missing"),
        (with_value("feasible", 2, None), "row 3: feasible is missing"),
        (
            lambda t: t.set_column(t.column_names.index("feasible"), "feasible", pa.array(["False"] * 20)),
            "'feasible' must be of the kind boolean, not of string",
        ),
    ],
)
def test_a_wrong_column_or_value_is_named(tmp_path, change, message):
    path = rewritten(tmp_path, change)
    with pytest.raises(InputError, match=message) as refused:
        Dataset.load(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_tests_own_way_to_rewrite_a_file_changes_nothing_else(tmp_path):
    assert len(Dataset.load(rewritten(tmp_path, lambda table: table))) == len(Dataset.load(tmp_path / "data"))


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9, 0.99])
def test_a_flipped_bit_is_noticed(tmp_path, place):
    file = written(tmp_path, "data") / "data.parquet"
    content = bytearray(file.read_bytes())
    content[int(len(content) * place)] ^= 4
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"is damaged: its content is not the one that croissant\.json names"):
        Dataset.load(tmp_path / "data")


@pytest.mark.parametrize("kind", ["run", "study"])
def test_a_flipped_bit_in_a_page_of_a_recorded_file_is_noticed(tmp_path, kind):
    """A page's content has a checksum; its header has none."""
    folder = made_data.search(tmp_path / "run") if kind == "run" else made_data.study(tmp_path / "study", seeds=1)
    file = folder / ("evaluations.parquet" if kind == "run" else "evaluations-000.parquet")
    whole = file.read_bytes()
    column = pq.read_metadata(file).row_group(0).column(pq.read_schema(file).names.index("time_ns"))
    header = 60
    for place in range(column.dictionary_page_offset + header, column.data_page_offset, 50):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(InputError, match=r"evaluations.*\.parquet"):
            Dataset.load(folder)
    file.write_bytes(whole)
    assert len(Dataset.load(folder)) > 0


@pytest.mark.parametrize("kept", [0, 3, 100, -5])
def test_a_truncated_file_is_refused(tmp_path, kept):
    path = written(tmp_path, "data") / "data.parquet"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"data\.parquet"):
        Dataset.load(path)
    with pytest.raises(InputError, match=r"data\.parquet"):
        Dataset.load(tmp_path / "data")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda about: {**about, "format": 2}, "has format 2, this installation reads format 1"),
        (lambda about: [], "is damaged"),
        (lambda about: {k: v for k, v in about.items() if k != "runs"}, "is damaged: KeyError 'runs'"),
        (lambda about: {**about, "schema": {}}, "makes no sense: KeyError 'env_id'"),
        (lambda about: {**about, "schema": {**about["schema"], "space": {"parameters": [{"kind": "x"}]}}}, "kind 'x'"),
        (lambda about: {**about, "runs": [{"run_id": 1}]}, "is damaged"),
    ],
)
def test_a_description_that_makes_no_sense_is_refused(tmp_path, change, message):
    table = table_of(written(tmp_path, "data"))
    (key,) = table.schema.metadata
    about = json.dumps(change(json.loads(table.schema.metadata[key]))).encode()
    pq.write_table(table.replace_schema_metadata({key: about}), tmp_path / "changed.parquet")
    with pytest.raises(InputError, match=message) as refused:
        Dataset.load(tmp_path / "changed.parquet")
    assert "changed.parquet" in str(refused.value)


def test_a_file_of_somebody_else_is_refused(tmp_path):
    pq.write_table(pa.table({"x": [1]}), tmp_path / "other.parquet")
    (tmp_path / "text.parquet").write_text("hello")
    with pytest.raises(InputError, match="does not say what its columns mean"):
        Dataset.load(tmp_path / "other.parquet")
    with pytest.raises(InputError, match=r"cannot read .*text\.parquet"):
        Dataset.load(tmp_path / "text.parquet")
    with pytest.raises(InputError, match="no file or directory"):
        Dataset.load(tmp_path / "nothing")
    with pytest.raises(InputError, match="holds no run, study or dataset"):
        Dataset.load(tmp_path)
    with pytest.raises(InputError, match="nothing to load"):
        Dataset.load([])
    with pytest.raises(InputError, match="duplicates must be drop or keep, not 'all'"):
        Dataset.load(tmp_path, duplicates="all")


def test_runs_that_cannot_give_rows_say_why(tmp_path):
    improvements = made_data.search(tmp_path / "improvements", record="improvements")
    with pytest.raises(InputError, match="recorded improvements only"):
        Dataset.load(improvements)
    study = made_data.study(tmp_path / "study", seeds=1, record="improvements")
    with pytest.raises(InputError, match="recorded improvements only"):
        Dataset.load(study)
    unfinished = made_data.search(tmp_path / "unfinished")
    (unfinished / "result.json").unlink()
    with pytest.raises(InputError, match="has not ended"):
        Dataset.load(unfinished)


def test_an_edited_manifest_is_refused(tmp_path):
    study = made_data.study(tmp_path / "study", seeds=1)
    manifest = json.loads((study / "manifest.json").read_text())
    for broken in ({**manifest, "tasks": 3}, {**manifest, "study": {"record": "all"}}, {**manifest, "study": []}):
        (study / "manifest.json").write_text(json.dumps(broken))
        with pytest.raises(InputError, match=r"manifest\.json is damaged"):
            Dataset.load(study)
    old = [{k: v for k, v in task.items() if k != "declaration"} for task in manifest["tasks"]]
    (study / "manifest.json").write_text(json.dumps({**manifest, "tasks": old}))
    with pytest.raises(InputError, match="an older archgym wrote it"):
        Dataset.load(study)


def test_a_file_that_lost_rows_of_its_runs_is_refused(tmp_path):
    run = made_data.search(tmp_path / "run")
    study = made_data.study(tmp_path / "study", seeds=1)
    table = pq.read_table(study / "evaluations-000.parquet")
    pq.write_table(table.slice(0, len(table) - 3), study / "evaluations-000.parquet")
    with pytest.raises(InputError, match="the record of its runs says"):
        Dataset.load(study)
    assert len(Dataset.load(run)) == 60


def test_a_run_cannot_be_kept_twice(tmp_path):
    run = made_data.search(tmp_path / "run")
    with pytest.raises(InputError, match="to keep duplicates, name it once"):
        Dataset.load([run, run], duplicates="keep")


def test_a_simulator_that_a_manifest_names_is_not_imported(tmp_path):
    chip = tmp_path / "chip.py"
    chip.write_text(f"from {toys.__name__} import Bowl\nclass Chip(Bowl):\n    pass\n")
    archgym.search(f"{chip}:Chip", "random_search", budget=20, seed=0, out=tmp_path / "run")
    chip.write_text(f"open({str(tmp_path / 'executed')!r}, 'w')\n")
    code = "import sys; from archgym.datasets import load_dataset; print(len(load_dataset(sys.argv[1])))"
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "run"], capture_output=True, text=True, check=True)
    assert done.stdout == "20\n"
    assert not (tmp_path / "executed").exists()


def test_a_pickle_in_a_column_type_is_not_loaded(tmp_path):
    """Arrow once had extension types that were pickles."""

    class Bomb:
        def __reduce__(self):
            return open, (str(tmp_path / "executed"), "w")

    table = table_of(written(tmp_path, "data"))
    metadata = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": pickle.dumps(Bomb())}
    fields = [field.with_metadata(metadata) if field.name == "reward" else field for field in table.schema]
    schema = pa.schema(fields, metadata=table.schema.metadata)
    pq.write_table(pa.Table.from_arrays(table.columns, schema=schema), tmp_path / "bomb.parquet")
    Dataset.load(tmp_path / "bomb.parquet")
    assert not (tmp_path / "executed").exists()
