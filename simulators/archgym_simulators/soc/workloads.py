"""Workloads of the SoC family: applications by name, mixes, generated graphs, and graphs from files."""

from __future__ import annotations

__all__ = ["APPLICATIONS", "WORKLOADS", "canonical_name", "workload"]

import os
from importlib import resources

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.soc.generator import GENERATED, generate, generated_spec
from archgym_simulators.soc.graph import TaskGraph, merged
from archgym_simulators.soc.graph_files import graph_from_description, read_graph

APPLICATIONS = {
    "audio-decoder": "3D audio decoding, 18 tasks, 15 with accelerators; easy: a smoke test.",
    "edge-detection": "Edge detection in an image, 8 tasks, all with accelerators that need many copies.",
    "hpvm-cava": "CAVA, the vision pipeline of a camera: a chain of 9 tasks.",
}
_THREE = "+".join(APPLICATIONS)
_ALIASES = {"three-apps": _THREE, "cava": "hpvm-cava"}

WORKLOADS = {
    **APPLICATIONS,
    "three-apps": "The three applications at once, 31 tasks, within the sum of their own budgets: the headline.",
    "audio-decoder+edge-detection": "Two at once; any mix is spelt so, with +.",
    "audio-decoder+hpvm-cava": "Two at once.",
    "edge-detection+hpvm-cava": "Two at once.",
    GENERATED: "A seeded random graph: generated:tasks=40,seed=1,... (10 to 200 tasks).",
}


def workload(spec: str) -> TaskGraph:
    """The graph of a workload: a name, a path that ends in ``.toml``, ``generated:...``, or several joined by ``+``.

    Raises:
        InputError: one line naming the spec, what is allowed and the nearest match, or what is wrong in a file.
    """
    parts = _parts(spec)
    return merged([_one(spec, part) for part in parts]) if len(parts) > 1 else _one(spec, parts[0])


def canonical_name(spec: str) -> str:
    """The one spelling of a spec: aliases resolved, parts in order.

    >>> canonical_name("cava+audio-decoder")
    'audio-decoder+hpvm-cava'
    """
    names = [generated_spec(part) if part.split(":")[0] == GENERATED else part for part in _parts(spec)]
    return "+".join(sorted(names))


def _parts(spec: str) -> list[str]:
    if spec.endswith(".toml") and os.path.isfile(spec):
        return [spec]
    resolved = [name for part in spec.split("+") for name in _ALIASES.get(part, part).split("+")]
    repeated = next((name for name in resolved if resolved.count(name) > 1), None)
    if repeated:
        raise InputError(f"workload {spec!r} names {repeated!r} twice")
    return resolved


def _one(spec: str, name: str) -> TaskGraph:
    if name in APPLICATIONS:
        return _builtin(name)
    if name.split(":")[0] == GENERATED:
        return generate(name)
    if name.endswith(".toml"):
        return read_graph(name)
    known = (*APPLICATIONS, *_ALIASES, GENERATED)
    hint = did_you_mean(name, known)
    raise InputError(f"unknown workload {spec!r}{hint}; allowed: {', '.join(known)}, mixes with +, or a path of .toml")


def _builtin(name: str) -> TaskGraph:
    import tomllib

    file = resources.files("archgym_simulators.soc").joinpath(f"{name.replace('-', '_')}.toml")
    return graph_from_description(tomllib.loads(file.read_text(encoding="utf-8")), name)
