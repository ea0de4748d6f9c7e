"""Search on a proxy, verify on the simulator: what the proxy promised, and what is true.

The designs that a search on a proxy likes best are those that the proxy errs on in its favour (the optimiser's curse,
Smith and Winkler 2006), so the promise is too good, the more so the longer the search. The gap says how much.
"""

from __future__ import annotations

__all__ = ["Verified", "search_and_verify"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.budget import Budget
from archgym.options import STAND_IN
from archgym.proxies.files import load_proxy
from archgym.proxies.quality import spearman
from archgym.proxies.simulator import POLICIES
from archgym.run_plan import RunPlan, run_agent
from archgym.session import Session
from archgym.tasks import problem_of
from archgym_simulators import OK, Design, Evaluation, InputError
from archgym_simulators.space import Rows

if TYPE_CHECKING:
    from archgym.problem import Problem, ScoredEvaluation

_OUTSIDE = 1  # of the diagnostics


@dataclass(frozen=True)
class Verified:
    """What a search on a proxy came to.

    Rewards, promised and true, are relative to the simulator's own baseline. The reward of "minimise X" is a logarithm,
    so a gap of 0.1 is a promise of 10 % too little.

    Attributes:
        design: the best of the verified designs by the simulator; None where none of them is feasible.
        metrics: its metrics by the simulator.
        reward: its reward by the simulator; -inf where none is feasible.
        promised: the highest reward by the proxy, of the design that it likes best.
        found: what that design's reward is.
        optimism_gap: ``promised - found``.
        mean_gap: mean over the verified designs that are feasible.
        rank_correlation: of promised and true rewards over them; NaN for fewer than three.
        within: share of their metrics within the proxy's intervals of 90 %.
        outside: share of the verified designs outside the training region.
        infeasible: verified designs that the simulator refuses, or that break a bound.
        predictions: designs that the search asked the proxy for.
        simulations: designs that were verified.
    """

    design: Design | None
    metrics: Mapping[str, float]
    reward: float
    promised: float
    found: float
    optimism_gap: float
    mean_gap: float
    rank_correlation: float
    within: float
    outside: float
    infeasible: int
    predictions: int
    simulations: int


class _Memory:
    """A recorder that keeps what a session has evaluated, in memory."""

    def __init__(self) -> None:
        self.rows: list[Rows] = []
        self.found: list[ScoredEvaluation] = []

    def replay(self, proposal: int, workload: str, positions: Sequence[int], rows: Rows) -> Evaluation | None:
        return None

    def write(
        self, proposal: int, workload: str, positions: Sequence[int], rows: Rows, evaluation: ScoredEvaluation
    ) -> None:
        self.rows.append(rows.copy())
        self.found.append(evaluation)


def search_and_verify(
    env_id: str,
    proxy: str,
    agent: str = "genetic_algorithm",
    *,
    budget: int,
    verify: int = 10,
    seed: int = 0,
    workload: str | None = None,
    objective: str | None = None,
    constraints: str | list[str] | tuple[str, ...] = (),
    agent_options: Mapping[str, Any] | None = None,
    strict: bool = False,
    **options: Any,
) -> Verified:
    """Let an agent search on a proxy, then simulate the designs that the proxy likes best.

    Args:
        env_id: an id of ``archgym list``, ``path/chip.py:Chip``, or a task.
        proxy: path of a proxy.
        agent: a name of ``archgym list agents``, or ``path/agent.py``.
        budget: designs that the agent may ask the proxy for.
        verify: how many of the best, by the proxy, are simulated.
        seed: of the agent.
        workload: a spec of ``archgym list workloads``.
        objective: in the language of `archgym.objectives`.
        constraints: bounds such as ``"power_mw<=900"``.
        agent_options: settings of the agent.
        strict: whether designs outside the proxy's training region are refused during the search.
        **options: of the simulator.

    Raises:
        InputError: for anything unknown, or where the proxy finds no feasible design.
    """
    if verify < 1:
        raise InputError(f"verify must be at least 1, not {verify}")
    given = {"workload": workload, "objective": objective, "constraints": constraints}
    truth_spec, task = problem_of(env_id, options=options, **given)  # type: ignore[arg-type]
    policy = next(name for name, is_strict in POLICIES.items() if is_strict == strict)
    spec = replace(truth_spec, options={**truth_spec.options, STAND_IN: f"{policy}:{proxy}"})
    limits = Budget(budget)
    plan = RunPlan.create(spec, task, limits, agent=agent, settings=agent_options, seed=seed)
    memory = _Memory()
    session = Session(spec, budget=limits, recorder=memory)
    run_agent(session, plan.create_agent(session))
    truth = truth_spec.bind()
    rows, promised = _best(memory, session.problem().metric_names, truth, verify)
    return _verified(truth, proxy, session, rows, promised)


def _best(memory: _Memory, names: Sequence[str], truth: Problem, count: int) -> tuple[Rows, NDArray[np.float64]]:
    """The designs (K, D) that the proxy likes best, best first, and the rewards (K,) that it promises.

    Raises:
        InputError: the proxy thinks that none is feasible.
    """
    rows = np.concatenate(memory.rows) if memory.rows else np.zeros((0, truth.space.width), np.int64)
    scored = [truth.score(_as_if_simulated(found, names, truth)) for found in memory.found]
    reward = np.concatenate([one.reward for one in scored]) if scored else np.zeros(0)
    feasible = np.concatenate([one.feasible for one in scored]) if scored else np.zeros(0, bool)
    order = np.lexsort((-reward, ~feasible))[:count]
    order = order[feasible[order]]
    if not len(order):
        raise InputError(f"of {len(rows):,} designs the proxy thinks that none is feasible; give it a larger budget")
    return rows[order], reward[order]


def _as_if_simulated(found: Evaluation, names: Sequence[str], truth: Problem) -> Evaluation:
    """Predictions with the columns of the simulator, NaN where the proxy has none, to be scored as it scores."""
    values = np.full((len(found), len(truth.metric_names)), np.nan)
    values[:, [truth.metric_names.index(name) for name in names]] = found.values
    code = np.where(found.status == OK, -1, 0)
    return Evaluation.of(values, reasons=truth.reasons, reason_code=code, violation=found.violation)


def _verified(problem: Problem, path: str, session: Session, rows: Rows, promised: NDArray[np.float64]) -> Verified:
    truth = problem.evaluate(rows)
    inside = truth.feasible
    gaps = promised - truth.reward
    best = int(np.lexsort((-truth.reward, ~inside))[0])
    is_found = bool(inside[best])
    values = truth.values[best].tolist() if is_found else []
    marks = session.problem().evaluate(rows).diagnostics[:, _OUTSIDE]
    return Verified(
        design=problem.space.decode_row(rows[best]) if is_found else None,
        metrics=dict(zip(problem.metric_names, values, strict=False)),
        reward=float(truth.reward[best]) if is_found else float("-inf"),
        promised=float(promised[0]),
        found=float(truth.reward[0]),
        optimism_gap=float(gaps[0]),
        mean_gap=float(gaps[inside].mean()) if inside.any() else float("nan"),
        rank_correlation=spearman(promised[inside], truth.reward[inside]) if inside.sum() > 2 else float("nan"),
        within=_within(problem, path, rows, truth),
        outside=float(marks.mean()),
        infeasible=int((~inside).sum()),
        predictions=session.calls,
        simulations=len(rows),
    )


def _within(problem: Problem, path: str, rows: Rows, truth: ScoredEvaluation) -> float:
    """Share of the metrics of valid designs that lie within the proxy's intervals; NaN for a mean over workloads."""
    proxy = load_proxy(path)
    valid = truth.status == OK
    names = [model.metric.name for model in proxy.models]
    known = {one.name: one for one in proxy.workloads}
    if problem.simulator.workload.name not in known or not valid.any():
        return float("nan")
    found = proxy.predict(rows[valid], known[problem.simulator.workload.name], coverage=0.9)
    values = truth.values[valid][:, [problem.metric_names.index(name) for name in names]]
    return float(((values >= found.low) & (values <= found.high)).mean())
