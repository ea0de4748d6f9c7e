"""In which order words are compressed to two: one schedule for the functional model and the generated Verilog."""

from __future__ import annotations

__all__ = ["CompressorStep", "compressor_level", "compressor_schedule", "dadda_target", "words_left"]

from functools import lru_cache

CompressorStep = tuple[int, int, int]
"""Three words, by number, become a sum and a carry word, which take the next two numbers."""


def dadda_target(words: int) -> int:
    """The largest of 2, 3, 4, 6, 9, 13, ... below ``words``, at least 2."""
    target = 2
    while target * 3 // 2 < words:
        target = target * 3 // 2
    return target


@lru_cache
def compressor_schedule(words: int, kind: str) -> tuple[tuple[CompressorStep, ...], ...]:
    """Levels of 3:2 steps that leave two words.

    Words are numbered from 0; each step's sum and carry take the next two numbers. A 4:2 compressor is two steps of
    one level, of which the second takes both results of the first.

    Args:
        words: to compress; two or fewer need no step.
        kind: ``"wallace"``, ``"dadda"`` or ``"4:2"``.

    >>> compressor_schedule(4, "4:2")
    (((0, 1, 2), (4, 3, 5)),)
    """
    alive, following, levels = list(range(words)), words, []
    while len(alive) > 2:
        steps, alive = compressor_level(alive, following, kind)
        following += 2 * len(steps)
        levels.append(tuple(steps))
    return tuple(levels)


def words_left(words: int, kind: str) -> tuple[int, ...]:
    """Numbers of the words that the schedule leaves: two, or fewer where there were fewer."""
    made = words + 2 * sum(len(level) for level in compressor_schedule(words, kind))
    used = {word for level in compressor_schedule(words, kind) for step in level for word in step}
    return tuple(word for word in range(made) if word not in used)


def compressor_level(alive: list[int], following: int, kind: str) -> tuple[list[CompressorStep], list[int]]:
    """Steps of one level, and the words after it: new ones, numbered from ``following``, first."""
    most = len(alive) - dadda_target(len(alive)) if kind == "dadda" else len(alive)
    fours = len(alive) // 4 if kind == "4:2" else 0
    steps: list[CompressorStep] = []
    made: list[int] = []
    for _ in range(fours):
        first, second, third, fourth, *alive = alive
        steps += [(first, second, third), (following, fourth, following + 1)]
        made += [following + 2, following + 3]
        following += 4
    while len(alive) >= 3 and len(steps) < most:
        first, second, third, *alive = alive
        steps.append((first, second, third))
        made += [following, following + 1]
        following += 2
    return steps, made + alive
