"""The table of the README, from `results.csv`: ``python -m experiments.dataset_diversity.answers``."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

TABLE = Path(__file__).parent / "results.csv"
Key = tuple[str, str, str, str, str]  # trace, size, source, test, metric


def errors(regressor: str) -> dict[Key, list[float]]:
    """RMSE in percent of the mean, one a seed."""
    found: defaultdict[Key, list[float]] = defaultdict(list)
    with TABLE.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["regressor"] == regressor:
                key = row["trace"], row["size"], row["source"], row["test"], row["metric"]
                found[key].append(float(row["rmse_percent"]))
    return found


def printed(regressor: str = "random-forest") -> Iterator[str]:
    """Markdown: medians over seeds, of total time and energy."""
    found = errors(regressor)
    columns = ("time, uniform", "time, near-optimal", "energy, uniform", "energy, near-optimal", "seeds")
    yield f"| trace | designs | source | {' | '.join(columns)} |"
    yield "|---|---|---|---|---|---|---|---|"
    for trace, size, source in dict.fromkeys(key[:3] for key in sorted(found)):
        cells = [
            found[trace, size, source, test, metric]
            for metric in ("total_time_ns", "energy_pj")
            for test in ("uniform", "near-optimal")
        ]
        numbers = " | ".join(f"{median(cell):.2g}" for cell in cells)
        yield f"| {trace} | {size} | {source} | {numbers} | {len(cells[0])} |"


if __name__ == "__main__":
    print("\n".join(printed()))
