"""Synthesise random units, compare with the cost model, and say how well the two agree."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from archgym_simulators import ArchgymError
from archgym_simulators.tpe.design import FINAL_ADDERS, TpeDesign
from archgym_simulators.tpe.libraries import Library
from archgym_simulators.tpe.synthesis import SynthesisReport, synthesise
from experiments.tpe_synthesis.comparison import Comparison, compared
from experiments.tpe_synthesis.designs import Unit, draw_units
from experiments.tpe_synthesis.library import component_library

WIDTHS = range(16, 49, 4)
COLUMNS = ("kind", "encoding", "a_bits", "b_bits", "compressor", "final_adder", "accumulator_bits", "pipeline_cuts")
FIGURES = ("area_um2", "delay_ns", "model_area_um2", "model_delay_ns")


def main() -> int:
    arguments = parsed()
    encodings = {"encodings": arguments.encodings.split(",")} if arguments.encodings else {}
    try:
        make = maker(arguments.liberty, arguments.cache)
        units = draw_units(arguments.units, arguments.seed, most_cuts=arguments.cuts, **encodings)
        library = component_library(arguments.library)
        print("\n".join(width_lines(make, library)))
        comparison = compared(units, [make(unit) for unit in units], library)
    except ArchgymError as error:
        print(f"tpe_synthesis: {error}", file=sys.stderr)
        return 2
    print("\n".join(agreement_lines(units, comparison)))
    if arguments.out is not None:
        write(arguments.out, units, comparison)
    return 0


def maker(liberty: str, cache: Path | None) -> Callable[[Unit], SynthesisReport]:
    def make(unit: Unit) -> SynthesisReport:
        return synthesise(unit.design, liberty=liberty, a_bits=unit.a_bits, b_bits=unit.b_bits, cache_folder=cache)

    return make


def width_lines(make: Callable[[Unit], SynthesisReport], library: Library) -> list[str]:
    """How the delay of a PE follows the width of its accumulator, by both backends."""
    engines: dict[str, dict[str, Any]] = {
        "OPT1": {"opt1": True},
        **{f"MAC, {adder}": {"final_adder": adder} for adder in FINAL_ADDERS},
    }
    lines = [f"delay of an INT8 PE for accumulators of {WIDTHS[0]} to {WIDTHS[-1]} bits"]
    for name, options in engines.items():
        designs = [TpeDesign(rows=1, columns=1, accumulator_bits=width, **options) for width in WIDTHS]
        units = [Unit(design, 8, 8) for design in designs]
        found = compared(units, [make(unit) for unit in units], library)
        both = (("synthesis", found.delay), ("model", found.model_delay))
        shown = (
            f"{who} {ns[0]:.2f} ... {ns[-1]:.2f} ns (x {ns[-1] / ns[0]:.2f}, "
            f"at most {np.abs(ns / ns.mean() - 1).max():.1%} off the mean)"
            for who, ns in both
        )
        lines.append(f"  {name:17} {'; '.join(shown)}")
    return lines


def agreement_lines(units: Sequence[Unit], comparison: Comparison) -> list[str]:
    """Rank correlations over all units and over groups of them."""
    groups = {
        "all": np.ones(len(units), dtype=np.bool_),
        **{f"{n} cuts": np.array([u.design.pipeline_cuts == n for u in units]) for n in range(4)},
        **{e: np.array([u.design.encoding == e for u in units]) for e in sorted({u.design.encoding for u in units})},
    }
    lines = ["rank correlation of model and synthesis: units, area, delay"]
    for name, chosen in groups.items():
        if chosen.sum() >= 10:
            area, delay = comparison.correlations(chosen)
            lines.append(f"  {name:12} {chosen.sum():4} {area:.3f} {delay:.3f}")
    return lines


def write(file: Path, units: Sequence[Unit], comparison: Comparison) -> None:
    figures = zip(comparison.area, comparison.delay, comparison.model_area, comparison.model_delay, strict=True)
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*COLUMNS, *FIGURES])
        for unit, numbers in zip(units, figures, strict=True):
            described = {"kind": unit.kind, "a_bits": unit.a_bits, "b_bits": unit.b_bits}
            row = [described.get(name, getattr(unit.design, name, None)) for name in COLUMNS]
            writer.writerow([*row, *(f"{number:.6g}" for number in numbers)])


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m experiments.tpe_synthesis", description=__doc__)
    parser.add_argument("--units", type=int, default=150)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--cuts", type=int, default=3, help="most pipeline cuts")
    parser.add_argument("--encodings", help="names, with commas between; all where left out")
    parser.add_argument("--liberty", default="osu018", help="cell library of the synthesis")
    parser.add_argument("--library", default="osu018", help="component library of the model: one of its own, or osu018")
    parser.add_argument("--cache", type=Path, help="folder of synthesis reports that last")
    parser.add_argument("--out", type=Path, help="CSV of the units")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
