"""The SoC comparator: on tables made here, and on a sample of the reference tables where they are present."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from archgym_simulators.soc.farsi_names import design_from_farsi
from archgym_simulators.soc.model import PreparedGraph, simulate
from archgym_simulators.soc.workloads import workload
from experiments.validation.__main__ import main

REFS = Path(__file__).resolve().parents[3] / "shared" / "refs"
TASKS = [task.name for task in workload("hpvm-cava").tasks]
DESIGN = {
    "pes": ["A53_pe", "gamut_map_fxp_cloned_IP0_151_8_pe"],
    "mems": ["LMEM_2_4_mem", "GMEM_1_6_mem"],
    "ics": ["LMEM_ic_1_4_ic", "LMEM_ic_3_8_ic"],
    "bus_bus": [[1, 0]],
    "pe_bus": [0, 1],
    "mem_bus": [0, 1],
    "t2pe": dict.fromkeys(TASKS, 0) | {"gamut_map_fxp_cloned": 1},
    "t2mem": dict.fromkeys(TASKS, 0) | {"transform_fxp_cloned": 1},
}


def table(designs):
    """What a tool that agrees with us would have written."""
    prepared = PreparedGraph.build(workload("hpvm-cava"), budgets="farsi")
    rows = []
    for design in designs:
        result = simulate(prepared, [design_from_farsi(design)], rules="farsi")
        rows.append(
            {
                "workloads": "hpvm_cava",
                "effective_design_json": json.dumps(design),
                "lat_hpvm_cava_s": result.latency_s[0, 0],
                "power_w": result.power_w[0],
                "energy_j": result.energy_j[0],
                "area_m2": result.area_m2[0],
            }
        )
    return pd.DataFrame(rows)


def report(tmp_path, frame, name="farsi_heldout"):
    (tmp_path / "soc").mkdir(exist_ok=True)
    frame.to_csv(tmp_path / "soc" / f"{name}.csv", index=False)
    out = tmp_path / "out.json"
    assert main(["--refs", str(tmp_path), "--json", str(out), "--only", "soc"]) == 0
    return {(row["group"], row["metric"]): row for row in json.loads(out.read_text())}


def test_a_table_that_agrees_is_exact(tmp_path):
    wider = DESIGN | {"ics": ["LMEM_ic_5_4_ic", "LMEM_ic_3_8_ic"]}
    rows = report(tmp_path, table([DESIGN, wider]))
    for metric in ("latency_hpvm_cava_s", "power_w", "energy_j", "area_m2"):
        assert rows["all", metric]["rows"] == 2
        assert rows["all", metric]["exact"] == 1.0


def test_a_table_that_differs_is_not_exact(tmp_path):
    frame = table([DESIGN])
    frame["energy_j"] *= 1.01
    rows = report(tmp_path, frame)
    assert rows["all", "energy_j"]["exact"] == 0.0
    assert rows["all", "energy_j"]["max_rel_err"] == pytest.approx(0.01 / 1.01)
    assert rows["all", "area_m2"]["exact"] == 1.0


def test_what_we_do_not_know_is_skipped_and_counted(tmp_path):
    frame = pd.concat([table([DESIGN])] * 3, ignore_index=True)
    strange = DESIGN | {"mems": ["XMEM_2_4_mem", "GMEM_1_6_mem"]}
    frame.loc[1, "effective_design_json"] = json.dumps(strange)
    frame.loc[2, "workloads"] = "hpvm_lava"
    rows = report(tmp_path, frame)
    assert rows["all", "energy_j"]["rows"] == 1
    assert rows["all", "energy_j"]["skipped"] == 2


def test_reference_rows_are_exact(tmp_path):
    path = REFS / "soc" / "farsi_dev.csv"
    if not path.is_file():
        pytest.skip(f"no reference table {path.name} beside the repository")
    rows = report(tmp_path, pd.read_csv(path).iloc[::11], "farsi_dev")
    for metric in ("power_w", "energy_j", "area_m2", "budget_distance", "phases"):
        assert rows["all", metric]["exact"] == 1.0
