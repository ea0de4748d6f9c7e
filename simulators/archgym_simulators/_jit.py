"""The one decorator for compiled kernels: nogil, cached on disk where that is possible, announced once.

Only modules that define kernels import this one, so numba is not loaded before a kernel is needed.
"""

from __future__ import annotations

__all__ = ["KERNEL_OPTIONS", "announce_compilation", "kernel"]

import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba
from numba.core import event
from numba.core.dispatcher import Dispatcher

P = ParamSpec("P")
R = TypeVar("R")

# No fastmath: the same design must give the same bits on every machine that rounds like IEEE 754.
KERNEL_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": False}


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile ``function`` with numba at its first call, with the options of this project.

    The machine code is cached beside the source or in the user's cache directory; where neither can be
    written (a read-only installation), it is compiled anew in every process.
    """
    try:
        compiled = numba.njit(cache=True, **KERNEL_OPTIONS)(function)
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
        compiled = numba.njit(**KERNEL_OPTIONS)(function)
    else:
        _stamp_by_content(compiled)
    _kernels.add(id(compiled))
    return compiled  # type: ignore[no-any-return]


def _stamp_by_content(compiled: Any) -> None:
    """Make the cached code depend on every file it was compiled from.

    numba looks at the file of the outermost kernel only (its time and size), so a change in a helper kernel of
    another file would go unnoticed. Where numba's internals have moved, its own rule stays in force.
    """
    index = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if hasattr(index, "_source_stamp"):
        sources = sorted(set(_sources(compiled.py_func)))
        index._source_stamp = hashlib.sha256(repr(sources).encode()).hexdigest()


def _sources(function: Callable[..., Any]) -> Iterator[tuple[str, str]]:
    """Content hash of every file, and value of every constant, that a kernel is compiled from."""
    path = Path(function.__code__.co_filename)
    yield path.name, hashlib.sha256(path.read_bytes()).hexdigest()
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if isinstance(value, Dispatcher):
            yield from _sources(value.py_func)
        elif isinstance(value, int | float | tuple):
            yield name, repr(value)


def _print_to_terminal(message: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(message + "\n")


_announce: Callable[[str], None] = _print_to_terminal
_kernels: set[int] = set()


def announce_compilation(hook: Callable[[str], None]) -> None:
    """Send the one-line note about the first compilation to ``hook`` instead of the terminal."""
    global _announce
    _announce = hook


class _Announcer(event.Listener):
    """Hears numba start a real compilation; loading from the cache does not reach it."""

    said = False

    def on_start(self, event: event.Event) -> None:
        if not self.said and id((event.data or {}).get("dispatcher")) in _kernels:
            self.said = True
            _announce("archgym: compiling simulator kernels (once per installation, some seconds) ...")

    def on_end(self, event: event.Event) -> None:
        pass


event.register("numba:compile", _Announcer())
