"""What ``import archgym`` costs in a fresh process, beside the libraries it stands on."""

from __future__ import annotations

__all__ = ["measure"]

import subprocess
import sys
from statistics import median
from typing import Any

MODULES = ("numpy", "gymnasium", "archgym_simulators", "archgym", "archgym.cli.main")
REPEATS = 5
_CHILD = "import time; t = time.process_time(); import {module}; print(time.process_time() - t)"


def measure() -> list[dict[str, Any]]:
    """One row a module: median CPU seconds of its import, and as a ratio to that of numpy in the same run."""
    seconds = {module: median(_import_cpu_s(module) for _ in range(REPEATS)) for module in MODULES}
    return [{"import": m, "cpu_s": s, "times numpy": s / seconds["numpy"]} for m, s in seconds.items()]


def _import_cpu_s(module: str) -> float:
    child = subprocess.run(
        [sys.executable, "-c", _CHILD.format(module=module)], capture_output=True, text=True, check=True
    )
    return float(child.stdout)
