"""The command line in this process, and as its own process."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import archgym.testing.toys
from archgym.cli.main import main

TOYS = archgym.testing.toys.__file__


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def flat(self) -> str:
        """The output without line breaks, because sentences are wrapped."""
        return " ".join(self.out.split())

    def assert_is_one_line_error(self, *parts: str) -> None:
        """Exit status 2 and one line on stderr that names what it should; nothing on stdout."""
        assert self.status == 2, self
        assert self.err.startswith("archgym: ")
        assert self.err.count("\n") == 1
        assert self.err.endswith("\n")
        assert "Traceback" not in self.err
        assert not self.out
        for part in parts:
            assert part in self.err


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run the command line in this process."""

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return run


@pytest.fixture
def process() -> Callable[..., Outcome]:
    """Run the command line as ``python -m archgym``."""

    def run(*arguments: object, **how: object) -> Outcome:
        command = [sys.executable, "-m", "archgym", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **how)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def toy() -> Callable[[str], str]:
    """The id of a toy, as a path."""
    return lambda name: f"{TOYS}:{name}"


@pytest.fixture
def bowl(toy: Callable[[str], str]) -> str:
    """The id of the toy with every parameter kind."""
    return toy("Bowl")


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    """A random agent in a file of its own."""
    file = tmp_path / "my_agent.py"
    file.write_text(
        '"""Draws at random."""\n'
        "from dataclasses import dataclass\n"
        "from archgym import AskTell, Settings, setting\n"
        "@dataclass(frozen=True)\n"
        "class Config(Settings):\n"
        "    batch: int = setting(8, 'rows a call', low=1)\n"
        "class Random(AskTell):\n"
        "    Config = Config\n"
        "    def __init__(self, space, config, rng):\n"
        "        self.space, self.config, self.rng = space, config, rng\n"
        "    @classmethod\n"
        "    def create(cls, space, config, rng, *, budget, n_objectives=1):\n"
        "        return cls(space, config, rng)\n"
        "    def ask(self, n):\n"
        "        return self.space.sample(min(n, self.config.batch), self.rng)\n"
        "    def tell(self, rows, evaluation):\n"
        "        pass\n"
    )
    return file
