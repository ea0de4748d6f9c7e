"""``python -m experiments.tpe_paper [--refs DIR]``: the paper's ratios beside ours; with DIR also the fits."""

from __future__ import annotations

__all__ = ["main"]

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.tpe.libraries import LIBRARIES
from experiments.tpe_paper.fit import AREA_CONSTANTS, Reports, areas, fit_area, fit_energy, read_reports
from experiments.tpe_paper.ratios import gains, laconic_cycles


def main(arguments: Sequence[str] | None = None) -> int:
    """Print ratios, calibrations and, where reports are given, fits with every family held out."""
    parser = argparse.ArgumentParser(prog="python -m experiments.tpe_paper", description="Paper ratios beside ours.")
    parser.add_argument("--refs", type=Path, metavar="DIR", help="fit SAED32 on DIR/tpe/hptpe_saed32_reports.csv")
    chosen = parser.parse_args(arguments)
    _print_ratios()
    _print_calibrations()
    if chosen.refs is not None:
        _print_fits(chosen.refs)
    return 0


def _print_ratios() -> None:
    for library in ("28nm", "saed32"):
        print(f"\nlibrary {library}: plain at 1.0 GHz, transformed at 1.5 GHz (slack not asked for)")
        print(f"{'architecture':36}{'transformed by':16}{'area: paper':>12}{'ours':>7}{'energy: paper':>15}{'ours':>7}")
        for gain in gains(library):
            mark = "" if gain.has_data else " no data, not claimed"
            print(
                f"{gain.architecture:36}{gain.after:16}{gain.paper_area:12.2f}{gain.area:7.2f}"
                f"{gain.paper_energy:15.2f}{gain.energy:7.2f}{mark}"
            )
            if library == "28nm":
                print(f"    {gain.why}")
    theirs, ours = laconic_cycles()
    print(
        f"\nLaconic: the paper claims 12.10x energy and 2.85x area efficiency. Ours: {theirs:.2f} cycles a product and "
        f"lane in Laconic, {ours:.2f} in OPT4C ({theirs / ours:.2f}x). Laconic's area and energy are not at hand: not "
        "claimed."
    )


def _print_report_gains(reports: Reports, ours_um2: NDArray[np.float64]) -> None:
    """Gains in clock over area from the plain to the OPT1 array, each at its own best report."""
    print("\nOPT1 at the clocks of the reports: gain in throughput per area, reported and by the model")
    opt1 = np.array([design.opt1 for design in reports.designs])
    ghz = np.array([design.frequency_ghz for design in reports.designs])
    for family in ("systolic_array_os", "systolic_array_ws", "cube"):
        mine = np.array(reports.families) == family
        best = [_best(ghz / reports.cell_um2, mine & (opt1 == after)) for after in (False, True)]
        reported, model = ((ghz / area)[best[1]] / (ghz / area)[best[0]] for area in (reports.cell_um2, ours_um2))
        print(f"    {family:20} reported {reported:.2f}, ours {model:.2f} ({model / reported - 1.0:+.1%})")


def _best(efficiency: NDArray[np.float64], among: NDArray[np.bool_]) -> int:
    return int(np.argmax(np.where(among, efficiency, 0.0)))


def _print_calibrations() -> None:
    for name, library in LIBRARIES.items():
        print(f"\nlibrary {name}: {library.name}")
        for what, source in library.fitted_on.items():
            print(f"    {what}: {source}")


def _print_fits(refs: Path) -> None:
    reports = read_reports(refs)
    families = np.array(reports.families)
    everything = np.ones(len(families), dtype=bool)
    library = fit_energy(reports, fit_area(reports, everything))
    names = (*AREA_CONSTANTS, "register_fj", "gate_fj_per_um2", "leakage_nw_per_um2")
    print(f"\nSAED32, fitted on {len(families)} reports: " + ", ".join(f"{n} {getattr(library, n):.3f}" for n in names))
    registers, gates = areas(reports, library)
    errors = (registers + gates) / reports.cell_um2 - 1.0
    print(f"in-sample: mean {abs(errors).mean():.1%}, largest {abs(errors).max():.1%}")
    _print_report_gains(reports, registers + gates)
    print("\nheld out in turn:")
    for family in dict.fromkeys(reports.families):
        held = families == family
        registers, gates = areas(reports, fit_area(reports, ~held))
        outside = (registers + gates) / reports.cell_um2 - 1.0
        print(
            f"    {family:20} {held.sum():2} reports: in-sample {abs(errors[held]).mean():6.1%}, held out "
            f"{abs(outside[held]).mean():6.1%} (largest {abs(outside[held]).max():.1%})"
        )


if __name__ == "__main__":
    raise SystemExit(main())
