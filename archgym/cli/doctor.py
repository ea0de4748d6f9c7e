"""``archgym doctor``: what is installed, what is missing, what works."""

from __future__ import annotations

__all__ = ["parser", "run"]

import argparse
from collections.abc import Iterator
from dataclasses import asdict

from archgym.cli import text
from archgym.cli.parser import Parser
from archgym.doctor import FAILED, Finding, agent_findings, environment_findings, installation, matrix_findings
from archgym.registry import agent_names, environments


def parser() -> Parser:
    """Arguments of ``archgym doctor``."""
    made = Parser(
        "doctor",
        "Say what is installed and what is missing, and try every environment and every agent. Exit status 1 where\n"
        "something that should work does not; a missing extra is no failure.",
        ["doctor", "doctor --matrix --json"],
    )
    made.add_argument("--matrix", action="store_true", help="also run the conformance suites; takes minutes")
    made.add_argument("--json", action="store_true", help="for programs")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Check and print."""
    with text.ProgressLine() as line:
        sections = {
            "Installation": installation(),
            "Environments": _checked(line, list(environments()), "env", matrix=arguments.matrix),
            "Agents": _checked(line, list(agent_names()), "agent", matrix=arguments.matrix),
        }
    findings = [finding for section in sections.values() for finding in section]
    failed = [finding for finding in findings if finding.status == FAILED]
    if arguments.json:
        print(text.as_json({name.lower(): [asdict(f) for f in section] for name, section in sections.items()}))
    else:
        print("\n\n".join(_section(name, section) for name, section in sections.items()))
        print(f"\n{_verdict(failed)}")
    return 1 if failed else 0


def _checked(line: text.ProgressLine, names: list[str], kind: str, *, matrix: bool) -> list[Finding]:
    findings = []
    for name in names:
        for finding in _checks_of(kind, name, matrix=matrix):
            line.show(f"{name}: {finding.check} {finding.status}")
            findings.append(finding)
    return findings


def _checks_of(kind: str, name: str, *, matrix: bool) -> Iterator[Finding]:
    first = list((environment_findings if kind == "env" else agent_findings)(name))
    yield from first
    if matrix and first[0].status == "ok":
        yield from matrix_findings(kind, name)


def _section(title: str, findings: list[Finding]) -> str:
    if title == "Installation":
        rows = [[finding.status, finding.subject, finding.note] for finding in findings]
        return f"{title}\n{text.table(rows)}"
    return f"{title}\n{_matrix(findings)}" if findings else f"{title}\n  none"


def _matrix(findings: list[Finding]) -> str:
    """One row a subject, one column a check; notes of what is not well follow."""
    subjects, checks = (list(dict.fromkeys(getattr(f, name) for f in findings)) for name in ("subject", "check"))
    status = {(finding.subject, finding.check): finding.status for finding in findings}
    rows = [[subject, *(status.get((subject, check), "-") for check in checks)] for subject in subjects]
    notes = [f"{f.subject} {f.check}: {f.note}" for f in findings if f.status != "ok"]
    return "\n".join([text.table(rows, ("", *checks)), *(text.paragraph(note, 4) for note in notes)])


def _verdict(failed: list[Finding]) -> str:
    if not failed:
        return "Everything that is installed works."
    first, several = failed[0], "checks" if len(failed) > 1 else "check"
    return text.paragraph(f"{len(failed)} {several} failed; the first: {first.subject} {first.check}: {first.note}")
