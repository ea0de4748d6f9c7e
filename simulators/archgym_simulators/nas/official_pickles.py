"""Reads the pickles of published benchmarks without running anything that they say.

A pickle is a program for a stack machine, and Python's own reader calls whatever the program names. This reader is a
stack machine of its own: it knows numbers, texts, containers and NumPy's arrays and scalars. A name is looked up in
`archgym_simulators.nas.official_pickle_names.RECIPES`; any other name ends the reading with an error that says it.

Source of the opcodes: the pickle protocol, versions 0 to 5 (PEP 307, PEP 3154, PEP 574).
"""

from __future__ import annotations

__all__ = ["load_pickle", "read_pickle"]

import bz2
from collections.abc import Callable, Iterator
from pathlib import Path
from struct import Struct
from typing import IO, Any

from archgym_simulators.errors import InputError
from archgym_simulators.nas.official_pickle_names import (
    RECIPES,
    Pending,
    Refused,
    add_members,
    append_items,
    frozen_set,
    mapping_of,
    set_items,
)

_MOST_BYTES = 1 << 35
_PIECE = 1 << 24
_BZ2_MAGIC = b"BZh"
_NEWEST_PROTOCOL = 5


def read_pickle(path: Path, *, most_bytes: int = _MOST_BYTES) -> Any:
    """What a pickle file holds; compressed by bzip2 or not.

    Args:
        path: the file.
        most_bytes: refuse a file that is larger when decompressed.

    Raises:
        InputError: not a pickle, truncated, too large, or it names something that is not a plain value.
    """
    try:
        with path.open("rb") as file:
            is_packed = file.read(len(_BZ2_MAGIC)) == _BZ2_MAGIC
        with bz2.open(path) if is_packed else path.open("rb") as file:
            data = b"".join(_pieces(file, most_bytes))
    except EOFError:
        raise InputError(f"{str(path)!r} is truncated: its compressed data end too early") from None
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror or error}") from None
    if len(data) > most_bytes:
        raise InputError(f"{str(path)!r} has more than {most_bytes:,} bytes")
    return load_pickle(data, str(path))


def _pieces(file: IO[bytes], most_bytes: int) -> Iterator[bytes]:
    """What a file holds, up to a little more than ``most_bytes``; asking for all at once would reserve as much."""
    done = 0
    while done <= most_bytes and (piece := file.read(_PIECE)):
        done += len(piece)
        yield piece


def load_pickle(data: bytes, name: str = "pickle") -> Any:
    """The object that a pickle describes, made of plain values, containers and NumPy arrays.

    Args:
        data: the pickle.
        name: of where it comes from, for messages.

    Raises:
        InputError: one line: truncated, malformed, or naming a global that is not allowed.
    """
    try:
        return _Machine(data).run()
    except Refused as refusal:
        raise InputError(f"{name!r} {refusal}") from None
    except (IndexError, KeyError, ValueError, TypeError, OverflowError, MemoryError) as error:
        kind = type(error).__name__
        raise InputError(f"{name!r} is no well-formed pickle ({kind}: {str(error)[:80]})") from None


class _Global:
    """A name that a pickle may mention, and what is done in its place."""

    __slots__ = ("make", "name")

    def __init__(self, name: str, make: Callable[..., Any]) -> None:
        self.name = name
        self.make = make


class _Machine:
    """The stack machine. Every handler takes what it needs from the stack and puts one result there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._stack: list[Any] = []
        self._outer: list[list[Any]] = []  # the stacks below each open mark
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        handlers = _HANDLERS
        while True:
            code = self.byte()
            if code == _STOP:
                return _finished(self._stack.pop())
            handler = handlers.get(code)
            if handler is None:
                what = _REFUSED_OPCODES.get(code, "which is unknown")
                raise Refused(f"is not read: opcode {bytes([code])!r} at byte {self._at - 1}, {what}")
            handler(self)

    # ---- reading ---------------------------------------------------------------------------------------------------

    def byte(self) -> int:
        if self._at >= len(self._data):
            raise Refused("is truncated: it ends before its STOP")
        self._at += 1
        return self._data[self._at - 1]

    def take(self, count: int) -> bytes:
        end = self._at + count
        if count < 0 or end > len(self._data):
            raise Refused(f"is truncated: {count:,} bytes are announced at byte {self._at}, fewer are left")
        found = self._data[self._at : end]
        self._at = end
        return found

    def number(self, layout: Struct) -> Any:
        return layout.unpack(self.take(layout.size))[0]

    def line(self) -> str:
        end = self._data.find(b"\n", self._at)
        if end < 0:
            raise Refused("is truncated: a line has no end")
        found = self._data[self._at : end].decode("latin-1")
        self._at = end + 1
        return found

    # ---- stack and memo --------------------------------------------------------------------------------------------

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def pop(self) -> Any:
        return self._stack.pop()

    def top(self) -> Any:
        return self._stack[-1]

    def mark(self) -> None:
        self._outer.append(self._stack)
        self._stack = []

    def since_mark(self) -> list[Any]:
        found, self._stack = self._stack, self._outer.pop()
        return found

    def remember(self, slot: int) -> None:
        value = self._stack[-1]
        if isinstance(value, Pending):
            value.slots.append(slot)
        self._memo[slot] = value

    def remember_next(self) -> None:
        self.remember(len(self._memo))

    def recall(self, slot: int) -> None:
        self._stack.append(self._memo[slot])

    # ---- names -----------------------------------------------------------------------------------------------------

    def name(self, module: object, name: object) -> None:
        make = RECIPES.get(f"{module}.{name}")
        if make is None:
            shown = " ".join(f"{str(module)[:80]}.{str(name)[:80]}".split())
            raise Refused(f"names {shown}, which is never loaded: only plain values are")
        self._stack.append(_Global(f"{module}.{name}", make))

    def reduce(self) -> None:
        arguments, called = self._stack.pop(), self._stack.pop()
        if not isinstance(called, _Global) or not isinstance(arguments, tuple):
            raise Refused(f"calls {type(called).__name__}, which is no name that is read")
        self._stack.append(called.make(*arguments))

    def build(self) -> None:
        state, target = self._stack.pop(), self._stack[-1]
        if not isinstance(target, Pending):
            raise Refused(f"changes the state of {type(target).__name__}, which has none")
        self._stack[-1] = value = target.finish(state)
        for slot in target.slots:
            self._memo[slot] = value


def _finished(value: Any) -> Any:
    if isinstance(value, Pending | _Global):
        raise Refused("ends in a name, not in a value")
    return value


_U1, _U2, _U4, _U8, _I4, _F8 = map(Struct, ("<B", "<H", "<I", "<Q", "<i", ">d"))
_STOP = ord(".")


def _protocol(machine: _Machine) -> None:
    found = machine.byte()
    if found > _NEWEST_PROTOCOL:
        raise Refused(f"has protocol {found}; 0 to {_NEWEST_PROTOCOL} are read")


def _long(machine: _Machine, count: int) -> None:
    machine.push(int.from_bytes(machine.take(count), "little", signed=True))


def _integer_line(machine: _Machine) -> None:
    text = machine.line()
    machine.push({"00": False, "01": True}.get(text) if text in ("00", "01") else int(text.rstrip("L")))


def _text(machine: _Machine, layout: Struct) -> None:
    machine.push(machine.take(machine.number(layout)).decode("utf-8", "surrogatepass"))


def _tuple(machine: _Machine, count: int) -> None:
    parts = [machine.pop() for _ in range(count)]
    machine.push(tuple(reversed(parts)))


def _into(machine: _Machine, put: Callable[[Any, list[Any]], None], items: list[Any]) -> None:
    put(machine.top(), items)


def _pair(machine: _Machine) -> list[Any]:
    value, key = machine.pop(), machine.pop()
    return [key, value]


def _named_on_stack(machine: _Machine) -> None:
    name, module = machine.pop(), machine.pop()
    machine.name(module, name)


_BY_OPCODE: dict[bytes, Callable[[_Machine], Any]] = {
    b"\x80": _protocol,
    b"\x95": lambda m: m.number(_U8),
    b"(": _Machine.mark,
    b"0": _Machine.pop,
    b"1": _Machine.since_mark,
    b"2": lambda m: m.push(m.top()),
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"I": _integer_line,
    b"L": _integer_line,
    b"J": lambda m: m.push(m.number(_I4)),
    b"K": lambda m: m.push(m.byte()),
    b"M": lambda m: m.push(m.number(_U2)),
    b"\x8a": lambda m: _long(m, m.byte()),
    b"\x8b": lambda m: _long(m, m.number(_I4)),
    b"F": lambda m: m.push(float(m.line())),
    b"G": lambda m: m.push(m.number(_F8)),
    b"V": lambda m: m.push(m.line().encode("latin-1").decode("raw-unicode-escape")),
    b"T": lambda m: m.push(m.take(m.number(_I4)).decode("latin-1")),
    b"U": lambda m: m.push(m.take(m.byte()).decode("latin-1")),
    b"X": lambda m: _text(m, _U4),
    b"\x8c": lambda m: _text(m, _U1),
    b"\x8d": lambda m: _text(m, _U8),
    b"B": lambda m: m.push(m.take(m.number(_U4))),
    b"C": lambda m: m.push(m.take(m.byte())),
    b"\x8e": lambda m: m.push(m.take(m.number(_U8))),
    b"\x96": lambda m: m.push(m.take(m.number(_U8))),
    b")": lambda m: m.push(()),
    b"t": lambda m: m.push(tuple(m.since_mark())),
    b"\x85": lambda m: _tuple(m, 1),
    b"\x86": lambda m: _tuple(m, 2),
    b"\x87": lambda m: _tuple(m, 3),
    b"]": lambda m: m.push([]),
    b"l": lambda m: m.push(m.since_mark()),
    b"a": lambda m: _append_one(m),
    b"e": lambda m: _into(m, append_items, m.since_mark()),
    b"}": lambda m: m.push({}),
    b"d": lambda m: m.push(mapping_of(m.since_mark())),
    b"s": lambda m: _into(m, set_items, _pair(m)),
    b"u": lambda m: _into(m, set_items, m.since_mark()),
    b"\x8f": lambda m: m.push(set()),
    b"\x90": lambda m: _into(m, add_members, m.since_mark()),
    b"\x91": lambda m: m.push(frozen_set(m.since_mark())),
    b"p": lambda m: m.remember(int(m.line())),
    b"q": lambda m: m.remember(m.byte()),
    b"r": lambda m: m.remember(m.number(_U4)),
    b"\x94": _Machine.remember_next,
    b"g": lambda m: m.recall(int(m.line())),
    b"h": lambda m: m.recall(m.byte()),
    b"j": lambda m: m.recall(m.number(_U4)),
    b"c": lambda m: m.name(m.line(), m.line()),
    b"\x93": _named_on_stack,
    b"R": _Machine.reduce,
    b"b": _Machine.build,
}


def _append_one(machine: _Machine) -> None:
    item = machine.pop()
    append_items(machine.top(), [item])


_HANDLERS = {code[0]: handler for code, handler in _BY_OPCODE.items()}
_REFUSED_OPCODES = {
    code[0]: what
    for codes, what in (
        ((b"i", b"o", b"\x81", b"\x92"), "which makes an object of a class"),
        ((b"P", b"Q"), "which asks the reader for an object of its own"),
        ((b"\x82", b"\x83", b"\x84"), "which names a class by a number"),
        ((b"\x97", b"\x98"), "which takes bytes from outside the file"),
        ((b"S",), "a text of protocol 0 of Python 2"),
    )
    for code in codes
}
