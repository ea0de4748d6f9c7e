"""The manual's pages of agents and the registry say the same."""

import re
from pathlib import Path

import pytest

from archgym.agent_listing import describe_agents

DOCS = Path(__file__).parents[2] / "docs"
LIMIT_US = 50


def table_below(page: str, heading: str) -> dict[str, list[str]]:
    """Rows of the first table below a heading: agent -> cells; a row may be of several agents."""
    section = (DOCS / page).read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows: dict[str, list[str]] = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for name in re.findall(r"`([^`]+)`", cells[0]) if line.startswith("| `") else []:
            assert name not in rows, f"{page} has {name} twice"
            rows[name] = cells
    return rows


AGENTS = {entry.name: entry for entry in describe_agents() if "." not in entry.name}


def test_every_agent_is_on_the_page_and_no_other() -> None:
    assert set(table_below("agents.md", "All of them")) == {*AGENTS, "exec:PROGRAM"}


def test_what_an_agent_costs_is_on_the_page() -> None:
    assert set(table_below("agents.md", "What they cost of their own")) == set(AGENTS)


@pytest.mark.parametrize("name", AGENTS)
def test_the_page_has_a_whole_row_of_an_agent(name: str) -> None:
    _, what, source, extra, sees, when = table_below("agents.md", "All of them")[name]
    assert what
    assert source
    assert when
    assert extra.strip("`") == AGENTS[name].extra
    assert sees in {"rows", "flat", "sequential", "continuous", "multi-agent"}


@pytest.mark.parametrize("name", AGENTS)
def test_own_agents_that_take_longer_than_they_should_are_in_bold(name: str) -> None:
    _, whose, time_us = table_below("agents.md", "What they cost of their own")[name]
    is_slow = float(time_us.strip("*").replace(",", "")) > LIMIT_US
    assert time_us.startswith("**") == (is_slow and whose == "own")


def test_the_page_on_learning_has_every_agent_that_needs_its_libraries() -> None:
    learners = {name for name, entry in AGENTS.items() if entry.extra in ("rl", "marl")}
    assert set(table_below("train-rl.md", "The agents that learn policies")) >= learners
