"""Systolic arrays: output-, weight- and input-stationary, with three on-chip buffers."""

from archgym_simulators.family import Family

FAMILY = Family(
    id="archgym/Systolic-v0",
    entry="archgym_simulators.systolic.simulator:SystolicSimulator",
    default_workload="resnet18",
    description="size, dataflow and buffers of a systolic array for a neural network; counts exact to SCALE-Sim",
)
