"""A user's DRAMSys 4.0 binary behind the interface of the DRAM family.

Written from the documentation of DRAMSys 4.0 (README of tukl-msd/DRAMSys: call form, configuration files, trace format)
and from outputs that its users publish. Tested against stand-ins only: no DRAMSys binary was at hand.
"""

from __future__ import annotations

__all__ = ["DramSys"]

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from archgym_simulators.dram.design import BASELINE, controller_space
from archgym_simulators.dram.features import FEATURE_NAMES
from archgym_simulators.dram.splits import draw
from archgym_simulators.dram.workloads import WORKLOADS
from archgym_simulators.dram.workloads import workload as make_workload
from archgym_simulators.errors import InputError, SimulationFailed
from archgym_simulators.external.dramsys_files import stl_text, system_of_device, system_of_files, write_files
from archgym_simulators.external.process import Finished
from archgym_simulators.external.programs import content_digest, program_path
from archgym_simulators.external.tool import Call, ExternalTool
from archgym_simulators.external.units import in_unit
from archgym_simulators.simulator import Baseline, Metric, NamedObjective, Workload
from archgym_simulators.space import Design


class DramSys(ExternalTool):
    """DRAMSys 4.0, called as ``DRAMSys <simulation.json> <resources/>`` with every file in a private folder.

    Space and workloads are those of the DRAM family. Under ``rules="realistic"`` a design without refresh is invalid,
    but refreshes still owed at the end are not charged, since DRAMSys does not. Times are read with their unit,
    because SystemC prints the largest one that leaves a whole number: "50300 ns", but "50468750 ps".

    Args:
        workload: as in the DRAM family: a generator's spec, or a trace by path.
        binary: path of the DRAMSys program, built with DRAMPower.
        device: a DDR3 device of the DRAM family, whose memory specification is written for you.
        memspec: instead, path of a memory specification of DRAMSys (JSON), for any device that it knows.
        address_map: path of an address mapping of DRAMSys (JSON); needed with ``memspec``.
        rules: ``"realistic"`` or ``"archgym"``.
        workers: programs that run at the same time.
        time_limit_s: wall-clock seconds of one run; 600 where 0.
        keep_failed: folder for the files of failed runs.
    """

    version = "1"
    metrics = (
        Metric("total_time_ns", "from time 0 to the last response at the trace player"),
        Metric("energy_pj", "energy of all devices, by DRAMPower"),
        Metric("power_mw", "energy over total time"),
        Metric("bandwidth_gbps", "gigabits moved per second of total time", direction="max"),
    )
    objectives = (
        NamedObjective("total-time", "total_time_ns", "finish the trace sooner", aliases=("latency",)),
        NamedObjective("energy", "energy_pj", "spend less energy on the trace"),
        NamedObjective("energy-delay", "energy_pj * total_time_ns", "energy times total time", aliases=("edp",)),
        NamedObjective("power", "power_mw", "the slowest design wins", requires=("total_time_ns",)),
    )
    default_objective = "total-time"
    default_time_limit_s: ClassVar[float] = 600.0

    def __init__(
        self,
        workload: str = "random",
        *,
        binary: str = "",
        device: str = "DDR3-1600",
        memspec: str = "",
        address_map: str = "",
        rules: str = "realistic",
        workers: int = 1,
        time_limit_s: float = 0.0,
        keep_failed: str = "",
    ) -> None:
        super().__init__(workers=workers, time_limit_s=time_limit_s, keep_failed=keep_failed)
        if not binary:
            raise InputError("option binary must be the path of your DRAMSys program; archgym does not come with one")
        self._program = program_path(binary, "option binary")
        if bool(memspec) != bool(address_map):
            raise InputError("options memspec and address_map go together: a device, and a map made for it")
        self._system = system_of_files(memspec, address_map) if memspec else system_of_device(device)
        described = make_workload(workload, capacity_bytes=self._system.capacity_bytes, rules=rules)
        self._trace, self._relative = stl_text(described.trace), described.trace.relative
        self.space = controller_space(rules)
        row = self.space.canonical(self.space.encode_row(BASELINE)[None])[0]
        self.baseline = Baseline("open-page FR-FCFS", tuple(row.tolist()))
        system = json.dumps([self._system.memspec, self._system.mapping], sort_keys=True)
        digest = content_digest([self._program], system, described.trace.digest)
        self.workload = Workload(described.name, tuple(described.features.tolist()), FEATURE_NAMES, digest)

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return {name: kind.description for name, kind in WORKLOADS.items()}

    @classmethod
    def draw_workload(cls, split: str, rng: np.random.Generator) -> str:
        return draw(split, rng)

    def call(self, design: Design, folder: Path) -> Call:
        simulation = write_files(folder, self._system, design, self._trace, relative=self._relative)
        return Call((self._program, str(simulation), f"{folder}/"))

    def answer(self, finished: Finished, folder: Path) -> dict[str, float]:
        text = finished.stdout.decode(errors="replace")
        return {
            "total_time_ns": max(_printed(text, "Total Time", "ns")),
            "energy_pj": sum(_printed(text, "Total Energy", "pJ")),
            "power_mw": sum(_printed(text, "Average Power", "mW")),
            "bandwidth_gbps": sum(_printed(text, "AVG BW", "Gb/s")),
        }


def _printed(text: str, label: str, unit: str) -> list[float]:
    """The quantities printed after a label, one for each channel.

    A line reads ``...controller0  AVG BW:  87.97 Gb/s |  11.00 GB/s |  73.67 %``; the first field counts.

    Raises:
        SimulationFailed: not printed, or without a unit.
    """
    found = re.findall(rf"\b{re.escape(label)}:([^|\n]*)", text)
    if not found:
        raise SimulationFailed(f"DRAMSys printed no {label!r}")
    return [in_unit(quantity, unit) for quantity in found]
