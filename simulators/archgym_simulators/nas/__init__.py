"""Neural architectures: cells, supernets and tables of measured accuracies, with hardware cost."""

from archgym_simulators.family import Family

FAMILIES = (
    Family(
        id="archgym/NAS201Digits-v0",
        entry="archgym_simulators.nas.digits_simulator:NAS201DigitsSimulator",
        default_workload="search",
        description="cells of NAS-Bench-201 with accuracy measured by this project, training seconds, hardware cost",
    ),
)
