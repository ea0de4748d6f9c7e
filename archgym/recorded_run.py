"""A run directory as its readers see it: what was searched, how, and what was recorded."""

from __future__ import annotations

__all__ = ["RecordedRun"]

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archgym.journal import JournalRecord
from archgym.problem import Problem, ProblemSpec
from archgym.run_directory import (
    FORMAT,
    JOURNAL,
    MANIFEST,
    RESULT,
    JournalRecorder,
    RunDirectory,
    RunManifest,
    read_json,
)
from archgym_simulators import InputError


@dataclass(frozen=True)
class RecordedRun:
    """A run directory, opened for reading; nothing in it is changed.

    Attributes:
        path: the directory.
        manifest: identity (what its evaluations depend on) and remarks (versions, platform).
    """

    path: Path
    manifest: RunManifest

    @classmethod
    def open(cls, path: Path) -> RecordedRun:
        """Read and check the manifest.

        Raises:
            InputError: no run directory, a damaged manifest, or another format.
        """
        if not (path / MANIFEST).is_file():
            what = f"has no {MANIFEST}" if path.is_dir() else "is no directory"
            raise InputError(f"{str(path)!r} is no run directory: it {what}")
        found = read_json(path / MANIFEST)
        identity, about = found.get("identity"), found.get("about")
        if not isinstance(identity, dict) or not isinstance(about, dict):
            raise InputError(f"{path / MANIFEST} is damaged: it names no identity")
        if identity.get("format") != FORMAT:
            raise InputError(
                f"{path / MANIFEST} has format {identity.get('format')!r}, this installation reads format {FORMAT}"
            )
        manifest = RunManifest(identity, about)
        if found.get("digest") != manifest.digest:
            raise InputError(
                f"{path / MANIFEST} is damaged: its digest is {found.get('digest')!r}, not {manifest.digest!r}"
            )
        return cls(path, manifest)

    @property
    def identity(self) -> Mapping[str, Any]:
        """The hashed fields of the manifest."""
        return self.manifest.identity

    @property
    def spec(self) -> ProblemSpec:
        """What was searched."""
        problem = self.identity["problem"]
        return ProblemSpec(
            problem["env_id"],
            problem["workload"],
            tuple(problem["objectives"]),
            tuple(problem["constraints"]),
            problem["options"],
        )

    @property
    def result(self) -> dict[str, Any] | None:
        """The content of ``result.json``; None where the run has not ended."""
        return read_json(self.path / RESULT) if (self.path / RESULT).is_file() else None

    def problem(self) -> Problem:
        """The problem as installed now, for the workload bound first.

        Raises:
            InputError: the simulator, its design space or the workload is another version than the recorded one.
        """
        problem = self.spec.bind()
        simulator = problem.simulator
        now = {
            "simulator_version": simulator.version,
            "space": simulator.space.digest,
            "workload_digest": simulator.workload.digest,
        }
        for name, value in now.items():
            if self.identity[name] != value:
                raise InputError(
                    f"{self.path}: {name} is {self.identity[name]!r} in the record and {value!r} in this installation"
                )
        return problem

    def records(self, problem: Problem) -> tuple[list[JournalRecord], int]:
        """Everything in the journal, and the bytes of a torn or damaged tail.

        The journal is copied first: opening it for writing would cut such a tail, and lock out a running search.
        """
        if not (self.path / JOURNAL).is_file():
            return [], 0
        with tempfile.TemporaryDirectory() as copy:
            directory = RunDirectory(copy, self.manifest)
            shutil.copyfile(self.path / JOURNAL, directory.path / JOURNAL)
            try:
                recorder = JournalRecorder(directory, problem)
            except InputError as error:
                raise InputError(str(error).replace(str(directory.path), str(self.path))) from None
            try:
                return list(recorder.records()), recorder.cut_bytes
            finally:
                recorder.close()
