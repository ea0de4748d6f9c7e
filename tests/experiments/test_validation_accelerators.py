"""The comparators of attention and Maestro: on tables made here, and on the reference tables where they are present."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

from archgym_simulators.attention.model import simulate
from archgym_simulators.attention.presets import preset
from archgym_simulators.attention.workloads import AttentionShape
from archgym_simulators.maestro.directives import parse_directives
from archgym_simulators.maestro.replay import replay
from experiments.validation.__main__ import main
from experiments.validation._attention import PRESET_OF

REFS = Path(__file__).resolve().parents[3] / "shared" / "refs"
SHAPE = AttentionShape(2, 3, 1024, 512, 64, 64)
MAPPING = "S(4,4)K T(2,2)C T(3,3)R T(3,3)S T(2,2)Y' T(5,5)X' C:4 S(1,1)C T(1,1)K T(1,1)Y' T(5,5)X' T(3,3)R T(3,3)S"
LAYER = {"K": 16, "C": 8, "R": 3, "S": 3, "Y": 12, "X": 17}


def attention_rows():
    rows = []
    for accelerator, name in PRESET_OF.items():
        result = simulate(SHAPE, [preset(name, SHAPE)])
        sizes = dict(zip("BHMPEF", (2, 3, 1024, 512, 64, 64), strict=True))
        values = {"traffic_bytes": result.traffic_bytes[0], "latency_s": result.latency_s[0]}
        rows.append({"accel": accelerator, **sizes, **values, "energy_pJ": result.energy_pj[0]})
    return pd.DataFrame(rows)


def maestro_rows():
    rows = []
    for pes, noc in ((16, 4), (64, 16)):
        result = replay(parse_directives(MAPPING, LAYER), LAYER, pes=pes, noc_words=noc, off_chip_words=1000)
        counts = asdict(result)
        columns = ("runtime_cycles", "l1_req_bytes", "l2_req_bytes", "w_l2_rd", "in_l2_rd", "out_l2_wr")
        limits = {"num_pes": pes, "noc_bw": noc, "offchip_bw": 1000}
        named = dict(zip(columns, counts.values(), strict=True))
        rows.append({"layer": "l", **LAYER, "mapping": MAPPING, **limits, "status": "ok", **named})
    return pd.DataFrame(rows)


TABLES = {"fusemax_attn": attention_rows, "maestro_gamma_random": maestro_rows}


def validated(tmp_path, name, frame):
    folder = tmp_path / "refs" / "dnn"
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_csv(folder / f"{name}.csv", index=False)
    out = tmp_path / "out.json"
    assert main(["--refs", str(tmp_path / "refs"), "--json", str(out)]) == 0
    return {(row["group"], row["metric"]): row for row in json.loads(out.read_text())}


@pytest.mark.parametrize("name", TABLES)
def test_a_tool_that_agrees_is_met_exactly(tmp_path, name):
    found = validated(tmp_path, name, TABLES[name]())
    whole = {metric: row for (group, metric), row in found.items() if group == "all" and "own_rules" not in metric}
    assert whole
    assert all(row["exact"] == 1.0 and row["skipped"] == 0 for row in whole.values())


def test_differences_are_measured(tmp_path):
    frame = attention_rows()
    frame.loc[0, "latency_s"] *= 2.0
    found = validated(tmp_path, "fusemax_attn", frame)
    assert found["all", "latency_s"]["exact"] == pytest.approx(0.8)
    assert found["all", "latency_s"]["max_rel_err"] == pytest.approx(0.5)
    assert found["all", "traffic_bytes"]["exact"] == 1.0
    frame = maestro_rows()
    frame.loc[1, "runtime_cycles"] *= 2
    found = validated(tmp_path / "other", "maestro_gamma_random", frame)
    assert found["all", "cycles"]["exact"] == pytest.approx(0.5)
    assert found["all", "l2_words"]["exact"] == 1.0
    assert found["all", "cycles_own_rules"]["rows"] == 2


@pytest.mark.parametrize(
    ("name", "column", "value", "reason"),
    [
        ("fusemax_attn", "accel", "bindng", "unknown accelerator 'bindng'; did you mean 'binding'"),
        ("fusemax_attn", "M", 0, "keys must be a whole number"),
        ("fusemax_attn", "P", 2.5, "P 2.5 is no whole number"),
        ("maestro_gamma_random", "mapping", "S(1,1)Q", "'S(1,1)Q' is no directive"),
        ("maestro_gamma_random", "status", "crash", "the tool gives no finite result"),
        ("maestro_gamma_random", "num_pes", 2, "a cluster of 4 PEs is more than the 2 that there are"),
    ],
)
def test_rows_that_cannot_be_simulated_are_skipped_with_their_reasons(tmp_path, capsys, name, column, value, reason):
    frame = TABLES[name]().astype({column: object})
    frame.loc[0, column] = value
    metric = "latency_s" if name == "fusemax_attn" else "cycles"
    assert validated(tmp_path, name, frame)["all", metric]["skipped"] == 1
    assert reason in capsys.readouterr().out


@pytest.mark.parametrize(("name", "column"), [("fusemax_attn", "latency_s"), ("maestro_gamma_random", "mapping")])
def test_a_missing_column_is_refused(tmp_path, capsys, name, column):
    folder = tmp_path / "dnn"
    folder.mkdir()
    TABLES[name]().drop(columns=column).to_csv(folder / f"{name}.csv", index=False)
    assert main(["--refs", str(tmp_path), "--json", str(tmp_path / "out.json")]) == 2
    assert f"no column {column!r}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("only", "table", "metric", "exact", "largest"),
    [
        ("Attention", "fusemax_attn", "latency_s", 0.9, 0.01),
        ("Maestro", "maestro_dev", "l1_words", 1.0, 0.0),
        ("Maestro", "maestro_gamma_random", "l1_words", 1.0, 0.0),
    ],
)
def test_the_references_are_met_as_promised(tmp_path, only, table, metric, exact, largest):
    if not list((REFS / "dnn").glob(f"{table}*.csv")):
        pytest.skip("the reference tables are not at ../shared/refs")
    out = tmp_path / "out.json"
    assert main(["--refs", str(REFS), "--json", str(out), "--only", only]) == 0
    rows = [row for row in json.loads(out.read_text()) if row["table"].startswith(f"dnn/{table}")]
    whole = next(row for row in rows if (row["group"], row["metric"]) == ("all", metric))
    assert whole["exact"] >= exact
    assert whole["max_rel_err"] <= largest
