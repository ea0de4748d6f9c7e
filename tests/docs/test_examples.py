"""The manual's examples are run as printed.

A comment on the line before a fence says what is done with it: ``<!-- file: NAME -->`` saves it under that name,
``<!-- run -->`` runs it (Python blocks of a page together and in order, then console lines one by one), and
``<!-- not run: WHY -->`` leaves it alone.
"""

import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(
    r"(?:<!-- (?P<mark>[^\n]*?) -->\n)?```(?P<language>\w+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


def blocks(page, mark, language=None):
    found = [block for block in FENCE.finditer(page.read_text()) if (block["mark"] or "").startswith(mark)]
    return [block for block in found if language in (None, block["language"])]


def python_script(page):
    """The page's Python blocks at the page's line numbers, so that a traceback points into the page."""
    text = page.read_text()
    lines = [""] * text.count("\n")
    for block in blocks(page, "run", "python"):
        first = text.count("\n", 0, block.start("code"))
        code = block["code"].splitlines()
        lines[first : first + len(code)] = code
    return "\n".join(lines)


def run(folder, *command):
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", *command], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"


def name_of(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "run")], ids=name_of)
def test_marked_examples_run_as_printed(page, tmp_path):
    for block in blocks(page, "file: "):
        (tmp_path / block["mark"].removeprefix("file: ")).write_text(block["code"])
    script = python_script(page)
    if script.strip():
        file = tmp_path / f"{page.stem}.md.py"
        file.write_text(script)
        run(tmp_path, file.name)
    for block in blocks(page, "run", "console"):
        for line in block["code"].replace("\\\n", " ").splitlines():
            command, *arguments = shlex.split(line, comments=True)
            assert command == "archgym", f"{name_of(page)}: cannot run {line!r}"
            run(tmp_path, "-m", "archgym", *arguments)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_python_example_says_what_is_done_with_it(page):
    marks = [(block["mark"] or "", block["code"]) for block in blocks(page, "", "python")]
    unmarked = [code for mark, code in marks if not re.match(r"(run$|file: \S|not run: \S)", mark)]
    assert not unmarked


def test_a_failing_example_fails(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("text\n\n<!-- run -->\n```python\nassert 1 == 2\n```\n")
    assert python_script(page).splitlines() == ["", "", "", "", "assert 1 == 2"]
    (tmp_path / "script.py").write_text(python_script(page))
    with pytest.raises(AssertionError, match="line 5"):
        run(tmp_path, "script.py")


@pytest.mark.parametrize("package", ["archgym", "archgym.testing"])
def test_every_public_name_is_in_the_reference(package):
    reference = (ROOT / "docs" / "reference.md").read_text()
    elsewhere = importlib.import_module("archgym_simulators").__all__  # listed there by automodule
    names = [name for name in importlib.import_module(package).__all__ if name not in elsewhere]
    missing = [name for name in names if not re.search(rf"{re.escape(package)}\.{name}\b", reference)]
    assert not missing


def test_every_page_is_in_the_manual():
    listed = (ROOT / "docs" / "index.md").read_text().splitlines()
    pages = [page.relative_to(ROOT / "docs").with_suffix("").as_posix() for page in (ROOT / "docs").rglob("*.md")]
    assert sorted(set(pages) - set(listed)) == ["index"]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_to_files_lead_somewhere(page):
    targets = re.findall(
        r"\]\((?!https?://|#)([^)#\s]+)", re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    )
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_every_task_is_named_on_the_tasks_page():
    from archgym.tasks import task_names

    page = (ROOT / "docs" / "tasks.md").read_text()
    assert [name for name in task_names() if f"`{name}`" not in page] == []
