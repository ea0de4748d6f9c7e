"""``python -m experiments.nas201_baselines [--refs DIR]``: our searches beside published means, with the tests."""

from __future__ import annotations

__all__ = ["main"]

import argparse
import csv
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archgym_simulators import ArchgymError
from archgym_simulators.nas.official_imports import import_data
from experiments.nas201_baselines.equivalence import Equivalence, Sample, equivalence
from experiments.nas201_baselines.searches import SEARCHES, Found, judged, run_search

BUDGET_S = 12_000.0
SIGNAL = "cifar10"
MARGINS = {"cifar10": 0.3, "cifar100": 0.5, "imagenet16-120": 0.5}
TABLE = "results.csv"
HEADER = (
    *("search", "images", "runs", "evaluations", "mean", "std", "reference_mean", "reference_std", "reference_runs"),
    *("difference", "low_90", "high_90", "margin", "p", "equivalent", "reference"),
)

PUBLISHED: Mapping[str, tuple[str, Mapping[str, tuple[float, float]]]] = {
    "RS": (
        "Dong and Yang 2020",
        {"cifar10": (93.70, 0.36), "cifar100": (71.04, 1.07), "imagenet16-120": (44.57, 1.25)},
    ),
    "REA": (
        "Dong and Yang 2020",
        {"cifar10": (93.92, 0.30), "cifar100": (71.84, 0.99), "imagenet16-120": (45.15, 0.89)},
    ),
    "REINFORCE": (
        "Dong and Yang 2020",
        {"cifar10": (93.85, 0.37), "cifar100": (71.71, 1.09), "imagenet16-120": (45.24, 1.18)},
    ),
    "LocalSearch": (
        "an independent run of ours, on the same table",
        {"cifar10": (94.16, 0.27), "cifar100": (72.54, 0.88), "imagenet16-120": (45.76, 0.87)},
    ),
}
"""Mean and spread of 200-epoch test accuracy: who found them, and by data set.

The first three as Table 2 of RoBoT (He et al., ICLR 2024) reports them of NAS-Bench-201; nobody has published local
search under this protocol, so its means come from another program, written apart from the agents.
"""
REFERENCE_RUNS = 500


@dataclass(frozen=True)
class Line:
    """One search on one data set, beside its reference."""

    search: str
    images: str
    ours: Sample
    theirs: Sample
    source: str
    evaluations: float
    test: Equivalence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every search and compare; exit status 1 where an equivalence does not hold, 2 for wrong input."""
    parser = argparse.ArgumentParser(prog="python -m experiments.nas201_baselines", description=__doc__)
    parser.add_argument("--refs", type=Path, metavar="DIR", help="import DIR/nb201_accuracy.parquet for this run only")
    parser.add_argument("--runs", type=int, metavar="N", help="runs of each search, instead of the published number")
    parser.add_argument("--out", type=Path, metavar="FILE", help=f"table to write; {TABLE} beside this file if all ran")
    chosen = parser.parse_args(arguments)
    out = chosen.out or (Path(__file__).parent / TABLE if chosen.runs is None else None)
    try:
        lines = _lines(chosen.refs, chosen.runs)
    except ArchgymError as error:
        print(f"experiments.nas201_baselines: {error}", file=sys.stderr)
        return 2
    print(_as_text(lines))
    if out is not None:
        _write(out, lines)
    return 0 if all(line.test.holds for line in lines) else 1


def _lines(refs: Path | None, runs: int | None) -> list[Line]:
    with ExitStack() as stack:
        data = ""
        if refs is not None:
            data = stack.enter_context(tempfile.TemporaryDirectory())
            import_data("nats-tss", refs / "nb201_accuracy.parquet", folder=Path(data))
        lines = []
        for name, search in SEARCHES.items():
            found = run_search(search, images=SIGNAL, budget_s=BUDGET_S, runs=runs, data=data)
            lines += [_line(name, images, found, values) for images, values in judged(found.rows, data=data).items()]
        return lines


def _line(name: str, images: str, found: Found, accuracies: NDArray[np.float64]) -> Line:
    source, means = PUBLISHED[name.partition("-")[0]]
    theirs = Sample(*means[images], REFERENCE_RUNS)
    ours = Sample(float(accuracies.mean()), float(accuracies.std(ddof=1)), len(accuracies))
    test = equivalence(ours, theirs, margin=MARGINS[images])
    return Line(name, images, ours, theirs, source, float(found.evaluations.mean()), test)


def _as_text(lines: Sequence[Line]) -> str:
    head = (
        f"{'search':<16}{'data set':<16}{'runs':>5}{'evals':>7}  {'ours':<14}{'reference':<14}{'difference [90 %]':<24}"
    )
    text = [head + f"{'margin':>6}{'p':>9}  equal"]
    for line in lines:
        test = line.test
        text.append(
            f"{line.search:<16}{line.images:<16}{line.ours.runs:>5}{line.evaluations:>7.1f}  "
            f"{line.ours.mean:.2f} +- {line.ours.std:.2f} {line.theirs.mean:.2f} +- {line.theirs.std:.2f} "
            f"{f'{test.difference:+.3f} [{test.low:+.3f}, {test.high:+.3f}]':<24}"
            f"{test.margin:>6}{test.p:>9.1e}  {'yes' if test.holds else 'NO'}"
        )
    return "\n".join(text)


def _write(path: Path, lines: Sequence[Line]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for line in lines:
            numbers = (line.ours.mean, line.ours.std, line.theirs.mean, line.theirs.std)
            test = line.test
            writer.writerow(
                [line.search, line.images, line.ours.runs, f"{line.evaluations:.1f}"]
                + [f"{number:.4f}" for number in numbers]
                + [line.theirs.runs, f"{test.difference:.3f}", f"{test.low:.3f}", f"{test.high:.3f}", test.margin]
                + [f"{test.p:.2g}", test.holds, line.source]
            )


if __name__ == "__main__":
    raise SystemExit(main())
