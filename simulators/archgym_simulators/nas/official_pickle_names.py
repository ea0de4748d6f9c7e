"""What the names in a published benchmark's pickles stand for: functions of our own that make plain values.

NumPy's arrays and scalars are made of their bytes, never by NumPy's own reconstruction; `OrderedDict` and `defaultdict`
become plain mappings. Keys of mappings are plain values or flat tuples of them: hashing nested ones can take for ever.
"""

from __future__ import annotations

__all__ = ["RECIPES", "Pending", "Refused", "add_members", "append_items", "frozen_set", "mapping_of", "set_items"]

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PLAIN = (str, int, float, bool, bytes, type(None))
_DTYPES = frozenset(["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])


class Refused(Exception):
    """The pickle asks for something that is not done here; the text goes on after the file's name."""


class Pending:
    """An array or a type of number that is announced; the state that follows describes it.

    Attributes:
        finish: from the state to the value.
        slots: of the reader's memory that hold it, which then get the value.
    """

    __slots__ = ("finish", "slots")

    def __init__(self, finish: Callable[[Any], Any]) -> None:
        self.finish = finish
        self.slots: list[int] = []


def _hashable(key: Any) -> Any:
    if type(key) in _PLAIN or (type(key) is tuple and all(type(part) in _PLAIN for part in key)):
        return key
    raise Refused(f"has a key of the type {type(key).__name__}, not a plain value or a tuple of such")


def set_items(target: Any, items: list[Any]) -> None:
    """Put keys and values, one after the other, into a mapping."""
    if type(target) is not dict or len(items) % 2:
        raise Refused("sets items of something that is no mapping")
    for key, value in zip(items[::2], items[1::2], strict=True):
        target[key if type(key) is str else _hashable(key)] = value


def append_items(target: Any, items: list[Any]) -> None:
    """Put items at the end of a list."""
    if type(target) is not list:
        raise Refused("appends to something that is no list")
    target.extend(items)


def add_members(target: Any, items: list[Any]) -> None:
    """Put members into a set."""
    if type(target) is not set:
        raise Refused("adds to something that is no set")
    target.update(map(_hashable, items))


def mapping_of(items: list[Any]) -> dict[Any, Any]:
    """A mapping of keys and values, one after the other."""
    made: dict[Any, Any] = {}
    set_items(made, items)
    return made


def _mapping(pairs: Any = (), *_: Any) -> dict[Any, Any]:
    if isinstance(pairs, dict):
        return dict(pairs)
    return mapping_of([part for pair in pairs for part in pair]) if isinstance(pairs, list | tuple) else {}


def _set(items: Any = ()) -> set[Any]:
    return {_hashable(item) for item in _sequence(items)}


def frozen_set(items: Any = ()) -> frozenset[Any]:
    """A frozen set of plain members."""
    return frozenset(_set(items))


def _sequence(items: Any) -> list[Any] | tuple[Any, ...]:
    if not isinstance(items, list | tuple):
        raise Refused(f"makes a set of {type(items).__name__}")
    return items


def _encoded(text: Any, encoding: Any = "latin1") -> bytes:
    if type(text) is not str or encoding not in ("latin1", "latin-1", "utf-8"):
        raise Refused(f"encodes a text as {str(encoding)[:40]}")
    return text.encode(encoding)


def _dtype(code: Any, *_: Any) -> Pending:
    if type(code) is not str or code.lstrip("<>|=") not in _DTYPES:
        raise Refused(f"has an array of {str(code)[:40]}, not of numbers")
    return Pending(lambda state: _ordered(np.dtype(code), state))


def _ordered(dtype: np.dtype[Any], state: Any) -> np.dtype[Any]:
    order = state[1] if isinstance(state, tuple) and len(state) > 1 else "="
    if type(order) is not str or order not in "<>|=" or len(order) != 1:
        raise Refused("has a number type of unknown byte order")
    return np.dtype(order + dtype.str[1:])


def _array(*_: Any) -> Pending:
    return Pending(_array_of_state)


def _array_of_state(state: Any) -> NDArray[Any]:
    if not isinstance(state, tuple) or len(state) < 4:
        raise Refused("has an array without a description")
    shape, dtype, is_fortran, raw = state[-4:]
    return _array_of_bytes(raw, dtype, shape, "F" if is_fortran else "C")


def _array_of_bytes(raw: Any, dtype: Any, shape: Any, order: Any = "C") -> NDArray[Any]:
    if not isinstance(raw, bytes | bytearray) or not isinstance(dtype, np.dtype) or order not in ("C", "F"):
        raise Refused("has an array whose values are no bytes of numbers")
    return np.frombuffer(bytes(raw), dtype=dtype).reshape(shape, order=order)


def _scalar(dtype: Any, raw: Any) -> bool | int | float:
    found = _array_of_bytes(raw, dtype, (1,))[0].item()
    assert isinstance(found, bool | int | float)
    return found


def _never_called(*_: Any) -> Any:
    raise Refused("calls numpy.ndarray itself")


_IN_NUMPY: dict[str, Callable[..., Any]] = {
    "multiarray._reconstruct": _array,
    "multiarray.scalar": _scalar,
    "numeric._frombuffer": _array_of_bytes,
}
RECIPES: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": _mapping,
    "collections.defaultdict": lambda *_: {},
    "builtins.set": _set,
    "__builtin__.set": _set,
    "builtins.frozenset": frozen_set,
    "__builtin__.frozenset": frozen_set,
    # Types that a defaultdict is made with; it becomes a plain mapping, so they are never used.
    **{f"{home}.{kind}": lambda *_: None for home in ("builtins", "__builtin__") for kind in ("dict", "list", "float")},
    # Bytes before protocol 3: empty ones, and all others as a text to encode.
    "builtins.bytes": lambda: b"",
    "__builtin__.bytes": lambda: b"",
    "_codecs.encode": _encoded,
    "numpy.ndarray": _never_called,
    "numpy.dtype": _dtype,
    **{f"{home}.{name}": make for home in ("numpy.core", "numpy._core") for name, make in _IN_NUMPY.items()},
}
"""What is done in place of each name that a pickle may mention."""
