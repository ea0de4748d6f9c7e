"""Reference tables and traces, where the reference folder stands beside the repository."""

import csv
import gzip
import json
from functools import cache
from pathlib import Path

import pytest

from archgym_simulators.dram.controller import ControllerDesign
from archgym_simulators.dram.trace import Trace

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "refs" / "dram"
needs_references = pytest.mark.skipif(not FOLDER.is_dir(), reason="no reference folder ../shared/refs/dram")

COLUMNS = {
    "page_policy": "PagePolicy",
    "scheduler": "Scheduler",
    "scheduler_buffer": "SchedulerBuffer",
    "request_buffer_size": "RequestBufferSize",
    "response_queue": "RespQueue",
    "refresh_policy": "RefreshPolicy",
    "refresh_max_postponed": "RefreshMaxPostponed",
    "refresh_max_pulledin": "RefreshMaxPulledin",
    "arbiter": "Arbiter",
    "max_active_transactions": "MaxActiveTransactions",
}


def design_of(row):
    values = {ours: row[theirs] for ours, theirs in COLUMNS.items()}
    return ControllerDesign(**{name: int(v) if str(v).isdigit() else v for name, v in values.items()})


@cache
def trace(name):
    with gzip.open(FOLDER / "traces" / f"{name}.stl.gz", "rt") as file:
        lines = file.read().splitlines()
    fields = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return Trace.build(
        name,
        cycle=[int(time.rstrip(":")) for time, _, _ in fields],
        is_write=[kind == "write" for _, kind, _ in fields],
        address=[int(address, 16) for _, _, address in fields],
        allow_decreasing=True,
    )


@cache
def table(name):
    with open(FOLDER / f"{name}.csv", newline="") as file:
        return list(csv.DictReader(file))


@cache
def golden():
    return json.loads((FOLDER / "golden_commands" / "index.json").read_text())["cases"]


def golden_commands(case):
    with gzip.open(FOLDER / "golden_commands" / f"{case}.csv.gz", "rt", newline="") as file:
        return list(csv.DictReader(file))
