"""The tasks on systolic arrays.

One array serves two networks that differ in shape, or one network on a small chip. Networks to search on and to judge
by come from the test split, those for tuning from the dev split. The best of ``systolic-mixed-edp`` is certified, the
others' best are known from long searches. At 100 calls random search is 24 % to 132 % short of them, and 51 % of
hypervolume on the front (``experiments/core_1/audits_dnn.csv``), so none is a smoke test. The front's reference point
takes e times the latency and the energy and e^1.5 times the area of the baseline; 60 % of random feasible designs are
better in all three.
"""

from __future__ import annotations

__all__ = ["TASKS"]

from archgym.tasks import Task

SYSTOLIC = "archgym/Systolic-v0"

TASKS = (
    # ---- for judging ------------------------------------------------------------------------------------------------
    Task(
        name="systolic-mixed-edp",
        description="Spend less energy and time on a U-Net and on prefilling Llama 3 with one array, on 10 mm2.",
        env_id=SYSTOLIC,
        workload="unet + llama3-8b-prefill",
        judge_workload="efficientnet-b0 + mixtral-moe",
        objectives=("energy-delay",),
    ),
    Task(
        name="systolic-edge-latency",
        description="Finish EfficientNet sooner on a chip of 2 mm2 with one channel of memory.",
        env_id=SYSTOLIC,
        workload="efficientnet-b0",
        judge_workload="unet",
        objectives=("latency",),
        options={"area_class": "edge", "bandwidth": 8},
    ),
    Task(
        name="systolic-narrow-edap",
        description="Spend less energy, time and area on a U-Net and a diffusion transformer with 4 words a cycle.",
        env_id=SYSTOLIC,
        workload="unet + dit-block",
        judge_workload="efficientnet-b0 + mixtral-moe",
        objectives=("energy-delay-area",),
        options={"bandwidth": 4},
    ),
    Task(
        name="systolic-front",
        description="Trade latency, energy and area of a U-Net against each other, at 16 nm.",
        env_id=SYSTOLIC,
        workload="unet",
        judge_workload="efficientnet-b0",
        objectives=("latency", "energy", "area_mm2"),
        options={"node_nm": 16},
        reference_point=(-1.0, -1.0, -1.5),
    ),
    # ---- for tuning -------------------------------------------------------------------------------------------------
    Task(
        name="systolic-dev-edp",
        description="Spend less energy and time on a vision transformer with an array of 10 mm2.",
        env_id=SYSTOLIC,
        workload="vit-b",
        judge_workload="mnasnet",
        objectives=("energy-delay",),
        role="dev",
    ),
    Task(
        name="systolic-dev-edge-latency",
        description="Finish MnasNet sooner on a chip of 2 mm2 with one channel of memory.",
        env_id=SYSTOLIC,
        workload="mnasnet",
        judge_workload="vit-b",
        objectives=("latency",),
        options={"area_class": "edge", "bandwidth": 8},
        role="dev",
    ),
)
