"""DRAM controllers: ArchGym's ten parameters on a cycle-exact model."""

from archgym_simulators.family import Family

FAMILY = Family(
    id="archgym/DRAM-v0",
    entry="archgym_simulators.dram.simulator:DramSimulator",
    default_workload="random",
    description="DRAM controller policies and queues on a cycle-exact model of DDR3, DDR4, LPDDR4 and HBM2",
)
