"""The attention model: closed forms written a second time, published points, traffic and capacity by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from archgym_simulators.attention.model import AttentionDesign, simulate
from archgym_simulators.attention.parts import PARTS
from archgym_simulators.attention.presets import PRESETS, preset
from archgym_simulators.attention.workloads import AttentionShape
from archgym_simulators.errors import InputError

REFS = Path(__file__).resolve().parents[4] / "shared" / "refs" / "dnn"
MODELS = {"BERT": (12, 64), "TrXL": (16, 64), "T5": (8, 64), "XLM": (16, 128)}
LENGTHS = (2**10, 2**12, 2**14, 2**16, 2**18, 2**20)
BANDWIDTH = 400 * 2**30
MIB = 2**20


def shapes():
    return [AttentionShape(64, heads, n, n, size, size) for heads, size in MODELS.values() for n in LENGTHS]


def run(shape, name, **changes):
    return simulate(shape, [replace(preset(name, shape), **changes)])


def published_cycles(name, s):
    """The four closed forms of FuseMax's artifact for 256 x 256 PEs and 256 lanes."""
    u = s.batch * s.heads * (s.keys / 256) * (s.queries / 256)
    a = s.batch * s.heads * s.f * s.queries / 256
    return {
        "fusemax": max((s.e + 1) * u, u + s.f * u + a) + u + 8 * u + s.f * u,
        "fusemax-architecture": max((s.e + 1) * u, u + a) + 256 * u + u + 8 * u + 2 * s.f * u,
        "fusemax-cascade": max((s.e + s.f) * u, (1029 + 2 * s.f) * u + a),
        "flat": max((s.e + s.f) * u, 1024 * u),
    }[name]


def published_traffic(name, s):
    """Bytes of the one-pass accelerators: keys and values once for every group of query tiles that L3 holds."""
    waiting = 512 if name == "fusemax-cascade" else 0
    room = (16 * MIB - 512 * (s.e + s.f)) // (256 * 2 * (s.e + s.f + 2 + waiting))
    tiles = max(d for d in range(1, room + 1) if (s.queries // 256) % d == 0)
    q, kv = s.queries * (s.e + s.f), s.keys * (s.e + s.f)
    return 2 * s.batch * s.heads * (q + kv * s.queries // (256 * tiles))


@pytest.mark.parametrize("name", ["fusemax", "fusemax-architecture", "fusemax-cascade"])
def test_one_pass_accelerators_have_the_published_latency_and_traffic(name):
    for s in shapes():
        result = run(s, name)
        assert result.compute_cycles[0] == pytest.approx(published_cycles(name, s), rel=1e-12)
        assert result.traffic_bytes[0] == published_traffic(name, s)
        latency = max(published_cycles(name, s) / 940e6, published_traffic(name, s) / BANDWIDTH)
        assert result.latency_s[0] == pytest.approx(latency, rel=1e-12)


def test_flat_has_the_published_latency_and_traffic_where_scores_leave_the_chip():
    for s in shapes():
        result = run(s, "flat")
        assert result.compute_cycles[0] == pytest.approx(published_cycles("flat", s), rel=1e-12)
        if s.keys >= 2**18:
            q, kv = s.queries * (s.e + s.f), s.keys * (s.e + s.f)
            traffic = 2 * s.batch * s.heads * (q + kv * s.queries / 1024) + 8 * s.scores
            assert result.traffic_bytes[0] == pytest.approx(traffic, rel=1e-12)
            assert result.latency_s[0] == pytest.approx(traffic / BANDWIDTH, rel=1e-12)


def test_fusemax_is_published_to_be_six_point_seven_times_as_fast_as_flat():
    # Both latencies are closed forms: no tabulated traffic or energy enters this ratio.
    speedups = [run(s, "flat").latency_s[0] / run(s, "fusemax").latency_s[0] for s in shapes()]
    assert np.mean(speedups) == pytest.approx(6.72, abs=0.01)


def test_fusemax_is_published_to_be_ten_times_as_fast_as_unfused_attention():
    # Unfused traffic at 256K and beyond is our estimate; it moves the mean by less than 0.3 %.
    speedups = [run(s, "unfused").latency_s[0] / run(s, "fusemax").latency_s[0] for s in shapes()]
    assert np.mean(speedups) == pytest.approx(10.05, rel=3e-3)


def test_the_array_sizes_of_the_pareto_study_scale_as_tabulated():
    path = REFS / "fusemax_pareto.csv"
    if not path.exists():
        pytest.skip("the reference tables are not at ../shared/refs")
    for row in pd.read_csv(path).itertuples():
        heads, size = MODELS[row.model]
        s = AttentionShape(64, heads, 2**18, 2**18, size, size)
        result = run(s, "fusemax", pe_dim=row.PE_dim, lanes=row.PE_dim)
        assert result.compute_cycles[0] / 940e6 == pytest.approx(row.comp_1d_lat, rel=1e-9)
        assert result.busy_2d[0] / 940e6 == pytest.approx(row.comp_2d_lat, rel=1e-9)
        # The artifact has no memory interface and ignores L3; ours are 40 mm2 and 47 mm2 on top.
        without = replace(preset("fusemax", s), pe_dim=row.PE_dim, lanes=row.PE_dim, l3_bytes=1, bandwidth_gib_s=1)
        area = simulate(s, [without]).area_mm2[0] - 0.1
        assert area == pytest.approx(row.area * 1e-6, rel=0.01)


def test_the_artifact_s_rows_are_met_as_promised():
    paths = sorted(REFS.glob("fusemax_attn*.csv"))
    if not paths:
        pytest.skip("the reference tables are not at ../shared/refs")
    names = {"binding": "fusemax", "arch": "fusemax-architecture", "cascade": "fusemax-cascade", "flat": "flat"}
    for row in pd.concat([pd.read_csv(path) for path in paths]).itertuples():
        if row.accel not in names:
            continue
        s = AttentionShape(row.B, row.H, row.M, row.P, row.E, row.F)
        result = run(s, names[row.accel])
        assert result.latency_s[0] == pytest.approx(row.latency_s, rel=1e-9)
        if row.accel in ("binding", "arch"):
            assert result.energy_pj[0] == pytest.approx(row.energy_pJ, rel=0.01)


def test_energy_of_fusemax_is_the_sum_of_its_einsums():
    s = AttentionShape(2, 3, 512, 768, 64, 32)
    p, n, rows = PARTS, s.scores, s.scores / 256
    exp = 6 * p.mac + p.add
    scores = n * (s.e * p.mac + p.maximum + exp + p.add + s.f * p.mac + s.e * p.pe_register)
    corrections = rows * (p.maximum + exp + p.add + p.mac + s.f * p.mac + p.add + s.f * p.add)
    division = 2 * 3 * s.queries * s.f * p.divide
    result = run(s, "fusemax")
    words = result.traffic_bytes[0] / 2
    l3 = n / 256 * (s.e + s.f) * p.l3_read + words * p.l3_write
    expected = scores + corrections + division + l3 + result.traffic_bytes[0] * p.dram_byte
    assert result.energy_pj[0] == pytest.approx(expected, rel=1e-12)


DESIGN = AttentionDesign("3-pass", "1d", "row", "on-chip", "output", "output", 4, 4, 2**20, 1, 2)
SHAPE = AttentionShape(1, 1, 16, 24, 8, 8)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, 24 * 8 * 4 + 16 * 8 * 6 + 24 * 8 + 16 * 8 * 6),
        ({"qk_stationarity": "weight"}, 24 * 8 + 16 * 8 * 3 + 24 * 8 + 16 * 8 * 6),
        ({"av_stationarity": "weight"}, 24 * 8 * 4 + 16 * 8 * 6 + 24 * 8 + 16 * 8 * 3),
        ({"av_stationarity": "weight", "query_tiles": 4}, 24 * 8 * 4 + 16 * 8 * 6 + 24 * 8 + 16 * 8 * 2),
        ({"av_stationarity": "weight", "fusion": "head"}, 24 * 8 * 4 + 16 * 8 * 6 + 24 * 8 + 16 * 8),
        ({"scores": "off-chip"}, 24 * 8 * 4 + 16 * 8 * 6 + 24 * 8 + 16 * 8 * 6 + 4 * 16 * 24),
        ({"fusion": "none"}, 24 * 8 * 4 + 16 * 8 * 6 + 24 * 8 + 16 * 8 * 6 + 4 * 16 * 24),
    ],
)
def test_traffic_by_hand(changes, words):
    assert simulate(SHAPE, [replace(DESIGN, **changes)]).traffic_bytes[0] == 2 * words


@pytest.mark.parametrize(("cascade", "crossings"), [("3-pass", 7), ("2-pass", 6), ("2-pass-xnnpack", 5), ("1-pass", 0)])
def test_scores_without_room_spill_at_every_pass(cascade, crossings):
    ample = simulate(SHAPE, [replace(DESIGN, cascade=cascade)])
    scores = 2 * 8 * 16  # two tiles of four rows, 16 keys each, two bytes a score
    small = replace(DESIGN, cascade=cascade, l3_bytes=int(ample.l3_need[0]) + scores // 2)
    result = simulate(SHAPE, [small])
    if crossings:
        assert result.l3_total[0] - result.l3_need[0] == scores
    spilled = max(0.0, 1.0 - small.l3_bytes / result.l3_total[0])
    expected = ample.traffic_bytes[0] + 2 * crossings * spilled * SHAPE.scores
    assert result.traffic_bytes[0] == pytest.approx(expected, rel=1e-12)


def test_half_filled_tiles_take_the_time_of_full_ones():
    even, odd = AttentionShape(2, 2, 512, 512, 64, 64), AttentionShape(2, 2, 481, 481, 64, 64)
    for name in PRESETS:
        assert run(even, name, bandwidth_gib_s=2**20).compute_cycles[0] == pytest.approx(
            run(odd, name, bandwidth_gib_s=2**20).compute_cycles[0], rel=1e-12
        )


def test_more_lanes_help_until_the_edge_of_the_array_is_the_limit():
    s = AttentionShape(1, 1, 4096, 4096, 64, 64)
    cycles = [run(s, "flat", lanes=lanes).compute_cycles[0] for lanes in (128, 256, 512, 1024, 2048)]
    assert cycles == [2048 * 256, 1024 * 256, 512 * 256, 256 * 256, 256 * 256]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_fits_its_own_memory(name):
    for s in shapes():
        design = preset(name, s)
        assert simulate(s, [design]).l3_need[0] <= design.l3_bytes


def test_energy_grows_with_memory_and_falls_with_reuse():
    s = AttentionShape(8, 8, 65_536, 65_536, 64, 64)
    few, many = (run(s, "fusemax", query_tiles=tiles) for tiles in (1, 32))
    assert few.traffic_bytes[0] > 16 * many.traffic_bytes[0]
    assert few.energy_pj[0] > many.energy_pj[0]
    assert run(s, "fusemax", l3_bytes=64 * MIB).energy_pj[0] > many.energy_pj[0]


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"cascade": "1pass"}, "cascade must be one of 1-pass, 2-pass, 2-pass-xnnpack, 3-pass, not '1pass'; did you"),
        ({"pe_dim": 0}, "pe_dim must be a whole number 1..4096, not 0"),
        ({"lanes": -3}, "lanes must be a whole number"),
        ({"l3_bytes": 1.5}, "l3_bytes must be a whole number"),
        ({"fusion": "none", "cascade": "1-pass"}, "cascade '1-pass' needs fusion"),
        ({"fusion": "none", "softmax_on": "2d-interleaved"}, "softmax_on '2d-interleaved' needs fusion"),
    ],
)
def test_wrong_designs_are_refused_in_one_line(changes, part):
    with pytest.raises(InputError) as caught:
        replace(DESIGN, **changes)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_preset_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="unknown preset 'fusemx'; did you mean 'fusemax'"):
        preset("fusemx", SHAPE)


def plain_latency_s(s, d):
    """The one-pass cascade on the interleaved array, counted Einsum by Einsum."""
    r = max(d.pe_dim / d.lanes, 1.0)
    key_tiles, query_tiles = math.ceil(s.keys / d.pe_dim), math.ceil(s.queries / d.pe_dim)
    tiles = s.batch * s.heads * key_tiles * query_tiles
    on_2d = {"QK": s.e, "LM": 1}, {"SLN": 7, "SLD": 1, "SLNV": s.f}
    on_1d = {"RM": 1, "RNV": s.f, "AV": s.f / key_tiles}, {"PRM": 7, "SPD": 1, "RD": 1, "SPNV": s.f}
    phases = [max(sum(wide.values()), r * sum(rows.values())) for wide, rows in zip(on_2d, on_1d, strict=True)]
    return sum(phases) * tiles / 940e6


def test_between_the_published_points_the_cascade_is_counted_einsum_by_einsum():
    rng = np.random.default_rng(5)
    for _ in range(200):
        s = AttentionShape(*(int(x) for x in rng.integers(1, 400, 4)), *(int(x) for x in rng.integers(8, 129, 2)))
        d = replace(preset("fusemax", s), pe_dim=int(rng.integers(8, 300)), lanes=int(rng.integers(8, 600)))
        d = replace(d, bandwidth_gib_s=2**20, query_tiles=int(rng.integers(1, 9)))
        result = simulate(s, [d])
        memory = result.traffic_bytes[0] / (2**20 * 2**30)
        assert result.latency_s[0] == pytest.approx(max(plain_latency_s(s, d), memory), rel=1e-12)


# Cycles of a tile as docs/environments/attention.md lists them: a score on a PE and rows of a tile on the lanes, before
# and after the maximum; then scores and rows where the 1D array does softmax.
ON_2D = {"1-pass": (1, 8, 1, 9), "2-pass": (1, 9, 1, 9), "2-pass-xnnpack": (9, 8, 1, 1), "3-pass": (1, 9, 1, 1)}
ON_1D = {"1-pass": (4, 5), "2-pass": (5, 5), "2-pass-xnnpack": (7, 2), "3-pass": (4, 0)}
PASSES = {"1-pass": 1, "2-pass": 2, "2-pass-xnnpack": 2, "3-pass": 3}


def plain_tile(s, d):
    """QK, softmax and AV of one tile, and all three fused: cycles."""
    r, is_one = max(d.pe_dim / d.lanes, 1.0), d.cascade == "1-pass"
    values = s.f if is_one else 0
    division = s.f / math.ceil(s.keys / d.pe_dim) if is_one else 0.0
    if d.softmax_on == "1d":
        per_score, rows = ON_1D[d.cascade]
        softmax = max(per_score * d.pe_dim / d.lanes, 1.0) * d.pe_dim + r * (rows + 2 * values + division)
        return s.e, softmax, s.f, max(s.e + s.f, softmax)
    first, last, rows_first, rows_last = ON_2D[d.cascade]
    rows_first, rows_last, drain = r * (rows_first + division), r * (rows_last + values), PASSES[d.cascade] * d.pe_dim
    softmax = max(first, rows_first) + drain + max(last, rows_last)
    if d.softmax_on == "2d":
        fused = max(s.e + first, rows_first) + drain + max(last + s.f, rows_last) + r * values
    else:
        fused = max(s.e + first, rows_first + r * values) + max(last + s.f, rows_last)
    return s.e, softmax, s.f, fused


ARRAYS_OF = {"none": ("1d", "2d"), "head": ("1d", "2d", "2d-interleaved"), "row": ("1d", "2d", "2d-interleaved")}
FUSED = [(cascade, array, fusion) for cascade in PASSES for fusion, arrays in ARRAYS_OF.items() for array in arrays]


@pytest.mark.parametrize(("cascade", "softmax_on", "fusion"), [x for x in FUSED if x[0] != "1-pass" or x[2] != "none"])
def test_every_cascade_takes_the_cycles_of_the_table(cascade, softmax_on, fusion):
    rng = np.random.default_rng(7)
    for _ in range(20):
        s = AttentionShape(*(int(x) for x in rng.integers(1, 300, 4)), *(int(x) for x in rng.integers(8, 129, 2)))
        d = replace(DESIGN, cascade=cascade, softmax_on=softmax_on, fusion=fusion, l3_bytes=2**30)
        d = replace(d, pe_dim=int(rng.integers(8, 100)), lanes=int(rng.integers(8, 300)))
        tiles = s.batch * s.heads * math.ceil(s.keys / d.pe_dim) * math.ceil(s.queries / d.pe_dim)
        qk, softmax, av, fused = plain_tile(s, d)
        cycles = tiles * (qk + softmax + av if fusion == "none" else fused)
        assert simulate(s, [d]).compute_cycles[0] == pytest.approx(cycles, rel=1e-12)


def test_phases_without_fusion_wait_for_their_own_traffic():
    s = AttentionShape(1, 1, 256, 256, 16, 16)
    d = replace(preset("unfused", s), pe_dim=16, lanes=16, bandwidth_gib_s=20, query_tiles=16)
    qk, softmax, av, _ = plain_tile(s, d)
    words = (2 * 256 * 16 + 256 * 256, 2 * 256 * 256, 2 * 256 * 16 + 256 * 256)
    pairs = zip((qk, softmax, av), words, strict=True)
    expected = sum(max(256 * cycles / 940e6, 2 * moved / (20 * 2**30)) for cycles, moved in pairs)
    result = simulate(s, [d])
    assert result.latency_s[0] == pytest.approx(expected, rel=1e-12)
    assert result.latency_s[0] > max(result.compute_cycles[0] / 940e6, result.traffic_bytes[0] / (20 * 2**30))
