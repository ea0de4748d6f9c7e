"""Read a trace file: DRAMSys `.stl` / `.rstl`, or a Ramulator read/write trace; each also gzipped.

The name decides the format; a final `.gz` is unpacked and taken off first:

- `.stl`: lines `CLOCK: read HEX` or `CLOCK: write HEX`; CLOCK is the earliest player clock of the request.
- `.rstl`: the same lines; CLOCK counts player clocks since the previous send.
- anything else (Ramulator): lines `R ADDRESS` or `W ADDRESS` (also `LD` and `ST`), or throughout the file
  `ADDRESS R` and `ADDRESS W`; there is no time, one request is offered per player clock.

Blank lines and lines that start with `#` are skipped. Words may be in either case, separated by blanks or tabs.
An `.stl` address is hexadecimal with or without `0x`; a Ramulator address is hexadecimal with it, else decimal.
"""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram.trace import LARGEST_ADDRESS, LARGEST_TIME, Trace, beyond_device, first_problem
from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean

# Unpacked; a small gzip file can otherwise fill the memory. About 40 million lines.
LARGEST_FILE_BYTES = 2**30

# Digit counts keep every match within 64 bits; leading zeros are free.
_HEX = rb"0*([0-9a-fA-F]{1,16})"
_DEC = rb"0*([0-9]{1,18})"
_WORD = rb"([rR][eE][aA][dD]|[wW][rR][iI][tT][eE])"
_STL_LINE = re.compile(
    rb"^[ \t]*" + _DEC + rb"[ \t]*:[ \t]*" + _WORD + rb"[ \t]+(?:0[xX])?" + _HEX + rb"[ \t]*$", re.MULTILINE
)
_ADDRESS = rb"(?:0[xX]" + _HEX + rb"|" + _DEC + rb")"
_KIND_FIRST = re.compile(rb"^[ \t]*([rR]|[wW]|[lL][dD]|[sS][tT])[ \t]+" + _ADDRESS + rb"[ \t]*$", re.MULTILINE)
_KIND_LAST = re.compile(rb"^[ \t]*" + _ADDRESS + rb"[ \t]+([rR]|[wW])[ \t]*$", re.MULTILINE)
_REQUEST = re.compile(rb"^[ \t]*[^# \t\n]", re.MULTILINE)

Arrays = tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.uint64]]


def read_trace(
    path: str | os.PathLike[str],
    *,
    capacity_bytes: int,
    allow_decreasing: bool = False,
    allow_beyond_device: bool = False,
) -> Trace:
    """Read and validate a trace file; the trace is named after the path.

    Args:
        path: See the table above.
        capacity_bytes: Bytes of the device that is to serve it.
        allow_decreasing: Accept a time stamp below its predecessor: it is only a lower bound.
        allow_beyond_device: Accept addresses from `capacity_bytes` on: the device ignores the upper bits.

    Raises:
        InputError: One line that names file, line number, text and what is allowed.
    """
    file = Path(path)
    data = _read_bytes(file)
    kind = _kind(file)
    timed = kind in (".stl", ".rstl")
    cycle, is_write, wide = (_timed_requests if timed else _untimed_requests)(file, data)
    if cycle.size == 0:
        raise InputError(f"trace {str(file)!r} has no requests, only blank lines and comments or nothing at all")
    relative = kind == ".rstl"
    bound = None if allow_beyond_device else capacity_bytes
    if bound is not None and int(wide.max()) > LARGEST_ADDRESS:
        row = int(np.argmax(wide > LARGEST_ADDRESS))
        number, line = next(islice(_request_lines(data), row, None))
        raise InputError(f"{_place(file, number, line)}: {beyond_device(int(wide[row]), bound)}")
    address = (wide & np.uint64(LARGEST_ADDRESS)).astype(np.int64)  # no device decodes the bits above
    problem = first_problem(cycle, address, relative=relative, capacity_bytes=bound, allow_decreasing=allow_decreasing)
    if problem is not None:
        row, what = problem
        number, line = next(islice(_request_lines(data), row, None))
        raise InputError(f"{_place(file, number, line)}: {what}")
    return Trace.build(
        str(file),
        cycle=cycle,
        is_write=is_write,
        address=address,
        relative=relative,
        capacity_bytes=bound,
        allow_decreasing=allow_decreasing,
    )


def _kind(file: Path) -> str:
    """Return the last suffix before `.gz`, in lower case."""
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _read_bytes(file: Path) -> bytes:
    name = repr(str(file))
    try:
        if not file.is_file():
            raise InputError(_not_a_file(file))
        with gzip.open(file) if file.suffix.lower() == ".gz" else file.open("rb") as stream:
            data = stream.read(LARGEST_FILE_BYTES + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"trace {name} is not a complete gzip file: {error}") from None
    except OSError as error:
        raise InputError(f"trace {name} cannot be read: {error.strerror or error}") from None
    if len(data) > LARGEST_FILE_BYTES:
        raise InputError(f"trace {name} unpacks to more than {LARGEST_FILE_BYTES} bytes, the most allowed")
    return data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")


def _not_a_file(file: Path) -> str:
    name, folder = repr(str(file)), file.parent
    if file.is_dir():
        return f"trace {name} is a directory; name a file in it"
    if file.exists():
        return f"trace {name} is not a regular file"
    if not folder.is_dir():
        return f"trace {name} does not exist: there is no directory {str(folder)!r}"
    alike = (entry.name for entry in folder.iterdir() if _kind(entry) == _kind(file))
    return f"trace {name} does not exist{did_you_mean(file.name, alike)}"


def _timed_requests(file: Path, data: bytes) -> Arrays:
    found = _STL_LINE.findall(data)
    if len(found) != len(_REQUEST.findall(data)):
        _refuse_malformed(file, data, timed=True)
    cycle = np.array([int(time) for time, _, _ in found], dtype=np.int64)
    is_write = np.array([word[0] in b"wW" for _, word, _ in found], dtype=np.bool_)
    address = np.array([int(digits, 16) for _, _, digits in found], dtype=np.uint64)
    return cycle, is_write, address


def _untimed_requests(file: Path, data: bytes) -> Arrays:
    found = _KIND_FIRST.findall(data) or [
        (kind, hexadecimal, decimal) for hexadecimal, decimal, kind in _KIND_LAST.findall(data)
    ]
    if len(found) != len(_REQUEST.findall(data)):
        _refuse_malformed(file, data, timed=False)
    is_write = np.array([kind in (b"W", b"w") or (len(kind) == 2 and kind[0] in b"sS") for kind, _, _ in found])
    numbers = [int(hexadecimal, 16) if hexadecimal else int(decimal) for _, hexadecimal, decimal in found]
    address = np.array(numbers, dtype=np.uint64)
    return np.arange(address.size, dtype=np.int64), is_write.astype(np.bool_), address


def _refuse_malformed(file: Path, data: bytes, *, timed: bool) -> NoReturn:
    pattern = _STL_LINE if timed else _KIND_FIRST if _KIND_FIRST.search(data) else _KIND_LAST
    number, line = next(item for item in _request_lines(data) if not pattern.fullmatch(item[1]))
    raise InputError(f"{_place(file, number, line)}: {_complaint(line, timed=timed)}")


def _complaint(line: bytes, *, timed: bool) -> str:
    time = re.match(rb"[ \t]*(-?[0-9]+)[ \t]*:", line)
    if timed and time and time[1].startswith(b"-"):
        return f"time stamp {_shown(time[1])} is negative; allowed are 0..{LARGEST_TIME}"
    if timed and time and len(time[1].lstrip(b"0")) > 18:
        return f"time stamp {_shown(time[1])} is out of range; allowed are 0..{LARGEST_TIME}"
    number = re.search(rb"[ \t](0[xX][0-9a-fA-F]+|[0-9]+)[ \t]*$", line)
    if number and len(re.sub(rb"^0[xX]?0*", b"", number[1])) > 16:
        return f"address {_shown(number[1])} is longer than 64 bits"
    if timed:
        return "expected 'CLOCK: read|write HEX_ADDRESS', such as '12: read 0x40'"
    if time:
        return "expected 'R|W ADDRESS'; the name of a trace with time stamps must end in .stl or .rstl (or .gz)"
    return "expected 'R|W|LD|ST ADDRESS', such as 'R 0x40', or 'ADDRESS R|W' throughout"


def _request_lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (line number from 1, line) of every line that is neither blank nor a comment."""
    for number, line in enumerate(data.split(b"\n"), start=1):
        if _REQUEST.match(line):
            yield number, line


def _place(file: Path, number: int, line: bytes) -> str:
    shown = _shown(line.strip(b" \t"))
    return f"trace {str(file)!r}, line {number}, {shown!r}"


def _shown(text: bytes, most: int = 60) -> str:
    shown = text[:most].decode("utf-8", "replace")
    return shown + "..." if len(text) > most else shown
