"""The examples of the page on RL are run as printed, where the extra is installed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "train-rl.md"
EXAMPLE = re.compile(r"<!-- not run: needs the extra rl -->\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_examples_run_as_printed(tmp_path: Path) -> None:
    pytest.importorskip("stable_baselines3", reason="needs the extra rl")
    pytest.importorskip("sb3_contrib", reason="needs the extra rl")
    examples = EXAMPLE.findall(PAGE.read_text())
    assert len(examples) == PAGE.read_text().count("```python")
    script = tmp_path / "examples.py"
    script.write_text("\n".join(examples))
    done = subprocess.run(
        [sys.executable, "-W", "error", script.name],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},  # faster for networks of this size
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
