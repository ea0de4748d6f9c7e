"""Parts of a dataset for training and testing, none of which shares an evaluation with another.

Random rows of a search's trajectory leak: near duplicates of a test row stand in training. Splits by group say how a
proxy does where it has not been: an agent, a workload or a region of the space that training never saw.
"""

from __future__ import annotations

__all__ = ["GROUPS", "group_parts", "row_parts"]

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.datasets.identity import evaluation_numbers
from archgym_simulators import Categorical, InputError
from archgym_simulators.nearest import did_you_mean

if TYPE_CHECKING:
    from archgym.datasets.dataset import Dataset

GROUPS = ("agent", "workload", "run", "design", "region")
HeldOut = Sequence[str] | Mapping[str, Sequence[Any]] | None
Part = NDArray[np.intp]
_ROWS_AT_ONCE = 1 << 18


def row_parts(data: Dataset, fractions: Sequence[float], *, seed: int = 0) -> list[Part]:
    """Random parts, each the indices of its rows, ascending; equal evaluations go to the same part.

    Args:
        data: the dataset.
        fractions: share of each part, above 0, together 1.
        seed: of the draw.

    Raises:
        InputError: shares that are none, or a part that would be empty.
    """
    if len(fractions) < 2 or min(fractions) <= 0 or abs(sum(fractions) - 1.0) > 1e-9:
        raise InputError(f"fractions must be at least two, above 0 and 1 together, not {list(fractions)}")
    numbers = _evaluations(data)
    count = int(numbers.max(initial=-1)) + 1
    ends = [round(share * count) for share in np.cumsum(fractions).tolist()]
    if min(np.diff([0, *ends]).tolist()) < 1:
        raise InputError(f"{count:,} designs are too few for parts of {_list(fractions)}: one of them would be empty")
    part_of = np.empty(count, np.int8)
    part_of[np.random.default_rng(seed).permutation(count)] = np.searchsorted(ends, np.arange(count), side="right")
    chosen = part_of[numbers]
    return [np.flatnonzero(chosen == part) for part in range(len(fractions))]


def group_parts(
    data: Dataset, by: str, *, held_out: HeldOut = None, fraction: float = 0.2, seed: int = 0
) -> tuple[Part, Part]:
    """Indices of train and test rows, where the test rows are of groups that training never sees.

    Args:
        data: the dataset.
        by: ``"agent"``, ``"workload"`` or ``"run"`` (what rows come from), ``"design"`` (a design on all its workloads)
            or ``"region"`` of the space.
        held_out: names of the groups to hold out; for a region, values by parameter: all that have them. None draws.
        fraction: where groups are drawn, the share of rows held out, at least; for a region, of the rows nearest to a
            row drawn at random, in steps along each parameter.
        seed: of the draw.

    Raises:
        InputError: an unknown way to group, group, parameter or value, or a part that would be empty.
    """
    if by not in GROUPS:
        raise InputError(f"cannot split by {by!r}{did_you_mean(by, GROUPS)}; allowed: {', '.join(GROUPS)}")
    if not 0.0 < fraction < 1.0:
        raise InputError(f"fraction must be between 0 and 1, not {fraction!r}")
    if len(data) == 0:
        raise InputError("a dataset without rows cannot be split")
    rng = np.random.default_rng(seed)
    test = _region(data, held_out, fraction, rng) if by == "region" else _groups(data, by, held_out, fraction, rng)
    if by not in ("design", "region") and not data.distinct:
        numbers = _evaluations(data)
        seen = np.zeros(len(numbers), bool)
        seen[numbers[~test]] = True
        leaks = test & seen[numbers]
        return _checked(np.flatnonzero(~test), np.flatnonzero(test & ~leaks), by)
    return _checked(np.flatnonzero(~test), np.flatnonzero(test), by)


def _checked(train: Part, test: Part, by: str) -> tuple[Part, Part]:
    for name, part in (("train", train), ("test", test)):
        if not len(part):
            raise InputError(f"split by {by}: no rows are left for {name}; hold out other groups, or another fraction")
    return train, test


def _evaluations(data: Dataset) -> NDArray[np.int64]:
    if data.distinct:
        return np.arange(len(data))
    return evaluation_numbers(data.space, data.rows, data.workload_index)


def _groups(data: Dataset, by: str, held_out: HeldOut, fraction: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Mask (N,) of the rows held out."""
    names, labels = _labels(data, by)
    count = int(labels.max()) + 1
    if count < 2:
        raise InputError(f"split by {by}: all rows are of one {by}{f', {names[0]!r}' if names else ''}")
    if held_out is not None:
        return np.asarray(np.isin(labels, _named(by, names, held_out)))
    sizes = np.bincount(labels, minlength=count)
    order = rng.permutation(count)
    needed = int(np.searchsorted(np.cumsum(sizes[order]), fraction * len(labels))) + 1
    chosen = np.zeros(count, bool)
    chosen[order[: min(needed, count - 1)]] = True
    return chosen[labels]


def _labels(data: Dataset, by: str) -> tuple[list[str], NDArray[np.int64]]:
    """Names of the groups and the group (N,) of each row, groups without rows left out."""
    if by == "design":
        return [], evaluation_numbers(data.space, data.rows, None)
    index = data.workload_index if by == "workload" else data.run_index
    owners = {
        "workload": [one.name for one in data.workloads],
        "run": [run.run_id for run in data.runs],
        "agent": [run.agent for run in data.runs],
    }[by]
    present = np.flatnonzero(np.bincount(index, minlength=len(owners))).tolist()
    names = list(dict.fromkeys(owners[place] for place in present))
    table = np.zeros(len(owners), np.int64)
    for place in present:
        table[place] = names.index(owners[place])
    return names, table[index]


def _named(by: str, names: Sequence[str], held_out: HeldOut) -> list[int]:
    if isinstance(held_out, str | Mapping) or held_out is None or not held_out:
        raise InputError(f"what is held out must be a list of names, each of a {by}, not {held_out!r}")
    if by == "design":
        raise InputError("designs have no names: give a fraction to hold out, or split by region")
    for name in held_out:
        if name not in names:
            raise InputError(f"no rows of {by} {name!r}{did_you_mean(name, names)}; there are: {', '.join(names)}")
    return [names.index(name) for name in held_out]


# ---- regions ---------------------------------------------------------------------------------------------------------


def _region(data: Dataset, held_out: HeldOut, fraction: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    if held_out is None:
        return _ball(data, fraction, rng)
    if not isinstance(held_out, Mapping) or not held_out:
        raise InputError(f"a region must be values by parameter, such as {{'banks': [4, 8]}}, not {held_out!r}")
    inside = np.ones(len(data), bool)
    for name, values in held_out.items():
        parameter, columns = data.space.parameter(name), data.space.columns_of(name)
        allowed = parameter.encode([values] if isinstance(values, str) else values)  # (V, W)
        mine = data.rows[:, columns]
        inside &= np.any([(mine == digits).all(axis=1) for digits in allowed], axis=0)
    return inside


def _ball(data: Dataset, fraction: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """The rows nearest to one drawn at random; rows at the same distance are in or out together."""
    distance = _distances(data, data.rows[int(rng.integers(len(data)))].astype(np.int64))
    levels, sizes = np.unique(distance, return_counts=True)
    place = int(np.searchsorted(np.cumsum(sizes), fraction * len(data)))
    return np.asarray(distance <= levels[min(place, max(len(levels) - 2, 0))])


def _distances(data: Dataset, centre: NDArray[np.int64]) -> NDArray[np.float64]:
    """(N,) sum over parameters of the way from ``centre``, the longest way along a parameter counting 1."""
    distance = np.zeros(len(data))
    for parameter in data.space.parameters:
        columns = data.space.columns_of(parameter.name)
        span = np.maximum(data.space.nvec[columns] - 1, 1) * (columns.stop - columns.start)
        for start in range(0, len(data), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            gap = np.abs(data.rows[rows, columns].astype(np.int64) - centre[columns])
            steps = (gap > 0) / len(span) if isinstance(parameter, Categorical) else gap / span
            for column in steps.T:
                distance[rows] += column
    return np.round(distance, 12)


def _list(fractions: Sequence[float]) -> str:
    return ", ".join(f"{fraction:g}" for fraction in fractions)
