"""Any table of measured designs as a cost model: a lab's gem5, RTL or synthesis results."""

from archgym_simulators.family import Family

FAMILY = Family(
    id="archgym/Table-v0",
    entry="archgym_simulators.table.simulator:TableSimulator",
    default_workload="default",
    description="designs measured beforehand, from a CSV or Parquet file with design columns and metric columns",
)
