"""Where a report goes: one file or a folder of them, whole or not at all."""

from __future__ import annotations

__all__ = ["FORMATS", "ReportOutput"]

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from archgym.run_directory import PART
from archgym_simulators import InputError

FORMATS = ("html", "png", "csv")


@dataclass(frozen=True)
class ReportOutput:
    """A place to write to, checked before the work begins.

    Attributes:
        path: of the file or folder.
        kind: one of `FORMATS`.
    """

    path: Path
    kind: str

    @classmethod
    def create(cls, path: Path, kind: str | None) -> ReportOutput:
        """Find out the format, and whether the place can be written.

        Args:
            path: ends in the format, or names a folder for PNG and CSV.
            kind: the format; by the end of ``path`` where None.

        Raises:
            InputError: format and path do not agree, or the place cannot be written.
        """
        suffix = path.suffix.lower().removeprefix(".")
        known = suffix if suffix in FORMATS else ""
        if kind is None and not known:
            raise InputError(f"--out must end in .html, .png or .csv, or --format say what it is, not {str(path)!r}")
        chosen = kind or known
        if known and known != chosen:
            raise InputError(f"--out {str(path)!r} ends in .{known}, but --format is {chosen}")
        made = cls(path, chosen)
        made._check_place()
        return made

    @property
    def is_folder(self) -> bool:
        """Whether pictures or tables go into a folder, one file each."""
        return self.kind != "html" and self.path.suffix.lower() != f".{self.kind}"

    def write(self, files: Mapping[str, bytes]) -> list[Path]:
        """Write all files, or none.

        Args:
            files: by name; the only one's name is ignored where the place is a file.

        Raises:
            OSError: a full disk; nothing is left of the attempt.
        """
        is_new = self.is_folder and not self.path.exists()
        if is_new:
            self.path.mkdir()
        places = {self.path / name if self.is_folder else self.path: content for name, content in files.items()}
        parts = {place: place.with_name(place.name + PART) for place in places}
        try:
            for place, content in places.items():
                parts[place].write_bytes(content)
            for place, part in parts.items():
                os.replace(part, place)
        except OSError as error:
            for part in parts.values():
                part.unlink(missing_ok=True)
            if is_new:
                self.path.rmdir()
            raise OSError(error.errno, f"cannot write {self.path}: {error.strerror}") from error
        return list(places)

    def _check_place(self) -> None:
        path = self.path
        if self.is_folder and path.exists() and not path.is_dir():
            raise InputError(f"--out {str(path)!r} is a file; name a folder, or a file that ends in .{self.kind}")
        if not self.is_folder and path.is_dir():
            raise InputError(f"--out {str(path)!r} is a folder; name a file that ends in .{self.kind}")
        inside = path if self.is_folder and path.is_dir() else path.parent
        if not inside.is_dir():
            raise InputError(f"--out {str(path)!r}: there is no folder {str(inside)!r}")
        probe = inside / f".{path.name}{PART}"
        try:
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise InputError(f"--out {str(path)!r} cannot be written: {error.strerror}") from error
