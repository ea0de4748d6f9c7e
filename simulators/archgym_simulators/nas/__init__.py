"""Neural architectures: cells, supernets and tables of measured accuracies, with hardware cost."""

from archgym_simulators.family import Family

FAMILIES = (
    Family(
        id="archgym/NAS201Digits-v0",
        entry="archgym_simulators.nas.digits_simulator:NAS201DigitsSimulator",
        default_workload="search",
        description="cells of NAS-Bench-201 with accuracy measured by this project, training seconds, hardware cost",
    ),
    Family(
        id="archgym/SupernetDigits-v0",
        entry="archgym_simulators.nas.supernet_simulator:SupernetDigitsSimulator",
        default_workload="search",
        description="17 million subnets of one trained network, really run on images, with hardware cost",
    ),
    Family(
        id="archgym/NAS201-v0",
        entry="archgym_simulators.nas.official_nas201:NAS201Simulator",
        default_workload="cifar10",
        description="NAS-Bench-201 with its published accuracies and seconds; needs archgym data import nats-tss",
    ),
    Family(
        id="archgym/HWNAS201-v0",
        entry="archgym_simulators.nas.official_hwnas201:HWNAS201Simulator",
        default_workload="cifar10",
        description="the same on measured devices; needs archgym data import hw-nas-bench, or help-latency, too",
    ),
    Family(
        id="archgym/NASMacro-v0",
        entry="archgym_simulators.nas.official_nasmacro:NASMacroSimulator",
        default_workload="cifar10",
        description="NAS-Bench-Macro's 6,561 networks of eight layers; needs archgym data import nas-bench-macro",
    ),
    Family(
        id="archgym/MnasNetAccel-v0",
        entry="archgym_simulators.nas.official_mnasnet:MnasNetAccelSimulator",
        default_workload="imagenet",
        description="1e11 ImageNet networks on six accelerators, predicted; needs archgym data import accel-nasbench",
    ),
)
