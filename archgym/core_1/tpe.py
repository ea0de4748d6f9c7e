"""The tasks on tensor engines at bit level.

Every task takes the mean over two workloads, so that a design suits more than one network; areas and throughputs are
bounded by a plain systolic array, as the family's options say. Workloads to judge on come from networks of the test
split, those for tuning from the train and dev splits. At 100 calls random search is 80 % to 508 % short of the best
(597 % of hypervolume on the front; ``archgym audit TASK``, best of its sample and descents), so none is a smoke test.
"""

from __future__ import annotations

__all__ = ["TASKS"]

from archgym.tasks import Task

TPE = "archgym/TPE-v0"
INT8 = "efficientnet-b0@int8 + llama3-8b-prefill@int8"
INT8_UNSEEN = "unet@int8 + mixtral-moe@int8"
MIXED = "llama3-8b-prefill@int8xint4;a=laplace:12 + dit-block@int8xint4;a=laplace:12"
MIXED_UNSEEN = "mixtral-moe@int8xint4;a=laplace:12 + unet@int8xint4;a=laplace:12"
FLOAT = "dit-block@e4m3 + llama3-8b-prefill@e4m3"
FLOAT_UNSEEN = "mixtral-moe@e4m3 + unet@e4m3"
DEV = "resnet18@int8 + vit-b@int8"
DEV_UNSEEN = "resnet50@int8 + bert-base@int8"

TASKS = (
    # ---- for judging ------------------------------------------------------------------------------------------------
    Task(
        name="tpe-int8-energy",
        description="Spend less energy on INT8 networks, within area and throughput.",
        env_id=TPE,
        workload=INT8,
        judge_workload=INT8_UNSEEN,
        objectives=("energy",),
    ),
    Task(
        name="tpe-mixed-area-efficiency",
        description="Reach more throughput per area with 8-bit activations near zero and 4-bit weights.",
        env_id=TPE,
        workload=MIXED,
        judge_workload=MIXED_UNSEEN,
        objectives=("area-efficiency",),
    ),
    Task(
        name="tpe-float-edp",
        description="Spend less energy and time on minifloats E4M3.",
        env_id=TPE,
        workload=FLOAT,
        judge_workload=FLOAT_UNSEEN,
        objectives=("energy-delay",),
    ),
    Task(
        name="tpe-int8-front",
        description="Trade energy, latency and area of INT8 networks against each other.",
        env_id=TPE,
        workload=INT8,
        judge_workload=INT8_UNSEEN,
        objectives=("energy", "latency", "area"),
        reference_point=(-0.5, -0.7, -0.7),
    ),
    # ---- for tuning -------------------------------------------------------------------------------------------------
    Task(
        name="tpe-dev-energy",
        description="Spend less energy on INT8 networks, within area and throughput.",
        env_id=TPE,
        workload=DEV,
        judge_workload=DEV_UNSEEN,
        objectives=("energy",),
        role="dev",
    ),
    Task(
        name="tpe-dev-area-efficiency",
        description="Reach more throughput per area on INT8 networks.",
        env_id=TPE,
        workload=DEV,
        judge_workload=DEV_UNSEEN,
        objectives=("area-efficiency",),
        role="dev",
    ),
)
