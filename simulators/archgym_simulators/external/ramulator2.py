"""A user's Ramulator 2.0 binary behind our interface.

Written from the documentation of Ramulator 2.0 (README and example configuration of CMU-SAFARI/ramulator2: call form,
YAML keys, names of implementations) and from outputs that its users publish. Tested against stand-ins only: no
Ramulator binary was at hand. Version 2.1 has other keys and needs an adapter of its own.
"""

from __future__ import annotations

__all__ = ["Ramulator2"]

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from archgym_simulators.constraints import InertWhen
from archgym_simulators.dram.features import FEATURE_NAMES
from archgym_simulators.dram.splits import draw
from archgym_simulators.dram.trace import Trace
from archgym_simulators.dram.workloads import WORKLOADS
from archgym_simulators.dram.workloads import workload as make_workload
from archgym_simulators.errors import InputError, SimulationFailed
from archgym_simulators.external.process import Finished
from archgym_simulators.external.programs import content_digest, program_path
from archgym_simulators.external.tool import Call, ExternalTool
from archgym_simulators.parameters import Categorical, Ordinal
from archgym_simulators.simulator import Baseline, Metric, NamedObjective, Workload
from archgym_simulators.space import Design, DesignSpace

BASELINE: Design = {
    "page_policy": "Closed",
    "column_cap": 4,
    "address_map": "RoBaRaCoCh",
    "write_low_watermark": 0.2,
    "write_high_watermark": 0.8,
}
"""The example configuration of Ramulator 2.0, and its controller's default watermarks."""
_STATISTIC = re.compile(r"^\s*(\w+):\s*(\S+)\s*$", re.MULTILINE)
_TRANSFERS_PER_CLOCK = 2
_CLOCK_TOLERANCE = 0.01

_CONFIGURATION = """\
Frontend:
  impl: LoadStoreTrace
  clock_ratio: 1
  path: {trace}
MemorySystem:
  impl: GenericDRAM
  clock_ratio: 1
  DRAM:
    impl: {standard}
    org:
      preset: {organisation}
      channel: 1
      rank: {ranks}
    timing:
      preset: {timing}
  Controller:
    impl: Generic
    wr_low_watermark: {write_low_watermark}
    wr_high_watermark: {write_high_watermark}
    Scheduler:
      impl: FRFCFS
    RefreshManager:
      impl: AllBank
    RowPolicy:
{row_policy}
    plugins:
  AddrMapper:
    impl: {address_map}
"""


class Ramulator2(ExternalTool):
    """Ramulator 2.0, called as ``ramulator2 -f config.yaml`` in a private folder, with its load/store trace front end.

    That front end ignores time stamps (it offers a request a clock) and ends when the last request is accepted, so up
    to some dozens of requests are not counted; its queues hold 32 requests; refresh is always on. Cycles become
    nanoseconds by the command clock. It has no power model.

    Args:
        workload: as in the DRAM family: a generator's spec, or a trace by path.
        binary: path of the ramulator2 program.
        standard: name of the DRAM implementation, ``"DDR4"``.
        organisation: organisation preset.
        timing: timing preset.
        ranks: ranks of the one channel.
        clock_mhz: command clock of the timing preset; must agree with the transfer rate in the preset's name.
        capacity_bytes: generators keep their addresses below it.
        workers: programs that run at the same time.
        time_limit_s: wall-clock seconds of one run; 600 where 0.
        keep_failed: folder for the files of failed runs.
    """

    version = "1"
    metrics = (
        Metric("total_time_ns", "until the front end has handed over its last request"),
        Metric("latency_mean_ns", "mean latency of a read in the controller"),
    )
    objectives = (
        NamedObjective("total-time", "total_time_ns", "finish the trace sooner", aliases=("latency",)),
        NamedObjective("mean-latency", "latency_mean_ns", "answer sooner on average"),
    )
    default_objective = "total-time"
    default_time_limit_s: ClassVar[float] = 600.0
    space = DesignSpace(
        [
            Categorical(
                "page_policy",
                ("Open", "Closed"),
                description="Whether a row stays open until a conflict or is closed after some column commands.",
            ),
            Ordinal(
                "column_cap",
                (1, 2, 4, 8, 16, 32),
                "commands",
                description="Column commands after which the closed policy closes a row.",
            ),
            Categorical(
                "address_map",
                ("RoBaRaCoCh", "ChRaBaRoCo", "MOP4CLXOR"),
                description="Order of the address fields, most significant first; MOP4CLXOR also hashes the bank.",
            ),
            Ordinal(
                "write_low_watermark",
                (0.0, 0.1, 0.2, 0.3, 0.4),
                description="Filling of the write queue at which the controller goes back to reads.",
            ),
            Ordinal(
                "write_high_watermark",
                (0.5, 0.6, 0.7, 0.8, 0.9),
                description="Filling of the write queue at which the controller turns to writes.",
            ),
        ],
        inert=[InertWhen("column_cap", "page_policy", ("Open",))],
    )

    def __init__(
        self,
        workload: str = "random",
        *,
        binary: str = "",
        standard: str = "DDR4",
        organisation: str = "DDR4_8Gb_x8",
        timing: str = "DDR4_2400R",
        ranks: int = 1,
        clock_mhz: float = 1200.0,
        capacity_bytes: int = 2**33,
        workers: int = 1,
        time_limit_s: float = 0.0,
        keep_failed: str = "",
    ) -> None:
        super().__init__(workers=workers, time_limit_s=time_limit_s, keep_failed=keep_failed)
        if not binary:
            raise InputError(
                "option binary must be the path of your ramulator2 program; archgym does not come with one"
            )
        self._program = program_path(binary, "option binary")
        self._clock_ns = 1e3 / _checked_clock(clock_mhz, timing)
        self._system = {"standard": standard, "organisation": organisation, "timing": timing, "ranks": ranks}
        wrong = next((text for text in self._system.values() if not re.fullmatch(r"[\w.-]+", str(text))), None)
        if wrong is not None:
            raise InputError(f"{wrong!r} must be the name of an implementation or preset of Ramulator 2")
        described = make_workload(workload, capacity_bytes=capacity_bytes)
        self._trace = _load_store_text(described.trace)
        self.baseline = Baseline("example configuration", tuple(self.space.encode_row(BASELINE).tolist()))
        digest = content_digest([self._program], repr((self._system, clock_mhz)), described.trace.digest)
        self.workload = Workload(described.name, tuple(described.features.tolist()), FEATURE_NAMES, digest)

    @classmethod
    def workload_names(cls) -> Mapping[str, str]:
        return {name: kind.description for name, kind in WORKLOADS.items()}

    @classmethod
    def draw_workload(cls, split: str, rng: np.random.Generator) -> str:
        return draw(split, rng)

    def call(self, design: Design, folder: Path) -> Call:
        is_open = design["page_policy"] == "Open"
        policy = (
            "      impl: OpenRowPolicy"
            if is_open
            else f"      impl: ClosedRowPolicy\n      cap: {design['column_cap']}"
        )
        configuration, trace = folder / "config.yaml", folder / "requests.trace"
        trace.write_text(self._trace)
        configuration.write_text(_CONFIGURATION.format(trace=trace, row_policy=policy, **self._system, **design))
        return Call((self._program, "-f", str(configuration)))

    def answer(self, finished: Finished, folder: Path) -> dict[str, float]:
        statistics = dict(_STATISTIC.findall(finished.stdout.decode(errors="replace")))
        return {
            "total_time_ns": _cycles(statistics, "memory_system_cycles") * self._clock_ns,
            "latency_mean_ns": _cycles(statistics, "avg_read_latency_0") * self._clock_ns,
        }


def _checked_clock(clock_mhz: float, timing: str) -> float:
    """The command clock, once it agrees with a rate such as 2400 (million transfers per second) in the preset."""
    if not clock_mhz > 0.0:
        raise InputError(f"option clock_mhz must be a positive number, not {clock_mhz}")
    rate = re.match(r"DDR\d_(\d+)", timing)
    expected = float(rate[1]) / _TRANSFERS_PER_CLOCK if rate else clock_mhz
    if abs(clock_mhz - expected) > _CLOCK_TOLERANCE * expected:
        raise InputError(f"option clock_mhz is {clock_mhz:g}, but timing {timing!r} has a clock of {expected:g} MHz")
    return clock_mhz


def _load_store_text(trace: Trace) -> str:
    requests = zip(trace.is_write.tolist(), trace.address.tolist(), strict=True)
    return "".join(f"{'ST' if write else 'LD'} 0x{address:x}\n" for write, address in requests)


def _cycles(statistics: Mapping[str, str], name: str) -> float:
    if name not in statistics:
        raise SimulationFailed(f"Ramulator printed no {name!r}")
    return float(statistics[name])
