"""Certify the optima of small mapping problems: ``python -m experiments.core_1.make_mapping_optima``.

Writes ``archgym/optima/mapping.json`` after every certificate; the same command goes on where it was interrupted. Each
problem is enumerated in some seconds; the enumerations stay in the user's cache.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from archgym.certificates import identity_of, key_of
from archgym.optimum import find_optimum
from archgym.problem import ProblemSpec
from archgym.run_directory import write_whole

TARGET = Path(__file__).parents[2] / "archgym" / "optima" / "mapping.json"
ENV_ID = "archgym/Mapping-v0"
LAYERS = (
    *("gemm:4x4x4", "gemm:8x8x2", "gemm:4x4x8", "gemm:6x4x4", "gemm:9x4x3", "gemm:1x32x32"),
    *("conv:8x1x1x4x3x1", "conv:6x1x2x2x3x1", "conv:4x4x1x1x3x3", "conv:12x1x1x4x5x1s2", "conv:16x1x1x4x3x1"),
    *("conv:16x1x1x1x5x1", "conv:9x1x1x9x3x1", "conv:10x1x1x5x2x1s2"),
)
HARDWARE = ("miniature", "eyeriss-like")
OBJECTIVES = ("energy-delay", "latency")
LATENCY_ON = "miniature"


def problems() -> Iterator[ProblemSpec]:
    """Every layer on both accelerators for energy times delay, and on the smaller one for time alone."""
    for hardware in HARDWARE:
        for objective in OBJECTIVES if hardware == LATENCY_ON else OBJECTIVES[:1]:
            for layer in LAYERS:
                options = {"hardware": hardware}
                yield ProblemSpec.create(ENV_ID, workload=layer, objective=objective, options=options)


def main() -> None:
    os.nice(5)
    done = _read()
    wanted = {key_of(identity_of(spec, spec.bind())): spec for spec in problems()}
    for number, (key, spec) in enumerate(wanted.items(), start=1):
        if key not in done:
            done[key] = asdict(find_optimum(spec))
            _write([done[key] for key in wanted if key in done])
        print(f"{number}/{len(wanted)} {spec.workload}, {dict(spec.options)}, {', '.join(spec.objectives)}", flush=True)
    _write([done[key] for key in wanted])


def _read() -> dict[str, dict[str, Any]]:
    stored = json.loads(TARGET.read_text())["optima"] if TARGET.is_file() else []
    names = ("env_id", "workload", "objectives", "constraints", "options", "simulator_version", "space")
    return {key_of({name: one[name] for name in (*names, "workload_digest")}): one for one in stored}


def _write(certificates: list[dict[str, Any]]) -> None:
    write_whole(TARGET, json.dumps({"optima": certificates, "fronts": []}, indent=1) + "\n")


if __name__ == "__main__":
    main()
