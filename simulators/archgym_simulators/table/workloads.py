"""Which table: the built-in example, or a file by path."""

from __future__ import annotations

__all__ = ["EXAMPLES", "Source", "source_of"]

import os
from collections.abc import Callable
from dataclasses import dataclass

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean
from archgym_simulators.table.columns import SUFFIXES, TableFile, read_bytes, read_table
from archgym_simulators.table.sram import SRAM_DESIGN, SRAM_MAXIMISE, sram_table


@dataclass(frozen=True)
class Source:
    """A table that can be read.

    Attributes:
        name: the workload's name: a path, or the name of an example.
        load: gives the file's content, nothing for an example.
        parse: makes a table of the content.
        design: design columns where the option gives none; empty for a file.
        maximise: metrics of which more is better, likewise.
    """

    name: str
    load: Callable[[], bytes]
    parse: Callable[[bytes], TableFile]
    design: tuple[str, ...] = ()
    maximise: tuple[str, ...] = ()


EXAMPLES = {"default": "a small example: 615 of 1,080 SRAM macros, sized by a formula"}
_EXAMPLE = Source("default", lambda: b"", lambda _: sram_table(), SRAM_DESIGN, SRAM_MAXIMISE)


def source_of(workload: str, path: str) -> Source:
    """The table that a workload spec and the option ``path`` name.

    Raises:
        InputError: both name one and they differ, or neither does.
    """
    if path and workload not in ("default", path):
        raise InputError(f"give the table as path={path!r} or as workload={workload!r}, not both")
    chosen = path or workload
    if not path and workload in EXAMPLES:
        return _EXAMPLE
    looks_like_path = os.sep in chosen or chosen.lower().endswith(SUFFIXES) or os.path.exists(chosen)
    if not path and not looks_like_path:
        raise InputError(
            f"unknown table {workload!r}{did_you_mean(workload, EXAMPLES)}; name a file that ends in "
            f"{', '.join(SUFFIXES)}, or {', '.join(EXAMPLES)}"
        )
    return Source(chosen, lambda: read_bytes(chosen), lambda content: read_table(chosen, content))
