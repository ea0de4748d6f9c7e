"""Nearest matches for error messages."""

from __future__ import annotations

__all__ = ["allowed_values", "as_number", "did_you_mean", "nearest"]

import difflib
import re
from collections.abc import Iterable, Sequence

_LONGEST_COMPARED = 100
_SHORTEST_ABBREVIATION = 2
_LARGEST_NUMBER = 1e300


def nearest(value: object, allowed: Iterable[object]) -> str | None:
    """The allowed spelling closest to ``value``, or None where nothing is close; among numbers, the closest number.

    An abbreviation is close to the one spelling that has its letters as initials, else to the one that starts with it.

    >>> nearest("FrFcFs", ["Fifo", "FrFcfs"])
    'FrFcfs'
    >>> nearest(9, range(1, 9))
    '8'
    >>> nearest("pop", ["population", "children"])
    'population'
    >>> nearest("ga", ["nsga3", "gamma", "genetic_algorithm"])
    'genetic_algorithm'
    """
    number = as_number(value)
    if isinstance(allowed, range):
        return None if number is None else str(_closest_in(allowed, number))
    options = list(allowed)
    numbers = [as_number(option) for option in options]
    if number is not None and options and None not in numbers:
        gaps = [abs(number - other) for other in numbers if other is not None]
        return str(options[gaps.index(min(gaps))])
    spellings = {str(option).lower(): str(option) for option in reversed(options)}
    typed = str(value)[:_LONGEST_COMPARED].lower()
    close = [spelling for spelling in spellings if _initials(spelling) == typed != spelling]
    if len(close) != 1 or typed in spellings or len(typed) < _SHORTEST_ABBREVIATION:
        close = difflib.get_close_matches(typed, list(spellings), n=1, cutoff=0.5)
    if not close and len(typed) >= _SHORTEST_ABBREVIATION:
        close = [spelling for spelling in spellings if spelling.startswith(typed)]
    return spellings[close[0]] if len(close) == 1 else None


def _initials(spelling: str) -> str:
    return "".join(word[0] for word in re.split(r"[^a-z0-9]+", spelling) if word)


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


def as_number(value: object) -> int | float | None:
    """The finite number that ``value`` is or spells, exactly; None where it spells none (booleans do not).

    >>> as_number(" 4.0 "), as_number("4"), as_number("nan"), as_number(True)
    (4.0, 4, None, None)
    """
    text = str(value).strip()
    if "_" in text:
        return None
    for kind in (int, float):
        try:
            number: int | float = kind(text)
        except ValueError:
            continue
        return number if abs(number) <= _LARGEST_NUMBER else None  # also for nan
    return None


def _closest_in(allowed: range, number: int | float) -> int:
    # A range may be far too long to list.
    index = round((number - allowed.start) / allowed.step)
    return allowed[min(max(index, 0), len(allowed) - 1)]
