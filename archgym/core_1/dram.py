"""The tasks on DRAM controllers.

Traces have 4,000 requests, and every task takes the mean over two of them: its best design is not that of one trace's
accidents. Bounds are 1.05 or 1.10 times the shortest total time of the task's traces, rounded to whole ns; the shortest
total time is the certified optimum of the problem without the bound. ``experiments/core_1`` makes the numbers and shows
what random search reaches on each task.

The tasks on the extended space have too many designs for an optimum: they carry best known designs, from long searches.
Those in power bound total time at 35 us, a fifth above the least that 300 random designs took, and the 99th percentile
of latency at 220 ns; one random design in twenty meets both.
"""

from __future__ import annotations

__all__ = ["TASKS"]

from archgym.tasks import Task

DRAM = "archgym/DRAM-v0"

MIXED = "mixed:n=4000,seed=301 + mixed:n=4000,seed=302"
MIXED_UNSEEN = "mixed:n=4000,seed=311 + mixed:n=4000,seed=312"
ZIPF = "zipf:writes=0.3,n=4000,seed=301 + zipf:writes=0.3,n=4000,seed=302"
ZIPF_UNSEEN = "zipf:writes=0.3,n=4000,seed=311 + zipf:writes=0.3,n=4000,seed=312"
DEV = "mixed:n=4000,seed=101 + cloud-2-like:writes=0.2,n=4000,seed=101"
DEV_UNSEEN = "mixed:n=4000,seed=111 + cloud-2-like:writes=0.2,n=4000,seed=111"
EXTENDED = {"space": "extended"}
IDLE = "bursty:n=4000,seed=301 + mixed:n=4000,seed=301@0.3"
IDLE_UNSEEN = "bursty:n=4000,seed=311 + mixed:n=4000,seed=311@0.3"
DEV_IDLE = "bursty:n=4000,seed=101 + cloud-2-like:writes=0.2,n=4000,seed=101@0.3"
DEV_IDLE_UNSEEN = "bursty:n=4000,seed=111 + cloud-2-like:writes=0.2,n=4000,seed=111@0.3"

TASKS = (
    # ---- for judging ------------------------------------------------------------------------------------------------
    Task(
        name="dram-mixed-time",
        description="Finish mixed reads and writes sooner.",
        env_id=DRAM,
        workload=MIXED,
        judge_workload=MIXED_UNSEEN,
        objectives=("total-time",),
    ),
    Task(
        name="dram-mixed-p99",
        description="Answer the slowest hundredth of mixed reads and writes sooner, at 5 % over the least time.",
        env_id=DRAM,
        workload=MIXED,
        judge_workload=MIXED_UNSEEN,
        objectives=("p99-latency",),
        constraints=("total_time_ns<=30890",),
        judge_constraints=("total_time_ns<=30792",),
    ),
    Task(
        name="dram-mixed-front",
        description="Trade total time, mean latency and power of mixed reads and writes against each other.",
        env_id=DRAM,
        workload=MIXED,
        judge_workload=MIXED_UNSEEN,
        objectives=("total-time", "mean-latency", "power"),
        reference_point=(-0.25, -0.25, -0.25),
    ),
    Task(
        name="dram-zipf-time",
        description="Finish traffic with hot and cold lines sooner.",
        env_id=DRAM,
        workload=ZIPF,
        judge_workload=ZIPF_UNSEEN,
        objectives=("total-time",),
    ),
    Task(
        name="dram-zipf-power",
        description="Draw less power on traffic with hot and cold lines, at 10 % over the least time.",
        env_id=DRAM,
        workload=ZIPF,
        judge_workload=ZIPF_UNSEEN,
        objectives=("power",),
        constraints=("total_time_ns<=40154",),
        judge_constraints=("total_time_ns<=40711",),
        standing="smoke test",
    ),
    # ---- for tuning: other seeds, and instead of hot and cold lines blocks as in the cloud traces --------------------
    Task(
        name="dram-dev-time",
        description="Finish mixed and cloud-like traffic sooner.",
        env_id=DRAM,
        workload=DEV,
        judge_workload=DEV_UNSEEN,
        objectives=("total-time",),
        role="dev",
    ),
    Task(
        name="dram-dev-p99",
        description="Answer the slowest hundredth of mixed and cloud-like traffic sooner, at 5 % over the least time.",
        env_id=DRAM,
        workload=DEV,
        judge_workload=DEV_UNSEEN,
        objectives=("p99-latency",),
        constraints=("total_time_ns<=30239",),
        judge_constraints=("total_time_ns<=30262",),
        role="dev",
    ),
    Task(
        name="dram-dev-power",
        description="Draw less power on mixed and cloud-like traffic, at 10 % over the least time.",
        env_id=DRAM,
        workload=DEV,
        judge_workload=DEV_UNSEEN,
        objectives=("power",),
        constraints=("total_time_ns<=31679",),
        judge_constraints=("total_time_ns<=31703",),
        role="dev",
    ),
    # ---- the extended space, too large to be enumerated: these carry best known designs ------------------------------
    Task(
        name="dram-extended-time",
        description="Finish mixed reads and writes sooner, with maps, channels and queues of your choice.",
        env_id=DRAM,
        workload=MIXED,
        judge_workload=MIXED_UNSEEN,
        objectives=("total-time",),
        options=EXTENDED,
    ),
    Task(
        name="dram-extended-power",
        description="Draw less power on bursts and on a steady trickle, bounded in time and tail latency.",
        env_id=DRAM,
        workload=IDLE,
        judge_workload=IDLE_UNSEEN,
        objectives=("power",),
        constraints=("total_time_ns<=35000", "latency_p99_ns<=220"),
        judge_constraints=("total_time_ns<=35000", "latency_p99_ns<=220"),
        options=EXTENDED,
    ),
    Task(
        name="dram-extended-dev-edp",
        description="Spend less energy times time on mixed and cloud-like traffic, with maps, channels and queues.",
        env_id=DRAM,
        workload=DEV,
        judge_workload=DEV_UNSEEN,
        objectives=("energy-delay",),
        options=EXTENDED,
        role="dev",
    ),
    Task(
        name="dram-extended-dev-power",
        description="Draw less power on bursts and on a cloud-like trickle, bounded in time and tail latency.",
        env_id=DRAM,
        workload=DEV_IDLE,
        judge_workload=DEV_IDLE_UNSEEN,
        objectives=("power",),
        constraints=("total_time_ns<=35000", "latency_p99_ns<=220"),
        judge_constraints=("total_time_ns<=35000", "latency_p99_ns<=220"),
        options=EXTENDED,
        role="dev",
    ),
)
