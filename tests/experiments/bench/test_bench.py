import json
from itertools import count

import pytest

from archgym_simulators import Family, MissingExtra
from experiments.bench import simulators, timing
from experiments.bench.__main__ import _table, main

BOWL = Family("toy/Bowl-v0", "archgym.testing.toys:Bowl", "default", "a toy")


@pytest.fixture
def only_bowl(monkeypatch):
    from archgym.testing.toys import Bowl

    monkeypatch.setattr(simulators, "environments", lambda: {BOWL.id: BOWL})
    monkeypatch.setattr(simulators, "simulator_class", lambda env_id: Bowl)
    monkeypatch.setattr(simulators, "BATCHES", (1, 4))


def test_timing_is_the_median_beside_the_reference_and_stops_at_the_limit(monkeypatch):
    # Each call of the clock is one second after the one before, so every timed call takes one second.
    monkeypatch.setattr(timing.time, "process_time", count().__next__)
    measured = timing.cpu_timing(lambda: None, repeats=7, limit_s=3.0)
    assert (measured.cpu_s, measured.reference_s, measured.repeats, measured.ratio) == (1, 1, 3, 1.0)


def test_every_workload_of_every_simulator_gets_a_row(only_bowl, monkeypatch):
    monkeypatch.setattr(simulators, "SHORTEST_S", 0.0)
    rows = list(simulators.measure())
    assert [(row["environment"], row["workload"]) for row in rows] == [("toy/Bowl-v0", w) for w in ("default", "large")]
    assert all(row["batch 1"] > 0 and row["batch 4"] > 0 and row["per reference"] > 0 for row in rows)


def test_batches_that_would_take_too_long_are_left_out(only_bowl, monkeypatch):
    monkeypatch.setattr(simulators, "LONGEST_S", 0.0)
    assert all(row["batch 1"] is not None and row["batch 4"] is None for row in simulators.measure())


def test_environments_whose_extra_is_missing_are_left_out(only_bowl, monkeypatch):
    def missing(env_id):
        raise MissingExtra("torch is not installed")

    monkeypatch.setattr(simulators, "simulator_class", missing)
    assert list(simulators.measure()) == []


def test_the_report_is_written_and_printed(only_bowl, monkeypatch, tmp_path, capsys):
    out = tmp_path / "bench.json"
    assert main(["--only", "simulators", "--json", str(out)]) == 0
    report = json.loads(out.read_text())
    assert set(report) == {"machine", "simulators"}
    assert report["simulators"][0]["workload"] == "default"
    assert "toy/Bowl-v0" in capsys.readouterr().out


def test_tables_align_numbers_right_and_show_what_is_missing():
    assert _table([{"name": "a", "rate": 12345.6}, {"name": "bc", "rate": None}]).splitlines() == [
        "name    rate",
        "----  ------",
        "a     12,346",
        "bc         -",
    ]
