"""Enumerated spaces in the user's cache: simulated once, answered from a file ever after."""

from __future__ import annotations

__all__ = ["enumerated", "is_enumerated", "seconds_of", "stand_in"]

import hashlib
import json
import os
import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archgym.options import STAND_IN
from archgym_simulators import InputError, Simulator
from archgym_simulators.mean import MeanOverWorkloads
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.table.enumerated import EnumeratedSimulator, save_enumeration

if TYPE_CHECKING:
    from archgym.problem import ProblemSpec

_CHUNK = 32_768
STAND_INS = ("model", "table")


def enumerated(
    simulator: Simulator,
    options: Mapping[str, Any],
    *,
    folder: Path | None = None,
    threads: int = 1,
    afresh: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Simulator:
    """A simulator that answers from the enumeration of ``simulator``, made now unless it is in the cache.

    A file in the cache that is damaged, or of something else, is made again.

    Args:
        simulator: a model bound to a workload; a mean over several is enumerated workload by workload.
        options: what it was built with.
        folder: the cache; ``$ARCHGYM_CACHE``, ``$XDG_CACHE_HOME`` or ``~/.cache`` where None.
        threads: that may simulate at once.
        afresh: make it again even if it is in the cache.
        progress: told designs done and designs in all.

    Raises:
        InputError: a space that cannot be enumerated, or a cache that cannot be written.
    """
    if isinstance(simulator, MeanOverWorkloads):
        return MeanOverWorkloads(
            [
                enumerated(one, options, folder=folder, threads=threads, afresh=afresh, progress=progress)
                for one in simulator.simulators
            ]
        )
    path = enumeration_path(simulator, options, folder)
    if not afresh:
        with suppress(InputError):
            return EnumeratedSimulator(simulator, path)
    save_enumeration(simulator, path, rows_per_chunk=_CHUNK, threads=threads, progress=progress)
    return EnumeratedSimulator(simulator, path)


def is_enumerated(simulator: Simulator, options: Mapping[str, Any], folder: Path | None = None) -> bool:
    """Whether the cache has what `enumerated` would make, or the simulator is a table already."""
    if isinstance(simulator, MeanOverWorkloads):
        return all(is_enumerated(one, options, folder) for one in simulator.simulators)
    if simulator.designs() is not None or isinstance(simulator, EnumeratedSimulator):
        return True
    return enumeration_path(simulator, options, folder).is_file()


def seconds_of(simulator: Simulator) -> float:
    """How long the enumerations took that a simulator answers from, where they were made."""
    if isinstance(simulator, MeanOverWorkloads):
        return sum(seconds_of(one) for one in simulator.simulators)
    return simulator.seconds if isinstance(simulator, EnumeratedSimulator) else 0.0


def stand_in(simulator: Simulator, kind: str, spec: ProblemSpec) -> Simulator:
    """What ``simulator=KIND`` names: the ``"model"`` itself, its enumerated ``"table"``, or a ``"proxy:PATH"``.

    Args:
        simulator: the model, bound to a workload.
        kind: one of `STAND_INS`, or a proxy of `archgym.proxies`.
        spec: what it was bound from.

    Raises:
        InputError: an unknown kind, a table that has not been made, or a proxy of something else.
    """
    if kind == "model":
        return simulator
    if kind != "table" and ":" not in kind:
        hint = did_you_mean(kind, STAND_INS)
        raise InputError(f"unknown simulator {kind!r}{hint}; allowed: {', '.join((*STAND_INS, 'proxy:PATH'))}")
    if isinstance(simulator, MeanOverWorkloads):
        return MeanOverWorkloads([stand_in(one, kind, spec) for one in simulator.simulators])
    if kind != "table":
        from archgym.proxies.simulator import proxy_stand_in

        return proxy_stand_in(simulator, kind, spec)
    path = enumeration_path(simulator, spec.options)
    command = ["archgym", "optimum", spec.env_id, "--workload", simulator.workload.name]
    for option, value in spec.options.items():
        command += [] if option == STAND_IN else ["--option", f"{option}={json.dumps(value)}"]
    remedy = f"run: {shlex.join([*command, '--recompute'])}"
    if not path.is_file():
        raise InputError(f"{simulator.workload.name!r} has not been enumerated with these options; {remedy}")
    try:
        return EnumeratedSimulator(simulator, path)
    except InputError as error:
        raise InputError(f"{error}; {remedy}") from error


def enumeration_path(simulator: Simulator, options: Mapping[str, Any], folder: Path | None = None) -> Path:
    """Where the enumeration of a simulator built with ``options`` is kept, by content."""
    built_with = {name: value for name, value in options.items() if name != STAND_IN}
    identity = [
        type(simulator).__qualname__,
        simulator.version,
        simulator.workload.name,
        simulator.workload.digest,
        simulator.describe_options() or built_with,
        simulator.space.digest,
    ]
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:24]
    return (folder or _cache_folder()) / f"{digest}.parquet"


def _cache_folder() -> Path:
    base = os.environ.get("ARCHGYM_CACHE") or os.environ.get("XDG_CACHE_HOME")
    root = Path(base) if base else Path.home() / ".cache"
    return root / "archgym" / "enumerations"
