"""Directories that appear whole or not at all."""

from __future__ import annotations

__all__ = ["new_directory"]

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archgym.run_directory import PART
from archgym_simulators import InputError


@contextmanager
def new_directory(out: Path) -> Iterator[Path]:
    """A directory to write into, which takes the name ``out`` when all has gone well, and is deleted else.

    Raises:
        InputError: ``out`` is there already and not an empty directory, or cannot be made.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise InputError(f"{out} exists already; choose another --out")
    part = out.with_name(out.name + PART)
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"cannot make {out}: {error.strerror}; choose another --out") from error
    try:
        yield part
        part.rename(out)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
