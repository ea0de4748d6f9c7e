"""The tasks on systems on chip.

First the question is how many evaluations it takes to meet every budget, then how little energy is enough: rewards of
designs within the budgets are of energy, others lose by how far they miss them. Budgets are those of the workloads,
under realistic rules. Searches report evaluations-to-feasible, censored at the budget.

A chip is built for the applications it is to run, so a task whose space follows its graph is judged on that graph;
``soc-shared`` and ``soc-dev-shared`` decide by groups of tasks ranked by work, and are judged on graphs not seen.
The best designs known (``archgym/optima/soc_best_known.json``) are not certified: spaces have 1e39 designs and more.
"""

from __future__ import annotations

__all__ = ["TASKS"]

from archgym.tasks import Task

SOC = "archgym/SoC-v0"
BUDGETS = ("latency_ratio<=1", "power_ratio<=1", "area_ratio<=1")
THREE = "audio-decoder+edge-detection+hpvm-cava"
SHARED = "generated:tasks=40,seed=302 + generated:seed=303"
SHARED_UNSEEN = "generated:tasks=40,seed=312 + generated:seed=313"
DEV = "generated:tasks=33,seed=101"
DEV_EASY = "generated:tasks=33,seed=102"
DEV_SHARED = "generated:tasks=40,seed=104 + generated:tasks=20,seed=105"
DEV_SHARED_UNSEEN = "generated:tasks=40,seed=114 + generated:tasks=20,seed=115"


def _energy_within_budgets(
    name: str, description: str, workload: str, judge_workload: str = "", **more: object
) -> Task:
    return Task(
        name=name,
        description=description,
        env_id=SOC,
        workload=workload,
        judge_workload=judge_workload or workload,
        objectives=("energy",),
        constraints=BUDGETS,
        judge_constraints=BUDGETS,
        **more,  # type: ignore[arg-type]
    )


TASKS = (
    # ---- for judging ------------------------------------------------------------------------------------------------
    _energy_within_budgets(
        "soc-three-apps",
        "Meet the budgets of audio decoder, edge detection and CAVA on one chip, then spend less energy.",
        THREE,
        budget=1000,
    ),
    _energy_within_budgets(
        "soc-shared",
        "Meet the budgets of two generated graphs on average, by groups of tasks, then spend less energy.",
        SHARED,
        SHARED_UNSEEN,
        budget=1000,
    ),
    _energy_within_budgets(
        "soc-audio",
        "Meet the budgets of the audio decoder, then spend less energy.",
        "audio-decoder",
        standing="smoke test",
    ),
    _energy_within_budgets(
        "soc-edge",
        "Meet the budgets of edge detection, then spend less energy.",
        "edge-detection",
        standing="smoke test",
    ),
    _energy_within_budgets(
        "soc-cava", "Meet the budgets of CAVA, then spend less energy.", "hpvm-cava", standing="smoke test"
    ),
    # ---- for tuning -------------------------------------------------------------------------------------------------
    _energy_within_budgets(
        "soc-dev-tight",
        "Meet the tight budgets of a generated graph of 33 tasks, then spend less energy.",
        DEV,
        options={"space": "tasks"},
        budget=1000,
        role="dev",
    ),
    _energy_within_budgets(
        "soc-dev-graph",
        "Meet the budgets of another generated graph of 33 tasks, then spend less energy.",
        DEV_EASY,
        options={"space": "tasks"},
        role="dev",
    ),
    _energy_within_budgets(
        "soc-dev-shared",
        "Meet the budgets of two other generated graphs on average, by groups of tasks, then spend less energy.",
        DEV_SHARED,
        DEV_SHARED_UNSEEN,
        budget=1000,
        role="dev",
    ),
)
