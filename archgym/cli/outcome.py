"""The result of a search in words: the best design beside the baseline."""

from __future__ import annotations

__all__ = ["beside", "compare_with_baseline", "headline", "objective_metric"]

from collections.abc import Mapping, Sequence
from math import exp
from typing import TYPE_CHECKING, Any

from archgym.cli import text
from archgym.wording import change, number, ratio, split_unit
from archgym_simulators import Metric

if TYPE_CHECKING:
    from archgym.objectives import Objective
    from archgym.problem import ProblemSpec


def headline(summary: Mapping[str, Any], spec: ProblemSpec) -> str:
    """One sentence on the best design, or on the nearest where none met every constraint.

    ``"Best by total-time, simulation 214: total time 78,390 ns, 25.0% less than the baseline's 104,512 ns (better)."``

    Args:
        summary: as in ``result.json``.
        spec: what was searched.
    """
    best, baseline = summary["best"] or summary["nearest"], summary["baseline"]
    objectives, metrics = spec.parse()[0], {m.name: m for m in spec.declaration().metrics}
    if len(objectives) > 1:
        names = ", ".join(objective.name for objective in objectives)
        return f"Best by the mean reward of {names}, simulation {best['step'] + 1:,}: reward {best['reward']:.3f}."
    objective = objectives[0]
    kind = "Best" if best["feasible"] else "No design met every constraint. Nearest"
    start = f"{kind} by {objective.name}, simulation {best['step'] + 1:,}"
    end = "."
    if len(objective.terms) > 1 and best["feasible"]:
        return f"{start}: {_product(best['reward'])}{end}"
    metric = metrics[_first_metric(objective)]
    return f"{start}: {beside(metric, best['metrics'][metric.name], baseline['metrics'][metric.name])}{end}"


def objective_metric(spec: ProblemSpec) -> Metric:
    """The metric that the first objective names first."""
    name = _first_metric(spec.parse()[0][0])
    return next(metric for metric in spec.declaration().metrics if metric.name == name)


def _first_metric(objective: Objective) -> str:
    return (objective.terms[0] if objective.terms else objective.targets[0]).metric


def _product(reward: float) -> str:
    # Rewards of products are sums of logarithms, so this is the factor by which the product improved.
    if reward < 0:
        return f"{exp(-reward):.3f} times worse than the baseline (reward {reward:.3f}, minus its logarithm)"
    return f"{exp(reward):.3f} times better than the baseline (reward {reward:.3f}, its logarithm)"


def beside(metric: Metric, value: float, reference: float) -> str:
    """``"total time 78,390 ns, 25.0% less than the baseline's 104,512 ns (better)"``."""
    name, unit = split_unit(metric.name)
    shown, other = f"{number(value)} {unit}".rstrip(), f"{number(reference)} {unit}".rstrip()
    if value == reference:
        return f"{name} {shown}, the same as the baseline"
    how_much, verdict = change(metric, value, reference).rsplit(", ", 1)
    joint = "as" if how_much.endswith("as much") else "than"
    return f"{name} {shown}, {how_much} {joint} the baseline's {other} ({verdict})"


def compare_with_baseline(summary: Mapping[str, Any], spec: ProblemSpec) -> str:
    """Two tables: every parameter, then every metric, best beside baseline.

    Args:
        summary: as in ``result.json``.
        spec: what was searched.
    """
    best, baseline = summary["best"] or summary["nearest"], summary["baseline"]
    # A family may declare more metrics than it has with some options: a DRAM without published currents has no energy.
    measured = [metric for metric in spec.declaration().metrics if metric.name in baseline["metrics"]]
    return f"{_design_table(best, baseline)}\n\n{_metric_table(best, baseline, measured)}"


def _design_table(best: Mapping[str, Any], baseline: Mapping[str, Any]) -> str:
    rows = []
    for name, value in best["design"].items():
        reference = baseline["design"][name]
        rows.append([name, str(reference), str(value), "" if value == reference else "changed"])
    return text.table(rows, ("parameter", "baseline", "best" if best["feasible"] else "nearest", ""))


def _metric_table(best: Mapping[str, Any], baseline: Mapping[str, Any], metrics: Sequence[Metric]) -> str:
    rows = []
    for metric in metrics:
        reference, value = baseline["metrics"][metric.name], best["metrics"].get(metric.name, float("nan"))
        share = ratio(value, reference) if metric.scale == "log" else "-"
        rows.append([metric.name, number(reference), number(value), share, change(metric, value, reference)])
    return text.table(
        rows, ("metric", "baseline", "best" if best["feasible"] else "nearest", "ratio", ""), right=(1, 2, 3)
    )
