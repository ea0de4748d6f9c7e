"""Load ten million rows from sixteen files: ``python -m experiments.dataset_memory --work DIR``; Linux only."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from archgym.datasets import Dataset, DatasetWorkload, Schema, SourceRun
from archgym.datasets.export import write_dataset
from archgym.problem import ProblemSpec
from archgym_simulators import OK, DesignSpace
from archgym_simulators.space import Rows

HERE = Path(__file__).parent
HEADER = "duplicates,files,rows_read,rows_kept,file_mb,columns_mb,before_mb,peak_mb,peak_over_columns,cpu_seconds"
FILES = 16
_LOAD = """
import json, sys, time
import numpy, pyarrow.parquet, archgym.datasets.loading
from archgym.datasets.dataset import COLUMNS
def memory(name):
    return int(open("/proc/self/status").read().split(name + ":")[1].split()[0]) * 1024
before, began = memory("VmRSS"), time.process_time()
data = archgym.datasets.loading.load_dataset(sys.argv[2:], duplicates=sys.argv[1])
seconds, peak = time.process_time() - began, memory("VmHWM")
held = sum(getattr(data, name).nbytes for name in COLUMNS)
print(json.dumps({"rows": len(data), "before": before, "peak": peak, "held": held, "seconds": seconds}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="a folder for 1.3 GB of files")
    parser.add_argument("--rows", type=int, default=10_000_000)
    arguments = parser.parse_args()
    folders = [arguments.work / f"part-{place}" for place in range(FILES)]
    if not all(folder.is_dir() for folder in folders):
        for folder, data in zip(folders, parts(arguments.rows // FILES), strict=True):
            if not folder.is_dir():
                write_dataset(data, folder)
    with (HERE / "memory.csv").open("w") as file:
        file.write(HEADER + "\n")
        file.writelines(measured(how, folders, arguments.rows) + "\n" for how in ("drop", "keep"))


def parts(rows: int) -> Iterator[Dataset]:
    """Datasets of so many distinct designs each, with DRAM's space and metrics; values are made up."""
    simulator = ProblemSpec.create("archgym/DRAM-v0").simulator()
    space, metrics = simulator.space, simulator.metrics
    schema = Schema("archgym/DRAM-v0", {}, simulator.version, "", space, space.digest, metrics)
    weights = np.random.default_rng(0).random((space.width, len(metrics)))
    for place in range(FILES):
        designs = _designs(space, rows, place)
        yield Dataset(
            schema=schema,
            workloads=(DatasetWorkload(f"made-{place}"),),
            runs=(SourceRun(f"run-{place}", "enumeration", place),),
            rows=designs.astype(np.uint8),
            values=1.0 + designs @ weights + place,
            status=np.full(rows, OK, np.int8),
            workload_index=np.zeros(rows, np.int32),
            run_index=np.zeros(rows, np.int32),
            step=np.arange(rows),
            reward=np.zeros(rows),
            feasible=np.ones(rows, bool),
        )


def _designs(space: DesignSpace, rows: int, seed: int) -> Rows:
    """Distinct canonical designs in random order."""
    everything = np.concatenate([chunk.astype(np.uint8) for chunk in space.chunks(canonical=True)])
    return everything[np.random.default_rng(seed).permutation(len(everything))[:rows]].astype(np.int64)


def measured(duplicates: str, folders: list[Path], rows: int) -> str:
    """A line of the table; loaded by a process of its own."""
    command = [sys.executable, "-c", _LOAD, duplicates, *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    size = sum(file.stat().st_size for folder in folders for file in folder.glob("*.parquet"))
    sizes = ",".join(f"{one / 1e6:.0f}" for one in (size, found["held"], found["before"], found["peak"]))
    over = found["peak"] / found["held"]
    return f"{duplicates},{len(folders)},{rows},{found['rows']},{sizes},{over:.2f},{found['seconds']:.1f}"


if __name__ == "__main__":
    main()
