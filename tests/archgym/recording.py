"""Small recorded searches, for the tests of journals and run directories."""

import json
import subprocess
import sys
from pathlib import Path

import archgym
from archgym.testing import toys

ROOT = Path(__file__).parents[2]
BOWL = f"{toys.__file__}:Bowl"

AGENT = '''
"""Random batches of changing size, with repeats and several workloads' worth of state."""
import numpy as np
from dataclasses import dataclass
from archgym import AskTell, Settings, setting

@dataclass(frozen=True)
class Config(Settings):
    batch: int = setting(5, "designs a batch")
    crash_at: int = setting(0, "raise after so many batches")
    interrupt: bool = setting(False, "raise KeyboardInterrupt instead")

class Wanderer(AskTell):
    Config = Config

    def __init__(self, space, config, rng):
        self.space, self.config, self.rng, self.batches, self.seen = space, config, rng, 0, []

    @classmethod
    def create(cls, space, config, rng, *, budget, n_objectives=1):
        return cls(space, config, rng)

    def ask(self, n):
        self.batches += 1
        if self.batches == self.config.crash_at:
            raise KeyboardInterrupt if self.config.interrupt else ZeroDivisionError("the agent's own mistake")
        rows = self.space.sample(int(self.rng.integers(1, self.config.batch + 1)), self.rng)
        return np.concatenate([rows, np.array(self.seen[-2:], dtype=int).reshape(-1, rows.shape[1])])

    def tell(self, rows, evaluation):
        # What it hears steers what it draws, so a replay that answered something else would show.
        heard = np.hstack([evaluation.values, evaluation.diagnostics, evaluation.reason_detail])
        self.rng = np.random.default_rng([int(abs(np.nan_to_num(heard).sum() * 1e6)) % 2**32, self.batches])
        self.seen += rows[:1].tolist()
'''


def agent_file(folder: Path) -> Path:
    """The agent, in a file."""
    file = folder / "wanderer.py"
    if not file.exists():
        file.write_text(AGENT)
    return file


def search(folder: Path, out: str | Path, **changes):
    """A small search, recorded in ``folder / out``."""
    arguments = {"budget": 60, "seed": 5, "constraints": "energy_pj<=90", **changes}
    return archgym.search(BOWL, str(agent_file(folder)), out=folder / out, **arguments)


def run(code: str, *arguments: object, **how) -> subprocess.CompletedProcess[str]:
    """Run code in another process that can import the tests."""
    path = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    command = [sys.executable, "-W", "error", "-c", path + code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **how)


def outcome(folder: Path):
    """The columns, to the bit, and the result of a run, without its times."""
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "evaluations.parquet").drop_columns(["wall_s"])
    result = json.loads((folder / "result.json").read_text())
    assert result.pop("wall_s") >= 0
    columns = {name: column.combine_chunks() for name, column in zip(table.column_names, table.columns, strict=True)}
    bits = {n: c.to_numpy().tobytes() if c.type == "double" else c.to_pylist() for n, c in columns.items()}
    return bits, result
