"""Which parameters a proxy's predictions hang on."""

from __future__ import annotations

__all__ = ["importance"]

from typing import TYPE_CHECKING

import numpy as np

from archgym.proxies.proxy import Proxy
from archgym_simulators import OK
from archgym_simulators.space import Rows

if TYPE_CHECKING:
    from archgym.datasets.dataset import Dataset

_MOST_ROWS = 1000


def importance(proxy: Proxy, data: Dataset, *, seed: int = 0) -> dict[str, dict[str, float]]:
    """By metric and parameter, how much the error grows when the parameter's values are exchanged between designs.

    The share of the metric's spread (both on the regressor's scale) that the root mean squared error gains (permutation
    importance, Breiman 2001), on 1,000 rows at most. Parameters stand in the order of the space.
    """
    rng = np.random.default_rng(seed)
    kept = np.flatnonzero(data.status == OK)
    kept = np.sort(rng.permutation(kept)[:_MOST_ROWS])
    rows, index = data.rows[kept].astype(np.int64), data.workload_index[kept]
    truth = [model.scaled(data.column(model.metric.name)[kept]) for model in proxy.models]
    spread = [float(y.std()) or 1.0 for y in truth]
    bound = {place: proxy.bound(data.workloads[place]) for place in np.unique(index).tolist()}

    def errors(designs: Rows) -> list[float]:
        values = np.empty((len(designs), len(proxy.models)))
        for place, one in bound.items():
            values[index == place] = one.predict(designs[index == place]).values
        scaled = [model.scaled(values[:, m]) for m, model in enumerate(proxy.models)]
        return [float(np.sqrt(np.mean((s - y) ** 2))) for s, y in zip(scaled, truth, strict=True)]

    before = errors(rows)
    gains: dict[str, dict[str, float]] = {model.metric.name: {} for model in proxy.models}
    space = proxy.schema.space
    for parameter in space.parameters:
        columns = space.columns_of(parameter.name)
        moved = rows.copy()
        moved[:, columns] = rows[rng.permutation(len(rows)), columns]
        for m, (model, after) in enumerate(zip(proxy.models, errors(space.canonical(moved)), strict=True)):
            gains[model.metric.name][parameter.name] = (after - before[m]) / spread[m]
    return gains
