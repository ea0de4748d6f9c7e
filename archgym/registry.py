"""Names to environments and agents: built in, registered, installed by others, or given as a path."""

from __future__ import annotations

__all__ = [
    "agent_class",
    "agent_names",
    "environment",
    "environments",
    "register",
    "several_objectives_id",
    "simulator_class",
]

import hashlib
import importlib
import importlib.util
import pkgutil
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from archgym_simulators import Family, InputError, MissingExtra, Simulator, builtin_families, load_simulator_class
from archgym_simulators.nearest import did_you_mean

if TYPE_CHECKING:
    from archgym.agent import Agent

_registered: dict[str, Family] = {}


def register(
    env_id: str, entry: str, *, default_workload: str = "default", description: str = "", extra: str = ""
) -> None:
    """Make a simulator an environment: ``archgym.register("my/Chip-v0", "my_chip:Chip")``.

    The entry is a string, so nothing is imported until the environment is used. Registering an id again replaces it.

    Args:
        env_id: ``"namespace/Name-v0"``.
        entry: ``"module:Class"`` of a subclass of `archgym_simulators.Simulator`.
        default_workload: the workload spec used where none is given.
        description: one sentence for ``archgym list``.
        extra: name of the optional dependency group of archgym that it needs.
    """
    if ":" not in entry:
        raise InputError(f"entry {entry!r} must read 'module:Class'")
    family = Family(env_id, entry, default_workload, description, extra)
    _register_with_gymnasium(family)
    _registered[env_id] = family
    simulator_class.cache_clear()


def register_all() -> None:
    """Register every known family with Gymnasium; called once by ``import archgym``."""
    for family in environments().values():
        with suppress(InputError):  # a malformed id of one installed package must not break the others
            _register_with_gymnasium(family)


def environments() -> dict[str, Family]:
    """Every environment by id: installed by other packages, built in, and registered by hand.

    What is installed cannot take the place of what is built in; only `register` can.
    """
    return {**_installed_families(), **builtin_families(), **_registered}


def environment(env_id: str) -> Family:
    """The family behind an id, or behind ``path/chip.py:Chip``.

    Raises:
        InputError: for an unknown id, with the nearest match.
    """
    known = environments()
    if env_id in known:
        return known[env_id]
    path, _, class_name = env_id.rpartition(":")
    if env_id.endswith(".py"):
        raise InputError(f"environment {env_id!r} must name a class of the file: '{env_id}:Class'")
    if path.endswith(".py"):
        _check_class(_module_from_path(path), path, class_name)
        return Family(env_id, f"{_module_name(path)}:{class_name}", "default", f"from {path}")
    raise InputError(
        f"unknown environment {env_id!r}{did_you_mean(env_id, known)}; allowed: {', '.join(sorted(known))}"
    )


@cache
def simulator_class(env_id: str) -> type[Simulator]:
    """The simulator class behind an id or path."""
    family = environment(env_id)
    return load_simulator_class(family.entry, family.extra)


def several_objectives_id(env_id: str) -> str:
    """The id of the same family with a vector reward: ``archgym/DRAM-MO-v0``."""
    name, _, version = env_id.rpartition("-v")
    return f"{name}-MO-v{version}" if name else f"{env_id}-MO"


def agent_names() -> tuple[str, ...]:
    """Agents by name: modules of ``archgym_agents``, then those that other packages install."""
    own = _own_agents()
    return (*own, *sorted(set(_installed_agents()) - set(own)))


def agent_class(name: str) -> type[Agent]:
    """The agent of that name (``-`` and ``_`` are the same), of ``path/agent.py``, or the program ``exec:PROGRAM``.

    Raises:
        InputError: for an unknown name, with the nearest match.
        MissingExtra: where the agent's optional dependency is missing.
    """
    if name.startswith("exec:"):
        from archgym.external_agent import external_agent

        return external_agent(name)
    if name.endswith(".py"):
        return _agent_of(_module_from_path(name), name)
    module_name = name.replace("-", "_")
    if module_name in _own_agents():
        return _agent_of(importlib.import_module(f"archgym_agents.{module_name}"), name)
    installed = _installed_agents()
    if name in installed:
        return _as_agent(_loaded(installed[name]), name)
    raise InputError(f"unknown agent {name!r}{did_you_mean(name, agent_names())}; allowed: {', '.join(agent_names())}")


def source_digest(name: str) -> str:
    """Content hash of the file behind ``path/chip.py:Chip``, ``path/agent.py`` or ``exec:PROGRAM``.

    Empty for what has a version.
    """
    if name.startswith("exec:"):
        from archgym.external_agent import program_digest

        return program_digest(name)
    path = name if name.endswith(".py") else name.rpartition(":")[0]
    if not path.endswith(".py"):
        return ""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


def _own_agents() -> tuple[str, ...]:
    spec = importlib.util.find_spec("archgym_agents")
    places = list(spec.submodule_search_locations or ()) if spec else []
    return tuple(sorted(m.name for m in pkgutil.iter_modules(places) if not m.name.startswith("_")))


def _loaded(point: EntryPoint) -> Any:
    try:
        return point.load()
    except MissingExtra:
        raise
    except Exception as error:
        raise InputError(
            f"cannot load agent {point.name!r} from {_origin(point)}: {type(error).__name__}: {error}"
        ) from error


def _agent_of(module: ModuleType, name: str) -> type[Agent]:
    from archgym.agent import Agent

    own = [v for v in vars(module).values() if isinstance(v, type) and issubclass(v, Agent)]
    own = [v for v in own if v.__module__ == module.__name__ and not getattr(v, "__abstractmethods__", None)]
    public = [v for v in own if not v.__name__.startswith("_")]
    if len(public) != 1:
        raise InputError(
            f"agent {name!r} must define exactly one public subclass of archgym.Agent, found {len(public)}"
        )
    return public[0]


def _as_agent(loaded: Any, name: str) -> type[Agent]:
    from archgym.agent import Agent

    if isinstance(loaded, ModuleType):
        return _agent_of(loaded, name)
    if not (isinstance(loaded, type) and issubclass(loaded, Agent)):
        raise InputError(f"installed agent {name!r} must be a subclass of archgym.Agent, found {loaded!r}")
    return loaded


def _check_class(module: ModuleType, path: str, name: str) -> None:
    found = vars(module).get(name)
    if isinstance(found, type) and issubclass(found, Simulator):
        return
    classes = [n for n, v in vars(module).items() if isinstance(v, type) and issubclass(v, Simulator)]
    what = f"no class {name!r}" if found is None else f"{name!r}, which is no subclass of archgym_simulators.Simulator"
    raise InputError(
        f"{path!r} has {what}{did_you_mean(name, classes)}; simulators in it: {', '.join(classes) or 'none'}"
    )


def _module_name(path: str) -> str:
    return f"_archgym_file_{Path(path).resolve().as_posix().encode().hex()}"


def _module_from_path(path: str) -> ModuleType:
    file = Path(path)
    if not file.is_file():
        raise InputError(f"no file {path!r}; a path must name an existing .py file")
    name = _module_name(path)
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InputError(f"cannot import {path!r}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except MissingExtra:
        del sys.modules[name]
        raise
    except Exception as error:
        del sys.modules[name]
        raise InputError(f"cannot import {path!r}: {type(error).__name__}: {error}") from error
    return module


@cache
def _installed_families() -> dict[str, Family]:
    # An entry point reads "my/Chip-v0 = my_chip:Chip"; what it names is imported only when used.
    found = entry_points(group="archgym.simulators")
    return {point.name: Family(point.name, point.value, "default", f"from {_origin(point)}") for point in found}


@cache
def _installed_agents() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group="archgym.agents")}


def _origin(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "an installed package"


def _register_with_gymnasium(family: Family) -> None:
    import gymnasium

    several = several_objectives_id(family.id)
    for env_id in (family.id, several):
        try:
            gymnasium.envs.registration.parse_env_id(env_id)
        except gymnasium.error.Error as error:
            raise InputError(f"environment id {env_id!r} must read 'namespace/Name-v0': {error}") from None
    for env_id in (family.id, several):
        gymnasium.registry.pop(env_id, None)
    gymnasium.register(
        id=family.id,
        entry_point="archgym.envs.design_env:DesignEnv",
        vector_entry_point="archgym.envs.design_vector_env:DesignVectorEnv",
        kwargs={"env_id": family.id},
    )
    gymnasium.register(
        id=several,
        entry_point="archgym.envs.multi_objective:MultiObjectiveDesignEnv",
        vector_entry_point="archgym.envs.multi_objective:MultiObjectiveDesignVectorEnv",
        disable_env_checker=True,  # the passive checker wants a scalar reward
        kwargs={"env_id": family.id},
    )
