"""Small studies for tests, and how two of them are compared."""

from pathlib import Path

import pandas as pd

from archgym.studies.results import load_study
from archgym.testing import toys

BOWL = f"{toys.__file__}:Bowl"
TIMES = ["wall_seconds", "agent_seconds"]

FRAGILE = '''
"""Random search that crashes, or whose process dies, when it is told to."""
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from archgym import AskTell, Settings, setting

MODES = ("work", "crash", "die", "die-once", "exit", "hang-on")


@dataclass(frozen=True)
class Config(Settings):
    batch: int = setting(4, "rows a call", values=(1, 2, 4, 8), low=1)
    mode: str = setting("work", "what to do in the third batch", choices=MODES)
    marker: str = setting("", "a file that says that it has died before")


class Fragile(AskTell):
    Config = Config

    def __init__(self, space, config, rng):
        self.space, self.config, self.rng, self.batches = space, config, rng, 0

    @classmethod
    def create(cls, space, config, rng, *, budget, n_objectives=1):
        return cls(space, config, rng)

    def ask(self, n):
        self.batches += 1
        if self.batches == 3:
            self.misbehave()
        return self.space.sample(min(n, self.config.batch), self.rng)

    def misbehave(self):
        if self.config.mode == "crash":
            raise ZeroDivisionError("the agent's own mistake")
        if self.config.mode == "exit":
            raise SystemExit(3)
        if self.config.mode == "hang-on" and "ray" in sys.modules:
            hang_on_one_node(Path(self.config.marker))
        died = bool(self.config.marker) and Path(self.config.marker).exists()
        if self.config.mode == "die" or (self.config.mode == "die-once" and not died):
            if self.config.marker:
                Path(self.config.marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def tell(self, rows, evaluation):
        pass


def hang_on_one_node(target):
    """On the node that a file names for ever; elsewhere until it hangs there."""
    import ray

    hanging = target.with_suffix(".hanging")
    here = ray.get_runtime_context().get_node_id() == target.read_text()
    if here:
        hanging.touch()
    while here or not hanging.exists():
        time.sleep(0.02)
'''


def fragile(folder: Path) -> str:
    """The agent's file."""
    file = folder / "fragile.py"
    if not file.exists():
        file.write_text(FRAGILE)
    return str(file)


def content(folder: Path, **changes):
    """What a study's TOML file holds: two problems, an agent with two settings, three seeds."""
    return {
        "tasks": [{"env": BOWL, "budget": 20}, {"env": BOWL, "workload": "large", "budget": 12}],
        "agents": [{"name": fragile(folder), "grid": {"batch": [3, 4]}}],
        "seeds": 3,
        **changes,
    }


def toml(folder: Path, name: str = "study.toml", **changes) -> Path:
    """The same as a file."""
    file = folder / name
    file.write_text("\n".join(f"{key} = {_literal(value)}" for key, value in content(folder, **changes).items()))
    return file


def _literal(value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_literal(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return repr(value) if isinstance(value, int | float) else f"'{value}'"


def tables(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs without their times, and improvements."""
    found = load_study(folder)
    return found.runs.drop(columns=TIMES), found.improvements


def assert_same_study(first: Path, second: Path) -> None:
    """Every row of both tables, to the bit."""
    for one, other in zip(tables(first), tables(second), strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
