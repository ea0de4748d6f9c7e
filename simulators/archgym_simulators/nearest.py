"""Nearest matches for error messages."""

from __future__ import annotations

__all__ = ["allowed_values", "did_you_mean", "nearest"]

import difflib
from collections.abc import Iterable, Sequence


def nearest(value: object, allowed: Iterable[object]) -> str | None:
    """The allowed spelling closest to ``value``, or None where nothing is close.

    >>> nearest("FrFcFs", ["Fifo", "FrFcfs"])
    'FrFcfs'
    """
    spellings = {str(option).lower(): str(option) for option in reversed(list(allowed))}
    close = difflib.get_close_matches(str(value).lower(), list(spellings), n=1, cutoff=0.5)
    return spellings[close[0]] if close else None


def did_you_mean(value: object, allowed: Iterable[object]) -> str:
    """The clause ``"; did you mean 'x'?"`` for an error message, or an empty string."""
    match = nearest(value, allowed)
    return f"; did you mean {match!r}?" if match is not None else ""


def allowed_values(values: Sequence[object], most: int = 12) -> str:
    """A short list of what is allowed, cut in the middle where it is long.

    >>> allowed_values(range(1, 100), most=4)
    '1, 2, 3, ..., 99'
    """
    if len(values) <= most:
        return ", ".join(str(value) for value in values)
    head = ", ".join(str(value) for value in values[: most - 1])
    return f"{head}, ..., {values[-1]}"
