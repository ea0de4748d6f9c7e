"""Loop-nest mappings of one layer to an accelerator: tiles, orders, the array's dimensions, what each buffer keeps."""

from archgym_simulators.family import Family

FAMILY = Family(
    id="archgym/Mapping-v0",
    entry="archgym_simulators.mapping.simulator:MappingSimulator",
    default_workload="resnet18/conv2_1",
    description="how one layer runs on an accelerator: tiles, loop orders, PE array, bypassing; counts as Timeloop's",
)
