import gymnasium as gym
import numpy as np
import pytest

import archgym
from archgym_simulators import INVALID, OK, InputError
from archgym_simulators.table.distance import StepsToTable
from archgym_simulators.table.lookup import RowIndex, first_equal
from archgym_simulators.table.optimum import exact_optimum
from archgym_simulators.table.simulator import TableSimulator
from archgym_simulators.table.sram import sram_table

ENV = "archgym/Table-v0"
GOOD = "size,policy,latency_ns,area_mm2\n4,Open,10,1.5\n8,Open,5,2.5\n4,None,12,1.5\n16,None,6,\n"


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "lab.csv"
    file.write_text(GOOD)
    return str(file)


def distinct_rows(rng, nvec, count):
    rows = np.unique(rng.integers(0, nvec, size=(count, len(nvec))), axis=0)
    rng.shuffle(rows)
    return rows


@pytest.mark.parametrize("nvec", [[3], [4, 3, 5], [40] * 8, [1, 70_000, 1, 70_000], [2**20] * 4, [200] * 12, [2] * 80])
def test_the_index_finds_every_row_and_no_other(nvec):
    rng = np.random.default_rng(len(nvec))
    nvec = np.array(nvec)
    rows = distinct_rows(rng, nvec, 3000)
    asked = np.concatenate([rows, rng.integers(0, nvec, size=(3000, len(nvec)))])
    near = rows.copy()
    near[:, -1] = (near[:, -1] + 1) % nvec[-1]
    asked = np.concatenate([asked, near])
    number = {tuple(row): i for i, row in enumerate(rows.tolist())}
    expected = [number.get(tuple(row), -1) for row in asked.tolist()]
    assert RowIndex(nvec, rows).find(asked).tolist() == expected
    assert RowIndex(nvec, rows).find(asked[:0]).tolist() == []


def test_equal_rows_point_to_the_first():
    assert first_equal(np.array([[5, 1], [2, 2], [5, 1], [2, 1], [2, 2], [5, 1]])).tolist() == [0, 1, 0, 3, 1, 0]


@pytest.mark.parametrize("nvec", [[5, 4, 1, 6], [3000, 2000, 7]])
def test_steps_are_those_to_the_nearest_design(nvec):
    rng = np.random.default_rng(1)
    nvec, ordered = np.array(nvec), np.array([d % 2 == 0 for d in range(len(nvec))])
    rows, asked = distinct_rows(rng, nvec, 9), rng.integers(0, nvec, size=(200, len(nvec)))
    apart = np.abs(asked[:, None] - rows[None])
    expected = np.where(ordered, apart, apart != 0).sum(axis=2).min(axis=1)
    steps = StepsToTable(nvec, ordered, rows)
    assert steps.of(asked).tolist() == expected.tolist()
    assert steps.of(asked[:0]).shape == (0,)
    assert (steps.of(rows) == 0).all()


def test_designs_answer_with_the_cells_of_their_row(path):
    simulator = TableSimulator(path=path, design=["size", "policy"])
    rows = simulator.space.encode({"size": [8, 4, 16, 16], "policy": ["Open", "None", "None", "Open"]})
    evaluation = simulator.evaluate(rows)
    assert evaluation.status.tolist() == [OK, OK, INVALID, INVALID]
    assert evaluation.values[:2].tolist() == [[5.0, 2.5], [12.0, 1.5]]
    assert np.isnan(evaluation.values[2:]).all()
    assert evaluation.reason(2) == "row 4 of the table has no value for some metric"
    assert evaluation.reason(3) == "the table has no such design; steps to the nearest that it has: 1"
    assert evaluation.violation.tolist() == [0.0, 0.0, 2.0, 1.0]
    one_by_one = [simulator.evaluate(rows[i : i + 1]) for i in range(len(rows))]
    assert np.array_equal(np.concatenate([e.values for e in one_by_one]), evaluation.values, equal_nan=True)
    assert [float(e.violation[0]) for e in one_by_one] == evaluation.violation.tolist()


def test_the_baseline_is_the_first_complete_row_or_what_is_asked_for(path):
    make = lambda **options: TableSimulator(path=path, design=["size", "policy"], **options)  # noqa: E731
    assert make().space.decode_row(make().baseline.row) == {"size": 4, "policy": "Open"}
    assert make(baseline=2).baseline.row == make(baseline={"size": 8, "policy": "Open"}).baseline.row
    assert "row 2" in make(baseline=2).baseline.name


def test_a_changed_file_is_another_version_and_workload(path, tmp_path):
    make = lambda: TableSimulator(path=path, design=["size", "policy"])  # noqa: E731
    before = make()
    assert (make().version, make().workload) == (before.version, before.workload)
    (tmp_path / "lab.csv").write_text(GOOD.replace("10", "11"))
    after = make()
    assert after.version != before.version
    assert after.workload.digest != before.workload.digest
    assert after.table.values[0, 0] == 11.0


def test_a_resume_over_a_changed_table_is_refused(path, tmp_path):
    search = lambda: archgym.search(  # noqa: E731
        ENV, budget=3, out=tmp_path / "run", path=path, design=["size", "policy"], objective="min:latency_ns"
    )
    first = search()
    assert search().was_complete
    assert first.reward <= np.log(10 / 5) + 1e-12
    (tmp_path / "lab.csv").write_text(GOOD.replace("10", "11"))
    with pytest.raises(InputError, match="of another run"):
        search()


def test_the_table_is_an_environment(path):
    options = {"path": path, "design": ["size", "policy"], "objective": "min:latency_ns", "disable_env_checker": False}
    env = gym.make(ENV, **options)
    env.reset(seed=0)
    action = env.unwrapped.session.space.encode_row({"size": 8, "policy": "Open"})
    _, reward, _, _, info = env.step(action)
    assert reward == pytest.approx(np.log(2.0))
    assert info["metrics"] == {"latency_ns": 5.0, "area_mm2": 2.5}


def test_objectives_know_the_columns_before_anything_runs(path):
    with pytest.raises(InputError, match="did you mean 'latency_ns'"):
        archgym.make_session(ENV, path=path, design="size,policy", objective="min:latency")
    with pytest.raises(InputError, match="did you mean 'area_mm2'"):
        archgym.make_session(ENV, path=path, design="size,policy", constraints="area_mm<=2")


def test_tables_of_one_space_are_workloads_of_one_session(tmp_path):
    for name, factor in (("gcc", 1), ("mcf", 3)):
        (tmp_path / f"{name}.csv").write_text(f"size,ns\n4,{10 * factor}\n8,{5 * factor}\n")
    gcc, mcf = str(tmp_path / "gcc.csv"), str(tmp_path / "mcf.csv")
    session = archgym.make_session(ENV, workload=gcc, design="size")
    assert session.evaluate([[1]], mcf).values.tolist() == [[15.0]]
    assert session.evaluate([[1]]).values.tolist() == [[5.0]]
    (tmp_path / "lbm.csv").write_text("size,pj\n4,1\n8,2\n")
    with pytest.raises(InputError, match="has the metrics pj"):
        session.evaluate([[0]], str(tmp_path / "lbm.csv"))
    with pytest.raises(InputError, match="not both"):
        TableSimulator(gcc, path=mcf, design="size")
    with pytest.raises(InputError, match="unknown table 'defaul'; did you mean 'default'"):
        TableSimulator("defaul")


def test_no_description_gives_the_best_value_away(path):
    simulator = TableSimulator(path=path, design=["size", "policy"])
    texts = [metric.description for metric in simulator.metrics]
    assert texts == [f"column latency_ns of {path}", f"column area_mm2 of {path}"]


def test_the_example_follows_its_formula_and_needs_no_option():
    simulator = TableSimulator()
    row = simulator.space.encode_row({"capacity_kib": 64, "banks": 4, "word_bits": 64, "mux": 4, "cell": "8T"})
    values = dict(zip(simulator.metric_names(), simulator.evaluate(row[None]).values[0].tolist(), strict=True))
    access = 0.05 * np.log2(4 * 512) + 1.0 / 16 + 4.0 / (8 * 2.4) + 0.02 * 2
    assert values["access_ns"] == pytest.approx(access, rel=1e-12)
    assert values["bandwidth_gbps"] == pytest.approx(64 / access, rel=1e-12)
    assert values["area_mm2"] == pytest.approx(1e-6 * 0.15 * 4 * 528 * 280, rel=1e-12)
    assert simulator.metrics[4].direction == "max"
    assert len(sram_table().columns["banks"].values) == 615 == len(simulator.designs())


@pytest.mark.parametrize("objective", ["min:access_ns", "access_ns * energy_pj", "max:bandwidth_gbps"])
def test_the_optimum_is_the_best_row_with_all_its_ties(objective):
    session = archgym.make_session(ENV, objective=objective, constraints="area_mm2<=0.2")
    problem = session.problem()

    def score(rows):
        scored = problem.evaluate(rows)
        return scored.reward, scored.feasible

    listed = exact_optimum([problem.simulator.designs()], score)
    everything = exact_optimum(problem.space.chunks(100), score)
    scored = problem.evaluate(np.concatenate(list(problem.space.chunks())))
    best = scored.reward[scored.feasible].max()
    assert listed.reward == everything.reward == best
    assert (listed.designs, everything.designs) == (615, problem.space.size)
    assert listed.feasible == everything.feasible == int(scored.feasible.sum())
    assert sorted(listed.rows.tolist()) == sorted(everything.rows.tolist())
    assert len(listed.rows) == int(((scored.reward == best) & scored.feasible).sum())


def test_without_a_feasible_design_there_is_no_optimum():
    none = exact_optimum([np.zeros((2, 1), np.int64)], lambda rows: (np.zeros(len(rows)), np.zeros(len(rows), bool)))
    assert none.reward == -np.inf
    assert len(none.rows) == 0
