"""Gates that Yosys makes of a design's Verilog, simulated for many vectors at once.

So the Verilog is checked against the functional model with nothing but Yosys, and after synthesis rather than before.
"""

from __future__ import annotations

__all__ = ["Netlist", "gates_of"]

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.external.yosys import Yosys

Bits = NDArray[np.bool_]

_SCRIPT = """\
read_verilog design.v
synth -flatten -top {top}
dfflegalize -cell $_DFF_P_ x
abc -g simple
opt_clean -purge
write_json gates.json
"""
_GATES: dict[str, Callable[..., Bits]] = {
    "$_NOT_": lambda a: ~a,
    "$_BUF_": lambda a: a,
    "$_AND_": lambda a, b: a & b,
    "$_OR_": lambda a, b: a | b,
    "$_XOR_": lambda a, b: a ^ b,
    "$_XNOR_": lambda a, b: ~(a ^ b),
    "$_NAND_": lambda a, b: ~(a & b),
    "$_NOR_": lambda a, b: ~(a | b),
    "$_ANDNOT_": lambda a, b: a & ~b,
    "$_ORNOT_": lambda a, b: a | ~b,
    "$_MUX_": lambda a, b, s: (a & ~s) | (b & s),
}
_REGISTER = "$_DFF_P_"

Net = int | str


@dataclass(frozen=True)
class _Gate:
    function: Callable[..., Bits]
    inputs: tuple[Net, ...]
    output: Net


@dataclass(frozen=True)
class Netlist:
    """A module as gates in the order in which they can be evaluated.

    Attributes:
        inputs: nets of each input, least significant first.
        outputs: likewise.
        gates: each after those that it depends on.
        registers: pairs of nets, what is taken and what is held.
    """

    inputs: Mapping[str, tuple[Net, ...]]
    outputs: Mapping[str, tuple[Net, ...]]
    gates: tuple[_Gate, ...]
    registers: tuple[tuple[Net, Net], ...]

    def run(self, signals: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.object_]]:
        """Clock the module once for each row of its inputs; registers hold 0 at first.

        Args:
            signals: by input (T, V) non-negative integers, for T clocks of V runs side by side; ``clk`` is not asked
                for.

        Returns:
            By output, its values just before each clock edge and after the last one: (T + 1, V) Python integers.
        """
        needed = set(self.inputs) - {"clk"}
        if set(signals) != needed:
            raise InputError(f"the module's inputs are {', '.join(sorted(needed))}, not {', '.join(sorted(signals))}")
        clocks, runs = next(iter(signals.values())).shape
        false = np.zeros(runs, dtype=np.bool_)
        held: dict[Net, Bits] = {output: false for _, output in self.registers}
        seen: dict[str, list[NDArray[np.object_]]] = {name: [] for name in self.outputs}
        for clock in range(clocks + 1):
            now = min(clock, clocks - 1)
            nets: dict[Net, Bits] = {"0": false, "1": ~false, "x": false, **held}
            for name in needed:
                words = signals[name][now].astype(object)
                for place, net in enumerate(self.inputs[name]):
                    nets[net] = ((words >> place) & 1).astype(np.bool_)
            for gate in self.gates:
                nets[gate.output] = gate.function(*(nets[net] for net in gate.inputs))
            for name, outputs in self.outputs.items():
                seen[name].append(_words([nets[net] for net in outputs]))
            held = {output: nets[taken] for taken, output in self.registers}
        return {name: np.stack(values) for name, values in seen.items()}


def _words(bits: Sequence[Bits]) -> NDArray[np.object_]:
    """Bits, least significant first, as Python integers."""
    words = np.zeros(len(bits[0]), dtype=object)
    for place, bit in enumerate(bits):
        words += bit.astype(object) * (1 << place)
    return words


def gates_of(verilog: str, top: str, yosys: Yosys, *, time_limit_s: float = 120.0) -> Netlist:
    """Synthesise a module to simple gates.

    Raises:
        SimulationFailed: Yosys fails, or takes too long.
    """
    files = {"design.v": verilog}
    written = yosys.run(_SCRIPT.format(top=top), files, ["gates.json"], time_limit_s=time_limit_s)
    module = json.loads(written["gates.json"])["modules"][top]
    ports: dict[str, dict[str, tuple[Net, ...]]] = {"input": {}, "output": {}}
    for name, port in module["ports"].items():
        ports[port["direction"]][name] = tuple(port["bits"])
    gates: dict[Net, _Gate] = {}
    registers: list[tuple[Net, Net]] = []
    for cell in module["cells"].values():
        nets = {name: bits[0] for name, bits in cell["connections"].items()}
        if cell["type"] == _REGISTER:
            registers.append((nets["D"], nets["Q"]))
        elif cell["type"] != "$scopeinfo":
            inputs = tuple(nets[name] for name in ("A", "B", "S") if name in nets)
            gates[nets["Y"]] = _Gate(_GATES[cell["type"]], inputs, nets["Y"])
    order = TopologicalSorter({net: [i for i in gate.inputs if i in gates] for net, gate in gates.items()})
    return Netlist(ports["input"], ports["output"], tuple(gates[net] for net in order.static_order()), tuple(registers))
