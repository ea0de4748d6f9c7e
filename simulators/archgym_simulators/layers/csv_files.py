"""Layer tables in CSV files with MAESTRO's columns."""

from __future__ import annotations

__all__ = ["COLUMNS", "OPTIONAL_COLUMNS", "TYPES", "read_layers"]

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from archgym_simulators.errors import InputError
from archgym_simulators.layers.layer import Layer, conv, gemm
from archgym_simulators.nearest import did_you_mean

COLUMNS = ("K", "C", "Y", "X", "R", "S", "T")
OPTIONAL_COLUMNS = {"name": None, "stride": 1, "padding": 0, "groups": 1, "N": 1, "repeat": 1}
"""Column -> the value where it is missing."""
TYPES = {0: "fully connected", 1: "convolution", 2: "depthwise convolution", 3: "matrix product"}
_LARGEST_FILE = 10_000_000


def read_layers(path: str) -> tuple[Layer, ...]:
    """Layers of a CSV file, in order.

    Columns K, C, Y, X, R, S, T as in MAESTRO's tables: output and input channels, input rows and columns, filter rows
    and columns, type (`TYPES`); further ones are `OPTIONAL_COLUMNS`. Y and X are the input as the filter sees it, so
    the output has (Y + 2 padding - R) // stride + 1 rows. A depthwise layer has K = 1 or K = C; a matrix product takes
    M = Y * X, N = K and inner dimension C.

    Raises:
        InputError: one line with file, row (the first after the header is 1) and column.
    """
    try:
        data = Path(path).read_bytes()
        if len(data) > _LARGEST_FILE:
            raise InputError(f"layer table {path!r} has {len(data):,} bytes; at most {_LARGEST_FILE:,} are read")
        lines = data.decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise InputError(f"layer table {path!r} cannot be read: {reason}") from None
    table = csv.DictReader(lines, skipinitialspace=True, restkey="")
    table.fieldnames = _header(path, [name.strip() for name in table.fieldnames or []])
    layers = tuple(_layer(path, number, record) for number, record in enumerate(table, start=1))
    if not layers:
        raise InputError(f"layer table {path!r} has a header but no layers")
    _refuse_duplicates(path, layers)
    return layers


def _header(path: str, names: list[str]) -> list[str]:
    for column in COLUMNS:
        if column not in names:
            hint = did_you_mean(column, names)
            raise InputError(f"layer table {path!r} has no column {column!r}{hint}; needed are {', '.join(COLUMNS)}")
    known = (*COLUMNS, *OPTIONAL_COLUMNS)
    for name in names:
        if name not in known or names.count(name) > 1:
            what = "column twice" if name in known else "unknown column"
            raise InputError(f"layer table {path!r}: {what} {name!r}{did_you_mean(name, known)}")
    return names


def _layer(path: str, number: int, record: Mapping[str, str | None]) -> Layer:
    where = f"layer table {path!r}, row {number}"
    if "" in record:
        raise InputError(f"{where} has more cells than the header has columns")
    dims = {column: _whole(where, record, column) for column in (*COLUMNS, *OPTIONAL_COLUMNS) if column != "name"}
    kind = dims.pop("T")
    if kind not in TYPES:
        allowed = ", ".join(f"{code} {name}" for code, name in TYPES.items())
        raise InputError(f"{where}, column 'T': {kind} is no layer type; allowed are {allowed}")
    name = (record.get("name") or "").strip() or f"layer{number}"
    try:
        return _make(name, kind, dims)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _make(name: str, kind: int, dims: Mapping[str, int]) -> Layer:
    k, c, batch, repeat = dims["K"], dims["C"], dims["N"], dims["repeat"]
    if kind == 3:
        made = gemm(name, batch * dims["Y"] * dims["X"], k, c, groups=dims["groups"])
        return _with_repeat(made, repeat)
    groups = dims["groups"]
    if kind == 2:
        if k not in (1, c):
            raise InputError(f"column 'K': a depthwise convolution of C = {c} has K = 1 or K = {c}, not {k}")
        k = groups = c
    outputs = (_output(dims, "Y", "R"), _output(dims, "X", "S"))
    kernel = (dims["R"], dims["S"])
    if kind == 0 and outputs == (1, 1):
        return _with_repeat(gemm(name, batch, k, c * dims["R"] * dims["S"]), repeat)
    made = conv(name, outputs, channels=(c, k), kernel=kernel, stride=dims["stride"], groups=groups, batch=batch)
    return _with_repeat(made, repeat)


def _with_repeat(layer: Layer, repeat: int) -> Layer:
    return replace(layer, repeat=repeat)


def _output(dims: Mapping[str, int], size: str, kernel: str) -> int:
    room = dims[size] + 2 * dims["padding"] - dims[kernel]
    if room < 0:
        raise InputError(
            f"column {kernel!r}: a filter of {dims[kernel]} does not fit an input of {size} = {dims[size]} with "
            f"padding {dims['padding']}"
        )
    return room // dims["stride"] + 1


def _whole(where: str, record: Mapping[str, str | None], column: str) -> int:
    if column not in record and column in OPTIONAL_COLUMNS:
        return int(OPTIONAL_COLUMNS[column] or 0)
    text = (record[column] or "").strip()
    low = 0 if column in ("T", "padding") else 1
    if not (text.isascii() and text.isdigit()) or not low <= int(text[:20]) < 2**31:
        shown = repr(text) if text else "an empty cell"
        raise InputError(f"{where}, column {column!r}: must be a whole number from {low} to 2^31 - 1, not {shown}")
    return int(text)


def _refuse_duplicates(path: str, layers: tuple[Layer, ...]) -> None:
    seen: dict[str, int] = {}
    for number, layer in enumerate(layers, start=1):
        if layer.name in seen:
            raise InputError(
                f"layer table {path!r}, row {number}, column 'name': {layer.name!r} is the name of row "
                f"{seen[layer.name]}, too"
            )
        seen[layer.name] = number
