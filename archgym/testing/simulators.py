"""The conformance suite of simulators: `check_simulator`."""

from __future__ import annotations

__all__ = ["SIMULATOR_CHECKS", "check_simulator"]

from collections.abc import Callable, Sequence
from typing import Any

from archgym.testing import _simulator_declarations as declarations
from archgym.testing import _simulator_outcomes as outcomes
from archgym.testing._simulator_subject import Subject, subject_of
from archgym_simulators import InputError, MissingExtra, Simulator
from archgym_simulators.nearest import did_you_mean

SIMULATOR_CHECKS: dict[str, Callable[[Subject], None]] = {
    "declarations": declarations.check_declarations,
    "objectives": declarations.check_objectives,
    "space": declarations.check_space,
    "workloads": declarations.check_workloads,
    "outcome": outcomes.check_outcome,
    "purity": outcomes.check_purity,
    "batches": outcomes.check_batches,
    "threads": outcomes.check_threads,
    "folding": outcomes.check_folding,
    "every-workload": outcomes.check_every_workload,
}
"""What `check_simulator` checks, by name."""


def check_simulator(
    simulator: Simulator | type[Simulator] | str,
    *,
    workload: str | None = None,
    n: int = 256,
    seed: int = 0,
    flaky: bool = False,
    checks: Sequence[str] | None = None,
    **options: Any,
) -> None:
    """Check that a simulator keeps archgym's contract; raises with the first sentence that does not hold.

    What it declares (metrics, reasons, objectives, workload, baseline, version) is well-formed; its space's codecs,
    keys and canonical forms agree; evaluations have the right shapes and types, are NaN exactly where a design is not
    ok, and give reasons that format; the same design gives the same bits for any batch size, order, split and number
    of threads, also where it is built again; every built-in workload has the same metrics and a valid baseline, and
    designs with one canonical form are equal on it; a wrong workload is an `InputError` with the nearest match.

    >>> from archgym.testing.toys import Bowl
    >>> check_simulator(Bowl)

    Args:
        simulator: an id, a class, or an instance (of which nothing is bound again, so ``workloads`` is not checked).
        workload: bound to this one; the default where None.
        n: designs sampled.
        seed: of the sample.
        flaky: rows may fail at random (a real tool): they are left out of comparisons.
        checks: names of `SIMULATOR_CHECKS`; all where None.
        **options: of the simulator, where it is an id or a class.

    Raises:
        AssertionError: one sentence that says what does not hold.
        InputError: an unknown id or check.
        MissingExtra: an optional dependency of the simulator is missing.
    """
    for name in checks or ():
        if name not in SIMULATOR_CHECKS:
            hint = did_you_mean(name, SIMULATOR_CHECKS)
            raise InputError(f"unknown check {name!r}{hint}; allowed: {', '.join(SIMULATOR_CHECKS)}")
    subject = subject_of(simulator, workload, n=n, seed=seed, flaky=flaky, options=options)
    for name in checks or SIMULATOR_CHECKS:
        try:
            SIMULATOR_CHECKS[name](subject)
        except (AssertionError, MissingExtra):
            raise
        except Exception as error:
            line = " ".join(str(error).split())
            raise AssertionError(f"{subject.label}: check {name!r} raised {type(error).__name__}: {line}") from error
