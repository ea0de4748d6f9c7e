"""The journal of a run: its evaluations, written before the agent hears of them.

A file of frames (`archgym.frames`) whose header is JSON. A payload begins with a kind byte: ``W`` names a workload
(they are numbered in order of appearance), ``E`` holds evaluations: proposal index, workload number, wall time, then
one block a column of `JournalLayout.blocks`.
"""

from __future__ import annotations

__all__ = ["Journal", "JournalRecord"]

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.frames import FRAME_BYTES, FrameFile
from archgym_simulators import Evaluation
from archgym_simulators.constraints import Reason
from archgym_simulators.space import Rows

_MAGIC = b"archgym journal 1\n"
_EVALUATIONS = struct.Struct("<cQIdI")  # kind, proposal, workload number, wall seconds, count


@dataclass(frozen=True)
class JournalLayout:
    """Shapes of a journal's arrays; the header carries them.

    Attributes:
        identity: hash of the run's manifest; another run's journal is refused.
        row_type: NumPy type string of stored index rows, as small as the space allows.
        width: index columns of a row, D.
        metrics: number of metrics, M.
        details: number of detail numbers of a reason, K.
        diagnostics: number of diagnostics, G; they travel so that a replay answers what the simulator had answered.
    """

    identity: str
    row_type: str
    width: int
    metrics: int
    details: int
    diagnostics: int

    @property
    def blocks(self) -> tuple[tuple[str, int], ...]:
        """Type and width: positions, rows, metrics, violation, cost, details, diagnostics, status, reason."""
        return (
            ("<u4", 1),
            (self.row_type, self.width),
            ("<f8", self.metrics),
            ("<f8", 1),
            ("<f8", 1),
            ("<f8", self.details),
            ("<f8", self.diagnostics),
            ("<i1", 1),
            ("<i2", 1),
        )

    @property
    def row_bytes(self) -> int:
        """Bytes of one design in a record."""
        return sum(np.dtype(kind).itemsize * width for kind, width in self.blocks)


@dataclass(frozen=True)
class JournalRecord:
    """Evaluations of one call (or of one chunk of it)."""

    proposal: int
    workload: str
    wall_s: float
    positions: NDArray[np.uint32]  # (N,) positions of the rows within the call
    rows: Rows  # (N, D)
    numbers: NDArray[np.float64]  # (N, M + 2 + K)
    codes: NDArray[np.int16]  # (N, 2) status, reason
    diagnostics: NDArray[np.float64]  # (N, G)

    def evaluation(self, metrics: int, reasons: tuple[Reason, ...]) -> Evaluation:
        """What the simulator had returned."""
        return Evaluation(
            values=self.numbers[:, :metrics],
            status=self.codes[:, 0].astype(np.int8),
            violation=self.numbers[:, metrics],
            reason_code=self.codes[:, 1],
            reason_detail=self.numbers[:, metrics + 2 :],
            cost=self.numbers[:, metrics + 1],
            reasons=reasons,
            diagnostics=self.diagnostics,
        )


class Journal:
    """A journal file, opened for reading what is there and appending to it, locked against a second process.

    Raises:
        InputError: the file belongs to another run or is no journal, or another process holds it.
        OSError: the disk is full or the file cannot be written.
    """

    def __init__(self, path: Path, layout: JournalLayout, *, fsync: bool = False) -> None:
        self.path = path
        self.layout = layout
        self.cut_bytes = 0
        self._workloads: list[str] = []
        self._row_bytes = layout.row_bytes
        header = json.dumps(asdict(layout), sort_keys=True).encode()
        self._frames = FrameFile(path, _MAGIC, header, owner="run", fsync=fsync)

    # ---- reading -------------------------------------------------------------------------------------------------

    def records(self) -> Iterator[JournalRecord]:
        """Everything recorded, in order. The tail after the first damaged frame is cut from the file."""
        end = self._frames.start
        self._workloads.clear()
        for offset, payload in self._frames.payloads():
            record = self._parse(payload)
            if record is False:
                break
            end = offset + FRAME_BYTES + len(payload)
            if isinstance(record, JournalRecord):
                yield record
        self.cut_bytes = self._frames.cut(end) or self.cut_bytes

    def _parse(self, payload: bytes) -> JournalRecord | bool:
        """The record of a payload; True for one that only names a workload, False for one that makes no sense."""
        if payload[:1] == b"W":
            self._workloads.append(payload[1:].decode(errors="surrogateescape"))
            return True
        if payload[:1] != b"E" or len(payload) < _EVALUATIONS.size:
            return False
        _, proposal, workload, wall_s, n = _EVALUATIONS.unpack_from(payload)
        if workload >= len(self._workloads) or len(payload) != _EVALUATIONS.size + n * self._row_bytes:
            return False
        blocks, offset = [], _EVALUATIONS.size
        for kind, width in self.layout.blocks:
            block = np.frombuffer(payload, kind, n * width, offset).reshape(n, width)
            blocks.append(block)
            offset += block.nbytes
        positions, rows, metrics, violation, cost, details, diagnostics, status, reason = blocks
        return JournalRecord(
            proposal,
            self._workloads[workload],
            wall_s,
            positions[:, 0],
            rows.astype(np.int64),
            np.concatenate((metrics, violation, cost, details), axis=1),
            np.concatenate((status, reason), axis=1, dtype=np.int16),
            diagnostics,
        )

    # ---- writing -------------------------------------------------------------------------------------------------

    def append(
        self,
        proposal: int,
        workload: str,
        wall_s: float,
        positions: Sequence[int],
        rows: Rows,
        evaluation: Evaluation,
    ) -> None:
        """Record evaluations of full width. All `records` must have been read first.

        Raises:
            OSError: the file cannot be written; what stood before stands.
        """
        n = len(rows)
        payload = b"".join(
            (
                _EVALUATIONS.pack(b"E", proposal, self._workload_number(workload), wall_s, n),
                struct.pack(f"<{n}I", *positions),
                rows.astype(self.layout.row_type).tobytes(),
                evaluation.values.tobytes(),
                evaluation.violation.tobytes(),
                evaluation.cost.tobytes(),
                evaluation.reason_detail.tobytes(),
                evaluation.diagnostics.tobytes(),
                evaluation.status.tobytes(),
                evaluation.reason_code.tobytes(),
            )
        )
        if len(payload) != _EVALUATIONS.size + n * self._row_bytes:
            raise TypeError(f"{self.path}: an evaluation has other shapes or types than its simulator declares")
        self._frames.append(payload)

    def close(self) -> None:
        """Release the file and its lock."""
        self._frames.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _workload_number(self, workload: str) -> int:
        if workload not in self._workloads:
            self._frames.append(b"W" + workload.encode(errors="surrogateescape"))
            self._workloads.append(workload)
        return self._workloads.index(workload)


def row_type(nvec: NDArray[np.int64]) -> str:
    """The smallest little-endian unsigned type that holds every index of a space."""
    kind: np.dtype[Any] = np.min_scalar_type(int(nvec.max()) - 1)
    return kind.newbyteorder("<").str
