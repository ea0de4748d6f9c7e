"""An append-only journal of evaluations, written before the agent hears of them.

Layout: a magic line, a length-and-CRC framed JSON header, then framed records. A frame is ``u32 length, u32 crc32,
payload``. A payload begins with a kind byte: ``W`` names a workload (they are numbered in order of appearance), ``E``
holds evaluations: proposal index, workload number, wall time, positions in the call, rows, numbers, codes.

Every record is one write. Killing the process at any instant leaves at most a torn tail, which is cut; a flipped bit
fails a CRC and everything after it is cut and simulated again. Power loss is detected, not survived, unless ``fsync``.
"""

from __future__ import annotations

__all__ = ["Journal", "JournalRecord"]

import fcntl
import json
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators import Evaluation, InputError
from archgym_simulators.constraints import Reason
from archgym_simulators.space import Rows

_MAGIC = b"archgym journal 1\n"
_FRAME = struct.Struct("<II")
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
    """

    identity: str
    row_type: str
    width: int
    metrics: int
    details: int

    @property
    def numbers(self) -> int:
        """Columns of the number block: metrics, violation, cost, details."""
        return self.metrics + 2 + self.details


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

    def evaluation(self, metrics: int, reasons: tuple[Reason, ...]) -> Evaluation:
        """What the simulator had returned, without diagnostics."""
        return Evaluation(
            values=self.numbers[:, :metrics],
            status=self.codes[:, 0].astype(np.int8),
            violation=self.numbers[:, metrics],
            reason_code=self.codes[:, 1],
            reason_detail=self.numbers[:, metrics + 2 :],
            cost=self.numbers[:, metrics + 1],
            reasons=reasons,
            diagnostics=np.zeros((len(self.rows), 0)),
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
        self._fsync = fsync
        self._workloads: list[str] = []
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._lock()
            self._start = self._open_header()
        except BaseException:
            os.close(self._file)
            raise
        self._end = self._start

    # ---- reading -------------------------------------------------------------------------------------------------

    def records(self) -> Iterator[JournalRecord]:
        """Everything recorded, in order. The tail after the first damaged frame is cut from the file."""
        size = os.fstat(self._file).st_size
        offset = self._start
        self._workloads.clear()
        while offset < size:
            payload = self._frame_at(offset, size)
            record = None if payload is None else self._parse(payload)
            if payload is None or record is False:
                self.cut_bytes = size - offset
                os.ftruncate(self._file, offset)
                break
            offset += _FRAME.size + len(payload)
            if isinstance(record, JournalRecord):
                yield record
        self._end = offset

    def _frame_at(self, offset: int, size: int) -> bytes | None:
        head = os.pread(self._file, _FRAME.size, offset)
        if len(head) < _FRAME.size:
            return None
        length, crc = _FRAME.unpack(head)
        if length > size - offset - _FRAME.size:
            return None
        payload = os.pread(self._file, length, offset + _FRAME.size)
        return payload if len(payload) == length and zlib.crc32(payload) == crc else None

    def _parse(self, payload: bytes) -> JournalRecord | bool | None:
        if payload[:1] == b"W":
            self._workloads.append(payload[1:].decode())
            return None
        if payload[:1] != b"E" or len(payload) < _EVALUATIONS.size:
            return False
        _, proposal, workload, wall_s, n = _EVALUATIONS.unpack_from(payload)
        layout, types = self.layout, ("<u4", self.layout.row_type, "<f8", "<i2")
        shapes = ((n,), (n, layout.width), (n, layout.numbers), (n, 2))
        arrays, offset = [], _EVALUATIONS.size
        for dtype, shape in zip(types, shapes, strict=True):
            count = int(np.prod(shape))
            if offset + count * np.dtype(dtype).itemsize > len(payload):
                return False
            arrays.append(np.frombuffer(payload, dtype, count, offset).reshape(shape))
            offset += count * np.dtype(dtype).itemsize
        if workload >= len(self._workloads):
            return False
        positions, rows, numbers, codes = arrays
        return JournalRecord(
            proposal, self._workloads[workload], wall_s, positions, rows.astype(np.int64), numbers.copy(), codes.copy()
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
        """Record evaluations. All `records` must have been read first."""
        number = self._workload_number(workload)
        n, layout = len(rows), self.layout
        numbers = np.zeros((n, layout.numbers))
        numbers[:, : layout.metrics] = evaluation.values
        numbers[:, layout.metrics] = evaluation.violation
        numbers[:, layout.metrics + 1] = evaluation.cost
        detail = evaluation.reason_detail
        if detail.shape[1]:
            numbers[:, layout.metrics + 2 : layout.metrics + 2 + detail.shape[1]] = detail
        codes = np.empty((n, 2), dtype="<i2")
        codes[:, 0] = evaluation.status
        codes[:, 1] = evaluation.reason_code
        self._write(
            _EVALUATIONS.pack(b"E", proposal, number, wall_s, n)
            + np.array(positions, dtype="<u4").tobytes()
            + rows.astype(layout.row_type).tobytes()
            + numbers.tobytes()
            + codes.tobytes()
        )

    def close(self) -> None:
        """Release the file and its lock."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _workload_number(self, workload: str) -> int:
        if workload not in self._workloads:
            self._write(b"W" + workload.encode())
            self._workloads.append(workload)
        return self._workloads.index(workload)

    def _write(self, payload: bytes) -> None:
        frame = _FRAME.pack(len(payload), zlib.crc32(payload)) + payload
        written = os.pwrite(self._file, frame, self._end)
        if written != len(frame):
            # A full disk takes part of a frame; cut it, so that what stands is whole.
            os.ftruncate(self._file, self._end)
            raise OSError(f"{self.path}: wrote {written} of {len(frame)} bytes; is the disk full?")
        self._end += written
        if self._fsync:
            os.fsync(self._file)

    # ---- header --------------------------------------------------------------------------------------------------

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{self.path.parent}: another process is writing this run; wait for it, or choose another --out"
            ) from None

    def _open_header(self) -> int:
        expected = json.dumps({**self.layout.__dict__}, sort_keys=True).encode()
        whole = _MAGIC + _FRAME.pack(len(expected), zlib.crc32(expected)) + expected
        found = os.pread(self._file, len(whole), 0)
        if found == whole:
            return len(whole)
        if not whole.startswith(found):
            raise InputError(
                f"{self.path} is not the journal of this run; choose another --out, or delete the directory"
            )
        # Empty, or torn while the header was being written: nothing was ever recorded.
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, whole, 0)
        return len(whole)


def row_type(nvec: NDArray[np.int64]) -> str:
    """The smallest little-endian unsigned type that holds every index of a space."""
    kind: np.dtype[Any] = np.min_scalar_type(int(nvec.max()) - 1)
    return kind.newbyteorder("<").str
