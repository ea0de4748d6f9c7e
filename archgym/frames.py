"""Append-only files of checksummed frames: what is written is whole, or cut when the file is opened again.

Layout: a magic line, a framed header, then frames. A frame is ``u32 length, u32 crc32, payload``. Every frame is one
write. Killing the process at any instant leaves at most a torn tail; a flipped bit fails a CRC, and everything after it
is cut. Power loss is detected, not survived, unless ``fsync``. The file is locked against a second process; a forked
child lets go of it, so that the lock ends with the process that took it.
"""

from __future__ import annotations

__all__ = ["FRAME_BYTES", "FrameFile", "frames_of"]

import fcntl
import os
import struct
import weakref
import zlib
from collections.abc import Iterator
from errno import ENOSPC
from pathlib import Path

from archgym_simulators import InputError

_FRAME = struct.Struct("<II")
FRAME_BYTES = _FRAME.size
"""Bytes of a frame beside its payload."""

_READ_BYTES = 1 << 20


class FrameFile:
    """A file of frames, opened for reading what is there and appending to it.

    Args:
        path: the file; made where it is missing.
        magic: first bytes of the file, with a line end.
        header: what identifies its owner; a file with another one is refused.
        owner: what it belongs to, for messages: "run" or "study".
        fsync: survive power loss, not only a killed process.

    Raises:
        InputError: the file belongs to another owner or is none of ours, or another process holds it.
        OSError: the disk is full or the file cannot be written.
    """

    def __init__(self, path: Path, magic: bytes, header: bytes, *, owner: str, fsync: bool = False) -> None:
        self.path = path
        self._fsync = fsync
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise InputError(f"cannot open {path}: {error.strerror}; choose another --out") from error
        _open_files.add(self)
        try:
            self._lock(owner)
            self.start = self._open_header(magic + _framed(header), owner)
        except BaseException:
            self.close()
            raise
        self.end = self.start

    def payloads(self) -> Iterator[tuple[int, bytes]]:
        """Offset and payload of the frames that are whole, up to the first that is not."""
        return _payloads(self._file, self.start, os.fstat(self._file).st_size)

    def cut(self, end: int) -> int:
        """Drop what stands behind ``end``, where the next frame goes; returns the bytes dropped."""
        dropped = os.fstat(self._file).st_size - end
        if dropped > 0:
            os.ftruncate(self._file, end)
        self.end = end
        return max(dropped, 0)

    def append(self, payload: bytes) -> int:
        """Write a frame; returns its offset. What was there must have been read, or cut, first.

        Raises:
            OSError: the file cannot be written; what stood before stands.
        """
        offset = self.end
        self.end += self._write_at(offset, _framed(payload))
        if self._fsync:
            os.fsync(self._file)
        return offset

    def read(self, offset: int) -> bytes:
        """The payload of the frame at an offset that `append` or `payloads` gave."""
        length, _ = _FRAME.unpack(os.pread(self._file, _FRAME.size, offset))
        return os.pread(self._file, length, offset + _FRAME.size)

    def close(self) -> None:
        """Release the file and its lock."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

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

    def _lock(self, owner: str) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{self.path.parent}: another process is writing this {owner}; wait for it, or choose another --out"
            ) from None

    def _open_header(self, whole: bytes, owner: str) -> int:
        found = os.pread(self._file, len(whole), 0)
        if found == whole:
            return len(whole)
        if not whole.startswith(found):
            raise InputError(
                f"{self.path} is damaged or not the journal of this {owner}; choose another --out, or delete the "
                "directory"
            )
        if found:  # torn while the header was being written: nothing was ever recorded
            os.ftruncate(self._file, 0)  # not where it is empty: ext4 flushes what was truncated when it is closed
        return self._write_at(0, whole)


def frames_of(path: Path, magic: bytes) -> Iterator[tuple[int, bytes]]:
    """Offset and payload of the whole frames of a file that another process may be writing; nothing is changed.

    Raises:
        InputError: the file cannot be read, or is none of ours.
    """
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise InputError(f"cannot open {path}: {error.strerror}") from error
    try:
        if os.pread(file, len(magic), 0) != magic:
            raise InputError(f"{path} is damaged: it does not begin as it should")
        frames = _payloads(file, len(magic), os.fstat(file).st_size)
        next(frames, None)  # the header
        yield from frames
    finally:
        os.close(file)


def _framed(payload: bytes) -> bytes:
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def _payloads(file: int, offset: int, size: int) -> Iterator[tuple[int, bytes]]:
    """The file is read in large pieces."""
    buffer, at = b"", 0
    while offset + _FRAME.size <= size:
        if len(buffer) - at < _FRAME.size:
            buffer, at = os.pread(file, _READ_BYTES, offset), 0
        length, crc = _FRAME.unpack_from(buffer, at)
        if length > size - offset - _FRAME.size:
            return
        if len(buffer) - at < _FRAME.size + length:
            buffer, at = os.pread(file, max(_READ_BYTES, _FRAME.size + length), offset), 0
        payload = buffer[at + _FRAME.size : at + _FRAME.size + length]
        if len(payload) != length or zlib.crc32(payload) != crc:
            return
        yield offset, payload
        offset += _FRAME.size + length
        at += _FRAME.size + length


_open_files: weakref.WeakSet[FrameFile] = weakref.WeakSet()


def _let_go_in_child() -> None:
    # A lock belongs to the open file, which a forked child shares: a worker that outlives its search would hold it.
    for file in list(_open_files):
        file.close()


os.register_at_fork(after_in_child=_let_go_in_child)
