"""Dataflow mappings of a layer on two levels of clusters, after MAESTRO, with GAMMA's genome."""

from archgym_simulators.family import Family

FAMILY = Family(
    id="archgym/Maestro-v0",
    entry="archgym_simulators.maestro.simulator:MaestroSimulator",
    default_workload="resnet18/conv2_*",
    description="GAMMA's genome: loop orders, parallel dimensions, tiles and cluster size of a layer on an accelerator",
)
