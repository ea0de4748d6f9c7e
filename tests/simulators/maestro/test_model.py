"""Mappings against a plain model that walks every iteration and keeps the words of every tile as sets."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from archgym_simulators.components.parts import NODES, sram_cost
from archgym_simulators.errors import InputError
from archgym_simulators.layers.layer import conv, gemm
from archgym_simulators.maestro.costs import L2_BANKS, area_mm2, energy_pj
from archgym_simulators.maestro.model import Hardware, LevelMapping, MaestroDesign, simulate
from archgym_simulators.maestro.workloads import DIMENSIONS, nests

# ---- the plain model -------------------------------------------------------------------------------------------------


def words(tile, stride, depthwise):
    """Weights, inputs and outputs that a tile (a list of indices for each dimension) touches."""
    k, c, y, x, r, s = tile
    rows = {a * stride + b for a in y for b in r}
    columns = {a * stride + b for a in x for b in s}
    return (
        frozenset(itertools.product([0] if depthwise else k, c, r, s)),
        frozenset(itertools.product(c, rows, columns)),
        frozenset(itertools.product(c if depthwise else k, y, x)),
    )


def walk(level, sizes, units, layer, depthwise, noc, off_chip, sub_cluster):
    """Every iteration of one level: cycles, then words in (weights, inputs), out, and into sub-clusters."""
    tile = [min(a, b) for a, b in zip(level.tiles, sizes, strict=True)]
    tiles = [-(-size // t) for size, t in zip(sizes, tile, strict=True)]
    parallel = DIMENSIONS.index(level.parallel)
    steps = [-(-n // units) if d == parallel else n for d, n in enumerate(tiles)]
    order = [DIMENSIONS.index(d) for d in level.order]
    total, before = np.zeros(6, dtype=np.int64), None
    for position in itertools.product(*(range(steps[d]) for d in order)):
        at = dict(zip(order, position, strict=True))
        across = range(at[parallel] * units, min((at[parallel] + 1) * units, tiles[parallel]))
        subs = [[indices(u if d == parallel else at[d], tile[d], sizes[d]) for d in range(6)] for u in across]
        each = [words(sub, layer.stride, depthwise) for sub in subs]
        now = [frozenset().union(*(one[tensor] for one in each)) for tensor in range(3)]
        results = [sub_cluster([len(side) for side in sub]) for sub in subs]
        old = before or (frozenset(), frozenset(), frozenset())
        weights, inputs = (len(now[tensor] - old[tensor]) for tensor in (0, 1))
        outputs = len(now[2]) if now[2] != old[2] else 0
        arriving = max(-(-(weights + inputs) // rate) for rate in (noc, off_chip))
        leaving = max(-(-outputs // rate) for rate in (noc, off_chip))
        busy = max(result[0] for result in results)
        cycles = busy + arriving if before is None else max(busy, arriving, leaving)
        total += [cycles, weights, inputs, outputs, sum(r[1] for r in results), sum(r[2] for r in results)]
        before = now
    return total.tolist()


def indices(number, tile, size):
    return list(range(number * tile, min((number + 1) * tile, size)))


def plain(layer, design, hardware):
    depthwise = layer.kind == "depthwise"
    k, c = (1, layer.groups) if depthwise else (layer.k, layer.c)
    known = {}

    def cluster(sizes):
        key = tuple(sizes)
        if key not in known:
            macs = lambda tile: (int(np.prod(tile)), 0, 0)  # noqa: E731
            noc = hardware.noc_words
            known[key] = walk(design.inner, sizes, design.cluster, layer, depthwise, noc, 2**60, macs)
        return known[key]

    sizes = [k, c, layer.p, layer.q, layer.r, layer.s]
    clusters = hardware.pes // design.cluster
    return walk(design.outer, sizes, clusters, layer, depthwise, hardware.noc_words, hardware.off_chip_words, cluster)


def random_level(rng):
    order = tuple(rng.permutation(DIMENSIONS).tolist())
    return LevelMapping(order, str(rng.choice(DIMENSIONS)), tuple(int(n) for n in rng.integers(1, 6, 6)))


def random_layer(rng):
    k, c, p, q = (int(n) for n in rng.integers(1, 6, 4))
    r, s, stride = (int(n) for n in rng.integers(1, 4, 3))
    if rng.random() < 0.25 and c > 1:
        return conv("depthwise", (p, q), channels=(c, c), kernel=(r, s), stride=stride, groups=c)
    return conv("conv", (p, q), channels=(c, k), kernel=(r, s), stride=stride)


@pytest.mark.parametrize("seed", range(8))
def test_cycles_and_accesses_are_those_of_a_walk_over_every_iteration(seed):
    rng = np.random.default_rng(seed)
    for _ in range(40):
        layer = random_layer(rng)
        design = MaestroDesign(random_level(rng), random_level(rng), int(rng.integers(1, 5)))
        hardware = Hardware(*(int(n) for n in rng.integers([4, 1, 1], [13, 5, 5])))
        result = simulate([layer], [design], hardware=hardware)
        names = ("cycles", "l2_weight_reads", "l2_input_reads", "l2_output_writes")
        got = [int(getattr(result, name)[0]) for name in names]
        assert got == plain(layer, design, hardware)[:4], (layer, design, hardware)
        assert result.l2_output_reads[0] == got[3] - layer.output_words
        assert result.macs[0] == layer.macs


# ---- by hand ---------------------------------------------------------------------------------------------------------

ALL = 1000
KC = MaestroDesign(
    LevelMapping(("K", "C", "Y", "X", "R", "S"), "K", (1, 4, 1, 1, ALL, ALL)),
    LevelMapping(("C", "K", "Y", "X", "R", "S"), "C", (1, 1, 1, 1, ALL, ALL)),
    4,
)


def test_a_weight_stationary_mapping_by_hand():
    # Two clusters of four PEs: two of eight K at a time, all four C at once, six pixels one after another.
    layer = conv("c", (2, 3), channels=(4, 8), kernel=1)
    result = simulate([layer], [KC], hardware=Hardware(8, 100, 100))
    # An iteration takes a cycle for its words to reach the PEs, and one to multiply; the first waits for L2 as well.
    assert result.cycles[0] == 4 * 6 * 2 + 1
    assert result.l2_weight_reads[0] == 8 * 4
    assert result.l2_input_reads[0] == 4 * 6 * 4
    assert (result.l2_output_writes[0], result.l2_output_reads[0]) == (8 * 6, 0)
    assert result.l1_weight_writes[0] == 4 * 6 * 2 * 4
    assert (result.l1_words[0], result.l2_words[0]) == (2 * 3, 2 * (8 + 4 + 2))


def test_partial_sums_come_back_where_reduction_is_outside():
    layer = conv("c", (2, 2), channels=(6, 2), kernel=1)
    outer = replace(KC.outer, order=("C", "K", "Y", "X", "R", "S"), tiles=(1, 2, 1, 1, 1, 1))
    result = simulate([layer], [replace(KC, outer=outer)], hardware=Hardware(8, 8, 8))
    assert result.l2_output_writes[0] == 3 * 8
    assert result.l2_output_reads[0] == 2 * 8


def test_windows_that_overlap_are_read_once_in_a_row():
    layer = conv("c", (1, 5), channels=(1, 1), kernel=3)
    outer = replace(KC.outer, tiles=(1, 1, 1, 1, ALL, ALL))
    assert simulate([layer], [replace(KC, outer=outer)]).l2_input_reads[0] == 3 * 7
    apart = conv("c", (1, 5), channels=(1, 1), kernel=1, stride=3)
    assert simulate([apart], [replace(KC, outer=outer)]).l2_input_reads[0] == 5


def test_layers_groups_and_repetitions_add_up_and_buffers_are_the_largest():
    one, two = conv("a", 4, channels=(8, 8), kernel=3), gemm("b", 6, 5, 7)
    parts = [simulate([layer], [KC]) for layer in (one, two)]
    grouped = conv("g", 4, channels=(24, 24), kernel=3, groups=3)
    whole = simulate([replace(one, repeat=2), two, grouped], [KC])
    assert whole.cycles[0] == (2 + 3) * parts[0].cycles[0] + parts[1].cycles[0]
    assert whole.macs[0] == 5 * one.macs + two.macs
    assert whole.l2_words[0] == max(part.l2_words[0] for part in parts)


def test_nests_of_layers():
    assert nests([gemm("g", 6, 5, 7, groups=2)])[0].tolist() == [5, 7, 6, 1, 1, 1, 1, 0, 2]
    depthwise = conv("d", (4, 5), channels=(9, 9), kernel=3, stride=2, groups=9, batch=3)
    assert nests([depthwise])[0].tolist() == [1, 9, 4, 5, 3, 3, 2, 1, 3]


@pytest.mark.parametrize("tile", range(1, 15))
def test_no_multiplication_is_lost_or_done_twice(tile):
    # The tool's own counts lose MACs where tiles do not divide; one PE must take a cycle for each, and no more.
    layer = conv("c", (7, 5), channels=(3, 4), kernel=3)
    level = LevelMapping(DIMENSIONS, "K", (tile,) * 6)
    result = simulate([layer], [MaestroDesign(level, level, 1)], hardware=Hardware(1, 2**29, 2**29))
    starts = int(np.prod([-(-n // tile) for n in (4, 3, 7, 5, 3, 3)]))
    assert result.cycles[0] == layer.macs + starts + 1


def test_energy_and_area_are_the_sum_of_their_parts():
    layer = conv("c", (2, 3), channels=(4, 8), kernel=1)
    hardware = Hardware(8, 100, 100)
    result = simulate([layer], [KC], hardware=hardware)
    node = NODES[28]
    smallest = sram_cost(node, np.array([16.0]))
    leak_mw = 1e-3 * (8 * (node.mac_leak_uw + smallest.leak_uw[0]) + L2_BANKS * smallest.leak_uw[0])
    l2 = 32 + 96 + 48
    expected = 192 * node.mac_pj + 3 * 192 * smallest.read_pj[0]
    expected += (192 + 192 + int(result.l1_input_writes[0])) * smallest.write_pj[0]
    expected += l2 * (smallest.read_pj[0] + smallest.write_pj[0] + 128.0) + leak_mw * 49.0
    energy = energy_pj(node, result, pes=8, latency_ns=np.array([49.0]))
    assert energy[0] == pytest.approx(expected, rel=1e-12)
    area = 8 * (node.mac_area_um2 + smallest.area_um2[0]) + L2_BANKS * smallest.area_um2[0]
    assert area_mm2(node, result, pes=8)[0] == pytest.approx(1e-6 * area, rel=1e-12)


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (
            lambda: replace(KC.outer, order=("K", "K", "Y", "X", "R", "S")),
            "order must hold each of K, C, Y, X, R, S once",
        ),
        (lambda: replace(KC.outer, parallel="Z"), "parallel must be one of K, C, Y, X, R, S, not 'Z'"),
        (lambda: replace(KC.outer, tiles=(1, 0, 1, 1, 1, 1)), "tile of C must be a whole number from 1, not 0"),
        (lambda: replace(KC.outer, tiles=(1, 2)), "tiles must be one number for each"),
        (lambda: replace(KC, cluster=0), "cluster must be a whole number of PEs from 1, not 0"),
        (lambda: Hardware(pes=0), "pes must be a whole number 1..2^30, not 0"),
        (lambda: Hardware(noc_words=1.5), "noc_words must be a whole number"),
        (
            lambda: simulate([gemm("g", 2, 2, 2)], [KC], hardware=Hardware(2)),
            "cluster must be at most the 2 PEs, not 4",
        ),
        (lambda: simulate([gemm("g", 2**20, 2**20, 2**12)], [KC]), "the workload needs 4.5e+15 MACs"),
    ],
)
def test_wrong_designs_are_refused_in_one_line(make, part):
    with pytest.raises(InputError) as caught:
        make()
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)
