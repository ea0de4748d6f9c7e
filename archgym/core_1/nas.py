"""The tasks on measured cells. They join the suite when the table is whole and they are audited.

All tasks read one table of accuracies, so tuning and judging differ in training seeds, hardware and question, not in
the cells. Found designs are judged by ten trainings with seeds that no search sees.
"""

from __future__ import annotations

__all__ = ["TASKS"]

from archgym.tasks import Task

DIGITS = "archgym/NAS201Digits-v0"
FULL = {"epochs": 20}
SMALL_ARRAY = {"dataflow": "os", "rows": 8, "columns": 8, "ifmap_kib": 8, "filter_kib": 8, "ofmap_kib": 8}

TASKS = (
    # ---- for judging ------------------------------------------------------------------------------------------------
    Task(
        name="nas-accuracy-latency",
        description="Find the most accurate cell within a bound on latency; each is trained in full, three times.",
        env_id=DIGITS,
        workload="search",
        judge_workload="judge",
        objectives=("accuracy",),
        constraints=("latency_ns<=3200",),
        judge_constraints=("latency_ns<=3200",),
        options=FULL,
        budget=100,
    ),
    Task(
        name="nas-front",
        description="Trade error, latency and energy against each other; each cell is trained in full, three times.",
        env_id=DIGITS,
        workload="search",
        judge_workload="judge",
        objectives=("error", "min:latency_ns", "min:energy_pj"),
        options=FULL,
        budget=200,
        reference_point=(-1.0, -1.0, -1.0),
    ),
    Task(
        name="nas-seconds",
        description="Find the most accurate cell in 300 simulated seconds, trained for as many epochs as you choose.",
        env_id=DIGITS,
        workload="search-seed-0",
        judge_workload="judge",
        objectives=("accuracy",),
        budget=300,
        budget_unit="cost",
    ),
    # ---- for tuning -------------------------------------------------------------------------------------------------
    Task(
        name="nas-dev-error-energy",
        description="Find the cell of lowest error within a bound on the energy of a mobile array.",
        env_id=DIGITS,
        workload="search-seed-1",
        judge_workload="judge",
        objectives=("error",),
        constraints=("energy_pj<=3400000",),
        judge_constraints=("energy_pj<=3400000",),
        options={**FULL, "area_class": "mobile"},
        budget=100,
        role="dev",
    ),
    Task(
        name="nas-dev-seconds",
        description="Lower error times latency on a small array, in 300 simulated seconds.",
        env_id=DIGITS,
        workload="search-seed-2",
        judge_workload="judge",
        objectives=("error-delay",),
        options={"array": SMALL_ARRAY},
        budget=300,
        budget_unit="cost",
        role="dev",
    ),
)
