"""MAESTRO's rules: rows of the tool where they are present, and single rules by hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from archgym_simulators.errors import InputError
from archgym_simulators.maestro.directives import Directive, parse_directives
from archgym_simulators.maestro.replay import replay
from archgym_simulators.maestro.simulator import MaestroSimulator

REFS = Path(__file__).resolve().parents[4] / "shared" / "refs" / "dnn"
KC = (
    "S(1,1)K T(64,64)C T(Sz(R),Sz(R))R T(Sz(S),Sz(S))S T(Sz(R),1)Y T(Sz(S),1)X "
    "C:64 S(1,1)C T(Sz(R),1)Y T(Sz(S),1)X T(Sz(R),Sz(R))R T(Sz(S),Sz(S))S"
)
X_P = "T(1,1)K T(1,1)C T(Sz(R),1)Y S(Sz(S),1)X T(Sz(R),Sz(R))R T(Sz(S),Sz(S))S"


def run(text, sizes, **options):
    layer = dict(zip("KCRSYX", sizes, strict=True))
    limits = {"pes": 256, "noc_words": 1000, "off_chip_words": 10**9, **options}
    return replay(parse_directives(text, layer), layer, **limits)


def rows_of(prefix, status="ok"):
    # The two tables share the start of their names.
    found = [p for p in sorted(REFS.glob(f"{prefix}*.csv")) if ("gamma" in p.name) == ("gamma" in prefix)]
    if not found:
        pytest.skip("the reference tables are not at ../shared/refs")
    frame = pd.concat([pd.read_csv(path) for path in found])
    return frame[frame["status"] == status] if "status" in frame else frame


def replayed(row):
    depthwise = getattr(row, "type", "") == "DSCONV"
    sizes = (1 if depthwise else row.K, row.C, row.R, row.S, row.Y, row.X)
    options = {"stride": int(getattr(row, "stride_x", 1)), "depthwise": depthwise}
    return run(row.mapping, sizes, pes=row.num_pes, noc_words=row.noc_bw, off_chip_words=row.offchip_bw, **options)


def has_whole_macs(rows):
    """Rows on which the tool counts the layer's MACs as they are."""
    stride, depthwise = rows.get("stride_x", 1), rows.get("type", pd.Series("", rows.index)) == "DSCONV"
    outputs = ((rows["Y"] - rows["R"]) // stride + 1) * ((rows["X"] - rows["S"]) // stride + 1)
    filters = rows["K"].where(~depthwise, 1)
    return (rows["num_macs"] == filters * rows["C"] * rows["R"] * rows["S"] * outputs).to_numpy()


@cache
def compared(prefix):
    """Rows of a table, what we make of them, and our relative error in cycles."""
    rows = rows_of(prefix)
    results = [replayed(row) for row in rows.itertuples()]
    errors = abs(np.array([result.cycles for result in results]) / rows["runtime_cycles"].to_numpy() - 1.0)
    return rows, results, errors


def test_canonical_dataflows_take_the_tool_s_cycles():
    rows, _, errors = compared("maestro")
    strided = (rows["stride_x"] > 1).to_numpy()
    assert (errors[~strided] == 0.0).mean() >= 0.99
    assert errors[has_whole_macs(rows)].max() <= 0.05
    # What is left over is one strided layer on which the tool counts three times the MACs.
    assert (errors[strided] == 0.0).mean() >= 0.95


@pytest.mark.parametrize("prefix", ["maestro", "maestro_gamma_random"])
def test_mappings_need_the_tool_s_buffers_and_make_its_accesses(prefix):
    rows, results, _ = compared(prefix)
    assert len(rows) >= 200
    pairs = {"l2_output_writes": "out_l2_wr", "l2_weight_reads": "w_l2_rd", "l2_input_reads": "in_l2_rd"}
    for ours, theirs in {"l1_words": "l1_req_bytes", "l2_words": "l2_req_bytes", **pairs}.items():
        is_equal = np.array([getattr(result, ours) for result in results]) == rows[theirs]
        assert is_equal.mean() >= 0.99, ours


def test_random_mappings_take_the_tool_s_cycles_even_where_it_loses_macs():
    rows, _, errors = compared("maestro_gamma_random")
    assert not has_whole_macs(rows).all()
    assert (errors == 0.0).mean() >= 0.99


def test_mappings_without_a_finite_result_are_refused_with_the_tool_s_outputs():
    rows = rows_of("maestro_gamma_random", "nonfinite_or_nonpos")
    assert len(rows)
    for row in rows.itertuples():
        with pytest.raises(InputError, match=f"counts {row.out_l2_wr} outputs and gives no finite result"):
            replayed(row)


# ---- single rules ----------------------------------------------------------------------------------------------------


def test_one_level_over_columns_by_hand():
    # 9 cycles for each of 4 x 3 x 6 iterations; the first also waits for a word of 9 weights and 6 x 9 inputs.
    assert run(X_P, (4, 3, 3, 3, 8, 8)).cycles == 4 * 3 * 6 * 9 + 1


def test_an_inner_cluster_starts_anew_for_every_outer_iteration():
    # 256 PEs are 4 clusters: 64 / 4 steps of K, one of C, 5 x 5 pixels, each one cycle to fill and one to multiply.
    assert run(KC, (64, 64, 1, 1, 5, 5)).cycles == 16 * 25 * 2 + 1


def test_memory_off_the_chip_delivers_every_iteration_anew():
    # 4 x 64 weights and 64 inputs at 50 words a cycle, rounded down.
    assert run(KC, (64, 64, 1, 1, 5, 5), off_chip_words=50).cycles == 16 * 25 * 6


ROWS = "T(9,9)K T(9,9)C T(9,9)R T(9,9)S T(9,9)X'"


def test_input_rows_of_a_sub_cluster_alone_in_the_last_fold_count_as_outputs():
    # 5 output rows of 3 MACs each in tiles of 2: two rows side by side, then one, whose 3 input rows count as outputs.
    assert run(f"{ROWS} T(5,5)Y' C:2 S(2,2)Y'", (1, 1, 3, 1, 7, 1)).cycles == 2 * 3 + 3 * 3 + 2
    assert run(f"{ROWS} T(6,6)Y' C:3 S(2,2)Y'", (1, 1, 3, 1, 8, 1)).cycles == 2 * 3 + 2


def test_a_partial_fold_of_a_partial_outer_tile_is_the_last_one_of_a_whole_tile():
    # 9 filters in tiles of 7: folds of 2 x 3 and 1 x 1; what is left over, 2 filters on one sub-cluster, takes 1 too.
    assert run("T(7,7)K C:2 S(3,3)K", (9, 1, 1, 1, 1, 1)).cycles == (3 + 1 + 1) + (1 + 1) + 1
    # Both sub-clusters are busy with whole tiles: nothing partial about it.
    assert run("T(7,7)K C:2 S(3,3)K", (13, 1, 1, 1, 1, 1)).cycles == (3 + 1 + 1) + (3 + 1) + 1


def test_the_last_fold_loses_a_whole_tile_beside_a_partial_one():
    # 8 filters in tiles of 3 on two sub-clusters would be 3 + 3 and 2: folds of 3 and 2. On three: one fold of 3.
    assert run("T(8,8)K C:2 S(3,3)K", (8, 1, 1, 1, 1, 1)).cycles == 3 + 1 + 2 + 1
    assert run("T(8,8)K C:3 S(3,3)K", (8, 1, 1, 1, 1, 1)).cycles == 3 + 1 + 1
    # 11: 3 + 3, then 3 beside 2, of which the 3 is lost.
    assert run("T(11,11)K C:2 S(3,3)K", (11, 1, 1, 1, 1, 1)).cycles == 3 + 1 + 2 + 1


def test_of_whole_tiles_that_leave_sub_clusters_idle_one_is_lost():
    idle, busy = (run("T(1,1)X' S(1,1)K", (4, 1, 1, 1, 3, 5), pes=pes) for pes in (5, 4))
    assert (idle.l2_output_writes, busy.l2_output_writes) == (3 * 15, 4 * 15)


def test_tiles_of_input_columns_move_by_their_windows_at_a_stride():
    # Eight columns hold one window of seven: five tiles, two columns apart.
    text = "T(1,1)K T(1,1)C T(1,1)Y T(8,8)X T(1,1)R T(7,7)S"
    assert run(text, (1, 1, 1, 7, 1, 15), stride=2).cycles == 5 * 7 + 1


def test_tiles_of_input_columns_are_as_large_as_their_windows_at_a_stride():
    text = "T(1,1)K T(1,1)C T(1,1)Y T(8,8)X T(1,1)R T(7,7)S"
    words = {stride: run(text, (1, 1, 1, 7, 1, 15), stride=stride).l2_words for stride in (1, 2)}
    assert words == {1: 2 * (7 + 8 + 2), 2: 2 * (7 + 7 + 1)}


def test_at_a_stride_left_over_columns_go_to_one_more_sub_cluster_and_outputs_count_in_input_columns():
    # 12 columns are 5 windows of 3, and 2 columns: as outputs 4 steps of 2 and one. A second channel shares columns.
    result = run(X_P, (1, 2, 3, 3, 3, 12), stride=2)
    assert result.l2_output_writes == 2 * (4 * 2 + 1)
    assert result.l2_input_reads == 3 * (5 * 3 + 2) + 3 * 12


def test_a_column_left_over_by_a_stride_above_the_filter_is_fetched_with_the_last_window():
    # 12 columns are 6 windows of 1; side by side with the last column, 7 are fetched for the second channel.
    result = run(X_P, (1, 2, 1, 1, 1, 12), stride=2)
    assert (result.l2_output_writes, result.l2_input_reads) == (2 * 6, 6 + 7)


def test_rows_that_are_no_window_stay_side_by_side_at_a_stride():
    # Three rows for three filter rows, a word a cycle: 6 words into L2, 6 to the PEs, one cycle to multiply.
    text = "S(1,1)Y' T(1,1)X' C:Sz(R) S(1,1)Y S(1,1)R T(Sz(S),Sz(S))S"
    assert run(text, (1, 1, 3, 1, 3, 1), stride=2, pes=3, noc_words=1).cycles == 6 + 6 + 1


def test_at_a_stride_too_rows_of_a_sub_cluster_alone_in_the_last_fold_count_as_outputs():
    # 8 rows are 3 windows of 3, and 2 rows: folds of two windows, and, as one is lost, of the 2 rows.
    result = run("S(1,1)Y'", (1, 1, 3, 1, 8, 1), stride=2, pes=2)
    assert (result.cycles, result.l2_output_writes) == (3 + 1 + 2 * 3, (2 + 1) + 2)


def test_a_partial_tile_is_fetched_whole_if_it_is_single_but_not_beside_one_that_is_lost():
    single, beside = (run("T(1,1)X' S(3,3)K", (k, 1, 1, 1, 1, 1), pes=2).l2_weight_reads for k in (8, 11))
    assert (single, beside) == (6 + 3, 6 + 2)


def test_neighbours_share_rows_where_their_fold_advances_unless_a_loop_inside_starts_again():
    # 4 windows of 3 rows on two sub-clusters. The first words come one sub-cluster after another.
    assert run("S(1,1)Y'", (1, 1, 3, 1, 6, 1), pes=2).l2_input_reads == 6 + 4
    assert run("S(1,1)Y' T(1,1)X'", (1, 1, 3, 1, 6, 2), pes=2).l2_input_reads == 2 * (6 + 6)


def test_a_tile_between_the_output_and_the_input_is_taken_to_lie_past_its_end():
    # 5 input rows are 3 outputs. A tile of 4 leaves one row, of 5 none: -1 and -2 outputs, 2 together, of 9 MACs each.
    result = run("T(4,4)Y' T(5,5)X'", (1, 1, 3, 3, 5, 5))
    assert (result.cycles, result.l2_output_writes, result.l2_words) == (2 * 9 + 1, 2, 2 * (9 + 0 + 2))
    with pytest.raises(InputError, match="counts -3 outputs and gives no finite result: a tile of Y' or X' is larger"):
        run("T(4,4)Y' T(3,3)X'", (1, 1, 3, 3, 5, 5))


def test_inside_a_tile_past_the_end_levels_are_cut_as_in_the_whole_layer():
    # Tiles of 2 in 3 outputs each way: the tool runs the last of two by two, one output of 9 MACs; both levels wait.
    result = run("T(4,4)Y' T(5,5)X' C:1 T(2,2)Y' T(2,2)X'", (1, 1, 3, 3, 5, 5))
    assert (result.cycles, result.l1_words) == (9 + 1 + 1, 2 * (9 + 16 + 16))


def test_requirements_are_double_buffered():
    result = run(KC, (64, 64, 1, 1, 5, 5))
    assert (result.l1_words, result.l2_words) == (6, 2 * (256 + 64 + 4))


def test_directives_are_read():
    sizes = {"K": 8, "R": 3}
    mapping = parse_directives("S(1,1)K T(Sz(R),1)Y C:4 T(2,2)X'", sizes)
    assert mapping.clusters == (4,)
    assert mapping.levels[0][1] == Directive(False, 3, 1, "Y", False)
    assert mapping.levels[1] == (Directive(False, 2, 2, "X", True),)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("S(1,1)Z", "'S(1,1)Z' is no directive; expected S(size,offset)K"),
        ("S(0,1)K", "'0' is no whole number from 1"),
        ("T(Sz(Q),1)K", "'Sz(Q)' is no whole number from 1 and no Sz(dimension)"),
        ("C:x", "'x' is no whole number from 1"),
    ],
)
def test_wrong_directives_are_refused_in_one_line(text, part):
    with pytest.raises(InputError) as caught:
        parse_directives(text, {"K": 4})
    assert part in str(caught.value)


def test_a_cluster_larger_than_the_chip_is_refused():
    with pytest.raises(InputError, match="a cluster of 64 PEs is more than the 32 that there are"):
        run(KC, (8, 8, 1, 1, 4, 4), pes=32)


def test_the_simulator_under_the_tool_s_rules_gives_its_cycles():
    ours, tool = (MaestroSimulator("conv:54x54x64x64x3x3", rules=rules) for rules in ("realistic", "maestro"))
    row = np.array([ours.baseline.row])
    text = "S(1,1)K T(64,64)C T(3,3)R T(3,3)S T(1,1)Y' T(1,1)X' C:64 S(1,1)C T(1,1)Y' T(1,1)X' T(3,3)R T(3,3)S T(1,1)K"
    expected = run(text, (64, 64, 3, 3, 56, 56), noc_words=64, off_chip_words=16)
    cycles, counted = tool.evaluate(row).values[0, 0], ours.evaluate(row).values[0, 0]
    assert cycles == expected.cycles
    assert counted < cycles


def test_under_the_tool_s_rules_too_a_tile_larger_than_the_layer_means_all_of_it():
    tool = MaestroSimulator("conv:12x12x8x8x3x3", rules="maestro")
    designs = [tool.space.decode_row(np.array(tool.baseline.row)) | {"outer_Y": tile} for tile in (12, 14, 16)]
    values = tool.evaluate(np.array([tool.space.encode_row(design) for design in designs])).values
    assert (values == values[0]).all()
