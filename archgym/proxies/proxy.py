"""A proxy: one regressor a metric, with intervals, and what it was trained on."""

from __future__ import annotations

__all__ = ["BoundProxy", "MetricModel", "Prediction", "Proxy", "coverage_needs"]

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.datasets.schema import DatasetWorkload, Schema
from archgym.proxies.features import DesignFeatures
from archgym.proxies.region import Region
from archgym.proxies.regressors import Regressor
from archgym.proxies.trees import MaskedTrees, Trees
from archgym_simulators import InputError, Metric
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.space import Rows

if TYPE_CHECKING:
    from archgym.datasets.dataset import Dataset

Floats = NDArray[np.float64]
_ROWS_AT_ONCE = 1 << 16
_VALID = 0.5
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class MetricModel:
    """What predicts one metric.

    Attributes:
        metric: its declaration.
        is_log: whether the regressor predicts the logarithm.
        regressor: trained.
        settings: it was trained with.
        residuals: (C,) absolute errors on designs held out for calibration, on the regressor's scale, ascending.
        text: the model in its library's own format; "" where it has none.
    """

    metric: Metric
    is_log: bool
    regressor: Regressor
    settings: Mapping[str, Any]
    residuals: Floats
    text: str = ""

    def half_width(self, coverage: float) -> float:
        """Half the interval, on the regressor's scale (split conformal prediction, Lei et al., JASA 2018).

        Raises:
            InputError: no share, or one that the calibration has too few designs for.
        """
        count = len(self.residuals)
        if count < coverage_needs(coverage):
            raise InputError(
                f"coverage {coverage:g} needs more designs for calibration than {count}; allowed: up to "
                f"{count / (count + 1):.3g}"
            )
        return float(self.residuals[ceil((count + 1) * coverage - _ROUNDING) - 1])

    def scaled(self, values: Floats) -> Floats:
        """Values on the regressor's scale."""
        return np.log(values) if self.is_log else values

    def unscaled(self, values: Floats) -> Floats:
        """The inverse of `scaled`."""
        return np.exp(values) if self.is_log else values


def coverage_needs(coverage: float) -> int:
    """The fewest designs of calibration from which intervals can promise that share.

    Raises:
        InputError: no share.

    >>> coverage_needs(0.9)
    9
    """
    if not 0.0 < coverage < 1.0:
        raise InputError(f"coverage must be between 0 and 1, not {coverage!r}")
    return ceil(coverage / (1.0 - coverage) - _ROUNDING)


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a proxy says of N designs.

    Attributes:
        values: (N, M) metrics.
        low: (N, M) lower ends of the intervals; equal to the values where none were asked for.
        high: (N, M) upper ends.
        valid: (N,) whether the design is thought to be valid.
        unseen: (N,) share of the design's pairs of parameter values that training has not seen.
        outside: (N,) whether the design, or the workload, is outside the training region.
    """

    values: Floats
    low: Floats
    high: Floats
    valid: NDArray[np.bool_]
    unseen: Floats
    outside: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Proxy:
    """A cost model learned from simulated designs.

    Attributes:
        schema: of the simulator that it stands for, metrics narrowed to those that it predicts.
        workloads: of its training set.
        uses_workload: whether features of the workload are among its features.
        models: one a metric.
        validity: predicts 1 for valid designs and 0 for others; None where training had hardly an invalid one.
        region: where it has been.
        training: how it was trained: rows, content hash, seed, regressor, trials.
        scores: how it does on designs held out, by metric.
    """

    schema: Schema
    workloads: tuple[DatasetWorkload, ...]
    uses_workload: bool
    models: tuple[MetricModel, ...]
    validity: Regressor | None
    region: Region
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)

    @property
    def lacks_constraints(self) -> bool:
        """Whether the simulator's space has constraints: they are code, and a proxy only learns what they refuse."""
        return self.schema.space.digest != self.schema.space_digest

    @cached_property
    def features(self) -> DesignFeatures:
        """How it sees designs."""
        return DesignFeatures(self.schema.space, self.schema.feature_names if self.uses_workload else ())

    def bound(self, workload: DatasetWorkload | str | None = None) -> BoundProxy:
        """The proxy for one workload; its only one where None.

        Raises:
            InputError: a workload that it cannot speak of.
        """
        return BoundProxy(self, self.workload_of(workload))

    def predict(
        self, rows: Rows, workload: DatasetWorkload | str | None = None, *, coverage: float | None = None
    ) -> Prediction:
        """Predict index rows (N, D), with intervals that hold that share of designs where given."""
        return self.bound(workload).predict(rows, coverage=coverage)

    def workload_of(self, given: DatasetWorkload | str | None) -> DatasetWorkload:
        """A workload by name, or one that training has not seen, by its features.

        Raises:
            InputError: an unknown one, or one that is another than in training under the same name.
        """
        known = {one.name: one for one in self.workloads}
        if given is None or isinstance(given, str):
            if given is None and len(known) > 1:
                raise InputError(f"the proxy covers several workloads; name one of {', '.join(known)}")
            name = given if given is not None else next(iter(known))
            if name not in known:
                raise InputError(
                    f"the proxy was not trained on workload {name!r}{did_you_mean(name, known)}; it knows: "
                    f"{', '.join(known)}"
                )
            return known[name]
        mine = known.get(given.name)
        if mine is not None and mine.digest and given.digest and mine.digest != given.digest:
            raise InputError(f"workload {given.name!r} is another one now than in the proxy's training set")
        if mine is None and not self.uses_workload:
            raise InputError(
                f"the proxy was trained on {', '.join(known)} alone and says nothing of workload {given.name!r}; "
                "train it on several workloads"
            )
        return mine or given

    def check_data(self, data: Dataset) -> Schema:
        """The schema of rows to compare with, narrowed to the proxy's metrics.

        Raises:
            InputError: rows of another simulator, version, space or unit.
        """
        found = {metric.name: metric for metric in data.metrics}
        common = tuple(found.get(metric.name) for metric in self.schema.metrics)
        present = tuple(metric for metric in common if metric is not None)
        narrowed = replace(data.schema, metrics=data.metrics if len(present) < len(common) else present)
        self.schema.check_same(narrowed, "the proxy", "the data")
        return narrowed


class BoundProxy:
    """A proxy for one workload. Pure: the same design has the same bits in any batch.

    Attributes:
        proxy: the proxy.
        workload: the workload.
        knows_workload: whether its features lie between those of training.
    """

    def __init__(self, proxy: Proxy, workload: DatasetWorkload) -> None:
        self.proxy, self.workload = proxy, workload
        self._features = proxy.features
        given = workload.features if proxy.uses_workload else ()
        self._own: Floats = np.array(given, np.float64)
        if len(self._own) != len(self._features.workload_names) or not np.isfinite(self._own).all():
            raise InputError(f"workload {workload.name!r} has no features that the proxy could use")
        self.knows_workload = proxy.region.has_workload(self._own)
        self._predictors = [self._fast(model.regressor) for model in proxy.models]
        self._validity = None if proxy.validity is None else self._fast(proxy.validity)

    def predict(self, rows: Rows, *, coverage: float | None = None) -> Prediction:
        """Predict index rows (N, D), with intervals that hold that share of designs where given."""
        models, space = self.proxy.models, self.proxy.schema.space
        halves = [0.0 if coverage is None else model.half_width(coverage) for model in models]
        n, m = len(rows), len(models)
        values, low, high = np.empty((n, m)), np.empty((n, m)), np.empty((n, m))
        valid, unseen = np.ones(n, bool), np.empty(n)
        for start in range(0, n, _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            codes = self._features.codes(space.canonical(rows[part]))
            unseen[part] = self.proxy.region.unseen(codes)
            if self._validity is not None:
                valid[part] = self._raw(self._validity, codes) >= _VALID
            for place, (model, predictor, half) in enumerate(zip(models, self._predictors, halves, strict=True)):
                raw = self._raw(predictor, codes)
                values[part, place] = model.unscaled(raw)
                if coverage is not None:
                    low[part, place], high[part, place] = model.unscaled(raw - half), model.unscaled(raw + half)
        if coverage is None:
            low = high = values
        outside = self.proxy.region.outside(unseen) | (not self.knows_workload)
        return Prediction(values, low, high, valid, unseen, outside)

    def _fast(self, regressor: Regressor) -> MaskedTrees | Regressor:
        masked = MaskedTrees.of(regressor, self._features, self._own) if isinstance(regressor, Trees) else None
        return masked or regressor

    def _raw(self, predictor: MaskedTrees | Regressor, codes: NDArray[np.int64]) -> Floats:
        if isinstance(predictor, MaskedTrees):
            return predictor.predict(codes)
        return predictor.predict(self._features.of(codes, self._own))
