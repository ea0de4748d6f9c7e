"""Data that users bring: imported from the reference tables where these are, else tests that need them are skipped.

Ctrl-C reaches the programs that tests start also where the tests themselves run in the background.
"""

import hashlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import archgym_simulators.nas
from archgym_simulators.errors import MissingData
from archgym_simulators.nas.official_imports import import_data

REFERENCES = Path(__file__).parents[2] / "shared" / "refs" / "nas"
TABLES = {
    "nats-tss": "nb201_accuracy.parquet",
    "help-latency": "nb201_latency_help.parquet",
    "nas-bench-macro": "nas_bench_macro.parquet",
    "accel-nasbench": "accel_nasbench_mnasnet.parquet",
}


def _digest() -> str:
    """Of what an import depends on: the tables, and the code that reads them."""
    found = hashlib.sha256()
    sources = sorted(Path(archgym_simulators.nas.__file__).parent.glob("official_*.py"))
    for file in [*sources, *(REFERENCES / name for name in TABLES.values())]:
        found.update(file.read_bytes())
    return found.hexdigest()[:16]


def pytest_configure(config: pytest.Config) -> None:
    """Point every test, and the processes that it starts, at imported tables; they are kept for the next time."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as of a shell's background job; programs would inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if "ARCHGYM_DATA" in os.environ or not all((REFERENCES / name).is_file() for name in TABLES.values()):
        return
    folder = Path(config.cache.mkdir(f"archgym-data-{_digest()}"))
    for kind, name in TABLES.items():
        if not (folder / f"{kind}.parquet").is_file():
            import_data(kind, REFERENCES / name, folder=folder)
    os.environ["ARCHGYM_DATA"] = str(folder)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    """Skip a test whose fixtures need data that nobody has imported, with the command that would."""
    yield from _skipping()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Skip a test that needs data which nobody has imported."""
    yield from _skipping()


def _skipping() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        missing = error if isinstance(error, MissingData) else error.__cause__  # conformance suites wrap what they meet
        if not isinstance(missing, MissingData):
            raise
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def one_torch_thread() -> Iterator[None]:
    """Sums of several threads are grouped differently, and change bits."""
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
