"""An append-only journal of evaluations, written before the agent hears of them.

Layout: a magic line, a length-and-CRC framed JSON header, then framed records. A frame is ``u32 length, u32 crc32,
payload``. A payload begins with a kind byte: ``W`` names a workload (they are numbered in order of appearance), ``E``
holds evaluations: proposal index, workload number, wall time, then one block a column of `JournalLayout.blocks`.

Every record is one write. Killing the process at any instant leaves at most a torn tail, which is cut; a flipped bit
fails a CRC and everything after it is cut and simulated again. Power loss is detected, not survived, unless ``fsync``.
A forked child lets go of the file, so that the lock ends with the process that took it.
"""

from __future__ import annotations

__all__ = ["Journal", "JournalRecord"]

import fcntl
import json
import os
import struct
import weakref
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from errno import ENOSPC
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
_READ_BYTES = 1 << 20
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
        self._fsync = fsync
        self._workloads: list[str] = []
        self._row_bytes = layout.row_bytes
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise InputError(f"cannot open {path}: {error.strerror}; choose another --out") from error
        _open_journals.add(self)
        try:
            self._lock()
            self._start = self._open_header()
        except BaseException:
            self.close()
            raise
        self._end = self._start

    # ---- reading -------------------------------------------------------------------------------------------------

    def records(self) -> Iterator[JournalRecord]:
        """Everything recorded, in order. The tail after the first damaged frame is cut from the file."""
        size = os.fstat(self._file).st_size
        offset = self._start
        self._workloads.clear()
        for payload in self._payloads(size):
            record = self._parse(payload)
            if record is False:
                break
            offset += _FRAME.size + len(payload)
            if isinstance(record, JournalRecord):
                yield record
        if offset < size:
            self.cut_bytes = size - offset
            os.ftruncate(self._file, offset)
        self._end = offset

    def _payloads(self, size: int) -> Iterator[bytes]:
        """Payloads of the frames that are whole, up to the first that is not; the file is read in large pieces."""
        offset, buffer, at = self._start, b"", 0
        while offset + _FRAME.size <= size:
            if len(buffer) - at < _FRAME.size:
                buffer, at = os.pread(self._file, _READ_BYTES, offset), 0
            length, crc = _FRAME.unpack_from(buffer, at)
            if length > size - offset - _FRAME.size:
                return
            if len(buffer) - at < _FRAME.size + length:
                buffer, at = os.pread(self._file, max(_READ_BYTES, _FRAME.size + length), offset), 0
            payload = buffer[at + _FRAME.size : at + _FRAME.size + length]
            if len(payload) != length or zlib.crc32(payload) != crc:
                return
            yield payload
            offset += _FRAME.size + length
            at += _FRAME.size + length

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
        self._write(payload)

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
            self._write(b"W" + workload.encode(errors="surrogateescape"))
            self._workloads.append(workload)
        return self._workloads.index(workload)

    def _write(self, payload: bytes) -> None:
        self._end += self._write_at(self._end, _FRAME.pack(len(payload), zlib.crc32(payload)) + payload)
        if self._fsync:
            os.fsync(self._file)

    def _write_at(self, offset: int, data: bytes) -> int:
        try:
            written = os.pwrite(self._file, data, offset)
            if written < len(data):  # the disk took a part; trying the rest gives the reason
                written += os.pwrite(self._file, data[written:], offset + written)
            if written < len(data):
                raise OSError(ENOSPC, os.strerror(ENOSPC))
        except OSError as error:
            if self._file >= 0:
                os.ftruncate(self._file, offset)  # what stands is whole
            raise OSError(error.errno, f"cannot write {self.path}: {error.strerror}") from error
        return written

    # ---- header --------------------------------------------------------------------------------------------------

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{self.path.parent}: another process is writing this run; wait for it, or choose another --out"
            ) from None

    def _open_header(self) -> int:
        expected = json.dumps(asdict(self.layout), sort_keys=True).encode()
        whole = _MAGIC + _FRAME.pack(len(expected), zlib.crc32(expected)) + expected
        found = os.pread(self._file, len(whole), 0)
        if found == whole:
            return len(whole)
        if not whole.startswith(found):
            raise InputError(
                f"{self.path} is damaged or not the journal of this run; choose another --out, or delete the directory"
            )
        # Empty, or torn while the header was being written: nothing was ever recorded.
        os.ftruncate(self._file, 0)
        return self._write_at(0, whole)


def row_type(nvec: NDArray[np.int64]) -> str:
    """The smallest little-endian unsigned type that holds every index of a space."""
    kind: np.dtype[Any] = np.min_scalar_type(int(nvec.max()) - 1)
    return kind.newbyteorder("<").str


_open_journals: weakref.WeakSet[Journal] = weakref.WeakSet()


def _let_go_in_child() -> None:
    # A lock belongs to the open file, which a forked child shares: a worker that outlives its search would hold it.
    for journal in list(_open_journals):
        journal.close()


os.register_at_fork(after_in_child=_let_go_in_child)
