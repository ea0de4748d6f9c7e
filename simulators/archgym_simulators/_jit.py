"""The one decorator for compiled kernels: nogil, cached on disk where that is possible, announced once.

Only modules that define kernels import this one, so numba is not loaded before a kernel is needed.
"""

from __future__ import annotations

__all__ = [
    "KERNEL_OPTIONS",
    "announce_compilation",
    "inlined",
    "inner_kernel",
    "kernel",
    "loop_kernel",
    "reordering_kernel",
]

import hashlib
import sys
from collections.abc import Callable, Iterator
from types import CodeType, ModuleType
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
    return _compiled(function, **KERNEL_OPTIONS)


def inner_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """As `kernel`, for what only other kernels call: without a door from Python, which is near half of compiling it."""
    return _compiled(function, **KERNEL_OPTIONS, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def reordering_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """As `kernel`, for training networks: sums may be reordered and fused, so that they fill whole registers.

    The same bits on one machine only. Never for a cost model.
    """
    return _compiled(function, **KERNEL_OPTIONS, fastmath={"reassoc", "contract", "nsz"})


def loop_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """As `inner_kernel`, for a hot loop that allocates nothing: without reference counts on its arrays.

    numba counts references wherever an array is bound to another name, for instance by `inlined`; inside an event
    loop these atomic operations cost more than the loop.
    """
    options = KERNEL_OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    try:
        return _compiled(function, **options, _nrt=False)
    except KeyError:  # numba without this option
        return _compiled(function, **options)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a small function that is copied into the kernels that call it.

    A call between kernels passes seven words for every array, which can double the time of an event loop.
    """
    return numba.njit(inline="always", **KERNEL_OPTIONS)(function)  # type: ignore[no-any-return]


def _compiled(function: Callable[P, R], **options: Any) -> Callable[P, R]:
    try:
        compiled = numba.njit(cache=True, **options)(function)
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
        compiled = numba.njit(**options)(function)
    else:
        _stamp_by_content(compiled)
    _kernels.add(id(compiled))
    return compiled  # type: ignore[no-any-return]


def _stamp_by_content(compiled: Any) -> None:
    """Make the cached code depend on everything it was compiled from.

    numba looks at the file of the outermost kernel only (its time and size), so a change in a helper kernel or a
    constant of another file would go unnoticed. What counts is what is loaded: a file may have changed since. Where
    numba's internals have moved, its own rule stays in force.
    """
    cache: Any = getattr(compiled, "_cache", None)
    index: Any = getattr(cache, "_cache_file", None)
    if not hasattr(index, "_source_stamp") or not hasattr(cache, "load_overload"):
        return
    load = cache.load_overload

    def stamp_and_load(*arguments: Any) -> Any:
        # Not before the first call: a kernel may name others that stand below it in its file.
        sources = _sources(compiled.py_func, set())
        index._source_stamp = hashlib.sha256(repr(list(sources)).encode()).hexdigest()
        cache.load_overload = load
        return load(*arguments)

    cache.load_overload = stamp_and_load


def _sources(function: Callable[..., Any], seen: set[int]) -> Iterator[object]:
    """Bytecode of a kernel and of the kernels that it names, and the values of all constants that it names."""
    if id(function) in seen:
        return
    yield _fingerprint(function.__code__)
    if seen:
        # Not of the kernel itself: numba keeps those apart in one index, which one stamp must fit.
        yield [cell.cell_contents for cell in function.__closure__ or ()]
    seen.add(id(function))
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if isinstance(value, Dispatcher):
            yield from _sources(value.py_func, seen)
        elif isinstance(value, ModuleType) and value.__name__.startswith(f"{__package__}."):
            yield _constants(value)
        elif isinstance(value, _CONSTANT):
            yield name, value


_CONSTANT = (int, float, tuple)


def _fingerprint(code: CodeType) -> tuple[object, ...]:
    constants = [_fingerprint(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, constants


def _constants(module: ModuleType) -> list[tuple[str, object]]:
    return sorted((name, value) for name, value in vars(module).items() if isinstance(value, _CONSTANT))


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
            _announce("archgym: compiling simulator kernels (once per installation, up to half a minute) ...")

    def on_end(self, event: event.Event) -> None:
        pass


event.register("numba:compile", _Announcer())  # type: ignore[no-untyped-call]
