"""Delays of the model's components in OSU018, fitted on synthesised units other than those that are compared."""

from __future__ import annotations

__all__ = ["component_library"]

from dataclasses import replace

from archgym_simulators.tpe.libraries import Library, library_of

_DELAYS = {
    "register_ns": 0.229,
    "encode_ns": 0.096,
    "select_ns": 0.316,
    "adder_ns": 0.422,
    "carry_ns": 0.145,
    "ripple_ns": 0.108,
    "fanout_ns": 0.072,
}
_FITTED_ON = (
    "synthesis of draw_units(120, 2) with pyosys 0.70: least squares of log delay by Nelder-Mead from values by hand; "
    "the rest is that of saed32"
)


def component_library(name: str) -> Library:
    """A library of the model by name, or ``"osu018"`` for that with the delays above.

    Raises:
        InputError: there is none of that name.
    """
    if name != "osu018":
        return library_of(name)
    return replace(library_of("saed32"), name="OSU018", fitted_on={"delays": _FITTED_ON}, **_DELAYS)
