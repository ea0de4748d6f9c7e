"""Designs in files: what is repeated, what is appended, and what is refused."""

import csv
import json
import os
import resource
import signal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import archgym
from archgym.registry import simulator_class

HEADER = "memory,size_kib,banks,order,tile"
GOOD = "cache,4,3,C>K>X,2x6x2"


@pytest.fixture
def designs(tmp_path):
    """Write a CSV file of designs."""

    def write(*rows, header=HEADER, name="designs.csv"):
        file = tmp_path / name
        file.write_text("\n".join([header, *rows]) + "\n")
        return file

    return write


def read(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def leftovers(tmp_path):
    return sorted(path.name for path in tmp_path.iterdir())


def test_columns_are_repeated_then_metrics_status_reason(cli, bowl, designs, tmp_path):
    file = designs(f'"a, b",007,{GOOD}', "x,1.10,cache,1,8,C>K>X,2x6x2", header=f"note,code,{HEADER}")
    outcome = cli("evaluate", bowl, "--designs", file, "--out", tmp_path / "out.csv")
    assert outcome.status == 0
    assert "2 designs: 1 ok, 1 invalid" in outcome.out
    header, first, second = read(tmp_path / "out.csv")
    assert header == [
        *["note", "code", *HEADER.split(",")],
        *["time_ns", "energy_pj", "speed_mhz", "slack_ns", "status", "reason"],
    ]
    assert first[:3] == ["a, b", "007", "cache"]
    assert first[-2:] == ["ok", ""]
    assert second[:3] == ["x", "1.10", "cache"]
    assert second[7:11] == ["", "", "", ""]
    assert second[-2] == "invalid"
    assert "banks do not fit" in second[-1]


def test_numbers_are_those_of_the_python_face_to_the_bit(cli, bowl, tmp_path):
    simulator = simulator_class(bowl)()
    frame = pd.DataFrame(simulator.space.decode(simulator.space.sample(500, np.random.default_rng(0))))
    frame.to_csv(tmp_path / "designs.csv", index=False)
    cli("evaluate", bowl, "--designs", tmp_path / "designs.csv", "--out", tmp_path / "out.csv", "--workload", "large")
    expected = archgym.evaluate(bowl, frame, workload="large")
    found = pd.read_csv(tmp_path / "out.csv", keep_default_na=False, na_values=[""])
    for metric in simulator.metric_names():
        np.testing.assert_array_equal(found[metric], expected[metric])
    assert found["status"].tolist() == expected["status"].tolist()


def test_parquet_and_csv_give_the_same(cli, bowl, designs, tmp_path):
    file = designs(GOOD, "none,1,2,X>C>K,24x1x1")
    cli("evaluate", bowl, "--designs", file, "--out", tmp_path / "a.parquet")
    cli("evaluate", bowl, "--designs", tmp_path / "a.parquet", "--out", tmp_path / "b.csv")
    cli("evaluate", bowl, "--designs", file, "--out", tmp_path / "c.csv")
    assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "c.csv").read_bytes()
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.schema.field("banks").type == pa.int64()
    assert table.schema.field("time_ns").type == pa.float64()


def test_an_output_is_a_valid_input(cli, bowl, designs, tmp_path):
    cli("evaluate", bowl, "--designs", designs(GOOD), "--out", tmp_path / "a.csv")
    cli("evaluate", bowl, "--designs", tmp_path / "a.csv", "--out", tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_is_computed_replaces_columns_of_an_earlier_evaluation(cli, bowl, designs, tmp_path, suffix):
    small, large = tmp_path / f"small{suffix}", tmp_path / f"large{suffix}"
    file = designs("cache,4,3,C>K>X,2x6x2", "none,1,2,K>C>X,24x1x1")
    cli("evaluate", bowl, "--designs", file, "--out", small)
    cli("evaluate", bowl, "--designs", small, "--out", large, "--workload", "large")
    cli("evaluate", bowl, "--designs", file, "--out", tmp_path / f"fresh{suffix}", "--workload", "large")
    read_table = pd.read_csv if suffix == ".csv" else pd.read_parquet
    pd.testing.assert_frame_equal(read_table(large), read_table(tmp_path / f"fresh{suffix}"))
    assert (read_table(small)["time_ns"] != read_table(large)["time_ns"]).all()


def test_an_objective_appends_reward_and_feasibility(cli, bowl, designs, tmp_path):
    options = ["--objective", "edp", "--constraint", "time_ns<=50", "--diagnostics"]
    cli("evaluate", bowl, "--designs", designs(GOOD), "--out", tmp_path / "out.csv", *options)
    header, row = read(tmp_path / "out.csv")
    found = dict(zip(header, row, strict=True))
    assert header[-5:] == ["reward", "feasible", "distance", "status", "reason"]
    assert found["feasible"] == "False"
    assert float(found["distance"]) > 0


def test_the_reward_of_the_baseline_is_a_plain_zero(cli, bowl, designs, tmp_path):
    design = json.loads(cli("describe", bowl, "--json").out)["baseline"]["design"]
    (tmp_path / "in.csv").write_text(",".join(design) + "\n" + ",".join(str(value) for value in design.values()) + "\n")
    arguments = ["--designs", tmp_path / "in.csv", "--out", tmp_path / "out.csv", "--objective", "edp"]
    assert cli("evaluate", bowl, *arguments).status == 0
    header, row = read(tmp_path / "out.csv")
    assert row[header.index("reward")] == "0.0"


def test_options_reach_the_simulator(cli, bowl, designs, tmp_path):
    for scale in (1, 2):
        out = tmp_path / f"{scale}.csv"
        cli("evaluate", bowl, "--designs", designs(GOOD), "--out", out, "--option", f"scale={scale}")
    times = [float(read(tmp_path / f"{scale}.csv")[1][5]) for scale in (1, 2)]
    assert times[1] == 2 * times[0]


def test_an_existing_output_is_replaced_whole_and_readable_as_others(cli, bowl, designs, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("old")
    cli("evaluate", bowl, "--designs", designs(GOOD), "--out", out)
    assert read(out)[0][0] == "memory"
    mask = os.umask(0)
    os.umask(mask)
    assert out.stat().st_mode & 0o777 == 0o666 & ~mask


def test_windows_files_are_read(cli, bowl, tmp_path):
    file = tmp_path / "designs.csv"
    file.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\n{GOOD}\r\n\r\n".encode())
    assert cli("evaluate", bowl, "--designs", file, "--out", tmp_path / "out.csv").status == 0


ROWS = [GOOD] * 16


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        ([*ROWS, GOOD.replace("cache", "cahce")], ["row 17 (line 18)", "memory", "'cahce'", "did you mean 'cache'?"]),
        ([*ROWS, GOOD.replace(",4,", ",5,")], ["row 17 (line 18)", "size_kib", "'5'", "1, 2, 4, 8, 16"]),
        ([*ROWS, GOOD.replace(",3,", ",,")], ["row 17 (line 18)", "banks", "''"]),
        ([*ROWS, GOOD.replace("C>K>X", "C>K>Y")], ["row 17 (line 18)", "order", "'C>K>Y'"]),
        ([*ROWS, GOOD.replace("2x6x2", "2x6x3")], ["row 17 (line 18)", "tile", "product is 36"]),
        ([*ROWS, GOOD + ",1"], ["row 17 (line 18)", "6 cells", "5 columns"]),
        ([*ROWS, "", GOOD.replace("cache", "x")], ["row 17 (line 19)", "'x'"]),
        ([*ROWS, '"cache,4,3'], ["line 18"]),
    ],
)
def test_a_wrong_row_is_named_with_its_line(cli, bowl, designs, tmp_path, rows, parts):
    file = designs(*rows)
    cli("evaluate", bowl, "--designs", file, "--out", tmp_path / "out.csv").assert_is_one_line_error(str(file), *parts)
    assert leftovers(tmp_path) == ["designs.csv"]


def test_a_wrong_row_of_a_parquet_file_is_named(cli, bowl, tmp_path):
    columns = {name: [cell] * 20 for name, cell in zip(HEADER.split(","), GOOD.split(","), strict=True)}
    columns["banks"] = [3] * 16 + [99] * 4
    pq.write_table(pa.table(columns), tmp_path / "designs.parquet")
    outcome = cli("evaluate", bowl, "--designs", tmp_path / "designs.parquet", "--out", tmp_path / "out.csv")
    outcome.assert_is_one_line_error("row 17:", "banks", "99")


@pytest.mark.parametrize(
    ("header", "parts"),
    [
        ("memory,size_kib,bank,order,tile", ["missing column 'banks'", "did you mean 'bank'?"]),
        ("memory,size_kib,banks,banks,tile", ["column 'banks' appears 2 times"]),
        ("memory;size_kib;banks;order;tile", ["cells are separated by ';'", "must be separated by commas"]),
    ],
)
def test_wrong_columns_are_named(cli, bowl, designs, tmp_path, header, parts):
    outcome = cli("evaluate", bowl, "--designs", designs(GOOD, header=header), "--out", tmp_path / "out.csv")
    outcome.assert_is_one_line_error("designs.csv", *parts)


@pytest.mark.parametrize("header", ["memory,size_kib,bank,order,tile", "memory,size_kib,banks,order"])
def test_wrong_designs_are_named_before_anything_is_simulated(cli, bowl, designs, tmp_path, monkeypatch, header):
    monkeypatch.setattr("archgym_simulators.Simulator.evaluate", None)  # the baseline is simulated too
    outcome = cli("evaluate", bowl, "--designs", designs(GOOD, header=header), "--out", tmp_path / "out.csv")
    outcome.assert_is_one_line_error("designs.csv")
    assert leftovers(tmp_path) == ["designs.csv"]


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_other_separators_are_named(cli, bowl, designs, tmp_path, sign):
    file = designs(GOOD.replace(",", sign), header=HEADER.replace(",", sign))
    outcome = cli("evaluate", bowl, "--designs", file, "--out", tmp_path / "out.csv")
    outcome.assert_is_one_line_error("designs.csv", f"cells are separated by {sign!r}", "must be separated by commas")


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("designs.csv", b"", ["is empty"]),
        ("designs.csv", f"{HEADER}\n".encode(), ["no designs"]),
        ("designs.csv", b"memory\n\xff\xfe\n", ["not UTF-8"]),
        ("designs.parquet", b"not parquet at all", ["no Parquet file"]),
        ("designs.parquet", b"", ["no Parquet file"]),
        ("designs.txt", b"x", [".csv or .parquet"]),
    ],
)
def test_unusable_files_are_named(cli, bowl, tmp_path, name, content, parts):
    (tmp_path / name).write_bytes(content)
    outcome = cli("evaluate", bowl, "--designs", tmp_path / name, "--out", tmp_path / "out.csv")
    outcome.assert_is_one_line_error(name, *parts)
    assert leftovers(tmp_path) == [name]


def test_unusable_places_are_named_before_anything_is_simulated(cli, bowl, designs, tmp_path, monkeypatch):
    file = designs(GOOD)
    monkeypatch.setattr("archgym.session.Session.evaluate", None)
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "link.csv").hardlink_to(file)
    for out, part in [
        (tmp_path / "out.xlsx", ".csv or .parquet"),
        (tmp_path / "no" / "out.csv", "no directory"),
        (tmp_path / "folder.csv", "is a directory"),
        (file, "is the designs file itself"),
        (tmp_path / "link.csv", "is the designs file itself"),
    ]:
        cli("evaluate", bowl, "--designs", file, "--out", out).assert_is_one_line_error(str(out), part)
    assert file.read_text() == f"{HEADER}\n{GOOD}\n"
    for path, part in [(tmp_path / "none.csv", "does not exist"), (tmp_path / "folder.csv", "is no file")]:
        cli("evaluate", bowl, "--designs", path, "--out", tmp_path / "o.csv").assert_is_one_line_error(str(path), part)


def test_a_failure_on_the_way_leaves_the_old_output(cli, bowl, designs, tmp_path, monkeypatch):
    def full(self, columns, arrow=None, metadata=None):
        self._part.write_text("half")
        raise OSError(28, "No space left on device", str(self._part))

    monkeypatch.setattr("archgym.cli.design_files.OutputFile.write", full)
    out = tmp_path / "out.csv"
    out.write_text("old")
    cli("evaluate", bowl, "--designs", designs(GOOD), "--out", out).assert_is_one_line_error("No space left")
    assert out.read_text() == "old"
    assert leftovers(tmp_path) == ["designs.csv", "out.csv"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_permission_is_named(cli, bowl, designs, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    outcome = cli("evaluate", bowl, "--designs", designs(GOOD), "--out", closed / "out.csv")
    outcome.assert_is_one_line_error("Permission denied")


def test_many_designs_take_several_calls(cli, bowl, designs, tmp_path):
    outcome = cli("evaluate", bowl, "--designs", designs(*[GOOD] * 10_000), "--out", tmp_path / "out.csv")
    assert "10,000 designs: 10,000 ok" in outcome.out
    assert len(read(tmp_path / "out.csv")) == 10_001


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_disk_that_fills_up_is_named_with_the_file(process, bowl, designs, tmp_path, suffix):
    def small_disk():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    out = tmp_path / f"out{suffix}"
    done = process("evaluate", bowl, "--designs", designs(*[GOOD] * 50), "--out", out, preexec_fn=small_disk)
    done.assert_is_one_line_error(f"cannot write {out}: ", os.strerror(27))
    assert leftovers(tmp_path) == ["designs.csv"]
