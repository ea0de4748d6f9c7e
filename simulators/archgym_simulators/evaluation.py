"""What a simulator returns for a batch of designs."""

from __future__ import annotations

__all__ = ["FAILED", "INVALID", "OK", "STATUS_NAMES", "Evaluation", "join", "widened"]

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.constraints import Reason

OK, INVALID, FAILED = 0, 1, 2
STATUS_NAMES = ("ok", "invalid", "failed")
NO_REASON = -1


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics and validity of N designs, read-only.

    Invalid designs are data, not exceptions: their metrics are NaN and their reason is given. A failed row (a tool
    crashed or ran out of time) says nothing about its design: it is never cached and never enters a dataset.

    Attributes:
        values: (N, M) metrics in the simulator's order and units; NaN where the design is not ok.
        status: (N,) int8, `OK`, `INVALID` or `FAILED`.
        violation: (N,) >= 0, graded: how far an invalid design is from being valid; 0 where ok.
        reason_code: (N,) int16, index into ``reasons``, -1 where ok.
        reason_detail: (N, K) numbers for the reason's sentence.
        cost: (N,) what the evaluation cost, in the simulator's ``cost_unit``.
        reasons: the simulator's reasons.
        diagnostics: (N, G) further numbers, named by the simulator's ``diagnostic_names``; never in a reward.
    """

    values: NDArray[np.float64]  # (N, M)
    status: NDArray[np.int8]  # (N,)
    violation: NDArray[np.float64]  # (N,)
    reason_code: NDArray[np.int16]  # (N,)
    reason_detail: NDArray[np.float64]  # (N, K)
    cost: NDArray[np.float64]  # (N,)
    reasons: tuple[Reason, ...]
    diagnostics: NDArray[np.float64]  # (N, G)

    def __post_init__(self) -> None:
        freeze(self.values, self.status, self.violation, self.reason_code)
        freeze(self.reason_detail, self.cost, self.diagnostics)

    @classmethod
    def of(
        cls,
        values: NDArray[np.float64],
        *,
        reasons: tuple[Reason, ...] = (),
        reason_code: NDArray[np.integer[Any]] | None = None,
        violation: NDArray[np.float64] | None = None,
        reason_detail: NDArray[np.float64] | None = None,
        failed: NDArray[np.bool_] | None = None,
        cost: NDArray[np.float64] | None = None,
        diagnostics: NDArray[np.float64] | None = None,
    ) -> Evaluation:
        """Build an evaluation from metrics and, where designs are not ok, their reasons.

        Rows with ``reason_code >= 0`` are invalid (or failed where ``failed`` says so) and get NaN metrics.
        """
        n = len(values)
        code = np.full(n, NO_REASON, np.int16) if reason_code is None else reason_code.astype(np.int16)
        status = np.where(code >= 0, INVALID, OK).astype(np.int8)
        if failed is not None:
            status[failed] = FAILED
        values = np.where((status == OK)[:, None], np.asarray(values, dtype=np.float64), np.nan)
        return cls(
            values=values,
            status=status,
            violation=np.zeros(n) if violation is None else np.where(status == INVALID, violation, 0.0),
            reason_code=code,
            reason_detail=np.zeros((n, 0)) if reason_detail is None else reason_detail.astype(np.float64),
            cost=np.ones(n) if cost is None else cost.astype(np.float64),
            reasons=reasons,
            diagnostics=np.zeros((n, 0)) if diagnostics is None else diagnostics.astype(np.float64),
        )

    def __len__(self) -> int:
        """Number of designs, N."""
        return len(self.status)

    def reason(self, row: int) -> str:
        """The sentence that says why a design is not ok; empty where it is."""
        code = int(self.reason_code[row])
        return "" if code < 0 else self.reasons[code].sentence(self.reason_detail[row])

    def reason_name(self, row: int) -> str:
        """The short name of the reason; empty where the design is ok."""
        code = int(self.reason_code[row])
        return "" if code < 0 else self.reasons[code].name

    def status_name(self, row: int) -> str:
        """``"ok"``, ``"invalid"`` or ``"failed"``."""
        return STATUS_NAMES[self.status[row]]


def join(parts: Sequence[Evaluation]) -> Evaluation:
    """Evaluations of one simulator, at least one, after another."""
    columns = {
        field.name: np.concatenate(widened([getattr(part, field.name) for part in parts]))
        for field in fields(Evaluation)
        if field.name != "reasons"
    }
    return Evaluation(**columns, reasons=parts[0].reasons)


def widened(tables: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Tables (N, K) with the same K, filled with 0: batches without an invalid design may lack details."""
    if tables[0].ndim == 1:
        return list(tables)
    width = max(table.shape[1] for table in tables)
    return [np.pad(table, ((0, 0), (0, width - table.shape[1]))) for table in tables]


def freeze(*arrays: NDArray[Any]) -> None:
    """Make arrays read-only; views taken later are, too."""
    for array in arrays:
        array.flags.writeable = False
