"""A proxy in the simulator's place."""

from __future__ import annotations

__all__ = ["POLICIES", "ProxySimulator", "proxy_stand_in"]

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archgym.datasets.schema import DatasetWorkload
from archgym.objectives import parse_objective
from archgym.options import STAND_IN
from archgym.proxies.files import load_proxy, proxy_digest
from archgym.proxies.proxy import Proxy
from archgym.registry import source_digest
from archgym_simulators import Evaluation, InputError, Metric, NamedObjective, Reason, Simulator
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.space import Rows

if TYPE_CHECKING:
    from archgym.problem import ProblemSpec

POLICIES = {"proxy": False, "strict-proxy": True}
"""What may stand before the path: whether designs outside the training region are invalid."""

_REASONS = (
    Reason("thought_invalid", "the proxy thinks that the simulator would refuse the design"),
    Reason(
        "outside_training",
        "{unseen:.0%} of the design's pairs of values are new to the proxy, or its workload is",
        ("unseen",),
    ),
)
_THOUGHT_INVALID, _OUTSIDE = range(2)


class ProxySimulator(Simulator):
    """Answers for another simulator by a proxy: same space, workload and baseline, predicted metrics.

    Its version names the proxy's content, so that no record, certificate or dataset takes its numbers for simulations.
    Designs outside the training region are marked in the diagnostics (``outside_training``, with the share of unseen
    pairs of values in ``unseen_pairs``), or invalid where ``strict``, but for the baseline, to which rewards relate.

    Args:
        simulator: bound to the workload; gives everything but the numbers, and is never asked to simulate.
        proxy: trained on its designs.
        strict: whether designs outside the training region are invalid.
        digest: content hash of the proxy; of what it was trained on where empty.

    Raises:
        InputError: a proxy of another space, version, source, unit or workload.
    """

    diagnostic_names = ("unseen_pairs", "outside_training")

    def __init__(self, simulator: Simulator, proxy: Proxy, *, strict: bool = False, digest: str = "") -> None:
        _check_same(simulator, proxy)
        by_name = {metric.name: metric for metric in simulator.metrics}
        self.metrics = tuple(by_name[metric.name] for metric in proxy.schema.metrics)
        content = digest or str(proxy.training.get("digest", ""))
        self.version = f"{simulator.version}+{'strict-' * strict}proxy.{content[:16]}"
        self.objectives = _about(simulator.objectives, self.metrics)
        self.default_objective = self._known(simulator.default_objective)
        self.pareto_objectives = tuple(filter(self._known, simulator.pareto_objectives))
        self.cost_unit = "predictions"
        self.space, self.workload, self.baseline = simulator.space, simulator.workload, simulator.baseline
        self.reasons = _REASONS  # type: ignore[misc]  # of what answers; those of the simulator are not predicted
        own = simulator.workload
        self._bound = proxy.bound(DatasetWorkload(own.name, own.features, own.digest))
        self._strict = strict
        baseline = np.array([self.baseline.row], np.int64)
        self._baseline = self.space.canonical(self.space.as_rows(baseline))[0]

    def _known(self, objective: str) -> str:
        """The objective, "" where it is about metrics that the proxy does not predict."""
        return objective if _is_about(NamedObjective("x", objective, ""), self.metrics, self.objectives) else ""

    def simulate(self, rows: Rows) -> Evaluation:
        """Predict: with 100 trees a metric, above a million metrics a second on one core."""
        found = self._bound.predict(rows)
        code = np.where(found.valid, -1, _THOUGHT_INVALID)
        if self._strict:
            refused = found.outside & ~(rows == self._baseline).all(axis=1)
            code[refused] = _OUTSIDE
        return Evaluation.of(
            found.values,
            reasons=self.all_reasons,
            reason_code=code,
            violation=np.where(code == _OUTSIDE, found.unseen, 1.0) * (code >= 0),
            reason_detail=found.unseen[:, None],
            diagnostics=np.stack([found.unseen, found.outside.astype(np.float64)], axis=1),
        )


def proxy_stand_in(simulator: Simulator, kind: str, spec: ProblemSpec) -> Simulator:
    """What ``simulator="proxy:PATH"`` and ``"strict-proxy:PATH"`` name.

    Args:
        simulator: the model, bound to a workload.
        kind: the whole text.
        spec: what it was bound from.

    Raises:
        InputError: no such proxy, or one of something else.
    """
    policy, _, path = kind.partition(":")
    if policy not in POLICIES or not path:
        allowed = [f"{name}:PATH" for name in POLICIES]
        raise InputError(f"unknown simulator {kind!r}{did_you_mean(kind, allowed)}; allowed: {', '.join(allowed)}")
    digest = proxy_digest(path)
    proxy = _loaded(str(Path(path).resolve()), digest)
    _check_options(simulator, proxy, _lasting(spec.options))
    source = source_digest(spec.env_id)
    if source != proxy.schema.source:
        raise InputError(f"the proxy was trained on another simulator than {spec.env_id} as its file is now")
    return ProxySimulator(simulator, proxy, strict=POLICIES[policy], digest=digest)


@lru_cache(maxsize=4)
def _loaded(path: str, digest: str) -> Proxy:
    """A proxy by path and content: environments bind one workload after another."""
    return load_proxy(path)


def _about(objectives: Sequence[NamedObjective], metrics: Sequence[Metric]) -> tuple[NamedObjective, ...]:
    """The objectives that are of these metrics, each with what is left of the bounds that it may need."""
    names = {metric.name for metric in metrics}
    kept = [one for one in objectives if _is_about(one, metrics)]
    return tuple(replace(one, requires=tuple(name for name in one.requires if name in names)) for one in kept)


def _is_about(objective: NamedObjective, metrics: Sequence[Metric], named: Sequence[NamedObjective] = ()) -> bool:
    """Whether an objective, and the bounds that it needs, are of these metrics."""
    if objective.requires and not {metric.name for metric in metrics} & set(objective.requires):
        return False
    try:
        parse_objective(objective.expression, tuple(metrics), tuple(named), [], alone=False)
    except InputError:
        return False
    return True


def _check_same(simulator: Simulator, proxy: Proxy) -> None:
    schema = proxy.schema
    pairs = {
        "simulator version": (schema.simulator_version, simulator.version),
        "content hash of the design space": (schema.space_digest, simulator.space.digest),
        "names of the workload's features": (schema.feature_names, simulator.workload.feature_names),
    }
    for what, (trained, here) in pairs.items():
        if trained != here:
            raise InputError(f"the proxy was trained for another simulator: its {what} is {trained!r}, here {here!r}")
    by_name = {metric.name: metric for metric in simulator.metrics}
    for metric in schema.metrics:
        if metric.name not in by_name:
            hint = did_you_mean(metric.name, by_name)
            raise InputError(f"the proxy predicts {metric.name!r}, which the simulator does not report{hint}")


def _check_options(simulator: Simulator, proxy: Proxy, options: Mapping[str, Any]) -> None:
    parameters = inspect.signature(type(simulator)).parameters.values()
    defaults = {one.name: one.default for one in parameters if one.default is not one.empty}
    trained, here = ({**defaults, **given} for given in (_lasting(proxy.schema.options), options))
    for name in sorted({*trained, *here} - {"workload"}):
        if trained.get(name) != here.get(name):
            raise InputError(
                f"the proxy was trained with the option {name}={trained.get(name)!r}, here it is {here.get(name)!r}"
            )


def _lasting(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != STAND_IN}
