"""Hardware search for neural networks: an array of PEs and its buffers, with a mapper inside."""

from archgym_simulators.family import Family

FAMILY = Family(
    id="archgym/Accelerator-v0",
    entry="archgym_simulators.accelerator.simulator:AcceleratorSimulator",
    default_workload="resnet18",
    description="PEs, buffers and dataflow of an accelerator for a neural network; a mapper places every layer",
)
