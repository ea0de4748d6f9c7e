"""Component libraries: what a gate, a register and a level cost in a technology, and where each number is from."""

from __future__ import annotations

__all__ = ["LIBRARIES", "Library", "library_of"]

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean


@dataclass(frozen=True)
class Library:
    """Costs of components.

    A circuit that has to run near its shortest period T0 grows: gates by ``1 + gate_growth exp(-(T / T0 - 1) /
    gate_decay)``, register bits likewise, since retiming moves registers to where more bits are.

    Attributes:
        name: of the technology.
        gate_um2: of one gate equivalent, a two-input NAND.
        register_um2: of one bit.
        gate_growth: at the shortest period.
        gate_decay: in parts of the shortest period.
        register_growth: at the shortest period; 0 for an engine of one PE, which is not retimed.
        register_decay: in parts of the shortest period.
        register_ns: clock to output and setup.
        encode_ns: a Booth encoder.
        select_ns: of one candidate among several.
        adder_ns: a full adder, one level of a compressor.
        carry_ns: a level of a prefix adder.
        ripple_ns: a bit of a ripple adder.
        chain_ns: what a ripple adder adds that follows another: its first bit.
        mux_ns: a level of a shifter.
        fanout_ns: a doubling of what one wire feeds: PEs, or selections of one candidate.
        register_fj: per bit and cycle, clock included.
        gate_fj_per_um2: per cycle in which gates work.
        leakage_nw_per_um2: always.
        fitted_on: for each group of numbers, where it is from; what was fitted on is no evidence.
    """

    name: str
    gate_um2: float
    register_um2: float
    gate_growth: float
    gate_decay: float
    register_growth: float
    register_decay: float
    register_ns: float
    encode_ns: float
    select_ns: float
    adder_ns: float
    carry_ns: float
    ripple_ns: float
    chain_ns: float
    mux_ns: float
    fanout_ns: float
    register_fj: float
    gate_fj_per_um2: float
    leakage_nw_per_um2: float
    fitted_on: Mapping[str, str]

    def numbers(self) -> NDArray[np.float64]:
        """All numbers in the order of the fields, as kernels take them: (18,)."""
        return np.array([getattr(self, field.name) for field in fields(self)[1:-1]], dtype=np.float64)


_SCALED_DELAYS = {
    name: 0.41 * ns
    for name, ns in {
        "register_ns": 0.17,
        "encode_ns": 0.12,
        "select_ns": 0.17,
        "adder_ns": 0.185,
        "carry_ns": 0.14,
        "ripple_ns": 0.07,
        "chain_ns": 0.19,
        "mux_ns": 0.11,
        "fanout_ns": 0.01,
    }.items()
}

LIBRARIES: dict[str, Library] = {
    "saed32": Library(
        name="SAED32 (RVT, typical, 0.85 V, 25 C)",
        gate_um2=1.097,
        register_um2=7.0,
        gate_growth=0.209,
        gate_decay=0.12,
        register_growth=0.322,
        register_decay=0.284,
        register_ns=0.17,
        encode_ns=0.12,
        select_ns=0.17,
        adder_ns=0.185,
        carry_ns=0.14,
        ripple_ns=0.07,
        chain_ns=0.19,
        mux_ns=0.11,
        fanout_ns=0.01,
        register_fj=4.45,
        gate_fj_per_um2=0.172,
        leakage_nw_per_um2=26.4,
        fitted_on={
            "gate_um2, gate_growth, register_growth, register_decay": "areas of the 31 Design Compiler reports without "
            "a timing violation of the HPCA 2025 seed repository, all families together",
            "register_um2": "the same reports: 6.6 to 7.1 um2 a flip-flop, with and without reset",
            "gate_decay": "areas of the MAC and OPT1 PEs over the period, by eye",
            "delays": "shortest periods of the MAC PE (1.667 ns; ours 1.65), OPT1 PE (1.11; ours 1.14) and OPT4C "
            "column (0.58, after synthesis has moved registers; ours 0.79, or 0.60 with a cut), set by hand; ripple "
            "and chain in the ratio to a carry level that synthesis with OSU018 shows",
            "register_fj, gate_fj_per_um2, leakage_nw_per_um2": "power of the 23 of these reports that have one, "
            "vectorless: no activity of real operands is in it",
        },
    ),
    "umc22": Library(
        name="UMC 22 nm (typical, 0.70 V, 25 C)",
        gate_um2=0.149,
        register_um2=1.47,
        gate_growth=1.0,
        gate_decay=0.25,
        register_growth=0.322,
        register_decay=0.284,
        **_SCALED_DELAYS,
        register_fj=4.56,
        gate_fj_per_um2=0.310,
        leakage_nw_per_um2=0.0,
        fitted_on={
            "gate_um2": "areas of the systolic arrays INT4, INT8, INT16 at 1 GHz of table 8 (MHE-TPE, MICRO 2025), "
            "ours with Brent-Kung adders",
            "register_um2": "table 1 there: 23.52 um2 for 16 bits",
            "gate_growth, gate_decay, delays": "those of 28nm, an assumption",
            "register_growth, register_decay": "those of saed32, an assumption",
            "register_fj, gate_fj_per_um2, leakage_nw_per_um2": "power of the same three arrays, leakage included",
        },
    ),
    "28nm": Library(
        name="28 nm (0.72 V), second-hand",
        gate_um2=0.291,
        register_um2=2.38,
        gate_growth=1.0,
        gate_decay=0.25,
        register_growth=0.322,
        register_decay=0.284,
        **_SCALED_DELAYS,
        register_fj=5.80,
        gate_fj_per_um2=0.244,
        leakage_nw_per_um2=0.0,
        fitted_on={
            "gate_um2": "a MAC PE of 367 um2 at 1.0 GHz (ours with a Brent-Kung adder, the smallest that meets it), in "
            "a reading note on the HPCA 2025 paper (second-hand)",
            "register_um2": "umc22 scaled by (28 / 22)^2, an assumption",
            "gate_growth, gate_decay": "the same note: areas of MAC (x 1.93) and OPT1 (x 1.14) PEs from 1.0 to 1.5 GHz",
            "register_growth, register_decay": "those of saed32, an assumption",
            "delays": "those of saed32 times 0.41: OPT4C takes 0.32 ns and OPT4E 0.48; in the note 0.29 and 0.40",
            "register_fj, gate_fj_per_um2, leakage_nw_per_um2": "umc22 scaled by 28 / 22 a gate, an assumption",
        },
    ),
}


def library_of(name: str) -> Library:
    """The library of that name.

    Raises:
        InputError: there is none.
    """
    if name not in LIBRARIES:
        raise InputError(f"unknown library {name!r}{did_you_mean(name, LIBRARIES)}; allowed: {', '.join(LIBRARIES)}")
    return LIBRARIES[name]
