"""A design's PE and encoder through Yosys and ABC: area and delay with a cell library, look-up tables without one."""

from __future__ import annotations

__all__ = ["ModuleReport", "SynthesisReport", "synthesise"]

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from archgym_simulators.errors import InputError, SimulationFailed
from archgym_simulators.external.yosys import Yosys, find_yosys
from archgym_simulators.tpe.design import TpeDesign
from archgym_simulators.tpe.liberty import liberty_file, typical_inverter
from archgym_simulators.tpe.verilog import pe_verilog, unit_modules

_TARGET_PS = 100
"""Delay that ABC is asked for: less than it can give, so that it makes everything as fast as it can."""
_MAPPING = (
    f"+strash;&get,-n;&dch,-f,-C,20,-S,100;&nf,-D,{_TARGET_PS};&put;buffer,-c;topo;"
    f"upsize,-D,{_TARGET_PS};dnsize,-D,{_TARGET_PS};stime,-p"
)
"""ABC's way for cells, without the rewriting (dc2) of Yosys' own script, which undoes prefix adders for area.

Short searches for equal nodes (dch -C, -S): the same delays and areas as with long ones, on average within 1 %, in a
third of the time for a large tree.
"""
_LUT_INPUTS = 6
_GATES = (
    "proc",
    "opt_expr",
    "techmap",
    "opt_expr",
    "flatten",
    "opt -fast -nodffe -nosdff",
    "opt_clean -purge",
)
"""From Verilog to simple gates: modules are made gates once, however often they are used, and only then flattened.

Yosys' own ``synth`` also looks for memories, state machines and arithmetic, of which a PE has none left to find.
"""
_FORMAT = "1"  # of cached reports
_DELAY = re.compile(r"Delay\s*=\s*([\d.]+)\s*ps")
_REGISTERS = ("DFF", "DLATCH", "LATCH")


@dataclass(frozen=True)
class ModuleReport:
    """What became of one module.

    Attributes:
        area_um2: of all cells, in the library's unit; None without a library.
        delay_ns: of the longest way between registers or ports, without a register's own delay and set-up time; None
            without a library.
        cells: how many of each type.
        flip_flops: register bits.
        luts: look-up tables of up to 6 inputs; None with a library.
    """

    area_um2: float | None
    delay_ns: float | None
    cells: Mapping[str, int]
    flip_flops: int
    luts: int | None


@dataclass(frozen=True)
class SynthesisReport:
    """What became of a design's PE, and of its encoder where that stands outside of the PE.

    Attributes:
        pe: one PE with its operand registers; the whole adder tree of an output for the architecture tree.
        encoder: one encoder; None where it is part of the PE.
        encoders: that one PE needs when it is alone: one for each operand along K.
        tool: version of Yosys.
        library: name of the Liberty file; "" without one.
    """

    pe: ModuleReport
    encoder: ModuleReport | None
    encoders: int
    tool: str
    library: str

    @property
    def area_um2(self) -> float | None:
        """One PE and its encoders."""
        if self.pe.area_um2 is None:
            return None
        outside = 0.0 if self.encoder is None or self.encoder.area_um2 is None else self.encoder.area_um2
        return self.pe.area_um2 + self.encoders * outside

    @property
    def delay_ns(self) -> float | None:
        """Of the PE: an encoder outside is fed forward and can be cut by registers as often as needed."""
        return self.pe.delay_ns

    @property
    def cells(self) -> int:
        """Cells of one PE and its encoders."""
        outside = 0 if self.encoder is None else sum(self.encoder.cells.values())
        return sum(self.pe.cells.values()) + self.encoders * outside

    @property
    def luts(self) -> int | None:
        """Look-up tables of one PE and its encoders."""
        if self.pe.luts is None:
            return None
        return self.pe.luts + self.encoders * (0 if self.encoder is None else self.encoder.luts or 0)

    @property
    def flip_flops(self) -> int:
        """Register bits of one PE and its encoders."""
        return self.pe.flip_flops + self.encoders * (0 if self.encoder is None else self.encoder.flip_flops)


def synthesise(
    design: TpeDesign,
    *,
    liberty: str | Path | None = None,
    a_bits: int = 8,
    b_bits: int = 8,
    program: str | None = None,
    time_limit_s: float = 120.0,
    cache_folder: str | Path | None = None,
) -> SynthesisReport:
    """Write a design's Verilog and synthesise it.

    A report is kept by content (Verilog, library, tool, script): in this process always, and across processes in
    ``cache_folder`` where it is given.

    Args:
        design: any design that can be built.
        liberty: path of a cell library, or the name of one that Debian has (``"osu018"``); None for look-up tables.
        a_bits: of operand A, 2 ... 16.
        b_bits: of operand B, 2 ... 16.
        program: Yosys by name or path; see `archgym_simulators.external.yosys.find_yosys`.
        time_limit_s: wall-clock seconds, after which Yosys is killed.
        cache_folder: of reports that last.

    Raises:
        InputError: a library or program that is not there, or bits out of range.
        MissingExtra: there is no Yosys.
        SimulationFailed: Yosys fails, or takes too long.
    """
    yosys = find_yosys(program)
    job = _Job.of(design, liberty, a_bits, b_bits)
    key = job.key(yosys)
    if key not in _reports:
        stored = None if cache_folder is None else Path(cache_folder) / f"{key}.json"
        report = _read(stored)
        if report is None:
            report = job.run(yosys, time_limit_s)
            _write(stored, report)
        _reports[key] = report
    return _reports[key]


_reports: dict[str, SynthesisReport] = {}


@dataclass(frozen=True)
class _Job:
    """One call of Yosys."""

    verilog: str
    modules: tuple[str, ...]
    encoders: int
    library: str
    liberty: str
    constraints: str

    @classmethod
    def of(cls, design: TpeDesign, liberty: str | Path | None, a_bits: int, b_bits: int) -> _Job:
        verilog = pe_verilog(design, a_bits=a_bits, b_bits=b_bits)
        modules = unit_modules(design)
        encoders = 0 if len(modules) == 1 else design.depth if design.architecture == "tree" else design.lanes
        if liberty is None:
            return cls(verilog, modules, encoders, "", "", "")
        path = liberty_file(liberty)
        try:
            text = path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"liberty {path}: cannot be read: {error}") from None
        inverter = typical_inverter(text, str(path))
        constraints = f"set_driving_cell {inverter.name}\nset_load {inverter.capacitance:g} [all_outputs]\n"
        return cls(verilog, modules, encoders, path.name, text, constraints)

    def key(self, yosys: Yosys) -> str:
        content = hashlib.sha256()
        for text in (_FORMAT, yosys.version, self.verilog, self.liberty, self.constraints, self.script()):
            content.update(text.encode() + b"\0")
        return content.hexdigest()

    def script(self) -> str:
        lines = ["read_verilog design.v", "design -save source"]
        for module in self.modules:
            lines += ["design -load source", *self._steps(module)]
        return "\n".join([*lines, ""])

    def _steps(self, module: str) -> list[str]:
        gates = (f"hierarchy -top {module}", *_GATES)
        if not self.liberty:
            return [
                *gates,
                f"abc -lut {_LUT_INPUTS} -script +strash;ifraig;dc2;if,-K,{_LUT_INPUTS}",
                "opt_clean -purge",
                f"tee -q -o {module}.stat stat -json",
            ]
        return [
            *gates,
            "dfflibmap -liberty cells.lib",
            f"tee -q -o {module}.abc abc -liberty cells.lib -constr constraints.txt -script {_MAPPING}",
            "opt_clean -purge",
            f"tee -q -o {module}.stat stat -json -liberty cells.lib",
        ]

    def run(self, yosys: Yosys, time_limit_s: float) -> SynthesisReport:
        files = {"design.v": self.verilog}
        wanted = [f"{module}.stat" for module in self.modules]
        if self.liberty:
            files |= {"cells.lib": self.liberty, "constraints.txt": self.constraints}
            wanted += [f"{module}.abc" for module in self.modules]
        written = yosys.run(self.script(), files, wanted, time_limit_s=time_limit_s)
        pe, *rest = (_module_report(module, written) for module in self.modules)
        return SynthesisReport(pe, rest[0] if rest else None, self.encoders, yosys.version, self.library)


def _module_report(module: str, written: Mapping[str, str]) -> ModuleReport:
    text = written[f"{module}.stat"]
    try:
        found = json.loads(text[text.index("{") : text.rindex("}") + 1])["modules"][f"\\{module}"]
        cells = {name.lstrip("\\"): int(count) for name, count in found["num_cells_by_type"].items()}
    except (ValueError, KeyError) as error:
        raise SimulationFailed(f"yosys: its statistics of {module} cannot be read: {error}") from error
    cells.pop("$scopeinfo", None)
    registers = sum(count for name, count in cells.items() if any(part in name.upper() for part in _REGISTERS))
    if f"{module}.abc" not in written:
        return ModuleReport(None, None, cells, registers, cells.get("$lut", 0))
    delays = _DELAY.findall(written[f"{module}.abc"])
    if cells and not (delays and "area" in found):
        raise SimulationFailed(f"yosys: no area or no delay of {module} reported")
    # A module of wires alone, as the encoder of plain bits, has neither.
    return ModuleReport(float(found.get("area", 0.0)), float((delays or [0.0])[-1]) / 1e3, cells, registers, None)


def _read(file: Path | None) -> SynthesisReport | None:
    """A stored report; None where there is none, or where it cannot be read and must be made anew."""
    try:
        fields = json.loads(file.read_text()) if file is not None else None
    except (OSError, ValueError):
        return None
    if fields is None:
        return None
    encoder = None if fields["encoder"] is None else ModuleReport(**fields.pop("encoder"))
    return SynthesisReport(**{**fields, "pe": ModuleReport(**fields["pe"]), "encoder": encoder})


def _write(file: Path | None, report: SynthesisReport) -> None:
    """Store a report; written beside and moved, so that nobody reads half of it."""
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=file.parent, suffix=".part")
    with os.fdopen(handle, "w") as stream:
        json.dump(asdict(report), stream)
    os.replace(beside, file)
