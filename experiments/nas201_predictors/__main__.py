"""``python -m experiments.nas201_predictors [--refs DIR]``: searches with a model beside those without one."""

from __future__ import annotations

__all__ = ["main"]

import argparse
import csv
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from archgym_simulators import ArchgymError
from archgym_simulators.nas.official_imports import import_data
from experiments.nas201_predictors.comparison import Comparison, Line, comparisons, lines_of
from experiments.nas201_predictors.searches import PAIRS, SEARCHES

RUNS = 100
RESULTS, COMPARISONS = "results.csv", "comparisons.csv"
RESULTS_HEADER = ("search", "images", "runs", "evaluations", "mean", "std")
COMPARISONS_HEADER = ("search", "against", "images", "probability", "low_95", "high_95", "p_holm")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every search and compare; exit status 2 for wrong input."""
    parser = argparse.ArgumentParser(prog="python -m experiments.nas201_predictors", description=__doc__)
    parser.add_argument("--refs", type=Path, metavar="DIR", help="import DIR/nb201_accuracy.parquet for this run only")
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N", help=f"runs of each search (default {RUNS})")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where to write; beside this file if all ran")
    chosen = parser.parse_args(arguments)
    if chosen.runs < 2:
        parser.error(f"--runs must be at least 2, not {chosen.runs}")
    try:
        lines = _lines(chosen.refs, chosen.runs)
    except ArchgymError as error:
        print(f"experiments.nas201_predictors: {error}", file=sys.stderr)
        return 2
    compared = comparisons(lines, PAIRS)
    print(_as_text(lines, compared))
    out = chosen.out or (Path(__file__).parent if chosen.runs == RUNS else None)
    if out is not None:
        _write(out / RESULTS, RESULTS_HEADER, [row for line in lines for row in _rows_of(line)])
        _write(out / COMPARISONS, COMPARISONS_HEADER, [_row_of(one) for one in compared])
    return 0


def _lines(refs: Path | None, runs: int) -> list[Line]:
    with ExitStack() as stack:
        data = ""
        if refs is not None:
            data = stack.enter_context(tempfile.TemporaryDirectory())
            import_data("nats-tss", refs / "nb201_accuracy.parquet", folder=Path(data))
        return lines_of(SEARCHES, runs=runs, data=data)


def _rows_of(line: Line) -> list[tuple[object, ...]]:
    return [
        (line.search, images, line.runs, f"{line.evaluations:.1f}", f"{values.mean():.4f}", f"{values.std(ddof=1):.4f}")
        for images, values in line.accuracies.items()
    ]


def _row_of(one: Comparison) -> tuple[object, ...]:
    numbers = (one.probability, one.low, one.high)
    return (one.search, one.against, one.images, *(f"{number:.3f}" for number in numbers), f"{one.p:.2g}")


def _as_text(lines: Sequence[Line], compared: Sequence[Comparison]) -> str:
    text = [f"{'search':<16}{'trainings':>9}" + "".join(f"{images:>18}" for images in lines[0].accuracies)]
    for line in lines:
        means = (f"{values.mean():.2f} +- {values.std(ddof=1):.2f}" for values in line.accuracies.values())
        text.append(f"{line.search:<16}{line.evaluations:>9.1f}" + "".join(f"{mean:>18}" for mean in means))
    text.append("")
    for one in compared:
        pair = f"{one.search} above {one.against} on {one.images}"
        text.append(f"{pair:<53}{one.probability:.2f} [{one.low:.2f}, {one.high:.2f}]  p {one.p:.1e}")
    return "\n".join(text)


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    raise SystemExit(main())
