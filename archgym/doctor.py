"""What is installed, what is missing, and what works: the checks behind ``archgym doctor``."""

from __future__ import annotations

__all__ = ["SUITES", "Finding", "agent_findings", "environment_findings", "installation", "matrix_findings"]

import importlib
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution, requires, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from archgym.registry import agent_class, environment, simulator_class
from archgym_simulators import OK as VALID
from archgym_simulators import MissingExtra

if TYPE_CHECKING:
    from packaging.requirements import Requirement

OK, MISSING, FAILED = "ok", "missing", "FAILED"
SUITES = {
    "check_simulator": ("archgym.testing.simulators", "SIMULATOR_CHECKS"),
    "check_env": ("archgym.testing.environments", "ENVIRONMENT_CHECKS"),
    "check_agent": ("archgym.testing.agents", "AGENT_CHECKS"),
}
"""Conformance suites: where they are, and the table of their checks by name."""

_TRIAL_CALLS = 40


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Attributes:
        subject: what was checked: a package, an extra, an environment, an agent.
        check: name of the check.
        status: ``"ok"``; ``"missing"`` for something optional; ``"FAILED"`` for what should work and does not.
        note: one line: a version, or why not and what to do.
    """

    subject: str
    check: str
    status: str
    note: str = ""


# ---- installation --------------------------------------------------------------------------------------------------


def installation() -> list[Finding]:
    """Python, core packages, extras, the kernel cache, processors, torch."""
    findings = [Finding("python", "version", OK, f"{platform.python_version()} on {platform.platform()}")]
    findings += [_package(requirement) for requirement in _requirements("")]
    findings += [_extra(name) for name in extras()]
    return [*findings, _kernel_cache(), _processors(), _torch()]


def extras() -> list[str]:
    """Names of the optional dependency groups, without the one that means all."""
    names = distribution("archgym").metadata.get_all("Provides-Extra") or []
    return [name for name in names if name != "all"]


def _requirements(extra: str) -> list[Requirement]:
    """Requirements of the core (``extra=""``) or of one extra, without references to other extras."""
    from packaging.requirements import Requirement

    wanted = []
    for text in requires("archgym") or []:
        requirement = Requirement(text)
        marker = requirement.marker
        in_core = marker is None or marker.evaluate({"extra": ""})
        applies = marker is None or marker.evaluate({"extra": extra})
        if requirement.name != "archgym" and applies and (not extra or not in_core):
            wanted.append(requirement)
    return wanted


def _package(requirement: Requirement) -> Finding:
    problem = _problem_with(requirement)
    status = FAILED if problem else OK
    return Finding(requirement.name, "package", status, problem or version(requirement.name))


def _problem_with(requirement: Requirement) -> str:
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is not installed; run: pip install '{requirement.name}{requirement.specifier}'"
    if requirement.specifier.contains(found, prereleases=True):
        return ""
    wanted = f"{requirement.name}{requirement.specifier}"
    return f"{requirement.name} {found} is installed, {wanted} is needed; run: pip install '{wanted}'"


def _extra(name: str) -> Finding:
    wanted = _requirements(name)
    problems = [requirement.name for requirement in wanted if _problem_with(requirement)]
    if not wanted:
        return Finding(name, "extra", MISSING, f"has no packages for Python {platform.python_version()}")
    if problems:
        return Finding(name, "extra", MISSING, f"needs {', '.join(problems)}; run: pip install 'archgym[{name}]'")
    return Finding(name, "extra", OK, ", ".join(f"{one.name} {version(one.name)}" for one in wanted))


def _kernel_cache() -> Finding:
    """Where numba can keep compiled kernels: its own setting, beside the sources, or the user's cache directory."""
    import archgym_simulators

    beside = Path(archgym_simulators.__file__).parent / "__pycache__"
    user = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "numba"
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    for place in [Path(chosen)] if chosen else [beside, user]:
        if _is_writable(place):
            return Finding("kernel cache", "writable", OK, str(place))
    return Finding(
        "kernel cache", "writable", MISSING, "every process compiles anew; set NUMBA_CACHE_DIR to a writable directory"
    )


def _is_writable(place: Path) -> bool:
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False


def _processors() -> Finding:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Finding("processors", "usable", OK, f"{usable} of {os.cpu_count()}")


def _torch() -> Finding:
    """Which build of torch, from its metadata: importing it takes seconds."""
    try:
        found = distribution("torch")
    except PackageNotFoundError:
        return Finding("torch", "build", MISSING, "not installed; archgym demo does not need it")
    local = found.version.partition("+")[2]
    wants_cuda = any(text.startswith("nvidia-") for text in found.requires or [])
    kind = "CPU" if local == "cpu" or not (wants_cuda or local) else "ROCm" if "rocm" in local else "CUDA"
    driver = any(Path(device).exists() for device in ("/dev/nvidia0", "/dev/kfd"))
    return Finding("torch", "build", OK, f"{found.version}, {kind} build, {'a' if driver else 'no'} GPU device present")


# ---- environments and agents ---------------------------------------------------------------------------------------


def environment_findings(env_id: str) -> Iterator[Finding]:
    """Can it be imported, does its baseline evaluate, does Gymnasium's own face of it take a step."""
    imported = _attempt(env_id, "import", lambda: simulator_class(env_id).__name__)
    yield imported
    if imported.status == OK:
        yield _attempt(env_id, "baseline", lambda: _evaluate_baseline(env_id))
        yield _attempt(env_id, "step", lambda: _step(env_id))


def agent_findings(name: str) -> Iterator[Finding]:
    """Can it be imported, and does it search a toy to the end of a small budget."""
    imported = _attempt(name, "import", lambda: agent_class(name).__name__)
    yield imported
    if imported.status == OK:
        yield _attempt(name, "search", lambda: _search_toy(name))


def matrix_findings(suite: str, name: str) -> Iterator[Finding]:
    """One finding a check of a conformance suite of `archgym.testing`; they take from seconds to minutes.

    Args:
        suite: of `SUITES`.
        name: id of an environment, or name of an agent.
    """
    module, checks = SUITES[suite]
    home = importlib.import_module(module)
    run = getattr(home, suite)
    for check in getattr(home, checks):
        yield _attempt(name, check, partial(run, name, checks=[check]))


def _attempt(subject: str, check: str, work: Callable[[], object]) -> Finding:
    try:
        note = work()
    except MissingExtra as error:
        return Finding(subject, check, MISSING, str(error))
    except (Exception, SystemExit) as error:
        if isinstance(error.__cause__, MissingExtra):  # conformance suites wrap what they meet
            return Finding(subject, check, MISSING, str(error.__cause__))
        first = next(iter(str(error).splitlines()), "")
        return Finding(subject, check, FAILED, f"{type(error).__name__}: {first}")
    return Finding(subject, check, OK, note if isinstance(note, str) else "")


def _evaluate_baseline(env_id: str) -> str:
    simulator = simulator_class(env_id)(environment(env_id).default_workload)  # type: ignore[call-arg]
    row = simulator.space.as_rows(np.array([simulator.baseline.row], dtype=np.int64))
    found = simulator.evaluate(simulator.space.canonical(row))
    if found.status[0] != VALID or not np.isfinite(found.values).all():
        raise ValueError(f"the baseline {simulator.baseline.name!r} is {found.status_name(0)}: {found.reason(0)}")
    metric = simulator.metrics[0].name
    return f"version {simulator.version}; {simulator.baseline.name}: {metric} {found.values[0, 0]:,.6g}"


def _step(env_id: str) -> str:
    import gymnasium

    env = gymnasium.make(env_id)
    env.reset(seed=0)
    env.action_space.seed(0)
    reward = env.step(env.action_space.sample())[1]
    env.close()
    return f"reward {float(reward):.4g}"


def _search_toy(name: str) -> str:
    from archgym.api import search

    bowl = "EffortBowl" if agent_class(name).NEEDS_FIDELITY else "Bowl"
    toy = f"{Path(__file__).parent / 'testing' / 'toys.py'}:{bowl}"
    return f"{search(toy, name, budget=_TRIAL_CALLS, seed=0).calls} simulations of a toy"
