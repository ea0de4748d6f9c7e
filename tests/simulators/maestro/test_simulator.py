"""The Maestro simulator: its genome, validity, options and conformance."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.testing import check_env, check_simulator
from archgym_simulators.errors import InputError
from archgym_simulators.maestro.design import table_of
from archgym_simulators.maestro.model import Hardware, LevelMapping, MaestroDesign, design_table
from archgym_simulators.maestro.simulator import MaestroSimulator

LAYER = "conv:28x28x48x64x3x3"


def row_of(simulator, **changes):
    return simulator.space.encode_row({**simulator.space.decode_row(simulator.baseline.row), **changes})[None]


def test_a_genome_has_seventeen_genes():
    simulator = MaestroSimulator(LAYER)
    assert len(simulator.space.parameters) == 17
    assert simulator.space.size > 1e18


def test_rows_mean_the_mappings_that_the_model_takes():
    simulator = MaestroSimulator(LAYER, space="layer")
    row = row_of(simulator, outer_order="C>K>Y>X>S>R", outer_parallel="Y", outer_X=7, inner_K=16, cluster=12)
    levels = [
        LevelMapping(("C", "K", "Y", "X", "S", "R"), "Y", (1, 48, 1, 7, 3, 3)),
        LevelMapping(("C", "Y", "X", "R", "S", "K"), "C", (16, 1, 1, 1, 3, 3)),
    ]
    assert table_of(simulator.space, row).tolist() == design_table([MaestroDesign(*levels, 12)]).tolist()


@pytest.mark.parametrize("space", ["layer", "shared"])
def test_every_gene_is_live(space):
    simulator = MaestroSimulator(LAYER, space=space)
    rng = np.random.default_rng(0)
    rows = simulator.space.sample(400, rng)
    base = simulator.evaluate(rows)
    for parameter in simulator.space.parameters:
        columns = simulator.space.columns_of(parameter.name)
        moved = rows.copy()
        moved[:, columns] = simulator.space.sample(400, rng)[:, columns]
        other = simulator.evaluate(moved)
        both = (base.status == 0) & (other.status == 0) & (moved != rows).any(axis=1)
        assert (base.values[both, :3] != other.values[both, :3]).any(axis=1).mean() > 0.3, parameter.name


def test_the_same_genome_gives_the_same_numbers():
    rows = MaestroSimulator(LAYER).space.sample(50, np.random.default_rng(1))
    first, second = (MaestroSimulator(LAYER).evaluate(rows) for _ in range(2))
    np.testing.assert_array_equal(first.values, second.values)


def test_buffers_that_are_too_large_are_told_and_graded():
    simulator = MaestroSimulator(LAYER, space="layer")
    sizes = {"K": 64, "C": 48, "Y": 28, "X": 28, "R": 3, "S": 3}
    everything = {f"{level}_{dimension}": size for level in ("outer", "inner") for dimension, size in sizes.items()}
    rows = np.concatenate([row_of(simulator, **everything), row_of(simulator, **{**everything, "inner_K": 4})])
    evaluation = simulator.evaluate(rows)
    words = 2 * (64 * 48 * 9 + 48 * 30 * 30 + 64 * 28 * 28)
    assert evaluation.reason(0).startswith(
        f"the mapping needs {2 * words:,} bytes a PE, {2 * words / 1024:,.0f} KiB of L2"
    )
    assert evaluation.reason(0).endswith("its class allows 2")
    assert evaluation.violation[0] > evaluation.violation[1] > 0.0
    assert np.isnan(evaluation.values).all()


def test_the_shared_space_is_the_same_for_every_workload():
    workloads = (LAYER, "gemm:128x768x768", "resnet18", "mobilenet-v2")
    simulators = [MaestroSimulator(workload) for workload in workloads]
    assert len({simulator.space.digest for simulator in simulators}) == 1
    assert len({simulator.baseline.row for simulator in simulators}) == 1
    rows = simulators[0].space.sample(64, np.random.default_rng(0))
    for simulator in simulators:
        assert (simulator.evaluate(rows).status == 0).any()


def test_the_space_of_a_layer_has_the_tiles_that_differ_in_steps():
    space = MaestroSimulator("conv:7x10x12x12x1x1", space="layer").space
    assert space.parameter("outer_Y").values == (1, 2, 3, 4, 7)
    assert space.parameter("inner_X").values == (1, 2, 3, 4, 5, 10)
    assert space.parameter("outer_R").values == (1,)


@pytest.mark.parametrize(
    "workload", [LAYER, "gemm:1x1x1", "gemm:128x768x768", "resnet18", "mobilenet-v2/*", "bert-base"]
)
def test_the_baseline_is_valid(workload):
    simulator = MaestroSimulator(workload)
    assert simulator.evaluate(np.array([simulator.baseline.row])).status[0] == 0


def test_hardware_bounds_the_cluster_and_changes_the_time():
    small, large = MaestroSimulator(LAYER, pes=64), MaestroSimulator(LAYER, pes=1024)
    assert (small.space.parameter("cluster").values[-1], large.space.parameter("cluster").values[-1]) == (64, 1024)
    row = np.array([small.baseline.row])
    cycles = [s.evaluate(np.array([s.baseline.row])).values[0, 0] for s in (small, large)]
    assert cycles[0] > cycles[1]
    slow = MaestroSimulator(LAYER, pes=64, off_chip_words=1).evaluate(row).values[0, 0]
    narrow = MaestroSimulator(LAYER, pes=64, noc_words=1).evaluate(row).values[0, 0]
    assert min(slow, narrow) > cycles[0]
    assert Hardware().pes == 256


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"space": "shred"}, "unknown space 'shred'; did you mean 'shared'"),
        ({"space": "layer", "workload": "resnet18"}, "needs a workload of one shape, 'resnet18' has"),
        ({"rules": "mastro"}, "did you mean 'maestro'"),
        ({"node_nm": 27}, "unknown node_nm 27"),
        ({"area_class": "egde"}, "did you mean 'edge'"),
        ({"pes": 0}, "pes must be a whole number"),
        ({"noc_words": -1}, "noc_words must be a whole number"),
        ({"clock_mhz": 0.0}, "clock_mhz must be a number from 1"),
        ({"workload": "conv:0x9x8x16x3x3"}, "0"),
        ({"workload": "resnet19"}, "did you mean 'resnet18'"),
    ],
)
def test_wrong_options_are_refused_in_one_line(arguments, part):
    with pytest.raises(InputError) as caught:
        MaestroSimulator(**arguments)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_layers_of_a_csv_file_run(tmp_path):
    table = tmp_path / "layers.csv"
    table.write_text("K,C,Y,X,R,S,T\n16,8,12,12,3,3,1\n1,16,12,12,3,3,2\n10,16,1,1,1,1,0\n")
    simulator = MaestroSimulator(str(table))
    named = dict(
        zip(simulator.metric_names(), simulator.evaluate(np.array([simulator.baseline.row])).values[0], strict=True)
    )
    macs = 16 * 8 * 100 * 9 + 16 * 100 * 9 + 160
    assert named["throughput"] * named["cycles"] == pytest.approx(macs)
    table.write_text("K,C,Y,X,R,T\n16,8,12,12,3,1\n")
    with pytest.raises(InputError, match="has no column 'S'"):
        MaestroSimulator(str(table))


@pytest.mark.parametrize(
    "options",
    [
        {"workload": LAYER},
        {"workload": LAYER, "space": "layer", "checks": ["declarations", "outcome", "purity", "batches"]},
        {"workload": "resnet18", "node_nm": 7, "pes": 1024, "area_class": "cloud"},
        {
            "workload": "conv:9x9x8x16x3x3s2",
            "rules": "maestro",
            "n": 32,
            "checks": ["declarations", "purity", "batches"],
        },
    ],
)
def test_conformance(options):
    check_simulator("archgym/Maestro-v0", **options)


def test_the_environment_keeps_its_contract():
    check_env("archgym/Maestro-v0")
