"""The attention simulator: space, validity, workloads, options, conformance."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.testing import check_env, check_simulator
from archgym_simulators.attention.design import table_of
from archgym_simulators.attention.model import design_table, simulate
from archgym_simulators.attention.presets import preset
from archgym_simulators.attention.simulator import AttentionSimulator
from archgym_simulators.attention.workloads import _BATCHES, _LENGTHS, AttentionShape, draw, parse
from archgym_simulators.errors import InputError

SPEC = "bert:seq=65536"
SHAPE = parse(SPEC)[1]


def row_of(simulator, **changes):
    design = {**simulator.space.decode_row(simulator.baseline.row), **changes}
    return simulator.space.encode_row(design)[None]


def test_rows_mean_the_designs_that_the_model_takes():
    simulator = AttentionSimulator(SPEC)
    published = preset("fusemax", SHAPE)
    named = {name: getattr(published, name, None) for name in simulator.space.names}
    row = simulator.space.encode_row({**named, "l3_kib": 16_384, "bandwidth": 400})[None]
    assert design_table([published]).tolist() == table_of(row).tolist()
    found = dict(zip(simulator.metric_names(), simulator.evaluate(row).values[0].tolist(), strict=True))
    result = simulate(SHAPE, [published])
    assert found["latency_ns"] == pytest.approx(1e9 * result.latency_s[0], rel=1e-12)
    assert found["area_mm2"] == result.area_mm2[0]
    assert found["power_mw"] == pytest.approx(found["energy_pj"] / found["latency_ns"], rel=1e-12)
    assert found["utilisation_2d"] == pytest.approx(0.990958, rel=1e-6)


def test_every_parameter_is_live():
    simulator = AttentionSimulator(SPEC, area_class="cloud")
    rng = np.random.default_rng(0)
    rows = simulator.space.canonical(simulator.space.sample(8000, rng))
    rows = rows[simulator.evaluate(rows).status == 0]
    base = simulator.evaluate(rows).values[:, :3]
    for column, size in enumerate(simulator.space.nvec.tolist()):
        changed = np.zeros(len(rows), dtype=bool)
        valid = np.zeros(len(rows), dtype=bool)
        for step in range(1, size):
            moved = rows.copy()
            moved[:, column] = (moved[:, column] + step) % size
            other = simulator.evaluate(simulator.space.canonical(moved))
            valid |= other.status == 0
            changed |= (other.status == 0) & (other.values[:, :3] != base).any(axis=1)
        name = simulator.space.names[column]
        # Scores wait nowhere in one pass or without fusion, and need the memory of a class for most of the rest.
        assert changed[valid].mean() > (0.15 if name == "scores" else 0.5), name


def test_what_is_inert_changes_nothing():
    simulator = AttentionSimulator(SPEC)
    rng = np.random.default_rng(1)
    rows = simulator.space.sample(20_000, rng)
    folded = simulator.space.canonical(rows)
    assert (rows != folded).any(axis=0).sum() == 2
    a, b = simulator.evaluate(rows), simulator.evaluate(folded)
    np.testing.assert_array_equal(a.status, b.status)
    np.testing.assert_array_equal(a.values, b.values)


def test_memory_that_is_too_small_is_told_with_both_sizes_and_graded():
    simulator = AttentionSimulator("xlm:seq=65536")
    rows = np.concatenate(
        [row_of(simulator, l3_kib=kib, qk_stationarity="weight", query_tiles=64) for kib in (256, 512)]
    )
    evaluation = simulator.evaluate(rows)
    need = (8 * 256 * 256 + 2 * 256 * 64 * 256) / 1024
    assert evaluation.reason(0) == (
        f"the tiles and rows that must stay on the chip take {need:,.0f} KiB, the on-chip memory has 256"
    )
    assert evaluation.violation[0] == pytest.approx(np.log(need / 256))
    assert evaluation.violation[0] > evaluation.violation[1] > 0.0
    assert np.isnan(evaluation.values).all()


def test_a_chip_that_is_too_large_is_invalid_by_how_much():
    simulator = AttentionSimulator(SPEC)
    evaluation = simulator.evaluate(row_of(simulator, pe_dim=512))
    assert evaluation.reason(0).endswith("mm2, the area class cloud allows 1,400")
    assert 0.0 < evaluation.violation[0] < 0.5


def test_what_cannot_be_unfused_is_invalid():
    simulator = AttentionSimulator(SPEC)
    one = row_of(simulator, cascade="1-pass", fusion="none")
    two = row_of(simulator, cascade="1-pass", softmax_on="2d-interleaved", fusion="none")
    evaluation = simulator.evaluate(np.concatenate([one, two]))
    assert "need fusion head or row" in evaluation.reason(0)
    assert evaluation.violation.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "workload", ["bert:seq=1024", "xlm:seq=1048576", "attention:1x1x1x1x512x512", "t5:seq=7,queries=1"]
)
@pytest.mark.parametrize("area_class", ["edge", "cloud"])
def test_the_baseline_is_valid(workload, area_class):
    simulator = AttentionSimulator(workload, area_class=area_class)
    assert simulator.evaluate(np.array([simulator.baseline.row])).status[0] == 0


def test_the_clock_changes_time_only():
    slow, fast = (AttentionSimulator("bert:seq=1024", clock_mhz=mhz) for mhz in (470.0, 940.0))
    a, b = (s.evaluate(np.array([s.baseline.row])).values[0] for s in (slow, fast))
    assert a[0] == pytest.approx(2 * b[0])
    np.testing.assert_array_equal(a[[1, 2, 4]], b[[1, 2, 4]])


def test_specs_have_one_spelling():
    assert parse(" bert:batch=64, seq=1024") == ("bert:seq=1024", AttentionShape(64, 12, 1024, 1024, 64, 64))
    assert parse("t5:queries=1,seq=512,batch=2") == (
        "t5:seq=512,queries=1,batch=2",
        AttentionShape(2, 8, 512, 1, 64, 64),
    )
    assert parse("attention:1x2x3x4x5x6")[1] == AttentionShape(1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        ("brt:seq=4096", "unknown workload 'brt:seq=4096'; did you mean 'bert'"),
        ("bert", "needs its sequence length, as in 'bert:seq=4096'"),
        ("bert:seq=0", "seq must be a whole number from 1, not '0'"),
        ("bert:seq=-5", "seq must be a whole number from 1, not '-5'"),
        ("bert:seq=1.5", "not '1.5'"),
        ("bert:len=1024", "unknown argument 'len=1024'"),
        ("bert:seq=1024,seq=2048", "repeated argument 'seq=2048'"),
        ("bert:seq=99999999", "keys must be a whole number 1..16777216"),
        ("attention:64x12x1024", "must be attention:BxHxMxPxExF"),
        ("attention:64x12x1024x1024x0x64", "e must be a whole number 1..512, not 0"),
        ("attention:65536x1024x16777216x16777216x64x64", "scores are too many"),
        ("", "unknown workload ''"),
    ],
)
def test_wrong_workloads_are_refused_in_one_line(spec, part):
    with pytest.raises(InputError) as caught:
        AttentionSimulator(spec)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"area_class": "clod"}, "did you mean 'cloud'"),
        ({"clock_mhz": 0.0}, "clock_mhz must be a number from 1"),
        ({"clock_mhz": float("nan")}, "clock_mhz must be a number from 1"),
        ({"clock_mhz": True}, "clock_mhz must be a number from 1"),
    ],
)
def test_wrong_options_are_refused_in_one_line(options, part):
    with pytest.raises(InputError) as caught:
        AttentionSimulator(**options)
    assert part in str(caught.value)


def test_splits_share_no_model_length_or_batch():
    rng = np.random.default_rng(0)
    seen = {split: {draw(split, rng) for _ in range(60)} for split in ("train", "dev")}
    models = {split: {spec.partition(":")[0] for spec in specs} for split, specs in seen.items()}
    assert not models["train"] & models["dev"]
    for table in (_LENGTHS, _BATCHES):
        values = [value for split in table.values() for value in split]
        assert len(values) == len(set(values))
    assert len(seen["train"]) > 20
    assert draw("train", np.random.default_rng(3)) == draw("train", np.random.default_rng(3))


@pytest.mark.parametrize(
    "options",
    [{}, {"workload": "llama-3-8b:seq=4096,queries=1,batch=1", "area_class": "edge", "clock_mhz": 1000.0}],
)
def test_conformance(options):
    check_simulator("archgym/Attention-v0", **options)


def test_the_environment_keeps_its_contract():
    check_env("archgym/Attention-v0")
