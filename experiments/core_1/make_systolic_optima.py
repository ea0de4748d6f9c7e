"""Certify the optima of the tasks on systolic arrays: ``python -m experiments.core_1.make_systolic_optima``.

Writes ``archgym/optima/systolic.json``: for each task with one objective the best of all 10,885,233 designs. The same
command goes on where it was interrupted; a certificate takes half a minute to three of one core, and 5 GiB.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from archgym.certificates import IDENTITY, identity_of, key_of
from archgym.core_1.systolic import TASKS
from archgym.optimum import find_optimum
from archgym.run_directory import write_whole

TARGET = Path(__file__).parents[2] / "archgym" / "optima" / "systolic.json"


def main() -> None:
    os.nice(5)
    specs = [task.spec() for task in TASKS if len(task.objectives) == 1]
    wanted = {key_of(identity_of(spec, spec.bind())): spec for spec in specs}
    stored = json.loads(TARGET.read_text())["optima"] if TARGET.is_file() else []
    done = {key_of({name: one[name] for name in IDENTITY}): one for one in stored}
    for key, spec in wanted.items():
        if key not in done:
            done[key] = asdict(find_optimum(spec))
        print(spec.workload, done[key]["reward"], flush=True)
        found = [done[one] for one in wanted if one in done]
        write_whole(TARGET, json.dumps({"optima": found, "fronts": []}, indent=1) + "\n")


if __name__ == "__main__":
    main()
