"""From a dataset to a proxy."""

from __future__ import annotations

__all__ = ["fit", "training_digest"]

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.proxies.importance import importance
from archgym.proxies.proxy import MetricModel, Proxy, coverage_needs
from archgym.proxies.quality import score
from archgym.proxies.region import Region
from archgym.proxies.regressors import Regressor, RegressorKind, kind_named
from archgym.proxies.tuning import tune
from archgym_simulators import OK, InputError, Metric
from archgym_simulators.nearest import did_you_mean

if TYPE_CHECKING:
    from archgym.datasets.dataset import Dataset

Floats = NDArray[np.float64]
FEWEST_ROWS = 50
_FEWEST_INVALID = 20
_SHARES = (0.7, 0.15, 0.15)
_SEEDS = 2**31


@dataclass(frozen=True)
class _Plan:
    """How to train."""

    kind: RegressorKind
    settings: Mapping[str, Any] | None
    tune_seconds: float
    trials: int
    seed: int


def fit(
    data: Dataset,
    *,
    regressor: str = "lightgbm",
    metrics: Sequence[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    tune_seconds: float = 0.0,
    trials: int = 0,
    coverage: float = 0.9,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Proxy:
    """Train one regressor a metric on 70 % of the rows, calibrate intervals on 15 %, measure on the last 15 %.

    Equal evaluations never stand on two sides. The rows that measure are of the same source as those that train: how
    the proxy does elsewhere is for `archgym.proxies.score` on a split by group to say.

    Args:
        data: simulated designs; several workloads need features to tell them apart.
        regressor: a name of `archgym.proxies.regressors.KINDS`.
        metrics: only these; all where None.
        settings: of the regressor, instead of the defaults.
        tune_seconds: time for tuning, shared by the metrics; 0 for none.
        trials: most settings to try a metric; 0 for as many as there is time for.
        coverage: of the intervals that are measured.
        seed: of every draw.
        progress: told what is being done.

    Raises:
        InputError: too few rows, a metric that is constant or not finite, workloads that cannot be told apart.
        MissingExtra: the regressor's library is missing.
    """
    plan = _Plan(kind_named(regressor), _checked_settings(regressor, settings), tune_seconds, trials, int(seed))
    chosen = _metrics(data, metrics)
    _check_rows(data, chosen)
    uses_workload = _uses_workload(data)
    train, held_out, test = data.split_rows(_SHARES, seed=seed)
    narrowed = replace(data.schema, metrics=chosen)
    used = np.unique(data.workload_index)
    workloads = tuple(data.workloads[place] for place in used.tolist())
    blank = Proxy(narrowed, workloads, uses_workload, (), None, _no_region())
    views = {name: _View.of(blank, part) for name, part in (("train", train), ("held out", held_out))}
    _check_calibration(len(views["held out"].codes), coverage)
    told = progress or (lambda what: None)
    valid = data.status == OK
    logs = [metric.scale == "log" and bool((data.column(metric.name)[valid] > 0).all()) for metric in chosen]
    models, tried = _models(chosen, logs, views, plan, told)
    told("validity")
    region = Region.of(views["train"].codes, views["held out"].codes, blank.features.level_counts, views["train"].own)
    proxy = replace(blank, models=models, validity=_validity(blank, train, plan), region=region)
    told("measuring")
    measured = score(proxy, test, coverage=coverage)
    scores = {name: {**asdict(one), "promised_coverage": coverage} for name, one in measured.items()}
    training = {
        **_record(data, plan),
        "trained_on": len(views["train"].codes),
        "calibrated_on": len(views["held out"].codes),
        "trials": tried,
        "importance": importance(proxy, test, seed=seed),
    }
    return replace(proxy, training=training, scores=scores)


def _record(data: Dataset, plan: _Plan) -> dict[str, Any]:
    return {
        "rows": len(data),
        "valid_rows": int((data.status == OK).sum()),
        "digest": training_digest(data),
        "agents": sorted({data.runs[place].agent for place in np.unique(data.run_index).tolist()}),
        "regressor": plan.kind.name,
        "tune_seconds": plan.tune_seconds,
        "seed": plan.seed,
        "archgym": version("archgym"),
    }


def training_digest(data: Dataset) -> str:
    """A content hash of rows, metrics, status and what they mean."""
    found = hashlib.sha256(json.dumps(data.schema.to_json(), sort_keys=True).encode())
    found.update(json.dumps([[one.name, one.digest] for one in data.workloads]).encode())
    for column in (data.rows, data.values, data.status, data.workload_index):
        found.update(np.ascontiguousarray(column).data)
    return found.hexdigest()


# ---- what can be learned ---------------------------------------------------------------------------------------------


def _metrics(data: Dataset, names: Sequence[str] | None) -> tuple[Metric, ...]:
    known = data.schema.metric_names
    for name in names or ():
        if name not in known:
            raise InputError(f"unknown metric {name!r}{did_you_mean(name, known)}; allowed: {', '.join(known)}")
    if names is not None and (not names or len(set(names)) != len(names)):
        raise InputError(f"metrics must be different names, at least one, not {list(names)}")
    return tuple(metric for metric in data.metrics if names is None or metric.name in names)


def _check_rows(data: Dataset, metrics: Sequence[Metric]) -> None:
    valid = data.status == OK
    count = int(valid.sum())
    if count < FEWEST_ROWS:
        raise InputError(f"{count:,} valid rows are too few: a proxy needs at least {FEWEST_ROWS}")
    for metric in metrics:
        column = data.column(metric.name)[valid]
        wrong = np.flatnonzero(~np.isfinite(column))
        if len(wrong):
            raise InputError(f"{metric.name} of row {int(np.flatnonzero(valid)[wrong[0]])} is {column[wrong[0]]}")
        if column.min() == column.max():
            others = [other.name for other in metrics if other is not metric]
            raise InputError(
                f"metric {metric.name!r} is constant, {float(column[0])!r} in all {count:,} valid rows: nothing to "
                f"learn; name the metrics to fit{', such as ' + others[0] if others else ''}"
            )


def _check_calibration(count: int, coverage: float) -> None:
    """Refuse before training what the intervals would refuse after it."""
    needed = coverage_needs(coverage)
    if count < needed:
        raise InputError(
            f"too few valid rows: 15 % of them calibrate, which are {count}, and intervals of {coverage:.0%} need "
            f"{needed}; give more rows, or a lower coverage"
        )


def _uses_workload(data: Dataset) -> bool:
    used = np.unique(data.workload_index)
    if len(used) < 2:
        return False
    features = data.workload_features[used]
    if not features.shape[1]:
        raise InputError(f"the {len(used)} workloads have no features that tell them apart; fit one proxy each")
    if not np.isfinite(features).all():
        name = data.workloads[int(used[~np.isfinite(features).all(axis=1)][0])].name
        raise InputError(f"the features of workload {name!r} are not on record; fit one proxy a workload")
    if len(np.unique(features, axis=0)) < len(used):
        raise InputError(f"two of the {len(used)} workloads have the same features; fit one proxy each")
    return True


def _checked_settings(regressor: str, settings: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if settings is None:
        return None
    allowed = kind_named(regressor).settings
    for name, value in settings.items():
        if name not in allowed:
            raise InputError(
                f"unknown setting {name!r} of {regressor}{did_you_mean(name, allowed)}; allowed: {', '.join(allowed)}"
            )
        whole = isinstance(allowed[name], int)
        number = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < np.inf
        if not number or (whole and value != int(value)):
            raise InputError(
                f"setting {name!r} of {regressor} must be a {'whole ' if whole else ''}number above 0, not {value!r}"
            )
    return {**allowed, **settings}


# ---- training --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _View:
    """The valid rows of a dataset as a proxy sees them."""

    codes: NDArray[np.int64]  # (N, G)
    own: Floats  # (N, W) features of the workload
    x: Floats  # (N, F)
    values: Floats  # (N, M) of the dataset

    @classmethod
    def of(cls, proxy: Proxy, data: Dataset, *, everything: bool = False) -> _View:
        which = np.ones(len(data), bool) if everything else data.status == OK
        codes = proxy.features.codes(data.rows[which].astype(np.int64))
        own = data.features[which] if proxy.uses_workload else np.zeros((len(codes), 0))
        places = [data.schema.metric_names.index(name) for name in proxy.schema.metric_names]
        return cls(codes, own, proxy.features.of(codes, own), data.values[which][:, places])


def _models(
    metrics: Sequence[Metric],
    logs: Sequence[bool],
    views: Mapping[str, _View],
    plan: _Plan,
    told: Callable[[str], None],
) -> tuple[tuple[MetricModel, ...], dict[str, int]]:
    train, held_out = views["train"], views["held out"]
    models, tried = [], {}
    for place, metric in enumerate(metrics):
        told(metric.name)
        is_log = logs[place]
        scaled = np.log if is_log else partial(np.asarray, dtype=np.float64)
        y = scaled(train.values[:, place])
        settings, tried[metric.name] = _settings(plan, train.x, y, len(metrics), place)
        regressor, text = plan.kind.train(train.x, y, settings, _seed(plan, place))
        residuals = np.sort(np.abs(regressor.predict(held_out.x) - scaled(held_out.values[:, place])))
        models.append(MetricModel(metric, is_log, regressor, settings, residuals, text))
    return tuple(models), tried


def _settings(plan: _Plan, x: Floats, y: Floats, metrics: int, place: int) -> tuple[Mapping[str, Any], int]:
    if plan.settings is not None or plan.tune_seconds <= 0:
        return plan.settings or plan.kind.settings, 0
    seconds = plan.tune_seconds / metrics
    tuned = tune(plan.kind, x, y, seconds=seconds, trials=plan.trials, seed=_seed(plan, place))
    return tuned.settings, tuned.trials


def _validity(blank: Proxy, train: Dataset, plan: _Plan) -> Regressor | None:
    valid = (train.status == OK).astype(np.float64)
    if min(valid.sum(), len(valid) - valid.sum()) < _FEWEST_INVALID:
        return None
    seen = _View.of(blank, train, everything=True)
    settings = plan.settings or plan.kind.settings
    return plan.kind.train(seen.x, valid, settings, _seed(plan, len(blank.schema.metrics)))[0]


def _seed(plan: _Plan, place: int) -> int:
    return int(np.random.default_rng([plan.seed, place]).integers(_SEEDS))


def _no_region() -> Region:
    nothing = np.zeros((0, 2), np.int64)
    return Region(nothing, nothing, np.zeros((0, 1, 1), bool), 0.0, np.zeros(0), np.zeros(0))
