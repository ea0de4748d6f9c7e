"""``LEADERBOARD.md``, from entries."""

from __future__ import annotations

__all__ = ["as_page"]

from collections.abc import Iterator, Mapping, Sequence

from experiments.leaderboard.entries import Entry

_HEAD = """# Leaderboard

Made by `python -m experiments.leaderboard` from `experiments/leaderboard/entries.csv`; do not edit by hand.
`CONTRIBUTING.md` says how to enter.

**Regret** is 0 at the best design and 1 at the median of all feasible ones (on a scale of logarithms). A run that
found nothing feasible counts as 10, and none counts for more. On tasks with several objectives regret is the share of
the best hypervolume that is missing, 1 where nothing feasible was found. Shown is the interquartile mean over seeds
with its 95 % bootstrap interval in brackets: where intervals overlap, the order says little, and with five seeds, of
which it keeps the middle three, an interval is too narrow more often than one time in twenty. A smaller budget is the
beginning of the same runs, whose agents were told the largest. "Best" is the certified optimum, unless a task says
otherwise.
The other columns are of the largest budget: **feasible** is the share of runs that found a feasible design,
**simulations** are means of charged calls, **seconds** medians a run, and of these the agent's own, on the machine
that made the study. Agents have their default settings unless a setting is named. Runs that failed count with what they
had found by then. `experiments/leaderboard/README.md` says which agents were left out, and why.
"""


def as_page(entries: Sequence[Entry]) -> str:
    """The whole page: test tasks first, one table a task with all its budgets, best agents at the largest first."""
    parts = [_HEAD]
    for (suite, role), of_role in _grouped(entries, "suite", "role", reverse=True):
        parts.append(
            f"## {suite}, {role} tasks ({'for judging' if role == 'test' else 'for tuning, not for claims'})\n"
        )
        parts += [_table(task, of_task) for (task,), of_task in _grouped(of_role, "task")]
    parts.append(_commands(entries))
    return "\n".join(parts)


def _grouped(
    entries: Sequence[Entry], *names: str, reverse: bool = False
) -> Iterator[tuple[tuple[str, ...], list[Entry]]]:
    keys = sorted({tuple(entry[name] for name in names) for entry in entries}, reverse=reverse)
    for key in keys:
        yield key, [entry for entry in entries if tuple(entry[name] for name in names) == key]


def _table(task: str, entries: Sequence[Entry]) -> str:
    budgets = sorted({int(entry["budget"]) for entry in entries})
    rows = [{int(entry["budget"]): entry for entry in of_setting} for _, of_setting in _grouped(entries, "setting_id")]
    rows.sort(key=lambda row: (-max(row), float(row[max(row)]["regret"]), row[max(row)]["agent"]))
    lines = [f"### `{task}`\n"]
    if not entries[0]["reference"].startswith("certified"):
        lines.append(f"The best is not certified; regret is against the {entries[0]['reference']}.\n")
    if len({entry["best"] for entry in entries}) > 1:
        lines.append("Studies knew different bests here: compare regrets within a study only.\n")
    header = ["", "agent", *(f"regret at {budget:,}" for budget in budgets)]
    header += ["feasible", "seeds", "simulations", "seconds (agent)", "study"]
    lines += [_line(header), _line(["---"] * len(header))]
    lines += [_line([str(place), *_cells(row, budgets)]) for place, row in enumerate(rows, 1)]
    return "\n".join(lines) + "\n"


def _cells(row: Mapping[int, Entry], budgets: Sequence[int]) -> list[str]:
    last = row[max(row)]
    name = f"`{last['agent']}`" + ("" if last["is_default"] == "True" else f" ({last['setting_id']})")
    regrets = [_regret(row[budget]) if budget in row else "" for budget in budgets]
    seconds = f"{float(last['wall_seconds']):.2f} ({float(last['agent_seconds']):.2f})"
    counts = [f"{float(last['feasible']):.0%}", last["seeds"], f"{float(last['evaluations']):,.0f}"]
    return [name, *regrets, *counts, seconds, f"`{last['study']}`"]


def _regret(entry: Entry) -> str:
    value, low, high = (float(entry[name]) for name in ("regret", "low", "high"))
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _commands(entries: Sequence[Entry]) -> str:
    lines = ["## Made by\n"]
    for study in dict.fromkeys(entry["study"] for entry in entries):
        one = next(entry for entry in entries if entry["study"] == study)
        lines.append(f"- `{study}` (archgym {one['version']}): `{one['command']}`")
    settings = {entry["setting_id"]: entry for entry in entries if entry["is_default"] != "True"}
    for digest, entry in settings.items():
        lines.append(f"- setting {digest} of `{entry['agent']}`: `{entry['settings']}`")
    lines.append(
        "\nOne run again: `archgym search TASK --agent AGENT --budget N --seed S --out DIR`, S from its study."
    )
    return "\n".join(lines) + "\n"
