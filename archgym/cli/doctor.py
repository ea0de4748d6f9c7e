"""``archgym doctor``: what is installed, what is missing, what works."""

from __future__ import annotations

__all__ = ["parser", "run"]

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import accumulate, chain

from archgym.cli import text
from archgym.cli.parser import Parser
from archgym.doctor import (
    FAILED,
    OK,
    SUITES,
    Finding,
    agent_findings,
    environment_findings,
    installation,
    matrix_findings,
)
from archgym.registry import agent_names, environments


def parser() -> Parser:
    """Arguments of ``archgym doctor``."""
    made = Parser(
        "doctor",
        "Say what is installed and what is missing, and try every environment and every agent. Exit status 1 where\n"
        "something that should work does not; a missing extra is no failure.",
        ["doctor", "doctor --matrix --json"],
    )
    made.add_argument("--matrix", action="store_true", help="also run the conformance suites; takes longer")
    made.add_argument("--json", action="store_true", help="for programs")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Check and print."""
    with text.ProgressLine() as line:
        sections = {
            "installation": installation(),
            "environments": _shown(line, chain.from_iterable(map(environment_findings, environments()))),
            "agents": _shown(line, chain.from_iterable(map(agent_findings, agent_names()))),
        }
        if arguments.matrix:
            sections |= {suite: _suite(line, suite, sections) for suite in SUITES}
    failed = [finding for section in sections.values() for finding in section if finding.status == FAILED]
    if arguments.json:
        print(text.as_json({name: [asdict(finding) for finding in section] for name, section in sections.items()}))
    else:
        print("\n\n".join(_section(name, section) for name, section in sections.items()))
        print(f"\n{_verdict(failed)}")
    return 1 if failed else 0


def _suite(line: text.ProgressLine, suite: str, sections: dict[str, list[Finding]]) -> list[Finding]:
    """A conformance suite on everything that can be imported."""
    findings = sections["agents" if suite == "check_agent" else "environments"]
    names = [finding.subject for finding in findings if finding.check == "import" and finding.status == OK]
    return _shown(line, chain.from_iterable(matrix_findings(suite, name) for name in names))


def _shown(line: text.ProgressLine, findings: Iterable[Finding]) -> list[Finding]:
    found = []
    for finding in findings:
        line.show(f"{finding.subject}: {finding.check} {finding.status}")
        found.append(finding)
    return found


def _section(title: str, findings: list[Finding]) -> str:
    heading = title.capitalize() if title in ("installation", "environments", "agents") else f"archgym.testing.{title}"
    if not findings:
        return f"{heading}\n  none"
    if title == "installation":
        return f"{heading}\n{text.table([[finding.status, finding.subject, finding.note] for finding in findings])}"
    notes = [f"{f.subject} {f.check}: {f.note}" for f in findings if f.status != OK]
    return "\n".join([heading, *_matrix(findings), *(text.paragraph(note, 4) for note in notes)])


def _matrix(findings: list[Finding]) -> Iterator[str]:
    """Tables of one row a subject and one column a check; as many below each other as the terminal's width needs."""
    subjects, checks = (list(dict.fromkeys(getattr(f, name) for f in findings)) for name in ("subject", "check"))
    status = {(finding.subject, finding.check): finding.status for finding in findings}
    room = text.width() - 2 - max(map(len, subjects))
    while checks:
        ends = accumulate(max(len(check), len(FAILED)) + 2 for check in checks)
        fitting = max(1, sum(end <= room for end in ends))
        block, checks = checks[:fitting], checks[fitting:]
        rows = [[subject, *(status.get((subject, check), "-") for check in block)] for subject in subjects]
        yield text.table(rows, ("", *block))


def _verdict(failed: list[Finding]) -> str:
    if not failed:
        return "Everything that is installed works."
    first, several = failed[0], "checks" if len(failed) > 1 else "check"
    return text.paragraph(f"{len(failed)} {several} failed; the first: {first.subject} {first.check}: {first.note}")
