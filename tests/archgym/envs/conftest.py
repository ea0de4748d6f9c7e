"""Every environment id, built in and toy, and every view, for tests that hold for all of them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import gymnasium as gym
import pytest

import archgym
from archgym import registry
from archgym.registry import several_objectives_id
from archgym_simulators import builtin_families

TOYS = ("Bowl", "HugeSpace", "OneDesign", "AlwaysInvalid")
VIEWS = ("SequentialView", "EditView", "ContinuousView", "DictView")
TABLE = "archgym/Table-v0"
NEEDED = {"archgym/NAS201Digits-v0": {"partial": True}}
"""Options without which an id cannot be bound in every state of the tree: its table may have missing rows."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "env_id" in metafunc.fixturenames:
        metafunc.parametrize("env_id", [*builtin_families(), *(f"toy/{name}-v0" for name in TOYS)])
    if "view" in metafunc.fixturenames:
        metafunc.parametrize("view", VIEWS)
    if "horizon" in metafunc.fixturenames:
        metafunc.parametrize("horizon", [1, 5])


@pytest.fixture(autouse=True, scope="module")
def toys() -> Iterator[None]:
    names = [f"toy/{name}-v0" for name in (*TOYS, "Flaky")]
    for name, env_id in zip((*TOYS, "Flaky"), names, strict=True):
        archgym.register(env_id, f"archgym.testing.toys:{name}")
    yield
    _forget(names)


@pytest.fixture
def registered() -> Iterator[Callable[..., None]]:
    """`archgym.register` for the length of a test."""
    names: list[str] = []

    def register(env_id: str, entry: str, **about: str) -> None:
        names.append(env_id)
        archgym.register(env_id, entry, **about)

    yield register
    _forget(names)


def _forget(names: list[str]) -> None:
    for env_id in names:
        registry._registered.pop(env_id, None)
        for known in (env_id, several_objectives_id(env_id)):
            gym.registry.pop(known, None)
    registry.simulator_class.cache_clear()


@pytest.fixture
def arguments(env_id: str, tmp_path: Path) -> dict[str, object]:
    """What ``gym.make`` needs for an id beside the id."""
    if env_id != TABLE:
        return NEEDED.get(env_id, {})
    path = tmp_path / "measured.csv"
    designs = [(a, b) for a in (1, 2, 4) for b in ("open", "closed") if (a, b) != (4, "open")]
    rows = [f"{a},{b},{10 * a + len(b)},{100 - a}" for a, b in designs]
    path.write_text("\n".join(["banks,policy,latency_ns,energy_pj", *rows]) + "\n")
    return {"path": str(path), "design": ["banks", "policy"]}
