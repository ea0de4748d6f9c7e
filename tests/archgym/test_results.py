"""The table and the result of a run."""

import itertools
import json
import tracemalloc

import numpy as np
import pyarrow.parquet as pq
import pytest

from archgym.columns import PROVENANCE
from archgym.journal import JournalRecord
from archgym.problem import Problem, ProblemSpec
from archgym.results import evaluation_table, evaluation_tables
from archgym.session import Session
from archgym.testing.toys import Bowl
from archgym_simulators import Categorical, DesignSpace, InputError, Integer
from tests.archgym import recording


def test_the_table_has_designs_metrics_and_provenance_in_readable_form(tmp_path):
    found = recording.search(tmp_path, "run")
    table = pq.read_table(tmp_path / "run/evaluations.parquet")
    frame = table.to_pandas()
    bowl = Bowl()
    assert list(frame.columns[:9]) == [*bowl.space.names, *bowl.metric_names()]
    assert set(frame.columns[9:]) == set(PROVENANCE) - {"fidelity", "run_id"}
    assert frame["step"].tolist() == list(range(60))
    assert frame["proposal"].is_monotonic_increasing
    assert set(frame["seed"]) == {5}
    assert set(frame["status"]) == {"ok", "invalid"}
    assert (frame["reason"].str.len() > 0).eq(frame["status"] == "invalid").all()
    assert frame["time_ns"].isna().eq(frame["status"] == "invalid").all()
    assert frame["design_key"].is_unique
    rows = bowl.space.encode({name: frame[name] for name in bowl.space.names})
    assert np.array_equal(bowl.evaluate(rows).values, frame[list(bowl.metric_names())], equal_nan=True)
    best = frame[frame["feasible"]]["reward"].idxmax()
    assert frame["reward"][best] == found.reward
    assert {name: frame[name][best] for name in bowl.space.names} == found.design


def test_the_result_is_valid_json_and_its_best_design_reproduces(tmp_path):
    recording.search(tmp_path, "run")
    text = (tmp_path / "run/result.json").read_text()
    result = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    bowl = Bowl()
    row = bowl.space.encode_row(result["best"]["design"])
    values = bowl.evaluate(row[None]).values[0]
    assert dict(zip(bowl.metric_names(), values.tolist(), strict=True)) == result["best"]["metrics"]
    assert result["calls"] == 60


def test_improvements_are_the_rows_that_became_the_best(tmp_path):
    recording.search(tmp_path, "all")
    recording.search(tmp_path, "few", record="improvements")
    every = pq.read_table(tmp_path / "all/evaluations.parquet").to_pandas()
    few = pq.read_table(tmp_path / "few/evaluations.parquet").to_pandas()
    ranks = list(zip(every["feasible"], every["reward"], strict=True))
    best = list(itertools.accumulate(ranks, max))
    expected = [i for i, rank in enumerate(best) if i == 0 or rank > best[i - 1]]
    assert few["step"].tolist() == expected
    assert 1 < len(expected) < 60


def records(space, n, size=1, workloads=("default",)):
    rng = np.random.default_rng(0)
    for call in range(n // size):
        yield JournalRecord(
            proposal=call * size,
            workload=workloads[call % len(workloads)],
            wall_s=0.1 * call,
            positions=np.arange(size, dtype=np.uint32),
            rows=space.sample(size, rng),
            numbers=np.ones((size, 8)),
            codes=np.tile(np.array([[0, -1]], dtype=np.int16), (size, 1)),
            diagnostics=np.zeros((size, 1)),
        )


def test_blocks_of_any_size_give_the_same_table(bowl, monkeypatch):
    session = Session(ProblemSpec.create(bowl))
    made = list(records(session.space, 300, 3, ("default", "large")))
    tables = []
    for rows in (1 << 14, 100, 7):
        monkeypatch.setattr("archgym.results._ROWS_AT_ONCE", rows)
        tables.append(evaluation_table(made, session, agent="a", seed=1))
    assert tables[0].num_rows == 300
    assert all(table.equals(tables[0]) for table in tables)
    frame = tables[0].to_pandas()
    assert frame.groupby("workload")["reward"].nunique().tolist() == [1, 1]
    assert frame["reward"].nunique() == 2, "each row is scored against the baseline of its workload"


def test_a_long_run_needs_no_more_memory_than_a_short_one(bowl, monkeypatch):
    monkeypatch.setattr("archgym.results._ROWS_AT_ONCE", 2000)
    session = Session(ProblemSpec.create(bowl))
    peaks = []
    for n in (8_000, 40_000):
        tracemalloc.start()
        total = sum(t.num_rows for t in evaluation_tables(records(session.space, n, 100), session, agent="a", seed=1))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert total == n
    assert peaks[1] < 1.3 * peaks[0]


def test_a_run_without_evaluations_has_an_empty_table(bowl):
    session = Session(ProblemSpec.create(bowl))
    empty = evaluation_table([], session, agent="a", seed=1)
    some = evaluation_table(records(session.space, 3), session, agent="a", seed=1)
    assert empty.num_rows == 0
    assert empty.schema == some.schema


def test_several_objectives_have_a_column_each(bowl):
    session = Session(ProblemSpec.create(bowl, objective=["time", "energy_pj"]))
    frame = evaluation_table(records(session.space, 3), session, agent="a", seed=1).to_pandas()
    assert np.allclose(frame["reward"], (frame["reward_0"] + frame["reward_1"]) / 2)


class Mixed(Bowl):
    def make_space(self):
        return DesignSpace([Categorical("mode", ["auto", 1, 2.5, True], description="of several types")])


def test_values_of_several_types_are_text_in_a_file(monkeypatch, bowl):
    monkeypatch.setattr("archgym.problem.simulator_class", lambda env_id: Mixed)
    session = Session(ProblemSpec(bowl, "default"))
    table = evaluation_table(records(session.space, 50), session, agent="a", seed=1)
    assert set(table["mode"].to_pylist()) == {"auto", "1", "2.5", "True"}
    assert session.space.encode({"mode": table["mode"].to_pylist()}).shape == (50, 1)


@pytest.mark.parametrize("name", [*PROVENANCE, "reward_0", "time_ns", "distance"])
def test_a_parameter_named_like_another_column_is_refused(name):
    class Clash(Bowl):
        def make_space(self):
            return DesignSpace([Integer(name, 0, 3, description="badly named")])

    with pytest.raises(InputError, match=f"'{name}' of Clash is a .*; rename it") as caught:
        Problem(Clash(), [], [])
    assert "\n" not in str(caught.value)


def test_an_infeasible_design_is_never_the_best_but_named_as_the_nearest(tmp_path):
    result = recording.search(tmp_path, "run", constraints="time_ns<=1")
    assert result.design is None
    assert not result.feasible
    assert result.summary["best"] is None
    assert result.summary["nearest"]["feasible"] is False
    assert result.summary["nearest"]["design"]
