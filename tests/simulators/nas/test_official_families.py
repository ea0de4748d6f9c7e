"""Environments over imported benchmarks: values as published, test accuracy out of reach, empty cells flagged."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import archgym
from archgym.registry import agent_class
from archgym.testing import check_env, check_simulator
from archgym_simulators import INVALID, InputError
from archgym_simulators.errors import MissingData
from archgym_simulators.nas.cells import SIZE, cell_of_text, text_of_cell
from archgym_simulators.nas.official_hwnas201 import HWNAS201Simulator
from archgym_simulators.nas.official_mnasnet import METRICS, MnasNetAccelSimulator
from archgym_simulators.nas.official_nas201 import NAS201Simulator
from archgym_simulators.nas.official_nasmacro import NASMacroSimulator
from archgym_simulators.nas.official_nats import TRAIN_TIME_FACTORS
from archgym_simulators.nas.official_store import load_table, save_table
from archgym_simulators.nas.official_surrogate import TARGETS, settings_of_block

IDS = ("archgym/NAS201-v0", "archgym/HWNAS201-v0", "archgym/NASMacro-v0", "archgym/MnasNetAccel-v0")
ARCH_0 = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"


@pytest.fixture
def references() -> Path:
    """Folder of the published tables; a test that needs them is skipped where they are absent."""
    folder = Path(__file__).parents[4] / "shared" / "refs" / "nas"
    if not folder.is_dir():
        pytest.skip(f"no reference tables at {folder}")
    return folder


def row_of(text):
    return np.array([cell_of_text(text)])


def every(simulator):
    return np.concatenate(list(simulator.space.chunks()))


@pytest.mark.parametrize("env_id", IDS)
def test_simulators_keep_the_contract(env_id):
    check_simulator(env_id, n=64)


@pytest.mark.parametrize("env_id", IDS)
def test_environments_keep_the_contract(env_id):
    check_env(env_id)


@pytest.mark.parametrize("env_id", IDS)
def test_without_data_the_command_is_said_in_one_line(env_id, tmp_path):
    with pytest.raises(MissingData, match=r"run: archgym data import [a-z-]+ PATH") as missing:
        archgym.make_session(env_id, data=str(tmp_path))
    assert "\n" not in str(missing.value)


def test_arch_0_is_as_published():
    simulator = NAS201Simulator("cifar10-judge")
    found = simulator.evaluate(row_of(ARCH_0))
    values = dict(zip(simulator.metric_names(), found.values[0].tolist(), strict=True))
    assert values["parameters"] == 129_306
    assert values["macs"] == 15_647_370
    assert values["val_accuracy"] == pytest.approx(63.364, abs=1e-4)
    assert values["val_error"] == pytest.approx(36.636, abs=1e-4)
    assert found.cost[0] == values["train_s"] == pytest.approx(86.65, abs=0.005)
    assert found.diagnostics[0, 1] == pytest.approx(85.8633, abs=1e-3)


@pytest.mark.parametrize(("images", "accuracy"), [("cifar10", 93.97), ("cifar100", 70.86), ("imagenet16-120", 43.63)])
def test_the_residual_block_tests_as_the_published_resnet(images, accuracy):
    simulator = NAS201Simulator(f"{images}-judge")
    assert simulator.evaluate(np.array([simulator.baseline.row])).diagnostics[0, 1] == pytest.approx(
        accuracy, abs=0.005
    )


@pytest.mark.parametrize(("images", "best"), [("cifar10", 94.3733), ("cifar100", 73.5133), ("imagenet16-120", 47.3111)])
def test_the_best_test_accuracies_are_the_published_optima(images, best):
    simulator = NAS201Simulator(f"{images}-judge")
    assert simulator.evaluate(every(simulator)).diagnostics[:, 1].max() == pytest.approx(best, abs=1e-4)


def test_parameters_and_macs_are_exact_on_every_cell(references):
    frame = pd.read_parquet(references / "nb201_accuracy.parquet")
    rows = np.array([cell_of_text(text) for text in frame["arch_str"]])
    for images, short in (("cifar10", "cifar10"), ("cifar100", "cifar100"), ("imagenet16-120", "in16")):
        simulator = NAS201Simulator(images)
        found = simulator.evaluate(rows)
        np.testing.assert_array_equal(simulator.column(found, "parameters"), frame[f"params_{short}"])
        np.testing.assert_array_equal(simulator.column(found, "macs"), frame[f"flops_{short}"])


def test_seconds_follow_the_published_factors():
    cost = {images: NAS201Simulator(images).evaluate(row_of(ARCH_0)).cost[0] for images in TRAIN_TIME_FACTORS}
    assert cost["cifar100"] == 2.0 * cost["cifar10"]
    assert cost["imagenet16-120"] == pytest.approx(6.068 * cost["cifar10"], rel=1e-12)


def test_test_accuracy_is_nowhere_but_with_the_judge():
    searched, judged = NAS201Simulator("cifar10"), NAS201Simulator("cifar10-judge")
    rows = every(searched)
    found, known = searched.evaluate(rows), judged.evaluate(rows)
    assert np.isnan(found.diagnostics[:, 1]).all()
    assert np.isfinite(known.diagnostics[:, 1]).all()
    np.testing.assert_array_equal(found.values, known.values)
    for column in found.values.T:
        assert abs(np.corrcoef(column, known.diagnostics[:, 1])[0, 1]) < 0.999


def test_empty_cells_are_flagged():
    simulator = NAS201Simulator("cifar10-judge")
    found = simulator.evaluate(every(simulator))
    empty = found.diagnostics[:, 0] == 0
    assert empty.sum() == 341
    np.testing.assert_allclose(found.diagnostics[empty, 1], 10.0, atol=1e-4)


def test_200_epochs_need_validation_accuracies_of_them():
    for epochs in (200, "choose"):
        with pytest.raises(InputError, match="no validation accuracies after 200 epochs; use epochs=12"):
            NAS201Simulator(epochs=epochs)


def test_epochs_are_a_fidelity_where_the_table_has_both(tmp_path):
    columns = dict(load_table("nats-tss", wanted_by="a test").columns)
    for images in TRAIN_TIME_FACTORS:
        columns[f"{images}_val_200"] = columns[f"{images}_val_12"] / 2.0 + 50.0
    save_table("nats-tss", columns, source="made up", sha256="", folder=tmp_path)
    both = NAS201Simulator(epochs="choose", data=str(tmp_path))
    cell = cell_of_text(ARCH_0)
    found = both.evaluate(np.array([[*cell, 0], [*cell, 1]]))
    assert found.values[1, 0] == pytest.approx(found.values[0, 0] / 2 + 50)
    assert found.cost[1] / found.cost[0] == pytest.approx(200 / 12)
    assert both.space.parameter("epochs").role == "fidelity"
    long = NAS201Simulator(epochs=200, data=str(tmp_path))
    assert long.evaluate(np.array([cell])).values[0, 0] == found.values[1, 0]
    check_simulator("archgym/NAS201-v0", n=64, epochs="choose", data=str(tmp_path))


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: NAS201Simulator("cifar"), "unknown workload 'cifar'; did you mean 'cifar10'"),
        (lambda: NAS201Simulator(epochs=50), "epochs must be 12 or 200, .* not 50"),
        (lambda: NAS201Simulator(epochs=True), "epochs must be 12 or 200"),
        (lambda: HWNAS201Simulator(device="raspi5"), "unknown device 'raspi5' for cifar10; did you mean 'raspi4'"),
        (lambda: HWNAS201Simulator("cifar100"), "no imported table has latencies of networks for cifar100"),
        (lambda: NASMacroSimulator("cifar11"), "unknown workload 'cifar11'; did you mean 'cifar10'"),
        (lambda: NASMacroSimulator(training=0), "training must be one of 1, 2, 3, not 0"),
        (lambda: MnasNetAccelSimulator("cifar"), "unknown workload 'cifar'; allowed: imagenet"),
    ],
)
def test_bad_input_is_one_line(make, complaint):
    with pytest.raises(InputError, match=complaint) as refusal:
        make()
    assert "\n" not in str(refusal.value)


def test_cells_that_are_cut_off_are_invalid_on_a_device_and_never_the_best():
    simulator = HWNAS201Simulator(device="raspi4")
    rows = every(simulator)
    found = simulator.evaluate(rows)
    invalid = found.status == INVALID
    assert invalid.sum() == 341
    assert found.reason_name(int(invalid.argmax())) == "disconnected"
    raw = load_table("help-latency", wanted_by="a test").columns["cifar10:raspi4:latency_ms"]
    assert raw.min() < 0.02 < 1.0 < simulator.column(found, "latency_ms")[~invalid].min()
    session = archgym.make_session(
        "archgym/HWNAS201-v0", device="raspi4", objective="latency", constraints="val_accuracy>=5"
    )
    scored = session.evaluate(rows)
    assert not invalid[scored.reward.argmax()]


def test_latencies_of_arch_0_are_those_that_hw_nas_bench_prints():
    printed = {"eyeriss": 3.64562, "fpga": 2.57296, "pixel3": 3.60585, "raspi4": 10.481977}
    for device, latency in printed.items():
        simulator = HWNAS201Simulator(device=device)
        found = simulator.evaluate(row_of(ARCH_0))
        assert simulator.column(found, "latency_ms")[0] == pytest.approx(latency, rel=1e-6)


def test_a_device_with_energy_has_it_as_a_metric(tmp_path):
    columns = load_table("nats-tss", wanted_by="a test").columns
    save_table("nats-tss", columns, source="as imported", sha256="", folder=tmp_path)
    measured = {
        "cifar100:edgegpu:latency_ms": np.arange(SIZE) + 1.0,
        "cifar100:edgegpu:energy_mj": np.arange(SIZE) + 2.0,
    }
    save_table("hw-nas-bench", measured, source="made up", sha256="", folder=tmp_path)
    simulator = HWNAS201Simulator("cifar100", device="edgegpu", data=str(tmp_path))
    assert simulator.metric_names()[-2:] == ("latency_ms", "energy_mj")
    row = row_of(ARCH_0)
    index = simulator.space.integer_keys(row)[0]
    assert simulator.evaluate(row).values[0, -2:].tolist() == [index + 1.0, index + 2.0]


def test_macro_networks_are_as_published(references):
    frame = pd.read_parquet(references / "nas_bench_macro.parquet")
    rows = np.array([[int(digit) for digit in arch] for arch in frame["arch"]])
    found = NASMacroSimulator("judge", training=2).evaluate(rows)
    np.testing.assert_array_equal(found.values[:, 0], frame["acc2"])
    np.testing.assert_array_equal(found.values[:, 2:], frame[["params", "flops"]])
    np.testing.assert_allclose(found.diagnostics[:, 0], (frame["acc1"] + frame["acc3"]) / 2, rtol=1e-12)
    assert np.isnan(NASMacroSimulator(training=2).evaluate(rows).diagnostics).all()


def test_the_surrogate_is_near_what_was_measured(references):
    frame = pd.read_parquet(references / "accel_nasbench_mnasnet.parquet")
    simulator = MnasNetAccelSimulator()
    names = [f"block{block}_{field}" for block in range(7) for field in ("e", "k", "l", "se")]
    values = frame[names].to_numpy()
    design = {name: values[:, column] for column, name in enumerate(simulator.space.names)}
    found = simulator.evaluate(simulator.space.encode(design))
    for column, target in enumerate(list(TARGETS)[: len(METRICS)]):
        error = np.abs(found.values[:, column] / frame[target].to_numpy() - 1.0)
        assert np.nanmedian(error) < 0.03, target
    np.testing.assert_allclose(found.values[:, 9], frame["macs"], rtol=1e-4)
    np.testing.assert_allclose(found.values[:, 10], frame["params"], rtol=1e-4)


def test_the_surrogates_errors_on_what_was_kept_back_are_stated():
    errors = MnasNetAccelSimulator().held_out_errors
    assert errors["val_top1"]["rows"] > 500
    assert errors["val_top1"]["r2"] > 0.98
    assert errors["val_top1"]["kendall"] > 0.91
    assert errors["latency_zcu102"]["r2"] > 0.999


def test_the_space_of_mnasnet_has_36_to_the_6th_times_48_networks():
    simulator = MnasNetAccelSimulator()
    assert simulator.space.size == 36**6 * 48
    assert [len(settings_of_block(block)) for block in range(7)] == [36, 36, 36, 36, 36, 48, 36]
    found = simulator.evaluate(simulator.space.sample(20_000, np.random.default_rng(0)))
    assert (found.values > 0).all()
    assert (found.values[:, 0] < 68).all()


def test_settings_are_looked_up_in_the_order_of_their_list():
    simulator = MnasNetAccelSimulator()
    for block in range(7):
        rows = np.repeat(np.array([simulator.baseline.row]), len(settings_of_block(block)), axis=0)
        names = [f"block_{block + 1}_{field}" for field in ("expansion", "kernel", "layers", "squeeze")]
        for place, name in enumerate(names):
            parameter = simulator.space.parameter(name)
            wanted = [parameter.digits_of(setting[place])[0] for setting in settings_of_block(block)]
            rows[:, simulator.space.columns_of(name).start] = wanted
        assert simulator.settings_of(rows)[:, block].tolist() == list(range(len(rows)))


def test_a_search_finds_a_good_cell_within_12_000_seconds():
    session = archgym.make_session("archgym/NAS201-v0", budget=12_000, budget_unit="cost")
    agent = agent_class("random_search")
    agent.create(session.space, agent.Config(), np.random.default_rng(0), budget=1000).run(session)
    assert 80 < session.calls < 140
    assert session.best.values[0] > 82.5
    assert text_of_cell(session.best.row).startswith("|")
