"""Imports run one way, are light, and files stay small."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "archgym_simulators": ROOT / "simulators/archgym_simulators",
    "archgym": ROOT / "archgym",
    "archgym_agents": ROOT / "agents/archgym_agents",
    "experiments": ROOT / "experiments",
}
FORBIDDEN = {
    "archgym_simulators": {"archgym", "archgym_agents", "experiments", "gymnasium", "gym", "pettingzoo"},
    "archgym": {"archgym_agents", "experiments"},
    "archgym_agents": {"experiments"},
    "experiments": set(),
}
HEAVY = ["torch", "optuna", "pandas", "numba", "llvmlite", "matplotlib", "pyarrow", "scipy", "sklearn", "plotly", "ray"]
MOST_LINES = 400


def sources():
    return [(name, file) for name, folder in PACKAGES.items() for file in sorted(folder.rglob("*.py"))]


def imported(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno} has a relative import"
            yield node.module, node.lineno


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_one_way(package):
    files = [file for name, file in sources() if name == package]
    wrong = [
        f"{file.relative_to(ROOT)}:{line} imports {module}"
        for file in files
        for module, line in imported(file)
        if module.split(".")[0] in FORBIDDEN[package]
    ]
    assert wrong == []


def test_the_walk_sees_every_package():
    found = {name for name, _ in sources()}
    assert {"archgym_simulators", "archgym", "archgym_agents"} <= found


WATCH = """
import sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
import {package}
print([m for m in {heavy!r} if m in sys.modules])
print([f for f in opened if f.startswith({folders!r}) and not f.endswith((".py", ".pyc")) and ".pyc." not in f])
"""


@pytest.mark.parametrize("package", ["archgym", "archgym_simulators", "archgym.testing", "archgym_agents"])
def test_importing_loads_nothing_heavy_and_reads_no_data(package):
    folders = tuple(map(str, PACKAGES.values()))
    code = WATCH.format(package=package, heavy=HEAVY, folders=folders)
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n[]\n"


def test_agents_are_listed_and_found_without_importing_any_extra():
    code = (
        "import sys\nfrom archgym.registry import agent_names, agent_class\n"
        "from archgym_simulators import MissingExtra\n"
        "for name in agent_names(): agent_class(name)\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_files_stay_small_and_have_a_subject():
    long = {str(f.relative_to(ROOT)): n for _, f in sources() if (n := len(f.read_text().splitlines())) > MOST_LINES}
    assert long == {}
    vague = {"utils.py", "util.py", "common.py", "helpers.py", "misc.py"}
    assert [str(f.relative_to(ROOT)) for _, f in sources() if f.name in vague] == []


def test_library_code_names_no_place_of_this_machine():
    places = [f"{ROOT}/", f"{Path.home()}/"]
    wrong = [str(f.relative_to(ROOT)) for _, f in sources() if any(place in f.read_text() for place in places)]
    assert wrong == []
