"""Measured cells as a simulator: the table's numbers, hardware of our own model, seconds as cost, no test accuracy."""

import numpy as np
import pytest

import archgym
from archgym.problem import ProblemSpec
from archgym.session import Session
from archgym.testing import check_simulator
from archgym_simulators.errors import InputError, MissingData
from archgym_simulators.evaluation import INVALID, OK
from archgym_simulators.layers.inline import spell_inline
from archgym_simulators.nas.cells import (
    SIZE,
    cells_of_indices,
    function_groups,
    index_of_cells,
    live_edges,
    text_of_cell,
)
from archgym_simulators.nas.digits_design import RESNET, classes_of_cells, designs_of_texts
from archgym_simulators.nas.digits_simulator import NAS201DigitsSimulator
from archgym_simulators.nas.digits_table import IMAGES
from archgym_simulators.nas.digits_workloads import WORKLOADS
from archgym_simulators.nas.skeleton import DIGITS, layers_of, macs_of, parameters_of
from archgym_simulators.systolic.simulator import SystolicSimulator

ENV = "archgym/NAS201Digits-v0"
ALL = cells_of_indices(np.arange(SIZE)).astype(np.int64)
EMPTY = (0, 3, 3, 0, 3, 0)


@pytest.fixture(scope="module")
def bind(made_up):
    return lambda workload="search", **options: NAS201DigitsSimulator(workload, table=made_up.path, **options)


def rows_of(cells, epochs):
    return np.column_stack([cells, np.full(len(cells), epochs - 1)])


def test_it_keeps_the_contract_with_a_complete_table(made_up):
    check_simulator(ENV, n=200, table=made_up.path)
    check_simulator(ENV, n=100, workload="search-seed-1", table=made_up.path, epochs=20)


def test_accuracy_is_the_mean_of_the_seeds_at_that_epoch(bind, made_up):
    groups = function_groups()[0]
    cells = ALL[classes_of_cells() % 7 == 3][:200]
    mine = groups[index_of_cells(cells)]
    for epochs in (1, 7, 20):
        right = made_up.columns["every_right"][mine, :, epochs - 1]  # (N, 3)
        accuracy = 100.0 * right / IMAGES[epochs - 1]
        simulator = bind()
        outcome = simulator.evaluate(rows_of(cells, epochs))
        np.testing.assert_allclose(simulator.column(outcome, "val_accuracy"), accuracy.mean(axis=1))
        np.testing.assert_allclose(simulator.column(outcome, "val_error"), 100.0 - accuracy.mean(axis=1))
        np.testing.assert_allclose(outcome.diagnostics[:, 1], accuracy.std(axis=1, ddof=1), atol=1e-9)
        for seed in range(3):
            one = bind(f"search-seed-{seed}")
            np.testing.assert_allclose(
                one.column(one.evaluate(rows_of(cells, epochs)), "val_accuracy"), accuracy[:, seed]
            )


def test_folded_designs_are_equal_on_every_workload(bind):
    rows = rows_of(ALL[::13], 9)
    for workload in WORKLOADS:
        simulator = bind(workload)
        given, folded = simulator.evaluate(rows), simulator.evaluate(simulator.space.canonical(rows))
        for name in ("values", "status", "cost", "violation", "diagnostics"):
            np.testing.assert_array_equal(getattr(given, name), getattr(folded, name), err_msg=f"{workload} {name}")


def test_parameters_and_macs_are_those_of_what_is_reached(bind):
    simulator = bind()
    outcome = simulator.evaluate(rows_of(ALL, 20))
    ok = outcome.status == OK
    kept = np.array([[o if e in live_edges(tuple(c)) else 0 for e, o in enumerate(c)] for c in ALL[ok].tolist()])
    np.testing.assert_array_equal(simulator.column(outcome, "parameters")[ok], parameters_of(kept, DIGITS))
    np.testing.assert_array_equal(simulator.column(outcome, "macs")[ok], macs_of(kept, DIGITS))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"area_class": "mobile", "node_nm": 45, "bandwidth": 4},
        {"array": {"dataflow": "os", "rows": 8, "columns": 12}},
    ],
    ids=["edge", "mobile", "changed"],
)
def test_hardware_costs_are_those_of_the_systolic_family_on_the_networks_layers(bind, options):
    simulator = bind(**options)
    changes = {name: value for name, value in options.items() if name != "array"}
    for cell in [*ALL[[3124, 9003, 12347]].tolist(), list(RESNET)]:
        spec = ",".join(spell_inline(one) for one in layers_of(tuple(cell), DIGITS))
        array = SystolicSimulator(spec, **{"area_class": "edge", **changes})
        design = {**array.space.decode_row(array.baseline.row), **options.get("array", {})}
        expected = array.evaluate(array.space.encode_row(design)[None])
        found = simulator.evaluate(rows_of([cell], 20))
        assert simulator.column(found, "latency_ns") == array.column(expected, "latency_ns")
        np.testing.assert_allclose(
            simulator.column(found, "energy_pj"), array.column(expected, "energy_pj"), rtol=1e-12
        )
        assert simulator.column(found, "area_mm2") == array.column(expected, "area_mm2")


def test_a_cell_without_a_path_is_invalid_and_free_of_charge(bind, made_up):
    simulator = bind()
    outcome = simulator.evaluate(rows_of([EMPTY, (0,) * 6], 20))
    assert outcome.status.tolist() == [INVALID, INVALID]
    assert outcome.reason(0) == "nothing of the cell's input reaches its output"
    assert outcome.cost.tolist() == [0.0, 0.0]
    assert outcome.diagnostics[:, 0].tolist() == [0.0, 0.0]
    assert np.isnan(outcome.values).all(), "no latency of nothing"
    session = Session(ProblemSpec.create(ENV, objective="error-delay", options={"table": made_up.path}))
    scored = session.evaluate(np.array([[*EMPTY, 19], simulator.baseline.row]))
    assert scored.reward[0] < -30.0 < scored.reward[1]


def test_test_accuracy_is_shown_by_the_judge_only(bind, made_up):
    judged = made_up.columns["best_group"]
    first = np.array([np.flatnonzero(function_groups()[0] == group)[0] for group in judged[:20]])
    rows = rows_of(ALL[first], 20)
    for workload in WORKLOADS:
        simulator = bind(workload)
        assert not any("test" in name for name in simulator.metric_names())
        test = simulator.evaluate(rows).diagnostics[:, 2]
        if workload == "judge":
            expected = 100.0 * made_up.columns["best_right_test"][:20].mean(axis=1) / 2000
            np.testing.assert_allclose(test, expected)
        else:
            assert np.isnan(test).all()


def test_the_judge_knows_other_seeds_and_says_what_was_not_judged(bind, made_up):
    judge, search = bind("judge"), bind()
    rows = judge.space.canonical(rows_of(ALL, 20))
    seen, judged = search.evaluate(rows), judge.evaluate(rows)
    both = (judged.status == OK) & (seen.status == OK)
    assert (judge.column(judged, "val_accuracy") != search.column(seen, "val_accuracy"))[both].mean() > 0.99
    groups = function_groups()[0]
    assert set(groups[judged.status == OK]) == set(made_up.columns["best_group"].tolist())
    other = np.flatnonzero((judged.status == INVALID) & (seen.status == OK))[0]
    assert f"on the others it is at {search.column(seen, 'val_accuracy')[other]:.2f} %" in judged.reason(other)
    assert judged.violation[other] >= 1.0


def test_cost_is_training_and_one_evaluation_of_every_seed(bind, made_up):
    group = int(function_groups()[0][index_of_cells(np.array([RESNET]))[0]])
    train, evaluate = (np.float32(made_up.columns[name][group]) for name in ("train_s", "evaluate_s"))
    for workload, trainings in (("search", 3), ("search-seed-2", 1)):
        cost = bind(workload).evaluate(rows_of([RESNET, RESNET], 20)).cost
        assert cost == pytest.approx(trainings * (20 * train + evaluate))
    session = Session(ProblemSpec.create(ENV, options={"table": made_up.path}))
    costs = [float(session.evaluate(rows_of([RESNET], epochs)).cost[0]) for epochs in (5, 20, 10)]
    assert costs == pytest.approx([3 * (5 * train + evaluate), 3 * (15 * train + evaluate), 3 * evaluate])


def test_fixed_epochs_leave_six_edges(bind):
    full, free = bind(epochs=12), bind()
    assert (full.space.size, full.space.names) == (SIZE, free.space.names[:6])
    np.testing.assert_array_equal(full.evaluate(ALL[::11]).values, free.evaluate(rows_of(ALL[::11], 12)).values)
    for epochs in (0, 21):
        with pytest.raises(InputError, match=r"epochs must be a whole number 1\.\.20"):
            bind(epochs=epochs)


def test_a_table_with_missing_rows_binds_only_where_that_is_said(unfinished):
    with pytest.raises(MissingData, match=r"holds 2,300 of 4,930 functions.*partial=True"):
        NAS201DigitsSimulator(table=unfinished)
    simulator = NAS201DigitsSimulator(table=unfinished, partial=True)
    outcome = simulator.evaluate(rows_of(ALL, 20))
    groups = function_groups()[0]
    known = (groups < 2300) & (outcome.diagnostics[:, 0] == 1.0)
    np.testing.assert_array_equal(outcome.status == OK, known)
    missing = int(np.flatnonzero(groups >= 2300)[0])
    assert outcome.reason(missing) == f"the table does not hold function {groups[missing]} yet"
    judge = NAS201DigitsSimulator("judge", table=unfinished, partial=True)
    assert (judge.evaluate(rows_of(ALL, 20)).status == INVALID).all()


def test_a_complete_table_without_judged_cells_refuses_the_judge_only(tmp_path, made_up):
    from archgym_simulators.nas.digits_table import read_table, write_table

    columns = {**made_up.columns}
    for name in ("best_group", "best_right", "best_right_test"):
        columns[name] = np.asarray(columns[name])[:0]
    path = tmp_path / "table.npz"
    write_table(path, columns, dict(read_table(made_up.path).about))
    NAS201DigitsSimulator(table=str(path))
    with pytest.raises(MissingData, match="no cell was trained with the seeds for judging yet; run: python -m"):
        NAS201DigitsSimulator("judge", table=str(path))


def test_the_committed_table_answers_as_far_as_it_goes():
    simulator = NAS201DigitsSimulator(partial=True)
    outcome = simulator.evaluate(rows_of(ALL, 20))
    accuracy = simulator.column(outcome, "val_accuracy")[outcome.status == OK]
    assert len(accuracy) > 5000
    assert 30.0 < accuracy.min() < accuracy.max() < 99.0
    assert (outcome.cost[outcome.status == OK] > 1.0).all()


def test_architecture_strings_are_evaluated_from_python(made_up):
    texts = [text_of_cell(RESNET), text_of_cell((3,) * 6)]
    frame = archgym.evaluate(ENV, designs_of_texts(texts, epochs=20), table=made_up.path)
    assert (frame.status == "ok").all()
    assert frame.macs[0] < frame.macs[1]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"workload": "search-seed-3"}, "did you mean 'search-seed-"),
        ({"area_class": "edgy"}, "unknown area_class 'edgy'; did you mean 'edge'"),
        ({"array": {"row": 8}}, "unknown parameter 'row' of array; did you mean 'rows'"),
        ({"array": {"rows": 7}}, "rows must be one of"),
        ({"array": 8}, "array must be a mapping such as {'rows': 16}, not 8"),
        ({"bandwidth": 0}, "bandwidth must be"),
        ({"clock_mhz": 0}, "clock_mhz must be"),
        ({"epochs": 3.5}, r"epochs must be a whole number 1\.\.20"),
        ({"array": {"rows": 256, "columns": 256}}, r"array .* is invalid: the chip takes .* mm2"),
    ],
)
def test_wrong_options_are_named_in_one_line(bind, options, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        bind(**options)
    assert "\n" not in str(caught.value)


def test_rewards_are_relative_to_the_residual_block(made_up):
    spec = ProblemSpec.create(ENV, options={"table": made_up.path})
    problem = spec.bind()
    assert problem.simulator.baseline.name == "residual block"
    assert problem.baseline_design["epochs"] == 20
    rows = problem.space.sample(50, np.random.default_rng(0))
    scored = Session(spec).evaluate(rows)
    base = problem.baseline_values[0]
    ok = scored.status == OK
    np.testing.assert_allclose(scored.reward[ok], (scored.values[ok, 0] - base) / 10.0)
