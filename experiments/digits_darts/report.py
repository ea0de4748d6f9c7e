"""The answer in words: what was found, what it is worth, and whether searches collapsed to skips."""

from __future__ import annotations

__all__ = ["Found", "as_text", "quantile_among"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from archgym_simulators.nas.cells import OPERATIONS, SKIP, Cell, text_of_cell
from experiments.digits_darts.judge import Verdict


@dataclass(frozen=True)
class Found:
    """The cell that a search would have answered with after an epoch."""

    arm: str
    seed: int
    epoch: int
    cell: Cell


def quantile_among(test: float, drawn: Sequence[Verdict]) -> float:
    """Share of random cells that name fewer test images rightly; ties count half."""
    others = np.array([one.test for one in drawn])
    return float(np.mean((others < test) + 0.5 * (others == test)))


def as_text(
    found: Sequence[Found],
    verdicts: Mapping[tuple[str, int], Verdict],
    reference: Verdict,
    drawn: Sequence[Verdict],
) -> str:
    """A line for every search, then what they are compared with.

    Args:
        found: of every epoch.
        verdicts: of the last cell by arm and seed.
        reference: of the residual block.
        drawn: of random cells.
    """
    last = {(one.arm, one.seed): one for one in found}
    text = [f"{'arm':<10}{'seed':>5}{'test':>8}{'above':>7}{'skips':>7}{'none':>6}  cell"]
    for (arm, seed), verdict in verdicts.items():
        cell = last[arm, seed].cell
        above = quantile_among(verdict.test, drawn)
        counts = f"{cell.count(SKIP):>7}{cell.count(0):>6}"
        text.append(f"{arm:<10}{seed:>5}{verdict.test:>8.2f}{above:>7.0%}{counts}  {text_of_cell(cell)}")
    tests = np.array([one.test for one in drawn])
    spread = ", ".join(f"{value:.2f}" for value in np.quantile(tests, [0.0, 0.25, 0.5, 0.75, 1.0]))
    text.append(f"residual block: {reference.test:.2f}; {len(drawn)} random cells, quartiles: {spread}")
    return "\n".join([*text, *_skips_by_epoch(found)])


def _skips_by_epoch(found: Sequence[Found]) -> list[str]:
    """Share of the edges by operation, every few epochs."""
    lines = []
    for arm in dict.fromkeys(one.arm for one in found):
        mine = [one for one in found if one.arm == arm]
        last = max(one.epoch for one in mine)
        for epoch in sorted({1, *range(5, last, 5), last}):
            cells = np.array([one.cell for one in mine if one.epoch == epoch])
            shares = (f"{name} {np.mean(cells == number):.0%}" for number, name in enumerate(OPERATIONS))
            lines.append(f"{arm} after {epoch} epochs: {', '.join(shares)}")
    return lines
