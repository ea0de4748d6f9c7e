"""``python -m experiments.bench [--json OUT] [--only SECTION ...]``: how fast, in CPU time, as plain tables."""

from __future__ import annotations

__all__ = ["main"]

import argparse
import importlib
import json
import platform
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.bench.timing import cpu_timing, reference_loop

Row = Mapping[str, Any]
SECTIONS = {
    "import": ("imports", "CPU seconds of an import in a fresh process, median of 5"),
    "simulators": ("simulators", "valid designs per CPU second, by batch size"),
    "dram": ("dram", "DRAM kernel: 10,000-request traces, median of 40 random designs"),
    "systolic": ("systolic", "systolic arrays per CPU second, batches of 65,536"),
    "attention": ("attention", "attention designs per CPU second, batches of 65,536"),
    "maestro": ("maestro", "Maestro mappings per CPU second, random ones, batches of 4,096"),
    "mapping": ("mapping", "mappings per CPU second, random valid ones, batches of 16,384"),
    "accelerator": ("accelerator", "accelerators per CPU second, every layer mapped, random ones, batches of 24"),
    "soc": ("soc", "SoC model: designs per CPU second on one core, beside FARSI"),
    "tpe": ("tpe", "tensor engines at bit level: random designs per CPU second, batches of 16,384, and one by one"),
    "nas": ("nas", "measured cells looked up, and zero-cost scores, on one core"),
    "overhead": ("overhead", "what each layer adds to a design: microseconds of CPU, on a toy simulator"),
    "agents": ("agents", "what agents cost of their own: microseconds of CPU a design, 300 calls on 24 integers"),
    "environments": ("environments", "what session and environment add to a design, on a toy simulator"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the chosen sections, print their tables, and write them to ``--json``."""
    parser = argparse.ArgumentParser(prog="python -m experiments.bench", description="How fast, in CPU time.")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every figure to this file")
    parser.add_argument("--only", nargs="+", choices=tuple(SECTIONS), default=tuple(SECTIONS), help="sections to run")
    chosen = parser.parse_args(arguments)
    report: dict[str, Any] = {"machine": _machine()}
    print(", ".join(f"{name} {value}" for name, value in report["machine"].items()))
    for section in chosen.only:
        report[section] = _run(section)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(report, indent=1))
    return 0


def _run(section: str) -> list[Row]:
    module, title = SECTIONS[section]
    measure: Callable[[], Iterable[Row]] = importlib.import_module(f"experiments.bench.{module}").measure
    if sys.stderr.isatty():
        sys.stderr.write(f"measuring: {title} ...\n")
    rows = list(measure())
    print(f"\n{title}\n{_table(rows)}")
    return rows


def _machine() -> dict[str, Any]:
    return {
        "platform": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "reference loop ms": round(1e3 * cpu_timing(reference_loop).cpu_s, 3),
    }


def _table(rows: Sequence[Row]) -> str:
    if not rows:
        return "nothing to measure"
    names = list(rows[0])
    cells = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    texts = [isinstance(rows[0].get(name), str) for name in names]
    lines = [
        "  ".join(
            cell.ljust(width) if text else cell.rjust(width)
            for cell, width, text in zip(line, widths, texts, strict=True)
        )
        for line in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


if __name__ == "__main__":
    raise SystemExit(main())
