"""Fused attention: cascades of one, two and three passes on a 2D and a 1D array, after FuseMax and FLAT."""

from archgym_simulators.family import Family

FAMILY = Family(
    id="archgym/Attention-v0",
    entry="archgym_simulators.attention.simulator:AttentionSimulator",
    default_workload="bert:seq=65536",
    description="softmax cascade, fusion, arrays, on-chip memory and bandwidth of an attention accelerator",
)
