"""MAESTRO's rules: rows of the tool where they are present, and single rules by hand."""

from __future__ import annotations

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


def rows_of(prefix):
    # The two tables share the start of their names.
    found = [p for p in sorted(REFS.glob(f"{prefix}*.csv")) if ("gamma" in p.name) == ("gamma" in prefix)]
    if not found:
        pytest.skip("the reference tables are not at ../shared/refs")
    frame = pd.concat([pd.read_csv(path) for path in found])
    return frame[frame["status"] == "ok"] if "status" in frame else frame


def replayed(row):
    depthwise = getattr(row, "type", "") == "DSCONV"
    sizes = (1 if depthwise else row.K, row.C, row.R, row.S, row.Y, row.X)
    options = {"stride": int(getattr(row, "stride_x", 1)), "depthwise": depthwise}
    return run(row.mapping, sizes, pes=row.num_pes, noc_words=row.noc_bw, off_chip_words=row.offchip_bw, **options)


def test_canonical_dataflows_take_the_tool_s_cycles():
    rows = rows_of("maestro")
    errors = np.array([replayed(row).cycles / row.runtime_cycles - 1.0 for row in rows.itertuples()])
    assert (abs(errors) <= 0.05).mean() >= 0.985
    assert (abs(errors) <= 1e-9).mean() >= 0.95
    # What is left over are strided layers with input tiles of eight columns, where the tool mostly miscounts MACs.
    strided = (rows["dataflow"].str.startswith("YX_P") & (rows["stride_x"] > 1)).to_numpy()
    assert (abs(errors[~strided]) <= 0.05).mean() >= 0.99
    wrong = abs(errors) > 0.05
    outputs = ((rows["Y"] - rows["R"]) // rows["stride_y"] + 1) * ((rows["X"] - rows["S"]) // rows["stride_x"] + 1)
    macs = rows["K"] * rows["C"] * rows["R"] * rows["S"] * outputs
    assert (rows["num_macs"] != macs)[wrong].mean() >= 0.7


def test_canonical_dataflows_need_the_tool_s_buffers_and_make_its_accesses():
    rows = rows_of("maestro")
    plain = rows[(rows["type"] == "CONV") & (rows["stride_x"] == 1)]
    results = [replayed(row) for row in plain.itertuples()]
    pairs = {"l1_words": "l1_req_bytes", "l2_words": "l2_req_bytes", "l2_output_writes": "out_l2_wr"}
    for ours, theirs in pairs.items():
        assert [getattr(result, ours) for result in results] == plain[theirs].tolist()
    for ours, theirs in {"l2_weight_reads": "w_l2_rd", "l2_input_reads": "in_l2_rd"}.items():
        ratio = np.array([getattr(result, ours) for result in results]) / plain[theirs].to_numpy()
        assert abs(ratio - 1.0).max() <= 0.05
        assert (ratio == 1.0).mean() >= 0.85


def test_random_mappings_take_the_tool_s_cycles_mostly():
    rows = rows_of("maestro_gamma_random")
    results = [replayed(row) for row in rows.itertuples()]
    errors = np.array([result.cycles for result in results]) / rows["runtime_cycles"].to_numpy() - 1.0
    assert (abs(errors) <= 0.05).mean() >= 0.9
    assert (abs(errors) <= 1e-9).mean() >= 0.85
    assert [result.l1_words for result in results] == rows["l1_req_bytes"].tolist()
    assert (np.array([result.l2_words for result in results]) == rows["l2_req_bytes"]).mean() >= 0.95


def test_random_mappings_miss_the_tool_s_cycles_only_where_an_inner_cluster_folds_or_the_tool_loses_macs():
    # Folds: more tiles of the inner parallel dimension than sub-units of the cluster, so that they come in turns.
    rows = rows_of("maestro_gamma_random")
    errors = abs(np.array([replayed(row).cycles / row.runtime_cycles - 1.0 for row in rows.itertuples()]))
    outputs = (rows["Y"] - rows["R"] + 1) * (rows["X"] - rows["S"] + 1)
    whole = (rows["num_macs"] == rows["K"] * rows["C"] * rows["R"] * rows["S"] * outputs).to_numpy()
    folds = np.array([inner_cluster_folds(row) for row in rows.itertuples()])
    assert (whole & ~folds).sum() >= 200
    assert errors[whole & ~folds].max() <= 0.05
    assert (errors[whole & ~folds] <= 1e-9).mean() >= 0.99
    assert (errors[whole & folds] > 0.05).any()


def inner_cluster_folds(row):
    sizes = dict(zip("KCRSYX", (row.K, row.C, row.R, row.S, row.Y, row.X), strict=True))
    mapping = parse_directives(row.mapping, sizes)
    sizes |= {"Y": row.Y - row.R + 1, "X": row.X - row.S + 1}
    outer = {directive.dimension: min(directive.size, sizes[directive.dimension]) for directive in mapping.levels[0]}
    inner = next(directive for directive in mapping.levels[1] if directive.spatial)
    return -(-outer.get(inner.dimension, sizes[inner.dimension]) // inner.size) > mapping.clusters[0]


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
