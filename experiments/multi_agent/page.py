"""The tables of the README, made of those that are files."""

from __future__ import annotations

__all__ = ["README", "page", "write_page"]

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from archgym.run_directory import write_whole
from experiments.multi_agent.shards import TASK_GROUPS

README = Path(__file__).with_name("README.md")
_TABLES = re.compile(r"(?<=<!-- tables -->\n).*(?=<!-- end of tables -->)", re.DOTALL)

Row = Mapping[str, str]


def write_page(arms: Sequence[Row], contrasts: Sequence[Row]) -> None:
    """Put the tables into the README, between its marks."""
    write_whole(README, page(README.read_text(encoding="utf-8"), arms, contrasts))


def page(text: str, arms: Sequence[Row], contrasts: Sequence[Row]) -> str:
    """A page with its tables replaced by those of the rows of ``arms.csv`` and ``contrasts.csv``."""
    tables = "\n".join(
        (
            _markdown("arm", arms, lambda row: row["arm"], _regret),
            _markdown("what changes", contrasts, _change, _gain),
        )
    )
    return _TABLES.sub(lambda _: tables, text)


def _markdown(first: str, rows: Sequence[Row], label: Callable[[Row], str], cell: Callable[[Row], str]) -> str:
    """A line a label, a column a variant, budget and group of tasks."""
    grouped = [row for row in rows if row["tasks"] in TASK_GROUPS]
    columns = list(dict.fromkeys(_column(row) for row in grouped))
    cells = {(label(row), _column(row)): cell(row) for row in grouped}
    lines = [[first, *columns], ["---"] * (len(columns) + 1)]
    lines += [
        [one, *(cells.get((one, column), "-") for column in columns)] for one in dict.fromkeys(map(label, grouped))
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _column(row: Row) -> str:
    return f"{row['tasks']}, {row['budget']}, {row['variant']}"


def _change(row: Row) -> str:
    return f"{row['part']}: `{row['first']}` to `{row['second']}`"


def _regret(row: Row) -> str:
    return f"{_fixed(row['iqm'])} ({_fixed(row['low'])}..{_fixed(row['high'])})"


def _gain(row: Row) -> str:
    wins = f"{float(row['second_wins']):.2f}"
    return f"{_regret({**row, 'iqm': row['gain']})}, wins {wins}, p {float(row['p_holm']):.3f}"


def _fixed(number: str) -> str:
    return f"{float(number):.4f}"
