"""Delays of the model's components in OSU018, fitted on synthesised units other than those that are compared."""

from __future__ import annotations

__all__ = ["component_library"]

from dataclasses import replace

from archgym_simulators.tpe.libraries import Library, library_of

_DELAYS = {
    "register_ns": 0.168,
    "encode_ns": 0.173,
    "select_ns": 0.161,
    "adder_ns": 0.348,
    "carry_ns": 0.280,
    "ripple_ns": 0.147,
    "chain_ns": 0.388,
    "fanout_ns": 0.103,
}
_FITTED_ON = (
    "synthesis of draw_units(300, 2) with pyosys 0.70: least squares of log delay (soft L1) from values by hand; "
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
