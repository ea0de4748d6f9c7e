"""Searches by asking a language model; an external agent of archgym (``docs/external-agents.md``).

    archgym search archgym/DRAM-v0 --agent "exec:python agent.py --model 'llm -m MODEL'" --budget 50 --seed 1 --out DIR

``--model`` is any command that reads a prompt on standard input and prints the model's reply. ``--replies FILE`` takes
canned replies instead, separated by lines of three dashes, over and over: for tests, and to see what happens.

It needs nothing but Python, not even archgym: it speaks JSON lines on its standard input and output. A reply may be any
text; every JSON object in it that names a parameter is taken as a design, and what it leaves out is as in the best
design so far. What archgym refuses goes back to the model in archgym's own words.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Design = dict[str, Any]
Model = Callable[[str], str]

DESIGNS_A_REPLY = 4
REMEMBERED = 12
PATIENCE = 3


def main() -> None:
    """Answer archgym until it says that the search has ended, or the model has no more to say."""
    model = _model(_arguments())
    start = _heard()
    assert start["protocol"] == 1, "written for protocol 1"
    searcher = Searcher(start, model)
    while designs := searcher.propose():
        _say({"designs": designs})
        message = _heard()
        if message["type"] == "end":
            return
        searcher.learn(designs, message)
    _say({"designs": []})


class Searcher:
    """What is known so far, how the model is asked, and what its replies mean."""

    def __init__(self, start: dict[str, Any], model: Model) -> None:
        self._model = model
        self._task = _task(start)
        self._names = [parameter["name"] for parameter in start["parameters"]]
        self._best: tuple[tuple[bool, float], Design] = ((False, float("-inf")), start["baseline"]["design"])
        self._told: list[str] = []
        self._complaint = ""

    def propose(self) -> list[Design]:
        """The designs of the model's next reply; none where several replies in a row have none."""
        for _ in range(PATIENCE):
            designs = self._designs_in(self._model(self._prompt()))
            if designs:
                return designs
            self._complaint = "your last reply held no JSON object with parameters"
        return []

    def learn(self, designs: list[Design], message: dict[str, Any]) -> None:
        """Remember what the designs are worth, or why they were refused."""
        self._complaint = message.get("message", "")
        for design, outcome in zip(designs, message.get("evaluations", []), strict=False):
            rank = (outcome["feasible"], outcome["reward"])
            self._best = max(self._best, (rank, design), key=lambda pair: pair[0])
            what = outcome["metrics"] if outcome["status"] == "ok" else outcome["reason"]
            self._told.append(f"{json.dumps(design)} -> reward {outcome['reward']:.4f}, {json.dumps(what)}")

    def _prompt(self) -> str:
        parts = [self._task]
        if self._told:
            parts += ["Evaluated last:", *self._told[-REMEMBERED:]]
            parts += [f"Best so far: {json.dumps(self._best[1])}"]
        if self._complaint:
            parts.append(f"Note: {self._complaint}")
        parts.append(f"Propose up to {DESIGNS_A_REPLY} new designs, each as one JSON object with every parameter.")
        return "\n".join(parts)

    def _designs_in(self, reply: str) -> list[Design]:
        found = [one for one in _json_objects(reply) if any(name in one for name in self._names)]
        whole = [{**self._best[1], **{n: v for n, v in one.items() if n in self._names}} for one in found]
        return whole[:DESIGNS_A_REPLY]


def _task(start: dict[str, Any]) -> str:
    """The first message in words."""
    goals = [f"{term['better']} {term['metric']}" for one in start["objectives"] for term in one["terms"]]
    lines = [
        f"You design hardware: {start['environment']['description']}",
        f"Workload: {start['environment']['workload']}. Wanted: {', '.join(goals) or 'a higher reward'}.",
        "Parameters:",
        *(f"- {_parameter(one)}" for one in start["parameters"]),
    ]
    lines += [f"Rule {rule['name']}: {rule['message']}" for rule in start["rules"]]
    lines += [f"Bound: {bound}" for bound in start["bounds"]]
    lines.append(f"Reference design, reward 0: {json.dumps(start['baseline']['design'])}")
    return "\n".join(lines)


def _parameter(one: dict[str, Any]) -> str:
    if "values" in one:
        allowed = f"one of {json.dumps(one['values'])}"
    elif one["kind"] == "integer":
        allowed = f"a whole number from {one['low']} to {one['high']} in steps of {one['step']}"
    elif one["kind"] == "permutation":
        allowed = f"an order such as {'>'.join(one['items'])!r}"
    else:
        allowed = (
            f"{one['slots']} factors of {one['n']} such as {'x'.join(['1'] * (one['slots'] - 1) + [str(one['n'])])!r}"
        )
    return f"{one['name']}: {allowed}. {one.get('description', '')}"


def _json_objects(text: str) -> Iterator[dict[str, Any]]:
    """Every outermost JSON object in a text, wherever it stands."""
    decoder, place = json.JSONDecoder(), text.find("{")
    while place >= 0:
        try:
            found, place = decoder.raw_decode(text, place)
            yield found
        except ValueError:
            place += 1
        place = text.find("{", place)


def _model(arguments: argparse.Namespace) -> Model:
    if arguments.replies is not None:
        canned = itertools.cycle(arguments.replies.read_text(encoding="utf-8").split("\n---\n"))
        return lambda prompt: next(canned)
    command = shlex.split(arguments.model)
    return lambda prompt: subprocess.run(command, input=prompt, capture_output=True, text=True, check=True).stdout


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A language model as a search agent of archgym.")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", help="a command that reads a prompt and prints a reply")
    source.add_argument("--replies", type=Path, help="a file of canned replies")
    return parser.parse_args()


def _heard() -> dict[str, Any]:
    line = sys.stdin.readline()
    if not line:
        sys.exit("archgym has gone")
    heard: dict[str, Any] = json.loads(line)
    return heard


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
