"""How the views' actions become index rows, and back: pure, batched, shared by every face."""

from __future__ import annotations

__all__ = ["ContinuousCodec", "EditCodec", "NamedCodec", "SequentialCodec"]

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from archgym_simulators import DesignSpace, InputError
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.space import Rows

Mask = NDArray[np.bool_]
NOT_CHOSEN = -1
_FLOAT32_VALUES = 2**16
"""Columns with more values get float64 actions: in float32 fewer than 512 numbers would fall into a bin."""


class ContinuousCodec:
    """Numbers in [-1, 1], one a column, cut into as many equal bins as the column has values.

    Value i of n owns [-1 + 2i/n, -1 + 2(i+1)/n), and the last one its upper edge as well. Nothing is rounded before
    binning, so every value is reachable and a uniform number gives a uniform value.
    """

    def __init__(self, space: DesignSpace) -> None:
        self._columns = space.columns
        self._nvec = space.nvec
        self._half = space.nvec / 2.0
        self.dtype = np.dtype(np.float32 if int(space.nvec.max()) <= _FLOAT32_VALUES else np.float64)

    def space(self) -> spaces.Box:
        """``Box(-1, 1, (D,))``."""
        return spaces.Box(-1.0, 1.0, (len(self._nvec),), self.dtype.type)

    def rows(self, actions: ArrayLike) -> Rows:
        """Index rows (N, D) of actions (N, D).

        Raises:
            InputError: a number outside [-1, 1], or NaN.
        """
        numbers = np.asarray(actions, dtype=np.float64)
        inside = (numbers >= -1.0) & (numbers <= 1.0)
        if not inside.all():
            n, d = np.argwhere(~inside)[0].tolist()
            raise InputError(
                f"action {n}: {self._columns[d]} must be a number in [-1, 1], not {numbers[n, d]}; "
                "gymnasium.wrappers.ClipAction clips"
            )
        return np.minimum(((numbers + 1.0) * self._half).astype(np.int64), self._nvec - 1)

    def actions(self, rows: Rows) -> NDArray[np.floating[Any]]:
        """The centres of the bins of index rows: (N, D) to (N, D)."""
        return ((rows + 0.5) / self._half - 1.0).astype(self.dtype)


class SequentialCodec:
    """One column a step, in the order of the columns.

    Attributes:
        steps: choices a design, D.
        choices: number of actions, the largest number of values.
        masks: (D, choices) which actions are values of each column.
    """

    def __init__(self, space: DesignSpace) -> None:
        self._columns = space.columns
        self._nvec = space.nvec
        self._scale = 1.0 / np.maximum(space.nvec - 1, 1)
        self.steps = space.width
        self.choices = int(space.nvec.max())
        self.masks: Mask = np.arange(self.choices) < space.nvec[:, None]
        self.masks.flags.writeable = False
        self._positions = np.eye(self.steps, dtype=np.float32)

    def space(self) -> spaces.Discrete:
        """``Discrete(choices)``."""
        return spaces.Discrete(self.choices)

    def values(self, positions: ArrayLike, actions: ArrayLike, *, strict: bool = False) -> NDArray[np.int64]:
        """The value indices (N,) that actions (N,) choose at positions (N,).

        A masked action, one past the column's n values, means its remainder modulo n; ``strict`` refuses it.

        Raises:
            InputError: an action outside the action space, or a masked one with ``strict``.
        """
        at, chosen = np.asarray(positions, dtype=np.int64), np.asarray(actions)
        if chosen.dtype.kind not in "iu":
            raise InputError(f"a choice must be a whole number in 0..{self.choices - 1}, not {actions!r}")
        allowed = self._nvec[at] if strict else self.choices
        wrong = (chosen < 0) | (chosen >= allowed)
        if wrong.any():
            i = int(wrong.argmax())
            last = int(np.broadcast_to(allowed, chosen.shape)[i]) - 1
            raise InputError(f"choice of {self._columns[at[i]]} must be in 0..{last}, not {chosen[i]}")
        return np.asarray(chosen % self._nvec[at], dtype=np.int64)

    def observe(self, partial: Rows, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """(N, 2D): chosen values as index / (n - 1), -1 where open; then the position, one-hot."""
        chosen = np.where(partial == NOT_CHOSEN, -1.0, partial * self._scale).astype(np.float32)
        return np.hstack([chosen, self._positions[positions]])


class EditCodec:
    """One action for each (column, value): set that column to that value.

    Attributes:
        columns: (A,) the column of each action.
        values: (A,) its value index.
    """

    def __init__(self, space: DesignSpace) -> None:
        self.columns = np.repeat(np.arange(space.width), space.nvec)
        self.values = np.concatenate([np.arange(n) for n in space.nvec.tolist()])
        self._first = np.cumsum(space.nvec) - space.nvec

    def space(self) -> spaces.Discrete:
        """``Discrete(sum of nvec)``."""
        return spaces.Discrete(len(self.values))

    def apply(self, rows: Rows, actions: ArrayLike) -> Rows:
        """The rows (N, D) after their edits (N,).

        Raises:
            InputError: an action outside the action space.
        """
        chosen = np.asarray(actions)
        if chosen.dtype.kind not in "iu" or (chosen < 0).any() or (chosen >= len(self.values)).any():
            raise InputError(f"an edit must be a whole number in 0..{len(self.values) - 1}, not {actions!r}")
        edited = rows.copy()
        edited[np.arange(len(rows)), self.columns[chosen]] = self.values[chosen]
        return edited

    def actions(self, columns: ArrayLike, values: ArrayLike) -> NDArray[np.int64]:
        """The actions (N,) that set columns (N,) to value indices (N,)."""
        return np.asarray(self._first[np.asarray(columns)] + np.asarray(values))

    def masks(self, rows: Rows) -> Mask:
        """(N, A) which actions change a design; all of them where none does."""
        changes: Mask = rows[:, self.columns] != self.values
        return changes | ~changes.any(axis=1, keepdims=True)


class NamedCodec:
    """Value indices by parameter name; a parameter of several columns has an array of its digits."""

    def __init__(self, space: DesignSpace) -> None:
        self._space = space
        self._slices = {name: space.columns_of(name) for name in space.names}
        self._narrow = {name for name, where in self._slices.items() if where.stop - where.start == 1}

    def space(self) -> spaces.Dict:
        """``Dict`` of `Discrete`, and of `MultiDiscrete` for permutations, in the space's order."""
        return spaces.Dict({name: self.space_of(name) for name in self._slices}, sort_keys=False)

    def space_of(self, name: str) -> spaces.Discrete | spaces.MultiDiscrete:
        """The action space of one parameter."""
        nvec = self._space.nvec[self._slices[name]]
        return spaces.Discrete(int(nvec[0])) if name in self._narrow else spaces.MultiDiscrete(nvec)

    def rows(self, actions: Mapping[str, ArrayLike]) -> Rows:
        """Index rows (N, D) of columns by name: (N,), or (N, digits).

        Raises:
            InputError: a missing or unknown name, or an index out of range.
        """
        for name in self._slices:
            if name not in actions:
                raise InputError(f"the action lacks {name!r}; it needs {', '.join(self._slices)}")
        for name in actions:
            if name not in self._slices:
                raise InputError(f"unknown parameter {name!r}{did_you_mean(name, self._slices)} in the action")
        columns = [np.asarray(actions[name]) for name in self._slices]
        return self._space.as_rows(np.hstack([c[:, None] if c.ndim == 1 else c for c in columns]))

    def actions(self, rows: Rows) -> dict[str, NDArray[np.int64]]:
        """Columns by name of index rows (N, D)."""
        return {n: rows[:, w.start] if n in self._narrow else rows[:, w] for n, w in self._slices.items()}
