"""An agent in a fresh process: what importing it brings, and whether it proposes the same there."""

from __future__ import annotations

__all__: list[str] = []

import importlib
import json
import os
import subprocess
import sys
from operator import attrgetter
from typing import Any

from archgym.agent import Agent
from archgym.session import Budget
from archgym.testing._agent_runs import Subject, watch


def elsewhere(subject: Subject, toy: str, *, seed: int, budget: int, forbidden: tuple[str, ...]) -> dict[str, Any]:
    """In a fresh process with another hash seed: which forbidden modules the import brings, and the trajectory."""
    order = {
        "reach": subject.reach,
        "options": dict(subject.options),
        "toy": toy,
        "seed": seed,
        "budget": budget,
        "forbidden": forbidden,
    }
    finished = subprocess.run(
        [sys.executable, "-c", f"from {__name__} import answer; answer()"],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "PYTHONHASHSEED": "4711"},
    )
    if finished.returncode:
        last = (finished.stderr.strip().splitlines() or ["no message"])[-1]
        raise subject.error(f"cannot be run in a fresh process: {last}")
    answered: dict[str, Any] = json.loads(finished.stdout.strip().splitlines()[-1])
    return answered


def answer() -> None:
    """The other end of `elsewhere`: reads its order from standard input, writes one JSON line."""
    order = json.loads(sys.stdin.read())
    before = set(sys.modules)
    agent = _found(order["reach"])
    if agent is None:
        sys.stdout.write(json.dumps({"imported": [], "digest": None}) + "\n")
        return
    subject = Subject.of(agent, order["options"])
    imported = {name.partition(".")[0] for name in set(sys.modules) - before}
    found = sorted(imported & set(order["forbidden"]))
    run = watch(subject, subject.toy(order["toy"]), seed=order["seed"], budget=Budget(order["budget"]))
    sys.stdout.write(json.dumps({"imported": found, "digest": run.digest}) + "\n")


def _found(reach: str) -> str | type[Agent] | None:
    """A name or file as it stands, or the class that is meant; None where its module is not on the path."""
    if ":" not in reach or reach.endswith(".py") or reach.startswith("exec:"):
        return reach
    module, _, name = reach.partition(":")
    try:
        found: type[Agent] = attrgetter(name)(importlib.import_module(module))
    except ModuleNotFoundError:
        return None
    return found
