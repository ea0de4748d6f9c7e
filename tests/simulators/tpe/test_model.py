"""Cycles by hand, and what transformations do to area, path and cycles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archgym_simulators.errors import InputError
from archgym_simulators.tpe.design import TpeDesign
from archgym_simulators.tpe.encodings import digits
from archgym_simulators.tpe.functional import multiply, needed_accumulator_bits
from archgym_simulators.tpe.model import evaluate
from archgym_simulators.tpe.operands import distribution_of, draw_codes
from archgym_simulators.tpe.precision import precision_of
from archgym_simulators.tpe.workloads import workload

OPT4C = TpeDesign(
    architecture="matrix",
    opt1=True,
    opt2=True,
    opt3=True,
    encoding="ent",
    encoder_placement="column",
    accumulator_bits=28,
)
OPT4E = replace(OPT4C, encoder_placement="group", lanes=4)


def cycles(design, spec):
    return float(evaluate([design], workload(spec)).column("cycles")[0])


def column(design, name, spec="gemm:64x64x64", **options):
    return float(evaluate([design], workload(spec), **options).column(name)[0])


@pytest.mark.parametrize(
    ("design", "expected"),
    [
        (TpeDesign(rows=8, columns=4), 13 * 15 * (50 + 8 + 4 - 2)),
        (TpeDesign(rows=8, columns=4, pipeline_cuts=2), 13 * 15 * (50 + 8 + 4 - 2 + 2)),
        (TpeDesign(architecture="systolic-ws", rows=8, columns=4), 7 * 15 * (100 + 16 + 4 - 2)),
        (TpeDesign(architecture="cube", rows=8, columns=4, depth=4), 13 * 15 * 13 + (8 + 4 + 4 - 3)),
        (TpeDesign(architecture="tree", rows=8, columns=4, depth=16), 13 * 15 * 4 + 4 + 1),
        (TpeDesign(architecture="matrix", rows=8, columns=4), 13 * 15 * 50 + 1),
        # One finishing adder for tiles of 1,024: 32 outputs take 32 cycles of it, less than the 50 of a tile.
        (TpeDesign(rows=8, columns=4, opt1=True), 13 * 15 * (50 + 8 + 4 - 2)),
        # 256 outputs and one adder: 256 cycles a tile.
        (TpeDesign(opt1=True), 7 * 4 * (256 + 16 + 16 - 2)),
    ],
)
def test_dense_cycles_by_hand(design, expected):
    assert cycles(design, "gemm:100x60x50") == expected


def test_repetitions_and_layers_add_up():
    one, other = cycles(OPT4C, "gemm:100x60x50"), cycles(OPT4C, "gemm:10x20x300")
    assert cycles(OPT4C, "gemm:100x60x50,gemm:10x20x300") == one + other


def test_skipped_digits_take_their_mean_and_the_wait_for_the_slowest():
    long = "gemm:16x16x65536;a=normal:25"
    design = replace(OPT4C, k_tile=4096)
    taken = cycles(design, long) / 65536
    assert 2.40 < taken < 2.40 * 1.03  # 2.40 cycles an operand with bubbles; tiles of 4,096 cost little
    assert cycles(replace(design, k_tile=64), long) > 1.05 * cycles(design, long)
    assert cycles(replace(design, fifo_depth=4), long) < cycles(design, long)
    assert cycles(replace(design, skip_group=16), long) < cycles(design, long)
    one_column = cycles(replace(design, rows=1, columns=256), "gemm:1x256x65536;a=normal:25")
    assert one_column == pytest.approx(2.40 * 65536, rel=0.01)


def test_lanes_share_the_operands_of_a_column():
    shape = "gemm:256x256x4096;a=normal:25"
    alone, four = (cycles(replace(d, k_tile=4096), shape) for d in (OPT4C, OPT4E))
    assert 3.5 < alone / four < 4.0


def drawn_tile(design, operands, sigma=25, trials=200):
    """Mean cycles of tiles of drawn operands: lanes wait at every digit weight, rows at the end of the tile."""
    codes = draw_codes(
        distribution_of(f"normal:{sigma}"),
        precision_of("int8"),
        n=trials * design.rows * operands,
        rng=np.random.default_rng(5),
    )
    shape = (trials, design.rows, design.lanes, operands // design.lanes // design.skip_group, design.skip_group, -1)
    counts = (digits(codes, design.encoding, 8) != 0).reshape(shape).sum(axis=4)
    return np.maximum(counts, 1).sum(axis=3).max(axis=2).sum(axis=2).max(axis=1).mean()


@pytest.mark.parametrize(
    ("encoding", "lanes", "rows", "k_tile", "within"),
    [("ent", 1, 16, 256, 0.015), ("ent", 4, 16, 256, 0.015), ("ent", 8, 4, 128, 0.015), ("naf", 8, 4, 128, 0.035)],
)
def test_tiles_take_what_drawn_operands_take(encoding, lanes, rows, k_tile, within):
    placement = "group" if lanes > 1 else "column"
    changes = {"encoding": encoding, "lanes": lanes, "rows": rows, "k_tile": k_tile, "encoder_placement": placement}
    design = replace(OPT4C, columns=1, **changes)
    taken = (cycles(design, f"gemm:{rows}x1x{50 * k_tile};a=normal:25") - 2) / 50
    assert taken == pytest.approx(drawn_tile(design, k_tile), rel=within)


@pytest.mark.parametrize("operands", ["laplace:5", "laplace:20", "normal:30"])
def test_the_values_of_operands_matter_only_where_zeros_are_skipped(operands):
    dense = TpeDesign(opt1=True)
    assert cycles(OPT4C, f"gemm:64x64x1024;a={operands}") < cycles(OPT4C, "gemm:64x64x1024;a=uniform")
    assert cycles(dense, f"gemm:64x64x1024;a={operands}") == cycles(dense, "gemm:64x64x1024;a=uniform")


def test_the_encoded_operand_decides_whose_digits_are_skipped():
    spec = "gemm:64x64x1024;a=laplace:3;b=laplace:30"
    b = replace(OPT4C, encoded_operand="b")
    assert cycles(OPT4C, spec) < cycles(b, spec)
    assert cycles(b, "gemm:64x64x1024;a=laplace:30;b=laplace:3") == cycles(OPT4C, spec)


@pytest.mark.parametrize("library", ["saed32", "umc22", "28nm"])
def test_carry_save_paths_do_not_grow_with_the_accumulator_and_plain_ones_do(library):
    widths = (16, 24, 32, 40, 48)

    def paths(**design):
        designs = [TpeDesign(rows=1, columns=1, accumulator_bits=width, **design) for width in widths]
        return evaluate(designs, workload("gemm:1x1x64"), library=library).column("shortest_period_ns")

    opt1, plain = paths(opt1=True), paths(final_adder="ripple")
    assert np.abs(opt1 / opt1.mean() - 1.0).max() <= 0.05
    assert plain[-1] / plain[0] >= 1.6
    prefix = paths(final_adder="brent-kung")
    assert (np.diff(prefix) >= 0).all()
    assert prefix[-1] > 1.1 * prefix[0]


def test_shared_encoders_take_less_area_and_lanes_share_a_compressor():
    in_pe = replace(OPT4C, encoder_placement="pe")
    assert column(OPT4C, "encode_um2") < 0.1 * column(in_pe, "encode_um2")
    # Four lanes share a pair of accumulator words: far less than four PEs.
    assert 0.45 < column(OPT4E, "area_um2", bare=True) / (4.0 * column(OPT4C, "area_um2", bare=True)) < 0.75


def test_circuits_grow_towards_their_shortest_period():
    design = TpeDesign(final_adder="sklansky")
    shortest = column(design, "shortest_period_ns")
    tight, relaxed = (replace(design, frequency_ghz=1.0 / (shortest * ratio)) for ratio in (1.0, 3.0))
    assert column(tight, "area_um2") > 1.1 * column(relaxed, "area_um2")
    result = evaluate([replace(design, frequency_ghz=1.0 / (0.9 * shortest))], workload("gemm:8x8x8"))
    assert result.slack_ns[0] == pytest.approx(-0.1 * shortest)


@pytest.mark.parametrize(
    "design",
    [
        TpeDesign(accumulator_bits=23),
        TpeDesign(opt1=True, accumulator_bits=23),
        TpeDesign(architecture="tree", depth=16, opt2=True, accumulator_bits=23),
        replace(OPT4C, accumulator_bits=20),
        replace(OPT4C, accumulator_bits=20, encoding="naf"),
        replace(OPT4C, accumulator_bits=20, encoding="sm-radix4"),
    ],
)
def test_needed_bits_are_those_of_the_functional_model(design):
    for k in (1, 2, 3, 16, 100, 1000):
        need = column(design, "needed_accumulator_bits", f"gemm:8x8x{k}@int8xint4")
        assert need == needed_accumulator_bits(design, k=k, a_bits=8, b_bits=4)


def test_the_largest_sum_fits_the_needed_bits_and_not_one_less():
    need = int(column(TpeDesign(), "needed_accumulator_bits", "gemm:1x1x16"))
    lowest = np.full((1, 16), -128)
    wide, narrow = (TpeDesign(accumulator_bits=bits) for bits in (need, need - 1))
    assert multiply(wide, lowest, lowest.T).overflow is None
    assert multiply(narrow, lowest, lowest.T).overflow is not None


def test_a_tile_bounds_the_sum_that_an_accumulator_holds():
    wide, narrow = (column(TpeDesign(k_tile=k), "needed_accumulator_bits", "gemm:8x8x4096") for k in (4096, 64))
    assert wide - narrow == 6


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"opt3": True}, "architecture matrix"),
        ({"architecture": "matrix", "opt3": True}, "carry-save accumulator (opt1)"),
        ({"opt2": True}, "architecture tree or cube"),
        ({"lanes": 4}, "there are no lanes without one"),
        ({"depth": 8}, "depth must be 1"),
        ({"encoding": "both"}, "did you mean 'booth'"),
        ({"rows": 0}, "rows must be a whole number 1..1024, not 0"),
        ({"frequency_ghz": -1.0}, "frequency_ghz must be a number above 0"),
        ({"opt1": 1}, "opt1 must be True or False, not 1"),
    ],
)
def test_impossible_designs_are_refused_in_one_line(values, part):
    with pytest.raises(InputError) as caught:
        TpeDesign(**values)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        ("resnet18@int9", "unknown precision 'int9'"),
        ("resnet18@int8xint8xint8", "one format or two"),
        ("resnet18;c=uniform", "must be a=OPERANDS or b=OPERANDS"),
        ("resnet18;a=unifrm", "did you mean 'uniform'"),
        ("resnet81", "did you mean 'resnet18'"),
    ],
)
def test_wrong_workloads_are_refused_in_one_line(spec, part):
    with pytest.raises(InputError) as caught:
        workload(spec)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_workload_has_one_name():
    assert workload("resnet18").name == "resnet18@int8"
    assert workload("resnet18@int8xint8;a=normal:24.4").name == "resnet18@int8"
    assert workload("gemm:8x8x8@e4m3;b=laplace:9").name == "gemm:8x8x8@e4m3;b=laplace:9"
