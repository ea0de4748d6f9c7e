"""A recorded run reproduces, and where it does not, the verdict says what differs."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import archgym
from archgym.run_directory import RunManifest


@pytest.fixture
def run(bowl, agent, tmp_path):
    """A complete run of 40 designs."""
    archgym.search(bowl, str(agent), budget=40, seed=3, out=tmp_path / "run")
    return tmp_path / "run"


def snapshot(directory):
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def change_table(directory, column, row, value):
    table = pq.read_table(directory / "evaluations.parquet")
    cells = table.column(column).to_pylist()
    cells[row] = value
    at = table.column_names.index(column)
    changed = table.set_column(at, column, pa.array(cells, table.schema.field(column).type))
    pq.write_table(changed, directory / "evaluations.parquet")


def test_a_run_reproduces_bit_for_bit_and_stays_untouched(cli, run):
    before = snapshot(run)
    outcome = cli("verify", run, "--rerun")
    assert outcome.status == 0
    assert "40 of 40 simulated again: equal bit for bit" in outcome.out
    assert "made the same 40 simulations in order" in outcome.flat
    assert "The run reproduces." in outcome.out
    assert snapshot(run) == before


def test_a_sample_simulates_only_so_many(cli, run):
    assert "7 of 40 simulated again" in cli("verify", run, "--sample", 7).out


@pytest.mark.parametrize(
    "options", [{}, {"record": "improvements"}, {"objective": "edp", "constraints": "time_ns<=150"}]
)
@pytest.mark.parametrize("name", ["Bowl", "HugeSpace", "OneDesign", "AlwaysInvalid"])
def test_every_toy_reproduces(cli, toy, agent, tmp_path, name, options):
    archgym.search(toy(name), str(agent), budget=25, seed=0, out=tmp_path / "run", **options)
    outcome = cli("verify", tmp_path / "run", "--rerun")
    assert outcome.status == 0, outcome


def test_an_interrupted_run_is_verified_as_far_as_it_goes(cli, run):
    (run / "result.json").unlink()
    (run / "evaluations.parquet").unlink()
    journal = (run / "journal.bin").read_bytes()
    (run / "journal.bin").write_bytes(journal[:-11])
    outcome = cli("verify", run, "--rerun")
    assert outcome.status == 0
    assert "interrupted" in outcome.out
    assert (run / "journal.bin").read_bytes() == journal[:-11]


@pytest.mark.parametrize(
    ("column", "value", "part"),
    [
        ("time_ns", 1.0, "time_ns is 1.0"),
        ("memory", "none", "memory is 'none'"),
        ("status", "failed", "status is 'failed'"),
    ],
)
def test_a_changed_table_is_noticed(cli, run, column, value, part):
    change_table(run, column, 16, value)
    outcome = cli("verify", run)
    assert outcome.status == 1
    assert "evaluations.parquet  row 17: " in outcome.out
    assert part in outcome.out
    assert "does not reproduce" in outcome.out


def test_a_changed_result_is_noticed(cli, run):
    result = json.loads((run / "result.json").read_text())
    result["best"]["metrics"]["time_ns"] *= 0.9
    (run / "result.json").write_text(json.dumps(result))
    outcome = cli("verify", run)
    assert outcome.status == 1
    assert "best time_ns is" in outcome.out


def test_a_flipped_bit_in_the_journal_is_noticed(cli, run):
    content = bytearray((run / "journal.bin").read_bytes())
    content[-40] ^= 1
    (run / "journal.bin").write_bytes(bytes(content))
    outcome = cli("verify", run)
    assert outcome.status == 1
    assert "damaged" in outcome.out


CHIP = """
import dataclasses
from archgym.testing.toys import Bowl

class Chip(Bowl):
    def simulate(self, rows):
        found = super().simulate(rows)
        return dataclasses.replace(found, values=found.values * FACTOR)
"""


@pytest.mark.parametrize(
    ("factor", "status", "part"),
    [("1.000000001", 1, "time_ns is"), ("(1 + 4e-13)", 0, "the others to 1e-12")],
)
def test_a_simulator_whose_numbers_have_moved_is_noticed(process, agent, tmp_path, factor, status, part):
    chip = tmp_path / "chip.py"
    chip.write_text(CHIP.replace("FACTOR", "1.0"))
    archgym.search(f"{chip}:Chip", str(agent), budget=40, seed=3, out=tmp_path / "run")
    chip.write_text(CHIP.replace("FACTOR", factor))
    outcome = process("verify", tmp_path / "run")
    assert outcome.status == status
    assert part in outcome.flat


def test_a_run_of_another_simulator_version_is_refused(cli, run):
    manifest = json.loads((run / "manifest.json").read_text())
    changed = RunManifest({**manifest["identity"], "simulator_version": "0"}, manifest["about"])
    (run / "manifest.json").write_text(json.dumps(changed.to_json()))
    cli("verify", run).assert_is_one_line_error("simulator_version is '0' in the record and '1'")


def test_a_random_tool_does_not_reproduce(cli, toy, agent, tmp_path):
    archgym.search(toy("Flaky"), str(agent), budget=200, seed=0, out=tmp_path / "run")
    outcome = cli("verify", tmp_path / "run")
    assert outcome.status == 1
    assert "ok in the record and failed now" in outcome.out


def test_what_is_no_run_directory_is_one_line(cli, run, tmp_path):
    cli("verify", tmp_path / "none").assert_is_one_line_error("none", "no run directory")
    cli("verify", tmp_path).assert_is_one_line_error("no manifest.json")
    cli("verify", run, "--sample", 0).assert_is_one_line_error("--sample", "at least 1")
    shutil.copytree(run, tmp_path / "damaged")
    (tmp_path / "damaged" / "manifest.json").write_text("{")
    cli("verify", tmp_path / "damaged").assert_is_one_line_error("cannot read", "manifest.json")
    (tmp_path / "damaged" / "manifest.json").write_text("{}")
    cli("verify", tmp_path / "damaged").assert_is_one_line_error("is damaged")
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["identity"]["seed"] = 4
    (tmp_path / "damaged" / "manifest.json").write_text(json.dumps(manifest))
    cli("verify", tmp_path / "damaged").assert_is_one_line_error("is damaged: its digest")
    manifest["identity"]["format"] = 99
    (tmp_path / "damaged" / "manifest.json").write_text(json.dumps(manifest))
    cli("verify", tmp_path / "damaged").assert_is_one_line_error("format 99")


def test_a_journal_of_another_run_is_named(cli, run):
    (run / "journal.bin").write_bytes(b"something else")
    cli("verify", run).assert_is_one_line_error(str(run / "journal.bin"))


def test_nothing_recorded_is_one_line(cli, run):
    for name in ("journal.bin", "result.json", "evaluations.parquet"):
        (run / name).unlink()
    cli("verify", run).assert_is_one_line_error("records no evaluations")


def test_numbers_are_compared_to_1e_12():
    from archgym.verification import TOLERANCE, _close

    value = np.array([[100.0, np.nan, 3.0]])
    assert _close(value, value * (1 + 0.5 * TOLERANCE)).all()
    assert not _close(value, value * (1 + 3 * TOLERANCE)).any()
    assert not _close(value, np.array([[100.0, 1.0, 3.0]])).any()
