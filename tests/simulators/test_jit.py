"""The kernel decorators: cached by content, announced once, and without numba until a kernel is needed."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "simulators"

HELPER = """
from archgym_simulators._jit import inner_kernel
@inner_kernel
def amount():
    return {amount}
"""
OUTER = """
from archgym_simulators._jit import kernel
from helper import amount
@kernel
def total(n):
    return n * amount()
"""


def run(code, folder, **environment):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=folder,
        env={"PYTHONPATH": f"{PACKAGE}:{folder}", "PATH": "", "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


USE = """
    import archgym_simulators._jit as jit
    jit.announce_compilation(print)
    from outer import total
    print(total(2))
"""


@pytest.fixture
def modules(tmp_path):
    (tmp_path / "helper.py").write_text(HELPER.format(amount=10))
    (tmp_path / "outer.py").write_text(OUTER)
    return tmp_path


def test_compilation_is_announced_once_and_cached(modules):
    first = run(USE, modules).splitlines()
    assert first[-1] == "20"
    assert len(first) == 2
    assert first[0].startswith("archgym: compiling")
    assert run(USE, modules) == "20"


def test_a_changed_helper_in_another_file_is_noticed(modules):
    run(USE, modules)
    (modules / "helper.py").write_text(HELPER.format(amount=1001))
    assert run(USE, modules).splitlines()[-1] == "2002"


def test_a_changed_helper_below_its_caller_is_noticed(modules):
    below = """
from archgym_simulators._jit import inner_kernel
@inner_kernel
def amount():
    return below()
@inner_kernel
def below():
    return {amount}
"""
    (modules / "helper.py").write_text(below.format(amount=10))
    assert run(USE, modules).splitlines()[-1] == "20"
    (modules / "helper.py").write_text(below.format(amount=1001))
    assert run(USE, modules).splitlines()[-1] == "2002"


def test_kernels_that_differ_in_what_they_close_over_share_an_index(modules):
    (modules / "outer.py").write_text("""
from archgym_simulators._jit import kernel
def made(factor):
    @kernel
    def total(n):
        return n * factor
    return total
twice, thrice = made(2), made(3)
""")
    use = """
        import archgym_simulators._jit as jit
        jit.announce_compilation(print)
        from outer import thrice, twice
        print(twice(10), thrice(10))
    """
    assert run(use, modules).splitlines()[-1] == "20 30"
    assert run(use, modules) == "20 30"


def test_an_unwritable_cache_is_no_obstacle(modules):
    code = """
        import numba.core.caching as caching
        caching.CacheImpl._locator_classes = []
    """
    assert run(textwrap.dedent(code) + textwrap.dedent(USE), modules).splitlines()[-1] == "20"


def test_importing_the_package_or_the_model_loads_no_numba(tmp_path):
    code = """
        import sys
        import archgym_simulators
        import archgym_simulators.dram.model
        print("numba" in sys.modules)
    """
    assert run(code, tmp_path) == "False"
