"""The DRAM comparator: on tables made here, and on a sample of the reference tables where they are present."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from archgym_simulators.dram.model import ControllerDesign, simulate
from archgym_simulators.dram.trace_files import read_trace
from experiments.validation.__main__ import main
from experiments.validation.dram import (
    ARCHGYM_SETTING,
    DESIGN_COLUMNS,
    FURTHER_COLUMNS,
    PROMISED_COLUMNS,
    SETTING_COLUMNS,
)

REFS = Path(__file__).resolve().parents[3] / "shared" / "refs"
DESIGNS = [
    ControllerDesign(page_policy="Closed", scheduler="Fifo", max_active_transactions=3, arbiter="Fifo"),
    ControllerDesign(page_policy="OpenAdaptive", request_buffer_size=12, arbiter="Reorder"),
    ControllerDesign(refresh_policy="NoRefresh", scheduler_buffer="Shared", request_buffer_size=1),
]
TRACES = ("near", "far")


def write_trace(root, name, rng):
    lines = [
        f"{3 * clock}: {('read', 'write')[rng.integers(2)]} 0x{64 * rng.integers(2**16):x}\n" for clock in range(300)
    ]
    path = root / "dram" / "traces" / f"{name}.stl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(lines).encode()))
    return path


def rows_of(path, setting):
    """What a tool that agrees with us would have printed."""
    name, mapping, clock = setting
    trace = read_trace(path, capacity_bytes=2**30)
    result = simulate(trace, DESIGNS, device=name, address_map=mapping, player_clock_mhz=float(clock), rules="archgym")
    rows = pd.DataFrame(
        [{column: getattr(design, DESIGN_COLUMNS[column]) for column in DESIGN_COLUMNS} for design in DESIGNS]
    )
    rows.insert(0, "trace", path.name.removesuffix(".stl.gz"))
    for column in (*PROMISED_COLUMNS, *FURTHER_COLUMNS):
        values = getattr(result, column.ours)
        rows[column.reference] = values if column.printed_decimals is None else values.round(column.printed_decimals)
    return rows.assign(**dict(zip(SETTING_COLUMNS, setting, strict=True)))


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    root = tmp_path_factory.mktemp("traces")
    rng = np.random.default_rng(3)
    return root, [write_trace(root, name, rng) for name in TRACES]


@pytest.fixture
def refs(tmp_path, traces):
    """A directory with one table of each kind; ours is the tool."""
    root, paths = traces
    (tmp_path / "refs" / "dram").mkdir(parents=True)
    (tmp_path / "refs" / "dram" / "traces").symlink_to(root / "dram" / "traces")
    dev = pd.concat([rows_of(path, ARCHGYM_SETTING) for path in paths], ignore_index=True)
    other = pd.concat(
        [
            rows_of(paths[0], ("JEDEC_4Gb_DDR4-2400_8bit_A", "am_ddr4_8x4Gbx8_dimm_p1KB_brc", 1200)),
            rows_of(paths[1], ("MICRON_1Gb_DDR3-1066_8bit_G", "am_ddr3_8x1Gbx8_dimm_p1KB_brc", 533)),
        ],
        ignore_index=True,
    )
    save(tmp_path / "refs", "dramsys_heldout", dev.drop(columns=list(SETTING_COLUMNS)))
    save(tmp_path / "refs", "dramsys_other_devices_heldout", other)
    return tmp_path / "refs"


def save(root, name, frame):
    frame.to_csv(root / "dram" / f"{name}.csv", index=False)


def load(root, name):
    return pd.read_csv(root / "dram" / f"{name}.csv")


def validate(refs, tmp_path):
    out = tmp_path / "out.json"
    assert main(["--refs", str(refs), "--json", str(out)]) == 0
    entries = json.loads(out.read_text())
    return {(entry["table"].removeprefix("dram/"), entry["group"], entry["metric"]): entry for entry in entries}


def test_numbers_that_are_ours_are_exact_in_every_metric_and_group(refs, tmp_path):
    found = validate(refs, tmp_path)
    columns = (*PROMISED_COLUMNS, *FURTHER_COLUMNS)
    groups = {
        "dramsys_heldout": TRACES,
        "dramsys_other_devices_heldout": ("JEDEC_4Gb_DDR4-2400_8bit_A", "MICRON_1Gb_DDR3-1066_8bit_G"),
    }
    expected = {(table, group, c.ours) for table, names in groups.items() for group in ("all", *names) for c in columns}
    assert set(found) == expected
    assert {entry["exact"] for entry in found.values()} == {1.0}
    assert {entry["rows"] for (_, group, _), entry in found.items()} == {3, 6}
    assert {entry["skipped"] for entry in found.values()} == {0}


def test_a_tool_that_differs_is_not_exact_and_by_how_much_is_told(refs, tmp_path):
    frame = load(refs, "dramsys_heldout")
    frame.loc[0, "total_time_ns"] *= 1.25
    frame.loc[1, "n_ACT"] += 1
    frame.loc[2, "avg_power_mW"] += 0.02
    save(refs, "dramsys_heldout", frame)
    found = validate(refs, tmp_path)
    time = found["dramsys_heldout", "all", "total_time_ns"]
    assert time["exact"] == pytest.approx(5 / 6)
    assert time["max_rel_err"] == pytest.approx(0.2)
    assert time["mean_rel_err"] == pytest.approx(0.2 / 6)
    assert found["dramsys_heldout", "near", "activates"]["exact"] == pytest.approx(2 / 3)
    assert found["dramsys_heldout", "far", "activates"]["exact"] == 1.0
    assert found["dramsys_heldout", "near", "power_mw"]["exact"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("column", "value"),
    [("player_clk_mhz", 20), ("address_mapping", "bank-row-column"), ("device", "MICRON_2GB_DDR3-1600_64bit_G_UDIMM")],
)
def test_the_row_decides_on_device_map_and_clock(refs, tmp_path, column, value):
    frame = load(refs, "dramsys_heldout").assign(**dict(zip(SETTING_COLUMNS, ARCHGYM_SETTING, strict=True)))
    frame["address_mapping"] = "row-bank-column"
    save(refs, "dramsys_other_devices_heldout", frame)
    assert validate(refs, tmp_path)["dramsys_other_devices_heldout", "all", "total_time_ns"]["exact"] == 1.0
    save(refs, "dramsys_other_devices_heldout", frame.assign(**{column: value}))
    assert validate(refs, tmp_path)["dramsys_other_devices_heldout", "all", "total_time_ns"]["exact"] == 0.0


def test_rows_that_cannot_be_simulated_are_skipped_with_their_reasons(refs, tmp_path, capsys):
    frame = load(refs, "dramsys_other_devices_heldout")
    frame = pd.concat([frame] * 2, ignore_index=True)
    frame.loc[0, "trace"] = "elsewhere"
    frame.loc[1, "device"] = "JEDEC_4x64_2Gb_WIDEIO2-400_64bit"
    frame.loc[2, "address_mapping"] = "am_ddr3_8x1Gbx8_dimm_p1KB_rbc"
    frame.loc[3, "Scheduler"] = "FrFcfsPlus"
    frame.loc[4, "RequestBufferSize"] = None
    frame.loc[5, "trace"] = "../traces/near"
    save(refs, "dramsys_other_devices_heldout", frame)
    whole = validate(refs, tmp_path)["dramsys_other_devices_heldout", "all", "total_time_ns"]
    assert (whole["rows"], whole["skipped"], whole["exact"]) == (6, 6, 1.0)
    text = capsys.readouterr().out
    for reason in (
        "trace 'elsewhere' is not in dram/traces",
        "device 'JEDEC_4x64_2Gb_WIDEIO2-400_64bit' is not modelled",
        "address map 'am_ddr3_8x1Gbx8_dimm_p1KB_rbc'",
        "scheduler 'FrFcfsPlus' is unknown",
        "no RequestBufferSize given",
        "trace '../traces/near' is not in dram/traces",
    ):
        assert f"skipped 1: {reason}" in text


def test_an_empty_cell_skips_its_metric_only(refs, tmp_path):
    for name in ("dramsys_heldout", "dramsys_other_devices_heldout"):
        frame = load(refs, name)
        frame.loc[0, "energy_pJ"] = None
        frame.loc[0:3, "n_RD"] = None
        save(refs, name, frame)
        found = validate(refs, tmp_path)
        shown = {metric: found[name, "all", metric] for metric in ("energy_pj", "reads", "total_time_ns")}
        assert {metric: (entry["rows"], entry["skipped"]) for metric, entry in shown.items()} == {
            "energy_pj": (5, 1),
            "reads": (2, 4),
            "total_time_ns": (6, 0),
        }
        assert {entry["exact"] for entry in shown.values()} == {1.0}


def test_column_order_and_extra_columns_do_not_matter(refs, tmp_path):
    expected = validate(refs, tmp_path)
    for name in ("dramsys_heldout", "dramsys_other_devices_heldout"):
        frame = load(refs, name)
        save(refs, name, frame[frame.columns[::-1]].assign(remark="none", device_note=1))
    assert validate(refs, tmp_path) == expected


def test_other_devices_need_only_the_total_time(refs, tmp_path):
    frame = load(refs, "dramsys_other_devices_heldout")
    save(refs, "dramsys_other_devices_heldout", frame[["trace", *SETTING_COLUMNS, *DESIGN_COLUMNS, "total_time_ns"]])
    metrics = {metric for table, _, metric in validate(refs, tmp_path) if table.startswith("dramsys_other")}
    assert metrics == {"total_time_ns"}


@pytest.mark.parametrize("column", ["trace", "Arbiter", "total_time_ns", "n_REFA"])
def test_a_missing_column_is_refused(refs, tmp_path, capsys, column):
    save(refs, "dramsys_heldout", load(refs, "dramsys_heldout").drop(columns=column))
    assert main(["--refs", str(refs), "--json", str(tmp_path / "out.json")]) == 2
    assert f"no column {column!r}" in capsys.readouterr().err


def test_a_malformed_trace_is_refused_in_one_line(refs, tmp_path, capsys):
    traces = refs / "dram" / "traces"
    traces.unlink()
    traces.mkdir()
    (traces / "near.stl").write_text("0: read 0x40\n1: fetch 0x80\n")
    assert main(["--refs", str(refs), "--json", str(tmp_path / "out.json")]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "line 2" in told


@pytest.fixture
def sampled_refs(tmp_path):
    """A few rows of every trace and device of the reference tables."""
    if not (REFS / "dram").is_dir():
        pytest.skip("the reference tables are not at ../shared/refs")
    root = tmp_path / "refs"
    (root / "dram").mkdir(parents=True)
    (root / "dram" / "traces").symlink_to(REFS / "dram" / "traces")
    for pattern, group, name in (
        ("dramsys_dev*.csv", "trace", "dramsys_dev"),
        ("dramsys_other_devices*.csv", "device", "dramsys_other_devices"),
    ):
        frame = pd.concat([pd.read_csv(path) for path in sorted((REFS / "dram").glob(pattern))])
        save(root, name, frame.groupby(group).sample(n=8, random_state=1))
    return root


def test_the_references_are_met_as_promised(sampled_refs, tmp_path):
    found = validate(sampled_refs, tmp_path)
    saturating = ("stream", "random", "cloud-1", "cloud-2")
    groups = {group for table, group, _ in found if table == "dramsys_dev"} - {"all"}
    assert set(saturating) < groups
    for group in groups:
        assert found["dramsys_dev", group, "total_time_ns"]["exact"] >= 0.99
        limit = 1e-4 if group in saturating else 2e-4
        assert found["dramsys_dev", group, "energy_pj"]["max_rel_err"] <= limit
    devices = {group for table, group, _ in found if table == "dramsys_other_devices"} - {"all"}
    for device in devices:
        entry = found["dramsys_other_devices", device, "total_time_ns"]
        assert entry["rows"] + entry["skipped"] == 8
        assert entry["rows"] == 0 or entry["mean_rel_err"] <= 0.01
