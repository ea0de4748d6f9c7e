"""Dot diagrams, published components and published peers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archgym_simulators._jit import kernel
from archgym_simulators.errors import InputError
from archgym_simulators.tpe.design import TpeDesign
from archgym_simulators.tpe.dots import adder_cells, adder_delay, compress, put_rows
from archgym_simulators.tpe.libraries import LIBRARIES, library_of
from archgym_simulators.tpe.mhe import MheArray, dense_systolic, mhe_costs
from archgym_simulators.tpe.model import evaluate
from archgym_simulators.tpe.operands import distribution_of, draw_codes
from archgym_simulators.tpe.peers import PEERS, peer_cycles
from archgym_simulators.tpe.precision import precision_of
from archgym_simulators.tpe.workloads import workload

REFS = Path(__file__).resolve().parents[4] / "shared" / "refs" / "tpe"
INT8 = precision_of("int8")


@kernel
def reduced(words, bits, kind):
    heights = np.zeros(256, np.int64)
    put_rows(heights, words, 0, bits)
    found = compress(heights, 256, kind, 2)
    return found[0], found[1], found[2], heights


@kernel
def adder(width, kind):
    return adder_cells(width, kind), adder_delay(width, kind)


@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize("words", [2, 3, 4, 6, 9, 16, 33])
def test_a_compressor_leaves_two_words_and_loses_no_dot(words, kind):
    full, _, levels, heights = reduced(words, 8, kind)
    assert heights.max() == 2
    # A full adder turns three dots into two, a half adder two into two.
    assert heights.sum() == 8 * words - full
    assert levels >= np.ceil(np.log(words / 2) / np.log(1.5 if kind < 2 else 2)) * (1 if kind < 2 else 1.0)


def test_dadda_reaches_the_known_levels():
    assert [reduced(words, 8, 1)[2] for words in (3, 4, 6, 9, 13, 19, 28)] == [1, 2, 3, 4, 5, 6, 7]


def test_prefix_adders_have_the_textbook_cells_and_the_delay_that_synthesis_gives_them():
    assert adder(32.0, 0) == ((32.0, 0.0, 0.0), 29.0)
    assert adder(32.0, 1) == ((0.0, 57.0, 32.0), pytest.approx(4.4))
    assert adder(32.0, 2) == ((0.0, 129.0, 32.0), 4.0)
    assert adder(32.0, 3) == ((0.0, 80.0, 32.0), pytest.approx(4.4))


def test_every_number_of_a_library_says_where_it_is_from():
    for library in LIBRARIES.values():
        said = ", ".join(library.fitted_on)
        for name in ("gate_um2", "register_um2", "gate_growth", "register_growth", "delays", "register_fj", "leakage"):
            assert name in said
    with pytest.raises(InputError, match="did you mean 'umc22'"):
        library_of("umc20")


def periods(*designs):
    work = workload("gemm:64x64x64@int8")
    return evaluate(designs, work, bare=True).column("shortest_period_ns")


def test_a_ripple_adder_behind_another_adds_its_first_bit_only():
    """A tree of 8 has three more adders in a row than one of 1; prefix adders add all of theirs."""
    saed = library_of("saed32")
    tree = {"architecture": "tree", "rows": 1, "columns": 1}
    ripple = periods(*(TpeDesign(depth=depth, final_adder="ripple", **tree) for depth in (2, 8)))
    assert ripple[1] - ripple[0] == pytest.approx(2.0 * saed.chain_ns + 2.0 * saed.ripple_ns)
    prefix = periods(*(TpeDesign(depth=depth, final_adder="kogge-stone", **tree) for depth in (2, 8)))
    assert prefix[1] - prefix[0] > 2.0 * 3.0 * saed.carry_ns


def test_candidates_are_made_beside_the_digits_unless_a_cut_is_between():
    one = {"rows": 1, "columns": 1, "opt1": True}
    fast, slow = (TpeDesign(encoding=encoding, **one) for encoding in ("booth", "ent"))
    saed = library_of("saed32")
    negation = 0.8 * 2.0 * saed.carry_ns  # of 8 bits
    ent = 3.0 * saed.encode_ns + 4.0 * 0.4 * saed.carry_ns
    both = periods(fast, slow)
    assert both[1] - both[0] == pytest.approx(ent - negation)  # Booth's encoder is faster than the negation


def test_mac_and_opt1_registers_are_those_of_the_rtl():
    """MAC PE: 16 operand bits and 32 of the accumulator; OPT1 has two words; an OPT4C PE 2 + 8 + 2 x 26."""
    bound = workload("gemm:1x1x1")

    def bits(design):
        slow = evaluate([design], bound, bare=True).part_um2()["registers"][0]
        return slow / library_of("saed32").register_um2

    assert bits(TpeDesign(rows=1, columns=1)) == pytest.approx(48)
    assert bits(TpeDesign(rows=1, columns=1, opt1=True)) == pytest.approx(80)
    skipping = {"architecture": "matrix", "opt1": True, "opt2": True, "opt3": True, "encoding": "ent"}
    column = TpeDesign(
        rows=1, columns=2, encoder_placement="column", accumulator_bits=26, frequency_ghz=0.01, **skipping
    )
    longer = TpeDesign(
        rows=1, columns=3, encoder_placement="column", accumulator_bits=26, frequency_ghz=0.01, **skipping
    )
    assert bits(longer) - bits(column) == pytest.approx(62)


def table(name):
    import pandas as pd

    path = REFS / name
    if not path.exists():
        pytest.skip(f"no reference table {path.name}")
    return pd.read_csv(path, comment="#")


def test_tiles_of_table_5():
    frame = table("mhe_tpe_table5_dev.csv")
    ours = [mhe_costs(MheArray(int(row.mhd), int(row.tree))) for row in frame.itertuples()]

    def miss(name, column):
        return np.abs(np.array([getattr(costs, name) for costs in ours]) / frame[column] - 1.0).mean()

    assert miss("tile_um2", "area_total_um2") < 0.03
    assert miss("tree_um2", "area_tree_um2") < 0.08
    assert miss("tile_mw", "p_total_mW") < 0.06
    assert [round(costs.tops, 3) for costs in ours] == frame["TOPS"].tolist()


@pytest.mark.parametrize(("bits", "published"), [(4, 18.76), (8, 9.32), (16, 3.17)])
def test_systolic_arrays_of_table_8(bits, published):
    assert 2e3 / dense_systolic(bits, bits).area_um2 == pytest.approx(published, rel=0.01)


def peers_by_drawing(name, group, n=40_000):
    """The same definitions, operand by operand."""
    from archgym_simulators.tpe.encodings import digits

    rng = np.random.default_rng(3)
    a, b = (draw_codes(distribution_of("normal:25"), INT8, n=n * group, rng=rng) for _ in range(2))
    encoding = PEERS[name].encoding
    nonzero = (digits(a, encoding, 8) != 0).reshape(n, group, -1)
    if name == "Pragmatic":
        return nonzero.sum(axis=2).max(axis=1).mean()
    if name == "Laconic":
        other = (digits(b, encoding, 8) != 0).sum(axis=1).reshape(n, group)
        return (nonzero.sum(axis=2) * other).max(axis=1).mean()
    if name == "Bitlet":
        return nonzero.sum(axis=1).max(axis=1).mean() / group
    if name == "BitWave":
        return (nonzero.any(axis=1).sum(axis=1) + (a.reshape(n, group) < 0).any(axis=1)).mean()
    magnitude = np.abs(a)
    return (
        ((magnitude >> 3 != 0).mean() + (magnitude & 7 != 0).mean())
        if name == "Sibia"
        else {"Stripes": 8.0}.get(name, 1)
    )


@pytest.mark.parametrize("name", PEERS)
def test_peers_are_their_definitions(name):
    operands = distribution_of("normal:25")
    group = min(PEERS[name].group, 16)
    ours = peer_cycles(name, precisions=(INT8, INT8), distributions=(operands, operands), group=group)
    # Bitlet's bit columns are taken as independent, which they are not quite.
    assert ours == pytest.approx(peers_by_drawing(name, group), rel=0.02)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"name": "Stripe"}, "did you mean 'Stripes'"),
        ({"name": "Bitlet", "group": 0}, "group must be 1 or more"),
        ({"name": "Bitlet", "precisions": (precision_of("e4m3"), INT8)}, "multiplies integers, not e4m3 by int8"),
    ],
)
def test_wrong_peers_are_refused(arguments, part):
    operands = distribution_of("normal:25")
    with pytest.raises(InputError) as caught:
        peer_cycles(**({"precisions": (INT8, INT8), "distributions": (operands, operands)} | arguments))
    assert part in str(caught.value)
