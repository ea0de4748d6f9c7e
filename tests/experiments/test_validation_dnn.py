"""The comparators of accelerators: on tables made here, and on the reference tables where they are present."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from archgym_simulators.layers.layer import conv, gemm
from archgym_simulators.systolic.model import SystolicDesign, simulate
from experiments.validation.__main__ import main

REFS = Path(__file__).resolve().parents[3] / "shared" / "refs"
LAYERS = [
    ({"kind": "gemm", "M": 33, "N": 17, "K": 65}, gemm("g", 33, 17, 65)),
    # 18 x 17 with a 3 x 3 filter in steps of 2: the last window of a row hangs over the edge and counts.
    (
        {"kind": "conv", "H": 18, "W": 17, "R": 3, "S": 3, "C": 4, "Kf": 10, "stride": 2},
        conv("c", (9, 8), channels=(4, 10), kernel=3, stride=2),
    ),
]
DESIGNS = [("os", 8, 8), ("ws", 12, 14), ("is", 8, 16)]


def row_of(cells, layer, dataflow, rows, columns, bandwidth):
    """What a tool that agrees with us would have printed."""
    design = SystolicDesign(dataflow, rows, columns, *[2048] * 3)
    found = simulate([layer], [design], bandwidth=bandwidth, rules="scalesim")
    m, n, k = layer.gemm_mnk
    total = int(found.total_cycles[0])
    return {
        "M": m,
        "N": n,
        "K": k,
        **cells,
        "layer": layer.name,
        "array_h": rows,
        "array_w": columns,
        "dataflow": dataflow,
        **{f"sram_{name}_kB": 2 for name in ("ifmap", "filter", "ofmap")},
        "bw_mode": "USER" if bandwidth else "CALC",
        "bandwidth": bandwidth,
        "total_cycles": total,
        "stall_cycles": int(found.stall_cycles[0]),
        "overall_util_pct": 100.0 * layer.macs / (total * rows * columns),
        "sram_ifmap_reads": int(found.ifmap_reads[0]),
        "sram_filter_reads": int(found.filter_reads[0]),
        "sram_ofmap_writes": int(found.ofmap_writes[0]),
        "dram_ifmap_reads": int(found.dram_ifmap_reads[0]) if bandwidth else 1,
        "dram_filter_reads": int(found.dram_filter_reads[0]) if bandwidth else 1,
        "dram_ofmap_writes": int(found.dram_ofmap_writes[0]) if bandwidth else 1,
    }


@pytest.fixture
def refs(tmp_path):
    rows = [row_of(*layer, *design, bandwidth) for layer in LAYERS for design in DESIGNS for bandwidth in (None, 4)]
    (tmp_path / "refs" / "dnn").mkdir(parents=True)
    save(tmp_path / "refs", pd.DataFrame(rows))
    return tmp_path / "refs"


def save(refs, frame):
    frame.to_csv(refs / "dnn" / "scalesim_heldout.csv", index=False)


def load(refs):
    return pd.read_csv(refs / "dnn" / "scalesim_heldout.csv")


def validate(refs, tmp_path):
    out = tmp_path / "out.json"
    assert main(["--refs", str(refs), "--json", str(out)]) == 0
    return {(entry["group"], entry["metric"]): entry for entry in json.loads(out.read_text())}


def test_numbers_that_are_ours_are_exact_in_every_metric_and_group(refs, tmp_path):
    found = validate(refs, tmp_path)
    assert {group for group, _ in found} == {"all", *(f"{d} {m}" for d in ("os", "ws", "is") for m in ("CALC", "USER"))}
    apart = ("ofmap_writes_corrected", "stall_cycles_ideal")
    for (group, metric), entry in found.items():
        limited = metric.startswith(("stall", "dram"))
        if metric not in apart:
            assert entry["exact"] == (None if limited and "CALC" in group else 1.0), (group, metric)
    assert found["all", "total_cycles"]["rows"] == 12
    assert found["all", "stall_cycles"]["rows"] == found["all", "dram_ifmap_reads"]["rows"] == 6
    assert found["os CALC", "ofmap_writes_corrected"]["exact"] == 0.0
    assert found["ws USER", "ofmap_writes_corrected"]["exact"] == 1.0


def test_a_tool_that_differs_is_not_exact_and_by_how_much_is_told(refs, tmp_path):
    frame = load(refs)
    limited = frame.index[(frame["bw_mode"] == "USER") & (frame["stall_cycles"] > 0)]
    frame.loc[0, "sram_ifmap_reads"] += 1
    frame.loc[1, "sram_ofmap_writes"] *= 2
    frame.loc[limited[0], ["stall_cycles", "total_cycles"]] += 50
    save(refs, frame)
    found = validate(refs, tmp_path)
    assert found["all", "ifmap_reads"]["exact"] == pytest.approx(11 / 12)
    assert found["all", "ofmap_writes"]["max_rel_err"] == pytest.approx(0.5)
    assert found["all", "filter_reads"]["exact"] == found["all", "compute_cycles"]["exact"] == 1.0
    stall = frame.loc[limited[0], "stall_cycles"]
    assert found["all", "stall_cycles_when_bound"]["max_rel_err"] == pytest.approx(50 / stall)
    assert found["all", "total_cycles"]["exact"] == pytest.approx(11 / 12)


def test_rows_that_cannot_be_simulated_are_skipped_with_their_reasons(refs, tmp_path, capsys):
    frame = load(refs)
    frame.loc[0, "dataflow"] = "rs"
    frame.loc[1, "array_h"] = 0
    frame.loc[2, "kind"] = "lstm"
    frame.loc[6, "stride"] = None
    frame.loc[3, "bandwidth"] = 2.5
    save(refs, frame)
    whole = validate(refs, tmp_path)["all", "total_cycles"]
    assert (whole["rows"], whole["skipped"], whole["exact"]) == (7, 5, 1.0)
    text = capsys.readouterr().out
    for reason in ("not 'rs'", "array_h 0 is no whole number", "kind 'lstm'", "no stride given", "bandwidth 2.5"):
        assert reason in text


@pytest.mark.parametrize("column", ["dataflow", "total_cycles", "sram_filter_reads", "sram_ofmap_kB"])
def test_a_missing_column_is_refused(refs, tmp_path, capsys, column):
    save(refs, load(refs).drop(columns=column))
    assert main(["--refs", str(refs), "--json", str(tmp_path / "out.json")]) == 2
    assert f"no column {column!r}" in capsys.readouterr().err


def test_scalesim_is_met_as_promised(tmp_path):
    tables = sorted((REFS / "dnn").glob("scalesim*.csv"))
    if not tables:
        pytest.skip("the reference tables are not at ../shared/refs")
    (tmp_path / "refs" / "dnn").mkdir(parents=True)
    save(tmp_path / "refs", pd.concat([pd.read_csv(path) for path in tables]))
    found = validate(tmp_path / "refs", tmp_path)
    for metric in ("compute_cycles", "ifmap_reads", "filter_reads", "ofmap_writes", "utilisation"):
        assert found["all", metric]["exact"] == 1.0
    for metric in ("stall_cycles", "dram_ifmap_reads", "dram_filter_reads", "dram_ofmap_writes", "total_cycles"):
        assert found["all", metric]["exact"] == 1.0
    assert found["all", "stall_cycles_when_bound"]["rows"] >= 100
    assert np.isfinite(found["all", "stall_cycles_ideal"]["mean_rel_err"])
