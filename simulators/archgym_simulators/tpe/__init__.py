"""Tensor engines at bit level: the digits of a multiply-accumulate as a dimension of the design."""

from archgym_simulators.family import Family

FAMILY = Family(
    id="archgym/TPE-v0",
    entry="archgym_simulators.tpe.simulator:TpeSimulator",
    default_workload="resnet18",
    description="Tensor engines at bit level: architecture, digit encoding, OPT1-OPT4, accumulators and clock",
)
