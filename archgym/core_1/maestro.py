"""The tasks on dataflow mappings.

One mapping serves two layers: it has to suit both, and the unseen layers on which it is judged. Networks to search on
and to judge by belong to the test split, those for tuning to the dev split. At 100 calls random search is 217 % to
956 % short of the best known (the front: 879 % of hypervolume; `experiments/core_1/audits_dnn.csv`), so none is a smoke
test. The front's reference point takes e times the latency and the energy and e^1.5 times the area of the baseline; 8 %
of random feasible mappings are better in all three.
"""

from __future__ import annotations

__all__ = ["TASKS"]

from archgym.tasks import Task

MAESTRO = "archgym/Maestro-v0"
CONVOLUTIONS = "unet/down4b + unet/down5a"
CONVOLUTIONS_UNSEEN = "unet/down3b + unet/up1a"
MIXED = "unet/down4a + efficientnet-b0/block2_2_expand"
MIXED_UNSEEN = "unet/up1b + efficientnet-b0/block2_1_expand"

TASKS = (
    # ---- for judging ------------------------------------------------------------------------------------------------
    Task(
        name="maestro-conv-edp",
        description="Spend less energy and time on two convolutions with one mapping.",
        env_id=MAESTRO,
        workload=CONVOLUTIONS,
        judge_workload=CONVOLUTIONS_UNSEEN,
        objectives=("energy-delay",),
    ),
    Task(
        name="maestro-mixed-latency",
        description="Finish a convolution with windows and one without sooner, with one mapping on 1,024 PEs.",
        env_id=MAESTRO,
        workload=MIXED,
        judge_workload=MIXED_UNSEEN,
        objectives=("latency",),
        options={"pes": 1024, "noc_words": 128, "off_chip_words": 32, "area_class": "mobile"},
    ),
    Task(
        name="maestro-front",
        description="Trade latency, energy and area of two convolutions against each other.",
        env_id=MAESTRO,
        workload=CONVOLUTIONS,
        judge_workload=CONVOLUTIONS_UNSEEN,
        objectives=("latency", "energy", "area_mm2"),
        reference_point=(-1.0, -1.0, -1.5),
    ),
    # ---- for tuning -------------------------------------------------------------------------------------------------
    Task(
        name="maestro-dev-edp",
        description="Spend less energy and time on a convolution and a matrix product with one mapping.",
        env_id=MAESTRO,
        workload="mnasnet/block2_1_expand + vit-b/attn_q",
        judge_workload="mnasnet/block2_2_expand + vit-b/ffn_up",
        objectives=("energy-delay",),
        role="dev",
    ),
    Task(
        name="maestro-dev-latency",
        description="Finish a depthwise and a dense convolution sooner, with one mapping.",
        env_id=MAESTRO,
        workload="mnasnet/block2_2_dw + mnasnet/block2_2_project",
        judge_workload="mnasnet/block3_1_dw + mnasnet/block3_1_project",
        objectives=("latency",),
        role="dev",
    ),
)
