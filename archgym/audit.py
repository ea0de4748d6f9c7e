"""What a task is worth: the evidence that `archgym audit` prints.

A task on which random search is within 1 % of the best at 100 calls is a smoke test, never a headline.
"""

from __future__ import annotations

__all__ = ["AuditReport", "ParameterEffect", "RandomSearchGap", "as_json", "audit", "audit_problem"]

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.options import STAND_IN
from archgym.pareto import hypervolume
from archgym.problem import Problem, ProblemSpec, ScoredEvaluation
from archgym_simulators import OK, InputError
from archgym_simulators.space import Rows

if TYPE_CHECKING:
    from archgym.tasks import Task

RANDOM_BUDGETS = (30, 100, 300, 1000)
SMOKE_GAP = 0.01
SMOKE_BUDGET = 100
_REPLICATES, _FRONT_REPLICATES = 400, 60
_ALTERNATIVES = 200
_CLIMBS, _FEWEST_CLIMBS = 64, 6
_INFEASIBLE = 4e9  # more than rewards can differ by
_NEIGHBOURS = 64 * 50  # that the first steps of all descents look at


@dataclass(frozen=True)
class ParameterEffect:
    """How much one parameter matters.

    Attributes:
        name: the parameter.
        changes: share of single-parameter changes, on random designs, that change any metric or the validity.
        explained: share of the reward's variance over valid random designs that this parameter alone explains (eta^2).
    """

    name: str
    changes: float
    explained: float

    @property
    def is_dead(self) -> bool:
        """Whether no change of it changed anything."""
        return self.changes == 0.0


@dataclass(frozen=True)
class RandomSearchGap:
    """Random search at a budget: quantiles over repetitions of how far its best stays above the best known.

    Attributes:
        budget: simulator calls.
        gap: median of exp(best reward - its reward) - 1: 0.01 means one percent worse. For a front, of best hypervolume
            over its hypervolume, less 1. Infinite without a feasible design.
        gap_low: 5 % quantile.
        gap_high: 95 % quantile.
        regret: median of (log f - log f*) / (log f_median-random - log f*). For a front, of the share of the best
            hypervolume that is missing.
        infeasible: share of repetitions without a feasible design.
    """

    budget: int
    gap: float
    gap_low: float
    gap_high: float
    regret: float
    infeasible: float


@dataclass(frozen=True)
class AuditReport:
    """The evidence for one problem.

    Attributes:
        designs: random canonical designs that were simulated for it.
        best_reward: what gaps are measured against.
        best_source: "certified", or "best known" with where it came from.
        feasible: share of random designs that are valid and meet every constraint.
        invalid: share that is invalid.
        near_best: share of feasible random designs within 0.1 %, 1 % and 5 % of the best reward.
        distinct: distinct rewards over feasible random designs; what is missing to 1 are ties.
        correlations: Spearman correlation of each pair of metrics over valid random designs.
        parameters: effect of each parameter.
        local_optima: share of greedy descents that end more than 1 % above the best: how often a climber is stuck.
        distinct_optima: number of different rewards (to 1e-9) at which descents end.
        random_search: gaps at growing budgets.
        objectives: their number; with several, rewards are means over them, and gaps are of hypervolume.
    """

    designs: int
    best_reward: float
    best_source: str
    feasible: float
    invalid: float
    near_best: dict[str, float]
    distinct: float
    correlations: dict[str, float]
    parameters: tuple[ParameterEffect, ...]
    local_optima: float
    distinct_optima: int
    random_search: tuple[RandomSearchGap, ...]
    objectives: int

    @property
    def is_smoke_test(self) -> bool:
        """Whether random search comes within 1 % of the best by 100 calls (median)."""
        return any(r.budget == SMOKE_BUDGET and r.gap <= SMOKE_GAP for r in self.random_search)


def audit(
    problem: Problem,
    rng: np.random.Generator,
    *,
    designs: int = 10_000,
    certified: float | None = None,
    known: float | None = None,
    reference_point: Sequence[float] = (),
    climbs: int = _CLIMBS,
) -> AuditReport:
    """Measure a problem by sampling and descending.

    Args:
        problem: simulator, objective and constraints.
        rng: source of every random draw.
        designs: random designs to simulate (fewer where the space is smaller).
        certified: reward of the certified optimum, or hypervolume of the certified front, where there is one.
        known: reward of the best known design, where nothing is certified.
        reference_point: from which hypervolume is measured; needed for several objectives.
        climbs: most descents to make.

    Raises:
        InputError: several objectives without a reference point.
    """
    several = len(problem.objectives) > 1
    if several and len(reference_point) != len(problem.objectives):
        raise InputError(
            f"an audit of {len(problem.objectives)} objectives measures hypervolume, so it needs a reference point of "
            "as many rewards; audit a task, or one objective"
        )
    rows, drawn = _distinct_sample(problem, designs, rng)
    scored = problem.evaluate(rows)
    ends = _descend(problem, rows, scored, rng, climbs)
    feasible = scored.reward[scored.feasible]
    found = max([*feasible.tolist(), *ends, *([known] if known is not None else [])], default=-np.inf)
    best = certified if certified is not None and not several else float(found)
    shortfall = _shortfall_of_front(scored, certified, reference_point) if several else _shortfall(scored, best)
    return AuditReport(
        designs=len(rows),
        best_reward=best,
        best_source=_source(certified, known, float(found)),
        feasible=float(scored.feasible.mean()),
        invalid=float((scored.status != OK).mean()),
        near_best={
            label: float((best - feasible <= np.log1p(share)).mean()) if len(feasible) else 0.0
            for label, share in (("0.1 %", 0.001), ("1 %", 0.01), ("5 %", 0.05))
        },
        distinct=len(np.unique(feasible)) / len(feasible) if len(feasible) else 0.0,
        correlations=_correlations(problem, scored),
        parameters=_effects(problem, rows, scored, rng),
        local_optima=float(np.mean([best - end > np.log1p(0.01) for end in ends])) if ends else 1.0,
        distinct_optima=len({round(end, 9) for end in ends}),
        random_search=tuple(
            _random_search(drawn, shortfall, budget, _FRONT_REPLICATES if several else _REPLICATES, rng)
            for budget in RANDOM_BUDGETS
        ),
        objectives=len(problem.objectives),
    )


def _source(certified: float | None, known: float | None, found: float) -> str:
    if certified is not None:
        return "certified"
    return "best known" if known is not None and known == found else "best of this audit's sample and descents"


def audit_problem(
    spec: ProblemSpec, task: Task | None = None, *, designs: int = 10_000, seed: int = 0, climbs: int = _CLIMBS
) -> AuditReport:
    """Audit an environment or a task against its certified optimum or else its best known design, where there is one.

    Where the space has been enumerated, the table answers, with the same numbers.

    Args:
        spec: the problem.
        task: it comes from, for the reference point of several objectives.
        designs: random designs to simulate.
        seed: of every random draw.
        climbs: most descents to make.
    """
    from archgym.best_known import best_known
    from archgym.enumerations import is_enumerated
    from archgym.fronts import certified_front
    from archgym.optimum import certified_optimum

    problem = spec.bind()
    if problem.simulator.designs() is None and is_enumerated(problem.simulator, spec.options):
        problem = replace(spec, options={**spec.options, STAND_IN: "table"}).bind()
    origin = task.reference_point if task is not None else ()
    if len(problem.objectives) > 1:
        front = certified_front(task) if task is not None else None
        certified = front.hypervolume if front is not None else None
    else:
        optimum = certified_optimum(spec)
        certified = optimum.reward if optimum is not None else None
    stored = best_known(spec)
    known = stored.reward if stored is not None else None
    rng = np.random.default_rng(seed)
    return audit(problem, rng, designs=designs, certified=certified, known=known, reference_point=origin, climbs=climbs)


def _distinct_sample(problem: Problem, designs: int, rng: np.random.Generator) -> tuple[Rows, NDArray[np.float64]]:
    """Canonical designs (N, D) of as many draws, in order of appearance, and how often each was drawn, as a share."""
    space = problem.space
    drawn = space.canonical(space.sample(designs, rng))
    times: dict[Any, int] = {}
    first: list[int] = []
    for position, key in enumerate(space.keys(drawn)):
        if key not in times:
            first.append(position)
        times[key] = times.get(key, 0) + 1
    return drawn[first], np.array(list(times.values())) / len(drawn)


def _correlations(problem: Problem, scored: ScoredEvaluation) -> dict[str, float]:
    """Spearman correlations of the metrics that vary, over valid designs; average ranks for ties."""
    import pandas as pd

    names = problem.simulator.metric_names()
    values = pd.DataFrame(scored.values[scored.status == OK], columns=list(names))
    ranks = values.loc[:, values.nunique() > 1].rank()
    matrix = ranks.corr(method="pearson")
    columns = list(matrix.columns)
    return {
        f"{a} ~ {b}": float(matrix.loc[a, b])  # type: ignore[arg-type]
        for i, a in enumerate(columns)
        for b in columns[i + 1 :]
    }


def _effects(
    problem: Problem, rows: Rows, scored: ScoredEvaluation, rng: np.random.Generator
) -> tuple[ParameterEffect, ...]:
    space = problem.space
    base = rows[: min(len(rows), _ALTERNATIVES)]
    effects = []
    for parameter in space.parameters:
        where = space.columns_of(parameter.name)
        changed = base.copy()
        # A shift by at least 1 within each digit's radix: every other value is equally likely.
        nvec = space.nvec[where]
        changed[:, where] = (
            changed[:, where] + rng.integers(1, np.maximum(nvec, 2), size=(len(base), len(nvec)))
        ) % nvec
        other = problem.evaluate(space.canonical(changed))
        moved = (changed[:, where] != base[:, where]).any(axis=1)
        differs = _differs(scored, other, len(base)) & moved
        share = float(differs.sum() / moved.sum()) if moved.any() else 0.0
        effects.append(ParameterEffect(parameter.name, share, _explained(rows[:, where], scored)))
    return tuple(effects)


def _differs(scored: ScoredEvaluation, other: ScoredEvaluation, n: int) -> NDArray[np.bool_]:
    mine, theirs = np.nan_to_num(scored.values[:n]), np.nan_to_num(other.values)
    return np.asarray((mine != theirs).any(axis=1) | (scored.status[:n] != other.status))


def _explained(digits: NDArray[np.int64], scored: ScoredEvaluation) -> float:
    ok = scored.status == OK
    reward = scored.reward[ok]
    if len(reward) < 2 or reward.var() == 0.0:
        return 0.0
    _, group = np.unique(digits[ok], axis=0, return_inverse=True)
    group = group.ravel()
    count = np.bincount(group)
    mean = np.bincount(group, weights=reward) / count
    return float((count * (mean - reward.mean()) ** 2).sum() / (len(reward) * reward.var()))


def _descend(
    problem: Problem, rows: Rows, scored: ScoredEvaluation, rng: np.random.Generator, most: int
) -> list[float]:
    """Steepest descent over natural neighbours from random feasible designs; the rewards where it ends.

    Where none is feasible, from valid ones, towards what is feasible; an end that is not is infinitely bad. A step
    looks at every neighbour, so a space with many parameters gets fewer descents.
    """
    starts = np.flatnonzero(scored.feasible if scored.feasible.any() else scored.status == OK)
    ranks = _ranks(scored)
    around = max(len(problem.space.neighbours(rows[0])), 1)
    climbs = min(most, max(_FEWEST_CLIMBS, _NEIGHBOURS // around))
    chosen = rng.permutation(starts)[:climbs]
    current = [(float(ranks[i]), rows[i]) for i in chosen.tolist()]
    ends: list[float] = []
    while current:
        neighbourhoods = [problem.space.canonical(problem.space.neighbours(row)) for _, row in current]
        outcome = problem.evaluate(np.concatenate(neighbourhoods))
        current, finished = _one_step(current, neighbourhoods, outcome)
        ends += finished
    return [end if end > -_INFEASIBLE / 2 else -np.inf for end in ends]


def _ranks(scored: ScoredEvaluation) -> NDArray[np.float64]:
    """Rewards (N,), by which no infeasible design is ahead of a feasible one."""
    return np.where(scored.feasible, scored.reward, scored.reward - _INFEASIBLE)


def _one_step(
    current: Sequence[tuple[float, NDArray[np.int64]]], neighbourhoods: Sequence[Rows], outcome: ScoredEvaluation
) -> tuple[list[tuple[float, NDArray[np.int64]]], list[float]]:
    moved, ends, offset = [], [], 0
    rewards = _ranks(outcome)
    for (reward, _), neighbours in zip(current, neighbourhoods, strict=True):
        mine = rewards[offset : offset + len(neighbours)]
        offset += len(neighbours)
        best = int(mine.argmax()) if len(mine) else -1
        if best >= 0 and mine[best] > reward:
            moved.append((float(mine[best]), neighbours[best]))
        else:
            ends.append(reward)
    return moved, ends


# What a run that has simulated some of the designs, by index (N,), is short of: gap and regret.
Shortfall = Callable[[NDArray[np.int64]], tuple[float, float]]


def _shortfall(scored: ScoredEvaluation, best: float) -> Shortfall:
    rewards = np.where(scored.feasible, scored.reward, -np.inf)
    middle = best - float(np.median(rewards[scored.feasible])) if scored.feasible.any() else np.inf

    def of(drawn: NDArray[np.int64]) -> tuple[float, float]:
        missing = best - float(rewards[drawn].max())
        if not np.isfinite(missing):
            return np.inf, np.inf
        return float(np.expm1(missing)), missing / middle if middle > 0 else 0.0

    return of


def _shortfall_of_front(scored: ScoredEvaluation, certified: float | None, origin: Sequence[float]) -> Shortfall:
    whole = certified if certified is not None else hypervolume(scored.rewards[scored.feasible], origin)

    def of(drawn: NDArray[np.int64]) -> tuple[float, float]:
        volume = hypervolume(scored.rewards[drawn][scored.feasible[drawn]], origin)
        return (whole / volume - 1.0, 1.0 - volume / whole) if volume > 0.0 else (np.inf, 1.0)

    return of


def _random_search(
    drawn: NDArray[np.float64], shortfall: Shortfall, budget: int, replicates: int, rng: np.random.Generator
) -> RandomSearchGap:
    """Runs of random search among the simulated designs; ``drawn`` (N,) is the chance of each, and repeats are free."""
    designs = len(drawn)
    size = min(budget, designs)
    runs = np.array([shortfall(rng.choice(designs, size, replace=False, p=drawn)) for _ in range(replicates)])
    gaps, regrets = runs.T
    # "nearest", because means of neighbours would mix infinite gaps with finite ones.
    low, mid, high = np.quantile(gaps, [0.05, 0.5, 0.95], method="nearest").tolist()
    regret = float(np.quantile(regrets, 0.5, method="nearest"))
    return RandomSearchGap(budget, mid, low, high, regret, float(np.isinf(gaps).mean()))


def as_json(report: AuditReport) -> dict[str, Any]:
    """The report as JSON-able values; infinite gaps stay infinite."""
    return {**asdict(report), "is_smoke_test": report.is_smoke_test}
