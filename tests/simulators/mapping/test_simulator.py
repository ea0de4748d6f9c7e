"""The family as a simulator: spaces, canonical forms, reasons, workloads, hardware."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.testing.simulators import check_simulator
from archgym_simulators.errors import InputError
from archgym_simulators.evaluation import OK
from archgym_simulators.layers.layer import Layer, conv, gemm
from archgym_simulators.mapping.design import layer_space, shared_space
from archgym_simulators.mapping.model import DIMS, simulate
from archgym_simulators.mapping.presets import HARDWARE, hardware_named
from archgym_simulators.mapping.results import RESULT_NAMES
from archgym_simulators.mapping.simulator import MappingSimulator
from archgym_simulators.mapping.workloads import NAMED_LAYERS, single_layer
from archgym_simulators.mean import MeanOverWorkloads

LAYERS = [
    gemm("g", 2, 3, 4),
    conv("c", (4, 1), channels=(1, 3), kernel=(2, 1)),
    conv("d", (3, 5), channels=(2, 2), groups=2),
    Layer("one", "conv", c=8),
    Layer("nothing", "gemm"),
]


@pytest.mark.parametrize("space", ["layer", "shared"])
@pytest.mark.parametrize("hardware", sorted(HARDWARE))
def test_every_hardware_and_space_keeps_the_contract(hardware, space):
    check_simulator("archgym/Mapping-v0", hardware=hardware, space=space, n=64)


@pytest.mark.parametrize("options", [{"halo": "timeloop"}, {"links": True}, {"halo": "timeloop", "links": True}])
def test_every_way_of_counting_keeps_the_contract(options):
    check_simulator("archgym/Mapping-v0", workload="alexnet/conv2", n=24, **options)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_canonical_size_is_the_number_of_canonical_designs(layer):
    space = layer_space(layer)
    found = np.concatenate(list(space.chunks(5_000, canonical=True)))
    by_filter = [rows[(space.canonical(rows) == rows).all(axis=1)] for rows in space.chunks()]
    assert np.array_equal(found, np.concatenate(by_filter))
    assert len(found) == space.canonical_size
    assert len(found) < space.size or space.size == 64


@pytest.mark.parametrize("kind", ["layer", "shared"])
def test_designs_with_one_canonical_form_cost_the_same(kind):
    rng = np.random.default_rng(0)
    simulator = MappingSimulator("conv:8x8x16x16x3x3", space=kind, hardware="simba-like", links=True)
    rows = simulator.space.sample(3000, rng)
    canonical = simulator.space.canonical(rows)
    assert (canonical != rows).any(axis=1).mean() > 0.5
    free = simulator.evaluate(rows)
    folded = simulator.evaluate(canonical)
    assert np.array_equal(free.values, folded.values, equal_nan=True)
    assert np.array_equal(free.violation, folded.violation)
    assert np.array_equal(simulator.space.canonical(canonical), canonical)


@pytest.mark.parametrize("kind", ["layer", "shared"])
@pytest.mark.parametrize("spec", ["resnet18/conv2_1", "conv:13x13x24x36x5x5s2", "gemm:60x48x35"])
def test_rows_decode_to_the_mappings_that_their_words_say(kind, spec):
    """The compiled decoder against readable values."""
    layer = single_layer(spec)[1]
    space = layer_space(layer) if kind == "layer" else shared_space(layer, hardware_named("reference-256"))
    rows = space.sample(200, np.random.default_rng(1))
    arrays = space.mappings(rows)
    assert np.array_equal(arrays.factors.prod(axis=2), np.tile([getattr(layer, d.lower()) for d in DIMS], (200, 1)))
    for row, factors, orders, keep in zip(rows, arrays.factors, arrays.orders, arrays.keep, strict=True):
        design = space.decode_row(row)
        for d, dim in enumerate(DIMS):
            if dim in design:
                dram, glb, array, pe = map(int, design[dim].split("x"))
                x, y = (array, 1) if design[f"{dim}_axis"] == "x" else (1, array)
                assert factors[d].tolist() == [dram, glb, x, y, pe]
            elif f"{dim}_pe" in design:
                along = 2 if design[f"{dim}_axis"] == "x" else 3
                assert factors[d, 5 - along] == 1
                assert factors[d, along] <= design[f"{dim}_array"]
                assert factors[d, 4] <= design[f"{dim}_pe"]
                assert factors[d, 1] <= design[f"{dim}_glb"]
        for level, name in enumerate(("glb_order", "dram_order")):
            wanted = design[name].split(">")
            assert [DIMS[d] for d in orders[level][::-1] if DIMS[d] in wanted] == wanted
            assert sorted(orders[level].tolist()) == list(range(7))
        kept = [[design[f"{level}_{t}"] == "keep" for t in ("weights", "inputs", "outputs")] for level in ("pe", "glb")]
        assert keep.tolist() == kept


def test_the_shared_space_never_overfills_the_array_and_takes_the_largest_divisors():
    layer = single_layer("resnet18/conv2_1")[1]
    space = shared_space(layer, hardware_named("eyeriss-like"))
    factors = space.mappings(space.sample(2000, np.random.default_rng(2))).factors
    assert (factors[:, :, 2].prod(axis=1) <= 14).all()
    assert (factors[:, :, 3].prod(axis=1) <= 12).all()
    genes = {
        name: parameter.readable_one([0] * 6) for name, parameter in zip(space.names, space.parameters, strict=True)
    }
    row = space.encode_row(genes | {"P_array": 16, "P_pe": 2, "P_glb": 8, "S_glb": 2})
    found = space.mappings(row[None]).factors[0]
    assert found[3].tolist() == [1, 2, 14, 1, 2]  # 56 rows: 14 of 16, then 2 of the rest of 4 twice
    assert found[6].tolist() == [3, 1, 1, 1, 1]  # no divisor of 3 but 1 is at most 2


def test_every_gene_is_live():
    simulator = MappingSimulator("conv:8x8x16x16x3x3n2", links=False)
    assert simulator.space.parameters[0].name == "N"
    rng = np.random.default_rng(3)
    rows = simulator.space.sample(4000, rng)
    base = simulator.evaluate(rows)
    for name in simulator.space.names:
        where = simulator.space.columns_of(name)
        changed = rows.copy()
        changed[:, where] = rng.integers(0, simulator.space.nvec[where], size=changed[:, where].shape)
        other = simulator.evaluate(changed)
        both = (base.status == OK) & (other.status == OK)
        assert (base.values[both, :3] != other.values[both, :3]).any() or name.endswith("_axis"), name
        assert (base.status != other.status).any() or not name.endswith("_axis"), name


def test_results_are_those_of_the_model_times_groups_and_repetitions():
    simulator = MappingSimulator("alexnet/conv2", hardware="eyeriss-like")
    layer = single_layer("alexnet/conv2")[1]
    assert layer.groups == 2
    rows = simulator.space.sample(300, np.random.default_rng(4))
    found = simulator.evaluate(rows)
    plain = simulate(layer, hardware_named("eyeriss-like"), simulator.space.mappings(rows))
    valid = plain["broken"] < 0
    assert 0 < valid.sum() < 300
    assert np.array_equal(found.status == OK, valid)
    assert np.array_equal(found.values[valid, 0], 2 * plain["cycles"][valid])
    assert np.array_equal(found.values[valid, 2], 2 * plain["energy_pj"][valid])
    assert np.array_equal(found.values[valid, 9], 2 * plain.counts[valid, 2].sum(axis=(1, 2)))
    reads = simulator.diagnostic_names.index("glb_inputs_reads")
    assert np.array_equal(found.diagnostics[valid, reads], 2 * plain.counts[valid, 1, 1, 0])
    assert len(RESULT_NAMES) == plain.values.shape[1]


def test_reasons_name_tile_buffer_need_and_room():
    simulator = MappingSimulator("resnet18/conv2_1", hardware="eyeriss-like")
    design = simulator.space.decode_row(simulator.baseline.row)
    cases = {
        "the mapping spreads over 64 columns of PEs, the array has 14": {"K": "1x1x64x1"},
        "weights tile in a PE needs 4,096 words, weight scratchpad has 192": {"K": "1x1x1x64", "C": "1x1x1x64"},
        "weights, inputs and outputs tiles at the global level need 452,864 words, global buffer has 65,536": {
            "K": "1x64x1x1",
            "C": "1x64x1x1",
            "P": "1x56x1x1",
            "Q": "1x56x1x1",
            "R": "1x3x1x1",
            "S": "1x3x1x1",
        },
    }
    violations = []
    for sentence, change in cases.items():
        row = simulator.space.encode_row({**design, **change})
        found = simulator.evaluate(row[None])
        assert found.reason(0) == sentence
        violations.append(found.violation[0])
    assert violations[0] == pytest.approx(np.log(64 / 14))
    assert violations[2] == pytest.approx(np.log(452_864 / 65_536))


def test_one_policy_can_train_over_layers_in_the_shared_space():
    layers = ["resnet18/conv2_1", "gemm:512x768x3072", "mobilenet-v2/block1_1_dw"]
    simulators = [MappingSimulator(layer, space="shared") for layer in layers]
    mean = MeanOverWorkloads(simulators)
    assert len({simulator.space.digest for simulator in simulators}) == 1
    assert (mean.evaluate(mean.space.sample(500, np.random.default_rng(5))).status == OK).mean() > 0.2
    with pytest.raises(InputError, match="differ in design space"):
        MeanOverWorkloads([MappingSimulator(layer) for layer in layers[:2]])


LEAST_VALID = {
    "reference-256": {"layer": 0.12, "shared": 0.3},
    "eyeriss-like": {"layer": 0.04, "shared": 0.14},
    "simba-like": {"layer": 0.12, "shared": 0.2},
    "tpu-like": {"layer": 0.08, "shared": 0.1},
    "shidiannao-like": {"layer": 0.008, "shared": 0.05},
    # Its buffers are for small layers.
    "miniature": {"layer": 0.001, "shared": 0.02},
}


@pytest.mark.parametrize("hardware", sorted(HARDWARE))
def test_random_mappings_are_valid_often_enough_to_learn_from(hardware):
    rng = np.random.default_rng(6)
    for workload in NAMED_LAYERS:
        for space, least in LEAST_VALID[hardware].items():
            simulator = MappingSimulator(workload, hardware=hardware, space=space)
            share = (simulator.evaluate(simulator.space.sample(2000, rng)).status == OK).mean()
            assert share >= least, (workload, space)


def test_draws_are_single_layers_that_can_be_bound():
    for split in ("train", "dev"):
        specs = [MappingSimulator.draw_workload(split, np.random.default_rng(seed)) for seed in range(20)]
        assert specs == [MappingSimulator.draw_workload(split, np.random.default_rng(seed)) for seed in range(20)]
        for spec in specs:
            simulator = MappingSimulator(spec)
            assert simulator.workload.name == spec
            assert simulator.space == MappingSimulator(space="shared").space
            assert MappingSimulator(spec, space="layer").workload.name == spec.removeprefix("shared:")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workload": "resnet18"}, "a mapping is of one layer, 'resnet18' has 12 shapes; name one: resnet18/conv1"),
        ({"workload": "gemm:0x4x4"}, "layer 'gemm:0x4x4': M must be a whole number 1..2147483647, not 0"),
        ({"workload": "gemm:-8x4x4"}, "layer 'gemm:-8x4x4': M must be a whole number 1..2147483647, not -8"),
        ({"hardware": "eyeriss"}, "unknown hardware 'eyeriss'; did you mean 'eyeriss-like'?; allowed: reference-256"),
        ({"space": "share"}, "unknown space 'share'; did you mean 'shared'?; allowed: layer, shared"),
        ({"links": "yes"}, "links must be true or false, not 'yes'"),
        ({"halo": "time"}, "unknown halo 'time'; did you mean 'timeloop'?; allowed: exact, timeloop"),
        ({"workload": "gemm:1000000x1000000x2000"}, "layer 'gemm:1000000x1000000x2000' needs 2e+15 MACs with stride 1"),
    ],
)
def test_bad_options_are_refused_in_one_line(arguments, message):
    with pytest.raises(InputError) as error:
        MappingSimulator(**arguments)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"K": "2x2x2x2"}, "K must be 4 positive factors of 64 such as '1x1x1x64', not '2x2x2x2', whose product is 16"),
        ({"K": "0x1x1x64"}, "K must be 4 positive factors of 64 such as '1x1x1x64', not '0x1x1x64'"),
        ({"pe_weights": "keeps"}, "pe_weights must be one of keep, bypass, not 'keeps'; did you mean 'keep'?"),
        ({"rf_weights": "keep"}, "unknown parameter 'rf_weights'; did you mean 'pe_weights'?"),
        ({"glb_weight": "keep"}, "unknown parameter 'glb_weight'; did you mean 'glb_weights'?"),
        ({"glb_order": "K>C>P>Q>R>M"}, "glb_order must be an order of K>C>P>Q>R>S, not 'K>C>P>Q>R>M'"),
    ],
)
def test_bad_designs_are_refused_in_one_line(change, message):
    simulator = MappingSimulator()
    design = simulator.space.decode_row(simulator.baseline.row) | change
    with pytest.raises(InputError) as error:
        simulator.space.encode_row(design)
    assert str(error.value).startswith(message)
