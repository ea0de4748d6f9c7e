"""Any program as a simulator: JSON in, JSON out."""

from __future__ import annotations

__all__ = ["CommandSimulator"]

import inspect
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from archgym_simulators.errors import InputError, SimulationFailed
from archgym_simulators.external.answers import Refusal
from archgym_simulators.external.process import Finished
from archgym_simulators.external.programs import content_digest, program_path
from archgym_simulators.external.tool import Call, ExternalTool
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.simulator import Baseline, Workload
from archgym_simulators.space import Design, DesignSpace


class CommandSimulator(ExternalTool):
    """A program by a command template, to be subclassed in a file of your own.

    For example::

        class Chip(CommandSimulator):
            version = "1"
            metrics = (Metric("time_ns", "run time of the benchmark"), Metric("power_mw", "average power"))
            space = DesignSpace([Ordinal("l2_kib", [128, 256, 512], "KiB")])
            workloads = {"default": "matrix product", "sort": "quicksort"}
            command = ("{python}", "{here}/run_gem5.py", "{input}", "{output}")

    and use ``path/chip.py:Chip`` wherever an environment's id goes.

    Placeholders of the template: every parameter's name for its value, ``{workload}``, ``{here}`` for the folder of
    the file with the class, ``{python}`` for the running interpreter, ``{input}`` and ``{output}`` for two JSON files
    in the program's private working folder. A brace is written twice.

    The program reads ``{"design": {...}, "workload": "..."}`` from the input file or from standard input, and answers
    in the output file, or, where the template has none, as the last line of standard output, with one of::

        {"metrics": {"time_ns": 1520.5, "power_mw": 85}}
        {"invalid": "too-hot", "violation": 0.3, "details": {"power_w": 12.1}}

    ``invalid`` is the name of one of ``refusals``, or ``"rejected"``.

    Attributes:
        command: the template.
        workloads: names with one sentence each; a path to a file is a workload, too.
        baseline_design: the reference design; the first of the space where None.
    """

    command: ClassVar[tuple[str, ...]]
    workloads: ClassVar[Mapping[str, str]] = {"default": "the only one"}
    baseline_design: ClassVar[Design | None] = None
    space: DesignSpace

    def __init__(
        self, workload: str = "default", *, workers: int = 1, time_limit_s: float = 0.0, keep_failed: str = ""
    ) -> None:
        super().__init__(workers=workers, time_limit_s=time_limit_s, keep_failed=keep_failed)
        if workload not in self.workloads and not os.path.isfile(workload):
            raise InputError(
                f"unknown workload {workload!r}{did_you_mean(workload, self.workloads)}; "
                f"allowed: {', '.join(self.workloads)}, or the path of a file"
            )
        # The program's working folder is another one.
        self._workload_text = workload if workload in self.workloads else str(Path(workload).resolve())
        first = self.space.decode_row((0,) * self.space.width)
        reference = self.baseline_design or first
        self.baseline = Baseline(
            "reference" if self.baseline_design else "first design", tuple(self.space.encode_row(reference).tolist())
        )
        example = self._filled(first, Path("."))
        self._program = program_path(example[0], f"command of {type(self).__name__}")
        # A program or script that changes under the same name is noticed.
        files = [word for word in (self._program, *example[1:], self._workload_text) if os.path.isfile(word)]
        self.workload = Workload(workload, digest=content_digest(files))

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return cls.workloads

    def call(self, design: Design, folder: Path) -> Call:
        question = folder / "input.json"
        question.write_text(json.dumps({"design": design, "workload": self._workload_text}))
        return Call((self._program, *self._filled(design, folder)[1:]), stdin=question)

    def answer(self, finished: Finished, folder: Path) -> Mapping[str, float] | Refusal:
        reply = _json_object(self._reply(finished, folder))
        if "invalid" in reply:
            details = {str(name): float(value) for name, value in dict(reply.get("details", {})).items()}
            return Refusal(str(reply["invalid"]), float(reply.get("violation", 1.0)), details)
        return dict(reply["metrics"])

    def _reply(self, finished: Finished, folder: Path) -> str:
        if not any("{output}" in word for word in self.command):
            lines = finished.stdout.decode().split("\n")
            return next((line for line in reversed(lines) if line.strip()), "")
        file = folder / "output.json"
        if file.stat().st_size > self.output_limit_bytes:
            raise SimulationFailed(f"{file.name} is longer than {self.output_limit_bytes} bytes")
        return file.read_text()

    def _filled(self, design: Design, folder: Path) -> tuple[str, ...]:
        names = {
            "workload": self._workload_text,
            "here": str(Path(inspect.getfile(type(self))).resolve().parent),
            "python": sys.executable,
            "input": str(folder / "input.json"),
            "output": str(folder / "output.json"),
        }
        known: dict[str, Any] = {**names, **design}
        try:
            return tuple(word.format_map(known) for word in self.command)
        except (KeyError, IndexError, ValueError) as error:
            wrong = str(error).strip("'")
            raise InputError(
                f"command of {type(self).__name__}: unknown placeholder {wrong!r}{did_you_mean(wrong, known)}; "
                f"allowed: {', '.join(known)}"
            ) from error


def _json_object(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise SimulationFailed(f"expected a JSON object, not {text[:80]!r}")
    return found
