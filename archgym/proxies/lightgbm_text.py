"""LightGBM's text models as trees, read without LightGBM: nothing of the file reaches a library that trusts it."""

from __future__ import annotations

__all__ = ["trees_of_text"]

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.proxies.trees import Trees
from archgym_simulators import InputError

_CATEGORICAL, _MISSING_ZERO = 1, 4  # bits of decision_type


def trees_of_text(text: str, width: int) -> Trees:
    """The trees of a regression model (format v3 or v4) over features (N, ``width``) without missing values.

    Raises:
        InputError: no such model, or one with categorical or linear splits, which are not used here.
    """
    try:
        trees = [_tree(block) for block in _blocks(text)]
        joined = Trees.joined(trees)
    except (KeyError, ValueError, IndexError) as error:
        raise InputError(f"no LightGBM model: {type(error).__name__} {error}") from error
    return Trees.from_arrays(joined.arrays(), width)


def _blocks(text: str) -> Iterator[dict[str, str]]:
    """Fields of each tree."""
    head, *rest = text.split("end of trees")[0].split("\nTree=")
    if not head.startswith("tree\n") or not rest or "\nnum_tree_per_iteration=1\n" not in head or "average_out" in head:
        raise ValueError("the header is that of no regression model")
    for number, block in enumerate(rest):
        lines = block.splitlines()
        if lines[0] != str(number):
            raise ValueError(f"tree {number} is missing")
        yield dict(line.split("=", 1) for line in lines[1:] if "=" in line)


def _tree(block: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    """Inner nodes first, in LightGBM's order, where children follow parents; then the leaves."""
    leaves = int(block["num_leaves"])
    value = _numbers(block["leaf_value"], leaves, float)
    inner = leaves - 1
    if block.get("is_linear", "0") != "0":
        raise ValueError("trees with linear leaves")
    nothing = np.full(leaves, -1)
    if inner == 0:
        return {"feature": nothing, "threshold": value * 0, "left": nothing, "right": nothing, "value": value}
    if np.any(_numbers(block["decision_type"], inner, int) & (_CATEGORICAL | _MISSING_ZERO)):
        raise ValueError("splits that are not numerical")
    columns: dict[str, NDArray[Any]] = {
        "feature": np.append(_numbers(block["split_feature"], inner, int), nothing),
        "threshold": np.append(_numbers(block["threshold"], inner, float), np.zeros(leaves)),
        "value": np.append(np.zeros(inner), value),
    }
    for side in ("left", "right"):
        child = _numbers(block[f"{side}_child"], inner, int)
        columns[side] = np.append(np.where(child < 0, inner + ~child, child), nothing)
    return columns


def _numbers(text: str, count: int, kind: type) -> NDArray[Any]:
    numbers = np.array([kind(number) for number in text.split()])
    if len(numbers) != count:
        raise ValueError(f"{len(numbers)} numbers, {count} expected")
    return numbers
