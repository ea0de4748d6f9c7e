"""The comparator of mappings: on rows made here, and on Timeloop's where the tables are present."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from experiments.validation.__main__ import main

REFS = Path(__file__).resolve().parents[3] / "shared" / "refs"
MAPPING = {
    "dram": {"K": 2},
    "glb": {"P": 4, "C": 2},
    "sx": {"K": 2},
    "sy": {},
    "rf": {"R": 3},
    **{f"perm_{level}": "NQSPCRK" for level in ("dram", "glb", "rf", "sp")},
    "split": 1,
    "keep_GLB": ["Weights", "Inputs", "Outputs"],
    "keep_RF": ["Weights", "Inputs", "Outputs"],
}
ROW = {
    **dict.fromkeys(["N", "Q", "S"], 1),
    "layer": "small",
    "K": 4,
    "C": 2,
    "P": 4,
    "R": 3,
    "stride": 1,
    "pes": 4,
    "meshx": 2,
    "glb_words": 64,
    "rf_words_per_pe": 16,
    "bw_dram": 4,
    "bw_glb": 16,
    "bw_rf": 4,
    "e_dram_vec4": 800.0,
    "e_glb_vec4": 40.0,
    "e_rf_word": 1.0,
    "e_mac": 1.0,
    "mapping_json": json.dumps(MAPPING),
    "compute_cycles": 48,
    "cycles": 48,
    "GLB_Inputs_reads": 24,
    "DRAM_Outputs_updates": 16,
    "RF_Weights_fills": 12,
}


@pytest.fixture
def refs(tmp_path):
    (tmp_path / "refs" / "dnn").mkdir(parents=True)
    return tmp_path / "refs"


def save(refs, rows, name="mapping_ref_nolink_heldout"):
    pd.DataFrame(rows).to_csv(refs / "dnn" / f"{name}.csv", index=False)


def validate(refs, tmp_path):
    out = tmp_path / "out.json"
    assert main(["--refs", str(refs), "--json", str(out)]) == 0
    return {(e["table"], e["group"], e["metric"]): e for e in json.loads(out.read_text())}


def test_a_row_that_a_hand_has_counted_is_exact(refs, tmp_path):
    # MACs, register file, global buffer, off the chip: (reads + updates + fills) of weights, inputs and outputs.
    register_file = (96 + 24) + (96 + 48) + (96 - 32 + 96 + 64 - 32)
    global_buffer = (24 + 24) + (24 + 12) + (32 + 16)
    off_chip = 24 + 12 + 16
    energy = (96 + register_file + 10 * global_buffer + 200 * off_chip) * 1e-6
    save(refs, [{**ROW, "energy_uJ": energy}])
    found = validate(refs, tmp_path)
    table = "dnn/mapping_ref_nolink_heldout"
    for metric in ("cycles", "energy_uj", "compute_cycles", "glb_inputs_reads", "dram_outputs_updates"):
        assert found[table, "all", metric]["exact"] == 1.0, metric
    assert (table, "small", "cycles") in found


def test_a_row_that_differs_or_is_no_mapping_is_told(refs, tmp_path, capsys):
    rows = [
        {**ROW, "energy_uJ": 1.0, "cycles": 50},
        {**ROW, "energy_uJ": 1.0, "mapping_json": "{"},
        {**ROW, "energy_uJ": 1.0, "K": 0},
        {**ROW, "energy_uJ": 1.0, "K": 8},
        {**ROW, "energy_uJ": 1.0, "rf_words_per_pe": 4},
    ]
    save(refs, rows)
    whole = validate(refs, tmp_path)["dnn/mapping_ref_nolink_heldout", "all", "cycles"]
    assert (whole["rows"], whole["skipped"], whole["exact"]) == (1, 4, 0.0)
    text = capsys.readouterr().out
    for reason in ("is no mapping", "K 0 is no whole number", "factors of K must multiply to 8", "needs 7"):
        assert reason in text


@pytest.mark.parametrize("table", ["mapping_ref_nolink", "mapping_ref"])
def test_timeloop_is_met_as_promised(refs, tmp_path, table):
    tables = [path for path in sorted((REFS / "dnn").glob("mapping_ref*.csv")) if path.stem.startswith(table)]
    tables = [path for path in tables if ("nolink" in path.stem) == ("nolink" in table)]
    if not tables:
        pytest.skip("the reference tables are not at ../shared/refs")
    save(refs, pd.concat([pd.read_csv(path) for path in tables]), table)
    found = validate(refs, tmp_path)
    counts = [metric for _, group, metric in found if group == "all" and metric.endswith(("reads", "updates", "fills"))]
    assert len(counts) == 27
    for metric in ("cycles", "compute_cycles", *counts):
        assert found[f"dnn/{table}", "all", metric]["exact"] == 1.0, metric
    # The tool prints nine digits.
    assert found[f"dnn/{table}", "all", "energy_uj"]["max_rel_err"] <= 5e-9
