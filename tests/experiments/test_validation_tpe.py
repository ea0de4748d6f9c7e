"""The comparator of tensor engines: on tables made here, and on the reference tables where they are present."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from archgym_simulators.tpe.mhe import MheArray, mhe_costs
from experiments.validation.__main__ import main
from experiments.validation.tpe import TILE, saed32_design

REFS = Path(__file__).resolve().parents[3] / "shared" / "refs"


def report(refs, out, *, only="TPE"):
    assert main(["--refs", str(refs), "--json", str(out), "--only", only]) == 0
    return {(row["table"], row["group"], row["metric"]): row for row in json.loads(out.read_text())}


def written(tmp_path, name, frame):
    (tmp_path / "tpe").mkdir(exist_ok=True)
    frame.to_csv(tmp_path / "tpe" / f"{name}.csv", index=False)
    return tmp_path


def test_a_table_of_tiles_that_agrees_is_exact(tmp_path):
    rows = []
    for mhd, tree in ((1, 8), (3, 20)):
        costs = mhe_costs(MheArray(mhd, tree))
        rows.append({"mhd": mhd, "tree": tree, **{column: getattr(costs, name) for name, column in TILE.items()}})
    found = report(written(tmp_path, "mhe_tpe_table5_new", pd.DataFrame(rows)), tmp_path / "out.json")
    for metric in TILE:
        assert found["tpe/mhe_tpe_table5_new", "all", metric]["exact"] == 1.0


def test_a_row_that_cannot_be_run_is_skipped_with_its_reason(tmp_path, capsys):
    table = {"sigma": [25, 25], "mode": ["bwgroup4", "other"], "K": [64, 64], "MP": [4, 4]}
    table |= {"util_mc": [0.96, 0.96], "mean_cycles_per_operand": [2.4, 2.4]}
    found = report(written(tmp_path, "sync_utilisation_new", pd.DataFrame(table)), tmp_path / "out.json")
    row = found["tpe/sync_utilisation_new", "all", "utilisation"]
    assert (row["rows"], row["skipped"]) == (1, 1)
    assert "mode 'other' is neither operand_min1 nor bwgroupN" in capsys.readouterr().out


def test_a_missing_column_is_named(tmp_path, capsys):
    refs = written(tmp_path, "mhe_tpe_table6", pd.DataFrame({"mhd": [8], "tree": [16]}))
    assert main(["--refs", str(refs), "--json", str(tmp_path / "out.json"), "--only", "TPE"]) == 2
    assert "has no column 'NT'" in capsys.readouterr().err


def test_reports_stand_for_designs():
    record = {"design_dir": "OPT3_OPT4C/array", "top": "top_pe_column_n32", "clock_period_ns": 0.8}
    design = saed32_design(record)
    assert (design.columns, design.opt4, design.accumulator_bits, design.frequency_ghz) == (32, True, 26, 1.25)


@pytest.mark.skipif(not REFS.exists(), reason="no reference tables")
def test_the_reference_tables_agree_as_far_as_promised(tmp_path):
    found = report(REFS, tmp_path / "out.json")

    def worst(table, group, metric, statistic="max_rel_err"):
        rows = [row for (name, g, m), row in found.items() if name.startswith(table) and (g, m) == (group, metric)]
        assert rows
        return max(row[statistic] for row in rows)

    assert worst("tpe/mhe_tpe_table5", "all", "tile_um2", "mean_rel_err") < 0.03
    assert worst("tpe/mhe_tpe_table5", "all", "tree_um2", "mean_rel_err") < 0.08
    assert worst("tpe/mhe_tpe_table5", "all", "tile_mw", "mean_rel_err") < 0.06
    assert worst("tpe/mhe_tpe_table5", "all", "tops") < 1e-9
    assert worst("tpe/mhe_tpe_table6", "all", "tiles_as_published_um2") < 2e-5
    assert worst("tpe/mhe_tpe_table8", "one precision", "tops_per_mm2") < 0.01
    assert worst("tpe/sync_utilisation", "all", "utilisation") < 0.015
    assert worst("tpe/hptpe_saed32", "all", "area_um2", "mean_rel_err") < 0.10


@pytest.mark.skipif(not REFS.exists(), reason="no reference tables")
def test_the_library_is_what_its_fit_gives():
    import numpy as np

    from archgym_simulators.tpe.libraries import library_of
    from experiments.tpe_paper.fit import AREA_CONSTANTS, fit_area, fit_energy, read_reports

    reports = read_reports(REFS)
    assert len(reports.designs) == 31
    fitted = fit_energy(reports, fit_area(reports, np.ones(31, dtype=bool)))
    for name in (*AREA_CONSTANTS, "register_fj", "gate_fj_per_um2", "leakage_nw_per_um2"):
        assert getattr(library_of("saed32"), name) == pytest.approx(getattr(fitted, name), rel=0.01)


def test_the_paper_s_ratios_are_printed_with_what_they_rest_on(capsys):
    from experiments.tpe_paper.__main__ import main as paper

    assert paper([]) == 0
    printed = capsys.readouterr().out
    for claimed in ("1.27", "1.28", "1.56", "1.44", "1.04", "1.49", "1.20", "12.10x", "2.85x", "second-hand"):
        assert claimed in printed
