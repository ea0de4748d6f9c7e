"""The tasks on accelerators whose mapper places every layer.

A chip is searched for one or two networks and judged on networks not seen. Networks to judge with come from the test
split, those for tuning from the dev split. Random search at 100 calls is 13 % to 129 % short
(``experiments/core_1/audits_dnn.csv``; `accelerator-archgym-edp` is not audited yet), so none is a smoke test. The
front's reference point takes e times the latency and the energy and e^1.5 times the area of the baseline; 32 % of 300
random feasible designs are better in all.
"""

from __future__ import annotations

__all__ = ["TASKS"]

from archgym.tasks import Task

ACCELERATOR = "archgym/Accelerator-v0"
TRANSFORMERS = "dit-block + llama3-8b-decode"
TRANSFORMERS_UNSEEN = "mixtral-moe + llama3-8b-prefill"

TASKS = (
    # ---- for judging ------------------------------------------------------------------------------------------------
    Task(
        name="accelerator-edge-edp",
        description="Spend less energy and time on a U-Net with a chip of 2 mm2.",
        env_id=ACCELERATOR,
        workload="unet",
        judge_workload="efficientnet-b0",
        objectives=("energy-delay",),
        options={"area_class": "edge"},
    ),
    Task(
        name="accelerator-mobile-edp",
        description="Spend less energy and time on a diffusion transformer and on decoding, with a chip of 10 mm2.",
        env_id=ACCELERATOR,
        workload=TRANSFORMERS,
        judge_workload=TRANSFORMERS_UNSEEN,
        objectives=("energy-delay",),
    ),
    Task(
        name="accelerator-cloud-front",
        description="Trade latency, energy and area of prefilling Llama 3 against each other, at 16 nm and 128 GB/s.",
        env_id=ACCELERATOR,
        workload="llama3-8b-prefill",
        judge_workload="mixtral-moe",
        objectives=("latency", "energy", "area_mm2"),
        options={"area_class": "cloud", "node_nm": 16, "bandwidth": 64},
        reference_point=(-1.0, -1.0, -1.5),
    ),
    Task(
        name="accelerator-archgym-edp",
        description="Spend less energy and time on a U-Net with ArchGym's 26 parameters, on 10 mm2 at 45 nm.",
        env_id=ACCELERATOR,
        workload="unet",
        judge_workload="efficientnet-b0",
        objectives=("energy-delay",),
        options={"space": "archgym", "area_class": "mobile"},
    ),
    # ---- for tuning -------------------------------------------------------------------------------------------------
    Task(
        name="accelerator-dev-edp",
        description="Spend less energy and time on a vision transformer with a chip of 10 mm2.",
        env_id=ACCELERATOR,
        workload="vit-b",
        judge_workload="mnasnet",
        objectives=("energy-delay",),
        role="dev",
    ),
    Task(
        name="accelerator-dev-edge-latency",
        description="Finish some layers of MnasNet sooner with a chip of 2 mm2.",
        env_id=ACCELERATOR,
        workload="mnasnet/block3_*",
        judge_workload="mnasnet/block4_*",
        objectives=("latency",),
        options={"area_class": "edge"},
        role="dev",
    ),
)
