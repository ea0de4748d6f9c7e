import shlex
import sys

import numpy as np
import pytest

import archgym


@pytest.fixture(autouse=True, scope="session")
def registered_toys():
    for name in ("Bowl", "HugeSpace", "OneDesign", "AlwaysInvalid", "Flaky"):
        archgym.register(f"toy/{name}-v0", f"archgym.testing.toys:{name}")


@pytest.fixture
def proposals():
    """Everything an agent proposes to a session, in order: (N, D)."""

    def collect(agent, toy, *, seed=1, largest_ask=None, options=None, **limits):
        from archgym.registry import agent_class

        session = archgym.make_session(toy if ":" in toy else f"toy/{toy}-v0", **limits)
        built = agent_class(agent)
        config = built.Config.from_options(options or {})
        searcher = built.create(session.space, config, np.random.default_rng(seed), budget=session.remaining)
        batches = []
        while True:
            rows = searcher.ask(min(max(session.remaining, 1), largest_ask or 1 << 30))
            batches.append(rows)
            if not len(rows):
                break
            try:
                searcher.tell(rows, session.evaluate(rows))
            except archgym.SessionOver:
                break
        return np.concatenate(batches), session

    return collect


@pytest.fixture
def program(tmp_path):
    """Writes a program; its agent's name."""

    def write(source, *arguments, name="program.py"):
        path = tmp_path / name
        path.write_text(source)
        return "exec:" + shlex.join([sys.executable, "-S", str(path), *map(str, arguments)])

    return write
