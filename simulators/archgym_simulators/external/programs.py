"""A user's program by name or path, and what it is."""

from __future__ import annotations

__all__ = ["content_digest", "program_path"]

import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean

_HASHED_BYTES = 1 << 24


def program_path(program: str, what: str) -> str:
    """The absolute path of a program, given by name (found on PATH) or by path.

    Raises:
        InputError: missing, a directory, or not executable; ``what`` says whose program it is.
    """
    if os.sep not in program:
        found = shutil.which(program)
        if found is None:
            raise InputError(f"{what}: no program {program!r} on PATH; give its path, or install it")
        return str(Path(found).absolute())
    file = Path(program).expanduser()
    if not os.path.exists(file):  # False for an impossible name, where Path.exists raises
        beside = [other.name for other in file.parent.iterdir()] if file.parent.is_dir() else []
        raise InputError(f"{what}: no program {program!r}{did_you_mean(file.name, beside)}")
    if file.is_dir() or not os.access(file, os.X_OK):
        state = "a directory" if file.is_dir() else f"not executable; run: chmod +x {file}"
        raise InputError(f"{what}: {program!r} is {state}")
    return str(file.absolute())


def content_digest(paths: Iterable[str | Path], *texts: str) -> str:
    """Content hash of files and texts; of a file above 16 MiB only the size counts."""
    content = hashlib.sha256()
    for path in map(Path, paths):
        size = path.stat().st_size
        content.update(path.read_bytes() if size <= _HASHED_BYTES else f"{size} bytes".encode())
    for text in texts:
        content.update(b"\0" + text.encode())
    return content.hexdigest()[:16]
