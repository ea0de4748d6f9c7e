"""The tasks on attention accelerators.

Every task takes the mean over two layers, so that a design suits more than one length. Workloads to search on, and the
unseen ones on which designs are judged, come from models of the test split; those for tuning from the dev split.
At 100 calls, random search is 69 % short of hypervolume on the front and 131 % to 599 % short of the best known on the
others (`experiments/core_1/audits_dnn.csv`), so none is a smoke test. The front's reference point takes e^2 times the
latency, e^0.5 times the energy and e times the area of the baseline; 56 % of random feasible designs are better in all.
"""

from __future__ import annotations

__all__ = ["TASKS"]

from archgym.tasks import Task

ATTENTION = "archgym/Attention-v0"
LONG = "xlm:seq=98304,batch=16 + trxl:seq=32768,batch=16"
LONG_UNSEEN = "llama-3-8b:seq=32768,batch=16 + xlm:seq=524288,batch=16"
SHORT = "xlm:seq=3072,batch=16 + trxl:seq=768,batch=16"
SHORT_UNSEEN = "llama-3-8b:seq=3072,batch=2 + trxl:seq=3072,batch=2"
DEV = "t5:seq=49152,batch=32 + t5:seq=1536,batch=32"
DEV_UNSEEN = "t5:seq=131072,batch=4 + t5:seq=8192,batch=4"

TASKS = (
    # ---- for judging ------------------------------------------------------------------------------------------------
    Task(
        name="attention-long-edp",
        description="Spend less energy and time on long sequences, on a chip for the cloud.",
        env_id=ATTENTION,
        workload=LONG,
        judge_workload=LONG_UNSEEN,
        objectives=("energy-delay",),
    ),
    Task(
        name="attention-edge-latency",
        description="Finish long sequences sooner on a chip of 50 mm2.",
        env_id=ATTENTION,
        workload=LONG,
        judge_workload=LONG_UNSEEN,
        objectives=("latency",),
        options={"area_class": "edge"},
    ),
    Task(
        name="attention-short-edap",
        description="Spend less energy, time and area on short sequences.",
        env_id=ATTENTION,
        workload=SHORT,
        judge_workload=SHORT_UNSEEN,
        objectives=("energy-delay-area",),
    ),
    Task(
        name="attention-front",
        description="Trade latency, energy and area of long sequences against each other.",
        env_id=ATTENTION,
        workload=LONG,
        judge_workload=LONG_UNSEEN,
        objectives=("latency", "energy", "area_mm2"),
        reference_point=(-2.0, -0.5, -1.0),
    ),
    # ---- for tuning -------------------------------------------------------------------------------------------------
    Task(
        name="attention-dev-edp",
        description="Spend less energy and time on a long and a short sequence.",
        env_id=ATTENTION,
        workload=DEV,
        judge_workload=DEV_UNSEEN,
        objectives=("energy-delay",),
        role="dev",
    ),
    Task(
        name="attention-dev-edge-edap",
        description="Spend less energy, time and area on a long and a short sequence, on a chip of 50 mm2.",
        env_id=ATTENTION,
        workload=DEV,
        judge_workload=DEV_UNSEEN,
        objectives=("energy-delay-area",),
        options={"area_class": "edge"},
        role="dev",
    ),
)
