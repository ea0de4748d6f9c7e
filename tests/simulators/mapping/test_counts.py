"""The closed form against a nest that is walked, against Timeloop, and against numbers that one can check by hand."""

from __future__ import annotations

import numpy as np
import pytest

from archgym_simulators.errors import InputError
from archgym_simulators.layers.layer import Layer, conv
from archgym_simulators.mapping.hardware import TENSORS, Buffer, Hardware
from archgym_simulators.mapping.model import LayerMapping, MappingArrays, simulate
from tests.simulators.mapping.plain_nest import PlainNest
from tests.simulators.mapping.tiny import roomy_hardware, tiny_layer, tiny_mapping

ACCESSES = ("reads", "updates", "fills")
SMALL = LayerMapping(dram={"K": 2}, glb={"P": 4, "C": 2}, x={"K": 2}, pe={"R": 3}, dram_order="K", glb_order=("C", "P"))
SMALL_LAYER = conv("c", (4, 1), channels=(2, 4), kernel=(3, 1))


def counts_of(result):
    return {
        (level, tensor, access): int(result.counts[0, i, j, k])
        for i, level in enumerate(("pe", "glb", "dram"))
        for j, tensor in enumerate(TENSORS)
        for k, access in enumerate(ACCESSES)
    }


@pytest.mark.parametrize("links", [False, True])
@pytest.mark.parametrize("seed", range(60))
def test_every_count_is_that_of_the_walked_nest(seed, links):
    rng = np.random.default_rng([seed, links])
    for _ in range(4):
        layer = tiny_layer(rng)
        mapping = tiny_mapping(layer, rng)
        walked = PlainNest(layer, mapping, links=links)
        result = simulate(layer, roomy_hardware(), [mapping], links=links)
        assert counts_of(result) == walked.counts, (layer, mapping)
        assert result["link_words"][0] == walked.carried


def test_a_small_mapping_by_hand():
    """Two columns, one for each of two filters of a pass; a sliding window of 3 rows over 6."""
    result = simulate(SMALL_LAYER, roomy_hardware(), [SMALL])
    counts = counts_of(result)
    assert counts["pe", "inputs", "fills"] == 2 * 2 * 2 * 6  # PEs x passes x channels x rows: 3 + 1 + 1 + 1
    assert counts["glb", "inputs", "reads"] == 2 * 2 * 6  # both columns take the same tile
    assert counts["glb", "inputs", "fills"] == counts["dram", "inputs", "reads"] == 12  # once: K does not move it
    assert counts["pe", "weights", "fills"] == counts["dram", "weights", "reads"] == 4 * 2 * 3
    assert counts["pe", "outputs", "updates"] == SMALL_LAYER.macs == 96
    assert counts["glb", "outputs", "updates"] == 2 * 16  # C outside P: every sum comes back once
    assert counts["glb", "outputs", "reads"] == counts["pe", "outputs", "fills"] == 16
    assert counts["dram", "outputs", "updates"] == 16
    assert counts["dram", "outputs", "reads"] == 0
    assert result["compute_cycles"][0] == 48
    assert result["pes"][0] == 2


def test_energy_and_cycles_follow_from_the_counts():
    rng = np.random.default_rng(5)
    hardware = roomy_hardware(link_pj=0.5)
    for _ in range(50):
        layer = tiny_layer(rng)
        result = simulate(layer, hardware, [tiny_mapping(layer, rng)], links=True)
        counts, pes = result.counts[0].astype(float), result["pes"][0]
        reads, writes = counts[:, :, 0].sum(axis=1), counts[:, :, 1:].sum(axis=(1, 2))
        spent = reads @ [2.0, 5.0, 101.0] + writes @ [3.0, 7.0, 103.0] + layer.macs + 0.5 * result["link_words"][0]
        assert result["energy_pj"][0] == pytest.approx(spent, rel=1e-12)
        parts = [result[f"energy_{part}_pj"][0] for part in ("mac", "pe", "glb", "dram", "link")]
        assert sum(parts) == pytest.approx(spent, rel=1e-12)
        ports = np.ceil([*(reads / [2 * pes, 16, 4]), *(writes / [2 * pes, 8, 4])])
        assert result["cycles"][0] == max(layer.macs / pes, ports.max())


def test_wide_accesses_are_whole_and_separate_buffers_have_ports_of_their_own():
    separate = tuple(Buffer(t, 1e6, 1.0, 1.0, 2.0, 2.0, (t,)) for t in TENSORS)
    wide = Buffer("wide", 1e6, 1.0, 1.0, 64.0, 64.0, width=64)
    one = simulate(SMALL_LAYER, roomy_hardware(pe=separate, glb=(wide,)), [SMALL])
    counts = one.counts[0, 1].astype(float)
    assert one["energy_glb_pj"][0] == (np.ceil(counts / 64) * 64).sum()
    file = Buffer("wide file", 1e6, 2.0, 3.0, 4.0, 4.0, width=8)
    two = simulate(SMALL_LAYER, roomy_hardware(pe=(file,)), [SMALL])
    whole = np.ceil(two.counts[0, 0] / 2 / 8) * 8 * 2  # two PEs
    assert two["energy_pe_pj"][0] == (whole * [2.0, 3.0, 3.0]).sum()
    # One PE reads 48 weights, 48 inputs and 40 sums over 2 words a cycle each: no port is busier than the multiplier.
    assert one["pe_cycles"][0] == one["compute_cycles"][0] == 48
    shared = roomy_hardware(pe=(Buffer("file", 1e6, 1.0, 1.0, 2.0, 2.0),))
    assert simulate(SMALL_LAYER, shared, [SMALL])["pe_cycles"][0] == 68  # (48 + 48 + 40) / 2


def test_what_does_not_fit_is_named_with_what_it_needs():
    tight = roomy_hardware(columns=1, glb=(Buffer("global buffer", 20, 1.0, 1.0, 1.0, 1.0),))
    result = simulate(SMALL_LAYER, tight, [SMALL])
    assert (result["broken"][0], result["need"][0], result["room"][0]) == (0, 2, 1)
    need = 2 * 2 * 3 + 2 * 6 + 2 * 4
    assert result["violation"][0] == pytest.approx(np.log(2) + np.log(need / 20))
    assert result["energy_pj"][0] == 0.0
    assert not result.counts.any()
    enough = roomy_hardware(glb=(Buffer("global buffer", need, 1.0, 1.0, 1.0, 1.0),))
    assert simulate(SMALL_LAYER, enough, [SMALL])["broken"][0] == -1
    passing = LayerMapping(**{**vars(SMALL), "keep_glb": ("weights",)})
    assert simulate(SMALL_LAYER, roomy_hardware(glb=(Buffer("glb", 12, 1.0, 1.0, 1.0, 1.0),)), [passing])["broken"] < 0


def test_no_tensor_moves_less_than_once_or_more_than_at_every_step():
    rng = np.random.default_rng(11)
    for _ in range(200):
        layer = tiny_layer(rng, most=20_000)
        mapping = tiny_mapping(layer, rng)
        for halo in ("exact", "timeloop"):
            dram = simulate(layer, roomy_hardware(), [mapping], halo=halo).counts[0, 2]
            touched = layer.input_words if min(layer.r, layer.s) >= layer.stride else 0
            assert dram[0, 0] >= layer.weight_words
            assert dram[1, 0] >= touched or halo == "timeloop"
            assert dram[2, 1] >= layer.output_words
            assert dram.max() <= layer.macs * 9


def test_batches_give_the_bits_of_single_designs():
    rng = np.random.default_rng(3)
    layer = Layer("l", "conv", n=1, k=4, c=6, p=6, q=4, r=3, s=3)
    mappings = [tiny_mapping(layer, rng) for _ in range(64)]
    for links in (False, True):
        together = simulate(layer, roomy_hardware(), MappingArrays.of(mappings), links=links)
        for i, mapping in enumerate(mappings):
            alone = simulate(layer, roomy_hardware(), [mapping], links=links)
            assert np.array_equal(together.values[i], alone.values[0])
            assert np.array_equal(together.counts[i], alone.counts[0])


def test_links_save_what_neighbours_have():
    """Four PEs side by side along P, a window of 3 rows over time: three of four rows come from the next PE."""
    layer = conv("c", (4, 1), channels=(1, 1), kernel=(3, 1))
    mapping = LayerMapping(glb={"R": 3}, x={"P": 4}, glb_order="R")
    alone, linked = (simulate(layer, roomy_hardware(), [mapping], links=links) for links in (False, True))
    assert alone.counts[0, 1, 1, 0] == 12
    assert linked.counts[0, 1, 1, 0] == 4 + 1 + 1
    assert linked["link_words"][0] == 6
    assert linked.counts[0, 0, 1, 0] == alone.counts[0, 0, 1, 0] + 6  # the neighbour reads them


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"glb": {"P": 0}}, "factor of P in glb must be a whole number from 1, not 0"),
        ({"glb": {"P": -4}}, "factor of P in glb must be a whole number from 1, not -4"),
        ({"x": {"M": 4}}, "unknown dimension of x 'M'; allowed: N, K, C, P, Q, R, S"),
        ({"keep_pe": ("weight",)}, "unknown tensor of keep_pe 'weight'; did you mean 'weights'?; allowed: weights"),
        ({"dram_order": ("K", "K")}, "dram_order must name a dimension once, not K>K"),
        ({"glb": {"K": 3}}, "factors of K must multiply to 4, not 1x3x1x1x1 = 3"),
    ],
)
def test_bad_mappings_are_refused_in_one_line(mapping, message):
    with pytest.raises(InputError) as error:
        simulate(SMALL_LAYER, roomy_hardware(), [LayerMapping(**mapping)])
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_bad_hardware_is_refused_in_one_line():
    with pytest.raises(InputError, match="cannot hold 'weigths'; did you mean 'weights'"):
        Buffer("spad", 16, 1.0, 1.0, 1.0, 1.0, ("weigths",))
    with pytest.raises(InputError, match="words of spad must be above 0, not 0"):
        Buffer("spad", 0, 1.0, 1.0, 1.0, 1.0)
    with pytest.raises(InputError, match="level pe of x must hold weights, inputs, outputs once each, not weights"):
        Hardware("x", 1, 1, (Buffer("s", 1, 1.0, 1.0, 1.0, 1.0, ("weights",)),), (), Buffer("d", 1, 1, 1, 1, 1), 1.0)
    with pytest.raises(InputError, match=r"columns of roomy must be a whole number 1..4096, not 0"):
        roomy_hardware(columns=0)
    with pytest.raises(InputError, match="unknown halo 'exakt'; did you mean 'exact'"):
        simulate(SMALL_LAYER, roomy_hardware(), [SMALL], halo="exakt")
