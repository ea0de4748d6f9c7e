"""The design space of a tensor engine: sixteen parameters, with what is inert folded away."""

from __future__ import annotations

__all__ = ["ENGINES", "PARAMETERS", "TRANSFORMATIONS", "DesignRows", "design_of", "tpe_space"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.constraints import InertWhen
from archgym_simulators.parameters import Categorical, Ordinal, Parameter
from archgym_simulators.space import DesignSpace, Rows
from archgym_simulators.tpe.design import (
    ARCHITECTURES,
    COMPRESSORS,
    FINAL_ADDERS,
    OPERANDS,
    TpeDesign,
)
from archgym_simulators.tpe.encodings import ENCODINGS
from archgym_simulators.tpe.layout import CODES, FIELDS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TRANSFORMATIONS: Mapping[str, tuple[bool, bool, bool, str]] = {
    "none": (False, False, False, ""),
    "opt1": (True, False, False, ""),
    "opt2": (False, True, False, ""),
    "opt1+opt2": (True, True, False, ""),
    "opt3": (True, True, True, "pe"),
    "opt4c": (True, True, True, "column"),
    "opt4e": (True, True, True, "group"),
}
"""opt1, opt2, opt3, and where they say it the place of the encoder."""
_POSSIBLE = {
    "systolic-os": ("none", "opt1"),
    "systolic-ws": ("none", "opt1"),
    "cube": ("none", "opt1", "opt2", "opt1+opt2"),
    "tree": ("none", "opt1", "opt2", "opt1+opt2"),
    "matrix": ("none", "opt1", "opt3", "opt4c", "opt4e"),
}
ENGINES = {
    architecture if transformation == "none" else f"{architecture}/{transformation}": (architecture, transformation)
    for architecture, transformations in _POSSIBLE.items()
    for transformation in transformations
}
"""Architectures with the transformations that can be applied to them, by the name in designs."""


def _engines(architectures: Sequence[str] = (), transformations: Sequence[str] = ()) -> tuple[str, ...]:
    return tuple(name for name, (a, t) in ENGINES.items() if a in architectures or t in transformations)


_FLAT = ("systolic-os", "systolic-ws", "matrix")
_SKIPPING = ("opt3", "opt4c", "opt4e")
_SIDES = (4, 8, 16, 32)
_GHZ = (0.2, 0.25, 0.32, 0.4, 0.5, 0.63, 0.8, 1.0, 1.25, 1.6)

PARAMETERS: tuple[Parameter, ...] = (
    Categorical(
        "engine",
        tuple(ENGINES),
        description="How PEs are arranged, and what is done to the digits: accumulate in carry-save form (opt1), sum "
        "each digit weight over K first (opt2), skip zero digits with encoders in PEs (opt3), shared by a row (opt4c), "
        "or with lanes that share a compressor (opt4e).",
        group="array",
    ),
    Ordinal("rows", _SIDES, "PEs", description="PEs along M; along K where weights are stationary.", group="array"),
    Ordinal("columns", _SIDES, "PEs", description="PEs along N.", group="array"),
    Ordinal(
        "depth", (2, 4, 8, 16), "PEs", description="PEs along K of a cube, inputs of an adder tree.", group="array"
    ),
    Categorical("encoding", tuple(ENCODINGS), description="How one operand is written as digits.", group="digits"),
    Categorical(
        "encoded_operand",
        OPERANDS,
        description="Which operand is written as digits: a (activations) or b (weights).",
        group="digits",
    ),
    Categorical(
        "encoder_placement",
        ("pe", "column"),
        description="Without skipping: an encoder in every PE, or at the edge of the array, whence codes travel.",
        group="digits",
    ),
    Ordinal("lanes", (2, 4, 8), "digits", description="Digits that a group adds in one cycle (opt4e).", group="digits"),
    Categorical("compressor", COMPRESSORS, description="How partial products are added.", group="arithmetic"),
    Categorical("final_adder", FINAL_ADDERS, description="How sum and carry are added.", group="arithmetic"),
    Ordinal(
        "accumulator_bits",
        (16, 20, 24, 28, 32, 36, 40, 48, 64, 80),
        "bits",
        description="Width of accumulators; too narrow ones could overflow and are invalid.",
        group="arithmetic",
    ),
    Ordinal(
        "pipeline_cuts", (0, 1, 2, 3), "registers", description="Registers before the accumulator.", group="timing"
    ),
    Ordinal(
        "frequency_ghz", _GHZ, "GHz", description="Clock; a path longer than its period is invalid.", group="timing"
    ),
    Ordinal(
        "skip_group",
        (4, 8, 16),
        "operands",
        description="Neighbours among which digits that are not zero are searched; an empty group costs a cycle.",
        group="digits",
    ),
    Ordinal(
        "k_tile",
        (64, 128, 256, 512, 1024, 2048, 4096),
        "operands",
        description="Operands along K until accumulators are emptied and columns wait for each other; finishing adders "
        "are as many as keep up with it.",
        group="digits",
    ),
    Ordinal("fifo_depth", (1, 2, 4), "groups", description="Groups that an encoder may be ahead.", group="digits"),
)

_DENSE = tuple(name for name, (_, transformation) in ENGINES.items() if transformation not in _SKIPPING)
_INERT = (
    InertWhen("depth", "engine", _engines(_FLAT)),
    InertWhen("k_tile", "engine", _engines(["systolic-ws"])),
    InertWhen("encoder_placement", "engine", _engines([], _SKIPPING)),
    InertWhen("compressor", "engine", _engines([], ["opt3", "opt4c"])),
    InertWhen("lanes", "engine", tuple(name for name in ENGINES if name not in _engines([], ["opt4e"]))),
    InertWhen("skip_group", "engine", _DENSE),
    InertWhen("fifo_depth", "engine", _DENSE),
)


def tpe_space() -> DesignSpace:
    """The space; what is invalid in it depends on the workload."""
    return DesignSpace(PARAMETERS, inert=_INERT)


@dataclass(frozen=True, eq=False)
class DesignRows:
    """N designs as the model takes them: fields (N, len(FIELDS)), frequency (N,), and which group moments they need."""

    fields: Integers
    ghz: Floats
    groups: Integers
    skipping: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: Rows) -> DesignRows:
        """Index rows (N, 16) of `tpe_space`."""
        fields = np.empty((len(rows), len(FIELDS)), dtype=np.int64)
        for column, field in enumerate(FIELDS):
            source, table = _TABLES[field]
            fields[:, column] = table[rows[:, source]]
        engine = rows[:, _AT["engine"]]
        place = _PLACES[engine]
        fields[:, FIELDS.index("encoder_placement")] = np.where(place >= 0, place, rows[:, _AT["encoder_placement"]])
        fields[_IS_FLAT[engine], FIELDS.index("depth")] = 1
        fields[_IS_ALONE[engine], FIELDS.index("lanes")] = 1
        groups = rows[:, _GROUP_COLUMNS] @ _GROUP_STRIDES
        skipping = fields[:, FIELDS.index("opt3")] == 1
        return cls(fields, _GHZ_TABLE[rows[:, _AT["frequency_ghz"]]], groups, skipping)


def design_of(design: Mapping[str, Any]) -> TpeDesign:
    """The design that readable values of this space mean.

    Raises:
        InputError: values that cannot be together.
    """
    values = dict(design)
    architecture, transformation = ENGINES[values.pop("engine")]
    opt1, opt2, opt3, place = TRANSFORMATIONS[transformation]
    values |= {"architecture": architecture, "opt1": opt1, "opt2": opt2, "opt3": opt3}
    values["encoder_placement"] = place or values["encoder_placement"]
    if architecture in _FLAT:
        values["depth"] = 1
    if place != "group":
        values["lanes"] = 1
    return TpeDesign(**values)


_AT = {parameter.name: column for column, parameter in enumerate(PARAMETERS)}
GROUP_PARAMETERS = ("encoded_operand", "encoding", "skip_group", "fifo_depth")
GROUP_SIZES = tuple(PARAMETERS[_AT[name]].size for name in GROUP_PARAMETERS)
_GROUP_COLUMNS = np.array([_AT[name] for name in GROUP_PARAMETERS])
_GROUP_STRIDES = np.array([int(np.prod(GROUP_SIZES[k + 1 :])) for k in range(len(GROUP_SIZES))], dtype=np.int64)
_GHZ_TABLE = np.array(_GHZ)
_SAID = [TRANSFORMATIONS[transformation] for _, transformation in ENGINES.values()]
_PLACES = np.array([CODES["encoder_placement"].index(place) if place else -1 for *_, place in _SAID])
_IS_FLAT = np.array([architecture in _FLAT for architecture, _ in ENGINES.values()])
_IS_ALONE = np.array([place != "group" for *_, place in _SAID])


def _table(field: str) -> tuple[int, Integers]:
    """The index column that a field is read from, and its numbers by index."""
    if field in ("opt1", "opt2", "opt3"):
        return _AT["engine"], np.array([said[int(field[-1]) - 1] for said in _SAID], dtype=np.int64)
    if field == "architecture":
        codes = [ARCHITECTURES.index(architecture) for architecture, _ in ENGINES.values()]
        return _AT["engine"], np.array(codes, dtype=np.int64)
    parameter = PARAMETERS[_AT[field]]
    values = parameter.readable(np.arange(parameter.size)[:, None]).tolist()
    names = CODES.get(field)
    return _AT[field], np.array([names.index(v) if names else v for v in values], dtype=np.int64)


_TABLES = {field: _table(field) for field in FIELDS}
