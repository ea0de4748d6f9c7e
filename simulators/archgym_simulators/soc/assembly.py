"""From choices to blocks: what is used is built."""

from __future__ import annotations

__all__ = ["Assembly"]

import numpy as np

from archgym_simulators.soc.arrays import ABSENT, Designs, Floats
from archgym_simulators.soc.blocks import accelerator_area, accelerator_joules, accelerator_rate
from archgym_simulators.soc.design import CPUS, MEMORIES, Choices
from archgym_simulators.soc.graph import TaskGraph
from archgym_simulators.soc.technology import CPU_AREA_M2, CPU_INSTRUCTIONS_PER_J, CPU_RATE, relative_energy


class Assembly:
    """Builds designs of one graph: elements 0..2 are processors, element 3 + t is the accelerator of task t."""

    def __init__(self, graph: TaskGraph, *, realistic: bool) -> None:
        self._realistic = realistic
        tasks = graph.tasks
        sources = {edge.source for edge in graph.edges}
        self._has_output = np.array([task.name in sources for task in tasks])
        on = [task.accelerator is not None for task in tasks]
        self._rate = np.array(
            [accelerator_rate(task, 1, 100) if has else 0.0 for task, has in zip(tasks, on, strict=True)]
        )
        self._joules = np.array(
            [accelerator_joules(task, 1) if has else 0.0 for task, has in zip(tasks, on, strict=True)]
        )
        self._area = np.array([accelerator_area(task, 1) if has else 0.0 for task, has in zip(tasks, on, strict=True)])

    def build(self, choices: Choices) -> Designs:
        """Designs of N choices; buses are not pruned yet."""
        n, tasks = choices.on_accelerator.shape
        hardware = choices.hardware
        on, numbers = choices.on_accelerator, np.arange(tasks)
        pe_of_task = np.where(on, CPUS + numbers, choices.cpu)
        memory_of_task = np.where(self._has_output, choices.memory, ABSENT)
        used_cpu = np.stack([((choices.cpu == k) & ~on).any(axis=1) for k in range(CPUS)], axis=1)
        used_memory = np.stack([(memory_of_task == m).any(axis=1) for m in range(MEMORIES)], axis=1)
        pe_bus = np.concatenate(
            [np.where(used_cpu, hardware.cpu_bus, ABSENT), np.where(on, choices.bus, ABSENT)], axis=1
        )
        cpu_area = np.broadcast_to(CPU_AREA_M2, (n, CPUS))
        is_cpu = np.arange(CPUS + tasks) < CPUS
        return Designs(
            pe_of_task=pe_of_task,
            memory_of_task=memory_of_task,
            rate=np.where(on, choices.clock_mhz / 100 * choices.copies * self._rate, CPU_RATE),
            joules=np.where(
                on, choices.copies * self._joules * self._scale(choices.clock_mhz), 1.0 / CPU_INSTRUCTIONS_PER_J
            ),
            pe_bus=pe_bus,
            pe_area=np.concatenate([cpu_area, choices.copies * self._area], axis=1),
            pe_is_cpu=np.repeat(is_cpu[None], n, axis=0),
            memory_bus=np.where(used_memory, hardware.memory_bus, ABSENT),
            memory_kind=hardware.memory_kind,
            memory_width=hardware.memory_width,
            memory_rate=hardware.memory_width * hardware.memory_clock_mhz * 1e6,
            memory_scale=np.where(hardware.memory_kind == 0, self._scale(hardware.memory_clock_mhz), 1.0),
            bus_parent=hardware.bus_parent,
            bus_width=hardware.bus_width,
            bus_rate=hardware.bus_width * hardware.bus_clock_mhz * 1e6,
            bus_scale=self._scale(hardware.bus_clock_mhz),
        )

    def _scale(self, clock_mhz: Floats) -> Floats:
        return relative_energy(clock_mhz) if self._realistic else np.ones(clock_mhz.shape)
