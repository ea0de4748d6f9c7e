"""What the parameters of a system on chip decide, read from their names: tasks, processors, memories, buses.

The explorer sees a design space, never the simulator. Spaces in which every task, or group of tasks, says where it runs
(``fft.runs_on``), what its accelerator is (``.copies``, ``.clock``, ``.bus``) and where its outputs are (``.memory``),
beside ``memory0_kind``, ``bus0_width`` and the like, can be reasoned about; others cannot.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from archgym_simulators import DesignSpace

ACCELERATOR = "accelerator"
_OF_TASK = ("runs_on", "copies", "clock", "bus", "memory")
_NEEDED = ("cpu0_bus", "memory0_kind", "memory0_width", "memory0_clock", "memory0_bus", "bus0_width", "bus0_clock")

Change = dict[str, int]
"""Parameter name -> index of its new value."""


class SocChoices:
    """A design space of systems on chip, as blocks and a mapping.

    Attributes:
        tasks: what the parameters of each task, or group, begin with.
        cpus, memories, buses: names of the blocks.
    """

    def __init__(self, space: DesignSpace) -> None:
        self._column = {name: space.columns_of(name).start for name in space.names}
        self._size = {name: space.parameter(name).size for name in space.names}
        self._values = {name: space.parameter(name).to_json().get("values", ()) for name in space.names}
        owners = [name.rpartition(".")[0] for name in space.names if name.rpartition(".")[2] in _OF_TASK]
        self.tasks = tuple(dict.fromkeys(owner for owner in owners if owner))
        self.cpus, self.memories, self.buses = (
            tuple(name.removesuffix(end) for name in space.names if name.startswith(kind) and name.endswith(end))
            for kind, end in (("cpu", "_bus"), ("memory", "_kind"), ("bus", "_width"))
        )

    @classmethod
    def of(cls, space: DesignSpace) -> Self | None:
        """The choices of a space; None where its parameters have other names."""
        if not set(_NEEDED) <= set(space.names):
            return None
        found = cls(space)
        return found if found.tasks else None

    # ---- reading a design ----------------------------------------------------------------------------------------

    def index(self, row: list[int], name: str) -> int:
        """Index of a parameter's value in a design; 0 where the space has no such parameter."""
        return row[self._column[name]] if name in self._column else 0

    def text(self, row: list[int], name: str) -> str:
        """A parameter's value as text; "" where the space has no such parameter."""
        return str(self._values[name][self.index(row, name)]) if name in self._column else ""

    def has(self, name: str) -> bool:
        """Whether the space has the parameter."""
        return name in self._column

    def place(self, row: list[int], task: str) -> str:
        """The processor a task runs on, or ``"accelerator"``."""
        if self.has(f"{task}.runs_on"):
            return self.text(row, f"{task}.runs_on")
        return ACCELERATOR if self.has(f"{task}.clock") else ""

    def tasks_on(self, row: list[int], cpu: str) -> list[str]:
        """The tasks on a processor."""
        return [task for task in self.tasks if self.place(row, task) == cpu]

    def outputs_in(self, row: list[int], memory: str) -> list[str]:
        """The tasks whose outputs are in a memory."""
        return [task for task in self.tasks if self.text(row, f"{task}.memory") == memory]

    def bus_of(self, row: list[int], task: str) -> str:
        """The bus on which what runs a task hangs."""
        place = self.place(row, task)
        return self.text(row, f"{task}.bus" if place == ACCELERATOR else f"{place}_bus")

    def hangs_on(self, row: list[int], bus: str) -> list[str]:
        """Names of the parameters by which used processors, accelerators and memories hang on a bus."""
        names = [f"{task}.bus" for task in self.tasks if self.place(row, task) == ACCELERATOR]
        names += [f"{cpu}_bus" for cpu in self.cpus if self.tasks_on(row, cpu)]
        names += [f"{memory}_bus" for memory in self.memories if self.outputs_in(row, memory)]
        return [name for name in names if self.text(row, name) == bus]

    # ---- changing one --------------------------------------------------------------------------------------------

    def to(self, name: str, value: object) -> Change:
        """Set a parameter to a value; nothing where the space has no such parameter, or it no such value."""
        values = [str(one) for one in self._values.get(name, ())]
        return {name: values.index(str(value))} if str(value) in values else {}

    def step(self, row: list[int], name: str, steps: int) -> Change:
        """Move a parameter by so many values, at most to its last; nothing where it is there."""
        if not self.has(name):
            return {}
        new = min(max(self.index(row, name) + steps, 0), self._size[name] - 1)
        return {name: new} if new != self.index(row, name) else {}

    def like(self, row: list[int], block: str, other: str, parts: Iterable[str]) -> Change:
        """Give ``other`` the properties of ``block``."""
        names = [(f"{other}_{part}", f"{block}_{part}") for part in parts]
        return {new: self.index(row, old) for new, old in names if self.has(new) and self.has(old)}

    def changed(self, row: list[int], change: Change) -> list[int]:
        """A copy of the design with the change made."""
        new = list(row)
        for name, index in change.items():
            new[self._column[name]] = index
        return new
