"""The example of an external agent: a language model that answers in text."""

import shlex
import sys
from pathlib import Path

import archgym

ROOT = Path(__file__).parents[2]


def _language_model(*arguments) -> str:
    return "exec:" + shlex.join([sys.executable, str(ROOT / "experiments/language_model/agent.py"), *arguments])


def test_a_language_model_searches_by_its_text_replies(tmp_path) -> None:
    agent = _language_model("--replies", str(ROOT / "experiments/language_model/replies.txt"))
    problem = {"workload": "random", "objective": "total-time", "budget": 6, "seed": 1}
    result = archgym.search("archgym/DRAM-v0", agent, out=tmp_path / "run", **problem)
    assert result.stop_reason in ("budget", "max_proposals")
    tried = archgym.load_dataset(str(tmp_path / "run")).readable()["scheduler"]
    assert {"FrFcfs", "FrFcfsGrp"} <= set(tried)


def test_a_model_that_is_a_command_reads_prompts_with_everything_known(tmp_path) -> None:
    model = tmp_path / "model.py"
    model.write_text(
        "import pathlib, sys\n"
        f"log = pathlib.Path({str(tmp_path / 'prompts')!r})\nprompt = sys.stdin.read()\n"
        "n = log.read_text().count('=====') if log.exists() else 0\n"
        "with log.open('a') as file: file.write(prompt + '=====')\n"
        "print('I would say', '{\"banks\": %d}' % (n + 1 if n != 2 else 99), 'is best.')\n"
    )
    agent = _language_model("--model", shlex.join([sys.executable, str(model)]))
    result = archgym.search("toy/Bowl-v0", agent, budget=4, seed=1)
    assert result.calls == 4
    prompts = (tmp_path / "prompts").read_text().split("=====")
    assert "banks: a whole number from 1 to 8 in steps of 1. number of banks" in prompts[0]
    assert "Rule too-many-banks" in prompts[0]
    assert "-> reward" in prompts[1]
    assert "banks must be" in prompts[3]
