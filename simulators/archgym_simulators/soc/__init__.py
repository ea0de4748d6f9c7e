"""Systems on chip: task graphs on processors, accelerators, memories and a tree of buses, after FARSI."""

from archgym_simulators.family import Family

FAMILY = Family(
    id="archgym/SoC-v0",
    entry="archgym_simulators.soc.simulator:SocSimulator",
    default_workload="three-apps",
    description="Blocks, buses and task mapping of a heterogeneous SoC, on FARSI's phase-driven model",
)
