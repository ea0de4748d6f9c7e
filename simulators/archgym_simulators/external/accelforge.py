"""AccelForge as a second opinion on the mapping model, in a Python of its own (3.12 or later), with a time limit."""

from __future__ import annotations

__all__ = ["AccelForge", "AccelForgeCost", "find_accelforge"]

import importlib.util
import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError, MissingExtra, SimulationFailed
from archgym_simulators.external.accelforge_files import DRIVER, specification, unsupported
from archgym_simulators.external.process import Finished, minimal_environment, private_folder, run_program
from archgym_simulators.external.programs import program_path
from archgym_simulators.layers.layer import Layer
from archgym_simulators.mapping.hardware import TENSORS, Hardware
from archgym_simulators.mapping.model import LayerMapping

_OUTPUT_BYTES = 1 << 16
_VERSION_LIMIT_S = 120.0
_LEVELS = ("pe", "glb", "dram")
_ACTIONS = ("read", "write")
_VERSION = "import accelforge, importlib.metadata as m; print(m.version('accelforge'))"
_INSTALL = "pip install 'archgym[accelerators]'"


@dataclass(frozen=True, eq=False)
class AccelForgeCost:
    """What AccelForge says of one mapping.

    Attributes:
        cycles: the slowest of the MACs and the ports of all memories.
        energy_pj: of MACs and memories.
        words: (3, 3, 2) PE, global buffer and DRAM by tensor by reads and writes; compare with
            `archgym_simulators.external.accelforge_files.charged_words`.
    """

    cycles: float
    energy_pj: float
    words: NDArray[np.float64]


@dataclass(frozen=True)
class AccelForge:
    """An AccelForge that can be run.

    Attributes:
        python: the interpreter that has it.
        version: of the package.
    """

    python: str
    version: str

    def evaluate(
        self, layer: Layer, hardware: Hardware, mappings: Sequence[LayerMapping], *, time_limit_s: float = 600.0
    ) -> list[AccelForgeCost]:
        """Cost of one group of a layer under each mapping; about 0.1 s each after 2 s for the first.

        Energies are by word, not by access: a buffer's ``width`` plays no role.

        Args:
            layer: to run.
            hardware: what it runs on.
            mappings: of the layer.
            time_limit_s: wall-clock seconds of all together.

        Raises:
            InputError: a mapping that does not multiply to the layer, or that AccelForge's notation does not have.
            SimulationFailed: AccelForge refuses a mapping, crashes or takes longer.
        """
        for number, mapping in enumerate(mappings):
            mapping.check_layer(layer)
            if reason := unsupported(mapping):
                raise InputError(f"mapping {number} is not in AccelForge's notation: {reason}")
        with private_folder() as folder:
            for number, mapping in enumerate(mappings):
                (folder / f"{number}.yaml").write_text(specification(layer, hardware, mapping))
            (folder / "driver.py").write_text(DRIVER)
            finished = _run((self.python, "driver.py", str(len(mappings))), folder, time_limit_s)
            answers = folder / "answers.json"
            if finished.status != 0 or not answers.is_file():
                raise SimulationFailed(f"accelforge: {_complaint(finished, time_limit_s)}")
            return [_cost(number, answer) for number, answer in enumerate(json.loads(answers.read_text()))]


def find_accelforge(python: str | None = None) -> AccelForge:
    """The AccelForge of an interpreter, by name or path; without one, of the Python that is running.

    Raises:
        InputError: there is no such interpreter.
        MissingExtra: it does not have AccelForge, or is older than 3.12, where AccelForge does not install.
    """
    if python is not None:
        return _started(program_path(python, "accelforge"))
    if sys.version_info < (3, 12):
        raise MissingExtra(
            f"accelforge needs Python 3.12 or later, and this is {platform.python_version()}; "
            f"in an environment of such a Python run: {_INSTALL}"
        )
    if importlib.util.find_spec("accelforge") is None:
        raise MissingExtra(f"accelforge is not installed; run: {_INSTALL}")
    return _started(sys.executable)


@lru_cache(maxsize=8)
def _started(python: str) -> AccelForge:
    with private_folder() as folder:
        finished = _run((python, "-c", _VERSION), folder, _VERSION_LIMIT_S)
    if finished.status != 0:
        reason = _complaint(finished, _VERSION_LIMIT_S)
        raise MissingExtra(f"{python} has no accelforge ({reason}); with Python 3.12 or later run: {_INSTALL}")
    return AccelForge(python, finished.stdout.decode().split()[-1])


def _run(command: Sequence[str], folder: Path, time_limit_s: float) -> Finished:
    environment = minimal_environment(folder, {}, ("PYTHONPATH",))
    return run_program(
        command, folder=folder, environment=environment, time_limit_s=time_limit_s, output_limit_bytes=_OUTPUT_BYTES
    )


def _complaint(finished: Finished, limit_s: float) -> str:
    """The last line that it said."""
    if finished.status is None:
        return f"no result within {limit_s:g} s; killed"
    lines = [line.strip() for line in finished.stderr.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else f"exit status {finished.status}"


def _cost(number: int, answer: Mapping[str, Any]) -> AccelForgeCost:
    if "error" in answer:
        raise SimulationFailed(f"accelforge refuses mapping {number}: {answer['error'][:300]}")
    words = np.zeros((3, 3, 2))
    for component, tensor, action, count in answer["words"]:
        if component != "mac":
            # A level of several buffers has numbers behind its name.
            words[_LEVELS.index(component.rstrip("0123456789")), TENSORS.index(tensor), _ACTIONS.index(action)] += count
    return AccelForgeCost(answer["cycles"], answer["energy_pj"], words)
