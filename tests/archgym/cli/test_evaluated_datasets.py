"""What ``archgym evaluate`` writes as Parquet is a dataset, with units and provenance; what lacks them is refused."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import archgym
from archgym.datasets import Dataset
from archgym.datasets.evaluated import EVALUATION
from archgym.registry import simulator_class
from archgym.testing import toys
from archgym_simulators import OK, InputError
from tests.archgym.datasets.made_data import assert_same


@pytest.fixture
def designs(tmp_path, bowl):
    """A Parquet file of 200 random designs, some invalid, with columns that a dataset has a meaning for."""
    space = simulator_class(bowl)().space
    columns = space.decode(space.sample(200, np.random.default_rng(3)))
    readable = {name: pa.array([str(value) for value in column]) for name, column in columns.items()}
    file = tmp_path / "designs.parquet"
    theirs = {"step": ["mine"] * 200, "workload": ["mine"] * 200, "reward": [1.0] * 200, "run_id": ["mine"] * 200}
    pq.write_table(pa.table({**readable, **theirs}), file)
    return file


@pytest.fixture
def evaluated(cli, bowl, designs, tmp_path):
    """Evaluate the designs; a Parquet file."""

    def run(*arguments, name="evaluated"):
        out = tmp_path / f"{name}.parquet"
        outcome = cli("evaluate", bowl, "--designs", designs, "--out", out, *arguments)
        assert outcome.status == 0, outcome
        return out

    return run


def test_evaluated_designs_are_a_dataset_with_units_and_provenance(evaluated, bowl):
    data = Dataset.load(evaluated("--workload", "large"))
    simulator = simulator_class(bowl)("large")
    truth = simulator.evaluate(data.designs)
    assert 0 < (data.status == OK).sum() < len(data)
    assert np.array_equal(data.values, np.where(data.status[:, None] == OK, truth.values, np.nan), equal_nan=True)
    assert np.array_equal(data.status, truth.status)
    assert data.schema.units["time_ns"] == "ns"
    assert (data.schema.env_id, data.schema.simulator_version) == (bowl, simulator.version)
    assert data.schema.space_digest == simulator.space.digest
    assert set(data.workload) == {"large"}
    assert np.array_equal(data.features, np.tile(simulator.workload.features, (len(data), 1)))
    assert [run.agent for run in data.runs] == ["archgym evaluate"]
    assert np.array_equal(data.feasible, data.status == OK)
    assert np.isnan(data.reward).all(), "nobody said what the designs are for"


def test_rows_keep_their_place_in_the_file(evaluated, designs, bowl):
    data = Dataset.load(evaluated(), duplicates="keep")
    assert data.step.tolist() == list(range(200))
    assert not data.whole_runs, "given designs are no search, so they are no episode"
    space = simulator_class(bowl)().space
    given = space.encode({name: pq.read_table(designs).column(name).to_pylist() for name in space.names})
    assert np.array_equal(data.designs, space.canonical(given))


def test_an_objective_gives_rewards_and_feasibility(evaluated, bowl):
    data = Dataset.load(evaluated("--objective", "energy-delay", "--constraint", "time_ns<=150"))
    session = archgym.make_session(bowl, objective="energy-delay", constraints="time_ns<=150")
    truth = session.evaluate(data.designs)
    assert np.array_equal(data.reward, truth.reward)
    assert np.array_equal(data.feasible, truth.feasible)
    assert 0 < data.feasible.sum() < (data.status == OK).sum()
    assert (data.runs[0].objectives, data.runs[0].constraints) == (("energy-delay",), ("time_ns<=150",))


def test_bounds_of_a_task_that_nobody_checked_are_not_said_to_be_met(cli, tmp_path):
    space = simulator_class("archgym/DRAM-v0")().space
    columns = space.decode(space.sample(20, np.random.default_rng(0)))
    pq.write_table(
        pa.table({name: pa.array(column.tolist()) for name, column in columns.items()}), tmp_path / "d.parquet"
    )
    cli("evaluate", "dram-dev-p99", "--designs", tmp_path / "d.parquet", "--out", tmp_path / "out.parquet")
    (run,) = Dataset.load(tmp_path / "out.parquet").runs
    assert (run.objectives, run.constraints) == ((), ())


def test_it_merges_with_searches_and_comes_back_to_the_bit(cli, evaluated, bowl, tmp_path):
    archgym.search(bowl, "random_search", budget=60, seed=1, out=tmp_path / "run")
    out = tmp_path / "merged"
    assert cli("dataset", "merge", evaluated(), tmp_path / "run", "--out", out).status == 0
    merged = Dataset.load([tmp_path / "evaluated.parquet", tmp_path / "run"])
    assert {run.agent for run in merged.runs} == {"archgym evaluate", "random_search"}
    assert_same(Dataset.load(out), merged)
    assert cli("proxy", "fit", out, "--regressor", "ridge", "--out", tmp_path / "proxy").status == 0


def test_other_options_do_not_merge(evaluated):
    one, two = evaluated(), evaluated("--option", "scale=2", name="scaled")
    with pytest.raises(InputError, match=r"cannot merge: options of the simulator is {} in .* and {'scale': 2} in"):
        Dataset.load([one, two])


def test_batches_do_not_matter(evaluated, monkeypatch):
    file = evaluated()
    whole = Dataset.load(file)
    monkeypatch.setattr("archgym.datasets.loading._ROWS_AT_ONCE", 7)
    assert_same(Dataset.load(file), whole)


def test_a_file_that_has_lost_its_description_is_refused(cli, evaluated, tmp_path):
    file = evaluated()
    pd.read_parquet(file).to_parquet(tmp_path / "pandas.parquet")
    cli("dataset", "info", tmp_path / "pandas.parquet").assert_is_one_line_error(
        "pandas.parquet does not say what its columns mean", "archgym evaluate"
    )


def test_csv_is_refused_with_what_to_do_instead(cli, bowl, designs, tmp_path):
    cli("evaluate", bowl, "--designs", designs, "--out", tmp_path / "out.csv")
    cli("dataset", "info", tmp_path / "out.csv").assert_is_one_line_error(
        "out.csv cannot say what its columns mean", "--out FILE.parquet"
    )


def changed(file, change):
    """The same file with another description or other columns."""
    table = pq.read_table(file)
    about = json.loads(table.schema.metadata[EVALUATION])
    found = change(table, about)
    table = found if isinstance(found, pa.Table) else table
    pq.write_table(table.replace_schema_metadata({EVALUATION: json.dumps(about).encode()}), file)
    return file


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, about: about["identity"].update(simulator_version="2"), "its description has been changed"),
        (lambda t, about: about["identity"].update(format=9), "has format 9, this installation reads format 1"),
        (lambda t, about: about["about"].pop("declaration"), "its description has been changed"),
        (lambda t, about: about["about"]["declaration"]["workload"].update(features=[0.3]), "has been changed"),
        (lambda t, about: about.update(scored=True), "its description has been changed"),
        (lambda t, about: about.pop("identity"), "is damaged: KeyError 'identity'"),
        (lambda t, about: about.pop("seal"), "is damaged: KeyError 'seal'"),
        (lambda t, about: t.rename_columns({"time_ns": "time_us"}), "mixed units: a column 'time_us', where 'time_ns'"),
        (lambda t, about: t.drop_columns(["banks"]), "no column 'banks'"),
        (lambda t, about: t.drop_columns(["status"]), "no column 'status'"),
    ],
)
def test_a_damaged_file_is_one_line(evaluated, change, message):
    file = changed(evaluated(), change)
    with pytest.raises(InputError, match=message) as refused:
        Dataset.load(file)
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_tests_own_way_to_change_a_file_changes_nothing_else(evaluated):
    assert len(Dataset.load(changed(evaluated(), lambda t, about: None))) > 100


def test_a_description_names_a_simulator_and_does_not_import_it(cli, designs, tmp_path):
    chip = tmp_path / "chip.py"
    chip.write_text(f"from {toys.__name__} import Bowl as Chip\n")
    out = tmp_path / "evaluated.parquet"
    assert cli("evaluate", f"{chip}:Chip", "--designs", designs, "--out", out).status == 0
    chip.write_text("raise SystemExit('executed')\n")
    assert len(Dataset.load(out)) > 100
